/*
 * Lab 09, step 3: five levels, and who sinks.
 */
#include "mlfq.h"

KTEST_EARLY(mlfq_new, "mlfq.new", "09.3", "P9.5")
{
	begin(0);
	for (unsigned i = 0; i < 3; i++) {
		enqueue(i, ENQUEUE_WAKE);
		CHECK(q.nr == i + 1, "P9.5", "%u wait, and the queue counts %u", i + 1, q.nr);
	}
	for (unsigned i = 0; i < 3; i++) {
		expect_next((int)i, "P9.5", "three are new");
		CHECK(!entity_queued(&e[i]), "P9.5", "entity %u was picked and is queued", i);
		CHECK(q.nr == 2 - i, "P9.5", "%u wait, and the queue counts %u", 2 - i, q.nr);
		expect_slice(allotment_at(TOP), "P9.6", "a new one");
	}
	expect_next(-1, "P9.5", "all were picked");
}

/* Each level's allotment is twice that of the level above; the lowest level is the last. */
KTEST_EARLY(mlfq_sinks, "mlfq.sinks", "09.3", "P9.6")
{
	begin(0);
	wake(0);
	for (u32 l = TOP;; l--) {
		expect_slice(allotment_at(l), "P9.6", "a whole allotment");
		use_up(allotment_at(l) - 1);
		expect_slice(1, "P9.6", "1 ns of its allotment is left");
		use_up(1);
		give_way(ENQUEUE_EXPIRED);
		if (!l)
			break;
	}
	for (unsigned i = 0; i < 3; i++) {
		expect_slice(allotment_at(0), "P9.6", "at the lowest level, again and again");
		use_up(allotment_at(0));
		give_way(ENQUEUE_EXPIRED);
	}
}

/* The allotment depends on its priority; that it ran far beyond its slice changes nothing. */
KTEST_EARLY(mlfq_over, "mlfq.over", "09.3", "P9.6")
{
	begin(0);
	set(0, (struct sched_params){ .class = SCHED_OTHER, .nice = NICE_HIGHEST });
	wake(0);
	expect_slice(quantum_of(&e[0]) / 4, "P9.6", "a high priority");
	use_up(10 * quantum_of(&e[0]));
	give_way(ENQUEUE_EXPIRED);
	expect_slice(quantum_of(&e[0]) / 2, "P9.6", "it ran ten quanta at once");
	/* a new priority, whose allotment at this level is less than what was used of it */
	use_up(quantum_of(&e[0]) / 2 - MS);
	q.current = NULL;
	enqueue(0, ENQUEUE_PREEMPTED);
	p->dequeue(&q, &e[0]);
	set(0, (struct sched_params){ .class = SCHED_OTHER, .nice = NICE_LOWEST });
	e[0].slice_left = 0;
	enqueue(0, ENQUEUE_CHANGED);
	pick();
	CHECK(slice() <= MS, "P9.6",
	      "a lower priority, and more than its allotment is used: its slice is %lu us, not 0",
	      slice() / 1000);
	for (u32 level = 0; level <= TOP; level++) {
		begin(0);
		sink(0, level);
		use_up(allotment_at(level) * 3 / 2);
		give_way(ENQUEUE_EXPIRED);
		expect_slice(allotment_at(level ? level - 1 : 0), "P9.6",
			     "it ran for one and a half allotments at once");
	}
}

/* One that has not sunk goes before those that have, whatever the order in which they came. */
KTEST_EARLY(mlfq_order, "mlfq.order", "09.3", "P9.5")
{
	static const u8 lowest[] = { 1, 3, 0, 2, 3, 4 };
	static const u8 order[] = { 5, 1, 4, 3, 0, 2 };

	begin(0);
	for (unsigned i = 0; i < ARRAY_SIZE(lowest); i++) {
		sink(i, lowest[i]);
		set_aside(i);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(lowest); i++)
		enqueue(i, ENQUEUE_MIGRATED);
	CHECK(q.nr == ARRAY_SIZE(lowest), "P9.5", "6 wait, and the queue counts %u", q.nr);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
		expect_next(order[i], "P9.5", "of six threads");
		expect_slice(allotment_at(lowest[order[i]]), "P9.6", "its own level");
	}
}

