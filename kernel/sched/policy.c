/*
 * Which policy runs: the boot argument sched=, one of the table below.
 */
#include "bootargs.h"
#include "cpu.h"
#include "internal.h"
#include "string.h"

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
