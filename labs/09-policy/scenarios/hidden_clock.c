/*
 * Lab 09, hidden: a boost, and the clock's wrap, while threads run, wait, sleep and yield. Each
 * scenario is the mechanism of one CPU (sched/policy/test_drive.h).
 */
#include "explore/scenario.h"
#include "sched/policy/test_drive.h"

#define FIRST	(sched_quantum / 4)	/* the allotment at the top */

static void expect_turn(int who, u64 slice, const char *when)
{
	expect(running() == who, "%s: %d runs, and it is the turn of %d", when, running(), who);
	expect(q.current->slice_left == slice, "%s: its slice is %lu us, not %lu us", when,
	       q.current->slice_left / 1000, slice / 1000);
}

/* One is preempted just before the boost, one runs, and one is blocked; then one yields. */
SCENARIO(boost, "policy.boost_of_preempted", "09.h", "P9.8", .cpus = 1)
{
	use(&sched_mlfq, 0);
	for (unsigned i = 0; i < 3; i++)
		set(i, normal);
	for (unsigned i = 0; i < 2; i++) {
		wake(i);
		run(3 * FIRST + FIRST / 2);
		block();
	}
	now = q.timer_at - 1;
	wake(1);
	wake(2);
	expect_turn(2, FIRST, "a new one wakes beside one that has sunk");
	run(1);
	expect_turn(1, FIRST, "boosted, the one that waited");
	wake(0);
	run(FIRST);
	expect_turn(2, FIRST, "boosted, the one that ran");
	run(FIRST / 2);
	give_way(ENQUEUE_YIELD);
	expect_turn(0, FIRST, "boosted, the one that was blocked");
	run(FIRST);
	expect_turn(2, FIRST - FIRST / 2, "the one that yielded");
	run(FIRST - FIRST / 2);
	expect_turn(1, 2 * FIRST, "all have sunk by a level");
}

static void expect_period(unsigned i, u64 deadline, u64 budget, const char *when)
{
	expect(e[i].base.key == deadline, "%s: the deadline of %u is at %ld us, not %ld us", when,
	       i, (s64)e[i].base.key / 1000, (s64)deadline / 1000);
	expect(e[i].budget == (s64)budget, "%s: the budget of %u is %ld us, not %lu us", when, i,
	       e[i].budget / 1000, budget / 1000);
}

/* One runs too long, one sleeps too long and yields, and a timer is late: over the clock's wrap. */
SCENARIO(wrap, "policy.debt_and_sleep", "09.h", "P9.11", .cpus = 1)
{
	use(&sched_edf, -(6 * MS));
	set(0, reserved(2 * MS, 10 * MS));
	set(1, reserved(3 * MS, 12 * MS));
	set(2, normal);
	for (unsigned i = 3; i-- > 0;)
		wake(i);
	expect(running() == 0, "deadlines in 10 and 12 ms, and %d runs", running());
	now += 3 * MS;
	expect(p->charge(&q, q.current, 3 * MS, now), "3 of 2 ms are spent, and it goes on");
	give_way(ENQUEUE_EXPIRED);
	run(MS);
	expect(running() == 1, "one is in debt, another one has a budget, and %d runs", running());
	block();
	run(MS);
	wake(1);		/* 2 ms are left for 7 */
	expect_period(1, 11 * MS, 3 * MS, "it slept too long for its budget");
	run(2 * MS);
	give_way(ENQUEUE_YIELD);
	expect(running() == 2, "one is in debt, one has yielded, and %d runs", running());
	run(3 * MS);
	expect(running() == 0, "the period of its debt is over, and %d runs", running());
	expect_period(0, 14 * MS, MS, "it was in debt");
	run(MS);
	now = 15 * MS;
	if (p->timer(&q, now))
		give_way(ENQUEUE_PREEMPTED);
	expect(running() == 1, "after a late timer %d runs", running());
	expect_period(0, 24 * MS, 2 * MS, "the timer was late");
	expect_period(1, 23 * MS, 3 * MS, "the timer was late");
}
