/*
 * Lab 04, step 4: event, timeout and kill, which compete to end one wait.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/wait.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor first, second;
static struct thread *waiter;		/* the scenario's own */
static int result;			/* of its wait */

static const char *queue_is_empty(void)
{
	return q.nr || !list_empty(&q.links) ? "a waiter is still in the queue" : NULL;
}

static void wait_until(struct deadline d)
{
	result = wait_block(&q, d);
	expect(result != -ETIMEDOUT || !time_before(time_now(), d.at), "it timed out %lu ns early",
	       d.at - time_now());
}

static int wake(void)
{
	return wait_wake_one(&q, 7);
}

static int kill(void)
{
	thread_kill(waiter);
	return 0;
}

/* The wait may end with an event, which returns 7, if that woke it; else with one of two others. */
static const char *ended(bool event, int other, int another)
{
	if (event != (result == 7))
		return wrong("the wake-up woke %u waiters, and the wait returned %d", event,
			     result);
	if (!event && result != other && result != another)
		return wrong("the wait returned %d", result);
	return queue_is_empty();
}

static const char *event_or_timeout(void)
{
	return ended(first.result, -ETIMEDOUT, -ETIMEDOUT);
}

/* The deadline is as near as can be: still no other than the expiry may end the wait by it. */
SCENARIO(event_timeout, "ends.event_timeout", "04.4", "P4.10", .cpus = 2,
	 .after = event_or_timeout, .keeps = true)
{
	act_on(1, &first, wake);
	wait_until(deadline_in(1));
	end_here();
}

static const char *event_or_kill(void)
{
	return ended(first.result, -EINTR, -EINTR);
}

SCENARIO(event_kill, "ends.event_kill", "04.4", "P4.10", .cpus = 2, .after = event_or_kill,
	 .keeps = true)
{
	waiter = current_thread();
	act_on(1, &first, wake);
	act_on(1, &second, kill);
	wait_until(DEADLINE_NEVER);
	end_here();
}

static const char *kill_or_timeout(void)
{
	return ended(false, -EINTR, -ETIMEDOUT);
}

SCENARIO(kill_timeout, "ends.kill_timeout", "04.4", "P4.13", .cpus = 2, .after = kill_or_timeout,
	 .keeps = true)
{
	waiter = current_thread();
	act_on(1, &first, kill);
	wait_until(deadline_in(1000));
	end_here();
}

static const char *killed(void)
{
	return ended(false, -EINTR, -EINTR);
}

/* The kill may come before the thread blocks, and before it starts to wait. */
SCENARIO(kill_only, "ends.kill", "04.4", "P4.13", .cpus = 2, .after = killed, .keeps = true)
{
	waiter = current_thread();
	act_on(1, &first, kill);
	wait_until(DEADLINE_NEVER);
	end_here();
}

static const char *any(void)
{
	return ended(first.result, -EINTR, -ETIMEDOUT);
}

SCENARIO(all_three, "ends.all_three", "04.4", "P4.10", .cpus = 2, .after = any, .keeps = true)
{
	waiter = current_thread();
	act_on(1, &first, wake);
	act_on(1, &second, kill);
	wait_until(deadline_in(1000));
	end_here();
}

/* As in an expiry on a CPU that the waiter has left since it armed its deadline. */
static int expire(void)
{
	irq_off();
	sleepq_expire(&cpus[0].sleepq, 1000);
	irq_on();
	return 0;
}

static const char *timed_out(void)
{
	return ended(false, -ETIMEDOUT, -ETIMEDOUT);
}

SCENARIO(elsewhere, "ends.timeout_elsewhere", "04.4", "P4.12", .cpus = 2, .after = timed_out,
	 .keeps = true)
{
	act_on(1, &first, expire);
	result = wait_block(&q, deadline_at(1000));
	end_here();
}

static bool ticket;			/* [q.lock] */

static int wait_timed(void)
{
	return wait_block(&q, deadline_in(1000));
}

