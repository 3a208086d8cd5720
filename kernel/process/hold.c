/*
 * The two counts of a process: references keep its memory, holds put off its teardown.
 *
 * process_find() turns a pointer found in the tree into a reference, under the tree lock. A hold is
 * the right to use what teardown destroys (address space, descriptors). Taking one fails once the
 * process is dying. Each live thread is a hold. When the last hold goes, teardown runs: in the last
 * thread itself, or in the reaper if the last hold was not a thread's.
 */
#include "base/panic.h"
#include "process/process.h"

bool process_hold(struct process *p)
{
	/* LAB 06-kill: add a hold, unless the process is dying or has lost its last one */
	u32 holds = atomic_load(&p->holds);

	do {
		if (holds == 0 || process_state(p) != PROCESS_ALIVE)
			return false;
	} while (!atomic_compare_exchange_weak(&p->holds, &holds, holds + 1));
	return true;
	/* END LAB */
}

void process_unhold(struct process *p)
{
	/* LAB 06-kill: give a hold up; the last one leaves the teardown to the reaper */
	u32 before = atomic_fetch_sub(&p->holds, 1);

	assert(before > 0);
	if (before == 1)
		reaper_add_process(p);
	/* END LAB */
}
