/*
 * Real-time threads on several CPUs: none waits while a CPU that it may use runs something less
 * urgent, whatever happens meanwhile (BALANCE1). Under -icount, with each sched=.
 */
#include "test/instrument.h"
#include "test_urgent.h"

/* A push finds the only queue that the thread could go to locked. */
KTEST(urgent_push_missed, "sched.urgent_push_missed", "", "")
{
	struct spinner s = { 0 };

	if (!begin(0))
		return;
	occupy(last, PRIORITY_DEFAULT);
	create_at(&s, 1, spin, URGENT);
	settle();
	spin_lock(&cpus[last].runq.lock);
	wake(&s);
	spin_unlock(&cpus[last].runq.lock);
	check_runs(&s);
	end(&s, 1);
	finish();
}

static struct thread *leaver;

static bool has_left(void)
{
	return cpus[last].runq.current != leaver;
}

/* @leaves and a less urgent thread are on the last CPU, @s waits for CPU 1. */
static void have_wait(struct spinner *s, struct spinner *leaves, thread_fn fn)
{
	occupy(last, PRIORITY_DEFAULT);
	settle();
	start_on(leaves, BIT(last), fn, LEAVER);
	leaver = leaves->thread;
	create_at(s, 1, spin, URGENT);
	look_on(MS);
	wake(s);
	check_waits(s);
}

/* A CPU whose more urgent thread leaves finds the queue of the waiting thread locked. */
KTEST(urgent_pull_missed, "sched.urgent_pull_missed", "", "")
{
	struct spinner s = { 0 }, leaves = { 0 };

	if (!begin(0))
		return;
	have_wait(&s, &leaves, work_and_nap);
	spin_lock(&cpus[1].runq.lock);
	atomic_store(&leaves.stop, true);
	CHECK(await(has_left), "", "it does not leave");
	spin_unlock(&cpus[1].runq.lock);
	check_runs(&s);
	end(&s, 1);
	end(&leaves, 1);
	finish();
}

/* A more urgent thread leaves because its affinity changes. */
KTEST(urgent_sent_off, "sched.urgent_sent_off", "", "")
{
	struct spinner s = { 0 }, leaves = { 0 };

	if (!begin(0))
		return;
	have_wait(&s, &leaves, spin);
	CHECK(sched_set_affinity(leaves.thread, BIT(1)) == 0, "", "affinity");
	check_runs(&s);
	end(&s, 1);
	CHECK(sched_set_affinity(leaves.thread, ~0u) == 0, "", "affinity");
	end(&leaves, 1);
	finish();
}

/* An idle CPU was told of an urgent thread, and finds another thread as well. */
static void check_comes_first(unsigned cpu)
{
	struct spinner s = { 0 }, other = { 0 };

	if (!may_steal || !begin(0))
		return;
	create_at(&s, 1, spin, URGENT);
	create_at(&other, cpu, spin, PRIORITY_DEFAULT);
	settle();
	look_on(5 * MS);
	REQUIRE(park_arm(0, "look_for_work", AT_ENTRY, &cpus[last].idle, 50 * MS) == 0, "", "park");
	wake(&s);
	CHECK(park_wait(0, 50 * MS), "", "the idle CPU is not told");
	wake(&other);
	park_release(0);
	check_runs(&s);
	end(&s, 1);
	end(&other, 1);
	finish();
}

KTEST(urgent_before_others, "sched.urgent_before_others", "", "")
{
	check_comes_first(0);
}

KTEST(urgent_before_own, "sched.urgent_before_own", "", "")
{
	check_comes_first(nr_cpus - 1);
}

/* A thread that waits may run on more CPUs from now on. */
KTEST(urgent_allowed, "sched.urgent_allowed", "", "")
{
	struct spinner s = { 0 };

	if (!begin(0))
		return;
	occupy(last, PRIORITY_DEFAULT);
	settle();
	start_on(&s, BIT(1), spin, URGENT);
	check_waits(&s);
	CHECK(sched_set_affinity(s.thread, ~0u) == 0, "", "affinity");
	check_runs(&s);
	end(&s, 1);
	finish();
}

