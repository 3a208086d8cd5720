/*
 * What the scheduler's files share; the rest of the kernel uses sched.h.
 */
#pragma once

#include "cpu.h"
#include "sched.h"
#include "thread_state.h"
#include "types.h"

/*
 * sched.c: gives the CPU to the next thread. rq locked, current's new state set; rq unlocked after.
 */
void schedule(struct runq *rq) LOCKED_THROUGH_THREAD;

/* policy.c: an empty run queue whose CPU is idle. */
void runq_init(struct cpu *c);

/* sched.c: queues a READY thread and sees to it that some CPU looks. rq locked. */
void runq_enqueue(struct runq *rq, struct thread *t, enum enqueue_why why);

/*
 * idle.c: a thread from another CPU's queue, now on @rq's CPU and off any queue; NULL. rq locked.
 */
struct thread *steal(struct runq *rq);

/* idle.c: this CPU is idle no more. rq locked. */
void idle_leave(struct runq *rq);

/* idle.c: wakes an idle CPU that may run @t, if there is one. */
void kick_idle_for(struct thread *t);

extern const struct sched_policy sched_rr;

/* This CPU's run queue, locked. */
static inline LOCKED_THROUGH_THREAD struct runq *this_runq_lock(void)
{
	struct thread *t = current_thread();
	struct cpu *c = thread_cpu(t);

	spin_lock(&c->runq.lock);
	if (likely(c == thread_cpu(t)))
		return &c->runq;
	spin_unlock(&c->runq.lock);	/* moved meanwhile */
	return thread_runq_lock(t);
}

static inline bool is_idle(struct runq *rq, const struct thread *t)
{
	return t == &runq_cpu(rq)->idle;
}

static inline bool may_run_here(struct runq *rq, const struct thread *t)
{
	return t->affinity & BIT(runq_cpu(rq)->id);
}

/* Under the lock. runq_enqueue() alone needs order, for the CPUs that look without it. */
static inline unsigned nr_ready(struct runq *rq)
{
	return atomic_load_explicit(&rq->nr_ready, memory_order_relaxed);
}

static inline void nr_ready_add(struct runq *rq, int n)
{
	atomic_fetch_add_explicit(&rq->nr_ready, n, memory_order_relaxed);
}

/* preempt.c: T1 */
void slice_renew(struct thread *t);

/*
 * --- Accounts and slices: see preempt.c; inline as every switch needs all three. rq locked. -----
 */

/* The time since the last charge goes to current. */
static inline void charge(struct runq *rq, u64 now, bool user)
{
	struct thread *t = rq->current;
	u64 ran = now - rq->charged_at;

	rq->charged_at = now;
	if (is_idle(rq, t)) {
		runq_cpu(rq)->stats.idle_ns += ran;
		return;
	}
	t->stats.run_ns += ran;
	if (user)
		t->stats.user_ns += ran;
}

/* @t gets the CPU. */
static inline void slice_start(struct runq *rq, struct thread *t, u64 now)
{
	struct cpu *c = runq_cpu(rq);

	rq->expired = false;
	if (is_idle(rq, t))
		return;
	if (!t->slice_left)
		slice_renew(t);
	rq->slice_end = now + t->slice_left;
	if (timer_is_late(c, rq->slice_end))
		timer_set(c, rq->slice_end);
}

/* @t gives it up. */
static inline void slice_stop(struct runq *rq, struct thread *t, u64 now)
{
	bool left = !rq->expired && time_before(now, rq->slice_end);

	t->slice_left = left ? rq->slice_end - now : 0;	/* T1 */
}
