/*
 * The scheduler's mechanism: per-CPU run queues, blocking, waking, switching, preemption.
 * Which thread runs next is a policy's business (struct sched_policy, one small file each).
 *
 * rq->lock is held across a context switch: taken by the thread that gives up the CPU, released by
 * the one that gets it. So whoever holds a thread's run queue lock and finds it not RUNNING knows
 * that its registers are saved and nobody is on its stack (S1).
 */
#pragma once

#include "list.h"
#include "rank.h"
#include "spinlock.h"
#include "types.h"

struct cpu;
struct thread;
struct waiter;

enum enqueue_why {
	ENQUEUE_WAKE,
	ENQUEUE_PREEMPTED,
	ENQUEUE_EXPIRED,
	ENQUEUE_YIELD,
	ENQUEUE_MIGRATED
};

/*
 * Which run queue a thread's is can change until it is locked, and the lock is handed on in a
 * switch: both are beyond what can be read off one function.
 */
#define LOCKED_THROUGH_THREAD	NO_LOCK_ANALYSIS("found through a thread, handed on in a switch")

struct runq {
	struct spinlock lock;
	struct thread *current;		/* [lock] on the CPU now */
	/* [lock] who leaves this CPU for good, dead or to another, until sched_finish_switch() */
	struct thread *leaver;
	_Atomic unsigned nr_ready;	/* [lock] to change; queued, without current */
	bool steal_missed;		/* [lock] the last steal found another queue's lock taken */
	u64 charged_at;			/* [lock] up to here time is on current's account */
	u64 slice_end;			/* [lock] when current's slice is over */
	bool expired;			/* [lock] it is over, and somebody waits */
	struct list_node ready;		/* [lock] policy rr */
};

/* Every hook runs under rq->lock with interrupts off; none blocks or switches. */
struct sched_policy {
	const char *name;
	void (*init)(void);			/* once, at boot: reads its boot arguments */
	/* true: preempt */
	bool (*enqueue)(struct runq *rq, struct thread *t, enum enqueue_why why);
	void (*dequeue)(struct runq *rq, struct thread *t);	/* killed, suspended or moved */
	/* removes it; NULL: run the idle thread */
	struct thread *(*pick)(struct runq *rq);
	/* removes one that may run on @cpu */
	struct thread *(*steal)(struct runq *rq, unsigned cpu);
	u64 (*slice)(struct thread *t);				/* full slice, ns */
};

extern const struct sched_policy *sched_policy;	/* [const after boot] */

/* Reads sched= and quantum=; an unknown policy stops the boot with the allowed names. */
void sched_init(void);

/* The boot path of each CPU ends here: it becomes the CPU's idle thread. Interrupts off. */
noreturn void sched_idle(void);

/*
 * Blocks the current thread until waiter_claim() on @w; state BLOCKED or SLEEPING. Returns at once
 * if @w is claimed already, or claims it as KILLED if the thread is dying and @w is killable. W2.
 */
void sched_block(struct waiter *w, bool sleeping);

/* The claimer's second half: makes the thread of the claimed @w ready if it has blocked on it. */
void sched_wake(struct waiter *w);

/*
 * Suspends the current thread until thread_resume(), unless it is dying or resumed meanwhile. Any.
 */
void sched_suspend_self(void);

/* Gives the CPU to another ready thread, if there is one. */
void sched_yield(void);

/* Gives the CPU away against the thread's will: interrupt exit, irq_on(), preempt_on(). */
void sched_preempt(void);

/* Marks the current thread to give way to any other ready one, as if its slice were over. */
void sched_force_switch(void);

/* Leaves the CPU for good, as DEAD. */
noreturn void sched_exit(void);

/* First thing a thread does after a switch: releases what the previous one left. */
void sched_finish_switch(void);

/*
 * Ends current's slice if it is over. True: *next is when its slice must be looked at again.
 * Timer interrupt only.
 */
bool sched_tick(u64 now, u64 *next);

/* Charges the time since the last charge to current; @user: it was spent in user mode. */
void sched_charge(bool user);

/* The run queue of @t, locked; it cannot move until runq_unlock(). */
struct runq *thread_runq_lock(struct thread *t) LOCKED_THROUGH_THREAD;

/*
 * The same for who is about to make @t ready: if it may not run on that CPU it is moved to one
 * first.
 */
struct runq *thread_runq_lock_allowed(struct thread *t) LOCKED_THROUGH_THREAD;
void runq_unlock(struct runq *rq) LOCKED_THROUGH_THREAD;

/* Puts a SUSPENDED thread on a run queue of its affinity. rq locked by thread_runq_lock(). */
void sched_make_ready(struct runq *rq, struct thread *t, const char *reason);

/* Takes a READY thread off its run queue, for suspend and kill. rq locked. */
void sched_remove(struct runq *rq, struct thread *t);

/*
 * Who waits for @t makes it as urgent as @rank, until the next call. True: thread_rank(@t) has
 * changed. pi_lock held.
 */
bool sched_inherit(struct thread *t, struct sched_rank rank);

/* Makes the CPU of @rq look soon at the work of its current thread. rq locked. */
void sched_kick(struct runq *rq);

/* -EINVAL if no online CPU is in @mask. A thread on a forbidden CPU moves at its next switch. */
int sched_set_affinity(struct thread *t, u32 mask);

/* Panics unless every thread is in exactly one place and every count adds up. Quiet points only. */
void sched_audit(void);
