/*
 * Shared by the tests of this folder and of lab 05: threads on chosen CPUs, and waiting for their
 * states.
 */
#pragma once

#include "errno.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "sync/mutex.h"
#include "sync/sync.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define MS	NSEC_PER_MSEC
#define SOON	(500 * MS)		/* enough for what only needs a turn of the CPU */
#define LONG	(30 * NSEC_PER_SEC)	/* after it, a thread hangs */

/*
 * Lets even the least urgent threads run until @cond holds or SOON is over; the value is whether it
 * holds. Each sleep is many times longer than waking up takes: on a slow CPU no other thread would
 * run otherwise.
 */
#define AWAIT(cond)								\
	({									\
		u64 end_ = time_now() + SOON;					\
		while (!(cond) && time_before(time_now(), end_))		\
			thread_sleep(MS / 2);					\
		!!(cond);							\
	})

static inline struct thread *test_thread(u32 mask, thread_fn fn, void *arg, int priority)
{
	struct thread *t = thread_create("tester", fn, arg, priority);

	REQUIRE(t, ktest_property(), "no memory for a thread");
	sched_set_affinity(t, mask);
	thread_resume(t);
	return t;
}

static inline int test_ends_at_once(void *unused)
{
	(void)unused;
	return 0;
}

/* A thread for the test to enter into queues by hand: it has not begun, and ends once it does. */
static inline struct thread *test_figure(int priority)
{
	struct thread *t = thread_create("figure", test_ends_at_once, NULL, priority);

	REQUIRE(t, ktest_property(), "no memory for a thread");
	return t;
}

static inline void test_blocked(struct thread *t, const char *what)
{
	REQUIRE(AWAIT(thread_state(t) == THREAD_BLOCKED), ktest_property(),
		"%s: a waiter is %s", what, thread_state_name(thread_state(t)));
}

static inline int test_join(struct thread *t, const char *what)
{
	int code = 0;

	REQUIRE(thread_join(t, &code, deadline_in(LONG)) == 0, ktest_property(),
		"%s: a waiter hangs", what);
	return code;
}

static inline void test_figure_end(struct thread *t)
{
	thread_resume(t);
	test_join(t, "a figure");
}

/* On ONE_CPU the scheduler alone orders what this thread and the ones it starts do. */
#define ONE_CPU		1u
#define ALL_CPUS	~0u

static inline void test_stay(u32 mask)
{
	sched_set_affinity(current_thread(), mask);
	thread_yield();
}

static inline void test_priority(int priority)
{
	struct sched_params p = params_of_level(priority);

	REQUIRE(sched_set_params(current_thread(), &p) == 0, ktest_property(),
		"priority %d is refused", priority);
}
