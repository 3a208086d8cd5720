/*
 * The graph of waits by hand: threads that never run, and locks that are entered in it as if they
 * waited for them. Shared by the scenarios of steps 3 and 4.
 */
#pragma once

#include "explore/scenario.h"
#include "sync/pi.h"

#define THREADS	6
#define LOCKS	4

static struct thread *threads[THREADS];
static struct pi_queue queues[LOCKS];
static struct pi_waiter waiters[THREADS];

static inline void make_threads(const u8 *levels)
{
	for (unsigned i = 0; i < LOCKS; i++)
		pi_queue_init(&queues[i]);
	for (unsigned i = 0; i < THREADS; i++)
		threads[i] = thread_create("member", act, NULL, levels[i]);
}

/* Thread @t waits for lock @q of @owner. */
static inline void wait_for(unsigned t, unsigned q, unsigned owner)
{
	waiter_init(&waiters[t].waiter, 0);
	waiters[t].waiter.thread = threads[t];
	spin_lock(&pi_lock);
	pi_wait(&queues[q], threads[owner], &waiters[t]);
	spin_unlock(&pi_lock);
}

static inline void give_up(unsigned t)
{
	spin_lock(&pi_lock);
	waiter_swap(&waiters[t].waiter, WAIT_TIMEOUT, 0);
	expect(pi_leave(&waiters[t]), "thread %u is in no list", t);
	spin_unlock(&pi_lock);
}

static inline void pass_to(unsigned t)
{
	spin_lock(&pi_lock);
	waiter_swap(&waiters[t].waiter, WAIT_EVENT, 0);
	pi_pass(&waiters[t]);
	spin_unlock(&pi_lock);
}

/* The digits of @wanted are the threads that wait for lock @q, in order. */
static inline void expect_order(unsigned q, const char *wanted, const char *when)
{
	char found[THREADS + 1] = "";
	unsigned n = 0;

	list_for_each(w, &queues[q].waiters, struct pi_waiter, node)
		for (unsigned i = 0; i < THREADS && n < THREADS; i++)
			if (w->waiter.thread == threads[i])
				found[n++] = (char)('0' + i);
	for (unsigned i = 0; i <= n; i++)
		expect(found[i] == wanted[i], "%s: the order is %s, not %s", when, found, wanted);
}

/* Thread @t has the rank of a thread of priority @level. */
static inline void expect_rank(unsigned t, unsigned of, const char *when)
{
	expect(thread_rank(threads[t]).level == threads[of]->se.base.level,
	       "%s: thread %u has rank %u, due is %u", when, t, thread_rank(threads[t]).level,
	       threads[of]->se.base.level);
}

static inline void expect_circle(unsigned t, unsigned owner, bool wanted, const char *when)
{
	bool found;

	spin_lock(&pi_lock);
	found = pi_would_deadlock(threads[t], threads[owner]);
	spin_unlock(&pi_lock);
	expect(found == wanted, "%s: if thread %u waited for a lock of %u, %s", when, t, owner,
	       wanted ? "a circle would be closed, and none is found"
		      : "no circle would be closed, and one is found");
}
