/*
 * Taking the CPU away: accounts, slices, the tick, yielding, preemption.
 *
 * A thread runs until it blocks, yields, or its slice is over while another thread waits. The
 * one-shot timer is armed for the slice's end whenever a thread gets the CPU. It only marks the
 * thread (WORK_RESCHED); the switch happens where it is allowed: at the end of the interrupt, when
 * the last lock is released, when preemption is turned on again, or on the way to user mode.
 *
 *  PREEMPT1  A slice that is used up starts full at the next dispatch; one that was interrupted
 *            resumes with what was left.
 *  PREEMPT2  A marked thread gives way at the first point where that is allowed: no mark is lost.
 */
#include "base/trace.h"
#include "internal.h"
#include "process/process.h"
#include "sched/time.h"

void sched_charge(bool user)
{
	struct runq *rq = this_runq_lock();

	charge(rq, time_now(), user);
	runq_unlock(rq);
}

void slice_renew(struct runq *rq, struct thread *t, u64 now)
{
	t->se.slice_left = policy_slice(&rq->q, &t->se, now);
	timer_arm(rq->balance_at);	/* a slice may have no end, but balancing goes on */
}

/* Renews the slice of @t if it is over, or its budget spent. Returns true if @t must give way. */
static bool slice_over(struct runq *rq, struct thread *t, u64 now)
{
	/* LAB 03-roundrobin: is the slice over, or the budget spent? */
	if (is_idle(rq, t) || (!(rq->expired & SLICE_SPENT) && time_before(now, rq->slice_end)))
		return false;
	/* END LAB */
	trace(TRACE_SCHED, TRACE_EV_SLICE, t->tid, nr_ready(rq));
	/* LAB 03-roundrobin: begin a full slice, and note why t must give way */
	slice_renew(rq, t, now);
	rq->slice_end = now + t->se.slice_left;
	if (nr_ready(rq))
		rq->expired |= SLICE_OVER;
	return rq->expired;
	/* END LAB */
}

void sched_tick(u64 now)
{
	struct runq *rq = this_runq_lock();
	struct thread *t = rq->current;
	bool look = false;

	if (rq->q.timer_set && !time_before(now, rq->q.timer_at))
		look = policy.timer(&rq->q, now);
	balance(rq, now);
	look |= is_idle(rq, t) && nr_ready(rq);
	/* LAB 03-roundrobin: mark t if it must give way, and arm the timer for its slice's end */
	look |= slice_over(rq, t, now);
	if (look)
		atomic_fetch_or(&t->work, WORK_RESCHED);
	if (!is_idle(rq, t))
		timer_arm(rq->slice_end);
	/* END LAB */
	if (!is_idle(rq, t))
		timer_arm(rq->balance_at);
	if (rq->q.timer_set)
		timer_arm(rq->q.timer_at);
	runq_unlock(rq);
}

void go_on(struct runq *rq)
{
	atomic_fetch_and(&rq->current->work, ~WORK_RESCHED);
	if (rq->q.timer_set)
		timer_arm(rq->q.timer_at);
	runq_unlock(rq);
}

void sched_preempt(void)
{
	struct thread *t = current_thread();
	u64 switches = t->stats.switches_in;
	struct runq *rq;

	assert_irqs_off();
	rq = this_runq_lock();
	/* LAB 03-roundrobin: keep the CPU if there is no reason to give way any more */
	/* With new parameters (expired) it is queued anew even if alone: its place is new too. */
	if (is_idle(rq, t) || (!nr_ready(rq) && !rq->expired && may_run_here(rq, t))) {
		go_on(rq);	/* idle: it looks for work next; else the other thread is gone */
		return;
	}
	/* END LAB */
	trace(TRACE_SCHED, TRACE_EV_PREEMPT, t->tid, nr_ready(rq));
	runq_cpu(rq)->stats.preemptions++;
	t->stats.preempted++;
	/* LAB 03-roundrobin: give way: behind the others if its slice is over, else before them */
	requeue(rq, t, rq->expired ? ENQUEUE_EXPIRED : ENQUEUE_PREEMPTED);
	/* END LAB */
	t->stats.picked_again += t->stats.switches_in == switches;
}

void sched_yield(void)
{
	struct runq *rq = this_runq_lock();
	struct thread *t = current_thread();

	runq_cpu(rq)->stats.yields++;
	/* LAB 03-roundrobin: give the CPU to a thread that waits, or go on if there is none */
	if (!nr_ready(rq) && !t->se.home) {
		runq_unlock(rq);
		return;
	}
	requeue(rq, t, ENQUEUE_YIELD);
	/* END LAB */
}
