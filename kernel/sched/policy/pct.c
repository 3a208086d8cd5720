/*
 * Probabilistic concurrency testing (Burckhardt and others 2010): strict random priorities, and on
 * average pct_depth= change points in every pct_length= of a CPU's time, at which the thread that
 * runs falls below the others. A bug that needs d - 1 switches at the right places shows with a
 * known probability for each seed. Another seed= gives another schedule, the same seed the same.
 *
 * No thread starves, so that programs that wait by spinning go on: a thread that meets its second
 * change point, or yields, goes to the end. In a new window of pct_length a thread that wakes draws
 * a new priority. Random priorities are not inherited (all have level 0, the keys are private): an
 * owner that spins would stay ahead of the thread that it waits for, even if it yields.
 */
#include "sched/policy/policy.h"

#include "base/bootargs.h"

#define BAND	(1UL << 40)	/* of keys: random; fallen once; then in order of arrival */

static u64 depth, length;	/* [const after boot] */

static void pct_init(void)
{
	depth = bootarg_number("pct_depth", 3, 1, 1000);
	length = bootarg_number("pct_length", 10 * NSEC_PER_MSEC, 10 * NSEC_PER_USEC,
				10 * NSEC_PER_SEC);
}

/* Returns the start of @now's window, which is never EPOCH_NEVER. */
static u64 window(u64 now)
{
	return now - now % length;
}

static bool pct_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			u64 now)
{
	if (why == ENQUEUE_WAKE && e->epoch != window(now)) {
		e->epoch = window(now);
		e->base.key = queue_random(q) % BAND;
	} else if (why == ENQUEUE_EXPIRED && e->base.key < BAND) {
		e->base.key = BAND + queue_random(q) % BAND;
	} else if (why == ENQUEUE_EXPIRED || why == ENQUEUE_YIELD) {
		e->base.key = 2 * BAND + q->arrivals;
	}
	tree_push(q, &q->tree, e, e->base.key, why == ENQUEUE_PREEMPTED);
	queue_count(q, 1);
	return q->current && !q->current->rt && time_before(e->base.key, q->current->base.key);
}

static void pct_dequeue(struct policy_queue *q, struct sched_entity *e)
{
	tree_remove(e);
	queue_count(q, -1);
}

static struct sched_entity *pct_pick(struct policy_queue *q, u64 now)
{
	struct sched_entity *e = tree_first(&q->tree);

	(void)now;
	if (e)
		pct_dequeue(q, e);
	return e;
}

static struct sched_entity *pct_find(struct policy_queue *q, unsigned cpu)
{
	return tree_find(&q->tree, cpu);
}

/* Returns the time to the next change point. */
static u64 pct_slice(struct policy_queue *q, struct sched_entity *e)
{
	(void)e;
	return 1 + queue_random(q) % (2 * length / depth);
}

const struct sched_policy sched_pct = {
	.name = "pct",
	.classes = CLASSES_NORMAL,
	.init = pct_init,
	.enqueue = pct_enqueue,
	.dequeue = pct_dequeue,
	.pick = pct_pick,
	.find = pct_find,
	.slice = pct_slice,
};
