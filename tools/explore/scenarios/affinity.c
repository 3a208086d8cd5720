/*
 * Affinity against reservations: the CPU that has promised a thread its time is one that the thread
 * may use, whichever of the two changes comes first. A running thread whose CPU is forbidden.
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

/* --- A thread that ends ----------------------------------------------------------------------- */

static const char *gave_it_back(void)
{
	if (reserver.result && reserver.result != -ESRCH)
		return wrong("reserving returned %d", reserver.result);
	return subject->se.home ? "a thread that has gone has a reservation" : NULL;
}

SCENARIO(ends, "reserve.against_end", "", "", .cpus = 2, .bootargs = "sched=edf",
	 .after = gave_it_back, .keeps = true)
{
	subject = thread_create("thread", nothing, NULL, PRIORITY_DEFAULT);
	thread_get(subject);
	act_on(1, &reserver, reserve);
	thread_resume(subject);
	expect(!thread_join(subject, NULL, DEADLINE_NEVER), "the thread could not be joined");
	end_here();
}

/* --- A running thread ------------------------------------------------------------------------- */

static struct actor first, second;

static int yield(void)
{
	thread_yield();
	return 0;
}

/* A thread yields just as its CPU is forbidden to it: it goes on where it may run. */
SCENARIO(yields, "affinity.against_yield", "", "", .cpus = 2, .keeps = true)
{
	int err;

	stay_on(0);
	act_on(1, &first, yield);
	act_on(1, &second, yield);
	err = sched_set_affinity(first.thread, BIT(0));
	expect(!err, "forbidding it a CPU returned %d", err);
	end_here();
}

SCENARIO(own, "affinity.own_cpu_forbidden", "", "", .cpus = 2)
{
	stay_on(0);
	stay_on(1);
	preempt_off();
	expect(this_cpu()->id == 1, "it still runs on CPU %u", this_cpu()->id);
	preempt_on();
}
