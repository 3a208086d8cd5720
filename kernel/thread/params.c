/*
 * A thread's requests to the scheduler: parameters and reservations.
 *
 * One mutex guards the reservations of all CPUs: whether a new one is admitted depends on all
 * others. The CPU that has promised a thread its time (se.home) is one that the thread may use
 * (affinity), so both change under the lock of its run queue. The thread stays there (se.affinity),
 * even if it may use more. Lock order: reservations -> pi_lock -> run queue.
 */
#include "errno.h"
#include "sched/internal.h"
#include "sync/mutex.h"
#include "thread/thread.h"

static struct mutex reservations = MUTEX_INIT(reservations);

/* Changes @t's own urgency, and with it that of the owner of the lock it waits for. */
static void change_own(struct thread *t, void (*how)(struct thread *t, const void *arg, u64 now),
		       const void *arg)
{
	spin_lock(&pi_lock);
	sched_change(t, how, arg);
	pi_rank_changed(t);
	spin_unlock(&pi_lock);
}

static void take_params(struct thread *t, const void *p, u64 now)
{
	policy_set_params(&t->se, p, now);
	t->se.affinity = t->se.home ? BIT(t->se.home->cpu) : t->affinity;
}

static void take_nice(struct thread *t, const void *nice, u64 now)
{
	struct sched_params p = t->se.params;

	p.nice = *(const int *)nice;
	policy_set_params(&t->se, &p, now);
}

/* policy_reserve() for @t. The caller holds the mutex. */
static int reserve(struct thread *t, const struct sched_params *p)
{
	struct runq *rq = thread_runq_lock(t);
	struct policy_queue *queues[MAX_CPUS];
	int err = -ESRCH;

	for (unsigned i = 0; i < nr_cpus; i++)
		queues[i] = &cpus[i].runq.q;
	/* a dead thread has given its reservation back, and must not get another */
	if (thread_state(t) != THREAD_DEAD || p->class != SCHED_DEADLINE)
		err = policy_reserve(queues, nr_cpus, &t->se, t->affinity, p);
	runq_unlock(rq);
	return err;
}

int sched_set_params(struct thread *t, const struct sched_params *p)
{
	int err = policy_check(p);

	if (err)
		return err;
	mutex_lock(&reservations);
	err = reserve(t, p);
	if (!err) {
		change_own(t, take_params, p);
		enforce_affinity(t);
	}
	mutex_unlock(&reservations);
	return err;
}

void sched_set_nice(struct thread *t, int nice)
{
	change_own(t, take_nice, &nice);
}

void sched_release(struct thread *t)
{
	if (!t->se.home)
		return;
	mutex_lock(&reservations);
	reserve(t, &(struct sched_params){ .class = SCHED_OTHER });
	mutex_unlock(&reservations);
}
