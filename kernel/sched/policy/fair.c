/*
 * Weighted fair sharing by virtual deadlines (EEVDF: Stoica, Abdel-Wahab 1995), as Linux has it.
 *
 * Virtual time V advances as a thread of nice 0 would be served if all runnable threads ran at
 * once, each in proportion to its weight. A thread's own virtual time v advances by what it really
 * gets; V - v is its lag, what it is owed. A thread with a negative lag is not eligible and waits
 * aside. Of the others the one with the earliest virtual deadline runs: the end of its slice at its
 * ideal pace.
 *
 *  FAIR1  V = vzero + vsum / weight is the weighted mean of the runnable threads' virtual times,
 *         with 0 <= vsum < weight. So v <= V means v <= vzero, which holds for at least one thread.
 *  FAIR2  e->weight is what @e adds to the sums, 0 while it is not runnable here. A new nice value
 *         counts from the next enqueue.
 *  FAIR3  Lag survives sleep and migration and stays within two slices: a long sleep earns no more
 *         credit than a short one, and a thread that took too much cannot sleep it off.
 */
#include "sched/policy/policy.h"

#include "base/panic.h"

#define NICE_0_WEIGHT	1024
#define IDLE_WEIGHT	3

/* Linux's weights: each step of nice is a factor of about 1.25. */
static const u32 weights[] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
	9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277,
	1024, 820, 655, 526, 423, 335, 272, 215, 172, 137,
	110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
};

static u64 weight_of(const struct sched_entity *e)
{
	if (e->params.class == SCHED_IDLE)
		return IDLE_WEIGHT;
	return weights[e->params.nice - NICE_HIGHEST];
}

static s64 virtual_time(const struct sched_entity *e, u64 ns)
{
	return ns * NICE_0_WEIGHT / weight_of(e);
}

/* Returns the length of a slice; it bounds how far service may be from the ideal. */
static u64 request(void)
{
	return sched_quantum / 4;
}

/* Restores 0 <= vsum < weight (FAIR1). */
static void normalize(struct policy_queue *q)
{
	s64 d;

	if (!q->weight)
		return;		/* an empty sum: vsum is 0 */
	d = q->vsum / (s64)q->weight;
	if (q->vsum < d * (s64)q->weight)
		d--;
	q->vzero += d;
	q->vsum -= d * q->weight;
}

static bool is_eligible(const struct policy_queue *q, const struct sched_entity *e)
{
	return !time_before(q->vzero, e->vruntime);
}

/* Adds @e to the runnable threads, with the lag that it left with. */
static void count(struct policy_queue *q, struct sched_entity *e)
{
	s64 lag = e->lag;

	e->weight = weight_of(e);
	if (q->weight)
		lag += lag * (s64)e->weight / (s64)q->weight;	/* as adding it moves V */
	e->vruntime = q->vzero - lag;
	e->deadline = e->vruntime + virtual_time(e, request());
	e->slice_left = 0;
	q->vsum += -lag * (s64)e->weight;
	q->weight += e->weight;
	normalize(q);
}

/* Takes @e from the runnable threads and notes its lag (FAIR3). */
static void uncount(struct policy_queue *q, struct sched_entity *e)
{
	s64 limit = virtual_time(e, 2 * request());

	if (!e->weight)
		return;
	e->lag = MAX(-limit, MIN((s64)(q->vzero - e->vruntime), limit));
	q->vsum -= (s64)(e->vruntime - q->vzero) * (s64)e->weight;
	q->weight -= e->weight;
	e->weight = 0;
	normalize(q);
}

static bool fair_charge(struct policy_queue *q, struct sched_entity *e, u64 ran, u64 now)
{
	s64 v = e->weight ? ran * NICE_0_WEIGHT / e->weight : 0;

	(void)now;
	e->vruntime += v;
	q->vsum += v * (s64)e->weight;
	normalize(q);
	return false;
}

static void fair_leave(struct policy_queue *q, struct sched_entity *e, u64 now)
{
	(void)now;
	uncount(q, e);
}

/* Puts @e into the tree of eligible threads, or aside until V has reached its virtual time. */
static void push(struct policy_queue *q, struct sched_entity *e, bool keep)
{
	if (is_eligible(q, e))
		tree_push(q, &q->tree, e, e->deadline, keep);
	else
		tree_push(q, &q->aside, e, e->vruntime, keep);
}

static bool goes_first(const struct policy_queue *q, const struct sched_entity *e)
{
	const struct sched_entity *than = q->current;

	if (!than || than->rt)
		return false;
	return is_eligible(q, e) &&
	       (!is_eligible(q, than) || time_before(e->deadline, than->deadline));
}

static bool fair_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			 u64 now)
{
	(void)now;
	if (e->weight != weight_of(e)) {	/* FAIR2 */
		uncount(q, e);
		count(q, e);
	} else if (why == ENQUEUE_YIELD) {
		e->deadline += virtual_time(e, request());
	} else if (why == ENQUEUE_EXPIRED) {
		e->deadline = e->vruntime + virtual_time(e, request());
	}
	push(q, e, why == ENQUEUE_PREEMPTED);
	queue_count(q, 1);
	return goes_first(q, e);
}

/* Takes @e off the queue; it stays runnable. */
static void take(struct policy_queue *q, struct sched_entity *e)
{
	tree_remove(e);
	queue_count(q, -1);
}

static void fair_dequeue(struct policy_queue *q, struct sched_entity *e)
{
	take(q, e);
	uncount(q, e);
}

static struct sched_entity *fair_pick(struct policy_queue *q, u64 now)
{
	struct sched_entity *e;

	(void)now;
	/* V has moved on, or back when a thread left: move threads that have changed sides. */
	while ((e = tree_first(&q->aside)) && is_eligible(q, e)) {
		tree_remove(e);
		push(q, e, true);
	}
	while ((e = tree_first(&q->tree)) && !is_eligible(q, e)) {
		tree_remove(e);
		push(q, e, true);
	}
	assert(e || !tree_first(&q->aside));	/* FAIR1 */
	if (e)
		take(q, e);
	return e;
}

static struct sched_entity *fair_find(struct policy_queue *q, unsigned cpu)
{
	struct sched_entity *e = tree_find(&q->tree, cpu);

	return e ? e : tree_find(&q->aside, cpu);
}

static u64 fair_slice(struct policy_queue *q, struct sched_entity *e)
{
	(void)q;
	(void)e;
	return request();
}

static u64 fair_interval(const struct sched_entity *e)
{
	(void)e;
	return request();
}

const struct sched_policy sched_fair = {
	.name = "fair",
	.classes = CLASSES_NORMAL,
	.charge = fair_charge,
	.leave = fair_leave,
	.enqueue = fair_enqueue,
	.dequeue = fair_dequeue,
	.pick = fair_pick,
	.find = fair_find,
	.slice = fair_slice,
	.interval = fair_interval,
};
