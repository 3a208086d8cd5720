/*
 * Lab 04, steps 1 and 2: sleepers wake in order, never early, not late, and use no CPU time.
 */
#include "waiters.h"

#define SLEEPERS	8

static struct sleeper {
	struct deadline until;
	u64 woke;		/* the time when it ran again */
	unsigned place;		/* how many sleepers woke before it */
	struct thread *thread;
} sleepers[SLEEPERS];

static _Atomic unsigned woken;

static int sleep_once(void *arg)
{
	struct sleeper *s = arg;
	int err = thread_sleep_until(s->until);

	s->woke = time_now();
	s->place = atomic_fetch_add(&woken, 1);
	CHECK(err == 0, "P4.1", "a sleep that nobody disturbed ended with %d", err);
	CHECK(!time_before(s->woke, s->until.at), "P4.1",
	      "a sleeper woke %lu ns before its deadline", s->until.at - s->woke);
	rest();
	return 0;
}

static void start_sleeper_on(u32 mask, unsigned i, u64 until)
{
	sleepers[i].until = deadline_at(until);
	sleepers[i].thread = started_on(mask, sleep_once, &sleepers[i]);
}

static void start_sleeper(unsigned i, u64 until)
{
	start_sleeper_on(~0u, i, until);
}

KTEST(sleep_state, "sleep.state", "04.1", "P4.3")
{
	struct thread *t;
	u64 ran, looks = 0;

	NEEDS_ONE_CPU;
	woken = 0;
	start_sleeper(0, time_now() + 5 * MS);
	t = sleepers[0].thread;
	AWAIT(t->stats.switches_in > 0);
	ran = t->stats.switches_in;
	while (!woken && time_before(time_now(), sleepers[0].until.at)) {
		enum thread_state s = thread_state(t);

		thread_yield();
		looks++;
		if (time_before(time_now(), sleepers[0].until.at)) {
			CHECK(s == THREAD_SLEEPING, "P4.3", "a sleeper is %s",
			      thread_state_name(s));
			CHECK(t->stats.switches_in == ran, "P4.3", "a sleeper got the CPU");
		}
	}
	CHECK(looks > 10, "P4.3", "the sleeper left the CPU to others only %lu times", looks);
	REQUIRE(AWAIT(woken), "P4.3", "it never woke");
}

KTEST(sleep_never_early, "sleep.never_early", "04.1", "P4.1")
{
	for (unsigned round = 0; round < 3; round++) {
		woken = 0;
		for (unsigned i = 0; i < SLEEPERS; i++)
			start_sleeper(i, time_now() + 1 + test_random() % (3 * MS));
		while (woken < SLEEPERS)
			thread_yield();
	}
}

/* The deadlines of sleepers 0 to 3 differ; those of 4 to 7 are equal, and earlier. */
KTEST(sleep_order, "sleep.order", "04.1", "P4.2")
{
	static const unsigned after_ms[SLEEPERS / 2] = { 18, 12, 16, 14 };
	static const unsigned places[SLEEPERS] = { 7, 4, 6, 5, 0, 1, 2, 3 };
	u64 from = time_now();

	NEEDS_ONE_CPU;
	woken = 0;
	for (unsigned i = 0; i < SLEEPERS; i++) {
		start_sleeper(i, from + (i < SLEEPERS / 2 ? after_ms[i] : 10) * MS);
		REQUIRE(AWAIT(thread_state(sleepers[i].thread) == THREAD_SLEEPING), "P4.2",
			"a sleeper is %s", thread_state_name(thread_state(sleepers[i].thread)));
	}
	REQUIRE(AWAIT(woken == SLEEPERS), "P4.2", "%u of %u sleepers woke", woken, SLEEPERS);
	for (unsigned i = 0; i < SLEEPERS; i++)
		CHECK(sleepers[i].place == places[i], "P4.2",
		      "sleeper %u, due after %lu ms, woke as number %u, not %u", i,
		      (sleepers[i].until.at - from) / MS, sleepers[i].place, places[i]);
}

/* --- One sleep queue by hand: interrupts are off, so no timer expires it ---------------------- */

static struct waiter waiters[SLEEPERS];

static void arm_by_hand(unsigned i, struct thread *owner, u64 deadline)
{
	waiter_init(&waiters[i], 0);
	waiters[i].thread = owner;	/* it is suspended: waking it changes nothing */
	sleepq_arm(&waiters[i], deadline);
}

/* Expires at @now. Returns the mask of the first @n waiters that have been timed out. */
static unsigned expired_at(u64 now, unsigned n)
{
	unsigned mask = 0;

	sleepq_expire(&this_cpu()->sleepq, now);
	for (unsigned i = 0; i < n; i++)
		if (atomic_load(&waiters[i].why) == WAIT_TIMEOUT)
			mask |= BIT(i);
	return mask;
}

static void cancel_by_hand(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (waiters[i].sq)
			sleepq_cancel(&waiters[i]);
}

