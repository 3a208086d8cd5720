/*
 * Lab 04, step 6: waking one of a thousand sleepers costs no more than waking one of ten.
 */
#include "base/counters.h"
#include "waiters.h"

#define MANY	1000
#define FEW	10
#define CROWD	5000
#define STEP	7	/* it divides neither, so that steps lead to each once */

static struct wait_queue gate = WAIT_QUEUE_INIT(gate);
static struct thread *threads[MANY];
static struct waiter waiters[CROWD];
static u64 due;
static _Atomic unsigned asleep, woken;
static unsigned left_behind;	/* deadlines still armed when the first sleeper ran */
static unsigned kept;		/* of those that are due after an expiry, the most ever */
static unsigned misplaced;	/* sleepers that did not wake in order of arrival */
static u64 finished;		/* the time when the last sleeper ran */

static int sleep_once(void *arg)
{
	u64 place;

	asleep++;
	thread_sleep_until(deadline_at(due));
	finished = time_now();
	CHECK(!time_before(finished, due), "P4.1", "one of many woke %lu ns early", due - finished);
	place = atomic_fetch_add(&woken, 1);
	if (place == 0)
		left_behind = armed_deadlines();
	misplaced += place != (u64)arg;
	return wait_block(&gate, DEADLINE_NEVER);	/* keeps exits out of the measurement */
}

/* Lets @n threads sleep until the same time. Returns the instructions that each took to wake. */
static u64 cost_of(unsigned n)
{
	asleep = woken = misplaced = 0;
	due = time_now() + 400 * MS;
	for (u64 i = 0; i < n; i++) {
		threads[i] = made_on(~0u, sleep_once, (void *)i);
		thread_resume(threads[i]);
	}
	while (asleep < n)
		thread_yield();
	REQUIRE(time_before(time_now(), due - MS), "P4.16", "it took too long to start %u sleepers",
		n);
	thread_sleep_until(deadline_at(due + 1));
	REQUIRE(AWAIT(gate.nr == n), "P4.16", "%u of %u sleepers woke", woken, n);
	wait_wake_all(&gate, 0);
	for (unsigned i = 0; i < n; i++)
		thread_join(threads[i], NULL, DEADLINE_NEVER);
	CHECK(left_behind == 0, "P4.2",
	      "when the first of %u ran, %u that were due were still armed", n, left_behind);
	CHECK(misplaced == 0, "P4.2", "%u of %u did not wake in the order in which they came",
	      misplaced, n);
	return (finished - due) / n;
}

/* Arms deadlines for @n waiters of @owner, which never runs. */
static void arm_all(unsigned n, struct thread *owner)
{
	for (unsigned i = 0; i < n; i++) {
		waiter_init(&waiters[i], 0);
		waiters[i].thread = owner;
		sleepq_arm(&waiters[i], 1000 + i);
	}
}

/* Returns the sleep queue's part of that cost, if @at_once of the deadlines come in one tick. */
static u64 cost_of_expiry(unsigned n, unsigned at_once)
{
	struct thread *owner = made_on(~0u, sleep_once, NULL);
	u64 from, took;

	irq_off();
	arm_all(n, owner);
	from = time_now();
	for (unsigned last = at_once; last <= n; last += at_once) {
		sleepq_expire(&this_cpu()->sleepq, 999 + last);
		kept = MAX(kept, this_cpu()->sleepq.nr - (n - last));
	}
	took = time_now() - from;
	for (unsigned i = 0; i < n; i++)
		sleepq_cancel(&waiters[i]);
	irq_on();
	thread_kill(owner);
	thread_join(owner, NULL, DEADLINE_NEVER);
	return took / n;
}

/*
 * Returns its part of the cost of an event, which wakes a waiter before its deadline. Earlier and
 * later deadlines are armed when one is cancelled.
 */
static u64 cost_of_cancel(unsigned n)
{
	u64 from, took;

	irq_off();
	arm_all(n, current_thread());
	from = time_now();
	for (unsigned i = 0; i < n; i++)
		sleepq_cancel(&waiters[i * STEP % n]);
	took = time_now() - from;
	irq_on();
	return took / n;
}

/* One after the other, some at a time, and all at once. */
static void compare_expiries(void)
{
	static const struct {
		unsigned few_at_once, many, many_at_once;
		const char *few_figure, *many_figure;		/* or NULL */
	} rows[] = {
		{ FEW, MANY, MANY, "instructions_per_expiry_10", "instructions_per_expiry_1000" },
		{ 1, MANY, 1, "instructions_per_tick_10", "instructions_per_tick_1000" },
		{ FEW, CROWD, FEW, NULL, NULL },
		{ FEW, CROWD, CROWD, NULL, NULL },
	};

	kept = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 few = cost_of_expiry(FEW, rows[i].few_at_once);
		u64 many = cost_of_expiry(rows[i].many, rows[i].many_at_once);

		if (rows[i].few_figure) {
			ktest_figure(rows[i].few_figure, few);
			ktest_figure(rows[i].many_figure, many);
		}
		CHECK(many < 2 * few, "P4.16",
		      "with %u deadlines, %u due at a time, each takes %lu instructions to time "
		      "out, with %u, %u at a time, %lu",
		      FEW, rows[i].few_at_once, few, rows[i].many, rows[i].many_at_once, many);
	}
	CHECK(kept == 0, "P4.2", "after an expiry %u that were due were still armed", kept);
}

KTEST(sleep_thousand, "sleep.thousand", "04.6", "P4.16")
{
	struct counter_snapshot before, after;
	u64 few, many;

	NEEDS_ONE_CPU;
	counters_snapshot(&before);
	few = cost_of(FEW);
	many = cost_of(MANY);
	ktest_figure("instructions_per_wake_10", few);
	ktest_figure("instructions_per_wake_1000", many);
	CHECK(many < 2 * few, "P4.16",
	      "with %u sleepers a wake-up takes %lu instructions, with %u %lu", FEW,
	      few, MANY, many);
	compare_expiries();
	few = cost_of_cancel(FEW);
	many = cost_of_cancel(MANY);
	ktest_figure("instructions_per_cancel_10", few);
	ktest_figure("instructions_per_cancel_1000", many);
	CHECK(many < 2 * few, "P4.16",
	      "with %u deadlines a cancellation takes %lu instructions, with %u %lu",
	      FEW, few, MANY, many);
	counters_snapshot(&after);
	counters_equal(&before, &after, "P4.16");
	audit();
}
