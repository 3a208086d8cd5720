/*
 * An idle CPU takes work that waits for another one. Under -icount, with each sched= and with
 * steal=off.
 */
#include "base/bootargs.h"
#include "internal.h"
#include "test_spinner.h"

/* An idle CPU that finds another's queue locked writes no trace records as it waits. */
KTEST(sched_in_vain, "sched.in_vain", "", "")
{
	struct spinner s = { 0 };
	u64 before, records;

	if (nr_cpus == 1)
		return;
	stay_here();
	start_on(&s, BIT(0), spin, PRIORITY_DEFAULT);
	others_have_run();
	spin_lock(&cpus[0].runq.lock);
	CHECK(atomic_load(&cpus[0].runq.q.nr) > 0, "", "nothing to steal");
	before = atomic_load(&cpus[1].trace->head);
	ipi_send(&cpus[1], IPI_RESCHED);
	look_on(MS);
	records = atomic_load(&cpus[1].trace->head) - before;
	spin_unlock(&cpus[0].runq.lock);
	CHECK(records <= 2, "", "%lu records in 1 ms", records);
	end(&s, 1);
	stay_no_longer();
}

/* An idle CPU steals work that waits for a busy one, though it has just become idle. */
KTEST(sched_steals, "sched.steals", "", "")
{
	struct spinner s = { 0 };

	if (nr_cpus == 1)
		return;
	stay_here();
	others_have_run();
	create_at(&s, 0, spin, PRIORITY_DEFAULT);
	thread_resume(s.thread);
	for (unsigned i = 1; i < nr_cpus; i++)		/* with steal=off they look in vain */
		ipi_send(&cpus[i], IPI_RESCHED);
	look_on(2 * MS);
	CHECK((ran(&s) > 0) == bootarg_switch("steal", true), "", "it ran for %lu ns", ran(&s));
	end(&s, 1);
	stay_no_longer();
}

/* A CPU whose thread blocks goes on with another CPU's: its idle thread does not run in between. */
KTEST(sched_steals_directly, "sched.steals_directly", "", "")
{
	struct spinner busy = { 0 }, s = { 0 };
	u64 before, moves;

	if (nr_cpus == 1 || !may_steal)
		return;
	stay_here();
	start_on(&busy, BIT(1), work_and_nap, PRIORITY_DEFAULT);
	look_on(MS);
	create_at(&s, 0, spin, PRIORITY_DEFAULT);
	CHECK(sched_set_affinity(s.thread, BIT(0) | BIT(1)) == 0, "", "affinity");
	thread_resume(s.thread);
	look_on(MS);
	CHECK(ran(&s) == 0, "", "it has not had to wait");
	before = cpus[1].idle.stats.switches_in;
	moves = s.thread->stats.migrations;
	atomic_store(&busy.stop, true);
	look_on(2 * MS);
	CHECK(ran(&s) > 0, "", "it waits beside a CPU that has nothing to do");
	CHECK(cpus[1].idle.stats.switches_in == before, "", "that CPU idled first");
	moves = s.thread->stats.migrations - moves;
	CHECK(moves == 1, "", "%lu moves are counted", moves);
	end(&s, 1);
	end(&busy, 1);
	stay_no_longer();
}

static u64 rounds_until;	/* of aging on the last CPU: when to go on */

static bool has_aged(void)
{
	return cpus[nr_cpus - 1].runq.q.epoch >= rounds_until;
}

/* A thread that is taken from another queue keeps what it has gained by waiting there. */
KTEST(sched_taken_keeps, "sched.taken_keeps", "", "")
{
	struct spinner busy = { 0 }, s = { 0 };
	unsigned last = nr_cpus - 1;
	u64 gained, limit = realtime_limit;
	struct runq *rq;
	bool found;

	if (nr_cpus == 1 || !policy_is(&sched_prio))
		return;
	stay_here();
	realtime_set_limit(SLICE_NEVER, realtime_period);
	start_on(&busy, BIT(last), spin, PRIORITY_HIGHEST);
	create_at(&s, last, spin, PRIORITY_LOW);
	CHECK(sched_set_affinity(s.thread, BIT(0) | BIT(last)) == 0, "", "affinity");
	rounds_until = cpus[last].runq.q.epoch + 4;
	thread_resume(s.thread);
	CHECK(await(has_aged), "", "no rounds of aging");
	irq_off();
	rq = this_runq_lock();
	found = steal(rq, time_now());
	gained = s.thread->se.used;
	runq_unlock(rq);
	irq_on();
	CHECK(found && gained > 0, "", "%staken, with %lu levels gained", found ? "" : "not ",
	      gained);
	realtime_set_limit(limit, realtime_period);
	end(&busy, 1);
	end(&s, 1);
	stay_no_longer();
}

static struct spinner sinker, displacer;
static struct sched_entity seen;		/* the sinker's */

/* Copies the sinker's entity. Returns whether it runs on CPU @cpu. */
static bool runs_on(unsigned cpu)
{
	struct runq *rq = thread_runq_lock(sinker.thread);
	bool there = runq_cpu(rq)->id == cpu && rq->current == sinker.thread;

	seen = sinker.thread->se;
	runq_unlock(rq);
	return there;
}

static bool has_sunk(void)
{
	return runs_on(2) && seen.base.level < 4;
}

static bool waits(void)
{
	return thread_state(sinker.thread) == THREAD_READY;
}

static bool is_stolen(void)
{
	return runs_on(1);
}

/* An idle CPU that is told of a thread takes it as it is: under mlfq it does not rise. */
KTEST(sched_stolen_as_it_is, "sched.stolen_as_it_is", "", "")
{
	struct sched_entity before;
	u64 limit = realtime_limit;

	if (nr_cpus < 3 || !policy_is(&sched_mlfq) || !may_steal)
		return;
	stay_here();
	realtime_set_limit(SLICE_NEVER, realtime_period);
	thread_sleep(1000 * MS - time_now() % (1000 * MS) + MS);	/* after a boost */
	sinker = displacer = (struct spinner){ 0 };
	start_on(&sinker, BIT(2), spin, PRIORITY_DEFAULT);
	CHECK(await(has_sunk), "", "it does not sink");
	start_on(&displacer, BIT(2), spin, 20);
	CHECK(await(waits), "", "it does not give way");
	runs_on(2);
	before = seen;
	CHECK(sched_set_affinity(sinker.thread, BIT(1) | BIT(2)) == 0, "", "affinity");
	CHECK(await(is_stolen), "", "an idle CPU does not take it");
	CHECK(seen.epoch != before.epoch || seen.base.level <= before.base.level, "",
	      "from level %u to %u", before.base.level, seen.base.level);
	realtime_set_limit(limit, realtime_period);
	end(&displacer, 1);
	end(&sinker, 1);
	stay_no_longer();
}
