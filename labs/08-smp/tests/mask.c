/*
 * Lab 08, step 2: sched_set_affinity() on threads in every state.
 */
#include "reason.h"

#include "sched/wait.h"

static void set(struct thread *t, unsigned cpu, const char *what)
{
	int err = sched_set_affinity(t, BIT(cpu));

	CHECK(err == 0, "P8.2", "%s, CPU %u: the call returned %d", what, cpu, err);
}

static bool runs(const struct member *m)
{
	return m->thread->cpu->runq.current == m->thread;
}

/* It runs on CPU @there, and has a reservation on CPU @here now: the mask in force allows less. */
static void check_reserved(const struct member *m, unsigned there, unsigned here)
{
	struct thread *t = m->thread;
	struct runq *rq = thread_runq_lock(t);

	t->affinity = BIT(nr_cpus) - 1;
	t->se.affinity = BIT(here);
	runq_unlock(rq);
	enforce_affinity(t);
	CHECK(cpu_of(t) == here && cpus[there].runq.current != t, "P8.2",
	      "its reservation allows CPU %u alone: when the call returns it is on CPU %u", here,
	      cpu_of(t));
}

/* Sends @t here, where the test, which is real time, goes on. Returns how long that took. */
static u64 send_here(struct thread *t, unsigned here)
{
	u64 from, took;

	set_urgent(current_thread(), true);
	watch_begin(&cpus[here].runq);
	from = time_now();
	set(t, here, "a thread that runs elsewhere");
	took = time_now() - from;
	watch_end();
	set_urgent(current_thread(), false);
	CHECK(watched_why == ENQUEUE_MIGRATED, "P8.1",
	      "a thread that ran where it may not is moved: why is %d, not ENQUEUE_MIGRATED",
	      watched_why);
	return took;
}

/* One that runs leaves at once: no tick tells it, as it is alone there. */
KTEST(mask_runs, "mask.runs", "08.2", "P8.2")
{
	unsigned here, there, now;
	struct member m;

	NEEDS_TWO_CPUS;
	here = stay_here();
	there = next_to(here);
	make_and_run(&m, there, BIT(there), spin);
	REQUIRE(await_begin(&m, 100 * MS), "P8.2", "a thread on CPU %u does not run", there);
	for (unsigned i = 0; i < 3; i++) {
		u64 took = send_here(m.thread, here);

		now = cpu_of(m.thread);
		CHECK(now == here, "P8.2",
		      "it ran where it may not: when the call returns it is on CPU %u, not %u", now,
		      here);
		CHECK(cpus[there].runq.current != m.thread, "P8.2",
		      "when the call returns it still runs on CPU %u, which its mask forbids",
		      there);
		CHECK(took < 2 * MS, "P8.2", "the call took %lu us: the thread was not told",
		      took / NSEC_PER_USEC);
		set(m.thread, there, "a thread that waits here");
		CHECK(cpu_of(m.thread) == there, "P8.2",
		      "it waited where it may not: when the call returns it is on CPU %u, not %u",
		      cpu_of(m.thread), there);
		look_on(MS);
		CHECK(runs(&m), "P8.2", "it was moved to an idle CPU, and does not run there");
	}
	check_reserved(&m, there, here);
	end(&m, 1);
	stay_no_longer();
	sched_audit();
}

static _Atomic bool deaf;

/* Cannot leave its CPU for a while, and then can. */
static int stay_for_long(void *arg)
{
	struct member *m = arg;

	preempt_off();
	m->began_on = cpu_here() + 1;
	look_on(200 * MS);	/* some millions of looks by the caller */
	atomic_store(&deaf, false);
	preempt_on();
	return spin(arg);
}

