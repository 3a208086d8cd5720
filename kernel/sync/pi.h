/*
 * Priority inheritance: which thread waits for which, and how urgent that makes each.
 *
 * Mutexes and PI futexes are built on this. A lock that threads wait for knows its owner and its
 * waiters, the most urgent first; a thread knows the one lock it waits for, and those of its own
 * locks that others wait for. One spin lock, pi_lock, guards the graph of these edges; it is taken
 * only where a thread has to wait or has waited.
 *
 *  PI1  Whenever pi_lock is free, a thread's rank is the highest of its own and those that the
 *       waiters for all locks it owns lend: their threads' ranks, of a `cyclic` one the own rank.
 *  PI2  A lock's waiters are in order of what they lend, equal ones in order of arrival.
 *  PI3  Following blocked_on and owner never comes back to where it began: the wait that would
 *       close such a cycle is refused, or marked `cyclic` and not followed.
 *  PI4  A waiter takes pi_lock once more before it returns, and touches the lock only if it is
 *       still among the lock's waiters. So the thread that takes it out may free the lock.
 */
#pragma once

#include "base/list.h"
#include "lock/spinlock.h"
#include "sched/policy/rank.h"
#include "sched/wait.h"
#include "types.h"

struct pi_queue {			/* the part of a lock that is used when threads wait */
	struct thread *owner;		/* [pi_lock] while threads wait; NULL: it has come free */
	struct list_node waiters;	/* [pi_lock] struct pi_waiter, PI2 */
	struct list_node held;		/* [pi_lock] in owner->contended while threads wait */
};

struct pi_waiter {			/* on the waiting thread's stack */
	struct waiter waiter;
	struct list_node node;		/* [pi_lock] */
	struct pi_queue *queue;		/* [const] */
	struct sched_rank rank;		/* [pi_lock] that it lends, PI1; decides its place */
	bool cyclic;			/* [const] PI3 */
};

#define PI_QUEUE_INIT(name) \
	{ .waiters = LIST_INIT((name).waiters), .held = LIST_INIT((name).held) }

extern struct spinlock pi_lock;

void pi_queue_init(struct pi_queue *q);

/* Exact with pi_lock held, hints otherwise. */
static inline bool pi_has_waiters(const struct pi_queue *q)
{
	return !list_empty(&q->waiters);
}

static inline bool pi_is_waiting(const struct pi_waiter *w)
{
	return list_linked(&w->node);
}

/* Checks whether @t, if it waited for a lock of @owner, would wait for itself. */
bool pi_would_deadlock(const struct thread *t, const struct thread *owner) HOLDS(pi_lock);

/*
 * Puts @w, of the current thread or a sleeping one, among the waiters of @q, which @owner owns
 * (NULL: no thread, for the moment). w->waiter is armed.
 */
void pi_wait(struct pi_queue *q, struct thread *owner, struct pi_waiter *w) HOLDS(pi_lock);

/*
 * Takes @w out after waiter_block(), unless it is out. True: it was still in, so its deadline or a
 * kill has ended the wait, and the lock may be looked at once more.
 */
bool pi_leave(struct pi_waiter *w) HOLDS(pi_lock);

/* Takes @w, asleep and claimed by the caller, out, makes its thread the owner, and wakes it. */
void pi_pass(struct pi_waiter *w) HOLDS(pi_lock);

/*
 * Passes @q to the first waiter that can be claimed, which inherits from those that remain. Returns
 * its thread; NULL: there was none, so @q has no owner now.
 */
struct thread *pi_hand_over(struct pi_queue *q) HOLDS(pi_lock);

/* Makes the thread of @w, which is awake, the owner of a lock that has none. */
void pi_take(struct pi_waiter *w) HOLDS(pi_lock);

/* If @q has no owner, wakes the first waiter that can be claimed, so that it looks at the lock. */
void pi_offer(struct pi_queue *q) HOLDS(pi_lock);

/* Leaves @q without an owner, and offers it to its waiters. */
void pi_abandon(struct pi_queue *q) HOLDS(pi_lock);

/* Takes every waiter out and wakes it with -EIDRM. */
void pi_destroy(struct pi_queue *q) HOLDS(pi_lock);

/* Puts @t, whose own rank has changed, in its new place among the waiters of its lock. */
void pi_rank_changed(struct thread *t) HOLDS(pi_lock);
