/*
 * Affinity against reservations: the CPU that has promised a thread its time is one that the thread
 * may use, whichever of the two changes comes first.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "sched/internal.h"

static struct actor reserver;
static struct thread *subject;

static int nothing(void *unused)
{
	(void)unused;
	return 0;
}

static int reserve(void)
{
	return sched_set_params(subject, &(struct sched_params){ .class = SCHED_DEADLINE,
								 .runtime = 1000000,
								 .deadline = 10000000,
								 .period = 10000000 });
}

static const char *agree(void)
{
	struct policy_queue *home = subject->se.home;

	if (!home)
		return "there is no reservation";
	if (!(subject->affinity & BIT(home->cpu)))
		return wrong("its reservation is on CPU %u, and it may use %x", home->cpu,
			     subject->affinity);
	if (subject->se.affinity != BIT(home->cpu))
		return wrong("its reservation is on CPU %u, and it runs on %x", home->cpu,
			     subject->se.affinity);
	return NULL;
}

SCENARIO(reserved, "affinity.against_reservation", "", "", .cpus = 2, .bootargs = "sched=edf",
	 .after = agree, .keeps = true)
{
	int err;

	subject = thread_create("thread", nothing, NULL, PRIORITY_DEFAULT);
	act_on(1, &reserver, reserve);
	err = sched_set_affinity(subject, BIT(1));
	expect(!err || err == -EBUSY, "%d", err);
	end_here();
}
