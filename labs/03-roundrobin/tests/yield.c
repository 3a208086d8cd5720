/*
 * Lab 03, step 2: giving the CPU away.
 */
#include "alone.h"

#define MEMBERS	3
#define ROUNDS	10

static unsigned order[MEMBERS * ROUNDS], turns;

static int take_turns(void *arg)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (turns < ARRAY_SIZE(order))
			order[turns++] = (unsigned)(u64)arg;
		sched_yield();
	}
	return rest();
}

static bool (*enqueue)(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
		       u64 now);
static unsigned queued, as_yield;

/* Stands before the policy's hook. */
static bool count_why(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why, u64 now)
{
	queued++;
	as_yield += why == ENQUEUE_YIELD;
	return enqueue(q, e, why, now);
}

static void watch_queue(void)
{
	enqueue = policy.enqueue;
	policy.enqueue = count_why;
	queued = as_yield = 0;
}

static void leave_queue(void)
{
	policy.enqueue = enqueue;
}

static void check_turns(const char *who, unsigned members)
{
	CHECK(turns == members * ROUNDS, "P3.3", "%s%u of %u turns were taken", who, turns,
	      members * ROUNDS);
	for (unsigned i = 0; i < turns; i++)
		CHECK(order[i] == i % members, "P3.3", "%sturn %u was taken by thread %u, not %u",
		      who, i, order[i], i % members);
}

static void yield_to_equal(void)
{
	turns = 0;
	for (u64 i = 0; i < 2; i++)
		make_real_time(take_turns, (void *)i);
	run_them();
	check_turns("real-time: ", 2);
}

KTEST_EARLY(yield_turns, "yield.turns", "03.2", "P3.3")
{
	NEEDS_TO_BE_ALONE;
	turns = 0;
	for (u64 i = 0; i < MEMBERS; i++)
		make(take_turns, (void *)i);
	watch_queue();
	run_them();
	leave_queue();
	CHECK(queued && as_yield == queued, "P3.3",
	      "%u times a thread was queued, %u times as one that yields", queued, as_yield);
	check_turns("", MEMBERS);
	yield_to_equal();
}

static unsigned went_on;

static int yield_alone(void *arg)
{
	struct runq *rq = &cpus[0].runq;

	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		sched_yield();
		went_on += rq->current == current_thread() && !nr_ready(rq);
	}
	watch_queue();
	current_thread()->se.home = &rq->q;	/* as if it had a reservation */
	sched_yield();
	current_thread()->se.budget = NSEC_PER_MSEC;
	sched_yield();
	current_thread()->se.budget = 0;
	current_thread()->se.home = NULL;
	leave_queue();
	return rest();
}

KTEST_EARLY(yield_alone, "yield.alone", "03.2", "P3.3")
{
	u64 idle = current_thread()->stats.switches_in;

	NEEDS_TO_BE_ALONE;
	went_on = 0;
	make(yield_alone, NULL);
	run_them();
	CHECK(went_on == ROUNDS, "P3.3", "alone, a thread went on after %u of %u yields", went_on,
	      ROUNDS);
	CHECK(current_thread()->stats.switches_in == idle + 1, "P3.3",
	      "the idle thread had a turn while a thread was ready");
	CHECK(as_yield, "P3.3", "with a reservation a thread is alone, and is not queued");
	CHECK(as_yield == 2, "P3.3",
	      "with a reservation, its budget spent and not spent, it is queued %u times, not 2",
	      as_yield);
	CHECK(!spin_held(&cpus[0].runq.lock), "P3.3", "the run queue is still locked");
}

static s64 rest_before, rest_after, used;
static u64 end_before, end_after;

/* Half of the quantum is left when it yields: to another thread, and then alone. */
static int yield_half_way(void *unused)
{
	struct runq *rq = &cpus[0].runq;
	u64 from;

	(void)unused;
	irq_off();
	from = time_now();
	rest_before = (s64)quantum_of(&current_thread()->se) / 2;
	rq->slice_end = from + (u64)rest_before;
	sched_yield();
	rest_after = (s64)(rq->slice_end - time_now());
	used = (s64)(time_now() - from);
	end_before = rq->slice_end;
	sched_yield();
	end_after = rq->slice_end;
	irq_on();
	return rest();
}

static int only_rest(void *unused)
{
	(void)unused;
	return rest();
}

static void check_rest(const char *who)
{
	run_them();
	CHECK(rest_after <= rest_before && rest_after >= rest_before - used, "P3.3",
	      "%s%ld ns of its quantum were left, it yielded, and goes on with %ld ns", who,
	      rest_before, rest_after);
	CHECK(end_after == end_before, "P3.3",
	      "%salone it yields, and its quantum ends %ld ns later", who,
	      (s64)(end_after - end_before));
}

KTEST_EARLY(yield_rest, "yield.rest", "03.2", "P3.3")
{
	NEEDS_TO_BE_ALONE;
	make(yield_half_way, NULL);
	make(only_rest, NULL);
	check_rest("");
	make_real_time(yield_half_way, NULL);
	make_real_time(only_rest, NULL);
	check_rest("real-time: ");
}
