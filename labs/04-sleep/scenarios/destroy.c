/*
 * Lab 04, step 5: the end of a queue, and waits in several queues.
 *
 * The queue's memory is given back when the destruction has returned, so an access to it afterwards
 * is seen. A thread that comes later still finds it: then the memory stays.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sched/wait.h"

static struct wait_queue *q;
static unsigned nr_entered;		/* [q->lock] */
static struct actor waiter, second, killer;
static bool woke;

static int enter(struct deadline d)
{
	int err;

	spin_lock(&q->lock);
	nr_entered++;
	err = wait_block_locked(q, d, 0);
	spin_unlock(&q->lock);
	return err;
}

static int wait(void)
{
	return enter(DEADLINE_NEVER);
}

static int wait_timed(void)
{
	return enter(deadline_in(1000));
}

static void make_queue(void)
{
	q = kmalloc(sizeof(*q));
	wait_queue_init(q);
}

/* Of @nr threads, those that have not entered the queue yet still need it. */
static void destroy(unsigned nr)
{
	bool all;

	spin_lock(&q->lock);
	all = nr_entered == nr;
	spin_unlock(&q->lock);
	wait_queue_destroy(q);
	if (all)
		kfree(q);
}

static const char *ended(struct actor *a, int other)
{
	int err = a->result;

	return err == -EIDRM || err == other ? NULL : wrong("the wait returned %d", err);
}

static const char *all_destroyed(void)
{
	const char *bad = ended(&waiter, -EIDRM);

	return bad || !second.thread ? bad : ended(&second, -EIDRM);
}

SCENARIO(one, "destroy.one", "04.5", "P4.15", .cpus = 2, .after = all_destroyed, .keeps = true)
{
	make_queue();
	act_on(1, &waiter, wait);
	destroy(1);
	end_here();
}

SCENARIO(two, "destroy.two", "04.5", "P4.15", .cpus = 2, .after = all_destroyed, .keeps = true)
{
	make_queue();
	act_on(1, &waiter, wait);
	act_on(1, &second, wait);
	destroy(2);
	end_here();
}

static const char *destroyed_or_timeout(void)
{
	return ended(&waiter, -ETIMEDOUT);
}

SCENARIO(timed, "destroy.or_timeout", "04.5", "P4.15", .cpus = 2, .after = destroyed_or_timeout,
	 .keeps = true)
{
	make_queue();
	act_on(1, &waiter, wait_timed);
	destroy(1);
	end_here();
}

static int kill(void)
{
	thread_kill(waiter.thread);
	return 0;
}

static const char *destroyed_or_killed(void)
{
	return ended(&waiter, -EINTR);
}

SCENARIO(killed, "destroy.or_kill", "04.5", "P4.15", .cpus = 2, .after = destroyed_or_killed,
	 .keeps = true)
{
	make_queue();
	act_on(1, &waiter, wait);
	act_on(1, &killer, kill);
	destroy(1);
	end_here();
}

static const char *destroyed_or_woken(void)
{
	int err = waiter.result;

	return err == (woke ? 7 : -EIDRM) ? NULL : wrong("the wait returned %d", err);
}

/* A waiter that has been woken is no longer in the list, but has not left the queue yet. */
SCENARIO(woken, "destroy.after_event", "04.5", "P4.15", .cpus = 2, .after = destroyed_or_woken,
	 .keeps = true)
{
	make_queue();
	act_on(1, &waiter, wait);
	woke = wait_wake_one(q, 7);
	destroy(1);
	end_here();
}

/* --- One waiter in two queues ----------------------------------------------------------------- */

static struct wait_queue a = WAIT_QUEUE_INIT(a), b = WAIT_QUEUE_INIT(b);
static bool go;				/* [a.lock] */

static void leave(struct wait_queue *from, struct wait_link *link)
{
	spin_lock(&from->lock);
	wait_unlink(from, link);
	spin_unlock(&from->lock);
}

/* Waits in both queues; returns the waker's status. */
static int wait_in_both(void)
{
	struct wait_link in_a = { .shared = false }, in_b = { .shared = false };
	struct waiter w;

	waiter_init(&w, 0);
	spin_lock(&a.lock);
	if (go) {
		spin_unlock(&a.lock);
		return 5;
	}
	expect(!wait_link(&a, &in_a, &w), "a queue is destroyed");
	spin_unlock(&a.lock);
	spin_lock(&b.lock);
	expect(!wait_link(&b, &in_b, &w), "a queue is destroyed");
	spin_unlock(&b.lock);
	waiter_block(&w, DEADLINE_NEVER);
	leave(&a, &in_a);
	leave(&b, &in_b);
	return w.status;
}

static int wake_b(void)
{
	return wait_wake_one(&b, 6);
}

static const char *in_no_queue(void)
{
	return a.nr || b.nr || !list_empty(&a.links) || !list_empty(&b.links)
		       ? "a waiter has left both of its queues, and is still in one"
		       : NULL;
}

static const char *one_claimed(void)
{
	if (killer.result + woke > 1)
		return "both of two wake-ups woke the waiter";
	if (waiter.result != (killer.result ? 6 : 5))
		return wrong("the waiter got status %d", waiter.result);
	return in_no_queue();
}

/* The claims are made under two different locks. */
SCENARIO(two_queues, "ends.two_queues", "04.4", "P4.10", .cpus = 2, .after = one_claimed,
	 .keeps = true)
{
	act_on(1, &waiter, wait_in_both);
	act_on(1, &killer, wake_b);
	spin_lock(&a.lock);
	go = true;
	woke = wait_wake_one_locked(&a, 5);
	spin_unlock(&a.lock);
	end_here();
}

/* One of the queues is destroyed, and the waiter leaves the other one, too. */
SCENARIO(one_of_two, "destroy.one_of_two", "04.5", "P4.12", .cpus = 2, .after = in_no_queue,
	 .keeps = true)
{
	act_on(1, &waiter, wait_in_both);
	await_blocked(&waiter);
	wait_queue_destroy(&a);
	end_here();
}
