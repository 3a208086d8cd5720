/*
 * Call chains from saved frame pointers.
 *
 * The stack may be damaged, so nothing is believed: a frame must lie on the current thread's stack,
 * be aligned, and be above the one before it. So the walk ends, and touches only that stack.
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
 * A return address, one after the call: a function that ends in a call which does not return is
 * followed by another one, which must not be named in its place.
 */
static void print_entry(u64 pc)
{
	u64 off;
	const char *name = symbol_name(pc - 1, &off);

	kprintf("  %lx  %s+0x%lx\n", pc, name, off + 1);
}

/* The next return address from *@fp on, which moves up one frame; 0: there is none. */
static u64 next_return(const struct thread *t, u64 *fp)
{
	u64 back, up;

	if (!frame_ok(t, *fp))
		return 0;
	back = arch_frame_return(*fp);
	up = arch_frame_next(*fp);
	*fp = up > *fp ? up : 0;
	return up ? back : 0;	/* nobody called the first function of a thread */
}

void backtrace_print(u64 pc, u64 fp)
{
	const struct thread *t = current_thread();

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
