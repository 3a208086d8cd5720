/*
 * Lab 08, step 1: threads that become ready, or wait, where they may not run.
 */
#include "reason.h"

#include "sched/wait.h"

/*
 * A new thread: its CPU is that of its maker until it is resumed. Later ones hold a reservation on
 * one CPU, so that the mask in force has less than the one requested.
 */
KTEST(move_new, "move.new", "08.1", "P8.1")
{
	unsigned here;

	NEEDS_TWO_CPUS;
	here = stay_here();
	for (unsigned i = 0; i < 2 * nr_cpus; i++) {
		unsigned to = i % nr_cpus;
		struct member m;

		make(&m, here, BIT(to), begin);
		if (i >= nr_cpus)
			m.thread->affinity = BIT(nr_cpus) - 1;
		thread_resume(m.thread);
		CHECK(cpu_of(m.thread) == to, "P8.1",
		      "a thread that may run on CPU %u is resumed on CPU %u: it is on CPU %u", to,
		      here, cpu_of(m.thread));
		end(&m, 1);
		CHECK(m.began_on == to + 1, "P8.1",
		      "a thread that may run on CPU %u alone ran on CPU %d", to,
		      (int)m.began_on - 1);
	}
	stay_no_longer();
	sched_audit();
}

/* If it may use several, one of them will do. */
KTEST(move_choice, "move.choice", "08.1", "P8.1")
{
	unsigned here;

	NEEDS(nr_cpus > 2, 4);
	here = stay_here();
	for (unsigned out = 0; out < nr_cpus; out++) {
		u32 mask = (BIT(nr_cpus) - 1) & ~BIT(here) & ~BIT(out);
		struct member m;

		make_and_run(&m, here, mask, begin);
		end(&m, 1);
		CHECK(m.began_on && mask & BIT(m.began_on - 1), "P8.1",
		      "a thread that may run on the CPUs %x ran on CPU %d", mask,
		      (int)m.began_on - 1);
	}
	stay_no_longer();
	sched_audit();
}

/* --- Woken ------------------------------------------------------------------------------------ */

static struct wait_queue q = WAIT_QUEUE_INIT(q);

static int wait_once(void *arg)
{
	struct member *m = arg;
	int err = wait_block(&q, DEADLINE_NEVER);

	m->began_on = cpu_here() + 1;
	return err;
}

static int sleep_once(void *arg)
{
	struct member *m = arg;
	int err = thread_sleep(10 * MS);

	m->began_on = cpu_here() + 1;
	return err;
}

/* Its mask changes while it is blocked, or asleep. */
KTEST(move_woken, "move.woken", "08.1", "P8.1")
{
	static int (*const waits[])(void *) = { wait_once, sleep_once };
	unsigned here, to;

	NEEDS_TWO_CPUS;
	here = stay_here();
	to = next_to(here);
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(waits); i++) {
		unsigned from = i % 2 ? to : here, other = i % 2 ? here : to;
		struct member m;

		make_and_run(&m, from, BIT(from), waits[i / 2]);
		thread_sleep(5 * MS);
		CHECK(!m.began_on, "P8.1", "it does not wait");
		set_mask(m.thread, BIT(other));
		wait_wake_all(&q, 0);
		end(&m, 1);
		CHECK(m.began_on == other + 1, "P8.1",
		      "while it waited it was allowed CPU %u alone, and it ran on CPU %d", other,
		      (int)m.began_on - 1);
	}
	stay_no_longer();
	sched_audit();
}

/* --- Queued ----------------------------------------------------------------------------------- */

/* Waits behind a thread that computes. Both queues' counts are compared with what they hold. */
KTEST(move_queued, "move.queued", "08.1", "P8.1")
{
	struct member busy, m[3];
	unsigned here, there;
	struct runq *from, *to, *rq;

	NEEDS_TWO_CPUS;
	here = stay_here();
	there = next_to(here);
	from = &cpus[there].runq;
	to = &cpus[here].runq;
	make_and_run(&busy, there, BIT(there), spin);
	REQUIRE(await_begin(&busy, 100 * MS), "P8.1", "a thread on CPU %u does not run", there);
	preempt_off();
	for (unsigned i = 0; i < 3; i++)
		make_and_run(&m[i], there, BIT(there), begin);
	for (unsigned i = 0; i < 3; i++) {
		unsigned moved = (i + 1) % 3;	/* the second, the third, the first */
		unsigned left = nr_ready(from), here_before = nr_ready(to);
		u64 migrations = m[moved].thread->stats.migrations;

		if (m[moved].began_on)
			continue;	/* the quantum of the other one was over */
		set_mask(m[moved].thread, BIT(here));
		watch_begin(to);
		rq = thread_runq_lock_allowed(m[moved].thread);
		watch_end();
		CHECK(rq == to && thread_cpu(m[moved].thread) == &cpus[here], "P8.1",
		      "a thread that waits is moved: its CPU is %u, not %u",
		      thread_cpu(m[moved].thread)->id, here);
		CHECK(entity_queued(&m[moved].thread->se), "P8.1",
		      "a thread that waits is moved, and is in no queue");
		CHECK(watched_why == ENQUEUE_MIGRATED, "P8.1",
		      "a thread that waits is moved: why is %d, not ENQUEUE_MIGRATED",
		      watched_why);
		CHECK(nr_ready(to) == here_before + 1, "P8.1",
		      "the queue that it comes to counts %u, before %u", nr_ready(to),
		      here_before);
		CHECK(nr_ready(from) < left, "P8.1",
		      "the queue that it leaves counts %u, before %u", nr_ready(from), left);
		CHECK(m[moved].thread->stats.migrations == migrations + 1, "P8.1",
		      "it was moved %lu times", m[moved].thread->stats.migrations - migrations);
		runq_unlock(rq);
	}
	preempt_on();
	end(m, 3);
	for (unsigned i = 0; i < 3; i++)
		CHECK(m[i].began_on, "P8.1", "thread %u has not run", i);
	end(&busy, 1);
	stay_no_longer();
	sched_audit();
}

