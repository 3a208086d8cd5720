/*
 * Lab 03, step 7: the idle thread, and threads that leave their CPU.
 */
#include "hogs.h"

/* Runs for a short time again and again, so that the idle thread is preempted often. */
static int come_and_go(void *arg)
{
	struct hog *h = arg;

	while (!atomic_load(&h->stop))
		thread_sleep(MS / 2);
	return 0;
}

static bool any_idle_is_queued(void)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (entity_queued(&cpus[i].idle.se))
			return true;
	return false;
}

static int note_time(void *at)
{
	atomic_store((_Atomic u64 *)at, time_now());
	return 0;
}

/* This CPU computes, and another one idles: a thread that becomes ready here runs there at once. */
static void check_taken(int nice)
{
	struct sched_params p = { .class = SCHED_OTHER, .nice = nice };
	_Atomic u64 at = 0;
	struct thread *t = thread_create("taken", note_time, (void *)&at, PRIORITY_DEFAULT);
	u64 from;

	REQUIRE(t && sched_set_params(t, &p) == 0, "P3.9", "no thread");
	from = time_now();
	thread_resume(t);
	while (!at && time_now() - from < 10 * MS)
		;
	CHECK(at && at - from < MS, "P3.9",
	      "a CPU idles, and a thread of the nice value %d waits on another one", nice);
	thread_join(t, NULL, DEADLINE_NEVER);
}

KTEST(idle_last, "idle.last", "03.7", "P3.9")
{
	struct thread *idle = &cpus[nr_cpus - 1].idle;
	struct hog h = { 0 };
	u64 before;

	set_urgent(current_thread(), true);
	start_hog(&h, there(), come_and_go);
	for (unsigned i = 0; i < 20; i++) {
		thread_sleep(MS);	/* wakes on a CPU that was idle */
		CHECK(!any_idle_is_queued(), "P3.9", "an idle thread is in a run queue");
	}
	end_hogs(&h, 1);
	h.stop = false;
	start_hog(&h, there(), compute);
	thread_sleep(MS);
	before = idle->stats.switches_in;
	measure(&h, 1, 200 * MS);
	CHECK(idle->stats.switches_in == before, "P3.9",
	      "beside a thread that computes the idle thread ran %lu times",
	      idle->stats.switches_in - before);
	CHECK(h.since > 195 * MS, "P3.9", "a thread alone computed for %lu of 200 ms",
	      h.since / MS);
	end_hogs(&h, 1);
	set_urgent(current_thread(), false);
	for (int nice = -10; nice <= 10 && nr_cpus > 1; nice += 10)
		check_taken(nice);
	audit();
}

/* It is alone on its CPU, so only the new mask makes it leave. */
KTEST(cpus_forbidden, "cpus.forbidden", "03.7", "P3.9")
{
	struct hog h = { 0 };
	u64 from;

	NEEDS_TWO_CPUS;
	sched_set_affinity(current_thread(), BIT(0));
	start_hog(&h, there(), compute);
	thread_sleep(5 * MS);
	from = time_now();
	for (unsigned i = 0; i < 10; i++) {
		sched_set_affinity(h.thread, i % 2 ? there() : BIT(0));
		CHECK(h.thread->se.affinity & BIT(thread_cpu(h.thread)->id), "P3.9",
		      "a thread is on CPU %u, which its mask forbids", thread_cpu(h.thread)->id);
	}
	CHECK(time_now() - from < 200 * MS + 10 * sched_quantum, "P3.9",
	      "ten changes of its mask took %lu ms", (time_now() - from) / MS);
	end_hogs(&h, 1);
	sched_set_affinity(current_thread(), ~0u);
	audit();
}

/* Two threads that compute, of which one was queued behind the other: an idle CPU takes it. */
KTEST(cpus_shared, "cpus.shared", "03.7", "P3.9")
{
	struct hog h[2] = { 0 };

	NEEDS_TWO_CPUS;
	set_urgent(current_thread(), true);
	sched_set_affinity(current_thread(), BIT(0));
	for (unsigned i = 0; i < 2; i++)
		start_hog(&h[i], there(), compute);
	thread_sleep(5 * MS);
	for (unsigned i = 0; i < 2; i++)
		sched_set_affinity(h[i].thread, there() | BIT(0));
	thread_sleep(2 * sched_quantum);
	measure(h, 2, 100 * MS);
	CHECK(h[0].since > 80 * MS && h[1].since > 80 * MS, "P3.9",
	      "with a CPU each two threads computed for %lu and %lu of 100 ms", h[0].since / MS,
	      h[1].since / MS);
	end_hogs(h, 2);
	sched_set_affinity(current_thread(), ~0u);
	set_urgent(current_thread(), false);
}
