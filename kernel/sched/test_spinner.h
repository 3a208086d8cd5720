/*
 * Shared by tests of the scheduler: threads that spin, and the CPU time that they got.
 */
#pragma once

#include "internal.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define MS	NSEC_PER_MSEC

struct spinner {
	struct thread *thread;
	_Atomic bool stop;
	u64 since;		/* its run_ns when the measurement began */
	u64 work;		/* ns after which it ends; 0: when told */
	unsigned jobs, late;	/* of a thread with a reservation */
};

/* Returns its CPU time, including what is not charged yet. */
static inline u64 ran(const struct spinner *s)
{
	struct runq *rq = thread_runq_lock(s->thread);
	u64 ns = s->thread->stats.run_ns;

	if (rq->current == s->thread)
		ns += time_now() - rq->charged_at;
	runq_unlock(rq);
	return ns;
}

static inline int spin(void *arg)
{
	struct spinner *s = arg;
	u64 end = time_now() + s->work;

	while (!atomic_load(&s->stop) && (!s->work || time_before(time_now(), end)))
		;
	return 0;
}

/* The last CPU: the test itself is on another one if there are several. */
static inline u32 there(void)
{
	return BIT(nr_cpus - 1);
}

static inline void start_on(struct spinner *s, u32 mask, thread_fn fn, int priority)
{
	struct thread *t = thread_create("spinner", fn, s, priority);

	REQUIRE(t, "", "no memory for a thread");
	s->thread = t;
	CHECK(sched_set_affinity(t, mask) == 0, "", "affinity");
	thread_resume(t);
}

static inline void end(struct spinner *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		atomic_store(&s[i].stop, true);
	for (unsigned i = 0; i < n; i++)
		thread_join(s[i].thread, NULL, DEADLINE_NEVER);
}

/* Lets all of @s run for @ns; got() says what each got of it. */
static inline void measure(struct spinner *s, unsigned n, u64 ns)
{
	for (unsigned i = 0; i < n; i++)
		s[i].since = ran(&s[i]);
	thread_sleep(ns);
}

static inline u64 got(const struct spinner *s)
{
	return ran(s) - s->since;
}

static inline void take_priority(int priority)
{
	struct sched_params p = params_of_level(priority);

	REQUIRE(sched_set_params(current_thread(), &p) == 0, "", "priority %d is refused",
		priority);
}

/* Makes the test go first where it shares a CPU, so that its sleeps end on time. */
static inline void go_first(void)
{
	take_priority(PRIORITY_HIGHEST);
}

/* Waits for @ns without blocking, so that other threads do not get this CPU. */
static inline void look_on(u64 ns)
{
	u64 end = time_now() + ns;

	while (time_before(time_now(), end))
		;
}

/* Creates a suspended thread whose last CPU is @cpu, and that may run on all. */
static inline void create_at(struct spinner *s, unsigned cpu, thread_fn fn, int priority)
{
	s->thread = thread_create("spinner", fn, s, priority);
	REQUIRE(s->thread, "", "no memory for a thread");
	CHECK(sched_set_affinity(s->thread, BIT(cpu)) == 0, "", "affinity");
	CHECK(sched_set_affinity(s->thread, ~0u) == 0, "", "affinity");
}

/* Waits, without giving up the CPU, until @has_come says so. False: it never did. */
static inline bool await(bool (*has_come)(void))
{
	u64 give_up = time_now() + 10 * NSEC_PER_SEC;

	while (!has_come())
		if (!time_before(time_now(), give_up))
			return false;
	return true;
}

static inline int work_and_nap(void *arg)
{
	spin(arg);
	thread_sleep(30 * MS);
	return 0;
}

/* Keeps the test on CPU 0, so that threads on other CPUs never wait for it. (test_smp.c) */
void stay_here(void);

/* Ends what others_have_run() has started, and lets the test go to other CPUs again. */
void stay_no_longer(void);

/* Gives every other CPU a thread to take and run, and waits until all are idle again. */
void others_have_run(void);
