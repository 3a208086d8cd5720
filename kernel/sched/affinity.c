/*
 * Affinity: which CPUs a thread may run on.
 *
 * A mask that forbids a thread's CPU moves the thread: at once if it is queued, after its next
 * switch if it runs (it gives way soon), when it wakes if it waits. Moving needs the locks of two
 * run queues; the second is only tried, and on failure the first is given up, so two movers never
 * wait for each other.
 */
#include "errno.h"
#include "internal.h"
#include "thread.h"
#include "trace.h"

static u32 usable_cpus(void)
{
	u32 mask = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (atomic_load(&cpus[i].online))
			mask |= BIT(i);
	return mask;
}

static void count_move(struct thread *t, struct cpu *from, struct cpu *to)
{
	t->stats.migrations++;
	trace(TRACE_SCHED, TRACE_EV_MIGRATE, t->tid, from->id << 8 | to->id);
}

struct runq *thread_runq_lock_allowed(struct thread *t)
{
	for (;;) {
		struct runq *rq = thread_runq_lock(t);
		enum thread_state s = thread_state(t);
		struct cpu *to;

		if (may_run_here(rq, t) || s == THREAD_RUNNING || s == THREAD_DEAD) {
			/* It gave way when it might not stay, and may again. */
			if (s == THREAD_READY && !list_linked(&t->runq_node))
				runq_enqueue(rq, t, ENQUEUE_MIGRATED);
			return rq;
		}
		to = &cpus[__builtin_ctz(t->affinity & usable_cpus())];
		if (spin_trylock(&to->runq.lock)) {
			if (list_linked(&t->runq_node))
				sched_remove(rq, t);
			count_move(t, runq_cpu(rq), to);
			t->cpu = to;
			if (s == THREAD_READY)
				runq_enqueue(&to->runq, t, ENQUEUE_MIGRATED);
			spin_unlock(&rq->lock);
			return &to->runq;
		}
		spin_unlock(&rq->lock);
		arch_spin_hint();
	}
}

int sched_set_affinity(struct thread *t, u32 mask)
{
	struct runq *rq;

	mask &= usable_cpus();
	if (!mask)
		return -EINVAL;
	rq = thread_runq_lock(t);
	t->affinity = mask;
	if (thread_state(t) == THREAD_RUNNING && !may_run_here(rq, t)) {
		rq->expired = true;
		atomic_fetch_or(&t->work, WORK_RESCHED);
		sched_kick(rq);
	}
	runq_unlock(rq);
	runq_unlock(thread_runq_lock_allowed(t));
	return 0;
}
