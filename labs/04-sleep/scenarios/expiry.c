/*
 * Lab 04, step 1: an expiry of any CPU's queue, at any time, and of waiters of any CPU's threads.
 */
#include "base/irq.h"
#include "explore/scenario.h"
#include "sched/cpu.h"

static struct waiter waiters[2];
static struct actor other;

static void arm(unsigned i, u64 at)
{
	waiter_init(&waiters[i], 0);
	sleepq_arm(&waiters[i], at);
}

static void cancel_both(void)
{
	sleepq_cancel(&waiters[0]);
	sleepq_cancel(&waiters[1]);
}

static bool is_over(unsigned i)
{
	return atomic_load(&waiters[i].why) == WAIT_TIMEOUT;
}

/* A deadline that has passed already is due before one that is far off. */
SCENARIO(passed, "sleepq.passed_is_first", "04.1", "P4.4", .cpus = 1, .keeps = true)
{
	u64 now;

	irq_off();
	now = time_now();
	arm(0, now + NSEC_PER_SEC);
	arm(1, now - 1);
	sleepq_expire(&this_cpu()->sleepq, now);
	expect(is_over(1), "a deadline that had passed when it was armed is still to come");
	expect(!is_over(0), "a second too early");
	cancel_both();
	irq_on();
	end_here();
}

/* The queue is that of another CPU, whose clock has not come so far. */
static int expire_of_other(void)
{
	irq_off();
	sleepq_expire(&cpus[0].sleepq, 20 * NSEC_PER_SEC);
	irq_on();
	expect(is_over(0) && is_over(1), "another CPU's queue has expired, and a wait goes on");
	return 0;
}

SCENARIO(another_queue, "sleepq.of_another_cpu", "04.1", "P4.2", .cpus = 2, .sets_up = true,
	 .keeps = true)
{
	irq_off();
	arm(0, 10 * NSEC_PER_SEC);
	arm(1, 20 * NSEC_PER_SEC);
	explore_from_here();
	act_on(1, &other, expire_of_other);
	while (!is_over(1))
		arch_spin_hint();
	cancel_both();
	irq_on();
	end_here();
}

static int watch_order(void)
{
	while (!is_over(1))
		arch_spin_hint();
	expect(is_over(0), "the later deadline was over first");
	return 0;
}

/* The order is that of the deadlines, wherever the threads were last. */
SCENARIO(order, "sleepq.order_across_cpus", "04.1", "P4.2", .cpus = 2, .sets_up = true,
	 .keeps = true)
{
	struct thread *there = thread_create("there", NULL, NULL, PRIORITY_LOW);

	expect(!sched_set_affinity(there, BIT(1)), "CPU 1 is not there");
	irq_off();
	arm(1, 1001);
	arm(0, 1000);
	waiters[0].thread = there;
	explore_from_here();
	act_on(1, &other, watch_order);
	sleepq_expire(&this_cpu()->sleepq, 1001);
	cancel_both();
	irq_on();
	end_here();
}
