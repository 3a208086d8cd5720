/*
 * Shared by the tests of this folder: threads on chosen CPUs, and waiting until they wait.
 */
#pragma once

#include "errno.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "sync/mutex.h"
#include "sync/sync.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define MS	NSEC_PER_MSEC
#define SOON	(500 * MS)		/* what only needs a turn */
#define LONG	(30 * NSEC_PER_SEC)	/* when somebody must have given up */

/*
 * Lets even the least urgent run until @cond holds or SOON is over; whether it holds. It sleeps for
 * many times what waking up costs, or on a slow CPU nobody else would get to run.
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

	REQUIRE(t, "sync", "no memory for a thread");
	sched_set_affinity(t, mask);
	thread_resume(t);
	return t;
}

static inline void test_blocked(struct thread *t, const char *what)
{
	REQUIRE(AWAIT(thread_state(t) == THREAD_BLOCKED), "sync", "%s: a waiter is %s", what,
		thread_state_name(thread_state(t)));
}

static inline int test_join(struct thread *t, const char *what)
{
	int code = 0;

	REQUIRE(thread_join(t, &code, deadline_in(LONG)) == 0, "sync", "%s: a waiter hangs", what);
	return code;
}

/* The scheduler alone orders what this thread and those it starts on ONE_CPU do. */
#define ONE_CPU		1u
#define ALL_CPUS	~0u

static inline void test_stay(u32 mask)
{
	sched_set_affinity(current_thread(), mask);
	thread_yield();
}
