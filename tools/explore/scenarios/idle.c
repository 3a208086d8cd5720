/*
 * Going idle against waking a CPU. No lock is common to the two CPUs, so only the orders of memory
 * in idle.c and balance.c let one of them see what the other did.
 */
#include "explore/scenario.h"

#include "sched/internal.h"

static struct actor guest;
static _Atomic bool ran;

static int note_that_it_ran(void)
{
	atomic_store_explicit(&ran, true, memory_order_relaxed);
	return 0;
}

static int spin_until_it_ran(void)
{
	while (!atomic_load_explicit(&ran, memory_order_relaxed))
		arch_spin_hint();
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
	spin_until_it_ran();
	preempt_on();
	end_here();
}

static struct actor urgent;

/*
 * The other CPU finds a thread for itself, and meanwhile is told to come for an urgent one. The
 * first goes on until the urgent one has run.
 */
SCENARIO(found_other, "idle.finds_another", "", "", .cpus = 2, .keeps = true)
{
	struct thread *t = create_among(~0u, act, &guest), *u = create_among(~0u, act, &urgent);
	struct sched_params most = params_of_level(PRIORITY_HIGHEST);

	guest.run = spin_until_it_ran;
	urgent.run = note_that_it_ran;
	urgent.urgent = true;
	stay_on(0);
	expect(!sched_set_params(current_thread(), &most), "no real-time priority");
	preempt_off();
	start_actor(&guest, t);
	start_actor(&urgent, u);
	spin_until_it_ran();
	preempt_on();
	end_here();
}

static struct actor pinned;

/*
 * Of two idle CPUs one is kicked for a thread. If it finds one that only it may run, it has to send
 * the other, as nobody else looks again.
 */
SCENARIO(passed_on, "idle.passes_on", "", "", .cpus = 3, .keeps = true)
{
	struct thread *t = create_among(~0u, act, &guest), *p = create_among(BIT(1), act, &pinned);

	guest.run = note_that_it_ran;
	pinned.run = spin_until_it_ran;
	stay_on(0);
	preempt_off();
	arch_spin_hint();
	start_actor(&guest, t);
	start_actor(&pinned, p);
	spin_until_it_ran();
	preempt_on();
	end_here();
}

static int nothing(void)
{
	return 0;
}

static const char *both_are_idle(void)
{
	u32 idle = atomic_load(&idle_mask);

	return idle == (BIT(0) | BIT(1)) ? NULL : wrong("of two idle CPUs the mask has %x", idle);
}

/* Two CPUs run out of work at once, and each is in the mask. */
SCENARIO(both, "idle.both", "", "", .cpus = 2, .after = both_are_idle, .keeps = true)
{
	act_on(1, &guest, nothing);
	stay_on(0);
	end_here();
}
