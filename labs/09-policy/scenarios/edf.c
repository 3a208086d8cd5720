/*
 * Lab 09: earliest deadline first. Each scenario is the mechanism of one CPU: it calls the hooks by
 * hand and sets the time (sched/policy/test_drive.h).
 */
#include "explore/scenario.h"
#include "sched/policy/test_drive.h"

/* Deadlines on both sides of the clock's wrap, and one without a reservation. */
SCENARIO(edf_first, "policy.earliest", "09.6", "P9.9", .cpus = 1)
{
	use(&sched_edf, -(5 * MS));
	set(0, reserved(2 * MS, 12 * MS));
	set(1, reserved(MS, 4 * MS));
	set(2, normal);
	wake(2);
	wake(0);
	wake(1);
	expect(running() == 1, "a deadline in 4 ms waits, and %d runs", running());
	run(MS);
	expect(running() == 0, "a deadline in 11 ms waits, and %d runs", running());
	run(2 * MS);
	expect(running() == 2, "both have had their budgets, and %d runs", running());
	run(MS);
	expect(running() == 1, "its second period has begun, and %d runs", running());
	run(20 * MS);
	expect(got[1] == 6 * MS && got[0] == 4 * MS, "in 24 ms they had %lu and %lu us",
	       got[1] / 1000, got[0] / 1000);
}

/* A sleep before the deadline: budget and deadline stay, or a period begins. */
SCENARIO(edf_sleeper, "policy.sleeper", "09.6", "P9.10", .cpus = 1)
{
	for (unsigned n = 0; n < 2; n++) {
		use(&sched_edf, 0);
		set(0, reserved(4 * MS, 20 * MS));
		wake(0);
		run(2 * MS);
		block();
		now = n ? 10 * MS + 1 : 10 * MS;	/* 2 ms are left for 10: just its share */
		wake(0);
		expect(e[0].base.key == (n ? now + 20 * MS : 20 * MS), "its deadline is at %lu us",
		       e[0].base.key / 1000);
		expect(e[0].budget == (s64)(n ? 4 * MS : 2 * MS), "its budget is %ld us",
		       e[0].budget / 1000);
	}
}

/* One that never waits has its budget in each period, and yields give the rest away. */
SCENARIO(edf_budget, "policy.budget", "09.6", "P9.11", .cpus = 1)
{
	use(&sched_edf, 0);
	set(0, reserved(3 * MS, 10 * MS));
	set(1, normal);
	wake(0);
	wake(1);
	run(25 * MS);
	expect(got[0] == 9 * MS, "in 25 ms one with 3 of 10 ms had %lu us", got[0] / 1000);
	run(6 * MS);
	expect(running() == 0, "its fourth period has begun, and %d runs", running());
	give_way(ENQUEUE_YIELD);
	expect(running() == 1, "it has yielded, and %d runs", running());
	run(9 * MS - 1);
	expect(running() == 1, "it has yielded and is back before its period");
	run(1);
	expect(running() == 0, "its fifth period has begun, and %d runs", running());
}

SCENARIO(edf_fits, "policy.fits", "09.7", "P9.12", .cpus = 1)
{
	struct policy_queue *const queues[] = { &q };

	use(&sched_edf, 0);
	policy.fits = sched_edf.fits;
	for (unsigned i = 0; i < 8; i++) {
		struct sched_params p7 = reserved(MS, 7 * MS);
		int err = policy_reserve(queues, 1, &e[i], 1, &p7);

		e[i].params = p7;
		expect((err == 0) == (i < 7), "a seventh of the CPU, number %u: %d", i + 1, err);
	}
	list_remove(&e[0].reserved);
	e[7].params = reserved(MS + 1, 7 * MS);
	expect(policy_reserve(queues, 1, &e[7], 1, &e[7].params),
	       "six sevenths, and 1 ns more than a seventh is admitted");
}
