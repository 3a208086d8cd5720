/*
 * The scheduler's mechanism: per-CPU run queues, blocking, waking, switching, preemption.
 * Which thread runs next is a policy's business (policy.h, one small file each).
 *
 * rq->lock is held across a context switch: the thread that gives up the CPU takes it, the thread
 * that gets the CPU releases it. So a CPU that holds the lock of a thread's run queue and finds the
 * thread not RUNNING knows that its registers are saved and no CPU is on its stack (SCHED1).
 */
#pragma once

#include "lock/spinlock.h"
#include "sched/policy/policy.h"
#include "types.h"

struct addr_space;
struct cpu;
struct thread;
struct waiter;

#define SLICE_OVER	1u		/* current's slice is over, or new: it goes to the tail */
#define SLICE_SPENT	2u		/* its budget is spent: it gives way in any case */

/*
 * A thread's run queue may change until it is locked, and a switch hands the lock to the next
 * thread. The lock analysis looks at one function at a time and can follow neither.
 */
#define LOCKED_THROUGH_THREAD	NO_LOCK_ANALYSIS("found through a thread, handed on in a switch")

struct runq {
	struct spinlock lock;
	struct thread *current;		/* [lock] on the CPU now; others may compare it as a hint */
	/* [lock] the thread that leaves, dead or for others to run, until sched_finish_switch() */
	struct thread *leaver;
	struct runq *missed;		/* [lock] queue that the last steal found locked, or NULL */
	u32 cpu_bit;			/* [const] its CPU's bit in an affinity mask */
	u8 expired;			/* [lock] SLICE_*: why current must give way */
	u64 charged_at;			/* [lock] current has been charged up to this time */
	u64 slice_end;			/* [lock] when current's slice is over */
	u64 balance_at;			/* [lock] when to compare its load with other CPUs' */
	struct policy_queue q;		/* [lock] the threads that wait */
};

/* Reads the boot arguments of policy.h, balance.c and affinity.c. A wrong one stops the boot. */
void sched_init(void);

/* Ends the boot path of each CPU: the caller becomes the CPU's idle thread. */
noreturn void sched_idle(void);

/*
 * Blocks the current thread, as SLEEPING if @sleeping, else as BLOCKED, until waiter_claim() on @w.
 * Returns at once if @w is claimed already or if the thread has work pending that breaks the wait;
 * then it claims @w itself, as KILLED or SIGNAL (WAIT2).
 */
void sched_block(struct waiter *w, bool sleeping);

/* Called by the claimer of @w: makes its thread ready if it has blocked on @w already. */
void sched_wake(struct waiter *w);

/* Suspends the current thread until thread_resume(), unless it is dying or resumed already. */
void sched_suspend_self(void);

/* Gives the CPU to another ready thread, if there is one. */
void sched_yield(void);

/*
 * Hooks of the folders above.
 * as_switch() in mm/space.c: loads @as (NULL: the kernel's root) on this CPU; interrupts are off.
 * thread_left() in thread/exit.c: wakes the joiner of @t, or hands @t to the reaper, when @t is
 * DEAD, has left its stack and the next thread runs.
 * thread_release() in process/threads.c: called when the last reference to @t is gone.
 */
void as_switch(struct addr_space *as);
void thread_left(struct thread *t);
void thread_release(struct thread *t);

/* In test kernels: makes current give way to another ready thread, as if its slice were over. */
void sched_force_switch(void);

/* Ends the current thread: it leaves the CPU for good, as DEAD. */
noreturn void sched_exit(void);

/* Called first in a new thread: unlocks the run queue and sees off the previous thread. */
void sched_finish_switch(void);

/* For the timer interrupt: ends a slice that is over, runs the policy's timer, balances. */
void sched_tick(u64 now);

/* Charges the time since the last charge to current, as user time if @user. */
void sched_charge(bool user);

/* Returns the run queue of @t, locked: @t cannot change CPUs until runq_unlock(). */
struct runq *thread_runq_lock(struct thread *t) LOCKED_THROUGH_THREAD;

/* The same for a caller that is about to make @t ready: moves @t first if it may not run there. */
struct runq *thread_runq_lock_allowed(struct thread *t) LOCKED_THROUGH_THREAD;
void runq_unlock(struct runq *rq) LOCKED_THROUGH_THREAD;

/*
 * Makes @t, BLOCKED, SLEEPING or SUSPENDED, ready on @rq, its run queue. rq locked. Then @t may run
 * on another CPU at once, so that it is gone unless the caller keeps it.
 */
void sched_make_ready(struct runq *rq, struct thread *t, const char *reason);

/* Takes a READY thread off its run queue, for suspend and kill. rq locked. */
void sched_remove(struct runq *rq, struct thread *t);

/* Sends an interrupt, so that the CPU of @rq looks at the work of its current thread. rq locked. */
void sched_kick(struct runq *rq);

/*
 * Restricts @t to the CPUs in @mask. On return it does not run on any other, and if it is READY,
 * queued or not, @t->cpu is one of @mask. Returns -EINVAL if no online CPU is in @mask, -EBUSY if
 * @t has a reservation on a CPU that is not. The caller may block, and holds no spin lock.
 */
int sched_set_affinity(struct thread *t, u32 mask);
extern bool affinity_off;	/* [const after boot] affinity=off: programs may not choose */

/*
 * Sets @t's scheduling parameters. Returns -EINVAL if the policy does not know the class or a value
 * is out of range, -EBUSY if no CPU has room for the reservation. May block.
 */
int sched_set_params(struct thread *t, const struct sched_params *p);
struct sched_params sched_get_params(struct thread *t);

/* Sets only the nice value, which is in range. Any context that may take a run queue's lock. */
void sched_set_nice(struct thread *t, int nice);

/* Gives back @t's reservation, if it has one. May block. */
void sched_release(struct thread *t);

/*
 * Makes @t at least as urgent as @rank, that of a thread that waits for it, until the next call.
 * Returns true if thread_rank(@t) has changed.
 */
bool sched_inherit(struct thread *t, struct sched_rank rank);

/* Panics unless every thread is in exactly one place and every count adds up. Quiet points only. */
void sched_audit(void);
