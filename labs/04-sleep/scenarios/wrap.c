/*
 * Lab 04, steps 2 and 4: the clock wraps while threads sleep, or goes on while they are woken.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/wait.h"

static struct actor first, second;

static int sleep_before(void)
{
	return thread_sleep_until(deadline_at(-1000UL));
}

static int sleep_after(void)
{
	return thread_sleep_until(deadline_at(1000));
}

static const char *both_slept(void)
{
	return first.result || second.result
		       ? wrong("the sleeps returned %d and %d", first.result, second.result)
		       : NULL;
}

/* The clock stands shortly before its end, and one of two deadlines is behind that. */
SCENARIO(clock_wraps, "sleeper.clock_wraps", "04.2", "P4.4", .cpus = 1, .after = both_slept,
	 .keeps = true)
{
	u64 first_at;

	/* As the boot argument clock= does; each execution sets the same. */
	clock_offset = -2000UL - arch_clock_ns();
	act_on(0, &second, sleep_after);
	act_on(0, &first, sleep_before);
	thread_yield();
	irq_off();
	if (sleepq_next(&this_cpu()->sleepq, &first_at) && time_before(time_now(), first_at))
		expect(!timer_is_late(this_cpu(), first_at),
		       "the first deadline is at %lu, and the timer is set for %lu", first_at,
		       this_cpu()->timer_armed ? this_cpu()->timer_at : 0);
	irq_on();
	end_here();
}

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor sleeper, waiter, woken;

static int sleep_long(void)
{
	return thread_sleep_until(deadline_in(NSEC_PER_SEC));
}

static int wait_long(void)
{
	return wait_block(&q, deadline_in(NSEC_PER_SEC));
}

static const char *none_timed_out(void)
{
	if (sleeper.result != -EINTR || waiter.result != -EINTR)
		return wrong("killed before their deadlines, a sleep returned %d and a wait %d",
			     sleeper.result, waiter.result);
	if (woken.result != 5)
		return wrong("the wait that was woken returned %d", woken.result);
	return NULL;
}

/*
 * All three are over before their deadlines; these pass before the threads can run. The bound is 0,
 * as a deadline may pass whenever a turn is taken away.
 */
SCENARIO(late, "ends.before_deadline", "04.4", "P4.10", .cpus = 1, .after = none_timed_out,
	 .keeps = true)
{
	clock_offset = 0;
	act_on(0, &sleeper, sleep_long);
	act_on(0, &waiter, wait_long);
	act_on(0, &woken, wait_long);
	await_blocked(&woken);
	preempt_off();
	thread_kill(sleeper.thread);
	thread_kill(waiter.thread);
	expect(wait_wake_one(&q, 5), "a wake-up did not find the waiter");
	clock_offset = 2 * NSEC_PER_SEC;
	preempt_on();
	end_here();
}
