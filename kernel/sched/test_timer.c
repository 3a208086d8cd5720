/* The timers of processes, and the wall clock that some of them count by. */
#include "base/bootargs.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "sched/timer.h"
#include "sched/wait.h"
#include "test/ktest.h"
#include "test_spinner.h"

static _Atomic unsigned fired;

static void count(struct timer *t)
{
	(void)t;
	atomic_fetch_add(&fired, 1);
}

static struct timer wall = { .clock = TIMER_REALTIME, .fire = count };
static struct timer steady = { .clock = TIMER_MONOTONIC, .fire = count };

#define HOUR (3600 * NSEC_PER_SEC)

/* Starts both timers, for a time that no machine is slow enough to reach in this test. */
static void start(void)
{
	spin_lock(&timer_lock);
	timer_start(&wall, timer_now(&wall) + HOUR);
	timer_start(&steady, timer_now(&steady) + HOUR);
	spin_unlock(&timer_lock);
}

static void stop(void)
{
	spin_lock(&timer_lock);
	timer_stop(&wall);
	timer_stop(&steady);
	spin_unlock(&timer_lock);
}

/* Sets the wall clock forward by @ns, or back. */
static void set_forward(s64 ns)
{
	time_set_realtime(time_now() + time_realtime_offset() + (u64)ns);
	timers_clock_set();
}

/* A timer of the wall clock is due sooner when the clock is set forward, and later when back. */
KTEST(timer_clock_set, "timer.clock_set", "", "timer.clock_set")
{
	u64 was, at_boot = bootarg_number("realtime", clock_start, 0, S64_MAX);

	/* other tests that have set the clock have put it back, but not to the nanosecond */
	CHECK(clock_start + time_realtime_offset() - at_boot + HOUR / 60 < HOUR / 30,
	      "timer.clock_set", "at boot it is %lu, not %lu",
	      clock_start + time_realtime_offset(), at_boot);
	start();
	was = wall.due;
	set_forward((s64)HOUR / 2);
	CHECK(wall.due < was, "timer.clock_set",
	      "with the clock set forward, it is due at %lu, not %lu", wall.due, was);
	set_forward((s64)HOUR);
	while (!fired)		/* a timer that never fires ends the test by its limit of time */
		thread_sleep(NSEC_PER_MSEC);
	CHECK(fired == 1 && !wall.armed, "timer.clock_set", "%u fired, with the clock set forward",
	      fired);
	start();
	was = wall.due;
	set_forward(-3 * (s64)HOUR / 2);
	CHECK(wall.armed && wall.due > was, "timer.clock_set",
	      "with the clock set back, it is due at %lu, not %lu", wall.due, was);
	CHECK(steady.armed, "timer.clock_set", "a timer of another clock has moved");
	stop();
}

/* A timer moves with the clock, also if another one that moves was before it and is then behind. */
KTEST(timer_clock_passed, "timer.clock_passed", "", "timer.clock_set")
{
	static struct timer later = { .clock = TIMER_REALTIME, .fire = count };
	u64 was;

	set_forward(3 * (s64)HOUR);
	start();
	spin_lock(&timer_lock);
	timer_start(&later, timer_now(&later) + 2 * HOUR);
	spin_unlock(&timer_lock);
	was = later.due;
	set_forward(-3 * (s64)HOUR);
	CHECK(later.due > was + 2 * HOUR, "timer.clock_set",
	      "with the clock set back, the later one is due at %lu, not %lu", later.due, was);
	stop();
	spin_lock(&timer_lock);
	timer_stop(&later);
	spin_unlock(&timer_lock);
}

/* With the clock set past two timers, and again before an interrupt sees them, each fires once. */
KTEST(timer_clock_leaps, "timer.clock_leaps", "", "timer.clock_set")
{
	static struct timer later = { .clock = TIMER_REALTIME, .fire = count };

	fired = 0;
	start();
	spin_lock(&timer_lock);
	timer_start(&later, wall.at + HOUR);
	spin_unlock(&timer_lock);
	irq_off();
	set_forward(3 * (s64)HOUR);
	set_forward((s64)HOUR);
	irq_on();
	while (fired < 2)
		thread_yield();
	CHECK(!wall.armed && !later.armed, "timer.clock_set", "a timer fired twice");
	set_forward(-4 * (s64)HOUR);
	stop();
	fired = 0;
}

