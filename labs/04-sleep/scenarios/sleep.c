/*
 * Lab 04, steps 1, 2, 4 and 5: sleep queues and the timer.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/wait.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor sleeper, second, third;
static bool woke;

/* Sleeps until @d; returns the result. */
static int sleep_until(struct deadline d)
{
	int err = thread_sleep_until(d);

	expect(err || !time_before(time_now(), d.at), "it woke %lu ns early", d.at - time_now());
	return err;
}

static int sleep_short(void)
{
	return sleep_until(deadline_in(1000));
}

static int sleep_long(void)
{
	return sleep_until(deadline_in(2000));
}

/* The deadline may pass before the thread has blocked. */
SCENARIO(alone, "sleeper.alone", "04.1", "P4.1", .cpus = 1, .keeps = true)
{
	int err = sleep_short();

	expect(!err, "the sleep returned %d", err);
	end_here();
}

static const char *both_slept(void)
{
	if (sleeper.result || second.result)
		return wrong("the sleeps returned %d and %d", sleeper.result, second.result);
	return NULL;
}

/* SLEEP2, seen from the CPU itself with interrupts off. */
static int check_timer(void)
{
	struct cpu *c;
	u64 first;

	irq_off();
	c = this_cpu();
	if (sleepq_next(&c->sleepq, &first))
		expect(!timer_is_late(c, first),
		       "the first deadline is at %lu, and the timer is set for %lu", first,
		       c->timer_armed ? c->timer_at : 0);
	irq_on();
	return 0;
}

/* The second deadline is the first one to come. */
SCENARIO(earlier, "sleeper.earlier", "04.2", "P4.5", .cpus = 1, .after = both_slept, .keeps = true)
{
	act_on(0, &sleeper, sleep_long);
	act_on(0, &second, sleep_short);
	act_on(0, &third, check_timer);
	end_here();
}

/* Both are due at the same time, or one of them is when the other one arms its deadline. */
SCENARIO(together, "sleeper.together", "04.1", "P4.2", .cpus = 2, .after = both_slept,
	 .keeps = true)
{
	act_on(1, &sleeper, sleep_short);
	act_on(1, &second, sleep_short);
	end_here();
}

static const char *slept_or_killed(void)
{
	int err = sleeper.result;

	return !err || err == -EINTR ? NULL : wrong("the sleep returned %d", err);
}

SCENARIO(killed, "sleeper.killed", "04.4", "P4.13", .cpus = 2, .after = slept_or_killed,
	 .keeps = true)
{
	act_on(1, &sleeper, sleep_short);
	thread_kill(sleeper.thread);
	end_here();
}

static int sleep_for_ever(void)
{
	return thread_sleep_until(DEADLINE_NEVER);
}

static const char *was_killed(void)
{
	int err = sleeper.result;

	return err == -EINTR ? NULL : wrong("the sleep returned %d", err);
}

SCENARIO(never, "sleeper.never", "04.5", "P4.14", .cpus = 2, .after = was_killed, .keeps = true)
{
	act_on(1, &sleeper, sleep_for_ever);
	act_on(1, &second, sleep_short);
	thread_kill(sleeper.thread);
	end_here();
}

/* --- Waits with a deadline -------------------------------------------------------------------- */

static int wait_short(void)
{
	return wait_block(&q, deadline_in(1000));
}

/* An event that woke the waiter is its result, otherwise the clock has ended the wait. */
static const char *event_or_timeout(void)
{
	int err = sleeper.result;

	if (err != (woke ? 7 : -ETIMEDOUT))
		return wrong("the wake-up woke %u waiters, and the wait returned %d", woke, err);
	if (second.result)
		return wrong("the sleep returned %d", second.result);
	return q.nr || !list_empty(&q.links) ? "a waiter is still in the queue" : NULL;
}

/* The first deadline is cancelled; the second one is still to come. */
SCENARIO(cancelled, "sleeper.first_cancelled", "04.4", "P4.5", .cpus = 2,
	 .after = event_or_timeout, .keeps = true)
{
	act_on(1, &sleeper, wait_short);
	act_on(1, &second, sleep_long);
	woke = wait_wake_one(&q, 7);
	end_here();
}

/*
 * The waiter arms its deadline on CPU 1 and is woken on CPU 0, where it cancels the deadline while
 * CPU 1 may be in the expiry.
 */
SCENARIO(elsewhere, "sleeper.woken_elsewhere", "04.4", "P4.12", .cpus = 2,
	 .after = event_or_timeout, .keeps = true)
{
	act_on(1, &sleeper, wait_short);
	sched_set_affinity(sleeper.thread, BIT(0));
	woke = wait_wake_one(&q, 7);
	end_here();
}

static int poll(void)
{
	return wait_block(&q, DEADLINE_POLL);
}

SCENARIO(poll, "sleeper.poll", "04.5", "P4.14", .cpus = 2, .after = event_or_timeout,
	 .keeps = true)
{
	act_on(1, &sleeper, poll);
	woke = wait_wake_one(&q, 7);
	end_here();
}

static int wait_past(void)
{
	return wait_block(&q, deadline_at(time_now()));
}

SCENARIO(past, "sleeper.past", "04.5", "P4.14", .cpus = 2, .after = event_or_timeout,
	 .keeps = true)
{
	act_on(1, &sleeper, wait_past);
	woke = wait_wake_one(&q, 7);
	end_here();
}
