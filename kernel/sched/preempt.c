/*
 * Taking the CPU away: accounts, slices, the tick, yielding, preemption.
 *
 * A thread runs until it blocks, yields, or its slice is over while somebody waits. The one-shot
 * timer is armed for the slice's end whenever a thread gets the CPU; it only marks the thread
 * (WORK_RESCHED), and the switch happens where it may: at the end of the interrupt, when the last
 * lock goes, when preemption comes back on, or on the way to user mode.
 *
 *  T1  A slice that is used up starts full at the next dispatch; one that was interrupted resumes
 *      with what was left.
 *  T2  A marked thread gives way at the first point where it may: no mark is lost.
 */
#include "internal.h"
#include "process.h"
#include "time.h"
#include "trace.h"

void sched_charge(bool user)
{
	struct runq *rq = this_runq_lock();

	charge(rq, time_now(), user);
	runq_unlock(rq);
}

void slice_renew(struct thread *t)
{
	t->slice_left = sched_policy->slice(t);
}

bool sched_tick(u64 now, u64 *next)
{
	struct runq *rq = this_runq_lock();
	struct thread *t = rq->current;
	bool sliced = !is_idle(rq, t);

	if (sliced && !time_before(now, rq->slice_end)) {
		trace(TRACE_SCHED, TRACE_EV_SLICE, t->tid, rq->nr_ready);
		rq->slice_end = now + sched_policy->slice(t);
		rq->expired = rq->nr_ready > 0;
		if (rq->expired)
			atomic_fetch_or(&t->work, WORK_RESCHED);
	}
	*next = rq->slice_end;
	runq_unlock(rq);
	return sliced;
}

/* Back to the queue and on to the next thread, which may be the same one. rq locked. */
static always_inline void requeue(struct runq *rq, struct thread *t, enum enqueue_why why)
{
	thread_set_state(t, THREAD_READY, "gives way");
	if (unlikely(!may_run_here(rq, t))) {
		rq->leaver = t;		/* queued elsewhere when it is off its stack */
	} else if (!is_idle(rq, t)) {
		sched_policy->enqueue(rq, t, why);
		nr_ready_add(rq, 1);
	}
	schedule(rq);
}

void sched_force_switch(void)
{
	struct runq *rq = this_runq_lock();

	rq->expired = rq->nr_ready > 0;
	if (rq->expired)
		atomic_fetch_or(&rq->current->work, WORK_RESCHED);
	runq_unlock(rq);
}

void sched_preempt(void)
{
	struct thread *t = current_thread();
	struct runq *rq;

	assert_irqs_off();
	rq = this_runq_lock();
	if (!nr_ready(rq) && !is_idle(rq, t) && may_run_here(rq, t)) {
		/* whom it was to give way to has gone */
		atomic_fetch_and(&t->work, ~WORK_RESCHED);
		runq_unlock(rq);
		return;
	}
	trace(TRACE_SCHED, TRACE_EV_PREEMPT, t->tid, rq->nr_ready);
	runq_cpu(rq)->stats.preemptions++;
	t->stats.preempted++;
	requeue(rq, t, rq->expired ? ENQUEUE_EXPIRED : ENQUEUE_PREEMPTED);
}

void sched_yield(void)
{
	struct runq *rq = this_runq_lock();

	if (nr_ready(rq))
		requeue(rq, current_thread(), ENQUEUE_YIELD);
	else
		runq_unlock(rq);
}

bool sched_inherit(struct thread *t, struct sched_rank rank)
{
	struct sched_rank before, after;
	struct runq *rq;

	if (t->inherited.level == rank.level)
		return false;
	rq = thread_runq_lock(t);
	before = thread_rank(t);
	t->inherited = rank;
	after = thread_rank(t);
	runq_unlock(rq);
	return after.level != before.level;
}
