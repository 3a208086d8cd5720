/*
 * Shared by the tests: threads that spin on given CPUs. Masks are set by hand where step 2, in
 * which sched_set_affinity() is written, may not be done yet. Steps 1 to 3 and 6 boot with
 * steal=off and balance=off: a thread changes CPUs only if the test, or its mask, makes it.
 */
#pragma once

#include "base/bootargs.h"
#include "errno.h"
#include "sched/internal.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

/* Leaves the test function where idle CPUs come for the threads that it counts. */
#define NEEDS_NO_STEALING							\
	do {									\
		if (bootarg_switch("steal", true)) {				\
			ktest_skip("it needs steal=off");			\
			return;							\
		}								\
	} while (0)

#define MS	NSEC_PER_MSEC
#define CREW	6

struct member {
	struct thread *thread;
	_Atomic bool stop;
	_Atomic unsigned began_on;	/* the CPU on which it began, + 1; 0: it has not begun */
};

static inline unsigned cpu_here(void)
{
	unsigned id;

	preempt_off();
	id = this_cpu()->id;
	preempt_on();
	return id;
}

static inline int spin(void *arg)
{
	struct member *m = arg;

	m->began_on = cpu_here() + 1;
	while (!atomic_load(&m->stop))
		;
	return 0;
}

/* Begins, and ends. */
static inline int begin(void *arg)
{
	((struct member *)arg)->began_on = cpu_here() + 1;
	return 0;
}

static inline void set_mask(struct thread *t, u32 mask)
{
	struct runq *rq = thread_runq_lock(t);

	t->affinity = t->se.affinity = mask;
	runq_unlock(rq);
}

static inline unsigned cpu_of(struct thread *t)
{
	struct runq *rq = thread_runq_lock(t);
	unsigned id = runq_cpu(rq)->id;

	runq_unlock(rq);
	return id;
}

/* Creates a thread that does not run yet, whose last CPU is @cpu and that may run on @mask. */
static inline void make(struct member *m, unsigned cpu, u32 mask, thread_fn fn)
{
	*m = (struct member){ .thread = thread_create("member", fn, m, PRIORITY_DEFAULT) };
	REQUIRE(m->thread, ktest_property(), "no memory for a thread");
	m->thread->affinity = m->thread->se.affinity = mask;
	m->thread->cpu = &cpus[cpu];
}

static inline void make_and_run(struct member *m, unsigned cpu, u32 mask, thread_fn fn)
{
	make(m, cpu, mask, fn);
	thread_resume(m->thread);
}

static inline void end(struct member *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		atomic_store(&m[i].stop, true);
	for (unsigned i = 0; i < n; i++)
		thread_join(m[i].thread, NULL, DEADLINE_NEVER);
}

/* Waits without giving up the CPU. */
static inline void look_on(u64 ns)
{
	u64 until = time_now() + ns;

	while (time_before(time_now(), until))
		;
}

/* Waits in this way until @m has begun, for @ns at most. */
static inline bool await_begin(struct member *m, u64 ns)
{
	u64 until = time_now() + ns;

	while (!m->began_on && time_before(time_now(), until))
		;
	return m->began_on;
}

/* The current thread stays where it is: only a mask could move it. Returns its CPU. */
static inline unsigned stay_here(void)
{
	unsigned id = cpu_here();

	set_mask(current_thread(), BIT(id));
	return id;
}

static inline void stay_no_longer(void)
{
	set_mask(current_thread(), BIT(nr_cpus) - 1);
}

/* The next CPU behind @cpu. */
static inline unsigned next_to(unsigned cpu)
{
	return (cpu + 1) % nr_cpus;
}

/* Makes the current thread, or another, real time. */
static inline void set_urgent(struct thread *t, bool urgent)
{
	struct sched_params p = { .class = urgent ? SCHED_FIFO : SCHED_OTHER,
				  .rt_priority = urgent ? 50 : 0 };

	REQUIRE(sched_set_params(t, &p) == 0, ktest_property(), "its class is refused");
}
