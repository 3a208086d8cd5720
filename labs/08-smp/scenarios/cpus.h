/*
 * Shared by the scenarios of run queues: threads whose masks are set by hand, as they must be while
 * sched_set_affinity() is not written yet.
 */
#pragma once

#include "explore/queues.h"
#include "explore/scenario.h"

#include "sched/cpu.h"
#include "sched/internal.h"

#define ALONE	"steal=off balance=off"		/* a thread changes CPUs only if it must */

/* A new thread that calls @run, does not run yet, may run on @mask, and whose last CPU is @cpu. */
static inline struct thread *make_actor(unsigned cpu, u32 mask, struct actor *a, int (*run)(void))
{
	struct thread *t = thread_create("thread", act, a, PRIORITY_DEFAULT);

	a->run = run;
	t->affinity = t->se.affinity = mask;
	t->cpu = &cpus[cpu];
	return t;
}

static inline void begin_actor(unsigned cpu, u32 mask, struct actor *a, int (*run)(void))
{
	start_actor(a, make_actor(cpu, mask, a, run));
}

/* The current thread is not moved: its mask is set by hand, too. */
static inline void stay_here(void)
{
	struct thread *t = current_thread();

	irq_off();
	t->affinity = t->se.affinity = BIT(this_cpu()->id);
	irq_on();
}

static inline unsigned my_cpu(void)
{
	unsigned id;

	irq_off();
	id = this_cpu()->id;
	irq_on();
	return id;
}
