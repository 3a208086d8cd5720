/*
 * A thread's requests to the scheduler: parameters and reservations.
 *
 * Reservations are promised under one mutex, for all CPUs: who is admitted depends on everybody
 * else. A thread with one is kept on the CPU that promised it (se.affinity), whatever more it may
 * use (affinity). Lock order: reservations -> pi_lock -> run queue.
 */
#include "errno.h"
#include "sched/internal.h"
#include "sync/mutex.h"
#include "thread/thread.h"

static struct mutex reservations = MUTEX_INIT(reservations);

/* Another urgency of its own: whom it waits for hears of it. */
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

int sched_set_params(struct thread *t, const struct sched_params *p)
{
	struct policy_queue *queues[MAX_CPUS];
	int err = policy_check(p);

	if (err)
		return err;
	for (unsigned i = 0; i < nr_cpus; i++)
		queues[i] = &cpus[i].runq.q;
	mutex_lock(&reservations);
	/* who is dead has given its reservation back for the last time */
	err = -ESRCH;
	if (thread_state(t) != THREAD_DEAD || p->class != SCHED_DEADLINE)
		err = policy_reserve(queues, nr_cpus, &t->se, t->affinity, p);
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
	policy_reserve(NULL, 0, &t->se, 0, &(struct sched_params){ .class = SCHED_OTHER });
	mutex_unlock(&reservations);
}

static void set_own(struct sched_params p)
{
	change_own(current_thread(), take_params, &p);
}

void thread_set_priority(int priority)
{
	set_own(params_of_level(MAX(PRIORITY_LOWEST, MIN(priority, PRIORITY_HIGHEST))));
}

void thread_set_real_time(bool on)
{
	struct sched_params p = current_thread()->se.params;

	if (is_real_time(&p))
		p.class = on ? SCHED_FIFO : SCHED_RR;
	set_own(p);
}