/* However long it takes until it leaves, the call does not return before. */
KTEST(mask_late, "mask.late", "08.2", "P8.2")
{
	unsigned here, there;
	struct member m;

	NEEDS_TWO_CPUS;
	here = stay_here();
	there = next_to(here);
	atomic_store(&deaf, true);
	make_and_run(&m, there, BIT(there), stay_for_long);
	REQUIRE(await_begin(&m, 100 * MS), "P8.2", "a thread on CPU %u does not run", there);
	set(m.thread, here, "a thread that cannot leave its CPU yet");
	CHECK(!atomic_load(&deaf), "P8.2", "the thread has not left, and the call has returned");
	CHECK(cpu_of(m.thread) == here && cpus[there].runq.current != m.thread, "P8.2",
	      "when the call returns it is on CPU %u, not %u", cpu_of(m.thread), here);
	end(&m, 1);
	stay_no_longer();
	sched_audit();
}

/* Some wait behind one that computes. All are sent away, in another order than the queue's. */
KTEST(mask_waits, "mask.waits", "08.2", "P8.2")
{
	unsigned here, there;
	struct member m[4];

	NEEDS_TWO_CPUS;
	here = stay_here();
	there = next_to(here);
	for (unsigned i = 0; i < ARRAY_SIZE(m); i++)
		make_and_run(&m[i], there, BIT(there), spin);
	look_on(MS);
	set_urgent(current_thread(), true);
	for (unsigned round = 0; round < 4; round++)
		for (unsigned i = 0; i < ARRAY_SIZE(m); i++) {
			unsigned n = (3 * i + round) % ARRAY_SIZE(m), to = round % 2 ? there : here;

			set(m[n].thread, to, "a thread that runs or waits");
			CHECK(cpu_of(m[n].thread) == to, "P8.2",
			      "thread %u: when the call returns it is on CPU %u, not %u", n,
			      cpu_of(m[n].thread), to);
		}
	set_urgent(current_thread(), false);
	end(m, ARRAY_SIZE(m));
	stay_no_longer();
	sched_audit();
}

/* A thread that changes its own mask. */
KTEST(mask_own, "mask.own", "08.2", "P8.2")
{
	unsigned here;

	NEEDS_TWO_CPUS;
	for (unsigned i = 0; i < 4 * nr_cpus; i++) {
		unsigned to = (3 * i + 1) % nr_cpus;

		set(current_thread(), to, "the caller itself");
		CHECK(cpu_here() == to, "P8.2",
		      "it may run on CPU %u alone, and goes on on CPU %u", to, cpu_here());
	}
	here = cpu_here();
	CHECK(sched_set_affinity(current_thread(), 0) == -EINVAL, "P8.2", "no CPU at all");
	CHECK(cpu_here() == here, "P8.2", "a mask was refused, and it was moved");
	CHECK(sched_set_affinity(current_thread(), ~0u) == 0, "P8.2", "all CPUs are refused");
	sched_audit();
}

/* --- Left alone ------------------------------------------------------------------------------- */

static struct wait_queue q = WAIT_QUEUE_INIT(q);

static int wait_once(void *arg)
{
	struct member *m = arg;
	int err = wait_block(&q, DEADLINE_NEVER);

	m->began_on = cpu_here() + 1;
	return err;
}

/* @t runs, or waits, on CPU @there, and stays: masks that allow it cost nothing there. */
static void check_stays(struct thread *t, unsigned there, u32 others, const char *beside)
{
	u64 switches = cpus[there].stats.switches, moves = t->stats.migrations;
	u64 ipis = atomic_load(&cpus[there].stats.resched_ipis);

	for (unsigned i = 0; i < 10; i++) {
		u32 mask = i % 2 ? BIT(there) : BIT(there) | others;

		CHECK(sched_set_affinity(t, mask) == 0, "P8.3", "it is refused");
	}
	switches = cpus[there].stats.switches - switches;
	ipis = atomic_load(&cpus[there].stats.resched_ipis) - ipis;
	CHECK(cpu_of(t) == there && t->stats.migrations == moves, "P8.3",
	      "its mask allows CPU %u, where it is, and it was moved %lu times%s", there,
	      t->stats.migrations - moves, beside);
	CHECK(switches == 0, "P8.3", "its mask allows its CPU, and it lost it %lu times%s",
	      switches, beside);
	CHECK(ipis == 0, "P8.3", "its mask allows its CPU, and it was interrupted %lu times%s",
	      ipis, beside);
	CHECK(!cpus[there].runq.expired, "P8.3",
	      "its mask allows its CPU, and the quantum of what runs there counts as over%s",
	      beside);
}