/* One that was woken passes the wake-up on. */
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
	act_on(1, &first, wait_and_pass);
	act_on(1, &second, take);
	spin_lock(&q.lock);
	ticket = true;
	wait_wake_one_locked(&q, 7);
	spin_unlock(&q.lock);
	end_here();
}

static unsigned nr_woken;

static const char *counted_those_woken(void)
{
	unsigned got = (first.result == 7) + (second.result == 7);

	if (nr_woken != got)
		return wrong("a wake-up for all counted %u waiters, and woke %u", nr_woken, got);
	return queue_is_empty();
}

/* The same for a wake-up for all, which does not count a waiter that times out just before. */
SCENARIO(all_behind, "ends.all_behind_timeout", "04.4", "P4.7", .cpus = 2,
	 .after = counted_those_woken, .keeps = true)
{
	act_on(1, &first, wait_timed);
	act_on(1, &second, take);
	spin_lock(&q.lock);
	ticket = true;
	nr_woken = wait_wake_all_locked(&q, 7);
	spin_unlock(&q.lock);
	end_here();
}

/* --- A thread that waits again ---------------------------------------------------------------- */

static struct wait_queue gone = WAIT_QUEUE_INIT(gone);

static int give(void)
{
	spin_lock(&q.lock);
	ticket = true;
	wait_wake_one_locked(&q, 7);
	spin_unlock(&q.lock);
	return 0;
}

static int expire_and_give(void)
{
	expire();
	return give();
}

static int destroy_and_give(void)
{
	wait_queue_destroy(&gone);
	return give();
}

static const char *took(void)
{
	return result == 7 ? queue_is_empty() : wrong("its second wait returned %d", result);
}

/* Unless @done. Its waiter is in the same place whenever the same function calls this one. */
static noinline int wait_once(struct wait_queue *in, struct deadline d, const bool *done)
{
	int err = 7;

	spin_lock(&in->lock);
	if (!*done)
		err = wait_block_locked(in, d, 0);
	spin_unlock(&in->lock);
	return err;
}

static const bool never;

/* A party that ended the first wait and still has a pointer to it would end the second one, too. */
SCENARIO(timeout_again, "ends.timeout_and_again", "04.4", "P4.12", .cpus = 2, .after = took,
	 .keeps = true)
{
	act_on(1, &first, expire_and_give);
	result = wait_once(&gone, deadline_at(1000), &never);
	expect(result == -ETIMEDOUT, "the first wait returned %d", result);
	result = wait_once(&q, DEADLINE_NEVER, &ticket);
	end_here();
}

static int wake_gone(void)
{
	return wait_wake_one(&gone, 5);
}

/* The expiry may have the waiter in hand when the event has it, too. */
SCENARIO(event_again, "ends.event_and_again", "04.4", "P4.12", .cpus = 2, .after = took,
	 .keeps = true)
{
	act_on(1, &first, expire_and_give);
	act_on(0, &second, wake_gone);
	result = wait_once(&gone, deadline_at(1000), &never);
	expect(result == 5 || result == -ETIMEDOUT, "the first wait returned %d", result);
	result = wait_once(&q, DEADLINE_NEVER, &ticket);
	end_here();
}

SCENARIO(destroyed_again, "destroy.and_again", "04.5", "P4.12", .cpus = 2, .after = took,
	 .keeps = true)
{
	act_on(1, &first, destroy_and_give);
	result = wait_once(&gone, DEADLINE_NEVER, &never);
	expect(result == -EIDRM, "the wait in a destroyed queue returned %d", result);
	result = wait_once(&q, DEADLINE_NEVER, &ticket);
	end_here();
}

/* A sleeper that returns while the expiry has it in hand leaves it a pointer to the next sleep. */
static noinline int sleep_to(u64 deadline)
{
	return thread_sleep_until(deadline_at(deadline));
}

SCENARIO(sleeper_again, "sleeper.and_again", "04.4", "P4.12", .cpus = 2, .keeps = true)
{
	act_on(1, &first, expire);
	sleep_to(1000);
	sleep_to(2000);
	expect(!time_before(time_now(), 2000), "the second sleep ended %lu ns early",
	       2000 - time_now());
	end_here();
}
