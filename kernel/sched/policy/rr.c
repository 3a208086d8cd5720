/*
 * Round robin: one list, first come first served, a quantum each.
 *
 * A thread whose quantum is over, or that yields, goes to the tail. A thread that is preempted
 * earlier goes back to the head and keeps the rest of its quantum. Priority only sets the length of
 * the quantum, so every ready thread runs within the sum of the others' quanta.
 */
#include "sched/policy/policy.h"

#include "base/panic.h"

static bool rr_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
		       u64 now)
{
	(void)now;
	/* LAB 03-roundrobin: queue it where its turn is, and count it */
	if (why == ENQUEUE_PREEMPTED)
		list_push_front(&q->lists[0], &e->node);
	else
		list_push_back(&q->lists[0], &e->node);
	queue_count(q, 1);
	/* END LAB */
	return false;
}

static void rr_dequeue(struct policy_queue *q, struct sched_entity *e)
{
	/* LAB 03-roundrobin: take it out */
	list_remove(&e->node);
	queue_count(q, -1);
	/* END LAB */
}

static struct sched_entity *rr_pick(struct policy_queue *q, u64 now)
{
	(void)now;
	/* LAB 03-roundrobin: take out the one whose turn it is */
	struct list_node *n = list_pop_node(&q->lists[0]);

	if (!n)
		return NULL;
	queue_count(q, -1);
	return list_entry(n, struct sched_entity, node);
	/* END LAB */
}

static struct sched_entity *rr_find(struct policy_queue *q, unsigned cpu)
{
	/* LAB 03-roundrobin: find the first that may run on cpu */
	list_for_each(e, &q->lists[0], struct sched_entity, node)
		if (e->affinity & BIT(cpu))
			return e;
	return NULL;
	/* END LAB */
}

static u64 rr_slice(struct policy_queue *q, struct sched_entity *e)
{
	(void)q;
	return quantum_of(e);
}

const struct sched_policy sched_rr = {
	.name = "rr",
	.classes = CLASSES_NORMAL,
	.enqueue = rr_enqueue,
	.dequeue = rr_dequeue,
	.pick = rr_pick,
	.find = rr_find,
	.slice = rr_slice,
};
