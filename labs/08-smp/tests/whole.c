/*
 * Lab 08, step 7: all parts together.
 */
#include "crew.h"

#include "sched/wait.h"

/* Its CPU time, including what is not charged yet. */
static u64 ran(struct thread *t)
{
	struct runq *rq = thread_runq_lock(t);
	u64 ns = t->stats.run_ns;

	if (rq->current == t)
		ns += time_now() - rq->charged_at;
	runq_unlock(rq);
	return ns;
}

/* @n threads that begin on one CPU compute for @ns; each is to get @least of it. */
static void check_shares(unsigned n, u64 ns, u64 least)
{
	struct member m[3 * MAX_CPUS];
	u64 before[3 * MAX_CPUS];

	for (unsigned i = 0; i < n; i++)
		make_and_run(&m[i], cpu_here(), ~0u, spin);
	thread_sleep(500 * MS);
	for (unsigned i = 0; i < n; i++)
		before[i] = ran(m[i].thread);
	thread_sleep(ns);
	for (unsigned i = 0; i < n; i++)
		CHECK(ran(m[i].thread) - before[i] >= least, "P8.12",
		      "%u threads, %u CPUs: thread %u computed for %lu of %lu ms", n, nr_cpus, i,
		      (ran(m[i].thread) - before[i]) / MS, ns / MS);
	end(m, n);
}

KTEST(whole_shares, "whole.shares", "08.7", "P8.12")
{
	check_shares(nr_cpus, 200 * MS, 180 * MS);
	check_shares(2 * nr_cpus, 400 * MS, 150 * MS);
	sched_audit();
}

/* --- Everything at once ----------------------------------------------------------------------- */

#define CROWD	8
#define TURNS	60

static struct member crowd[CROWD];
static struct wait_queue q = WAIT_QUEUE_INIT(q);

static unsigned chance(unsigned n)
{
	return test_random() % n;
}

static int do_anything(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < TURNS; i++) {
		struct member *other = &crowd[chance(CROWD)];
		u32 mask = 1 + chance(BIT(nr_cpus) - 1);

		switch (chance(6)) {
		case 0:
			thread_sleep(chance(200) * NSEC_PER_USEC);
			break;
		case 1:
			wait_block(&q, deadline_in(chance(300) * NSEC_PER_USEC));
			break;
		case 2:
			wait_wake_all(&q, 0);
			break;
		case 3:
			sched_set_affinity(other->thread, mask);
			break;
		case 4:
			look_on(chance(200) * NSEC_PER_USEC);
			break;
		default:
			sched_set_affinity(current_thread(), mask);
			break;
		}
	}
	return 0;
}

KTEST(whole_crowd, "whole.crowd", "08.7", "P8.12")
{
	for (unsigned i = 0; i < CROWD; i++) {
		make(&crowd[i], cpu_here(), BIT(nr_cpus) - 1, do_anything);
		thread_get(crowd[i].thread);	/* others set its mask when it has ended */
	}
	for (unsigned i = 0; i < CROWD; i++)
		thread_resume(crowd[i].thread);
	end(crowd, CROWD);
	for (unsigned i = 0; i < CROWD; i++)
		thread_put(crowd[i].thread);
	sched_audit();
	CHECK(true, "P8.12", "every thread has ended");
}
