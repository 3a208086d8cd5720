/*
 * Idle CPUs: waiting without ticks, being kicked, stealing.
 *
 * A CPU with nothing to run sets its bit in idle_mask, looks once more, and waits for an interrupt
 * with none lost in between. Whoever queues a thread on a busy CPU takes the bit of an idle one
 * that may run it and sends that one an IPI; it comes and steals.
 *
 *	idle CPU                                 waker
 *	sets its bit                             queues the thread
 *	looks at the other queues                looks at idle_mask
 *
 * Both are sequentially consistent, so one of them sees the other.
 */
#include "internal.h"
#include "thread.h"
#include "trace.h"

static _Atomic u32 idle_mask;

void kick_idle_for(struct thread *t)
{
	u32 mask = atomic_load(&idle_mask) & t->affinity;

	while (mask) {
		u32 bit = mask & -mask;
		struct cpu *c = &cpus[__builtin_ctz(mask)];

		if (atomic_fetch_and(&idle_mask, ~bit) & bit) {
			atomic_fetch_or(&c->idle.work, WORK_RESCHED);
			ipi_send(c, IPI_RESCHED);
			return;
		}
		mask &= ~bit;	/* somebody else was faster */
	}
}

void idle_leave(struct runq *rq)
{
	atomic_fetch_and(&idle_mask, ~BIT(runq_cpu(rq)->id));
}

/*
 * Takes a thread from @victim for @rq's CPU. Both queues are locked, the second one by trying: two
 * CPUs that steal from each other must not wait for each other.
 */
static struct thread *steal_from(struct runq *rq, struct cpu *victim)
{
	struct thread *t;

	if (!spin_trylock(&victim->runq.lock)) {
		rq->steal_missed = true;
		return NULL;
	}
	t = sched_policy->steal(&victim->runq, runq_cpu(rq)->id);
	if (t) {
		nr_ready_add(&victim->runq, -1);
		t->cpu = runq_cpu(rq);
		t->stats.migrations++;
		runq_cpu(rq)->stats.steals++;
		trace(TRACE_SCHED, TRACE_EV_MIGRATE, t->tid, victim->id << 8 | runq_cpu(rq)->id);
	}
	spin_unlock(&victim->runq.lock);
	return t;
}

struct thread *steal(struct runq *rq)
{
	rq->steal_missed = false;
	for (unsigned i = 1; i < nr_cpus; i++) {
		struct cpu *victim = &cpus[(runq_cpu(rq)->id + i) % nr_cpus];
		struct thread *t = NULL;

		if (atomic_load(&victim->runq.nr_ready))
			t = steal_from(rq, victim);
		if (t)
			return t;
	}
	return NULL;
}

/*
 * Runs what there is. True: look again. The thread that ran last may have woken somebody from here,
 * in sched_finish_switch(): that leaves a mark on the idle thread, and no interrupt will come for
 * it.
 */
static bool look_for_work(void)
{
	struct runq *rq = this_runq_lock();
	struct thread *idle = rq->current;

	thread_set_state(idle, THREAD_READY, "looks for work");
	schedule(rq);
	return rq->steal_missed || atomic_load(&idle->work) & WORK_RESCHED;
}

noreturn void sched_idle(void)
{
	struct cpu *c = this_cpu();

	for (;;) {
		arch_irqs_disable();
		atomic_fetch_or(&idle_mask, BIT(c->id));
		if (look_for_work()) {
			arch_spin_hint();
			continue;
		}
		trace(TRACE_SCHED, TRACE_EV_IDLE, c->id, c->timer_armed ? c->timer_at : 0);
		arch_idle_wait();
	}
}
