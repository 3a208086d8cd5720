/*
 * Shared by the tests of this lab: threads that sleep or wait, and ways to watch them.
 *
 * The tests of steps 1 and 2 must work before wait queues do. A thread that exits wakes its joiner
 * through a wait queue, so their threads rest() instead of exiting, and the test watches a count.
 */
#pragma once

#include "errno.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "sched/wait.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define MS	NSEC_PER_MSEC
#define LATE	(4 * MS)	/* a later wake-up came from the end of a slice */
#define SOON	(50 * MS)
#define STRIDE	4	/* a sweep stops at every fourth instruction; seed= chooses the first */

/* Yields until @cond holds or SOON is over; the value says whether it holds. */
#define AWAIT(cond)								\
	({									\
		u64 end_ = time_now() + SOON;					\
		while (!(cond) && time_before(time_now(), end_))		\
			thread_yield();						\
		!!(cond);							\
	})

/* Returns a thread that has not run yet, for the CPUs of @mask. */
static inline struct thread *made_on(u32 mask, thread_fn fn, void *arg)
{
	struct thread *t = thread_create("tester", fn, arg, PRIORITY_DEFAULT);

	REQUIRE(t, "P4.1", "no memory for a thread");
	sched_set_affinity(t, mask);
	return t;
}

static inline struct thread *started_on(u32 mask, thread_fn fn, void *arg)
{
	struct thread *t = made_on(mask, fn, arg);

	thread_resume(t);
	return t;
}

static inline struct thread *started(thread_fn fn, void *arg)
{
	return started_on(~0u, fn, arg);
}

/* Keeps the current thread from ever going on or exiting. */
static inline void rest(void)
{
	for (;;) {
		thread_suspend(current_thread());
		thread_yield();
	}
}

/* Returns how many deadlines are armed on all CPUs. */
static inline unsigned armed_deadlines(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		n += cpus[i].sleepq.nr;
	return n;
}
