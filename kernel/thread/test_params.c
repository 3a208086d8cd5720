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

/* A thread that has ended gets no reservation: nobody would give it back. */
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
	thread_join(t, NULL, DEADLINE_NEVER);
}
