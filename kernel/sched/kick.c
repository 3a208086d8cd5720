/*
 * Telling an idle CPU of work.
 *
 * A waker that clears a CPU's bit in idle_mask sends it an IPI, so a CPU is told once. CPUs are
 * numbered in the order in which work should be spread, cores before their siblings. The waker
 * takes the first idle CPU that may run the thread, but prefers those of the same node (numa.h).
 * No wake-up is lost while a CPU goes idle: see idle.c.
 */
#include "internal.h"
#include "mm/numa.h"
#include "thread/thread.h"

u32 near_cpus(const struct cpu *c)
{
	u32 mask = 0;

	if (nr_nodes == 1)
		return ~0u;
	for (unsigned i = 0; i < nr_cpus; i++)
		if (cpus[i].node == c->node)
			mask |= BIT(i);
	return mask;
}

/* Returns the first CPU of @mask that may run @t, or a thread that waits in @rq. NULL: none. */
static struct cpu *first_for(u32 mask, const struct thread *t, struct runq *rq)
{
	/* LAB 08-smp: find the first CPU of mask that may run t, or a thread that waits in rq */
	for (; mask; mask &= mask - 1) {
		unsigned id = __builtin_ctz(mask);

		if ((t && t->se.affinity & BIT(id)) || (rq && queue_find(&rq->q, id)))
			return &cpus[id];
	}
	return NULL;
	/* END LAB */
}

struct cpu *idle_cpu_for(const struct thread *t, struct runq *rq)
{
	u32 idle, near;
	struct cpu *c;

	if (!may_steal)
		return NULL;		/* none would come */
	/* LAB 08-smp: look which CPUs are idle, and find one, first among those of the same node */
	atomic_thread_fence(memory_order_seq_cst);	/* queued, now the mask */
	idle = atomic_load_explicit(&idle_mask, memory_order_relaxed);
	if (!idle)
		return NULL;
	near = near_cpus(t ? thread_cpu(t) : runq_cpu(rq));
	c = first_for(idle & near, t, rq);
	return c ? c : first_for(idle & ~near, t, rq);
	/* END LAB */
}

bool kick_idle_for(const struct thread *t, struct runq *rq)
{
	struct cpu *c;

	if (!may_steal)
		return false;
	/* LAB 08-smp: find an idle CPU that no other waker tells, and tell it */
	while ((c = idle_cpu_for(t, rq))) {
		if (!(atomic_fetch_and(&idle_mask, ~BIT(c->id)) & BIT(c->id)))
			continue;	/* another waker took it */
		atomic_fetch_or(&c->idle.work, WORK_RESCHED);
		ipi_send(c, IPI_RESCHED);
		return true;
	}
	return false;
	/* END LAB */
}
