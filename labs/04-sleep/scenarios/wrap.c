/*
 * Lab 04, step 2: sleepers while the clock wraps.
 */
#include "base/irq.h"
#include "explore/scenario.h"
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
