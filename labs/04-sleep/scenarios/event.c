/*
 * Lab 04, step 3: events. The waiters test a condition that the queue's lock guards, as all code
 * that waits does, so a waiter whose wake-up is lost waits for ever.
 */
#include "explore/scenario.h"

#include "sched/wait.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static unsigned tickets, given;	/* [q.lock] there are now, there were ever */
static unsigned nr_waits;		/* [q.lock] */
static unsigned woken;			/* [self] of the scenario's thread */

static const char *queue_is_empty(void)
{
	return q.nr || !list_empty(&q.links) ? "a waiter is still in the queue" : NULL;
}

/* Waits until there is a ticket and takes it; returns the status of the last wake-up, or 0. */
static int take(void)
{
	int status = 0;

	spin_lock(&q.lock);
	while (!tickets) {
		nr_waits++;
		status = wait_block_locked(&q, DEADLINE_NEVER, 0);
	}
	tickets--;
	spin_unlock(&q.lock);
	return status;
}

static bool give(int status)
{
	bool woke;

	spin_lock(&q.lock);
	tickets++;
	given++;
	woke = wait_wake_one_locked(&q, status);
	spin_unlock(&q.lock);
	return woke;
}

static struct actor taker, taker2, giver;

static const char *one_status(void)
{
	int status = woken ? 7 : 0;

	if (taker.result != status)
		return wrong("the waker passed 7 to %u waiters, and the waiter got %d", woken,
			     taker.result);
	return queue_is_empty();
}

SCENARIO(event, "event.not_lost", "04.3", "P4.8", .cpus = 2, .after = one_status, .keeps = true)
{
	act_on(1, &taker, take);
	woken = give(7);
	end_here();
}

/* Two waiters and two wake-ups for one of them. */
SCENARIO(two, "event.one_each", "04.3", "P4.6", .cpus = 2, .after = queue_is_empty, .keeps = true)
{
	act_on(1, &taker, take);
	act_on(1, &taker2, take);
	woken = give(0);
	woken += give(0);
	end_here();
}

static int give_5(void)
{
	return give(5);
}

static const char *one_woken(void)
{
	if (woken + giver.result != nr_waits)
		return wrong("two wake-ups woke %u waiters, and %u waited", woken + giver.result,
			     nr_waits);
	return queue_is_empty();
}

/* One waiter and two wakers. */
SCENARIO(two_wakers, "event.two_wakers", "04.3", "P4.6", .cpus = 2, .after = one_woken,
	 .keeps = true)
{
	act_on(1, &taker, take);
	act_on(1, &giver, give_5);
	woken = give(7);
	end_here();
}

/* Waits until a ticket has been given, and takes none. */
static int watch(void)
{
	struct wait_link link = { .shared = true };
	int err = 0;

	spin_lock(&q.lock);
	while (!given)
		err = wait_block_link(&q, &link, DEADLINE_NEVER, 0);
	spin_unlock(&q.lock);
	return err;
}

static struct actor watcher;

/* A shared waiter ahead of another one: it is woken too, and does not use the wake-up up. */
SCENARIO(shared, "event.shared", "04.3", "P4.6", .cpus = 2, .after = queue_is_empty, .keeps = true)
{
	act_on(1, &watcher, watch);
	await_blocked(&watcher);
	act_on(1, &taker, take);
	give(0);
	end_here();
}

/* Waits until there is a ticket, and leaves it to the others. */
static int see(void)
{
	spin_lock(&q.lock);
	while (!tickets) {
		nr_waits++;
		if (wait_block_locked(&q, DEADLINE_NEVER, 0))
			break;
	}
	spin_unlock(&q.lock);
	return 0;
}

static const char *all_woken(void)
{
	if (woken != nr_waits)
		return wrong("a wake-up for all woke %u of %u waiters", woken, nr_waits);
	return queue_is_empty();
}

SCENARIO(all, "event.all", "04.3", "P4.7", .cpus = 2, .after = all_woken, .keeps = true)
{
	act_on(1, &taker, see);
	act_on(1, &taker2, see);
	spin_lock(&q.lock);
	tickets++;
	woken = wait_wake_all_locked(&q, 0);
	spin_unlock(&q.lock);
	end_here();
}