static struct timer *first;

static void note_first(struct timer *t)
{
	if (!first)
		first = t;
	count(t);
}

/* A timer that the wall clock's change does not concern keeps its place among its equals. */
KTEST(timer_clock_same, "timer.clock_same", "", "timer.clock_set")
{
	u64 due = time_now() + 10 * NSEC_PER_MSEC;

	first = NULL;
	fired = 0;
	wall.fire = steady.fire = note_first;
	spin_lock(&timer_lock);
	timer_start(&wall, due + time_realtime_offset());
	timer_start(&steady, due);
	spin_unlock(&timer_lock);
	timers_clock_set();
	while (fired < 2)
		thread_yield();
	CHECK(first == &wall, "timer.clock_set", "of two due at once, the later one fired first");
	wall.fire = steady.fire = count;
	fired = 0;
}

static void beat(struct timer *t)
{
	timer_start(t, t->at + MS);
	count(t);
}

/* TIMER1: of two busy CPUs only the one that has put the timer in front is interrupted for it. */
KTEST(timer_watched, "timer.watched", "", "timer.watched")
{
	u32 affinity = current_thread()->affinity;
	const struct cpu *other = &cpus[nr_cpus - 1];
	struct spinner busy = { 0 };
	u64 before, came;

	if (nr_cpus == 1)
		return;
	sched_set_affinity(current_thread(), BIT(0));
	start_on(&busy, there(), spin, PRIORITY_DEFAULT);
	fired = 0;
	steady.fire = beat;
	before = other->stats.timer_interrupts;
	spin_lock(&timer_lock);
	timer_start(&steady, time_now() + MS);
	spin_unlock(&timer_lock);
	while (fired < 150)	/* a busy host's timers come late, several at once */
		arch_spin_hint();
	stop();
	came = other->stats.timer_interrupts - before;
	CHECK(came < fired / 2, "timer.watched",
	      "while it fired %u times, the other CPU had %lu timer interrupts", fired, came);
	end(&busy, 1);
	steady.fire = count;
	fired = 0;
	sched_set_affinity(current_thread(), affinity);
}

KTEST(timer_counted, "timer.counted", "", "timer.counted")
{
	u64 before = 0, after = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		before += cpus[i].stats.timer_interrupts;
	thread_sleep(NSEC_PER_MSEC);
	for (unsigned i = 0; i < nr_cpus; i++)
		after += cpus[i].stats.timer_interrupts;
	CHECK(after > before, "timer.counted", "no timer interrupt was counted in a sleep");
}

/* A CPU's timer is never set to the past, which the hardware might take for the far future. */
KTEST(timer_past, "timer.past", "", "timer.past")
{
	u64 began, past, next, then;

	irq_off();
	began = time_now();
	timer_set(this_cpu(), began - 1);
	past = this_cpu()->timer_at;
	then = time_now() + HOUR;
	timer_set(this_cpu(), then);
	next = this_cpu()->timer_at;
	timer_set(this_cpu(), began);	/* its interrupt sets it to when it is needed */
	irq_on();
	CHECK(!time_before(past, began), "timer.past", "%lu ns before now", began - past);
	CHECK(next == then, "timer.past", "it is set to %lu, not %lu", next, then);
}

/* limit= ends an idle machine, too: it sets the timer, and does not wait for an interrupt. */
KTEST(timer_limit, "timer.limit", "", "timer.limit")
{
	u64 now, at;
	bool armed;

	irq_off();
	time_set_limit(1);
	now = time_now();
	armed = this_cpu()->timer_armed;
	at = this_cpu()->timer_at;
	time_set_limit(bootarg_number("limit", 0, 0, ~0UL));
	irq_on();
	CHECK(armed && !time_before(now + 1, at), "timer.limit", "the timer is not set for it");
}
