/*
 * Lab 04, steps 4 and 5: a crowd that leaves in the middle of an expiry or a destruction. That may
 * let its lock go between two waiters, even if only after some dozens of them; but then it has a
 * pointer to none. All are made by hand, and the memory of each is given back when it has left.
 */
#include "base/irq.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "sched/cpu.h"

#define CROWD	300

struct place {
	struct waiter waiter;
	struct wait_link link;
};

static struct place *places[CROWD];
static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor leaver;

static void make_place(unsigned i)
{
	places[i] = kmalloc(sizeof(*places[i]));
	waiter_init(&places[i]->waiter, 0);
	places[i]->link = (struct wait_link){ .shared = false };
}

static void free_places(void)
{
	for (unsigned i = 0; i < CROWD; i++)
		kfree(places[i]);
}

/* Events end those waits that have not timed out yet. */
static int cancel_all(void)
{
	for (unsigned i = 0; i < CROWD; i++)
		waiter_swap(&places[i]->waiter, WAIT_EVENT, 0);
	for (unsigned i = 0; i < CROWD; i++)
		sleepq_cancel(&places[i]->waiter);
	free_places();
	return 0;
}

SCENARIO(expiry, "sleepq.crowd_leaves", "04.4", "P4.12", .cpus = 2, .sets_up = true,
	 .keeps = true)
{
	const u64 hour = 3600 * NSEC_PER_SEC;

	for (unsigned i = 0; i < CROWD; i++) {
		make_place(i);
		sleepq_arm(&places[i]->waiter, hour + i);
	}
	irq_off();
	explore_from_here();
	act_on(1, &leaver, cancel_all);
	sleepq_expire(&cpus[0].sleepq, hour + CROWD);
	irq_on();
	end_here();
}

/* Timeouts end those waits that have not been destroyed yet. */
static int unlink_all(void)
{
	spin_lock(&q.lock);
	for (unsigned i = 0; i < CROWD; i++) {
		waiter_swap(&places[i]->waiter, WAIT_TIMEOUT, 0);
		wait_unlink(&q, &places[i]->link);
	}
	spin_unlock(&q.lock);
	free_places();
	return 0;
}

SCENARIO(destruction, "destroy.crowd_leaves", "04.5", "P4.15", .cpus = 2, .sets_up = true,
	 .keeps = true)
{
	spin_lock(&q.lock);
	for (unsigned i = 0; i < CROWD; i++) {
		make_place(i);
		expect(!wait_link(&q, &places[i]->link, &places[i]->waiter),
		       "the queue is destroyed");
	}
	spin_unlock(&q.lock);
	explore_from_here();
	act_on(1, &leaver, unlink_all);
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	end_here();
}
