/*
 * Shared by the scheduler's files; the rest of the kernel uses sched.h.
 */
#pragma once

#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/thread_state.h"
#include "types.h"

/* sched.c: current, its new state set, gives up the CPU and is not ready. rq unlocked after. */
void schedule(struct runq *rq) LOCKED_THROUGH_THREAD;

/* sched.c: current, @t, goes back to the queue; the next may be the same. rq unlocked after. */
void requeue(struct runq *rq, struct thread *t, enum enqueue_why why) LOCKED_THROUGH_THREAD;

/* sched.c: queues a READY thread, and tells a CPU that can run it at once. rq locked. */
void runq_enqueue(struct runq *rq, struct thread *t, enum enqueue_why why);

/* sched.c: current must choose again. rq locked. */
void runq_resched(struct runq *rq);

/* sched.c: an empty run queue whose CPU is idle. */
void runq_init(struct cpu *c);

/* Calls @how on @t while it is in no queue (POLICY3). Takes its run queue's lock. */
void sched_change(struct thread *t, void (*how)(struct thread *t, const void *arg, u64 now),
		  const void *arg);

/* idle.c: this CPU is idle no more. rq locked. */
void idle_leave(struct runq *rq);

/*
 * idle.c: an idle CPU that may run @t, which waits, or one of @rq's, which is locked. Either may be
 * NULL. It comes for it if kicked; false or NULL: there is none.
 */
struct cpu *idle_cpu_for(const struct thread *t, struct runq *rq);
bool kick_idle_for(const struct thread *t, struct runq *rq);

/* idle.c: the CPUs of @c's node. */
u32 near_cpus(const struct cpu *c);

/* balance.c: reads its boot arguments. */
void balance_init(void);

/*
 * balance.c: @t, queued at @rq, waits. If it is real time it goes to the CPU that runs the least
 * urgent thread, if there is one less urgent than it. rq locked.
 */
void push(struct runq *rq, struct thread *t);

/* balance.c: the same if an idle CPU cannot have it. */
void offer(struct runq *rq, struct thread *t);

/*
 * balance.c: @rq's CPU may have something less urgent to do than before: the most urgent ones that
 * wait elsewhere come here if they go before what is here. rq locked.
 */
void pull(struct runq *rq, u64 now);

/* balance.c: the same for this CPU, which was asked, in its interrupt. */
void pull_when_free(void);

/* balance.c: picks, as real-time threads wait. Others of them that now must wait are pushed. */
struct sched_entity *pick_urgent(struct runq *rq, u64 now);

/* balance.c: @t leaves @from's queue, if it is in it, and is @to's from now on. Both locked. */
void runq_move(struct runq *from, struct runq *to, struct thread *t);

/* balance.c: takes a thread from another CPU's queue. False: none, or rq->missed. rq locked. */
bool steal(struct runq *rq, u64 now);
extern bool may_steal;			/* steal= [const after boot] */

/* balance.c: time to look whether another CPU has more to do. rq locked. */
void balance(struct runq *rq, u64 now);

/* affinity.c: reads affinity=. */
void affinity_init(void);

/* affinity.c: @t's CPUs have changed. */
void enforce_affinity(struct thread *t);

static inline struct thread *thread_of(struct sched_entity *e)
{
	return container_of(e, struct thread, se);
}

/* This CPU's run queue, locked. */
static inline LOCKED_THROUGH_THREAD struct runq *this_runq_lock(void)
{
	struct thread *t = current_thread();
	struct runq *rq = &thread_cpu(t)->runq;

	spin_lock(&rq->lock);
	if (likely(rq == &thread_cpu(t)->runq))
		return rq;
	spin_unlock(&rq->lock);		/* moved meanwhile */
	return thread_runq_lock(t);
}

static inline bool is_idle(struct runq *rq, const struct thread *t)
{
	return t == &runq_cpu(rq)->idle;
}

static inline bool may_run_here(struct runq *rq, const struct thread *t)
{
	return t->se.affinity & rq->cpu_bit;
}

/* Waits, no lock being held, for a queue whose lock was taken. */
static inline void runq_await(struct runq *missed)
{
	spin_lock(&missed->lock);
	spin_unlock(&missed->lock);
}

/* How many the policy could pick; exact under the lock. */
static inline unsigned nr_ready(const struct runq *rq)
{
	return atomic_load_explicit(&rq->q.nr, memory_order_relaxed);
}

/* preempt.c: current keeps the CPU: what it was to look for is not there. rq unlocked after. */
void go_on(struct runq *rq) LOCKED_THROUGH_THREAD;

/* preempt.c: PREEMPT1 */
void slice_renew(struct runq *rq, struct thread *t, u64 now);

/*
 * --- Accounts and slices: see preempt.c; inline as every switch needs all three. rq locked. -----
 */

/* The time since the last charge goes to current: to the idle thread if the CPU has been idle. */
static inline void charge(struct runq *rq, u64 now, bool user)
{
	struct thread *t = rq->current;
	u64 ran = now - rq->charged_at;

	rq->charged_at = now;
	t->stats.run_ns += ran;
	t->stats.last_ran = now;
	if (user) {
		t->stats.user_ns += ran;
		runq_cpu(rq)->stats.user_ns += ran;
	}
	if (policy.charge && !is_idle(rq, t) && queue_charge(&rq->q, &t->se, ran, now))
		rq->expired |= SLICE_SPENT;
}

/* @t gets the CPU. */
static inline void slice_start(struct runq *rq, struct thread *t, u64 now)
{
	struct cpu *c = runq_cpu(rq);

	rq->expired = 0;
	if (unlikely(rq->q.timer_set) && timer_is_late(c, rq->q.timer_at))
		timer_set(c, rq->q.timer_at);
	if (is_idle(rq, t))
		return;
	c->stats.wait_ns += now - t->stats.ready_since;
	if (!t->se.slice_left)
		slice_renew(rq, t, now);
	rq->slice_end = now + t->se.slice_left;
	if (timer_is_late(c, rq->slice_end))
		timer_set(c, rq->slice_end);
}

/* @t gives it up. */
static inline void slice_stop(struct runq *rq, struct thread *t, u64 now)
{
	bool left = !rq->expired && time_before(now, rq->slice_end);

	t->se.slice_left = left ? rq->slice_end - now : 0;	/* PREEMPT1 */
	t->stats.ready_since = now;
}
