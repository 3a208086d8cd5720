/*
 * Priority inheritance: who waits for whom, and how urgent that makes whom.
 *
 * Two kinds of lock are made of this: mutexes and PI futexes. A lock that threads wait for knows
 * its owner and its waiters, the most urgent first; a thread knows the one lock it waits for and
 * those of its own that others wait for. The graph of these edges is guarded by one spin lock,
 * pi_lock, taken only where somebody has to wait or has waited.
 *
 *  PI1  A thread's rank is its own or that of the most urgent waiter for any lock it owns,
 *       whichever is higher, at all times but while pi_lock is held.
 *  PI2  A lock's waiters are in order of rank, those of equal rank in order of arrival.
 *  PI3  Following blocked_on and owner never comes back to where it began: the wait that would
 *       close such a cycle is refused, or noted as `cyclic` and not followed.
 *  PI4  Who waits takes pi_lock once more before it returns, and touches the lock only if it is
 *       still among its waiters. So who takes it out may free the lock.
 */
#pragma once

#include "base/list.h"
#include "lock/spinlock.h"
#include "sched/policy/rank.h"
#include "sched/wait.h"
#include "types.h"

struct pi_queue {			/* the half of a lock that is used when threads wait */
	struct thread *owner;		/* [pi_lock] while somebody waits; NULL: come free */
	struct list_node waiters;	/* [pi_lock] struct pi_waiter, PI2 */
	struct list_node held;		/* [pi_lock] in owner->contended while somebody waits */
};

struct pi_waiter {			/* on the waiting thread's stack */
	struct waiter waiter;
	struct list_node node;		/* [pi_lock] */
	struct pi_queue *queue;		/* [const] */
	struct sched_rank rank;		/* [pi_lock] what it was put in place by */
	bool cyclic;			/* [const] PI3 */
};

#define PI_QUEUE_INIT(name) \
	{ .waiters = LIST_INIT((name).waiters), .held = LIST_INIT((name).held) }

extern struct spinlock pi_lock;

void pi_queue_init(struct pi_queue *q);

/* All that follow: pi_lock held. */

static inline bool pi_has_waiters(const struct pi_queue *q)
{
	return !list_empty(&q->waiters);
}

/* Would @t, waiting for what @owner owns, wait for itself? */
bool pi_would_deadlock(const struct thread *t, const struct thread *owner) HOLDS(pi_lock);

/*
 * @w, of the current thread or one that sleeps, waits for @q, which @owner owns (NULL: nobody, for
 * the moment). w->waiter is armed.
 */
void pi_wait(struct pi_queue *q, struct thread *owner, struct pi_waiter *w) HOLDS(pi_lock);

/*
 * @w has returned from waiter_block(): takes it out if nobody has. True if it was still in: then
 * its wait was ended by its deadline or a kill, and the lock may be looked at once more.
 */
bool pi_leave(struct pi_waiter *w) HOLDS(pi_lock);

static inline bool pi_is_waiting(const struct pi_waiter *w)
{
	return list_linked(&w->node);
}

/* @w, claimed by the caller and asleep, is taken out, made the owner, and woken. */
void pi_pass(struct pi_waiter *w) HOLDS(pi_lock);

/*
 * Passes it to the first waiter that nobody else has claimed, which inherits from those that
 * remain. NULL: there is none, and now no owner.
 */
struct thread *pi_hand_over(struct pi_queue *q) HOLDS(pi_lock);

/* @w, which is awake, finds it without an owner, and becomes that. */
void pi_take(struct pi_waiter *w) HOLDS(pi_lock);

/* If it has no owner: wakes the first waiter that can be, for it to see. */
void pi_offer(struct pi_queue *q) HOLDS(pi_lock);

/* Its owner gives it up without passing it on. */
void pi_abandon(struct pi_queue *q) HOLDS(pi_lock);

/* Takes every waiter out and wakes it with -EIDRM. */
void pi_destroy(struct pi_queue *q) HOLDS(pi_lock);

/* The rank of @t itself has changed: so does its place among those it waits with. */
void pi_rank_changed(struct thread *t) HOLDS(pi_lock);
