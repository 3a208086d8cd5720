/*
 * Lab 09: strict priority and aging. Each scenario is the mechanism of one CPU: it calls the hooks
 * by hand and sets the time (sched/policy/test_drive.h).
 */
#include "explore/scenario.h"
#include "sched/policy/test_drive.h"

static void begin(unsigned n, const u8 *levels)
{
	use(&sched_prio, 0);
	for (unsigned i = 0; i < n; i++)
		set(i, params_of_level(levels[i]));
}

SCENARIO(prio_turns, "policy.turns", "09.1", "P9.1", .cpus = 1)
{
	static const u8 levels[] = { 5, 7, 7, 5 };
	static const u8 order[] = { 1, 2, 1, 2, 0, 3, 0 };

	begin(4, levels);
	for (unsigned i = 0; i < 4; i++)
		wake(i);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
		expect(running() == order[i], "turn %u is %d's, not %u's", i, running(), order[i]);
		expect(q.nr == (i < 3 ? 3u : 2u) - (i > 3), "turn %u: %u wait", i, q.nr);
		if (i == 2 || i == 3)
			block();
		else
			give_way(ENQUEUE_EXPIRED);
	}
}

/* One that wakes takes the CPU from a lower level, and that one goes on before its equals. */
SCENARIO(prio_wakes, "policy.wakes", "09.1", "P9.2", .cpus = 1)
{
	static const u8 levels[] = { 6, 6, 9, 9 };

	begin(4, levels);
	wake(0);
	wake(1);
	expect(running() == 0, "equals: one that wakes took the CPU");
	wake(2);
	expect(running() == 2, "level 9 wakes, and level 6 goes on");
	wake(3);
	expect(running() == 2, "equals: one that wakes took the CPU");
	block();
	block();
	expect(running() == 0, "%d goes on, not the one that was preempted", running());
}

/* A thread that computes above two others: they rise until both have had a slice. */
SCENARIO(prio_aging, "policy.aging", "09.2", "P9.3", .cpus = 1)
{
	static const u8 levels[] = { 12, 4, 4 };
	u64 round;

	begin(3, levels);
	for (unsigned i = 0; i < 3; i++)
		wake(i);
	round = q.timer_at - now;
	run(9 * round);
	expect(!got[1] && !got[2], "level 4 ran beside level 12 before it had risen to it");
	run(4 * round);
	expect(got[1] >= quantum_of(&e[1]) && got[2] >= quantum_of(&e[2]),
	       "level 4 waited 13 rounds and ran %lu and %lu us", got[1] / 1000, got[2] / 1000);
}

/* A gain survives a preemption, and is gone after a whole slice. */
SCENARIO(prio_gain, "policy.gain", "09.2", "P9.4", .cpus = 1)
{
	static const u8 levels[] = { 9, 6, 15 };
	u64 round;

	begin(3, levels);
	wake(0);
	wake(1);
	round = q.timer_at - now;
	while (running() == 0)
		run(MS);
	expect(got[0] < NSEC_PER_SEC, "level 6 never rose above level 9");
	wake(2);
	expect(running() == 2, "level 15 wakes and does not run");
	block();
	expect(running() == 1, "it had risen above level 9, and was preempted: %d runs", running());
	run(quantum_of(&e[1]));
	expect(running() == 0, "it has had its whole slice: %d runs", running());
	run(2 * round);
	expect(got[1] == quantum_of(&e[1]), "two rounds later it has had %lu us", got[1] / 1000);
}
