/*
 * For now, until the mechanism uses policy.h. Which policy runs: the boot argument sched=, one of the table below.
 */
#include "bootargs.h"
#include "cpu.h"
#include "internal.h"
#include "string.h"
#include "thread.h"
#include "time.h"

static u64 quantum;	/* ns, [const after boot] */

static void rr_init(void)
{
	quantum = bootarg_number("quantum", 20 * NSEC_PER_MSEC, 10 * NSEC_PER_USEC,
				 10 * NSEC_PER_SEC);
}

static bool rr_enqueue(struct runq *rq, struct thread *t, enum enqueue_why why)
{
	if (why == ENQUEUE_PREEMPTED)
		list_push_front(&rq->ready, &t->runq_node);
	else
		list_push_back(&rq->ready, &t->runq_node);
	return false;
}

static void rr_dequeue(struct runq *rq, struct thread *t)
{
	(void)rq;
	list_remove(&t->runq_node);
}

static struct thread *rr_pick(struct runq *rq)
{
	struct list_node *n = list_pop_node(&rq->ready);

	return n ? list_entry(n, struct thread, runq_node) : NULL;
}

static struct thread *rr_steal(struct runq *rq, unsigned cpu)
{
	list_for_each(t, &rq->ready, struct thread, runq_node) {
		if (t->affinity & BIT(cpu)) {
			list_remove(&t->runq_node);
			return t;
		}
	}
	return NULL;
}

static u64 rr_slice(struct thread *t)
{
	(void)t;
	return quantum;
}

static const struct sched_policy sched_rr = {
	.name = "rr",
	.init = rr_init,
	.enqueue = rr_enqueue,
	.dequeue = rr_dequeue,
	.pick = rr_pick,
	.steal = rr_steal,
	.slice = rr_slice,
};

static const struct sched_policy *const policies[] = { &sched_rr };

const struct sched_policy *sched_policy = &sched_rr;

void sched_init(void)
{
	const char *name = bootarg("sched");
	bool found = !name;

	for (unsigned i = 0; i < ARRAY_SIZE(policies) && !found; i++) {
		found = strcmp(policies[i]->name, name) == 0;
		if (found)
			sched_policy = policies[i];
	}
	if (!found)
		bootarg_bad("sched", "rr");
	sched_policy->init();
}

void runq_init(struct cpu *c)
{
	struct runq *rq = &c->runq;

	*rq = (struct runq){ .lock = SPINLOCK_INIT(LOCK_RUNQ), .current = &c->idle };
	rq->charged_at = time_now();
	list_init(&rq->ready);
}
