/*
 * Work finds CPUs: stealing, balancing, pushing.
 *
 * Only queued threads move, never one that runs (S1): whoever moves it holds the locks of both run
 * queues, those of other CPUs by trying, so that two that take from each other never wait for each
 * other. Other queues are looked at in the order of CPU numbers, which is that of preference, those
 * of the same node (numa.h) before all others: what a thread works on lies near there.
 *
 *  - A CPU that would idle steals (steal=off: it idles).
 *  - Every balance= a busy CPU takes one thread from the CPU with most to do, if that has at least
 *    two more (balance=off: never). Without it, two threads could share a CPU for ever beside one
 *    that has a CPU alone.
 *  - A real-time thread that wakes, is preempted or becomes one, and must wait, is pushed to the
 *    CPU that runs the least urgent one. A CPU that a real-time thread leaves pulls the most urgent
 *    of those that wait elsewhere.
 */
#include "bootargs.h"
#include "internal.h"
#include "thread.h"
#include "trace.h"

static u64 interval;		/* ns, 0: off. [const after boot] */
bool may_steal;			/* [const after boot] */

void balance_init(void)
{
	may_steal = bootarg_switch("steal", true);
	interval = bootarg_number_or_off("balance", 100 * NSEC_PER_MSEC, NSEC_PER_MSEC,
					 10 * NSEC_PER_SEC);
}

void runq_move(struct runq *from, struct runq *to, struct thread *t)
{
	if (entity_queued(&t->se))
		queue_dequeue(&from->q, &t->se);
	t->cpu = runq_cpu(to);
	t->stats.migrations++;
	trace(TRACE_SCHED, TRACE_EV_MIGRATE, t->tid, runq_cpu(from)->id << 8 | runq_cpu(to)->id);
}

/* @e comes from @victim's queue to @rq's. Both locked. */
static void take(struct runq *rq, struct runq *victim, struct sched_entity *e, u64 now)
{
	runq_move(victim, rq, thread_of(e));
	if (queue_enqueue(&rq->q, e, ENQUEUE_MIGRATED, now))
		runq_resched(rq);
}

/* A thread of @victim's queue comes to @rq's. */
static bool take_from(struct runq *rq, struct runq *victim, u64 now)
{
	struct sched_entity *e;

	if (!spin_trylock(&victim->lock)) {
		rq->missed = victim;
		return false;
	}
	e = queue_find(&victim->q, runq_cpu(rq)->id);
	if (e)
		take(rq, victim, e, now);
	spin_unlock(&victim->lock);
	return e;
}

static bool steal_among(u32 mask, struct runq *rq, u64 now)
{
	for (unsigned i = 0; i < nr_cpus && may_steal; i++) {
		struct runq *victim = &cpus[i].runq;

		/* sequentially consistent: see idle.c */
		if (!(mask & BIT(i)) || victim == rq || !atomic_load(&victim->q.nr) ||
		    !take_from(rq, victim, now))
			continue;
		runq_cpu(rq)->stats.steals++;
		return true;
	}
	return false;
}

bool steal(struct runq *rq, u64 now)
{
	u32 near = near_cpus(runq_cpu(rq));

	rq->missed = NULL;
	return steal_among(near, rq, now) || (~near && steal_among(~near, rq, now));
}

/* How much a CPU has to do; a hint for all but its own. */
static unsigned load(struct cpu *c)
{
	return nr_ready(&c->runq) + (c->runq.current != &c->idle);
}

/* One of @mask's CPUs has two threads more than this one, and gives one of them away. */
static bool balance_among(u32 mask, struct runq *rq, u64 now)
{
	struct cpu *self = runq_cpu(rq), *busiest = self;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (mask & BIT(i) && load(&cpus[i]) > load(busiest))
			busiest = &cpus[i];
	return load(busiest) >= load(self) + 2 && take_from(rq, &busiest->runq, now);
}

void balance(struct runq *rq, u64 now)
{
	u32 near;

	if (time_before(now, rq->balance_at))
		return;
	rq->balance_at = now + (interval ? interval : 1UL << 62);
	if (!interval || is_idle(rq, rq->current))
		return;
	near = near_cpus(runq_cpu(rq));
	if (balance_among(near, rq, now) || (~near && balance_among(~near, rq, now)))
		runq_cpu(rq)->stats.balanced++;
}

/* The run queue, locked and not @rq, of the CPU that runs the least urgent thread, below @t. */
static struct runq *least_urgent(struct runq *rq, struct thread *t)
	NO_LOCK_ANALYSIS("which one is known at run time")
{
	struct sched_rank rank = entity_rank(&t->se);
	struct runq *least = NULL;

	for (unsigned i = 0; i < nr_cpus; i++) {
		struct runq *other = &cpus[i].runq, *loser = other;
		struct sched_rank r;

		if (other == rq || !(t->se.affinity & BIT(i)) || !spin_trylock(&other->lock))
			continue;
		r = entity_rank(&other->current->se);
		if (rank_above(rank, r)) {
			rank = r;
			loser = least;
			least = other;
		}
		if (loser)
			spin_unlock(&loser->lock);
	}
	return least;
}

void push(struct runq *rq, struct thread *t) NO_LOCK_ANALYSIS("least_urgent()")
{
	struct runq *to = t->se.rt & RT_RANK ? least_urgent(rq, t) : NULL;

	if (!to)
		return;
	runq_move(rq, to, t);
	runq_cpu(rq)->stats.pushes++;
	runq_enqueue(to, t, ENQUEUE_MIGRATED);
	spin_unlock(&to->lock);
}

void pull(struct runq *rq, u64 now)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct runq *victim = &cpus[i].runq;
		struct sched_entity *e, *own;

		if (victim == rq || !victim->q.nr_urgent || !spin_trylock(&victim->lock))
			continue;
		e = tree_find(&victim->q.urgent, runq_cpu(rq)->id);
		own = tree_first(&rq->q.urgent);
		if (e && (!own || rank_above(entity_rank(e), entity_rank(own))))
			take(rq, victim, e, now);
		spin_unlock(&victim->lock);
	}
}
