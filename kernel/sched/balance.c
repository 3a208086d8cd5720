/*
 * Work finds CPUs: stealing, balancing, pushing.
 *
 * Only queued threads move, never one that runs (SCHED1): whoever moves it holds the locks of both
 * run queues, those of other CPUs by trying, so that two that take from each other never wait for
 * each other. Other queues are looked at in the order of CPU numbers, which is that of preference,
 * those of the same node (numa.h) before all others: what a thread works on lies near there.
 *
 *  - A CPU that would idle steals (steal=off: it idles).
 *  - Every balance= a busy CPU takes one normal thread from the CPU with most to do, if that has
 *    at least two more (balance=off: never). Without it, two threads could share a CPU for ever
 *    beside one that has a CPU alone.
 *  - A real-time thread that must wait, as it wakes, is preempted, becomes one or may run on other
 *    CPUs than before, is pushed to the CPU with the least urgent to do. A CPU that has something
 *    less urgent to do than before pulls the most urgent of those that wait elsewhere.
 *
 *  BALANCE1  While a real-time thread waits, each CPU that it may run on has something as urgent to
 *            do, or has been told to pull (but for REALTIME4). Of two events under the locks of two
 *            CPUs the later one sees the earlier, or finds its lock taken, and that is not
 *            forgotten:
 *
 *	CPU A, A's queue locked                  CPU B, B's queue locked
 *	t has to wait                            something less urgent is next
 *	tries B's lock: looks at B, or           tries A's lock: finds t, or sends itself
 *	sends B IPI_PULL                         IPI_PULL: B looks again with its lock free
 */
#include "base/bootargs.h"
#include "base/trace.h"
#include "internal.h"
#include "thread/thread.h"

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
	assert_held(&from->lock);
	assert_held(&to->lock);
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

/* A thread of @victim's queue, chosen by @find, comes to @rq's. */
static bool take_from(struct runq *rq, struct runq *victim,
		      struct sched_entity *(*find)(struct policy_queue *q, unsigned cpu), u64 now)
{
	struct sched_entity *e;

	if (!spin_trylock(&victim->lock)) {
		rq->missed = victim;
		return false;
	}
	e = find(&victim->q, runq_cpu(rq)->id);
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
		    !take_from(rq, victim, queue_find, now))
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

/*
 * One of @mask's CPUs has two threads more than this one, and gives one of them away. None that is
 * urgent: it would have to wait here too, and somebody who pulls may have looked here before
 * (BALANCE1).
 */
static bool balance_among(u32 mask, struct runq *rq, u64 now)
{
	struct cpu *self = runq_cpu(rq), *busiest = self;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (mask & BIT(i) && load(&cpus[i]) > load(busiest))
			busiest = &cpus[i];
	return load(busiest) >= load(self) + 2 && take_from(rq, &busiest->runq, policy.find, now);
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

/*
 * --- Real-time threads (BALANCE1) --------------------------------------------------------------
 */

/* How urgent is what @rq's CPU runs, or will at its next pick? Locked. */
static struct sched_rank urgency(struct runq *rq)
{
	struct sched_entity *runs = rq->q.current, *first = tree_first(&rq->q.urgent);
	struct sched_rank most = { .level = 0 };

	if (runs)
		most = entity_rank(runs);
	if (first && rank_above(entity_rank(first), most))
		most = entity_rank(first);
	return most;
}

/*
 * The run queue, locked and not @rq, of the CPU with the least urgent to do, below @t. Those in
 * @missed could not be looked at.
 */
static struct runq *least_urgent(struct runq *rq, struct thread *t, u32 *missed)
	NO_LOCK_ANALYSIS("which one is known at run time")
{
	struct sched_rank rank = entity_rank(&t->se);
	struct runq *least = NULL;

	*missed = 0;
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct runq *other = &cpus[i].runq, *loser = other;
		struct sched_rank r;

		if (other == rq || !(t->se.affinity & BIT(i)))
			continue;
		if (!spin_trylock(&other->lock)) {
			*missed |= BIT(i);
			continue;
		}
		r = urgency(other);
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
	struct runq *to;
	u32 missed;

	if (!(t->se.rt & RT_RANK))
		return;
	to = least_urgent(rq, t, &missed);
	if (to) {
		runq_move(rq, to, t);
		runq_cpu(rq)->stats.pushes++;
		runq_enqueue(to, t, ENQUEUE_MIGRATED);
		spin_unlock(&to->lock);
		return;
	}
	for (; missed; missed &= missed - 1)
		ipi_send(&cpus[__builtin_ctz(missed)], IPI_PULL);
}

void offer(struct runq *rq, struct thread *t)
{
	if (entity_queued(&t->se) && !kick_idle_for(t, rq))
		push(rq, t);
}

struct sched_entity *pick_urgent(struct runq *rq, u64 now)
{
	struct sched_entity *e = realtime_pick(&rq->q, now);
	struct rb_node *n, *next;

	if (!rq->q.promised || entity_rank(e).level < LEVEL_REAL_TIME)
		return e;		/* REALTIME4: at the throttle's end this CPU has them */
	rq->q.promised = false;
	for (n = rb_first(&rq->q.urgent); n; n = next) {
		struct thread *t = thread_of(container_of(n, struct sched_entity, tree));

		next = rb_next(n);
		if (t != rq->current)	/* SCHED1: that one is pushed when it is off its stack */
			push(rq, t);
	}
	return e;
}

/* As pull(). A queue whose lock was taken, NULL: none. */
static struct runq *try_to_pull(struct runq *rq, u64 now)
{
	struct runq *missed = NULL;

	for (unsigned i = 0; i < nr_cpus; i++) {
		struct runq *victim = &cpus[i].runq;
		struct sched_entity *e;

		if (victim == rq || !atomic_load(&victim->q.nr_urgent))
			continue;
		if (!spin_trylock(&victim->lock)) {
			missed = victim;
			continue;
		}
		e = tree_find(&victim->q.urgent, runq_cpu(rq)->id);
		if (e && rank_above(entity_rank(e), urgency(rq)))
			take(rq, victim, e, now);
		spin_unlock(&victim->lock);
	}
	return missed;
}

void pull(struct runq *rq, u64 now)
{
	if (unlikely(try_to_pull(rq, now)))
		ipi_send(runq_cpu(rq), IPI_PULL);
}

void pull_when_free(void)
{
	struct runq *missed;

	do {
		struct runq *rq = this_runq_lock();

		missed = try_to_pull(rq, time_now());
		runq_unlock(rq);
		if (missed)
			runq_await(missed);
	} while (missed);
}
