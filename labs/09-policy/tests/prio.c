/*
 * Lab 09, step 1: strict priority. The tests call the hooks by hand, with a queue and entities of
 * their own, so they need neither threads nor a clock.
 */
#include "sched/policy/test_drive.h"
#include "test/ktest.h"

#define LEVEL_COUNT	16

static void make_empty(void)
{
	use(&sched_prio, 0);
	for (unsigned i = 0; i < ENTITIES; i++)
		set(i, normal);
}

static void put_at(unsigned i, u32 level)
{
	set(i, params_of_level(level));
	enqueue(i, ENQUEUE_WAKE);
}

static void expect_count(unsigned want, const char *when)
{
	CHECK(q.nr == want, "P9.1", "%s: %u wait, and the queue counts %u", when, want, q.nr);
}

/* The CPU, which is free, is to get entity @want; -1: none. */
static void expect_next(int want, const char *when)
{
	q.current = NULL;
	pick();
	REQUIRE(running() == want, "P9.1", "%s: entity %d is picked, not %d", when, running(),
		want);
	CHECK(want < 0 || !entity_queued(&e[want]), "P9.1", "%s: it was picked and is still queued",
	      when);
}

/* Every level, come in any order: the highest first. */
KTEST_EARLY(prio_levels, "prio.levels", "09.1", "P9.1")
{
	static const u8 step[] = { 1, 3, 7, 11, 15 };

	for (unsigned n = 0; n < ARRAY_SIZE(step); n++) {
		u32 levels[ENTITIES];

		make_empty();
		for (unsigned i = 0; i < ENTITIES; i++) {
			levels[i] = (1 + i) * step[n] % LEVEL_COUNT;
			put_at(i, levels[i]);
			expect_count(i + 1, "one more was put in");
		}
		for (unsigned left = ENTITIES; left > 0; left--) {
			int best = -1;

			for (unsigned i = 0; i < ENTITIES; i++)
				if (entity_queued(&e[i]) && (best < 0 || levels[i] > levels[best]))
					best = (int)i;
			expect_next(best, "levels differ");
			expect_count(left - 1, "one was picked");
		}
		expect_next(-1, "all were picked");
		expect_count(0, "one was asked for in vain");
	}
}

KTEST_EARLY(prio_equals, "prio.equals", "09.1", "P9.1")
{
	static const enum enqueue_why behind[] = {
		ENQUEUE_WAKE, ENQUEUE_EXPIRED, ENQUEUE_YIELD, ENQUEUE_MIGRATED, ENQUEUE_CHANGED,
	};
	static const char *const names[] = {
		"woken", "slice over", "yielded", "moved here", "changed",
	};

	for (u32 level = 0; level < LEVEL_COUNT; level++) {
		for (unsigned i = 0; i < ARRAY_SIZE(behind); i++) {
			make_empty();
			for (unsigned j = 0; j < 3; j++)
				set(j, params_of_level(level));
			enqueue(0, ENQUEUE_WAKE);
			enqueue(1, ENQUEUE_WAKE);
			enqueue(2, behind[i]);
			expect_next(0, names[i]);
			expect_next(1, names[i]);
			expect_next(2, names[i]);
		}
	}
}

/* However often it is preempted, it has one slice in all before its equals have their turns. */
static void check_rest_of_slice(void)
{
	u64 slice;

	make_empty();
	put_at(0, 9);
	put_at(1, 9);
	expect_next(0, "it came first");
	slice = q.current->slice_left;
	for (unsigned n = 1; n < 4; n++) {
		run(slice / 4);
		q.current = NULL;
		enqueue(0, ENQUEUE_PREEMPTED);
		expect_next(0, "preempted in its slice");
		CHECK(q.current->slice_left == slice - n * (slice / 4), "P9.1",
		      "preempted %u times, of a slice of %lu us it has %lu us left", n,
		      slice / 1000, q.current->slice_left / 1000);
	}
}

