/*
 * Call chains from saved frame pointers.
 *
 * The stack may be damaged, so every frame pointer is checked: a frame must lie on the current
 * thread's stack, be aligned, and be above the one before it. So the walk always ends, and reads
 * nothing but that stack.
 */
#include "base/panic.h"
#include "base/printf.h"
#include "base/symbols.h"
#include "sched/cpu.h"
#include "thread/thread.h"

#define MAX_FRAMES	40

static bool frame_ok(const struct thread *t, u64 fp)
{
	u64 low = (u64)t->stack, high = low + t->stack_size;

	return IS_ALIGNED(fp, 8) && fp >= low + 2 * sizeof(u64) && fp <= high - 2 * sizeof(u64);
}

/*
 * Prints a return address. The name is looked up one byte before it: if the call never returns it
 * may be its function's last instruction, and @pc is then the first one of the next function.
 */
static void print_entry(u64 pc)
{
	u64 off;
	const char *name = symbol_name(pc - 1, &off);

	kprintf("  %lx  %s+0x%lx\n", pc, name, off + 1);
}

/* Returns the return address in frame *@fp, and moves *@fp one frame up; 0 at the end. */
static u64 next_return(const struct thread *t, u64 *fp)
{
	u64 back, up;

	if (!frame_ok(t, *fp))
		return 0;
	back = arch_frame_return(*fp);
	up = arch_frame_next(*fp);
	*fp = up > *fp ? up : 0;
	return up ? back : 0;	/* the first function of a thread has no caller */
}

void backtrace_print(const struct thread *t, u64 pc, u64 fp)
{
	if (pc)
		print_entry(pc);
	for (unsigned i = 0; i < MAX_FRAMES && (pc = next_return(t, &fp)); i++)
		print_entry(pc);
}

void backtrace_collect(u64 *pcs, unsigned max)
{
	u64 fp = arch_frame_pointer();

	for (unsigned i = 0; i < max; i++)
		pcs[i] = next_return(current_thread(), &fp);
}
