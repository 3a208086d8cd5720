/* Test of a thread's parameters: under a policy with reservations. */
#include "errno.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/ktest.h"
#include "thread/thread.h"

static int ends(void *unused)
{
	(void)unused;
	return 0;
}

/* Reserves @whole on every CPU; the threads end without having used it. */
static void reserve_all(const struct sched_params *whole)
{
	struct thread *all[MAX_CPUS];

	for (unsigned i = 0; i < nr_cpus; i++) {
		all[i] = thread_create("ends", ends, NULL, PRIORITY_DEFAULT);
		REQUIRE(all[i], "", "no memory for a thread");
		CHECK(sched_set_params(all[i], whole) == 0, "",
		      "of %u reservations, %u is refused: a dead thread has kept its own", nr_cpus,
		      i);
	}
	for (unsigned i = 0; i < nr_cpus; i++) {
		thread_resume(all[i]);
		thread_join(all[i], NULL, DEADLINE_NEVER);
	}
}

/*
 * A thread that has ended gets no reservation, as nobody would give it back, and has given its own
 * back before anybody joins it.
 */
KTEST(sched_reserves_alive, "sched.reserves_alive", "", "")
{
	struct sched_params whole = { .class = SCHED_DEADLINE, .runtime = 90 * NSEC_PER_MSEC,
				      .deadline = 100 * NSEC_PER_MSEC,
				      .period = 100 * NSEC_PER_MSEC };
	struct sched_params none = { .class = SCHED_OTHER, .nice = NICE_LOWEST + 1 };
	struct thread *t = thread_create("ends", ends, NULL, PRIORITY_DEFAULT);
	int err;

	REQUIRE(t, "", "no memory for a thread");
	CHECK(sched_set_params(t, &none) == -EINVAL, "", "no class has this nice value");
	err = sched_set_params(t, &whole);
	if (err == -EINVAL) {			/* the policy has none */
		thread_resume(t);
		thread_join(t, NULL, DEADLINE_NEVER);
		return;
	}
	CHECK(err == 0, "", "a reservation is refused: %d", err);
	thread_resume(t);
	while (thread_state(t) != THREAD_DEAD)
		thread_yield();
	err = sched_set_params(t, &whole);
	CHECK(err == -ESRCH, "", "a dead thread reserves: %d", err);
	reserve_all(&whole);
	thread_join(t, NULL, DEADLINE_NEVER);
}

/* A thread's first reservation begins at once, wherever the wall clock was when it was created. */
KTEST(sched_reserves_at_once, "sched.reserves_at_once", "", "")
{
	struct sched_params p = { .class = SCHED_DEADLINE, .runtime = 5 * NSEC_PER_MSEC,
				  .deadline = 50 * NSEC_PER_MSEC, .period = 50 * NSEC_PER_MSEC };
	struct sched_params normal = { .class = SCHED_OTHER };
	u64 offset = time_realtime_offset();
	struct thread *t;

	if (!policy_knows(SCHED_DEADLINE))
		return;
	time_set_realtime(time_now() + offset + 3600 * NSEC_PER_SEC);
	t = thread_create("ends", ends, NULL, PRIORITY_DEFAULT);
	time_set_realtime(time_now() + offset);
	REQUIRE(t, "", "no memory for a thread");
	CHECK(sched_set_params(t, &p) == 0, "", "a reservation is refused");
	CHECK(t->se.budget == (s64)p.runtime, "", "its first budget is %ld ns", t->se.budget);
	CHECK(sched_set_params(t, &normal) == 0, "", "SCHED_OTHER is refused");
	thread_resume(t);
	thread_join(t, NULL, DEADLINE_NEVER);
}
