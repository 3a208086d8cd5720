/*
 * Wait queues: block until an event, a deadline, a kill or the queue's destruction.
 *
 * Interface and invariants WAIT1 to WAIT4: wait.h. This is the central race, and why no wake-up is
 * lost in it:
 *
 *	waiting thread                         waker
 *	q->lock: link is in the queue
 *	q->lock released                       q->lock: finds the link
 *	                                       swaps why: ARMED -> EVENT      (WAIT1)
 *	rq->lock: why is not ARMED: return     rq->lock: thread is RUNNING: nothing to do
 *	   or
 *	rq->lock: why is ARMED: BLOCKED, off   rq->lock: thread is BLOCKED: make it READY
 *
 * Under the run queue's lock the thread looks at `why` and the waker at the thread's state, so
 * whichever comes second sees what the first has done (WAIT2).
 */
#include "sched/wait.h"

#include "base/trace.h"
#include "errno.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "thread/thread.h"

void wait_queue_init(struct wait_queue *q)
{
	*q = (struct wait_queue){ .lock = SPINLOCK_INIT(LOCK_WAITQ) };
	list_init(&q->links);
}

void waiter_init(struct waiter *w, unsigned flags)
{
	*w = (struct waiter){
		.thread = current_thread(),
		.breaks = flags & WAIT_UNKILLABLE ? 0 :
			  flags & WAIT_KILL_ONLY  ? WORK_KILL : WORK_KILL | WORK_SIGNAL,
		.site = __builtin_return_address(0),
	};
	atomic_init(&w->why, WAIT_ARMED);
}

/* Returns true to the first claimer, whose @status the wait then has, and to no other. */
static bool swap_why(struct waiter *w, enum wait_why why, int status)
{
	/* LAB 04-sleep: let exactly one claimer win, and leave its status */
	enum wait_why armed = WAIT_ARMED;

	if (!atomic_compare_exchange_strong(&w->why, &armed, why))
		return false;
	w->status = status;
	return true;
	/* END LAB */
}

bool waiter_swap(struct waiter *w, enum wait_why why, int status)
{
	int tid = w->thread->tid;	/* of a claimed waiter the stack may be gone */

	if (!swap_why(w, why, status))
		return false;
	trace(TRACE_WAIT, TRACE_EV_CLAIM, tid, why);
	return true;
}

bool waiter_claim(struct waiter *w, enum wait_why why, int status)
{
	if (!waiter_swap(w, why, status))
		return false;
	sched_wake(w);
	return true;
}

int wait_link(struct wait_queue *q, struct wait_link *link, struct waiter *w)
{
	assert_held(&q->lock);
	if (q->destroyed)
		return -EIDRM;
	link->waiter = w;
	link->q = q;
	list_push_back(&q->links, &link->node);
	q->nr++;
	return 0;
}

void wait_unlink(struct wait_queue *q, struct wait_link *link)
{
	/* LAB 04-sleep: leave the queue; let a destroyer know when the last one has left */
	assert_held(&q->lock);
	if (list_linked(&link->node))
		list_remove(&link->node);
	if (--q->nr == 0 && q->drainer)
		waiter_claim(q->drainer, WAIT_EVENT, 0);
	/* END LAB */
}

/*
 * Returns 0 if the wait ended with an event. Acquire: pairs with the claim in swap_why(), since a
 * caller of waiter_block() may take no lock before it uses what the claimer did before its claim.
 */
static int wait_error(struct waiter *w)
{
	switch (atomic_load_explicit(&w->why, memory_order_acquire)) {
	case WAIT_EVENT:
		return 0;
	case WAIT_TIMEOUT:
		return -ETIMEDOUT;
	case WAIT_KILLED:
	case WAIT_SIGNAL:
		return -EINTR;
	case WAIT_DESTROYED:
		return -EIDRM;
	default:
		panic("thread %d was woken, but its wait is not claimed", w->thread->tid);
	}
}

