/*
 * Shared by the tests from step 4 on: threads that only compute, and the CPU time that they got.
 */
#pragma once

#include "sched/internal.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define MS	NSEC_PER_MSEC

struct hog {
	struct thread *thread;
	_Atomic bool stop;
	u64 since;		/* its run_ns when the measurement began */
};

/* Returns its CPU time, including what is not charged yet. */
static inline u64 ran(const struct hog *h)
{
	struct runq *rq = thread_runq_lock(h->thread);
	u64 ns = h->thread->stats.run_ns;

	if (rq->current == h->thread)
		ns += time_now() - rq->charged_at;
	runq_unlock(rq);
	return ns;
}

static inline int compute(void *arg)
{
	struct hog *h = arg;

	while (!atomic_load(&h->stop))
		;
	return 0;
}

/* The last CPU: the test itself is on another one if there are several. */
static inline u32 there(void)
{
	return BIT(nr_cpus - 1);
}

static inline void start_hog(struct hog *h, u32 mask, thread_fn fn)
{
	h->thread = thread_create("hog", fn, h, PRIORITY_DEFAULT);
	REQUIRE(h->thread, "P3.6", "no memory for a thread");
	CHECK(sched_set_affinity(h->thread, mask) == 0, "P3.6", "affinity");
	thread_resume(h->thread);
}

static inline void end_hogs(struct hog *h, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		atomic_store(&h[i].stop, true);
	for (unsigned i = 0; i < n; i++)
		thread_join(h[i].thread, NULL, DEADLINE_NEVER);
}

static inline void set_urgent(struct thread *t, bool urgent)
{
	struct sched_params p = { .class = urgent ? SCHED_FIFO : SCHED_OTHER,
				  .rt_priority = urgent ? 50 : 0 };

	REQUIRE(sched_set_params(t, &p) == 0, "P3.6", "its class is refused");
}

/* Lets the hogs run for @ns, and then says in `since` what each got of it. */
static inline void measure(struct hog *h, unsigned n, u64 ns)
{
	for (unsigned i = 0; i < n; i++)
		h[i].since = ran(&h[i]);
	thread_sleep(ns);
	for (unsigned i = 0; i < n; i++)
		h[i].since = ran(&h[i]) - h[i].since;
}
