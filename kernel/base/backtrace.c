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

/* Checks whether the two words of a frame at @fp are on the stack of @t, on either port. */
static bool frame_ok(const struct thread *t, u64 fp)
{
	u64 low = (u64)t->stack, high = low + t->stack_size;

	/* LAB 01-boot: say whether the frame at fp is one that may be read */
	return IS_ALIGNED(fp, 8) && fp >= low + 2 * sizeof(u64) && fp <= high - 2 * sizeof(u64);
	/* END LAB */
}

unsigned backtrace_walk(const struct thread *t, u64 fp, u64 *pcs, unsigned max)
{
	unsigned n = 0;

	/* LAB 01-boot: store the return address of each frame, from the innermost up */
	while (n < max && frame_ok(t, fp)) {
		u64 up = arch_frame_next(fp);

		if (!up)
			break;		/* the first function of a thread has no caller */
		pcs[n++] = arch_frame_return(fp);
		fp = up > fp ? up : 0;
	}
	/* END LAB */
	return n;
}

void backtrace_print(const struct thread *t, u64 pc, u64 fp)
{
	u64 pcs[MAX_FRAMES];
	unsigned n;

	if (pc)
		print_entry(pc);
	n = backtrace_walk(t, fp, pcs, MAX_FRAMES);
	for (unsigned i = 0; i < n; i++)
		print_entry(pcs[i]);
}

void backtrace_collect(u64 *pcs, unsigned max)
{
	unsigned n = backtrace_walk(current_thread(), arch_frame_pointer(), pcs, max);

	while (n < max)
		pcs[n++] = 0;
}
