/*
 * Shared by the tests of real-time threads on several CPUs. The test has CPU 0. On the last CPU the
 * thread of each test may run; the CPUs in between run something more urgent.
 */
#pragma once

#include "internal.h"
#include "test_spinner.h"

#define MORE_URGENT	28	/* on LK's scale; 16 is the least urgent real-time thread */
#define LEAVER		24
#define URGENT		20
#define LESS_URGENT	17

static struct spinner fill[MAX_CPUS];
static unsigned last;

static inline void occupy(unsigned cpu, int priority)
{
	start_on(&fill[cpu], BIT(cpu), spin, priority);
}

/* Starts a test. The last CPU, and @spare before it, are left to it. False: too few CPUs. */
static inline bool begin(unsigned spare)
{
	last = nr_cpus - 1;
	if (nr_cpus < 3 + spare)
		return false;
	go_first();
	CHECK(sched_set_affinity(current_thread(), BIT(0)) == 0, "", "affinity");
	for (unsigned i = 0; i < nr_cpus; i++)
		fill[i] = (struct spinner){ 0 };
	for (unsigned i = 1; i < last - spare; i++)
		occupy(i, MORE_URGENT);
	return true;
}

static inline void finish(void)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (fill[i].thread)
			end(&fill[i], 1);
	CHECK(sched_set_affinity(current_thread(), ~0u) == 0, "", "affinity");
}

/* Whether each CPU runs the thread that it is to run. */
static inline bool all_run(void)
{
	for (unsigned i = 1; i < nr_cpus; i++)
		if (fill[i].thread && cpus[i].runq.current != fill[i].thread)
			return false;
	return true;
}

static inline void settle(void)
{
	CHECK(await(all_run), "", "what each CPU is to do does not run there");
}

/* Wakes @s on its last CPU. We may hold the lock of another run queue, so this one is tried. */
static inline void wake(struct spinner *s)
{
	struct runq *rq = &thread_cpu(s->thread)->runq;

	while (!spin_trylock(&rq->lock))
		arch_spin_hint();
	sched_make_ready(rq, s->thread, "tested");
	spin_unlock(&rq->lock);
}

static inline void check_runs(const struct spinner *s)
{
	u64 before;

	look_on(MS);
	before = ran(s);
	look_on(3 * MS);
	CHECK(ran(s) - before > 2 * MS, "", "in 3 ms it ran %lu ns, on CPU %u", ran(s) - before,
	      thread_cpu(s->thread)->id);
}

static inline void check_waits(const struct spinner *s)
{
	look_on(MS);
	CHECK(ran(s) == 0, "", "it has not had to wait");
}