/* --- Locks ------------------------------------------------------------------------------------ */

static struct member traveller;
static _Atomic bool go;

static int move_traveller(void *arg)
{
	preempt_off();
	((struct member *)arg)->began_on = cpu_here() + 1;
	while (!go)
		;
	runq_unlock(thread_runq_lock_allowed(traveller.thread));
	preempt_on();
	return 0;
}

/* Suspends the traveller, which waits in @rq, as soon as that is not locked. */
static bool stop_traveller(struct runq *rq, u64 ns)
{
	u64 until = time_now() + ns;
	bool got;

	while (!(got = spin_trylock(&rq->lock)) && time_before(time_now(), until))
		;
	if (got) {
		sched_remove(rq, traveller.thread);
		thread_set_state(traveller.thread, THREAD_SUSPENDED, "suspended");
		spin_unlock(&rq->lock);
	}
	return got;
}

/* The traveller waits on CPU @there, and may run on this one, @here, alone. */
static void check_locked(unsigned here, unsigned there)
{
	struct runq *from = &cpus[there].runq, *to = &cpus[here].runq;
	bool taken = false, free = false, stopped;
	struct member mover;
	u64 until, before;

	make(&mover, there, BIT(there), move_traveller);
	go = false;
	thread_resume(mover.thread);
	REQUIRE(await_begin(&mover, 100 * MS), "P8.1", "a thread on CPU %u does not run", there);
	make_and_run(&traveller, there, BIT(there), begin);
	set_mask(traveller.thread, BIT(here));
	spin_lock(&to->lock);
	go = true;
	until = time_now() + 20 * MS;
	while (time_before(time_now(), until) && !taken) {
		taken = !spin_trylock(&from->lock);
		if (!taken)
			spin_unlock(&from->lock);
	}
	before = atomic_load(&cpus[there].stats.resched_ipis);
	if (taken)
		ipi_send(&cpus[there], IPI_RESCHED);
	while (taken && time_before(time_now(), until + 20 * MS) && !free)
		free = atomic_load(&cpus[there].stats.resched_ipis) != before;
	stopped = stop_traveller(from, 20 * MS);
	spin_unlock(&to->lock);
	CHECK(free || !taken, "P8.1",
	      "a queue was locked for 20 ms, and a CPU that wants it held another one meanwhile");
	end(&mover, 1);
	CHECK(!stopped || (thread_state(traveller.thread) == THREAD_SUSPENDED &&
			   !entity_queued(&traveller.thread->se)), "P8.1",
	      "a thread was suspended before it could be moved: it is %s",
	      thread_state_name(thread_state(traveller.thread)));
	thread_resume(traveller.thread);
	end(&traveller, 1);
	CHECK(traveller.began_on == here + 1, "P8.1", "it ran on CPU %d",
	      (int)traveller.began_on - 1);
}

/*
 * The queue that the thread goes to is locked: meanwhile the one that it leaves must come free.
 * An interrupt shows it, which a CPU takes only while it holds no lock: two loops could stay in
 * step. The thread is ready at first, and suspended before it can be moved. Once to the lower
 * CPU, and once to the higher one: no order of the two locks makes it right to wait for one.
 */
KTEST(move_locked, "move.locked", "08.1", "P8.1")
{
	NEEDS_TWO_CPUS;
	for (unsigned here = 0; here < 2; here++) {
		set_mask(current_thread(), BIT(here));
		thread_sleep(MS / 10);
		REQUIRE(cpu_here() == here, "P8.1",
			"the test may run on CPU %u alone, has slept, and runs on CPU %u", here,
			cpu_here());
		check_locked(here, 1 - here);
	}
	stay_no_longer();
}
