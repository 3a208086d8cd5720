/*
 * Shared by the scheduler's files; the rest of the kernel uses sched.h.
 */
#pragma once

#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/thread_state.h"
#include "types.h"

/* sched.c: gives up the CPU; current's new state is set, and not READY. Unlocks rq. */
void schedule(struct runq *rq) LOCKED_THROUGH_THREAD;

/* sched.c: puts current, @t, back into the queue and picks again, maybe @t. Unlocks rq. */
void requeue(struct runq *rq, struct thread *t, enum enqueue_why why) LOCKED_THROUGH_THREAD;

/* sched.c: queues a READY thread, and notifies a CPU that can run it at once. rq locked. */
void runq_enqueue(struct runq *rq, struct thread *t, enum enqueue_why why);

/* sched.c: marks current, so that its CPU picks again. rq locked. */
void runq_resched(struct runq *rq);

/* sched.c: makes @c's run queue empty, with the idle thread as current. */
void runq_init(struct cpu *c);

/* change.c: calls @how on @t while it is in no queue (POLICY3). Takes its run queue's lock. */
void sched_change(struct thread *t, void (*how)(struct thread *t, const void *arg, u64 now),
		  const void *arg);

/* idle.c: the CPUs that wait for work. A CPU sets its bit; it or a waker clears it. */
extern _Atomic u32 idle_mask;

/* idle.c: notes that @rq's CPU is not idle any more. rq locked. */
void idle_leave(struct runq *rq);

/*
 * kick.c: finds an idle CPU that may run @t, which waits, or a thread that waits in @rq, which is
 * locked. Either may be NULL. Returns NULL, or false, if there is none. A kicked CPU comes and
 * steals the thread.
 */
struct cpu *idle_cpu_for(const struct thread *t, struct runq *rq);
bool kick_idle_for(const struct thread *t, struct runq *rq);

/* kick.c: returns the CPUs of @c's node. */
u32 near_cpus(const struct cpu *c);

/* balance.c: reads its boot arguments. */
void balance_init(void);

/*
 * balance.c: moves @t, a real-time thread that waits in @rq, to the CPU with the least urgent
 * thread, if that is less urgent than @t.
 */
void push(struct runq *rq, struct thread *t);

/* balance.c: the same for any @t; if it is not real time, tells an idle CPU: kick_idle_for(). */
void offer(struct runq *rq, struct thread *t);

/*
 * balance.c: called when @rq's CPU may have something less urgent to do than before. Takes the most
 * urgent threads that wait elsewhere if they are more urgent than what is here.
 */
void pull(struct runq *rq, u64 now);

/* balance.c: the same for this CPU, in its IPI_PULL interrupt. */
void pull_when_free(void);

/* balance.c: picks while real-time threads wait, and pushes those that must go on waiting. */
struct sched_entity *pick_urgent(struct runq *rq, u64 now);

/* balance.c: makes @to the run queue of @t, taking @t out of @from if it is queued there. */
void runq_move(struct runq *from, struct runq *to, struct thread *t);

/* balance.c: takes a thread from another CPU. False: found none, or see rq->missed. rq locked. */
bool steal(struct runq *rq, u64 now);
extern bool may_steal;			/* steal= [const after boot] */

/* balance.c: every balance=, takes a thread from a CPU that has more to do. */
void balance(struct runq *rq, u64 now);

/* affinity.c: reads affinity=. */
void affinity_init(void);

/* affinity.c: moves @t, whose mask has changed, to a CPU that it may use. */
void enforce_affinity(struct thread *t);

static inline struct thread *thread_of(struct sched_entity *e)
{
	return container_of(e, struct thread, se);
}

/* Returns this CPU's run queue, locked. */
static inline LOCKED_THROUGH_THREAD struct runq *this_runq_lock(void)
{
	struct thread *t = current_thread();
	struct runq *rq = &thread_cpu(t)->runq;

	spin_lock(&rq->lock);
	if (likely(rq == &thread_cpu(t)->runq))
		return rq;
	spin_unlock(&rq->lock);		/* we were moved before we had the lock */
	return thread_runq_lock(t);
}

static inline bool is_idle(struct runq *rq, const struct thread *t)
{
	return t == &runq_cpu(rq)->idle;
}

/* Whether @c runs no thread. A hint, as its run queue need not be locked. */
static inline bool is_idle_hint(struct cpu *c)
{
	return __atomic_load_n(&c->runq.current, __ATOMIC_RELAXED) == &c->idle;
}

static inline bool may_run_here(struct runq *rq, const struct thread *t)
{
	return t->se.affinity & rq->cpu_bit;
}

/* Waits until the lock of @missed has been free once. The caller holds no lock. */
static inline void runq_await(struct runq *missed)
{
	spin_lock(&missed->lock);
	spin_unlock(&missed->lock);
}

/* The number of threads that the policy could pick; exact under the lock, else a hint. */
static inline unsigned nr_ready(const struct runq *rq)
{
	return atomic_load_explicit(&rq->q.nr, memory_order_relaxed);
}

/* preempt.c: current keeps the CPU, as there is no other thread to run. Unlocks rq. */
void go_on(struct runq *rq) LOCKED_THROUGH_THREAD;

/* preempt.c: gives @t, whose slice is used up, a full one (PREEMPT1). rq locked. */
void slice_renew(struct runq *rq, struct thread *t, u64 now);

/*
 * --- Accounts and slices: preempt.c. Inline, as every switch calls all three. rq locked. ---------
 */

/* Charges the time since the last charge to current, which may be the idle thread. */
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

/* Starts, or resumes, the slice of @t, which gets the CPU. */
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

/* Stops the slice of @t, which gives up the CPU. */
static inline void slice_stop(struct runq *rq, struct thread *t, u64 now)
{
	bool left = !rq->expired && time_before(now, rq->slice_end);

	t->se.slice_left = left ? rq->slice_end - now : 0;	/* PREEMPT1 */
	t->stats.ready_since = now;
}
