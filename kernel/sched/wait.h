/*
 * Waiting: the one primitive that everything which blocks is built on.
 *
 * A thread blocks on a wait queue until an event, a deadline, a kill, a signal that it has a
 * handler for, or the queue's destruction. It owns a waiter with one atomic word, `why`. The one
 * that first swaps it away from WAIT_ARMED wakes the thread, and nobody else does: a thread is
 * woken exactly once per wait, for one reason.
 *
 * Invariants
 *  WAIT1  `why` leaves WAIT_ARMED exactly once.
 *  WAIT2  A waiter is armed before it can be found, and the thread tests `why` and its own death
 *         under its run queue's lock after it can be found: no wake-up falls between test and
 *         block.
 *  WAIT3  wait_block_locked() returns with its waiter in no queue and nobody else holding a pointer
 *         to it: wakers hold q->lock, expiry the sleep queue's lock, a killer the run queue's, and
 *         the returning thread passes through each lock it was findable under.
 *  WAIT4  wait_queue_destroy() returns when no thread will touch the queue again.
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
	unsigned nr;			/* [lock] links not yet left, claimed or not */
	bool destroyed;			/* [lock] */
	struct waiter *drainer;		/* [lock] waits in destroy for nr to reach 0 */
};

/* One wait, on the waiting thread's stack. */
struct waiter {
	struct thread *thread;		/* [const] */
	_Atomic(enum wait_why) why;	/* [atomic] WAIT1 */
	int status;			/* [by the claimer, before it wakes] what the event says */
	u32 breaks;			/* [const] WORK_* of its thread that end this wait */
	const void *site;		/* [const] where in the kernel it waits, for /proc */
	struct rb_node timer;		/* [sq->lock] */
	u64 deadline;			/* [const while linked] */
	struct sleepq *sq;		/* [self] where the deadline is armed, or NULL */
};

/* A waiter's place in one queue; poll() stands in many with one waiter. */
struct wait_link {
	struct list_node node;		/* [q->lock] */
	struct waiter *waiter;		/* [const] */
	struct wait_queue *q;		/* [const] */
	/* [const] woken by every wake-up without using one up (poll) */
	bool shared;
	const void *site;		/* [const] who waits; NULL: wait_block_link()'s caller */
	/* [q->lock] for the queue's owner: futex address, bit set */
	u64 key;
	u64 key2;
};

#define WAIT_UNKILLABLE	1u	/* for waits that surely end, such as a device's answer */
#define WAIT_KILL_ONLY	2u	/* a signal with a handler has to wait: there is no way back yet */

#define WAIT_QUEUE_INIT(name)	\
	{ .lock = SPINLOCK_INIT(LOCK_WAITQ), .links = LIST_INIT((name).links) }

void wait_queue_init(struct wait_queue *q);

/*
 * Blocks the current thread on @q. Called with q->lock held (once, no other spin lock), returns
 * with it held; it is free in between. The caller tests its condition before and after, in a loop.
 *
 * 0 or the waker's status: an event. -ETIMEDOUT, -EINTR (killed, or a signal has a handler to run;
 * also if it was so when it called), -EIDRM (destroyed: unlock and never touch the object again).
 */
must_check int wait_block_locked(struct wait_queue *q, struct deadline d, unsigned flags)
	HOLDS(q->lock);

/*
 * As wait_block_locked(), in a place of the caller's making: its key is set, the rest is filled
 * in.
 */
must_check int wait_block_link(struct wait_queue *q, struct wait_link *link, struct deadline d,
			       unsigned flags) HOLDS(q->lock);

/*
 * Wakes the first waiter that nobody else has claimed; shared ones ahead of it too. q->lock held.
 */
bool wait_wake_one_locked(struct wait_queue *q, int status) HOLDS(q->lock);

/* Wakes every waiter, in order of arrival; returns how many. q->lock held. */
unsigned wait_wake_all_locked(struct wait_queue *q, int status) HOLDS(q->lock);

/*
 * Wakes every waiter with -EIDRM and returns when the last one has left the queue (WAIT4). May
 * block. q->lock free. Waiting on a destroyed queue is -EIDRM at once.
 */
void wait_queue_destroy(struct wait_queue *q);

/*
 * The parts, for waits on several queues at once (poll, futex waitv):
 *	waiter_init(); wait_link() in each queue under its lock; waiter_block(); wait_unlink() from
 *	each. waiter_block() returns what wait_block_locked() returns.
 */
void waiter_init(struct waiter *w, unsigned flags);
int wait_link(struct wait_queue *q, struct wait_link *link, struct waiter *w) HOLDS(q->lock);
int waiter_block(struct waiter *w, struct deadline d);
void wait_unlink(struct wait_queue *q, struct wait_link *link) HOLDS(q->lock);

/* The swap alone; for who holds the thread's run queue lock and makes it ready there. */
bool waiter_swap(struct waiter *w, enum wait_why why, int status);

/*
 * The single claim: swaps `why` from WAIT_ARMED to @why and makes the thread ready. False if
 * somebody else was first: then the waiter is not ours to touch. The caller holds the lock under
 * which it found the waiter (WAIT3).
 */
bool waiter_claim(struct waiter *w, enum wait_why why, int status);

/*
 * The same with the queue's lock taken inside, as LK has them: for kernel code that has no
 * condition of its own to guard. A wake-up with nobody waiting is lost.
 */
int wait_block(struct wait_queue *q, struct deadline d);
int wait_wake_one(struct wait_queue *q, int status);
int wait_wake_all(struct wait_queue *q, int status);

/* Sleeping: state SLEEPING, woken by the deadline or a kill alone. 0 or -EINTR. */
int thread_sleep_until(struct deadline d);
int thread_sleep(u64 ns);

/*
 * Sleep queues: per CPU, the armed deadlines in order. Expiry wakes every waiter that is due, by
 * deadline, then by arrival.
 */
struct sleepq {
	struct spinlock lock;
	struct rb_tree deadlines;	/* [lock] */
	unsigned nr;			/* [lock] */
};

void sleepq_init(struct sleepq *sq);
void sleepq_arm(struct waiter *w, u64 deadline);	/* on this CPU; before the thread blocks */
void sleepq_cancel(struct waiter *w);			/* on return no expiry touches @w */
void sleepq_expire(struct sleepq *sq, u64 now);
bool sleepq_next(struct sleepq *sq, u64 *deadline);	/* false: none armed */
