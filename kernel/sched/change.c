/*
 * Changes what determines a thread's place in a queue: its parameters, or the urgency it inherits.
 *
 * The keys that policies sort by change only while the thread is in no queue (POLICY3), so a queued
 * thread is taken out and put back. A running thread is charged first, by its old parameters.
 */
#include "internal.h"
#include "thread/thread.h"

void sched_change(struct thread *t, void (*how)(struct thread *t, const void *arg, u64 now),
		  const void *arg)
{
	struct runq *rq = thread_runq_lock(t);
	struct sched_rank before = entity_rank(&t->se);
	bool queued = entity_queued(&t->se);
	u64 now = time_now();

	if (queued)
		queue_dequeue(&rq->q, &t->se);
	else if (rq->current == t)
		charge(rq, now, false);
	how(t, arg, now);
	if (queued) {
		runq_enqueue(rq, t, ENQUEUE_CHANGED);
	} else if (rq->current == t) {
		rq->expired |= SLICE_OVER;	/* its slice was that of the old parameters */
		runq_resched(rq);
	}
	if (before.level >= LEVEL_REAL_TIME)
		pull(rq, now);			/* it may be less urgent now */
	runq_unlock(rq);
}

struct sched_params sched_get_params(struct thread *t)
{
	struct runq *rq = thread_runq_lock(t);
	struct sched_params p = t->se.params;

	runq_unlock(rq);
	return p;
}

static void take_rank(struct thread *t, const void *rank, u64 now)
{
	(void)now;
	policy_inherit(&t->se, *(const struct sched_rank *)rank);
}

bool sched_inherit(struct thread *t, struct sched_rank rank)
{
	struct sched_rank before = thread_rank(t);

	if (!rank_above(t->se.inherited, rank) && !rank_above(rank, t->se.inherited))
		return false;
	sched_change(t, take_rank, &rank);
	return rank_above(before, thread_rank(t)) || rank_above(thread_rank(t), before);
}