/* A mask that still allows its CPU costs it nothing, also if another thread wants that CPU. */
KTEST(mask_stays, "mask.stays", "08.2", "P8.3")
{
	struct member m, waits;
	unsigned here, there;

	NEEDS_TWO_CPUS;
	here = stay_here();
	there = next_to(here);
	make_and_run(&m, there, BIT(there), spin);
	REQUIRE(await_begin(&m, 100 * MS), "P8.3", "a thread on CPU %u does not run", there);
	look_on(MS);
	check_stays(m.thread, there, BIT(here), "");
	make_and_run(&waits, there, BIT(there), begin);
	look_on(MS);	/* its slice, of which it has used little, is measured from now on */
	check_stays(m.thread, there, BIT(here), " while another one waits there");
	check_stays(waits.thread, there, BIT(here), " while it waits there behind another one");
	end(&m, 1);
	end(&waits, 1);
	stay_no_longer();
}

/* One that is blocked is where its mask says when it is woken, by this CPU or another. */
KTEST(mask_blocked, "mask.blocked", "08.2", "P8.3")
{
	unsigned here;

	NEEDS_TWO_CPUS;
	here = stay_here();
	for (unsigned i = 0; i < 2 * nr_cpus; i++) {
		unsigned from = i % nr_cpus, to = (i / 2 + 1) % nr_cpus;
		u64 before = time_now();
		struct member m;

		make_and_run(&m, from, BIT(from), wait_once);
		thread_sleep(2 * MS);
		set(m.thread, to, "a thread that is blocked");
		CHECK(time_now() - before < 20 * MS, "P8.2",
		      "the thread is blocked, and the call waited for it");
		wait_wake_all(&q, 0);
		end(&m, 1);
		CHECK(m.began_on == to + 1, "P8.3",
		      "while it was blocked it was allowed CPU %u alone, and it woke on CPU %d", to,
		      (int)m.began_on - 1);
	}
	CHECK(cpu_here() == here, "P8.3", "the test was moved");
	stay_no_longer();
	sched_audit();
}

/* --- At the same time ------------------------------------------------------------------------- */

static struct member pair[2];
static _Atomic unsigned rounds;

/* Each of two threads sends the other to and fro. */
static int send_other(void *arg)
{
	struct member *m = arg;
	struct thread *other = pair[m == pair].thread;

	m->began_on = 1;
	while (!atomic_load(&m->stop)) {
		sched_set_affinity(other, BIT(rounds++ % 2));
		thread_yield();
	}
	return 0;
}

KTEST(mask_each_other, "mask.each_other", "08.2", "P8.2")
{
	NEEDS_TWO_CPUS;
	stay_here();
	for (unsigned i = 0; i < 2; i++) {
		make(&pair[i], i, BIT(i), send_other);
		thread_get(pair[i].thread);	/* the other may send it after its end */
	}
	for (unsigned i = 0; i < 2; i++)
		thread_resume(pair[i].thread);
	thread_sleep(20 * MS);
	for (unsigned i = 0; i < 2; i++) {
		unsigned before = rounds;

		thread_sleep(5 * MS);
		CHECK(rounds > before + 10, "P8.2",
		      "two threads change each other's masks: %u changes in 5 ms",
		      rounds - before);
	}
	end(pair, 2);
	for (unsigned i = 0; i < 2; i++)
		thread_put(pair[i].thread);
	stay_no_longer();
	sched_audit();
}
