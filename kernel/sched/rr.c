/*
 * Round robin: one queue, first come first served, a quantum each.
 *
 * A thread whose quantum is over goes to the tail; one that was interrupted before that goes back
 * to the head, with what it has left. quantum= sets the length.
 */
#include "bootargs.h"
#include "internal.h"
#include "thread.h"
#include "time.h"

static u64 quantum;	/* ns, [const after boot] */

static void rr_init(void)
{
	quantum = bootarg_number("quantum", 20 * NSEC_PER_MSEC, 10 * NSEC_PER_USEC,
				 10 * NSEC_PER_SEC);
}

static bool rr_enqueue(struct runq *rq, struct thread *t, enum enqueue_why why)
{
	assert(!list_linked(&t->runq_node));	/* S2 */
	if (why == ENQUEUE_PREEMPTED)
		list_push_front(&rq->ready, &t->runq_node);
	else
		list_push_back(&rq->ready, &t->runq_node);
	return false;
}

static void rr_dequeue(struct runq *rq, struct thread *t)
{
	(void)rq;
	list_remove(&t->runq_node);
}

static struct thread *rr_pick(struct runq *rq)
{
	struct list_node *n = list_pop_node(&rq->ready);
	struct thread *t = n ? list_entry(n, struct thread, runq_node) : NULL;

	assert(!t || thread_state(t) == THREAD_READY);	/* S2 */
	return t;
}

static struct thread *rr_steal(struct runq *rq, unsigned cpu)
{
	list_for_each(t, &rq->ready, struct thread, runq_node) {
		if (t->affinity & BIT(cpu)) {
			list_remove(&t->runq_node);
			return t;
		}
	}
	return NULL;
}

static u64 rr_slice(struct thread *t)
{
	(void)t;
	return quantum;
}

const struct sched_policy sched_rr = {
	.name = "rr",
	.init = rr_init,
	.enqueue = rr_enqueue,
	.dequeue = rr_dequeue,
	.pick = rr_pick,
	.steal = rr_steal,
	.slice = rr_slice,
};
