/*
 * Idle CPUs: waiting without ticks, being kicked.
 *
 * A CPU with nothing to run sets its bit in idle_mask, looks once more, and waits for an interrupt
 * with none lost in between. When a thread is queued on a busy CPU, the bit of an idle one that
 * may run it is taken and that CPU is sent an IPI; it comes and steals (balance.c). CPUs are
 * numbered in the order in which work should be spread, real cores before their siblings, and the
 * first is taken, if there is one of the same node (numa.h).
 *
 *	idle CPU                                 waker
 *	sets its bit                             queues the thread
 *	looks at the other queues                looks at idle_mask
 *
 * Both are sequentially consistent, so one of them sees the other.
 */
#include "base/trace.h"
#include "internal.h"
#include "mm/numa.h"
#include "thread/thread.h"

static _Atomic u32 idle_mask;

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

static struct cpu *first_for(u32 mask, const struct thread *t, struct runq *rq)
{
	for (; mask; mask &= mask - 1) {
		unsigned id = __builtin_ctz(mask);

		if ((t && t->se.affinity & BIT(id)) || (rq && queue_find(&rq->q, id)))
			return &cpus[id];
	}
	return NULL;
}

struct cpu *idle_cpu_for(const struct thread *t, struct runq *rq)
{
	u32 idle, near;
	struct cpu *c;

	atomic_thread_fence(memory_order_seq_cst);	/* it is queued; see above */
	idle = atomic_load(&idle_mask);
	if (!idle)
		return NULL;
	near = near_cpus(t ? thread_cpu(t) : runq_cpu(rq));
	c = first_for(idle & near, t, rq);
	return c ? c : first_for(idle & ~near, t, rq);
}

bool kick_idle_for(const struct thread *t, struct runq *rq)
{
	struct cpu *c;

	while ((c = idle_cpu_for(t, rq))) {
		if (!(atomic_fetch_and(&idle_mask, ~BIT(c->id)) & BIT(c->id)))
			continue;	/* somebody else was faster */
		atomic_fetch_or(&c->idle.work, WORK_RESCHED);
		ipi_send(c, IPI_RESCHED);
		return true;
	}
	return false;
}

void idle_leave(struct runq *rq)
{
	atomic_fetch_and(&idle_mask, ~BIT(runq_cpu(rq)->id));
}

/*
 * This CPU may have been told for another thread than it has found at @rq, so it tells others. It
 * holds no lock, as it waits for theirs.
 */
static void pass_on(struct runq *rq)
{
	for (unsigned i = 0; i < nr_cpus && atomic_load(&idle_mask); i++) {
		struct runq *other = &cpus[i].runq;

		if (nr_ready(other) <= (other == rq))
			continue;
		spin_lock(&other->lock);
		kick_idle_for(NULL, other);
		spin_unlock(&other->lock);
	}
}

/*
 * Runs what there is. True: look again, as it has run, and this CPU's bit is gone; or as another
 * queue was locked, which is waited for here, where no lock is held. In vain it leaves no trace.
 */
static bool look_for_work(void)
{
	struct runq *rq = this_runq_lock(), *missed;
	u64 now = time_now();

	pull(rq, now);		/* told of a real-time thread it may find others first */
	if (nr_ready(rq) || steal(rq, now)) {
		idle_leave(rq);
		if (atomic_load(&idle_mask)) {
			runq_unlock(rq);
			pass_on(rq);
			rq = this_runq_lock();
			if (!nr_ready(rq)) {	/* somebody else took it */
				go_on(rq);
				return true;
			}
		}
		thread_set_state(rq->current, THREAD_READY, "has found work");
		schedule(rq);
		runq_cpu(rq)->stats.idles++;
		return true;
	}
	missed = rq->missed;
	go_on(rq);
	if (missed)
		runq_await(missed);
	return missed;
}

noreturn void sched_idle(void)
{
	struct cpu *c = this_cpu();

	for (;;) {
		arch_irqs_disable();
		if (may_steal)
			atomic_fetch_or(&idle_mask, BIT(c->id));
		if (look_for_work())
			continue;
		trace(TRACE_SCHED, TRACE_EV_IDLE, c->id, c->timer_armed ? c->timer_at : 0);
		arch_idle_wait();
	}
}