int waiter_block(struct waiter *w, struct deadline d)
{
	assert_may_block();
	/* LAB 04-sleep: arm the deadline, block, and leave nothing armed behind */
	if (d.kind == DEADLINE_KIND_POLL)
		waiter_swap(w, WAIT_TIMEOUT, 0);
	if (d.kind == DEADLINE_KIND_AT)
		sleepq_arm(w, d.at);
	sched_block(w, false);
	if (w->sq)
		sleepq_cancel(w);
	/* END LAB */
	return wait_error(w);
}

int wait_block_link(struct wait_queue *q, struct wait_link *link, struct deadline d, unsigned flags)
{
	struct waiter w;
	int err;

	assert_held(&q->lock);
	waiter_init(&w, flags);
	w.site = link->site ? link->site : __builtin_return_address(0);
	err = wait_link(q, link, &w);
	if (err)
		return err;
	trace(TRACE_WAIT, TRACE_EV_BLOCK, (u64)q, d.kind == DEADLINE_KIND_AT ? d.at : 0);
	/* LAB 04-sleep: block without holding the queue's lock; return holding it, in no queue */
	spin_unlock(&q->lock);
	waiter_block(&w, d);
	spin_lock(&q->lock);
	wait_unlink(q, link);
	/* END LAB */
	err = wait_error(&w);
	return err ? err : w.status;	/* under q->lock, as the claimer wrote it */
}

int wait_block_locked(struct wait_queue *q, struct deadline d, unsigned flags)
{
	struct wait_link link = { .site = __builtin_return_address(0) };

	return wait_block_link(q, &link, d, flags);
}

bool wait_wake_one_locked(struct wait_queue *q, int status)
{
	assert_held(&q->lock);
	/* LAB 04-sleep: wake the first armed waiter, and every shared one ahead of it */
	struct list_node *n, *next;

	for (n = q->links.next; n != &q->links; n = next) {
		struct wait_link *link = list_entry(n, struct wait_link, node);
		bool shared = link->shared;

		next = n->next;
		list_remove(n);
		if (waiter_claim(link->waiter, WAIT_EVENT, status) && !shared)
			return true;
	}
	return false;
	/* END LAB */
}

unsigned wait_wake_all_locked(struct wait_queue *q, int status)
{
	assert_held(&q->lock);
	/* LAB 04-sleep: wake every waiter, in order of arrival */
	struct list_node *n;
	unsigned woken = 0;

	while ((n = list_pop_node(&q->links)))
		if (waiter_claim(list_entry(n, struct wait_link, node)->waiter, WAIT_EVENT, status))
			woken++;
	return woken;
	/* END LAB */
}

void wait_queue_destroy(struct wait_queue *q)
{
	spin_lock(&q->lock);
	assert(!q->destroyed);
	/* LAB 04-sleep: wake every waiter as DESTROYED, then wait until the last has left */
	struct list_node *n;
	struct waiter self;

	q->destroyed = true;
	while ((n = list_pop_node(&q->links)))
		waiter_claim(list_entry(n, struct wait_link, node)->waiter, WAIT_DESTROYED, 0);
	if (q->nr) {
		waiter_init(&self, WAIT_UNKILLABLE);
		q->drainer = &self;
		spin_unlock(&q->lock);
		sched_block(&self, false);
		spin_lock(&q->lock);
	}
	/* END LAB */
	spin_unlock(&q->lock);
}

int wait_block(struct wait_queue *q, struct deadline d)
{
	int err;

	spin_lock(&q->lock);
	err = wait_block_locked(q, d, 0);
	spin_unlock(&q->lock);
	return err;
}

int wait_wake_one(struct wait_queue *q, int status)
{
	int woken;

	spin_lock(&q->lock);
	woken = wait_wake_one_locked(q, status);
	spin_unlock(&q->lock);
	return woken;
}

int wait_wake_all(struct wait_queue *q, int status)
{
	int woken;

	spin_lock(&q->lock);
	woken = wait_wake_all_locked(q, status);
	spin_unlock(&q->lock);
	return woken;
}
