/*
 * Lab 03, hidden: two threads of a CPU yield, while another CPU takes one, or forbids it theirs.
 */
#include "explore/queues.h"

static struct actor first, second, third;
static _Atomic unsigned ran;

static const char *all_ran(void)
{
	const char *why = queues_are_empty();

	if (why)
		return why;
	return ran == 2 ? NULL : wrong("%u of 2 threads went on after their yields", ran);
}

static int yield_and_count(void)
{
	sched_yield();
	ran++;
	return 0;
}

static int yield_with_preemption_off(void)
{
	preempt_off();
	arch_spin_hint();
	preempt_on();
	return yield_and_count();
}

/* One yields, one has preemption off for a while, and the second is sent away, at any moment. */
SCENARIO(sent, "yield.and_section", "03.h", "P3.9", .cpus = 2, .after = all_ran, .keeps = true)
{
	stay_on(0);
	act_on(1, &first, yield_and_count);
	act_on(1, &second, yield_with_preemption_off);
	expect(!sched_set_affinity(second.thread, BIT(0)), "CPU 0 is not there");
	end_here();
}

static int forbid_first(void)
{
	return sched_set_affinity(first.thread, BIT(0));
}

/* One of two threads that yield is forbidden CPU 1; CPU 0, which becomes idle, takes the other. */
SCENARIO(taken, "yield.and_taken", "03.h", "P3.9", .cpus = 2, .after = all_ran, .keeps = true)
{
	stay_on(0);
	act_on(1, &first, yield_and_count);
	act_among(~0u, &second, yield_and_count);
	act_on(0, &third, forbid_first);
	end_here();
}
