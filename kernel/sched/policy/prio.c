/*
 * Strict priority: 16 levels, the highest first, round robin within a level.
 *
 * A thread that waits rises: each round of aging= raises every thread that has waited since the
 * round before by a level, up to 15. A round moves whole lists, so its cost does not depend on the
 * number of threads. A thread keeps the levels gained until it yields or blocks, or its slice ends
 * while others wait; preemption by a higher level does not take them away.
 *
 * The bound: without real-time threads, a thread of level l that waits reaches level 15 after at
 * most 16 - l rounds and is dispatched there after at most the n - 1 quanta of those before it.
 * Then it runs for its whole quantum.
 *
 * A level has two lists: threads that have waited since before the last round, and behind them
 * those that came later and must not rise in the next round. The levels gained are e->used plus the
 * rounds waited after the first. As a round moves the lists and q->epoch together, list and level
 * agree.
 */
#include "sched/policy/policy.h"

#include "base/bootargs.h"
#include "base/panic.h"

static u64 aging;	/* ns between rounds, [const after boot] */

static void prio_init(void)
{
	aging = bootarg_number("aging", 50 * NSEC_PER_MSEC, NSEC_PER_MSEC, 10 * NSEC_PER_SEC);
}

static void prio_start(struct sched_entity *e, u64 now)
{
	(void)now;
	e->base = (struct sched_rank){ .level = level_of_params(&e->params) };
	e->used = 0;
}

/* Returns the levels that @e, which is queued, has gained by this wait. */
static u64 risen(const struct policy_queue *q, const struct sched_entity *e)
{
	return MAX(q->epoch - e->epoch, 1) - 1;
}

static u32 level_of(const struct sched_entity *e, u64 gained)
{
	u32 own = entity_rank(e).level;

	/* LAB 09-policy: add what it has gained, up to the top */
	if (own >= LEVEL_NORMAL_TOP)
		return own;
	return own + MIN(gained, LEVEL_NORMAL_TOP - own);
	/* END LAB */
}

/* Returns the list that @e waits in: 2l or 2l + 1 for level l, newcomers in the lower one. */
static unsigned list_of(const struct policy_queue *q, const struct sched_entity *e)
{
	return 2 * level_of(e, e->used + risen(q, e)) + (q->epoch != e->epoch);
}

static bool preempts(const struct policy_queue *q, const struct sched_entity *e)
{
	/* LAB 09-policy: compare its level with that of the one that runs */
	return q->current && level_of(e, e->used + risen(q, e)) >
				     level_of(q->current, q->current->used);
	/* END LAB */
}

static bool prio_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			 u64 now)
{
	if (!q->timer_set)
		queue_timer(q, now + aging);
	/* LAB 09-policy: queue it where its turn is, with what it has gained or without */
	bool preempted = why == ENQUEUE_PREEMPTED;

	if (!preempted && why != ENQUEUE_MIGRATED)
		e->used = 0;
	e->epoch = q->epoch - preempted;	/* before all others of its level */
	level_push(q, e, list_of(q, e), preempted);
	/* END LAB */
	return preempts(q, e);
}

static void prio_dequeue(struct policy_queue *q, struct sched_entity *e)
{
	/* LAB 09-policy: take it out; it keeps what it has gained */
	level_remove(q, e, list_of(q, e));
	e->used += risen(q, e);
	/* END LAB */
}

static struct sched_entity *prio_pick(struct policy_queue *q, u64 now)
{
	(void)now;
	/* LAB 09-policy: take out the one whose turn it is */
	struct sched_entity *e = level_first(q);

	if (e)
		prio_dequeue(q, e);
	return e;
	/* END LAB */
}

static u64 prio_slice(struct policy_queue *q, struct sched_entity *e)
{
	(void)q;
	return quantum_of(e);
}

/* Does a round of aging. */
static bool prio_timer(struct policy_queue *q, u64 now)
{
	q->timer_set = false;
	if (!q->bitmap)
		return false;
	queue_timer(q, now + aging);
	/* LAB 09-policy: raise all that have waited since the round before */
	q->epoch++;
	level_splice(q, 2 * LEVEL_NORMAL_TOP, 2 * LEVEL_NORMAL_TOP + 1);
	for (unsigned l = LEVEL_NORMAL_TOP; l-- > 0;) {
		level_splice(q, 2 * l + 1, 2 * l + 3);
		level_splice(q, 2 * l, 2 * l + 1);
	}
	return preempts(q, level_first(q));
	/* END LAB */
}

const struct sched_policy sched_prio = {
	.name = "prio",
	.classes = CLASSES_NORMAL,
	.init = prio_init,
	.start = prio_start,
	.timer = prio_timer,
	.enqueue = prio_enqueue,
	.dequeue = prio_dequeue,
	.pick = prio_pick,
	.find = level_find,
	.slice = prio_slice,
};
