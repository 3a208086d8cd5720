/*
 * Timers and sleep queues: what expires while another CPU takes it out, or puts something earlier
 * in.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "mm/mm.h"
#include "sched/cpu.h"
#include "sched/timer.h"

static struct actor first, second;
static struct timer *timer;
static unsigned fired;			/* [timer_lock] */

static void fire(struct timer *t)
{
	expect(!t->armed, "an armed timer fires");
	fired++;
}

static struct timer *make_timer(u64 after)
{
	struct timer *t = kmalloc(sizeof(*t));

	*t = (struct timer){ .clock = TIMER_MONOTONIC, .fire = fire };
	spin_lock(&timer_lock);
	timer_start(t, time_now() + after);
	spin_unlock(&timer_lock);
	return t;
}

/* After timer_stop() it does not fire, so it may be freed. Both are due at once. */
static int stop_and_free(void)
{
	unsigned before;

	expect(!thread_sleep(10), "a sleep failed");
	spin_lock(&timer_lock);
	timer_stop(timer);
	before = fired;
	spin_unlock(&timer_lock);
	kfree(timer);
	return before;
}

static const char *not_after_stop(void)
{
	return fired == (unsigned)first.result ? NULL : "the timer fired after it was stopped";
}

SCENARIO(stop, "timer.stop_or_fire", "", "", .cpus = 2, .after = not_after_stop, .keeps = true)
{
	stay_on(0);
	timer = make_timer(10);
	act_on(1, &first, stop_and_free);
	end_here();
}

/* It may come late, so the scenario goes on until its own timer has fired, too. */
static int arm_earlier(void)
{
	make_timer(5);
	return thread_sleep(20);
}

static const char *both_fired(void)
{
	return fired == 2 ? NULL : wrong("%u timers fired", fired);
}

/* TIMER1: the CPU that watches changes while the first timer may be due. */
SCENARIO(watcher, "timer.another_watcher", "", "", .cpus = 2, .after = both_fired, .keeps = true)
{
	make_timer(10);
	act_on(1, &first, arm_earlier);
	expect(!thread_sleep(20), "a sleep failed");
	end_here();
}

/* --- Sleep queues ----------------------------------------------------------------------------- */

static struct wait_queue q = WAIT_QUEUE_INIT(q);

static int wait_timed(void)
{
	return wait_block(&q, deadline_in(1000));
}

/* Takes the waiter along to this CPU, so that it goes on while its own CPU is in the interrupt. */
static int wake_it_here(void)
{
	expect(!thread_sleep(1000), "a sleep failed");
	expect(!sched_set_affinity(first.thread, BIT(1)), "CPU 1 is not there");
	return wait_wake_one(&q, 0);
}

static const char *woken_or_timeout(void)
{
	if (first.result != (second.result ? 0 : -ETIMEDOUT))
		return wrong("%d were woken, the wait returned %d", second.result, first.result);
	return NULL;
}

/* SLEEP1: two are due at once; one of them is woken on another CPU while they expire. */
SCENARIO(due, "sleepq.two_due", "", "", .cpus = 2, .after = woken_or_timeout, .keeps = true)
{
	act_on(0, &first, wait_timed);
	act_on(1, &second, wake_it_here);
	stay_on(0);
	expect(!thread_sleep(1000), "a sleep failed");
	end_here();
}
