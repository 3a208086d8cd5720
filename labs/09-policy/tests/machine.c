/*
 * Lab 09, step 8: the policies with real threads. Each test is about the policy that it names,
 * which the kernel runs by sched=NAME.
 */
#include "sched/internal.h"
#include "sched/time.h"
#include "sync/sync.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define MS	NSEC_PER_MSEC
#define US	NSEC_PER_USEC

#define NEEDS_POLICY(policy_, words)						\
	do {									\
		if (!policy_is(policy_)) {					\
			ktest_skip("it needs BOOTARGS=sched=" words);		\
			return;							\
		}								\
	} while (0)

struct member {
	struct thread *thread;
	_Atomic bool stop;
	u64 since;		/* its run_ns when the measurement began */
	u64 work, pause;	/* ns of CPU time, then ns of sleep */
	u64 worst;		/* the longest that its work has taken, by the clock */
	unsigned jobs, late;	/* of one with a reservation */
};

/* Returns its CPU time, including what is not charged yet. */
static u64 ran(const struct member *m)
{
	struct runq *rq = thread_runq_lock(m->thread);
	u64 ns = m->thread->stats.run_ns;

	if (rq->current == m->thread)
		ns += time_now() - rq->charged_at;
	runq_unlock(rq);
	return ns;
}

static u64 own_time(struct member *m)
{
	m->thread = current_thread();
	return ran(m);
}

/* Computes for @ns of its own CPU time. */
static void compute(struct member *m, u64 ns)
{
	u64 until = own_time(m) + ns;

	while (time_before(own_time(m), until))
		;
}

static int hog(void *arg)
{
	struct member *m = arg;

	while (!atomic_load(&m->stop))
		;
	return 0;
}

/* Wakes, computes, and sleeps again. */
static int come_and_go(void *arg)
{
	struct member *m = arg;

	while (!atomic_load(&m->stop)) {
		u64 due = time_now() + m->pause;

		thread_sleep_until(deadline_at(due));
		compute(m, m->work);
		m->worst = MAX(m->worst, time_now() - due);
	}
	return 0;
}

static void make(struct member *m, thread_fn fn, int nice)
{
	struct sched_params p = { .class = SCHED_OTHER, .nice = nice };

	m->thread = thread_create("member", fn, m, PRIORITY_DEFAULT);
	REQUIRE(m->thread, ktest_property(), "no memory for a thread");
	CHECK(sched_set_params(m->thread, &p) == 0, ktest_property(), "nice %d is refused", nice);
}

static void start(struct member *m, thread_fn fn, int nice)
{
	make(m, fn, nice);
	thread_resume(m->thread);
}

static void end(struct member *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		atomic_store(&m[i].stop, true);
	for (unsigned i = 0; i < n; i++)
		thread_join(m[i].thread, NULL, DEADLINE_NEVER);
}

/* Lets them run for about @ns, and then says in `since` what each got of it. Returns how long. */
static u64 measure(struct member *m, unsigned n, u64 ns)
{
	u64 begin = time_now();

	for (unsigned i = 0; i < n; i++)
		m[i].since = ran(&m[i]);
	thread_sleep(ns);
	for (unsigned i = 0; i < n; i++)
		m[i].since = ran(&m[i]) - m[i].since;
	return time_now() - begin;
}

/* The test itself goes before all others, so that its sleeps end on time. */
static void go_first(void)
{
	struct sched_params p = { .class = SCHED_FIFO, .rt_priority = 50 };

	REQUIRE(sched_set_params(current_thread(), &p) == 0, ktest_property(), "it is refused");
}

/* With aging=5ms level 1 has risen to the top after 80 ms, and waits for one quantum there. */
KTEST(machine_prio, "machine.prio", "09.8", "P9.4")
{
	struct member m[3] = { 0 };

	NEEDS_POLICY(&sched_prio, "prio");
	NEEDS_ONE_CPU;
	go_first();
	start(&m[0], hog, NICE_HIGHEST);
	start(&m[1], hog, NICE_LOWEST);
	start(&m[2], hog, 0);
	measure(m, 3, 500 * MS);
	ktest_figure("highest_us", m[0].since / US);
	ktest_figure("lowest_us", m[1].since / US);
	CHECK(m[1].since >= 2 * quantum_of(&m[1].thread->se), "P9.4",
	      "beside two higher ones, the lowest had %lu us in 500 ms", m[1].since / US);
	CHECK(m[2].since > m[1].since && m[0].since > m[2].since, "P9.4",
	      "from the highest to the lowest they had %lu, %lu and %lu us", m[0].since / US,
	      m[2].since / US, m[1].since / US);
	end(m, 3);
}

/* One that wakes takes the CPU at once from a lower level. */
KTEST(machine_wakes, "machine.wakes", "09.8", "P9.2")
{
	struct member m[2] = { { .work = MS / 10, .pause = 3 * MS } };

	NEEDS_POLICY(&sched_prio, "prio");
	NEEDS_ONE_CPU;
	go_first();
	start(&m[0], come_and_go, NICE_HIGHEST);
	start(&m[1], hog, 0);
	measure(m, 2, 100 * MS);
	ktest_figure("worst_us", m[0].worst / US);
	CHECK(m[0].worst < MS, "P9.2", "it wakes, and has done 100 us of work after %lu us",
	      m[0].worst / US);
	end(m, 2);
}

