/*
 * Waiting: the one primitive that everything which blocks is built on.
 *
 * A thread blocks on a wait queue until an event, a deadline, a kill, a signal that it has a
 * handler for, or the queue's destruction. It owns a waiter with one atomic word, `why`. Waker,
 * timer and killer compete to swap `why` away from WAIT_ARMED; only the winner, the claimer, wakes
 * the thread. So a thread is woken exactly once per wait, for one reason.
 *
 * Invariants
 *  WAIT1  `why` leaves WAIT_ARMED exactly once.
 *  WAIT2  A waiter is armed before it can be found. Once it can be found, the thread tests `why`
 *         and its own death under its run queue's lock, so no wake-up falls between test and
 *         block.
 *  WAIT3  When wait_block_locked() returns, its waiter is in no queue and no other CPU has a
 *         pointer to it. A waker uses it under q->lock, an expiry under the sleep queue's lock, a
 *         killer under the run queue's; the thread takes each of these locks on its way out.
 *  WAIT4  wait_queue_destroy() returns only when no thread will touch the queue again.
 *
 * Lock order: object lock -> q->lock -> sleep queue -> run queue.
 */
#pragma once

#include "base/list.h"
#include "base/rbtree.h"
#include "lock/spinlock.h"
#include "sched/time.h"
#include "types.h"

#define WAIT_WHYS(X) \
	X(WAIT_ARMED,		"armed") \
	X(WAIT_EVENT,		"event") \
	X(WAIT_TIMEOUT,		"timeout") \
	X(WAIT_KILLED,		"killed") \
	X(WAIT_DESTROYED,	"destroyed") \
	X(WAIT_SIGNAL,		"signal")

#define X(id, name) id,
enum wait_why { WAIT_WHYS(X) };
#undef X

struct thread;
struct sleepq;

struct wait_queue {
	struct spinlock lock;
	struct list_node links;		/* [lock] struct wait_link, in order of arrival */
	unsigned nr;			/* [lock] waiters that have not left yet, claimed or not */
	bool destroyed;			/* [lock] */
	struct waiter *drainer;		/* [lock] wait_queue_destroy(), until nr is 0 */
};

/* One wait, on the waiting thread's stack. */
struct waiter {
	struct thread *thread;		/* [const] */
	_Atomic(enum wait_why) why;	/* [atomic] WAIT1 */
	int status;			/* the event's result; the claimer writes it, then wakes */
	u32 breaks;			/* [const] WORK_* of its thread that end this wait */
	const void *site;		/* [const] where in the kernel it waits, for /proc */
	struct rb_node timer;		/* [sq->lock] */
	u64 deadline;			/* [const while linked] */
	struct sleepq *sq;		/* [self] where the deadline is armed, or NULL */
};

/* A waiter's place in one queue. poll() waits in many queues with one waiter. */
struct wait_link {
	struct list_node node;		/* [q->lock] */
	struct waiter *waiter;		/* [const] */
	struct wait_queue *q;		/* [const] */
	bool shared;			/* [const] does not use up a wake-one (poll) */
	const void *site;		/* [const] waiter.site; NULL: wait_block_link()'s caller */
	u64 key;			/* [q->lock] the queue owner's: a futex's address, ... */
	u64 key2;			/* ... and bit set */
};

#define WAIT_UNKILLABLE	1u	/* for waits that certainly end, such as for a device's answer */
#define WAIT_KILL_ONLY	2u	/* the caller cannot return to run a signal handler yet */

#define WAIT_QUEUE_INIT(name)	\
	{ .lock = SPINLOCK_INIT(LOCK_WAITQ), .links = LIST_INIT((name).links) }

void wait_queue_init(struct wait_queue *q);

/*
 * Blocks the current thread on @q. Releases q->lock, which must be the only spin lock held, and
 * takes it again before returning. The caller tests its condition before and after, in a loop.
 *
 * Returns the waker's status (0 by default) after an event; -ETIMEDOUT; -EINTR if the thread is
 * killed or has a signal handler to run, even from before the call; -EIDRM if the queue was
 * destroyed: unlock and never touch the object again.
 */
must_check int wait_block_locked(struct wait_queue *q, struct deadline d, unsigned flags)
	HOLDS(q->lock);

/* As wait_block_locked(), with the caller's own @link, whose keys and site are already set. */
must_check int wait_block_link(struct wait_queue *q, struct wait_link *link, struct deadline d,
			       unsigned flags) HOLDS(q->lock);

/*
 * Wakes the first waiter that is still armed, and the shared ones ahead of it. Returns false if
 * only shared ones were: then the wake-up is not used up.
 */
bool wait_wake_one_locked(struct wait_queue *q, int status) HOLDS(q->lock);

/* Wakes every waiter, in order of arrival; returns how many it woke. */
unsigned wait_wake_all_locked(struct wait_queue *q, int status) HOLDS(q->lock);

/*
 * Wakes every waiter with -EIDRM and returns when the last one has left the queue (WAIT4). May
 * block; q->lock is not held. From then on a wait on @q returns -EIDRM at once.
 */
void wait_queue_destroy(struct wait_queue *q);

/*
 * The steps of a wait, for waits on several queues at once (poll, futex_waitv): waiter_init();
 * wait_link() in each queue, under its lock; waiter_block(); wait_unlink() from each queue.
 *
 * waiter_block() returns what wait_block_locked() returns, but 0 after every event: a waker claims
 * the wait first, and writes the status before it releases its lock. So w->status is certain after
 * wait_unlink().
 */
void waiter_init(struct waiter *w, unsigned flags);
int wait_link(struct wait_queue *q, struct wait_link *link, struct waiter *w) HOLDS(q->lock);
int waiter_block(struct waiter *w, struct deadline d);
void wait_unlink(struct wait_queue *q, struct wait_link *link) HOLDS(q->lock);

/* Only swaps `why`. A caller that holds the thread's run queue lock makes it ready itself. */
bool waiter_swap(struct waiter *w, enum wait_why why, int status);

/*
 * Claims a wait: swaps `why` from WAIT_ARMED to @why and makes the thread ready. Returns false if
 * another claimer was first: then the waiter must not be touched. The caller holds the lock under
 * which it found the waiter (WAIT3).
 */
bool waiter_claim(struct waiter *w, enum wait_why why, int status);

/*
 * The same, taking the queue's lock themselves, as in LK: for code that has no condition of its own
 * to guard. A wake-up while no thread waits is lost.
 */
int wait_block(struct wait_queue *q, struct deadline d);
int wait_wake_one(struct wait_queue *q, int status);
int wait_wake_all(struct wait_queue *q, int status);

/* Sleeps (state SLEEPING) until the deadline: 0. A kill or a signal handler ends it: -EINTR. */
int thread_sleep_until(struct deadline d);
int thread_sleep(u64 ns);

/*
 * Sleep queues hold the armed deadlines of one CPU. sleepq_expire() wakes every waiter that is due,
 * in order of deadline, then of arrival.
 */
struct sleepq {
	struct spinlock lock;
	struct rb_tree deadlines;	/* [lock] */
	unsigned nr;			/* [lock] */
};

void sleepq_init(struct sleepq *sq);
void sleepq_arm(struct waiter *w, u64 deadline);	/* on this CPU, before the thread blocks */
void sleepq_cancel(struct waiter *w);			/* afterwards no expiry touches @w */
void sleepq_expire(struct sleepq *sq, u64 now);
bool sleepq_next(struct sleepq *sq, u64 *deadline);	/* false: none armed */
