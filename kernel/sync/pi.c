/*
 * Priority inheritance (Sha, Rajkumar, Lehoczky 1990), for mutexes and PI futexes. Interface and
 * invariants PI1 to PI4: pi.h.
 *
 *	high --waits for--> lock --owned by--> mid --waits for--> lock --owned by--> low
 *
 * Whenever a lock's waiters change (one comes, leaves by deadline or kill, is handed the lock) or a
 * rank does, update() computes the owner's inherited rank anew. It depends only on the present
 * waiters, never on a sum of boosts to be undone, so the order of releases does not matter. If the
 * owner's rank changes, and it waits itself, its place among its fellow waiters changes, and so on
 * up the chain, until a rank stays the same.
 *
 * One spin lock for all makes each such walk atomic and easy to read; chains are short. The price:
 * threads that contend for different locks wait for each other for the length of a walk (bounded by
 * the number of waiting threads), with interrupts off. Uncontended locks never come here.
 *
 * Lock order: pi_lock -> run queue.
 */
#include "sync/pi.h"

#include "sched/sched.h"
#include "thread/thread.h"

struct spinlock pi_lock = SPINLOCK_INIT(LOCK_PI);

void pi_queue_init(struct pi_queue *q)
{
	q->owner = NULL;
	list_init(&q->waiters);
	list_init(&q->held);
}

static struct pi_waiter *first_waiter(struct pi_queue *q)
{
	return list_first(&q->waiters, struct pi_waiter, node);
}

/* The rank that @w lends: round a circle only its thread's own, as the rest may come from it. */
static struct sched_rank lends(const struct pi_waiter *w)
{
	const struct thread *t = w->waiter.thread;

	return w->cyclic ? t->se.base : thread_rank(t);
}

/* PI2. Searches from the tail, as most waiters are no more urgent than the last. */
static void place(struct pi_queue *q, struct pi_waiter *w)
{
	struct list_node *after = q->waiters.prev;

	w->rank = lends(w);
	/* LAB 05-sync: put the waiter where its turn is */
	while (after != &q->waiters &&
	       rank_above(w->rank, list_entry(after, struct pi_waiter, node)->rank))
		after = after->prev;
	list_insert_before(after->next, &w->node);
	/* END LAB */
}

static struct sched_rank due(struct thread *t)
{
	struct sched_rank most = { .level = 0 };

	/* LAB 05-sync: find the highest rank that a waiter lends to t */
	list_for_each(q, &t->contended, struct pi_queue, held) {
		struct sched_rank r = first_waiter(q)->rank;

		if (rank_above(r, most))
			most = r;
	}
	/* END LAB */
	return most;
}

/* Makes PI1 true of @t (may be NULL), then of the owner it waits for, and so on. */
static void update(struct thread *t)
{
	/* LAB 05-sync: let t inherit what is due, then go up the chain */
	while (t) {
		struct pi_waiter *w;

		if (!sched_inherit(t, due(t)))
			return;
		w = t->blocked_on;
		if (!w || w->cyclic)
			return;
		list_remove(&w->node);
		place(w->queue, w);
		t = w->queue->owner;
	}
	/* END LAB */
}

/* Sets the owner. Without waiters none is noted: then the lock changes hands without pi_lock. */
static void set_owner(struct pi_queue *q, struct thread *owner)
{
	list_remove(&q->held);
	q->owner = pi_has_waiters(q) ? owner : NULL;
	if (q->owner)
		list_push_back(&owner->contended, &q->held);
}

static void take_out(struct pi_waiter *w)
{
	list_remove(&w->node);
	w->waiter.thread->blocked_on = NULL;
}

bool pi_would_deadlock(const struct thread *t, const struct thread *owner)
{
	/* LAB 05-sync: follow the chain from the owner, and look for t */
	while (owner) {
		const struct pi_waiter *w = owner->blocked_on;

		if (owner == t)
			return true;
		/* A claimed waiter is about to leave, so it is no link of the chain. */
		if (!w || w->cyclic || atomic_load(&w->waiter.why) != WAIT_ARMED)
			return false;
		owner = w->queue->owner;
	}
	/* END LAB */
	return false;
}

void pi_wait(struct pi_queue *q, struct thread *owner, struct pi_waiter *w)
{
	assert_held(&pi_lock);
	w->queue = q;
	place(q, w);
	w->waiter.thread->blocked_on = w;
	set_owner(q, owner);
	update(owner);
}

bool pi_leave(struct pi_waiter *w)
{
	struct pi_queue *q = w->queue;
	struct thread *owner;

	assert_held(&pi_lock);
	if (!list_linked(&w->node))
		return false;
	owner = q->owner;
	take_out(w);
	set_owner(q, owner);
	update(owner);
	return true;
}

void pi_pass(struct pi_waiter *w)
{
	struct pi_queue *q = w->queue;
	struct thread *before = q->owner, *after = w->waiter.thread;

	assert_held(&pi_lock);
	take_out(w);
	set_owner(q, after);
	update(after);			/* before it can run */
	sched_wake(&w->waiter);		/* it cannot return before pi_lock is free */
	update(before);
}

struct thread *pi_hand_over(struct pi_queue *q)
{
	/* LAB 05-sync: pass the lock to the first waiter that can be claimed */
	list_for_each(w, &q->waiters, struct pi_waiter, node) {
		if (waiter_swap(&w->waiter, WAIT_EVENT, 0)) {
			pi_pass(w);
			return w->waiter.thread;
		}
	}
	/* END LAB */
	pi_abandon(q);			/* a waiter that timed out may still take it */
	return NULL;
}

void pi_take(struct pi_waiter *w)
{
	struct pi_queue *q = w->queue;

	assert(!q->owner);
	take_out(w);
	set_owner(q, w->waiter.thread);
	update(w->waiter.thread);
}

void pi_offer(struct pi_queue *q)
{
	if (q->owner)
		return;
	list_for_each(w, &q->waiters, struct pi_waiter, node)
		if (waiter_claim(&w->waiter, WAIT_EVENT, 0))
			return;
}

void pi_abandon(struct pi_queue *q)
{
	struct thread *owner = q->owner;

	assert_held(&pi_lock);
	set_owner(q, NULL);
	update(owner);
	pi_offer(q);
}

void pi_destroy(struct pi_queue *q)
{
	struct thread *owner = q->owner;
	struct pi_waiter *w;

	assert_held(&pi_lock);
	while ((w = first_waiter(q))) {
		take_out(w);
		waiter_claim(&w->waiter, WAIT_DESTROYED, 0);
	}
	set_owner(q, NULL);
	update(owner);
}

void pi_rank_changed(struct thread *t)
{
	struct pi_waiter *w = t->blocked_on;

	assert_held(&pi_lock);
	if (!w || (!rank_above(lends(w), w->rank) && !rank_above(w->rank, lends(w))))
		return;
	list_remove(&w->node);
	place(w->queue, w);
	update(w->queue->owner);
}
