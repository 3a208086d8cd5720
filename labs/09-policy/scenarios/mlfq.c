/*
 * Lab 09: multi-level feedback. Each scenario is the mechanism of one CPU: it calls the hooks by
 * hand and sets the time (sched/policy/test_drive.h).
 */
#include "explore/scenario.h"
#include "sched/policy/test_drive.h"

#define FIRST	(sched_quantum / 4)	/* the allotment at the top */

static void begin(void)
{
	use(&sched_mlfq, 0);
	for (unsigned i = 0; i < 3; i++)
		set(i, normal);
}

/* Two that compute: their turns are as long as the allotments, twice as long on each level. */
SCENARIO(mlfq_turns, "policy.sinks", "09.3", "P9.6", .cpus = 1)
{
	begin();
	wake(0);
	wake(1);
	for (unsigned level = 0; level < 7; level++) {
		u64 turn = FIRST << MIN(level, 4);

		for (int i = 0; i < 2; i++) {
			expect(running() == i, "after %lu us %d runs", now / 1000, running());
			expect(q.current->slice_left == turn, "its slice is %lu us, not %lu us",
			       q.current->slice_left / 1000, turn / 1000);
			run(turn);
		}
	}
}

/* One that has sunk gives way at once to a new one, and has its turn when that has sunk as well. */
SCENARIO(mlfq_new, "policy.new", "09.3", "P9.5", .cpus = 1)
{
	begin();
	wake(0);
	run(FIRST + MS);
	wake(1);
	expect(running() == 1, "a new one wakes, and %d runs", running());
	wake(2);
	expect(running() == 1, "a second new one wakes, and %d runs", running());
	run(FIRST);
	expect(running() == 2, "the first new one has sunk, and %d runs", running());
	run(FIRST);
	expect(running() == 0, "both have sunk; the one that was preempted is first, and %d runs",
	       running());
	expect(q.current->slice_left == 2 * FIRST - MS, "it has %lu us left",
	       q.current->slice_left / 1000);
}

/* A thread that yields, or blocks for a moment, just before its allotment ends. */
SCENARIO(mlfq_games, "policy.games", "09.4", "P9.7", .cpus = 1)
{
	for (unsigned n = 0; n < 2; n++) {
		unsigned rounds = 0;

		begin();
		wake(0);
		run(20 * FIRST);	/* sinks alone */
		wake(1);
		while (running() == 1 && rounds++ < 40) {
			run(FIRST * 9 / 10);
			if (running() != 1)
				break;
			if (n) {
				block();
				run(FIRST / 10);
				wake(1);
			} else {
				give_way(ENQUEUE_YIELD);
			}
		}
		expect(running() == 0,
		       "after 40 rounds of 90 %% it is still above one that computes");
	}
}

/* A thread that is blocked as long as it runs stays above one that computes. */
SCENARIO(mlfq_waits, "policy.waits", "09.4", "P9.7", .cpus = 1)
{
	begin();
	wake(0);
	run(20 * FIRST);
	wake(1);
	for (unsigned i = 0; i < 50; i++) {
		expect(running() == 1, "round %u: it waits for one that has sunk", i);
		run(FIRST / 2);
		expect(running() == 1, "round %u: it gives way to one that has sunk", i);
		block();
		run(FIRST / 2);
		wake(1);
	}
}

/* At a boost one waits, one runs and one is blocked: all have a whole allotment at the top. */
SCENARIO(mlfq_boost, "policy.boost", "09.5", "P9.8", .cpus = 1)
{
	begin();
	for (unsigned i = 0; i < 3; i++) {
		wake(i);
		run(31 * FIRST + FIRST / 2);	/* down to the lowest level */
		block();
	}
	wake(0);
	wake(1);
	run(q.timer_at - now);
	wake(2);
	for (unsigned i = 0; i < 3; i++) {
		expect(q.current && q.current->slice_left == FIRST,
		       "boosted, its slice is %lu us, not %lu us",
		       q.current ? q.current->slice_left / 1000 : 0, FIRST / 1000);
		run(FIRST);
	}
	expect(q.current->slice_left == 2 * FIRST, "after one turn of each its slice is %lu us",
	       q.current->slice_left / 1000);
}
