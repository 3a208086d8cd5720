/*
 * Lab 03, step 1: the queue alone. The tests call the hooks of the policy by hand, with a queue and
 * entities of their own, so they need neither threads nor a clock.
 */
#include "sched/policy/policy.h"
#include "test/instrument.h"
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

/* Real-time threads wait in another place, and are counted here too: one, all the time. */
static void count_beside_urgent(void)
{
	make_empty();
	queue_count(&q, 1);
	for (unsigned i = 0; i < 2; i++) {
		put(0, ENQUEUE_WAKE);
		expect_count(2, "one beside a real-time thread");
		if (i)
			expect_next(0, "P3.1", "it waits beside a real-time thread");
		else
			sched_rr.dequeue(&q, &e[0]);
		expect_count(1, "a real-time thread is left");
	}
	expect_next(-1, "P3.1", "only a real-time thread is left");
	expect_count(1, "one was asked for in vain, and a real-time thread is left");
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
	count_beside_urgent();
}

KTEST_EARLY(queue_order, "queue.order", "03.1", "P3.2")
{
	static const enum enqueue_why to_tail[] = {
		ENQUEUE_WAKE, ENQUEUE_EXPIRED, ENQUEUE_YIELD, ENQUEUE_MIGRATED, ENQUEUE_CHANGED,
	};
	static const char *const names[] = {
		"woken", "quantum over", "yielded", "moved here", "changed",
	};

	for (unsigned i = 0; i < 2 * ARRAY_SIZE(to_tail); i++) {
		enum enqueue_why why = to_tail[i / 2];

		make_empty();
		put(0, ENQUEUE_WAKE);
		put(1, ENQUEUE_WAKE);
		e[2].slice_left = i % 2 * NSEC_PER_MSEC;	/* something is left or not */
		put(2, why);
		expect_next(0, "P3.2", names[i / 2]);
		expect_next(1, "P3.2", names[i / 2]);
		expect_next(2, "P3.2", names[i / 2]);
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
	e[2].affinity = BIT(5);		/* as sched_set_affinity() does, also while it waits */
	CHECK(sched_rr.find(&q, 5) == &e[2], "P3.2",
	      "for CPU 5 none is found, and one that waits may run there by now");
	e[1].affinity = BIT(0);
	CHECK(!sched_rr.find(&q, 1), "P3.2", "for CPU 1 one is found that may not run there now");
	expect_count(3, "they were only looked for");
	expect_next(0, "P3.1", "it was only found");
}

/* --- A crowd, in any order of steps; `line` has those that wait, the next one first ----------- */

#define CROWD	130
#define STEPS	2000

static struct sched_entity crowd[CROWD], running;
static unsigned line[CROWD], waiting;
static u64 clock;
static bool asked;		/* one that came made its CPU look */

static void model_take(unsigned place)
{
	waiting--;
	for (unsigned i = place; i < waiting; i++)
		line[i] = line[i + 1];
}

static void model_put(unsigned i, bool first)
{
	unsigned place = first ? 0 : waiting;

	for (unsigned n = waiting; n > place; n--)
		line[n] = line[n - 1];
	line[place] = i;
	waiting++;
}

static struct sched_entity *model_first(unsigned cpu)
{
	for (unsigned n = 0; n < waiting; n++)
		if (crowd[line[n]].affinity & BIT(cpu))
			return &crowd[line[n]];
	return NULL;
}

/* Few may run on CPU 3, so that the first of them is far behind. */
static u32 random_mask(void)
{
	return test_random() % 40 ? BIT(test_random() % 3) : BIT(3);
}

/* Its class, its nice value, what is left of its quantum, the time: none says whose turn it is. */
static void put_random(void)
{
	static const u32 classes[] = { SCHED_OTHER, SCHED_BATCH, SCHED_IDLE };
	enum enqueue_why why = (enum enqueue_why)(test_random() % (ENQUEUE_CHANGED + 1));
	unsigned i = (unsigned)(test_random() % CROWD);

	while (entity_queued(&crowd[i]))
		i = (i + 1) % CROWD;
	crowd[i].params.class = classes[test_random() % ARRAY_SIZE(classes)];
	crowd[i].params.nice = NICE_HIGHEST + (int)(test_random() % 40);
	crowd[i].slice_left = waiting % 2 * NSEC_PER_MSEC;
	running.params.class = classes[test_random() % ARRAY_SIZE(classes)];
	q.current = test_random() % 2 ? &running : NULL;
	asked |= sched_rr.enqueue(&q, &crowd[i], why, clock);
	model_put(i, why == ENQUEUE_PREEMPTED);
}

/* Of one that waits, perhaps. */
static void change_mask(void)
{
	crowd[test_random() % CROWD].affinity = random_mask();
}

static void take_out_random(void)
{
	unsigned place = (unsigned)(test_random() % waiting);

	sched_rr.dequeue(&q, &crowd[line[place]]);
	model_take(place);
}

static void find_and_pick(unsigned step)
{
	unsigned cpu = (unsigned)(test_random() % 4);
	struct sched_entity *first = waiting ? &crowd[line[0]] : NULL;

	CHECK(sched_rr.find(&q, cpu) == model_first(cpu), "P3.2",
	      "step %u, %u wait: for CPU %u another is found than the first that may run there",
	      step, waiting, cpu);
	if (test_random() % 2)
		return;
	REQUIRE(sched_rr.pick(&q, clock) == first, "P3.2",
		"step %u, %u wait: another than the first is picked", step, waiting);
	if (first)
		model_take(0);
}

KTEST_EARLY(queue_model, "queue.model", "03.1", "P3.2")
{
	policy_queue_init(&q, 0);
	policy_entity_init(&running, ~0u, 0);
	waiting = 0;
	asked = false;
	clock = -(NSEC_PER_SEC * STEPS / 2); /* it wraps to 0 halfway */
	for (unsigned i = 0; i < CROWD; i++)
		policy_entity_init(&crowd[i], random_mask(), clock);
	for (unsigned step = 0; step < STEPS; step++) {
		bool fills = step % (STEPS / 2) < STEPS / 4;

		clock += test_random() % (2 * NSEC_PER_SEC);
		change_mask();
		if (waiting < CROWD && test_random() % 4 < (fills ? 3 : 1))
			put_random();
		else if (waiting && test_random() % 4 == 0)
			take_out_random();
		else
			find_and_pick(step);
		REQUIRE(q.nr == waiting, "P3.1", "step %u: %u wait, and the queue counts %u", step,
			waiting, q.nr);
	}
	CHECK(!asked, "P3.2", "one that came is to take the CPU from one that has its turn");
}

/* --- Every sequence of a few steps of three entities, which empties the queue in all ways ----- */

#define FEW		5u
#define CHOICES		9u

/* Two ways in for each entity; 6: a pick; 7, 8: the first or the last is taken out. */
static bool few_step(unsigned choice)
{
	if (choice < 6) {
		unsigned i = choice / 2;
		bool first = choice % 2;

		if (entity_queued(&crowd[i]))
			return true;
		sched_rr.enqueue(&q, &crowd[i], first ? ENQUEUE_PREEMPTED : ENQUEUE_WAKE, clock);
		model_put(i, first);
	} else if (choice == 6) {
		struct sched_entity *due = waiting ? &crowd[line[0]] : NULL;

		if (sched_rr.pick(&q, clock) != due)
			return false;
		if (due)
			model_take(0);
	} else if (waiting) {
		unsigned place = choice == 7 ? 0 : waiting - 1;

		sched_rr.dequeue(&q, &crowd[line[place]]);
		model_take(place);
	}
	return q.nr == waiting;
}

KTEST_EARLY(queue_few, "queue.few", "03.1", "P3.1")
{
	unsigned all = 1;

	for (unsigned i = 0; i < FEW; i++)
		all *= CHOICES;
	for (unsigned number = 0; number < all; number++) {
		unsigned rest = number, done = 0;

		policy_queue_init(&q, 0);
		for (unsigned i = 0; i < 3; i++)
			policy_entity_init(&crowd[i], ~0u, 0);
		for (waiting = 0; done < FEW && few_step(rest % CHOICES); done++)
			rest /= CHOICES;
		REQUIRE(done == FEW, "P3.1",
			"sequence %u, step %u: another is picked, or not %u wait but %u",
			number, done, waiting, q.nr);
	}
}

#define TURNS	70000u		/* more than 16 bits count */
#define MANY	3000u

static struct sched_entity many[MANY];

KTEST_EARLY(queue_long, "queue.long", "03.1", "P3.2")
{
	unsigned turn = 0;

	make_empty();
	for (unsigned i = 0; i < ENTITIES; i++)
		put(i, ENQUEUE_WAKE);
	while (turn < TURNS && pick() == (int)(turn % ENTITIES)) {
		put(turn % ENTITIES, ENQUEUE_EXPIRED);
		turn++;
	}
	CHECK(turn == TURNS, "P3.2", "turn %u is not that of the first who waits", turn);
	expect_count(ENTITIES, "each was picked and put back");
	make_empty();
	for (unsigned i = 0; i < MANY; i++) {
		policy_entity_init(&many[i], i + 1 < MANY ? BIT(0) : BIT(3), 0);
		sched_rr.enqueue(&q, &many[i], ENQUEUE_WAKE, 0);
	}
	CHECK(sched_rr.find(&q, 3) == &many[MANY - 1], "P3.2",
	      "%u wait, the last one may run on CPU 3, and it is not found", MANY);
}