KTEST(sched_allowed_idle, "sched.allowed_idle", "", "")
{
	struct spinner s = { 0 };

	if (!may_steal || !begin(0))
		return;
	settle();
	start_on(&s, BIT(1), spin, PRIORITY_DEFAULT);
	check_waits(&s);
	CHECK(sched_set_affinity(s.thread, ~0u) == 0, "", "affinity");
	check_runs(&s);
	end(&s, 1);
	finish();
}

/* A waiting thread must move to one of two CPUs; on the first it would have to wait again. */
KTEST(urgent_moved, "sched.urgent_moved", "", "")
{
	struct spinner s = { 0 };

	if (nr_cpus < 4 || !begin(0))
		return;
	occupy(last, PRIORITY_DEFAULT);
	settle();
	start_on(&s, BIT(1), spin, URGENT);
	check_waits(&s);
	CHECK(sched_set_affinity(s.thread, BIT(2) | BIT(last)) == 0, "", "affinity");
	check_runs(&s);
	end(&s, 1);
	finish();
}

/* Before a thread gets the CPU it was sent to, a more urgent one comes that can only run there. */
KTEST(urgent_displaced, "sched.urgent_displaced", "", "")
{
	struct spinner s = { 0 }, pinned = { 0 };
	struct runq *rq;

	if (!begin(1))
		return;
	occupy(last - 1, PRIORITY_DEFAULT);
	occupy(last, PRIORITY_DEFAULT);
	create_at(&s, last, spin, URGENT);
	create_at(&pinned, last, spin, LEAVER);
	CHECK(sched_set_affinity(pinned.thread, BIT(last)) == 0, "", "affinity");
	settle();
	rq = thread_runq_lock(s.thread);
	sched_make_ready(rq, s.thread, "tested");
	sched_make_ready(rq, pinned.thread, "tested");
	runq_unlock(rq);
	check_runs(&s);
	check_runs(&pinned);
	end(&s, 1);
	end(&pinned, 1);
	finish();
}

static _Atomic bool quiet;
static _Atomic unsigned nr_quiet;

/* Its CPU takes no interrupt until @quiet is cleared, so it does not lock its queue either. */
static int spin_quietly(void *arg)
{
	irq_off();
	nr_quiet++;
	while (atomic_load(&quiet))
		;
	irq_on();
	return spin(arg);
}

static bool both_are_quiet(void)
{
	return nr_quiet == 2;
}

/*
 * Two CPUs run something less urgent: the thread goes where the least urgent of all runs. A CPU
 * with a locked queue would be left out.
 */
KTEST(urgent_least, "sched.urgent_least", "", "")
{
	struct spinner s = { 0 };

	if (!begin(1))
		return;
	nr_quiet = 0;
	atomic_store(&quiet, true);
	start_on(&fill[last - 1], BIT(last - 1), spin_quietly, PRIORITY_DEFAULT);
	start_on(&fill[last], BIT(last), spin_quietly, LESS_URGENT);
	create_at(&s, 1, spin, URGENT);
	settle();
	CHECK(await(both_are_quiet), "", "a thread does not run");
	wake(&s);
	atomic_store(&quiet, false);
	check_runs(&s);
	check_runs(&fill[last]);
	end(&s, 1);
	finish();
}

static struct spinner *sent;

static bool has_come(void)
{
	return cpus[0].runq.current == sent->thread;
}

/* The least urgent CPU is the first one, CPU 0; this test is on the last. */
KTEST(urgent_to_first, "sched.urgent_to_first", "", "")
{
	struct spinner s = { 0 }, busy = { 0 };

	if (nr_cpus == 1)
		return;
	go_first();
	last = nr_cpus - 1;
	CHECK(sched_set_affinity(current_thread(), BIT(last)) == 0, "", "affinity");
	start_on(&busy, BIT(0), spin, PRIORITY_DEFAULT);
	sent = &busy;
	CHECK(await(has_come), "", "it does not run");
	create_at(&s, last, spin, URGENT);
	CHECK(sched_set_affinity(s.thread, BIT(0) | BIT(last)) == 0, "", "affinity");
	sent = &s;
	wake(&s);
	CHECK(await(has_come), "", "it has to wait");
	end(&s, 1);
	end(&busy, 1);
	CHECK(sched_set_affinity(current_thread(), ~0u) == 0, "", "affinity");
}

