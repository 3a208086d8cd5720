/*
 * The queue of edf and rm, with reservations above all other threads. See reserve.h.
 */
#include "reserve.h"

bool reserve_is_spent(const struct sched_entity *e)
{
	return is_reserved(e) && e->budget <= 0 && !rank_above(e->inherited, e->base);
}

static bool throttle(struct policy_queue *q, struct sched_entity *e)
{
	struct sched_entity *first;

	tree_push(q, &q->aside, e, e->replenish_at, false);
	first = tree_first(&q->aside);
	queue_timer(q, first->key);
	return first == e;
}

bool reserve_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why)
{
	struct sched_rank rank = entity_rank(e);

	if (reserve_is_spent(e))
		return throttle(q, e);
	if (rank.level == LEVEL_KEYED) {
		tree_push(q, &q->tree, e, rank.key, why == ENQUEUE_PREEMPTED);
		queue_count(q, 1);
	} else {
		level_push(q, e, rank.level, why == ENQUEUE_PREEMPTED);
	}
	return q->current && rank_above(rank, entity_rank(q->current));
}

bool reserve_timer(struct policy_queue *q, u64 now, enqueue_hook enqueue, enum enqueue_why why)
{
	struct sched_entity *e;
	bool preempt = false;

	q->timer_set = false;
	while ((e = tree_first(&q->aside)) && !time_before(now, e->key)) {
		tree_remove(e);
		preempt |= enqueue(q, e, why, now);
	}
	if (e)
		queue_timer(q, e->key);
	return preempt;
}

void reserve_dequeue(struct policy_queue *q, struct sched_entity *e)
{
	if (list_linked(&e->node)) {
		level_remove(q, e, entity_rank(e).level);
	} else {
		tree_remove(e);
		if (e->in == &q->tree)
			queue_count(q, -1);	/* POLICY4 */
	}
}

struct sched_entity *reserve_pick(struct policy_queue *q, u64 now)
{
	struct sched_entity *e = tree_first(&q->tree);

	(void)now;
	if (!e)
		e = level_first(q);
	if (e)
		reserve_dequeue(q, e);
	return e;
}

u64 reserve_slice(struct policy_queue *q, struct sched_entity *e)
{
	(void)q;
	return is_reserved(e) && e->budget > 0 ? (u64)e->budget : quantum_of(e);
}
