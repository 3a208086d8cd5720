/*
 * The scheduler's mechanism: blocking, waking, switching, preempting.
 *
 * Each CPU has a run queue with one lock, rq->lock, which is held across a context switch:
 *
 *	thread A on this CPU                     thread B
 *	lock rq; state of A; pick B
 *	arch_switch(A, B) ---------------------> returns from its own arch_switch()
 *	                                         sched_finish_switch(): unlock rq
 *
 *  SCHED1  A thread that is not RUNNING, seen under its run queue's lock, has its registers saved,
 *          and no CPU is on its stack.
 *  SCHED2  A READY thread is on exactly one run queue, that of t->cpu; a thread in any other state
 *          is on none. (A thread that gave way on a CPU that it may not use any more is READY on
 *          none until sched_finish_switch() has moved it.)
 *  SCHED3  rq->current is RUNNING, or has just changed its own state and is about to switch away.
 *
 * From pick to switch the CPU takes no interrupt, as rq->lock is held. The policy chooses the next
 * thread (policy.h). Waking puts a thread on its last CPU; an idle CPU that could run it sooner is
 * kicked (idle.c) and steals it (balance.c). Slices and preemption: preempt.c. Lock order: all
 * other locks of threads, processes and waiting -> rq->lock.
 */
#include "sched/sched.h"

#include "base/trace.h"
#include "internal.h"
#include "mm/vm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "thread/thread.h"

void sched_init(void)
{
	policy_init();
	affinity_init();
	balance_init();
	runq_init(&cpus[0]);	/* again: now its boot arguments are known */
}

void runq_init(struct cpu *c)
{
	struct runq *rq = &c->runq;

	*rq = (struct runq){ .lock = SPINLOCK_INIT(LOCK_RUNQ), .current = &c->idle };
	rq->cpu_bit = BIT(c->id);
	rq->charged_at = rq->balance_at = time_now();
	policy_queue_init(&rq->q, c->id);
}

struct runq *thread_runq_lock(struct thread *t)
{
	for (;;) {
		struct cpu *c = thread_cpu(t);

		spin_lock(&c->runq.lock);
		if (likely(c == thread_cpu(t)))
			return &c->runq;
		spin_unlock(&c->runq.lock);	/* @t changed CPUs before we had the lock */
	}
}

void runq_unlock(struct runq *rq)
{
	spin_unlock(&rq->lock);
}

/*
 * --- The switch --------------------------------------------------------------------------------
 */

static noinline LOCKED_THROUGH_THREAD void see_off(struct runq *rq, struct thread *t)
{
	rq->leaver = NULL;
	irq_off();
	if (thread_state(t) == THREAD_DEAD) {
		spin_unlock(&rq->lock);
		trace(TRACE_LIFE, TRACE_EV_LEFT, t->tid, (u64)t->stack);
		thread_left(t);		/* SCHED1: no CPU is on its stack */
	} else if (may_run_here(rq, t) && !t->se.rt && !idle_cpu_for(t, rq)) {
		spin_unlock(&rq->lock);
	} else {
		thread_get(t);		/* it may run on another CPU and end before we lock it */
		spin_unlock(&rq->lock);
		rq = thread_runq_lock_allowed(t);
		offer(rq, t);
		runq_unlock(rq);
		thread_put(t);
	}
	irq_on();
}

static inline LOCKED_THROUGH_THREAD void finish_switch(struct runq *rq)
{
	if (unlikely(rq->leaver))
		see_off(rq, rq->leaver);
	else
		spin_unlock(&rq->lock);
}

void sched_finish_switch(void)
{
	finish_switch(&this_cpu()->runq);
}

static inline void switch_to(struct runq *rq, struct thread *prev, struct thread *next)
{
	trace(TRACE_SCHED, TRACE_EV_SWITCH, next->tid, prev->tid);
	__atomic_store_n(&rq->current, next, __ATOMIC_RELAXED);	/* see is_idle_hint() */
	runq_cpu(rq)->stats.switches++;
	next->stats.switches_in++;
	as_switch(next->as);
	arch_switch_state(prev, next);
	spin_transfer(&rq->lock, next);
	arch_switch(prev, next);
	/* We may be on another CPU now; it is that CPU's run queue that is locked. */
	finish_switch(&thread_cpu(prev)->runq);
}

static inline struct sched_entity *pick(struct runq *rq, u64 now)
{
	return unlikely(rq->q.urgent.root) ? pick_urgent(rq, now) : policy.pick(&rq->q, now);
}

/* Switches to the thread that is picked. @prev, still current, is charged, and queued or gone. */
static always_inline LOCKED_THROUGH_THREAD void run_next(struct runq *rq, struct thread *prev,
							 u64 now)
{
	struct sched_entity *e;
	struct thread *next;

	atomic_fetch_and_explicit(&prev->work, ~WORK_RESCHED, memory_order_relaxed);
	e = pick(rq, now);
	if (unlikely(!e) && may_steal && steal(rq, now))
		e = pick(rq, now);
	next = e ? thread_of(e) : &runq_cpu(rq)->idle;
	rq->q.current = e;
	thread_set_state(next, THREAD_RUNNING, "picked");
	slice_start(rq, next, now);
	if (next == prev) {
		rq->leaver = NULL;
		spin_unlock(&rq->lock);
	} else {
		switch_to(rq, prev, next);
	}
}

