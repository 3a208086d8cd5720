/*
 * Checks of the scheduler's whole state (S2, S3, Q1), for quiet points in test kernels: nothing
 * else may be changing, but idle CPUs may come and go.
 */
#include "internal.h"
#include "process.h"
#include "thread.h"

static bool in_list(const struct list_node *head, const struct list_node *n)
{
	for (const struct list_node *i = head->next; i != head; i = i->next)
		if (i == n)
			return true;
	return false;
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
	if ((s == THREAD_READY) != list_linked(&t->runq_node))
		panic("audit: thread %d is %s but %s in a run queue", t->tid, thread_state_name(s),
		      list_linked(&t->runq_node) ? "is" : "is not");
	if (s == THREAD_READY && !in_list(&rq->ready, &t->runq_node))
		panic("audit: thread %d is ready on another run queue than its CPU's", t->tid);
	if ((s == THREAD_BLOCKED || s == THREAD_SLEEPING) != (t->waiter != NULL))
		panic("audit: thread %d is %s and its waiter is %p", t->tid, thread_state_name(s),
		      (void *)t->waiter);
	runq_unlock(rq);
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

	spin_lock(&c->runq.lock);
	n = 0;
	for (struct list_node *i = c->runq.ready.next; i != &c->runq.ready; i = i->next)
		n++;
	if (n != c->runq.nr_ready)
		panic("audit: CPU %u has %u threads queued, counts %u", c->id, n, c->runq.nr_ready);
	spin_unlock(&c->runq.lock);
}

void sched_audit(void)
{
	thread_for_each(audit_thread, NULL);
	for (unsigned i = 0; i < nr_cpus; i++)
		audit_cpu(&cpus[i]);
}
