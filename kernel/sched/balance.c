/*
 * How work is spread over CPUs: stealing, balancing, pushing and pulling.
 *
 * Only queued threads move, never one that runs (SCHED1). Moving needs the locks of both run
 * queues; that of another CPU is only tried, so two CPUs that take from each other never wait for
 * each other. Other queues are looked at in the order of CPU numbers, which is the order of
 * preference, but first those of the same node (numa.h), near which a thread's memory lies.
 *
 *  - A CPU that would idle steals (steal=off: it idles).
 *  - Every balance= a busy CPU takes one normal thread from the busiest CPU, if that has at least
 *    two threads more (balance=off: never). Without it, two threads could share a CPU for ever
 *    while a third has a CPU to itself.
 *  - A real-time thread that must wait is pushed to the CPU with the least urgent thread, or to an
 *    idle one: if that was told to come instead, it might find another thread first. A push is
 *    tried when the thread wakes, is preempted, becomes real time, or gets a new mask. A CPU that
 *    has something less urgent to do than before pulls the most urgent thread that waits elsewhere;
 *    so does one that loses a queued thread for which it was about to switch.
 *
 *  BALANCE1  While a real-time thread waits, each CPU that it may run on has something as urgent to
 *            do, or has been told to pull (except under REALTIME4). If A and B look for each other
 *            at the same time, the later one sees what the earlier one did, or finds its lock
 *            taken and has an IPI_PULL sent:
 *
 *	CPU A, A's queue locked                  CPU B, B's queue locked
 *	t has to wait                            something less urgent is next
 *	tries B's lock: looks at B, or           tries A's lock: finds t, or sends itself
 *	sends B an IPI_PULL                      an IPI_PULL, and looks again when A's lock is free
 */
#include "base/bootargs.h"
#include "base/trace.h"
#include "internal.h"
#include "thread/thread.h"

static u64 interval;		/* balance=, ns; 0: off. [const after boot] */
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
	/* LAB 08-smp: take t out of from's queue, if it waits there, and make it one of to's */
	if (entity_queued(&t->se))
		queue_dequeue(&from->q, &t->se);
	t->cpu = runq_cpu(to);
	/* END LAB */
	t->stats.migrations++;
	trace(TRACE_SCHED, TRACE_EV_MIGRATE, t->tid, runq_cpu(from)->id << 8 | runq_cpu(to)->id);
	if (t->se.rt && from->q.current &&
	    rank_above(entity_rank(&t->se), entity_rank(from->q.current)))
		ipi_send(runq_cpu(from), IPI_PULL);	/* it was to run there: BALANCE1 */
}

/* Moves @e from @victim's queue to @rq's. Both stay locked until it is there (BALANCE1). */
static void take(struct runq *rq, struct runq *victim, struct sched_entity *e, u64 now)
{
	runq_move(victim, rq, thread_of(e));
	if (queue_enqueue(&rq->q, e, ENQUEUE_MIGRATED, now))
		runq_resched(rq);
}

/* Moves a thread that @find chooses from @victim's queue to @rq's. False: none, or it is locked. */
static bool take_from(struct runq *rq, struct runq *victim,
		      struct sched_entity *(*find)(struct policy_queue *q, unsigned cpu), u64 now)
{
	struct sched_entity *e;

	/* LAB 08-smp: take a thread that waits there and may run here; do not wait for a lock */
	if (!spin_trylock(&victim->lock)) {
		rq->missed = victim;
		return false;
	}
	e = find(&victim->q, runq_cpu(rq)->id);
	if (e)
		take(rq, victim, e, now);
	spin_unlock(&victim->lock);
	return e;
	/* END LAB */
}

/* Takes a thread from the first of @mask's CPUs at which one waits that may run here. */
static bool steal_among(u32 mask, struct runq *rq, u64 now)
{
	/* LAB 08-smp: take a thread from the first CPU of mask that has one for this CPU */
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct runq *victim = &cpus[i].runq;

		/* Sequentially consistent, pairs with idle_cpu_for(): see idle.c. */
		if (mask & BIT(i) && victim != rq && atomic_load(&victim->q.nr) &&
		    take_from(rq, victim, queue_find, now))
			return true;
	}
	return false;
	/* END LAB */
}

bool steal(struct runq *rq, u64 now)
{
	u32 near = near_cpus(runq_cpu(rq));
	bool found;

	assert_held(&rq->lock);
	rq->missed = NULL;
	found = steal_among(near, rq, now) || (~near && steal_among(~near, rq, now));
	runq_cpu(rq)->stats.steals += found;
	return found;
}

/* Returns how many threads @c has to run; exact for a locked run queue, else a hint. */
static unsigned load(struct cpu *c)
{
	return nr_ready(&c->runq) + !is_idle_hint(c);
}

/*
 * Takes a thread from the busiest of @mask's CPUs if that has two threads more than this one. Never
 * a real-time thread: it would have to wait here too, and a CPU that pulls may have looked here
 * already and would miss it (BALANCE1).
 */
static bool balance_among(u32 mask, struct runq *rq, u64 now)
{
	struct cpu *self = runq_cpu(rq), *busiest = self;

	/* LAB 08-smp: find the busiest CPU, and take a thread if it has two more than this one */
	for (unsigned i = 0; i < nr_cpus; i++)
		if (mask & BIT(i) && load(&cpus[i]) > load(busiest))
			busiest = &cpus[i];
	return load(busiest) >= load(self) + 2 && take_from(rq, &busiest->runq, policy.find, now);
	/* END LAB */
}

void balance(struct runq *rq, u64 now)
{
	u32 near;

	assert_held(&rq->lock);
	if (time_before(now, rq->balance_at))
		return;
	rq->balance_at = now + (interval ? interval : SLICE_NEVER);
	if (!interval || is_idle(rq, rq->current))
		return;
	near = near_cpus(runq_cpu(rq));
	if (balance_among(near, rq, now) || (~near && balance_among(~near, rq, now)))
		runq_cpu(rq)->stats.balanced++;
}

/*
 * --- Real-time threads (BALANCE1) --------------------------------------------------------------
 */

/* Returns the rank of what @rq's CPU runs, or will run after its next pick. rq locked. */
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
 * Finds the CPU, not @rq's, with the least urgent to do, if that is below @t's rank. Returns its
 * run queue, locked, or NULL. CPUs whose queues were locked by others are in @missed.
 */
static struct runq *least_urgent(struct runq *rq, struct thread *t, u32 *missed)
	NO_LOCK_ANALYSIS("which one is known at run time")
{
	struct sched_rank rank = entity_rank(&t->se);
	struct runq *least = NULL;

	assert_held(&rq->lock);
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

	assert(t->se.rt & RT_RANK);
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
	if (!entity_queued(&t->se))
		return;
	if (t->se.rt & RT_RANK)
		push(rq, t);
	else
		kick_idle_for(t, rq);
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
		if (t != rq->current)	/* SCHED1: current is still on its stack; see_off() */
			push(rq, t);
	}
	return e;
}

/* As pull(). Returns a queue that was locked, so that it could not be looked at, or NULL. */
static struct runq *try_to_pull(struct runq *rq, u64 now)
{
	struct runq *missed = NULL;

	assert_held(&rq->lock);
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