/* One that waits half of the time is not kept waiting by those that compute. */
KTEST(machine_mlfq, "machine.mlfq", "09.8", "P9.7")
{
	struct member m[3] = { { 0 }, { 0 }, { .work = MS, .pause = 3 * MS } };

	NEEDS_POLICY(&sched_mlfq, "mlfq");
	NEEDS_ONE_CPU;
	go_first();
	start(&m[0], hog, 0);
	start(&m[1], hog, 0);
	thread_sleep(160 * MS);			/* they sink */
	start(&m[2], come_and_go, 0);
	measure(m, 3, 300 * MS);
	ktest_figure("worst_us", m[2].worst / US);
	CHECK(m[2].worst < 2 * MS, "P9.7", "beside two that compute it took %lu us, not 1 ms",
	      m[2].worst / US);
	CHECK(m[2].since > 50 * MS, "P9.7", "it had %lu us of 300 ms", m[2].since / US);
	end(m, 3);
}

static struct semaphore turn[3];
static _Atomic unsigned rounds;

/* Works in turn with two others: each of them waits for two thirds of the time. */
static int in_turn(void *arg)
{
	struct member *m = arg;
	unsigned me = (unsigned)m->work;

	while (!atomic_load(&m->stop)) {
		u64 until;

		if (semaphore_wait(&turn[me], DEADLINE_NEVER))
			return -1;
		until = time_now() + MS;
		while (time_before(time_now(), until))
			;
		atomic_fetch_add(&rounds, 1);
		semaphore_post(&turn[(me + 1) % 3]);
	}
	return 0;
}

/* Three that wait often use all of the CPU together: only a boost brings the fourth one up. */
KTEST(machine_boost, "machine.boost", "09.8", "P9.8")
{
	struct member m[4] = { 0 };

	NEEDS_POLICY(&sched_mlfq, "mlfq");
	NEEDS_ONE_CPU;
	go_first();
	start(&m[0], hog, 0);
	thread_sleep(160 * MS);			/* it sinks */
	for (unsigned i = 0; i < 3; i++) {
		semaphore_init(&turn[i], 0);
		m[1 + i].work = i;
		start(&m[1 + i], in_turn, 0);
	}
	semaphore_post(&turn[0]);
	measure(m, 4, 500 * MS);
	ktest_figure("computes_us", m[0].since / US);
	CHECK(m[0].since >= 5 * (quantum_of(&m[0].thread->se) / 4), "P9.8",
	      "beside three that share a CPU, one that has sunk had %lu us in ten boosts",
	      m[0].since / US);
	CHECK(m[0].since <= 250 * MS, "P9.8", "one that computes had %lu us of 500 ms",
	      m[0].since / US);
	for (unsigned i = 1; i < 4; i++)
		atomic_store(&m[i].stop, true);
	for (unsigned i = 0; i < 3; i++)
		semaphore_post(&turn[i]);
	end(m, 4);
}

/*
 * The time from a timer to the switch that it asks for: in an instrumented kernel up to 18,000
 * instructions, of 8 ns each in these tests. It is charged to the budget of the thread that runs,
 * up to five times in a job.
 */
#define LATENCY	(150 * US)

/* Does a job in each of its periods, and ends it with a yield. */
static int periodic(void *arg)
{
	struct member *m = arg;
	u64 period = current_thread()->se.params.period, release;

	sched_yield();
	for (release = time_now(); !atomic_load(&m->stop); release += period) {
		compute(m, m->work);
		m->jobs++;
		m->late += time_before(release + period, time_now());
		sched_yield();
	}
	return 0;
}

/* Three that keep to their reservations, one that does not, and one without: 95 % are promised. */
KTEST(machine_edf, "machine.edf", "09.8", "P9.13")
{
	static const u64 shares[][2] = {
		{ 2 * MS, 10 * MS }, { 5 * MS, 20 * MS }, { 12 * MS, 40 * MS },
	};
	struct member m[5] = { 0 };
	u64 time;

	NEEDS_POLICY(&sched_edf, "edf");
	NEEDS_ONE_CPU;
	go_first();
	for (unsigned i = 0; i < 4; i++) {
		const u64 *share = shares[i % 3];
		struct sched_params p = { .class = SCHED_DEADLINE, .runtime = share[0],
					  .deadline = share[1], .period = share[1] };

		make(&m[i], i < 3 ? periodic : hog, 0);
		m[i].work = share[0] - 5 * LATENCY;
		CHECK(sched_set_params(m[i].thread, &p) == 0, "P9.12", "reservation %u is refused",
		      i);
	}
	for (unsigned i = 0; i < 4; i++)
		thread_resume(m[i].thread);
	start(&m[4], hog, 0);
	time = measure(m, 5, 400 * MS);		/* and more: reservations go before the test */
	for (unsigned i = 0; i < 3; i++) {
		CHECK(m[i].late == 0, "P9.13", "%u of %u jobs of %lu in %lu ms are late", m[i].late,
		      m[i].jobs, shares[i][0] / MS, shares[i][1] / MS);
		CHECK(m[i].jobs + 2 >= time / shares[i][1], "P9.13", "only %u jobs in %lu ms",
		      m[i].jobs, time / MS);
	}
	ktest_figure("never_waits_us", m[3].since / US);
	CHECK(m[3].since <= (time / (10 * MS) + 2) * (2 * MS) + LATENCY, "P9.11",
	      "one with 2 ms in 10 that never waits had %lu us of %lu ms", m[3].since / US,
	      time / MS);
	CHECK(m[4].since > 20 * MS, "P9.11", "one without a reservation had %lu us of %lu ms",
	      m[4].since / US, time / MS);
	end(m, 5);
}
