/*
 * Idle CPUs: waiting without ticks, being kicked.
 *
 * A CPU with nothing to run sets its bit in idle_mask, looks for work once more, and waits for an
 * interrupt; none is lost in between. When a thread is queued on a busy CPU, the waker clears the
 * bit of an idle CPU that may run it and sends that CPU an IPI (kick.c); it comes and steals
 * (balance.c).
 *
 *	idle CPU                                 waker
 *	sets its bit                             queues the thread
 *	looks at the other queues                looks at idle_mask
 *
 * The idle CPU's steps are sequentially consistent, and so is a fence between those of the waker:
 * one of the two sees what the other did. Real-time threads do not wait for an idle CPU to come:
 * they are pushed to it (BALANCE1).
 */
#include "base/trace.h"
#include "internal.h"
#include "thread/thread.h"

_Atomic u32 idle_mask;

void idle_leave(struct runq *rq)
{
	atomic_fetch_and(&idle_mask, ~BIT(runq_cpu(rq)->id));
}

/*
 * Kicks idle CPUs for other threads that wait: this CPU may have been kicked for one of them, and
 * has found another at @rq. The caller holds no lock, as this waits for those of all run queues.
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
 * Runs what there is to run. Returns true if the caller must look again: after a thread has run, as
 * this CPU's bit is clear then; or because another queue was locked, which is waited for here,
 * where no lock is held. Looking in vain writes no trace records.
 */
static bool look_for_work(void)
{
	struct runq *rq = this_runq_lock(), *missed;
	u64 now = time_now();

	if (nr_ready(rq) || (may_steal && steal(rq, now))) {
		idle_leave(rq);
		if (atomic_load(&idle_mask)) {
			runq_unlock(rq);
			pass_on(rq);
			rq = this_runq_lock();
			if (!nr_ready(rq)) {	/* another CPU took it */
				go_on(rq);
				return true;
			}
		}
		thread_set_state(rq->current, THREAD_READY, "has found work");
		schedule(rq);
		runq_cpu(rq)->stats.idles++;
		return true;
	}
	missed = may_steal ? rq->missed : NULL;
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