KTEST_EARLY(mlfq_equals, "mlfq.equals", "09.3", "P9.5")
{
	static const enum enqueue_why behind[] = {
		ENQUEUE_EXPIRED, ENQUEUE_YIELD, ENQUEUE_MIGRATED, ENQUEUE_CHANGED,
	};
	static const char *const names[] = {
		"slice over", "yielded", "moved here", "changed",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(behind); i++) {
		begin(0);
		wake(0);
		use_up(MS);
		enqueue(1, ENQUEUE_WAKE);
		q.current = NULL;
		enqueue(0, behind[i]);
		expect_next(1, "P9.5", names[i]);
		expect_next(0, "P9.5", names[i]);
	}
	begin(0);
	wake(0);
	enqueue(1, ENQUEUE_WAKE);
	use_up(MS);
	q.current = NULL;
	enqueue(0, ENQUEUE_PREEMPTED);
	expect_next(0, "P9.5", "preempted");
	expect_slice(allotment_at(TOP) - MS, "P9.6", "preempted, it has the rest of its slice");
	use_up(allotment_at(TOP) - MS);
	q.current = NULL;
	enqueue(0, ENQUEUE_EXPIRED);
	expect_next(1, "P9.5", "the other one has sunk");
}

/* For every pair of levels: does one that comes take the CPU? */
KTEST_EARLY(mlfq_takes_cpu, "mlfq.takes_cpu", "09.3", "P9.5")
{
	for (u32 runs = 0; runs <= TOP; runs++) {
		for (u32 comes = 0; comes <= TOP; comes++) {
			bool taken;

			begin(0);
			sink(1, comes);
			set_aside(1);
			sink(0, runs);
			taken = enqueue(1, ENQUEUE_MIGRATED);
			CHECK(taken == (comes > runs), "P9.5",
			      "one of level %u runs, one of level %u comes: it %s the CPU", runs,
			      comes, taken ? "takes" : "does not take");
		}
	}
}

/* It sinks from its own level, and when none waits for it any more it is there. */
static void check_sinks_from(u32 level, const char *when)
{
	begin(0);
	sink(0, level);
	e[0].inherited = (struct sched_rank){ .level = 3 };
	q.current->slice_left = 0;
	use_up(allotment_at(level));
	give_way(ENQUEUE_EXPIRED);
	set_aside(0);
	e[0].inherited = (struct sched_rank){ 0 };
	e[0].slice_left = 0;
	enqueue(0, ENQUEUE_CHANGED);
	pick();
	expect_slice(allotment_at(0), "P9.6", when);
}

/* A thread that has sunk, and for which a more urgent one waits, counts as that one. */
KTEST_EARLY(mlfq_inherits, "mlfq.inherits", "09.3", "P9.5")
{
	begin(0);
	sink(0, 0);
	set_aside(0);
	sink(1, 2);
	e[0].inherited = (struct sched_rank){ .level = 3 };
	CHECK(enqueue(0, ENQUEUE_CHANGED), "P9.5",
	      "level 2 runs, one of level 0 has inherited 3 and does not take the CPU");
	give_way(ENQUEUE_PREEMPTED);
	CHECK(running() == 0, "P9.5", "level 2 and level 0 that has inherited 3: %d runs",
	      running());
	p->dequeue(&q, &e[1]);
	CHECK(!enqueue(1, ENQUEUE_MIGRATED), "P9.5",
	      "one of level 0 runs that has inherited 3, and level 2 takes the CPU");
	check_sinks_from(1, "level 1 that had inherited 3 has sunk");
	check_sinks_from(0, "level 0 that had inherited 3 cannot sink");
}
