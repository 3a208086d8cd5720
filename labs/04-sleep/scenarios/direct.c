/*
 * Lab 04: waiters that are used as poll() and futexes use them, by the steps of a wait, and wakers
 * that know a queue and its waiters themselves.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "process/process.h"
#include "process/signal_impl.h"
#include "sched/cpu.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor other;
static int result;

/* --- Of three that wait, two are over by their deadlines -------------------------------------- */

static struct waiter waits[3];
static struct wait_link links[3];
static bool woken;

static int expire_two(void)
{
	irq_off();
	sleepq_expire(&cpus[0].sleepq, 1000);
	irq_on();
	return 0;
}

/* The event goes to the first one that it does not come too late for, and to no other. */
static const char *one_event(void)
{
	unsigned events = 0, first = 0;

	for (unsigned i = 0; i < 3; i++)
		events += atomic_load(&waits[i].why) == WAIT_EVENT;
	while (first < 2 && atomic_load(&waits[first].why) == WAIT_TIMEOUT)
		first++;
	if (events != 1 || atomic_load(&waits[first].why) != WAIT_EVENT)
		return wrong("three wait, %u time out, and an event wakes %u of the others", first,
			     events);
	return woken ? NULL : "a wake-up woke one, and was not used up";
}

SCENARIO(of_three, "event.one_of_three", "04.4", "P4.11", .cpus = 2, .sets_up = true,
	 .after = one_event, .keeps = true)
{
	stay_on(0);
	irq_off();
	for (unsigned i = 0; i < 3; i++) {
		waiter_init(&waits[i], 0);
		waits[i].thread = thread_create("waiter", NULL, NULL, PRIORITY_DEFAULT);
		spin_lock(&q.lock);
		expect(!wait_link(&q, &links[i], &waits[i]), "a waiter is refused");
		spin_unlock(&q.lock);
		if (i < 2)
			sleepq_arm(&waits[i], 1000);
	}
	explore_from_here();
	act_on(1, &other, expire_two);
	woken = wait_wake_one(&q, 0);
	irq_on();
	end_here();
}

/* --- A waiter whose memory is given back ------------------------------------------------------ */

/* Waits by the steps of a wait, with a waiter that is freed as soon as it has left. */
static int wait_and_free(struct deadline d)
{
	struct waiter *w = kmalloc(sizeof(*w));
	struct wait_link link = { .site = NULL };
	int err;

	waiter_init(w, 0);
	spin_lock(&q.lock);
	err = wait_link(&q, &link, w);
	spin_unlock(&q.lock);
	expect(!err, "a waiter is refused: %d", err);
	err = waiter_block(w, d);
	spin_lock(&q.lock);
	wait_unlink(&q, &link);
	spin_unlock(&q.lock);
	kfree(w);
	return err;
}

static const char *timed_out(void)
{
	return result == -ETIMEDOUT ? NULL : wrong("a wait timed out, and returned %d", result);
}

/* The expiry is that of the CPU on which the deadline was armed, done on another one. */
SCENARIO(elsewhere, "ends.freed_elsewhere", "04.4", "P4.12", .cpus = 2, .after = timed_out,
	 .keeps = true)
{
	act_on(1, &other, expire_two);
	result = wait_and_free(deadline_at(1000));
	end_here();
}

/* --- A waker that takes the waiter out of the queue itself ------------------------------------ */

static void await_waiter(void)
{
	for (unsigned n = 0; !n; let_others_run()) {
		spin_lock(&q.lock);
		n = q.nr;
		spin_unlock(&q.lock);
	}
}

static int wait_for_event(void)
{
	return wait_and_free(DEADLINE_NEVER);
}

static const char *was_woken(void)
{
	return other.result ? wrong("a wait was woken, and returned %d", other.result) : NULL;
}

/* As message queues do. Its waiter has not left the queue when that is destroyed. */
SCENARIO(own_waker, "destroy.behind_own_waker", "04.5", "P4.15", .cpus = 2, .after = was_woken,
	 .keeps = true)
{
	struct wait_link *link;

	act_on(1, &other, wait_for_event);
	await_waiter();
	spin_lock(&q.lock);
	link = list_entry(q.links.next, struct wait_link, node);
	list_remove(&link->node);
	expect(waiter_claim(link->waiter, WAIT_EVENT, 0), "a wait cannot be claimed");
	spin_unlock(&q.lock);
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	end_here();
}

/* --- A destroyer with a signal ---------------------------------------------------------------- */

static int wait_on(void)
{
	return wait_block(&q, DEADLINE_NEVER);
}

static const char *was_destroyed(void)
{
	return other.result == -EIDRM ? NULL
				      : wrong("the queue is destroyed, and its waiter got %d",
					      other.result);
}

/* No other thread runs before the destroyer blocks, and a signal does not keep it from that. */
SCENARIO(signalled, "destroy.signalled", "04.5", "P4.15", .cpus = 1, .after = was_destroyed,
	 .keeps = true)
{
	act_on(0, &other, wait_on);
	await_waiter();
	be_urgent();
	signal_tell(current_thread());
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	end_here();
}