/* Balancing does not move a waiting real-time thread, however busy its CPU is. */
KTEST(urgent_stays, "sched.urgent_stays", "", "")
{
	struct spinner s = { 0 }, more[2] = { 0 };

	if (!begin(0))
		return;
	occupy(last, MORE_URGENT);
	settle();
	for (unsigned i = 0; i < 2; i++)
		start_on(&more[i], BIT(1), spin, PRIORITY_DEFAULT);
	create_at(&s, 1, spin, URGENT);
	wake(&s);
	look_on(250 * MS);
	CHECK(thread_cpu(s.thread) == &cpus[1], "", "it has gone to CPU %u",
	      thread_cpu(s.thread)->id);
	end(&s, 1);
	finish();
	end(more, 2);
}

/* A thread with a reservation leaves the CPU: it blocks, or its budget is spent. */
static void check_reserved(thread_fn fn)
{
	struct sched_params p = { .class = SCHED_DEADLINE, .runtime = 5 * MS, .deadline = 50 * MS,
				  .period = 50 * MS };
	struct spinner s = { 0 }, leaves = { 0 };

	if (!policy_knows(SCHED_DEADLINE) || !begin(0))
		return;
	occupy(last, PRIORITY_DEFAULT);
	settle();
	create_at(&s, 1, spin, URGENT);
	create_at(&leaves, last, fn, PRIORITY_DEFAULT);
	CHECK(sched_set_affinity(leaves.thread, BIT(last)) == 0, "", "affinity");
	CHECK(sched_set_params(leaves.thread, &p) == 0, "", "a reservation is refused");
	thread_resume(leaves.thread);
	look_on(MS);
	wake(&s);
	check_waits(&s);
	leaver = leaves.thread;
	atomic_store(&leaves.stop, fn != spin);
	CHECK(await(has_left), "", "it does not leave");
	check_runs(&s);
	end(&s, 1);
	end(&leaves, 1);
	finish();
}

/* Two threads become ready at once: the one with a reservation is first. */
KTEST(urgent_reserved_first, "sched.urgent_reserved_first", "", "")
{
	struct sched_params p = { .class = SCHED_DEADLINE, .runtime = 10 * MS, .deadline = 50 * MS,
				  .period = 50 * MS };
	struct spinner s = { 0 }, reserved = { 0 };
	struct runq *rq;

	if (!policy_knows(SCHED_DEADLINE) || !begin(0))
		return;
	create_at(&s, last, spin, URGENT);
	create_at(&reserved, last, spin, PRIORITY_DEFAULT);
	CHECK(sched_set_affinity(s.thread, BIT(last)) == 0, "", "affinity");
	CHECK(sched_set_affinity(reserved.thread, BIT(last)) == 0, "", "affinity");
	CHECK(sched_set_params(reserved.thread, &p) == 0, "", "a reservation is refused");
	settle();
	rq = thread_runq_lock(s.thread);
	sched_make_ready(rq, s.thread, "tested");
	sched_make_ready(rq, reserved.thread, "tested");
	runq_unlock(rq);
	check_runs(&reserved);
	check_waits(&s);
	atomic_store(&reserved.stop, true);
	check_runs(&s);
	end(&s, 1);
	end(&reserved, 1);
	finish();
}

/* A reservation is not charged for what its thread ran before it had one. */
KTEST(urgent_reserved_later, "sched.urgent_reserved_later", "", "")
{
	struct sched_params p = { .class = SCHED_DEADLINE, .runtime = 10 * MS, .deadline = 50 * MS,
				  .period = 50 * MS };
	struct spinner s = { 0 };
	u64 before;

	if (!policy_knows(SCHED_DEADLINE) || !begin(0))
		return;
	start_on(&s, BIT(last), spin, PRIORITY_DEFAULT);
	look_on(8 * MS);
	CHECK(sched_set_params(s.thread, &p) == 0, "", "a reservation is refused");
	start_on(&fill[last], BIT(last), spin, PRIORITY_DEFAULT);
	before = ran(&s);
	look_on(9 * MS);
	CHECK(ran(&s) - before > 8 * MS, "", "of 9 ms it got %lu ns", ran(&s) - before);
	end(&s, 1);
	finish();
}

KTEST(urgent_reserved_blocks, "sched.urgent_reserved_blocks", "", "")
{
	check_reserved(work_and_nap);
}

KTEST(urgent_reserved_spent, "sched.urgent_reserved_spent", "", "")
{
	check_reserved(spin);
}
