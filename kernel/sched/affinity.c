/*
 * Affinity: which CPUs a thread may run on.
 *
 * A mask that forbids a thread's CPU moves the thread: at once if it is queued; after its next
 * switch, which the caller waits for, if it runs; when it wakes if it is blocked. Moving needs the
 * locks of two run queues. The second is only tried, and if it is taken the first is released, so
 * two movers never wait for each other.
 */
#include "base/bootargs.h"
#include "errno.h"
#include "internal.h"
#include "thread/thread.h"

bool affinity_off;

void affinity_init(void)
{
	affinity_off = !bootarg_switch("affinity", true);
}

/* All have come up before the first thread is started. */
static u32 usable_cpus(void)
{
	return BIT(nr_cpus) - 1;
}

struct runq *thread_runq_lock_allowed(struct thread *t)
{
	for (;;) {
		struct runq *rq = thread_runq_lock(t);
		enum thread_state s = thread_state(t);
		struct cpu *to;

		if (may_run_here(rq, t) || s == THREAD_RUNNING || s == THREAD_DEAD) {
			/* It gave way where it was forbidden, and is allowed again: in no queue. */
			if (s == THREAD_READY && !entity_queued(&t->se))
				runq_enqueue(rq, t, ENQUEUE_MIGRATED);
			return rq;
		}
		/* LAB 08-smp: move t to a CPU that it may use; look again if its queue is locked */
		to = &cpus[__builtin_ctz(t->se.affinity & usable_cpus())];
		if (spin_trylock(&to->runq.lock)) {
			runq_move(rq, &to->runq, t);
			if (s == THREAD_READY)
				runq_enqueue(&to->runq, t, ENQUEUE_MIGRATED);
			spin_unlock(&rq->lock);
			return &to->runq;
		}
		spin_unlock(&rq->lock);
		arch_spin_hint();
		/* END LAB */
	}
}

void enforce_affinity(struct thread *t)
{
	/* LAB 08-smp: move t if it waits where it may not run; see that it leaves if it runs */
	for (;;) {
		struct runq *rq = thread_runq_lock_allowed(t);
		bool there = thread_state(t) == THREAD_RUNNING && !may_run_here(rq, t);

		if (there) {	/* also if its CPU picked it since we last looked */
			rq->expired |= SLICE_OVER;
			runq_resched(rq);
		}
		offer(rq, t);	/* other CPUs may run it from now on */
		runq_unlock(rq);	/* if @t is the caller, it leaves its CPU here */
		if (!there || t == current_thread())
			return;
		/* Without the lock, which that CPU needs to switch. */
		while (atomic_load_explicit(&t->work, memory_order_relaxed) & WORK_RESCHED)
			arch_spin_hint();
	}
	/* END LAB */
}

int sched_set_affinity(struct thread *t, u32 mask)
{
	struct policy_queue *home;
	struct runq *rq;

	mask &= usable_cpus();
	if (!mask)
		return -EINVAL;
	rq = thread_runq_lock(t);
	home = t->se.home;
	if (!home || mask & BIT(home->cpu)) {
		t->affinity = mask;
		t->se.affinity = home ? BIT(home->cpu) : mask;
		mask = 0;
	}
	runq_unlock(rq);
	if (mask)
		return -EBUSY;
	enforce_affinity(t);
	return 0;
}
