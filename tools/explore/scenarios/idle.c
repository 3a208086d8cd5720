/*
 * Going idle against waking a CPU. No lock is common to the two CPUs, so only the orders of memory
 * in idle.c and balance.c let one of them see what the other did.
 */
#include "explore/scenario.h"

static struct actor guest;
static _Atomic bool ran;

static int note_that_it_ran(void)
{
	atomic_store_explicit(&ran, true, memory_order_relaxed);
	return 0;
}

/*
 * This CPU stays busy, so the new thread runs only if the other CPU comes for it. That one has not
 * begun, or is going idle, or has been idle for long; it has no timer that would wake it later.
 */
SCENARIO(against_wake, "idle.against_wake", "", "", .cpus = 2, .keeps = true)
{
	struct thread *t = create_among(~0u, act, &guest);

	guest.run = note_that_it_ran;
	stay_on(0);
	preempt_off();
	arch_spin_hint();		/* the other CPU's turn */
	start_actor(&guest, t);
	while (!atomic_load_explicit(&ran, memory_order_relaxed))
		arch_spin_hint();
	preempt_on();
	end_here();
}
