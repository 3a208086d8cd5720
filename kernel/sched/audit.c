/*
 * Checks of the scheduler's whole state (SCHED2, SCHED3, SLEEP1), for quiet points in test kernels:
 * nothing else may be changing, except that CPUs may go idle and wake up.
 */
#include "internal.h"
#include "process/process.h"
#include "thread/thread.h"

static bool in_tree(const struct rb_tree *tree, const struct sched_entity *e)
{
	for (struct rb_node *n = rb_first(tree); n; n = rb_next(n))
		if (n == &e->tree)
			return true;
	return false;
}

static bool in_queue(const struct policy_queue *q, const struct sched_entity *e)
{
	for (unsigned i = 0; i < LISTS; i++)
		list_for_each(o, &q->lists[i], struct sched_entity, node)
			if (o == e)
				return true;
	return in_tree(&q->tree, e) || in_tree(&q->aside, e) || in_tree(&q->urgent, e);
}

/* REALTIME1 */
static void audit_marks(struct thread *t)
{
	u32 level = entity_rank(&t->se).level;
	bool urgent = level >= LEVEL_REAL_TIME && level < LEVEL_KEYED;
	bool waits_urgent = t->se.tree.linked && t->se.in == &thread_cpu(t)->runq.q.urgent;

	if (urgent != !!(t->se.rt & RT_RANK))
		panic("audit: thread %d of level %u has marks %x", t->tid, level, t->se.rt);
	if (entity_queued(&t->se) && waits_urgent != !!(t->se.rt & RT_SIDE))
		panic("audit: thread %d with marks %x waits on the wrong side", t->tid, t->se.rt);
}

static void audit_thread(struct thread *t, void *unused)
{
	struct runq *rq = thread_runq_lock(t);
	enum thread_state s = thread_state(t);

	(void)unused;
	if (t->magic != THREAD_MAGIC)
		panic("audit: thread %p in the table has been freed", (void *)t);
	if ((s == THREAD_RUNNING) != (rq->current == t))
		panic("audit: thread %d is %s but CPU %u runs %d", t->tid, thread_state_name(s),
		      runq_cpu(rq)->id, rq->current->tid);
	if ((s == THREAD_READY) != entity_queued(&t->se))
		panic("audit: thread %d is %s but %s in a run queue", t->tid, thread_state_name(s),
		      entity_queued(&t->se) ? "is" : "is not");
	if (s == THREAD_READY && !in_queue(&rq->q, &t->se))
		panic("audit: thread %d is ready on another run queue than its CPU's", t->tid);
	if ((s == THREAD_BLOCKED || s == THREAD_SLEEPING) != (t->waiter != NULL))
		panic("audit: thread %d is %s and its waiter is %p", t->tid, thread_state_name(s),
		      (void *)t->waiter);
	audit_marks(t);
	runq_unlock(rq);
}

static unsigned nodes_in(const struct rb_tree *tree)
{
	unsigned n = 0;

	for (struct rb_node *i = rb_first(tree); i; i = rb_next(i))
		n++;
	return n;
}

/* POLICY4, POLICY5. Throttled threads wait aside and are not counted; fair throttles none. */
static void audit_queue(struct runq *rq)
{
	struct policy_queue *q = &rq->q;
	unsigned n = 0;

	spin_lock(&rq->lock);
	for (unsigned i = 0; i < LISTS; i++) {
		bool bit = q->bitmap & list_bit(i);

		if (!policy_is(&sched_rr) && list_empty(&q->lists[i]) == bit)
			panic("audit: CPU %u: the bit of list %u is wrong", q->cpu, i);
		list_for_each(e, &q->lists[i], struct sched_entity, node)
			n++;
	}
	n += nodes_in(&q->urgent) + nodes_in(&q->tree);
	if (policy_is(&sched_fair))
		n += nodes_in(&q->aside);
	if (n != nr_ready(rq))
		panic("audit: CPU %u has %u threads queued, counts %u", q->cpu, n, nr_ready(rq));
	if (q->current != (is_idle(rq, rq->current) ? NULL : &rq->current->se))
		panic("audit: CPU %u: the policy has another current thread", q->cpu);
	spin_unlock(&rq->lock);
}

static void audit_cpu(struct cpu *c)
{
	unsigned n = 0;

	spin_lock(&c->sleepq.lock);
	for (struct rb_node *i = rb_first(&c->sleepq.deadlines); i; i = rb_next(i)) {
		struct waiter *w = container_of(i, struct waiter, timer);

		if (w->sq != &c->sleepq || w->thread->magic != THREAD_MAGIC)
			panic("audit: a stale deadline is armed on CPU %u", c->id);
		n++;
	}
	if (n != c->sleepq.nr)
		panic("audit: CPU %u has %u deadlines armed, counts %u", c->id, n, c->sleepq.nr);
	spin_unlock(&c->sleepq.lock);

	audit_queue(&c->runq);
}

void sched_audit(void)
{
	thread_for_each(audit_thread, NULL);
	for (unsigned i = 0; i < nr_cpus; i++)
		audit_cpu(&cpus[i]);
}

void sched_force_switch(void)
{
	struct runq *rq = this_runq_lock();

	if (nr_ready(rq)) {
		rq->expired |= SLICE_OVER;
		atomic_fetch_or(&rq->current->work, WORK_RESCHED);
	}
	runq_unlock(rq);
}
