/*
 * Lab 04, step 4: event, timeout and kill, which compete to end one wait.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sched/wait.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor waiter, second, waker;
static bool woke;			/* the scenario's own wake-up woke a waiter */

static const char *queue_is_empty(void)
{
	return q.nr || !list_empty(&q.links) ? "a waiter is still in the queue" : NULL;
}

static int wait(void)
{
	return wait_block(&q, DEADLINE_NEVER);
}

/* Waits for 1,000 ns. */
static int wait_timed(void)
{
	struct deadline d = deadline_in(1000);
	int err = wait_block(&q, d);

	expect(err != -ETIMEDOUT || !time_before(time_now(), d.at), "it timed out %lu ns early",
	       d.at - time_now());
	return err;
}

static int wake(void)
{
	return wait_wake_one(&q, 7);
}

static int kill(void)
{
	thread_kill(waiter.thread);
	return 0;
}

/* The wait may end with an event, which returns 7, if that woke it; else with one of @others. */
static const char *ended(bool event, int other, int another)
{
	int err = waiter.result;

	if (event != (err == 7))
		return wrong("the wake-up woke %u waiters, and the wait returned %d", event, err);
	if (!event && err != other && err != another)
		return wrong("the wait returned %d", err);
	return queue_is_empty();
}

static const char *event_or_timeout(void)
{
	return ended(woke, -ETIMEDOUT, -ETIMEDOUT);
}

SCENARIO(event_timeout, "ends.event_timeout", "04.4", "P4.10", .cpus = 2,
	 .after = event_or_timeout, .keeps = true)
{
	act_on(1, &waiter, wait_timed);
	woke = wake();
	end_here();
}

static const char *event_or_kill(void)
{
	return ended(waker.result, -EINTR, -EINTR);
}

SCENARIO(event_kill, "ends.event_kill", "04.4", "P4.10", .cpus = 2, .after = event_or_kill,
	 .keeps = true)
{
	act_on(1, &waiter, wait);
	act_on(1, &waker, wake);
	kill();
	end_here();
}

static const char *kill_or_timeout(void)
{
	return ended(false, -EINTR, -ETIMEDOUT);
}

SCENARIO(kill_timeout, "ends.kill_timeout", "04.4", "P4.13", .cpus = 2, .after = kill_or_timeout,
	 .keeps = true)
{
	act_on(1, &waiter, wait_timed);
	kill();
	end_here();
}

static const char *killed(void)
{
	return ended(false, -EINTR, -EINTR);
}

/* The kill may come before the thread blocks, and before it starts to wait. */
SCENARIO(kill_only, "ends.kill", "04.4", "P4.13", .cpus = 2, .after = killed, .keeps = true)
{
	act_on(1, &waiter, wait);
	kill();
	end_here();
}

static const char *any(void)
{
	return ended(waker.result, -EINTR, -ETIMEDOUT);
}

SCENARIO(all_three, "ends.all_three", "04.4", "P4.10", .cpus = 2, .after = any, .keeps = true)
{
	act_on(1, &waiter, wait_timed);
	act_on(1, &waker, wake);
	kill();
	end_here();
}

static bool ticket;			/* [q.lock] */

/* As wait_timed(); one that was woken passes the wake-up on. */
static int wait_and_pass(void)
{
	int err = wait_timed();

	if (err == 7)
		wake();
	return err;
}

static int take(void)
{
	int err = 0;

	spin_lock(&q.lock);
	while (!ticket && (!err || err == 7))
		err = wait_block_locked(&q, DEADLINE_NEVER, 0);
	spin_unlock(&q.lock);
	return err;
}

/* A wake-up for a waiter that times out goes to the one behind it, which has no deadline. */
SCENARIO(not_eaten, "ends.timeout_takes_none", "04.4", "P4.11", .cpus = 2, .after = queue_is_empty,
	 .keeps = true)
{
	act_on(1, &waiter, wait_and_pass);
	act_on(1, &second, take);
	spin_lock(&q.lock);
	ticket = true;
	wait_wake_one_locked(&q, 7);
	spin_unlock(&q.lock);
	end_here();
}
