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

void charge(struct runq *rq, u64 now, bool user)
{
	struct thread *t = rq->current;
	u64 ran = now - rq->charged_at;

	rq->charged_at = now;
	if (is_idle(rq, t)) {
		rq->cpu->stats.idle_ns += ran;
		return;
	}
	t->stats.run_ns += ran;
	if (user)
		t->stats.user_ns += ran;
}

void sched_charge(bool user)
{
	struct runq *rq = this_runq_lock();

	charge(rq, time_now(), user);
	runq_unlock(rq);
}

void slice_start(struct runq *rq, struct thread *t, u64 now)
{
	rq->expired = false;
	if (is_idle(rq, t))
		return;
	if (!t->slice_left)
		t->slice_left = sched_policy->slice(t);
	rq->slice_end = now + t->slice_left;
	timer_arm(rq->slice_end);
}

void slice_stop(struct runq *rq, struct thread *t, u64 now)
{
	bool left = !rq->expired && time_before(now, rq->slice_end);

	t->slice_left = left ? rq->slice_end - now : 0;	/* T1 */
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
static void requeue(struct runq *rq, struct thread *t, enum enqueue_why why)
{
	thread_set_state(t, THREAD_READY, "gives way");
	/*
	 * One that may not stay is queued elsewhere when it is off its stack:
	 * sched_finish_switch().
	 */
	if (!is_idle(rq, t) && may_run_here(rq, t)) {
		sched_policy->enqueue(rq, t, why);
		rq->nr_ready++;
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
	if (!rq->nr_ready && !is_idle(rq, t) && may_run_here(rq, t)) {
		/* whom it was to give way to has gone */
		atomic_fetch_and(&t->work, ~WORK_RESCHED);
		runq_unlock(rq);
		return;
	}
	trace(TRACE_SCHED, TRACE_EV_PREEMPT, t->tid, rq->nr_ready);
	rq->cpu->stats.preemptions++;
	t->stats.preempted++;
	requeue(rq, t, rq->expired ? ENQUEUE_EXPIRED : ENQUEUE_PREEMPTED);
}

void sched_yield(void)
{
	struct runq *rq = this_runq_lock();

	rq->cpu->stats.yields++;
	if (rq->nr_ready)
		requeue(rq, rq->current, ENQUEUE_YIELD);
	else
		runq_unlock(rq);
}

bool sched_inherit(struct thread *t, struct sched_rank rank)
{
	struct sched_rank before = thread_rank(t), after;
	struct runq *rq;

	if (t->inherited.level == rank.level)
		return false;
	rq = thread_runq_lock(t);
	t->inherited = rank;
	after = thread_rank(t);
	runq_unlock(rq);
	return after.level != before.level;
}
