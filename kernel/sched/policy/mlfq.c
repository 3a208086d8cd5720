/*
 * Multi-level feedback: five levels, the highest first; a thread that uses much CPU sinks.
 *
 * A thread has an allotment of CPU time at each level, doubling from level to level. It is charged
 * for what it runs, as measured, whether it blocks, yields or is preempted in between; when the
 * allotment is used up, the thread sinks a level. Time spent blocked pays back used time one for
 * one, so a thread that wants the CPU half of the time or less keeps its level: this favours
 * interactive threads. Every boost= all threads start afresh at the top, also blocked ones.
 *
 *  MLFQ1  Level, allotment and list change together. A boost moves all lists to the top at once and
 *         changes q->epoch; an entity whose own epoch differs is at the top, wherever it is
 *         (level_now()). A new entity has EPOCH_NEVER and so starts at the top. A new nice value
 *         does not change the level.
 *  MLFQ2  Boosts come at multiples of boost=, so all CPUs agree on the epoch without communicating.
 */
#include "sched/policy/policy.h"

#include "base/bootargs.h"
#include "base/panic.h"

#define TOP	4u

static u64 boost;	/* ns, [const after boot] */

static void mlfq_init(void)
{
	boost = bootarg_number("boost", NSEC_PER_SEC, 10 * NSEC_PER_MSEC, 100 * NSEC_PER_SEC);
}

/* MLFQ1: a thread that is new, or was real time until now, starts at the top. */
static void mlfq_start(struct sched_entity *e, u64 now)
{
	(void)now;
	if (e->epoch == EPOCH_NEVER)
		e->base.level = TOP;
}

static u64 allotment(const struct sched_entity *e)
{
	return MAX(quantum_of(e) >> 2 << (TOP - e->base.level), 1);
}

/* MLFQ1 */
static u32 level_now(const struct policy_queue *q, const struct sched_entity *e)
{
	return e->epoch == q->epoch ? MIN(entity_rank(e).level, TOP) : TOP;
}

/* Boosts if it is time, which it is not if the last boost came after @now was read. */
static void roll(struct policy_queue *q, u64 now)
{
	if (now - q->epoch < boost || q->epoch - now < boost)
		return;
	/* LAB 09-policy: boost all that are in this queue */
	q->epoch = now - now % boost;
	for (unsigned l = TOP; l-- > 0;)
		level_splice(q, l, TOP);
	/* END LAB */
}

/* Applies the last boost to @e, which is in no list. Returns whether @e had missed it. */
static bool refresh(struct policy_queue *q, struct sched_entity *e, u64 now)
{
	roll(q, now);
	if (e->epoch == q->epoch)
		return false;
	/* LAB 09-policy: start afresh at the top */
	e->epoch = q->epoch;
	e->base.level = TOP;
	e->used = 0;
	e->slice_left = 0;
	return true;
	/* END LAB */
}

/* Pays back time that @e, which was blocked until @now, has used: ns for ns. */
static void pay_back(struct sched_entity *e, u64 now)
{
	/* LAB 09-policy: give back the time for which it left the CPU to others */
	e->used -= MIN(e->used, now - e->since);
	e->slice_left = 0;
	/* END LAB */
}

static bool mlfq_charge(struct policy_queue *q, struct sched_entity *e, u64 ran, u64 now)
{
	/* LAB 09-policy: charge it, and let it sink if its allotment is used up */
	e->used += ran;
	if (refresh(q, e, now))
		return true;	/* its slice is that of its old level */
	if (e->used < allotment(e))
		return false;
	e->used = 0;
	e->slice_left = 0;
	e->base.level -= e->base.level > 0;
	return false;
	/* END LAB */
}

static void mlfq_leave(struct policy_queue *q, struct sched_entity *e, u64 now)
{
	(void)q;
	e->since = now;
}

static bool mlfq_timer(struct policy_queue *q, u64 now)
{
	roll(q, now);
	queue_timer(q, q->epoch + boost);
	return false;
}

static bool mlfq_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			 u64 now)
{
	mlfq_timer(q, now);
	/* LAB 09-policy: queue it where its turn is, and compare its level with current's */
	refresh(q, e, now);
	if (why == ENQUEUE_WAKE && e->used)
		pay_back(e, now);
	level_push(q, e, level_now(q, e), why == ENQUEUE_PREEMPTED);
	return q->current && level_now(q, e) > level_now(q, q->current);
	/* END LAB */
}

static void mlfq_dequeue(struct policy_queue *q, struct sched_entity *e)
{
	level_remove(q, e, level_now(q, e));
}

static struct sched_entity *mlfq_pick(struct policy_queue *q, u64 now)
{
	struct sched_entity *e;

	roll(q, now);
	/* LAB 09-policy: take out the first of the highest level, with its slice */
	e = level_first(q);
	if (e) {
		mlfq_dequeue(q, e);
		refresh(q, e, now);	/* or it would get its old level's slice */
	}
	/* END LAB */
	if (!e)
		q->timer_set = false;	/* an idle CPU has no thread to boost */
	return e;
}

/* Returns what is left of the allotment. */
static u64 mlfq_slice(struct policy_queue *q, struct sched_entity *e)
{
	(void)q;
	/* LAB 09-policy: return what is left of its allotment */
	return allotment(e) > e->used ? allotment(e) - e->used : 1;
	/* END LAB */
}

const struct sched_policy sched_mlfq = {
	.name = "mlfq",
	.classes = CLASSES_NORMAL,
	.init = mlfq_init,
	.start = mlfq_start,
	.charge = mlfq_charge,
	.leave = mlfq_leave,
	.timer = mlfq_timer,
	.enqueue = mlfq_enqueue,
	.dequeue = mlfq_dequeue,
	.pick = mlfq_pick,
	.find = level_find,
	.slice = mlfq_slice,
	.interval = allotment,
};
