/*
 * Lab 03, step 1: the queue alone. The tests call the hooks of the policy by hand, with a queue and
 * entities of their own, so they need neither threads nor a clock.
 */
#include "sched/policy/policy.h"
#include "test/ktest.h"

#define ENTITIES	4

static struct policy_queue q;
static struct sched_entity e[ENTITIES];

static void make_empty(void)
{
	policy_queue_init(&q, 0);
	for (unsigned i = 0; i < ENTITIES; i++)
		policy_entity_init(&e[i], ~0u, 0);
}

static void put(unsigned i, enum enqueue_why why)
{
	sched_rr.enqueue(&q, &e[i], why, 0);
}

/* Returns the number of the entity that is picked; -1: none. */
static int pick(void)
{
	struct sched_entity *next = sched_rr.pick(&q, 0);

	return next ? (int)(next - e) : -1;
}

static void expect_next(int want, const char *property, const char *when)
{
	int got = pick();

	REQUIRE(got == want, property, "%s: entity %d is picked, not %d", when, got, want);
}

static void expect_count(unsigned want, const char *when)
{
	CHECK(q.nr == want, "P3.1", "%s: %u wait, and the queue counts %u", when, want, q.nr);
}

KTEST_EARLY(queue_count, "queue.count", "03.1", "P3.1")
{
	make_empty();
	expect_next(-1, "P3.1", "nothing waits");
	for (unsigned i = 0; i < 3; i++) {
		put(i, ENQUEUE_WAKE);
		expect_count(i + 1, "one more was put in");
		CHECK(entity_queued(&e[i]), "P3.1", "an entity that was put in is in no queue");
	}
	for (unsigned i = 0; i < 3; i++) {
		int got = pick();

		REQUIRE(got >= 0, "P3.1", "%u wait, and none is picked", 3 - i);
		CHECK(!entity_queued(&e[got]), "P3.1", "entity %d was picked and is still queued",
		      got);
		expect_count(2 - i, "one was picked");
	}
	expect_next(-1, "P3.1", "all were picked");
	expect_count(0, "one was asked for in vain");
}

KTEST_EARLY(queue_order, "queue.order", "03.1", "P3.2")
{
	static const enum enqueue_why to_tail[] = {
		ENQUEUE_WAKE, ENQUEUE_EXPIRED, ENQUEUE_YIELD, ENQUEUE_MIGRATED, ENQUEUE_CHANGED,
	};
	static const char *const names[] = {
		"woken", "quantum over", "yielded", "moved here", "changed",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(to_tail); i++) {
		make_empty();
		put(0, ENQUEUE_WAKE);
		put(1, ENQUEUE_WAKE);
		put(2, to_tail[i]);
		expect_next(0, "P3.2", names[i]);
		expect_next(1, "P3.2", names[i]);
		expect_next(2, "P3.2", names[i]);
	}
	make_empty();
	put(0, ENQUEUE_WAKE);
	put(1, ENQUEUE_PREEMPTED);
	put(2, ENQUEUE_WAKE);
	put(3, ENQUEUE_PREEMPTED);
	expect_count(4, "two were interrupted");
	expect_next(3, "P3.2", "interrupted");
	expect_next(1, "P3.2", "interrupted before that");
	expect_next(0, "P3.2", "behind them");
	expect_next(2, "P3.2", "behind them");
}

KTEST_EARLY(queue_taken_out, "queue.taken_out", "03.1", "P3.1")
{
	for (unsigned gone = 0; gone < 3; gone++) {
		make_empty();
		for (unsigned i = 0; i < 3; i++)
			put(i, ENQUEUE_WAKE);
		sched_rr.dequeue(&q, &e[gone]);
		CHECK(!entity_queued(&e[gone]), "P3.1", "entity %u was taken out and is queued",
		      gone);
		expect_count(2, "one was taken out");
		put(gone, ENQUEUE_MIGRATED);
		expect_count(3, "it came back");
		for (unsigned i = 0; i < 3; i++)
			if (i != gone)
				expect_next((int)i, "P3.2", "one was taken out and came back");
		expect_next((int)gone, "P3.2", "it came back");
		expect_next(-1, "P3.1", "it was there once");
	}
}

KTEST_EARLY(queue_find, "queue.find", "03.1", "P3.2")
{
	make_empty();
	CHECK(!sched_rr.find(&q, 0), "P3.2", "an entity was found in an empty queue");
	e[0].affinity = BIT(0);
	e[1].affinity = e[2].affinity = BIT(1) | BIT(2);
	for (unsigned i = 0; i < 3; i++)
		put(i, ENQUEUE_WAKE);
	CHECK(sched_rr.find(&q, 0) == &e[0], "P3.2", "for CPU 0 another than the first is found");
	CHECK(sched_rr.find(&q, 1) == &e[1], "P3.2",
	      "for CPU 1 another is found than the first that may run there");
	CHECK(!sched_rr.find(&q, 3), "P3.2", "for CPU 3 one is found that may not run there");
	CHECK(!sched_rr.find(&q, 5), "P3.2", "for CPU 5 one is found that may not run there");
	expect_count(3, "they were only looked for");
	expect_next(0, "P3.1", "it was only found");
}
