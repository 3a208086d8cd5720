/*
 * The scheduler's mechanism: per-CPU run queues, blocking, waking, switching, preemption.
 * Which thread runs next is a policy's business (policy.h, one small file each).
 *
 * rq->lock is held across a context switch: taken by the thread that gives up the CPU, released by
 * the one that gets it. So whoever holds a thread's run queue lock and finds it not RUNNING knows
 * that its registers are saved and nobody is on its stack (SCHED1).
 */
#pragma once

#include "base/list.h"
#include "lock/spinlock.h"
#include "sched/policy/policy.h"
#include "types.h"

struct addr_space;
struct cpu;
struct thread;
struct waiter;

#define SLICE_OVER	1u		/* its slice is over, or new: it goes to the tail */
#define SLICE_SPENT	2u		/* its budget is: even if nobody waits */

/*
 * Which run queue a thread's is can change until it is locked, and the lock is handed on in a
 * switch: both are beyond what can be read off one function.
 */
#define LOCKED_THROUGH_THREAD	NO_LOCK_ANALYSIS("found through a thread, handed on in a switch")

struct runq {
	struct spinlock lock;
	struct thread *current;		/* [lock] on the CPU now */
	/* [lock] who leaves this CPU, dead or perhaps to another, until sched_finish_switch() */
	struct thread *leaver;
	struct runq *missed;		/* [lock] the last steal found its lock taken; NULL: none */
	u32 cpu_bit;			/* [const] its CPU's in an affinity mask */
	u8 expired;			/* [lock] SLICE_*: why current must give way */
	u64 charged_at;			/* [lock] up to here time is on current's account */
	u64 slice_end;			/* [lock] when current's slice is over */
	u64 balance_at;			/* [lock] when to look whether others have more to do */
	struct policy_queue q;		/* [lock] who waits */
};

/* Reads its boot arguments: policy.h, balance.c, affinity.c. A wrong one stops the boot. */
void sched_init(void);

/* The boot path of each CPU ends here: it becomes the CPU's idle thread. Interrupts off. */
noreturn void sched_idle(void);

/*
 * Blocks the current thread until waiter_claim() on @w; state BLOCKED or SLEEPING. Returns at once
 * if @w is claimed already, or claims it as KILLED or SIGNAL if pending work breaks it (WAIT2).
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

/*
 * Hooks of the folders above.
 * as_switch(): loads @as (NULL: the kernel's root) on this CPU, interrupts off; mm/space.c.
 * thread_left(): @t, DEAD, has left its stack, and the next thread runs: wakes the joiner or hands
 * it to the reaper; thread/exit.c.
 * thread_release(): the last reference to @t is gone; process/threads.c.
 */
void as_switch(struct addr_space *as);
void thread_left(struct thread *t);
void thread_release(struct thread *t);

/* Test kernels: current gives way to any other ready thread, as if its slice were over. */
void sched_force_switch(void);

/* Leaves the CPU for good, as DEAD. */
noreturn void sched_exit(void);

/* First thing a thread does after a switch: releases what the previous one left. */
void sched_finish_switch(void);

/* Ends current's slice if it is over, serves the policy's timer, balances. Timer interrupt only. */
void sched_tick(u64 now);

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

/* Makes the CPU of @rq look soon at the work of its current thread. rq locked. */
void sched_kick(struct runq *rq);

/*
 * -EINVAL if no online CPU is in @mask, -EBUSY if @t has a reservation on another one. On return
 * @t neither runs nor waits on a forbidden CPU. No spin lock is held.
 */
int sched_set_affinity(struct thread *t, u32 mask);
extern bool affinity_off;	/* [const after boot] affinity=off: programs may not choose */

/*
 * -EINVAL: not parameters of a class that the policy knows. -EBUSY: no CPU has room for such a
 * reservation. May block.
 */
int sched_set_params(struct thread *t, const struct sched_params *p);
struct sched_params sched_get_params(struct thread *t);

/* The same for the nice value alone, in range. Any context that may take a run queue's lock. */
void sched_set_nice(struct thread *t, int nice);

/* Gives back what @t has reserved. May block; no effect on one without. */
void sched_release(struct thread *t);

/*
 * Makes @t as urgent as @rank, of a thread that waits for it, until the next call. True: its own
 * rank, thread_rank(), has changed.
 */
bool sched_inherit(struct thread *t, struct sched_rank rank);

/* Panics unless every thread is in exactly one place and every count adds up. Quiet points only. */
void sched_audit(void);