KTEST(sleep_expire, "sleep.expire", "04.1", "P4.2")
{
	struct thread *owner = made_on(~0u, sleep_once, NULL);
	unsigned got;

	irq_off();
	for (unsigned i = 0; i < 6; i++)
		arm_by_hand(i, owner, i == 1 ? 5001 : i == 3 ? 4000 : 5000);
	got = expired_at(3999, 6);
	CHECK(got == 0, "P4.1",
	      "1 ns before the first of 6 deadlines these were timed out: mask 0x%x", got);
	got = expired_at(4000, 6);
	CHECK(got == BIT(3), "P4.2", "at one deadline, not mask 0x8 but 0x%x was timed out", got);
	got = expired_at(5000, 6);
	CHECK(got == 0x3d, "P4.2",
	      "four more are due together; after one expiry not mask 0x3d but 0x%x", got);
	cancel_by_hand(6);
	CHECK(this_cpu()->sleepq.nr == 0, "P4.2", "%u deadlines are left", this_cpu()->sleepq.nr);
	irq_on();
}

/* --- Step 2: the timer ------------------------------------------------------------------------ */

static void check_late(unsigned i, const char *what)
{
	u64 late = sleepers[i].woke - sleepers[i].until.at;

	CHECK(late < LATE, "P4.5", "%s woke %lu us late", what, late / 1000);
}

/* SLEEP2: all threads sleep, on the last CPU, so its timer alone can wake them in time. */
KTEST(sleep_late, "sleep.late", "04.2", "P4.5")
{
	u32 last = BIT(nr_cpus - 1);
	u64 from = time_now();

	woken = 0;
	start_sleeper_on(last, 0, from + 40 * MS);
	thread_sleep(MS);
	start_sleeper_on(last, 1, from + 15 * MS);	/* earlier deadlines that are armed later */
	start_sleeper_on(last, 2, from + 5 * MS);
	start_sleeper_on(last, 3, from + 20 * MS);
	thread_sleep_until(deadline_at(from + 60 * MS));
	REQUIRE(AWAIT(woken == 4), "P4.5", "%u of 4 sleepers woke", woken);
	check_late(2, "the sleeper with the first deadline, which came third,");
	check_late(1, "the sleeper with the second deadline, which came second,");
	check_late(3, "the sleeper that came last");
	check_late(0, "the sleeper that came first");
}

KTEST(sleep_idle, "sleep.idle", "04.2", "P4.3")
{
	struct cpu_stats *stats = &cpus[0].stats;
	u64 from, took, idle, ticks, ran;

	NEEDS_ONE_CPU;
	woken = 0;
	from = time_now();
	for (unsigned i = 0; i < SLEEPERS; i++)
		start_sleeper(i, from + (10 + 10 * i) * MS);
	idle = cpus[0].idle.stats.run_ns;
	ticks = stats->timer_interrupts;
	ran = current_thread()->stats.switches_in;
	thread_sleep_until(deadline_at(from + 100 * MS));
	ran = current_thread()->stats.switches_in - ran;
	took = time_now() - from;
	idle = cpus[0].idle.stats.run_ns - idle;
	ticks = stats->timer_interrupts - ticks;
	ktest_figure("idle_permille", idle * 1000 / took);
	ktest_figure("timer_interrupts", ticks);
	CHECK(idle * 100 >= took * 95, "P4.3",
	      "all threads slept for %lu us, the CPU was idle for %lu us", took / 1000,
	      idle / 1000);
	/* Once when it woke; it may have lost the CPU once more before it slept. */
	CHECK(ran <= 2, "P4.3", "one that slept for 100 ms got the CPU %lu times", ran);
	CHECK(ticks <= 2 * SLEEPERS + 4, "P4.3", "%u sleepers took %lu timer interrupts",
	      SLEEPERS + 1, ticks);
}

/*
 * Deadlines on both sides of 0, in both orders of arrival. In lab.toml, clock= starts the clock
 * close to its wrap.
 */
KTEST(sleep_wrap, "sleep.wrap", "04.2", "P4.4")
{
	static const int around_ms[6] = { -4, 0, 3, 4, -3, 0 };
	static const unsigned places[6] = { 0, 2, 4, 5, 1, 3 };
	struct thread *owner = made_on(~0u, sleep_once, NULL);
	u64 wrap = time_now() > (u64)-(s64)NSEC_PER_SEC ? 0 : time_now() + 20 * MS;
	unsigned got;

	NEEDS_ONE_CPU;
	irq_off();
	arm_by_hand(0, owner, -5UL);
	arm_by_hand(1, owner, 5);
	arm_by_hand(2, owner, 0);
	arm_by_hand(3, owner, -6UL);
	got = expired_at(-5UL, 4);
	CHECK(got == 9, "P4.4", "5 ns before the wrap not mask 0x9 but 0x%x was timed out", got);
	got = expired_at(4, 4);
	CHECK(got == 13, "P4.4", "4 ns after the wrap not mask 0xd but 0x%x was timed out", got);
	cancel_by_hand(4);
	irq_on();

	woken = 0;
	REQUIRE(time_before(time_now(), wrap - 10 * MS), "P4.4", "the boot took until the wrap");
	for (unsigned i = 0; i < 6; i++) {
		start_sleeper(i, wrap + around_ms[i] * (s64)MS);
		thread_sleep(10000);
	}
	thread_sleep_until(deadline_at(wrap + 20 * MS));
	CHECK(woken == 6, "P4.4", "%u of 6 sleepers around the wrap of the clock woke", woken);
	for (unsigned i = 0; i < 6; i++)
		CHECK(sleepers[i].place == places[i], "P4.4",
		      "the sleeper due %d ms from the wrap woke as number %u, not %u", around_ms[i],
		      sleepers[i].place, places[i]);
}
