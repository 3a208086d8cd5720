/*
 * What the scheduler's files share; the rest of the kernel uses sched.h.
 */
#pragma once

#include "cpu.h"
#include "sched.h"
#include "types.h"

/*
 * sched.c: gives the CPU to the next thread. rq locked, current's new state set; rq unlocked after.
 */
void schedule(struct runq *rq);

/* policy.c: an empty run queue whose CPU is idle. */
void runq_init(struct cpu *c);

/* sched.c: this CPU's run queue, locked. */
struct runq *this_runq_lock(void);

/* sched.c: queues a READY thread and sees to it that some CPU looks. rq locked. */
void runq_enqueue(struct runq *rq, struct thread *t, enum enqueue_why why);

/* preempt.c: the slice of a thread that gets or gives up the CPU. rq locked. */
void slice_start(struct runq *rq, struct thread *t, u64 now);
void slice_stop(struct runq *rq, struct thread *t, u64 now);
void charge(struct runq *rq, u64 now, bool user);

/*
 * idle.c: a thread from another CPU's queue, now on @rq's CPU and off any queue; NULL. rq locked.
 */
struct thread *steal(struct runq *rq);

/* idle.c: this CPU is idle no more. rq locked. */
void idle_leave(struct runq *rq);

/* idle.c: wakes an idle CPU that may run @t, if there is one. */
void kick_idle_for(struct thread *t);

static inline bool is_idle(const struct runq *rq, const struct thread *t)
{
	return t == &rq->cpu->idle;
}

static inline bool may_run_here(const struct runq *rq, const struct thread *t)
{
	return t->affinity & BIT(rq->cpu->id);
}