/* One that is preempted goes before its equals, but not before a higher level. */
KTEST_EARLY(prio_preempted, "prio.preempted", "09.1", "P9.1")
{
	make_empty();
	put_at(0, 9);
	put_at(1, 9);
	expect_next(0, "it came first");
	put_at(2, 9);
	put_at(3, 10);
	q.current = NULL;
	enqueue(0, ENQUEUE_PREEMPTED);
	expect_count(4, "one was preempted");
	expect_next(3, "preempted by a higher level");
	expect_next(0, "preempted");
	q.current = NULL;
	enqueue(0, ENQUEUE_PREEMPTED);
	expect_next(0, "preempted twice");
	expect_next(1, "behind the one that was preempted");
	q.current = NULL;
	enqueue(1, ENQUEUE_PREEMPTED);
	enqueue(0, ENQUEUE_PREEMPTED);
	expect_next(0, "preempted after the other one");
	expect_next(1, "preempted before that");
	expect_next(2, "it came last");
	check_rest_of_slice();
}

KTEST_EARLY(prio_taken_out, "prio.taken_out", "09.1", "P9.1")
{
	for (unsigned gone = 0; gone < 3; gone++) {
		make_empty();
		for (unsigned i = 0; i < 3; i++)
			put_at(i, 5);
		p->dequeue(&q, &e[gone]);
		CHECK(!entity_queued(&e[gone]), "P9.1", "entity %u was taken out and is queued",
		      gone);
		expect_count(2, "one was taken out");
		for (unsigned i = 0; i < 3; i++)
			if (i != gone)
				expect_next((int)i, "one was taken out");
		expect_next(-1, "one was taken out, the others picked");
		put_at(gone, 0);
		expect_next((int)gone, "it came back, at the lowest level");
	}
}

/* For every pair of levels: does one that wakes take the CPU? */
KTEST_EARLY(prio_takes_cpu, "prio.takes_cpu", "09.1", "P9.2")
{
	for (u32 runs = 0; runs < LEVEL_COUNT; runs++) {
		for (u32 comes = 0; comes < LEVEL_COUNT; comes++) {
			bool taken;

			make_empty();
			put_at(0, runs);
			expect_next(0, "it is alone");
			set(1, params_of_level(comes));
			taken = enqueue(1, ENQUEUE_WAKE);
			CHECK(taken == (comes > runs), "P9.2",
			      "one of level %u runs, one of level %u comes: it %s the CPU", runs,
			      comes, taken ? "takes" : "does not take");
		}
	}
	make_empty();
	set(0, params_of_level(15));
	CHECK(!enqueue(0, ENQUEUE_WAKE), "P9.2", "no thread runs, and one takes the CPU from it");
}

/* A thread that an urgent one waits for counts as that one. */
KTEST_EARLY(prio_inherits, "prio.inherits", "09.1", "P9.2")
{
	make_empty();
	put_at(0, 5);
	put_at(1, 8);
	expect_next(1, "the higher one");
	p->dequeue(&q, &e[0]);
	e[0].inherited = (struct sched_rank){ .level = 12 };
	CHECK(enqueue(0, ENQUEUE_CHANGED), "P9.2",
	      "level 8 runs, one of level 5 has inherited 12 and does not take the CPU");
	put_at(2, 11);
	expect_next(0, "level 5 that has inherited 12, and level 11");
	set(3, params_of_level(10));
	CHECK(!enqueue(3, ENQUEUE_WAKE), "P9.2",
	      "one runs that has inherited 12, and one of level 10 takes the CPU");
	expect_next(2, "then level 11");
	/* what runs may be more urgent than any normal thread can be */
	e[2].inherited = (struct sched_rank){ .level = LEVEL_REAL_TIME };
	set(4, params_of_level(15));
	CHECK(!enqueue(4, ENQUEUE_WAKE), "P9.2",
	      "one runs that has inherited level 16, and one of level 15 takes the CPU");
}
