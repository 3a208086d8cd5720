/*
 * Lab 08: the states of four CPUs: which of them are idle or busy, which threads wait at which and
 * where they may run, which CPUs are near each other. All is done by CPU 0, with run queues that
 * are filled by hand.
 */
#pragma once

#include "explore/scenario.h"

#include "mm/numa.h"
#include "sched/cpu.h"
#include "sched/internal.h"

#define CPUS	4u
#define ALL	(BIT(CPUS) - 1)

/* Takes the next digit of @number, which has @base values. */
static inline unsigned digit(unsigned *number, unsigned base)
{
	unsigned d = *number % base;

	*number /= base;
	return d;
}

enum { ONE_NODE, NEIGHBOURS, EVEN_AND_ODD, LAYOUTS };

static unsigned layout;

static inline void set_nodes(void)
{
	nr_nodes = layout == ONE_NODE ? 1 : 2;
	for (unsigned i = 0; i < CPUS; i++)
		cpus[i].node = layout == NEIGHBOURS ? i / 2 : layout == EVEN_AND_ODD ? i % 2 : 0;
}

/* The CPUs of @mask in the order in which @from looks at them; returns their number. */
static inline unsigned in_order(unsigned from, u32 mask, unsigned order[CPUS])
{
	unsigned n = 0;

	for (unsigned far = 0; far < 2; far++)
		for (unsigned i = 0; i < CPUS; i++)
			if (mask & BIT(i) && (cpus[i].node != cpus[from].node) == far)
				order[n++] = i;
	return n;
}

/* --- Threads that only wait; they never run --------------------------------------------------- */

static struct thread waits[12];
static bool lends;		/* the urgent ones are normal, and inherit */

static u32 idle_before;

/* The other CPUs idle, and no interrupt ends that. */
static inline void begin(void)
{
	while (atomic_load(&idle_mask) != (ALL & ~BIT(0)))
		arch_spin_hint();
	irq_off();
	idle_before = atomic_load(&idle_mask);
	for (unsigned i = 0; i < CPUS; i++)
		runq_await(&cpus[i].runq);
	for (unsigned i = 0; i < ARRAY_SIZE(waits); i++)
		policy_entity_init(&waits[i].se, ALL, 0);
}

static inline void forget_told(void)
{
	for (unsigned i = 0; i < CPUS; i++) {
		atomic_store(&cpus[i].idle.work, 0);
		atomic_store(&cpus[i].ipi_pending, 0);
	}
}

static inline void end(void)
{
	layout = ONE_NODE;
	set_nodes();
	forget_told();
	atomic_fetch_and(&current_thread()->work, ~WORK_RESCHED);
	atomic_store(&idle_mask, idle_before);
	irq_on();
	explore_from_here();
	end_here();
}

static inline void make_wait(unsigned i, unsigned cpu, u32 mask, bool urgent)
{
	struct sched_params p = { .class = SCHED_FIFO, .rt_priority = 10 };
	struct sched_rank lent = { .level = 20 };
	struct thread *t = &waits[i];

	t->cpu = &cpus[cpu];
	t->state = THREAD_READY;
	policy_entity_init(&t->se, mask, 0);
	t->affinity = mask;
	if (urgent && lends)
		policy_inherit(&t->se, lent);
	else if (urgent)
		policy_set_params(&t->se, &p, 0);
	queue_enqueue(&cpus[cpu].runq.q, &t->se, ENQUEUE_WAKE, 0);
}

static inline void take_out_all(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(waits); i++)
		if (entity_queued(&waits[i].se))
			queue_dequeue(&waits[i].cpu->runq.q, &waits[i].se);
}

/* The CPUs of `busy` run a thread, for the queues at least; CPU 0 runs the scenario. */
static struct thread runs[CPUS];
static u32 busy;

static inline void set_busy(void)
{
	for (unsigned i = 1; i < CPUS; i++) {
		struct runq *rq = &cpus[i].runq;

		policy_entity_init(&runs[i].se, ALL, 0);
		rq->current = busy & BIT(i) ? &runs[i] : &cpus[i].idle;
		rq->q.current = busy & BIT(i) ? &runs[i].se : NULL;
	}
}
