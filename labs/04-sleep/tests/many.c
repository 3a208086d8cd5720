/*
 * Lab 04, step 6: a thousand sleepers cost each what ten do.
 */
#include "counters.h"
#include "waiters.h"

#define MANY	1000
#define FEW	10

static struct thread *threads[MANY];
static u64 due;
static _Atomic unsigned asleep, woken;
static unsigned left_behind;	/* armed when the first one ran */
static unsigned misplaced;	/* who did not wake in order of arrival */
static u64 finished;		/* when the last one ran */

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
	return 0;
}

/* @n sleep until the same time; on 1 CPU, where time is instructions: how many each took to wake. */
static u64 cost_of(unsigned n)
{
	asleep = woken = misplaced = 0;
	due = time_now() + 100 * MS;
	for (u64 i = 0; i < n; i++) {
		threads[i] = made_on(~0u, sleep_once, (void *)i);
		thread_resume(threads[i]);
	}
	while (asleep < n)
		thread_yield();
	REQUIRE(time_before(time_now(), due - MS), "P4.16", "it took too long to start %u sleepers", n);
	for (unsigned i = 0; i < n; i++)
		REQUIRE(thread_join(threads[i], NULL, deadline_in(NSEC_PER_SEC)) == 0, "P4.16",
			"sleeper %u of %u never woke", i, n);
	CHECK(left_behind == 0, "P4.2", "when the first of %u ran, %u that were due were still armed", n,
	      left_behind);
	CHECK(misplaced == 0, "P4.2", "%u of %u did not wake in the order in which they came", misplaced, n);
	return (finished - due) / n;
}

KTEST(sleep_thousand, "sleep.thousand", "04.6", "P4.16")
{
	struct counter_snapshot before, after;
	u64 few, many;

	counters_snapshot(&before);
	few = cost_of(FEW);
	many = cost_of(MANY);
	ktest_figure("instructions_per_wake_10", few);
	ktest_figure("instructions_per_wake_1000", many);
	CHECK(many < 2 * few, "P4.16", "with %u sleepers a wake-up takes %lu instructions, with %u %lu", FEW,
	      few, MANY, many);
	counters_snapshot(&after);
	counters_equal(&before, &after, "P4.16");
	audit();
}
