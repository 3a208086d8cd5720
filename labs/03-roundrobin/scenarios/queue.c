/*
 * Lab 03: the queue, by hand.
 */
#include "explore/scenario.h"

static struct policy_queue q;
static struct sched_entity e[3];

static void put(unsigned i, enum enqueue_why why)
{
	sched_rr.enqueue(&q, &e[i], why, 0);
}

static void make_full(void)
{
	policy_queue_init(&q, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(e); i++) {
		policy_entity_init(&e[i], ~0u, 0);
		put(i, ENQUEUE_WAKE);
	}
}

static void expect_order(unsigned a, unsigned b, unsigned c)
{
	unsigned want[] = { a, b, c };

	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		struct sched_entity *got = sched_rr.pick(&q, 0);

		expect(got, "%u wait, and none is picked", 3 - i);
		expect(got == &e[want[i]], "entity %lu is picked, not %u", got - e, want[i]);
		expect(q.nr == 2 - i, "%u wait, and the queue counts %u", 2 - i, q.nr);
	}
	expect(!sched_rr.pick(&q, 0), "one is picked from an empty queue");
}

SCENARIO(round, "queue.round", "03.1", "P3.2", .cpus = 1, .quiet = true, .keeps = true)
{
	make_full();
	expect_order(0, 1, 2);
	make_full();
	expect(sched_rr.pick(&q, 0) == &e[0], "the first is not picked");
	put(0, ENQUEUE_EXPIRED);
	expect_order(1, 2, 0);
	make_full();
	expect(sched_rr.pick(&q, 0) == &e[0], "the first is not picked");
	put(0, ENQUEUE_PREEMPTED);
	expect_order(0, 1, 2);
	end_here();
}

SCENARIO(taken_out, "queue.out_and_in", "03.1", "P3.1", .cpus = 1, .quiet = true, .keeps = true)
{
	for (unsigned gone = 0; gone < ARRAY_SIZE(e); gone++) {
		make_full();
		sched_rr.dequeue(&q, &e[gone]);
		expect(q.nr == 2, "2 wait, and the queue counts %u", q.nr);
		expect(!entity_queued(&e[gone]), "entity %u was taken out and is queued", gone);
		put(gone, ENQUEUE_MIGRATED);
		expect_order(gone == 0 ? 1 : 0, gone == 2 ? 1 : 2, gone);
	}
	end_here();
}

/* --- Many that wait --------------------------------------------------------------------------- */

static struct sched_entity crowd[600];

/* Real-time threads wait elsewhere, and are counted: with the one that waits here they are 2^n. */
static void expect_beside(unsigned others)
{
	policy_queue_init(&q, 0);
	queue_count(&q, (int)others);
	policy_entity_init(&e[0], ~0u, 0);
	put(0, ENQUEUE_WAKE);
	expect(sched_rr.find(&q, 0) == &e[0], "beside %u real-time threads none is found", others);
	expect(sched_rr.pick(&q, 0) == &e[0], "beside %u real-time threads none is picked",
	       others);
	put(0, ENQUEUE_PREEMPTED);
	sched_rr.dequeue(&q, &e[0]);
	expect(q.nr == others, "one of %u was taken out, and the queue counts %u", others + 1,
	       q.nr);
}

SCENARIO(many, "queue.many", "03.1", "P3.1", .cpus = 1, .quiet = true, .keeps = true)
{
	expect_beside(127);
	expect_beside(255);
	expect_beside(65535);
	policy_queue_init(&q, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++) {
		policy_entity_init(&crowd[i], ~0u, 0);
		sched_rr.enqueue(&q, &crowd[i], ENQUEUE_WAKE, 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++) {
		expect(q.nr == ARRAY_SIZE(crowd) - i, "%lu wait, and the queue counts %u",
		       ARRAY_SIZE(crowd) - i, q.nr);
		expect(sched_rr.pick(&q, 0) == &crowd[i], "%lu wait, and not the first is picked",
		       ARRAY_SIZE(crowd) - i);
	}
	end_here();
}

/* --- Two queues at once, as each CPU has one -------------------------------------------------- */

static struct policy_queue queues[2];
static struct sched_entity line[2][3];
static struct actor other;

/* One that is picked comes behind those that wait, again and again. */
static int use_queue(unsigned i, unsigned turns)
{
	for (unsigned turn = 0; turn < turns; turn++) {
		struct sched_entity *next = sched_rr.pick(&queues[i], 0);

		expect(next == &line[i][turn % 3], "another is picked than the first who waits");
		sched_rr.enqueue(&queues[i], next, ENQUEUE_EXPIRED, 0);
		expect(queues[i].nr == 3, "3 wait, and the queue counts %u", queues[i].nr);
	}
	return 0;
}

static int use_second(void)
{
	return use_queue(1, 8);
}

SCENARIO(two, "queue.two", "03.4", "P3.2", .cpus = 2, .sets_up = true, .keeps = true)
{
	stay_on(0);
	for (unsigned i = 0; i < 2; i++) {
		policy_queue_init(&queues[i], i);
		for (unsigned k = 0; k < 3; k++) {
			policy_entity_init(&line[i][k], ~0u, 0);
			sched_rr.enqueue(&queues[i], &line[i][k], ENQUEUE_WAKE, 0);
		}
	}
	explore_from_here();
	act_on(1, &other, use_second);
	use_queue(0, 2);
	end_here();
}