void schedule(struct runq *rq)
{
	struct thread *prev = rq->current;
	u64 now = time_now();

	slice_stop(rq, prev, now);
	charge(rq, now, false);
	if (!is_idle(rq, prev)) {
		bool urgent = prev->se.rt || policy.classes & BIT(SCHED_DEADLINE);

		queue_leave(&rq->q, &prev->se, now);
		if (unlikely(urgent)) {
			rq->q.current = NULL;
			pull(rq, now);
		}
	}
	run_next(rq, prev, now);
}

void requeue(struct runq *rq, struct thread *t, enum enqueue_why why)
{
	u64 now = time_now();

	slice_stop(rq, t, now);
	if (why == ENQUEUE_PREEMPTED && !t->se.slice_left)
		why = ENQUEUE_EXPIRED;		/* a more urgent thread came before the tick */
	charge(rq, now, false);
	rq->q.current = NULL;
	thread_set_state(t, THREAD_READY, "gives way");
	if (likely(may_run_here(rq, t))) {
		queue_enqueue(&rq->q, &t->se, why, now);
		if (unlikely(atomic_load_explicit(&t->se.home, memory_order_relaxed)))
			pull(rq, now);		/* its budget may be spent */
	} else {
		queue_leave(&rq->q, &t->se, now);
		if (t->se.rt)
			pull(rq, now);
	}
	rq->leaver = t;		/* once it is off its stack, another CPU may get it */
	run_next(rq, t, now);
}

/*
 * --- Blocking and waking ------------------------------------------------------------------------
 */

void sched_block(struct waiter *w, bool sleeping)
{
	struct thread *t = current_thread();
	struct runq *rq = this_runq_lock();

	/*
	 * WAIT2: claimers and killers need rq->lock: none comes between this test and BLOCKED.
	 * Relaxed: the bits are set under that lock, or before it is taken, or by this thread.
	 */
	if (unlikely(atomic_load_explicit(&t->work, memory_order_relaxed) & w->breaks))
		waiter_swap(w, thread_is_dying(t) ? WAIT_KILLED : WAIT_SIGNAL, 0);
	if (atomic_load_explicit(&w->why, memory_order_relaxed) != WAIT_ARMED) {
		runq_unlock(rq);
		return;
	}
	t->waiter = w;
	thread_set_state(t, sleeping ? THREAD_SLEEPING : THREAD_BLOCKED, "waits");
	schedule(rq);
}

void sched_kick(struct runq *rq)
{
	if (runq_cpu(rq) != this_cpu())
		ipi_send(runq_cpu(rq), IPI_RESCHED);
}

void runq_resched(struct runq *rq)
{
	if (!(atomic_fetch_or(&rq->current->work, WORK_RESCHED) & WORK_RESCHED))
		sched_kick(rq);
}

void runq_enqueue(struct runq *rq, struct thread *t, enum enqueue_why why)
{
	/* A CPU marked RESCHED will pick one new thread; offer the next one to another CPU. */
	bool told = atomic_load(&rq->current->work) & WORK_RESCHED;
	u64 now = time_now();

	if (why == ENQUEUE_WAKE)
		t->stats.ready_since = now;
	if ((!queue_enqueue(&rq->q, &t->se, why, now) && !is_idle(rq, rq->current)) || told) {
		if (why == ENQUEUE_MIGRATED || !(t->se.rt & RT_RANK))
			kick_idle_for(t, NULL);		/* one that was moved here stays */
		else
			push(rq, t);
		return;
	}
	if (is_idle(rq, rq->current))
		idle_leave(rq);
	runq_resched(rq);
}

void sched_make_ready(struct runq *rq, struct thread *t, const char *reason)
{
	t->waiter = NULL;
	runq_cpu(rq)->stats.wakes++;
	runq_cpu(rq)->stats.local_wakes += runq_cpu(rq) == this_cpu();
	thread_set_state(t, THREAD_READY, reason);
	trace(TRACE_WAIT, TRACE_EV_WAKE, t->tid, runq_cpu(rq)->id);
	runq_enqueue(rq, t, ENQUEUE_WAKE);
}

void sched_remove(struct runq *rq, struct thread *t)
{
	assert(thread_state(t) == THREAD_READY);
	queue_dequeue(&rq->q, &t->se);
	queue_leave(&rq->q, &t->se, time_now());
	if (t->se.rt)
		pull(rq, time_now());
}

void sched_wake(struct waiter *w)
{
	struct thread *t = w->thread;
	struct runq *rq = thread_runq_lock_allowed(t);

	/* If it has not blocked on this wait yet, it will see the claim when it tries (WAIT2). */
	if (t->waiter == w)
		sched_make_ready(rq, t, "woken");
	runq_unlock(rq);
}

void sched_suspend_self(void)
{
	struct thread *t = current_thread();
	struct runq *rq = this_runq_lock();
	/*
	 * STOP2: a thread whose stop is not noted yet goes through the edge once more. If the
	 * process is continued just now, it does so too, or is resumed as soon as the lock is free.
	 */
	u32 work = t->stop_pending ? 0 : atomic_fetch_and(&t->work, ~WORK_SUSPEND);

	if (!(work & WORK_SUSPEND) || (work & WORK_KILL)) {
		runq_unlock(rq);
		return;
	}
	thread_set_state(t, THREAD_SUSPENDED, "suspends itself");
	schedule(rq);
}

noreturn void sched_exit(void)
{
	struct thread *t = current_thread();
	struct runq *rq = this_runq_lock();

	thread_set_state(t, THREAD_DEAD, "exits");
	rq->leaver = t;
	schedule(rq);
	panic("dead thread %d was dispatched", t->tid);
}
