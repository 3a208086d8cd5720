/*
 * A CPU has been told of a thread, and cannot switch to it yet: meanwhile others wake, and the
 * thread or the reason may be gone when it can (BALANCE1). Under -icount, with each sched=.
 */
#include "test/instrument.h"
#include "test_urgent.h"

static _Atomic bool insists;

/* Keeps its CPU, whatever waits for it, until @insists is cleared; then it spins as others do. */
static int insist(void *arg)
{
	preempt_off();
	while (atomic_load(&insists))
		;
	preempt_on();
	return spin(arg);
}

/* Two waiting threads are sent to different CPUs, though the first does not run yet. */
KTEST(urgent_spread, "sched.urgent_spread", "", "")
{
	struct spinner s[2] = { 0 };
	bool first;

	if (!begin(1))
		return;
	atomic_store(&insists, true);
	start_on(&fill[last - 1], BIT(last - 1), insist, PRIORITY_DEFAULT);
	occupy(last, PRIORITY_DEFAULT);
	for (unsigned i = 0; i < 2; i++)
		create_at(&s[i], 1, spin, URGENT);
	settle();
	wake(&s[0]);
	wake(&s[1]);
	look_on(MS);
	first = thread_cpu(s[0].thread) == &cpus[last];
	check_runs(&s[!first]);
	atomic_store(&insists, false);
	check_runs(&s[first]);
	end(s, 2);
	finish();
}

static void move_away(struct thread *t)
{
	CHECK(sched_set_affinity(t, BIT(1)) == 0, "", "affinity");
}

static void make_normal(struct thread *t)
{
	struct sched_params normal = { .class = SCHED_OTHER };

	CHECK(sched_set_params(t, &normal) == 0, "", "SCHED_OTHER is refused");
}

static void suspend(struct thread *t)
{
	CHECK(thread_suspend(t) == 0, "", "it cannot be suspended");
}

/* The last CPU is told of a thread, for which another one stays where it is; then that is gone. */
static void check_gone(void (*take_away)(struct thread *t))
{
	struct spinner s = { 0 }, gone = { 0 };

	if (!begin(0))
		return;
	atomic_store(&insists, true);
	start_on(&fill[last], BIT(last), insist, PRIORITY_DEFAULT);
	settle();
	create_at(&gone, last, spin, LEAVER);
	create_at(&s, 1, spin, URGENT);
	wake(&gone);
	wake(&s);
	check_waits(&s);
	take_away(gone.thread);
	atomic_store(&insists, false);
	check_runs(&s);
	thread_resume(gone.thread);
	end(&s, 1);
	finish();
	end(&gone, 1);
}

KTEST(urgent_gone, "sched.urgent_gone", "", "")
{
	check_gone(move_away);
	check_gone(make_normal);
	check_gone(suspend);
}

/* Two threads are to preempt one that cannot give way yet: an idle CPU takes one of them. */
KTEST(sched_told_already, "sched.told_already", "", "")
{
	struct spinner s[2] = { 0 };

	if (!may_steal || !begin(1))
		return;
	atomic_store(&insists, true);
	start_on(&fill[last - 1], BIT(last - 1), insist, PRIORITY_DEFAULT);
	for (unsigned i = 0; i < 2; i++)
		create_at(&s[i], last - 1, spin, URGENT);
	settle();
	for (unsigned i = 0; i < 2; i++)
		wake(&s[i]);
	look_on(2 * MS);
	CHECK(ran(&s[0]) + ran(&s[1]) > MS, "", "both wait beside an idle CPU");
	atomic_store(&insists, false);
	for (unsigned i = 0; i < 2; i++)
		check_runs(&s[i]);
	end(s, 2);
	finish();
}

/* A thread was more urgent for a moment, in which it could not be preempted; it is no longer. */
KTEST(urgent_for_a_moment, "sched.urgent_for_a_moment", "", "")
{
	struct sched_params normal = { .class = SCHED_OTHER };
	struct sched_params p = { .class = SCHED_FIFO, .rt_priority = 80 };
	struct spinner s = { 0 };

	if (!begin(0))
		return;
	atomic_store(&insists, true);
	start_on(&fill[last], BIT(last), insist, PRIORITY_DEFAULT);
	settle();
	CHECK(sched_set_params(fill[last].thread, &p) == 0, "", "SCHED_FIFO is refused");
	create_at(&s, 1, spin, URGENT);
	wake(&s);
	check_waits(&s);
	CHECK(sched_set_params(fill[last].thread, &normal) == 0, "", "SCHED_OTHER is refused");
	look_on(MS);
	atomic_store(&insists, false);
	check_runs(&s);
	end(&s, 1);
	finish();
}

static bool has_found(void)
{
	struct runq *rq = &cpus[last - 1].runq;

	return rq->current != &cpus[last - 1].idle || nr_ready(rq);
}

/* An idle CPU that was told of one thread finds another: it tells another CPU of the first. */
KTEST(sched_passed_on, "sched.passed_on", "", "")
{
	struct spinner s = { 0 }, only_there = { 0 };

	if (!may_steal || !begin(1))
		return;
	create_at(&s, 1, spin, PRIORITY_DEFAULT);
	create_at(&only_there, 0, spin, PRIORITY_DEFAULT);
	CHECK(sched_set_affinity(only_there.thread, BIT(0) | BIT(last - 1)) == 0, "", "affinity");
	settle();
	look_on(5 * MS);
	REQUIRE(park_arm(0, "look_for_work", AT_ENTRY, &cpus[last - 1].idle, 50 * MS) == 0, "",
		"park");
	wake(&s);
	CHECK(park_wait(0, 50 * MS), "", "the idle CPU is not told");
	wake(&only_there);
	spin_lock(&cpus[1].runq.lock);
	park_release(0);
	CHECK(await(has_found), "", "it does not come");
	look_on(MS / 2);
	spin_unlock(&cpus[1].runq.lock);
	check_runs(&s);
	end(&s, 1);
	end(&only_there, 1);
	finish();
}
