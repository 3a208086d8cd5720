/*
 * Lab 04, hidden: three parties that end the waits in one queue.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor first, second;
static struct thread *waiter;		/* the scenario's own */
static int result;			/* of its wait */
static bool ticket;			/* [q.lock] */

static int wake(void)
{
	return wait_wake_one(&q, 7);
}

static int destroy(void)
{
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	return 0;
}

static const char *queue_is_empty(void)
{
	return q.nr || !list_empty(&q.links) ? "a waiter is still in the queue" : NULL;
}

static const char *ended(int other, int another)
{
	bool event = first.result;

	if (event != (result == 7) || (!event && result != other && result != another))
		return wrong("the wake-up woke %u waiters, and the wait returned %d", event,
			     result);
	return queue_is_empty();
}

static const char *event_timeout_or_end(void)
{
	return ended(-ETIMEDOUT, -EIDRM);
}

/* A waker, a destroyer and the clock. */
SCENARIO(event_end, "destroy.event_timeout", "04.h", "P4.15", .cpus = 2,
	 .after = event_timeout_or_end, .keeps = true)
{
	act_on(1, &first, wake);
	act_on(1, &second, destroy);
	result = wait_block(&q, deadline_in(1000));
	end_here();
}

static int kill(void)
{
	thread_kill(waiter);
	return 0;
}

static const char *event_or_timeout(void)
{
	return ended(-ETIMEDOUT, -ETIMEDOUT);
}

/* A waker, the clock, and a kill that does not end this wait. */
SCENARIO(unkillable, "ends.event_timeout_killed", "04.h", "P4.13", .cpus = 2,
	 .after = event_or_timeout, .keeps = true)
{
	waiter = current_thread();
	act_on(1, &second, kill);
	act_on(1, &first, wake);
	spin_lock(&q.lock);
	result = wait_block_locked(&q, deadline_in(1000), WAIT_UNKILLABLE);
	spin_unlock(&q.lock);
	end_here();
}

/* Ends, too, if it is killed; but passes an event on. */
static int wait_and_pass(void)
{
	int err = wait_block(&q, DEADLINE_NEVER);

	if (err == 7)
		wake();
	return err;
}

static int take(void)
{
	spin_lock(&q.lock);
	while (!ticket)
		if (wait_block_locked(&q, DEADLINE_NEVER, 0) != 7)
			break;
	spin_unlock(&q.lock);
	return 0;
}

/* The wake-up for the first waiter meets its kill: the one behind it must not lose the wake-up. */
SCENARIO(behind, "event.behind_killed", "04.h", "P4.6", .cpus = 2, .after = queue_is_empty,
	 .keeps = true)
{
	act_on(1, &first, wait_and_pass);
	act_on(1, &second, take);
	thread_kill(first.thread);
	spin_lock(&q.lock);
	ticket = true;
	wait_wake_one_locked(&q, 7);
	spin_unlock(&q.lock);
	end_here();
}
