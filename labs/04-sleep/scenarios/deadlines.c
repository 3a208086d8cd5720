/*
 * Lab 04, steps 1, 2 and 5: the sleep queue's functions, called one by one with interrupts off, for
 * deadlines of every size.
 */
#include "base/irq.h"
#include "explore/scenario.h"
#include "sched/cpu.h"
#include "sched/wait.h"

/* Times after the start, in the order in which they are armed; two are equal. */
static const u64 after[] = {
	1UL << 32, 3, (1UL << 32) - 1, 0, 1UL << 62,
	(1UL << 32) + 1, 1UL << 31, 1, 3, (1UL << 63) - 1,
};
#define LAST	9	/* the largest */

static struct waiter waiters[ARRAY_SIZE(after)];
static unsigned nr_armed;		/* the first ones */

static bool is_armed(const struct waiter *w)
{
	return atomic_load(&w->why) == WAIT_ARMED;
}

/* SLEEP2; a timer cannot be set for a time that has passed. */
static void expect_timer(u64 first)
{
	struct cpu *c = this_cpu();
	u64 now = time_now();

	expect(!timer_is_late(c, time_before(first, now) ? now : first),
	       "the first deadline is at %lu, and the timer is set for %lu", first,
	       c->timer_armed ? c->timer_at : 0);
}

/* The first deadline of those that are armed, as a time after @start. */
static u64 first_of(u64 start)
{
	u64 first = 0;

	expect(sleepq_next(&this_cpu()->sleepq, &first), "deadlines are armed, and none is first");
	expect_timer(first);
	for (unsigned i = 0; i < nr_armed; i++)
		expect(!is_armed(&waiters[i]) || first - start <= after[i],
		       "the first deadline is %lu, and one at %lu is armed", first,
		       start + after[i]);
	return first - start;
}

/* Lets the time @now after @start come: all that are due are woken, and no others. */
static void expire(u64 start, u64 now)
{
	sleepq_expire(&this_cpu()->sleepq, start + now);
	for (unsigned i = 0; i < ARRAY_SIZE(after); i++)
		expect(is_armed(&waiters[i]) == (after[i] > now),
		       "at time %lu a deadline at %lu is %s", start + now, start + after[i],
		       is_armed(&waiters[i]) ? "still armed" : "over");
}

static void arm_all(u64 start)
{
	for (nr_armed = 0; nr_armed < ARRAY_SIZE(after);) {
		struct waiter *w = &waiters[nr_armed];

		waiter_init(w, 0);
		sleepq_arm(w, start + after[nr_armed]);
		expect(is_armed(w),
		       "a deadline at %lu was armed, and its wait was over before any expiry",
		       start + after[nr_armed]);
		nr_armed++;
		first_of(start);
	}
}

static void expect_none_armed(void)
{
	u64 first;

	expect(!sleepq_next(&this_cpu()->sleepq, &first), "a deadline at %lu is armed after all",
	       first);
}

/* Each time but the last, a nanosecond before a deadline comes too. */
static void run_from(u64 start)
{
	irq_off();
	arm_all(start);
	for (u64 now = 0; now != after[LAST];) {
		now = first_of(start);
		if (now)
			expire(start, now - 1);
		expire(start, now);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(after); i++)
		sleepq_cancel(&waiters[i]);
	expect_none_armed();
	irq_on();
}

SCENARIO(deadlines, "sleepq.deadlines", "04.1", "P4.2",
	 .cpus = 1, .keeps = true, .no_costume = true)
{
	run_from(0);
	end_here();
}

/* Where the clock becomes 0, and where it becomes the least of the signed numbers. */
SCENARIO(wrap, "sleepq.wrap", "04.2", "P4.4", .cpus = 1, .keeps = true)
{
	static const u64 wraps[] = { 0, 1UL << 63 };

	for (unsigned i = 0; i < ARRAY_SIZE(wraps); i++) {
		irq_off();
		clock_offset = wraps[i] - 2 - arch_clock_ns();	/* as clock= does */
		this_cpu()->timer_armed = false;		/* it was set by the clock before */
		irq_on();
		run_from(wraps[i] - 2);
	}
	end_here();
}

/* Whichever deadline is cancelled, the others are woken at their times. */
SCENARIO(cancelled, "sleepq.cancel", "04.2", "P4.5", .cpus = 1, .keeps = true)
{
	for (unsigned gone = 0; gone < ARRAY_SIZE(after); gone++) {
		irq_off();
		arm_all(0);
		sleepq_cancel(&waiters[gone]);
		sleepq_expire(&this_cpu()->sleepq, after[LAST]);
		for (unsigned i = 0; i < ARRAY_SIZE(after); i++)
			expect(is_armed(&waiters[i]) == (i == gone),
			       "deadline %u was cancelled, and deadline %u is %s", gone, i,
			       is_armed(&waiters[i]) ? "still armed" : "over");
		expect_none_armed();
		irq_on();
	}
	end_here();
}
