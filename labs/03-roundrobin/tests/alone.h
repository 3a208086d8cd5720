/*
 * Shared by the early tests, which run on the idle thread of CPU 0 before any other thread exists.
 * Their threads hand the CPU round by hand, until none of them is ready: then it is the idle
 * thread's again, as in the idle loop. So nothing of later steps is needed.
 */
#pragma once

#include "sched/internal.h"
#include "sched/time.h"
#include "sched/wait.h"
#include "test/ktest.h"
#include "thread/thread.h"

/* Leaves the test function where others run: other CPUs, or threads for tests of later steps. */
#define NEEDS_TO_BE_ALONE							\
	do {									\
		NEEDS_ONE_CPU;							\
		if (!is_idle(&cpus[0].runq, current_thread())) {		\
			ktest_skip("it needs test= without tests of later steps"); \
			return;							\
		}								\
	} while (0)

static struct wait_queue done = WAIT_QUEUE_INIT(done);

/* A thread of the test is finished. It never goes on, as threads cannot exit yet. */
static inline int rest(void)
{
	for (;;)
		wait_block(&done, DEADLINE_NEVER);
	return 0;
}

/* Runs all threads that are ready, until each of them rests; no load is looked for meanwhile. */
static inline void run_them(void)
{
	struct runq *rq = this_runq_lock();

	rq->balance_at = time_now() + NSEC_PER_SEC;
	thread_set_state(rq->current, THREAD_READY, "lets others run");
	schedule(rq);
}

static inline struct thread *create(thread_fn fn, void *arg)
{
	struct thread *t = thread_create("member", fn, arg, PRIORITY_DEFAULT);

	REQUIRE(t, "P3.3", "no thread was made");
	return t;
}

static inline struct thread *make(thread_fn fn, void *arg)
{
	struct thread *t = create(fn, arg);

	thread_resume(t);
	return t;
}

static const struct sched_params real_time = { .class = SCHED_RR, .rt_priority = 10 };

/* All that are made by it are equals, and wait in no queue of the policy. */
static inline void make_real_time(thread_fn fn, void *arg)
{
	struct thread *t = create(fn, arg);

	policy_set_params(&t->se, &real_time, time_now());
	thread_resume(t);
}
