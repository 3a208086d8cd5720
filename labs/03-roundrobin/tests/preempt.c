/*
 * Lab 03, steps 4 and 5: the CPU is taken away, where that is allowed.
 */
#include "hogs.h"

KTEST(preempt_hogs, "preempt.hogs", "03.4", "P3.6")
{
	struct hog h[2] = { 0 };
	u64 before, times;

	set_urgent(current_thread(), true);	/* else it waits for its turn as well */
	for (unsigned i = 0; i < 2; i++)
		start_hog(&h[i], there(), compute);
	thread_sleep(5 * MS);
	before = h[0].thread->stats.preempted + h[1].thread->stats.preempted;
	measure(h, 2, 200 * MS);
	times = h[0].thread->stats.preempted + h[1].thread->stats.preempted - before;
	CHECK(h[0].since && h[1].since, "P3.6",
	      "of two threads that never yield one computed for %lu ms, the other for %lu ms",
	      h[0].since / MS, h[1].since / MS);
	CHECK(times >= 6 && times <= 14, "P3.6",
	      "in the time of 10 quanta the CPU was taken away %lu times", times);
	end_hogs(h, 2);
	set_urgent(current_thread(), false);
}

static bool marked(struct thread *t)
{
	return atomic_load(&t->work) & WORK_RESCHED;
}

/* Computes where it may not be preempted, until the timer interrupt has marked the thread. */
static void await_mark(struct thread *t)
{
	u64 end = time_now() + 500 * MS, before = t->stats.preempted;

	while (!marked(t) && t->stats.preempted == before && time_before(time_now(), end))
		;
	REQUIRE(t->stats.preempted == before, "P3.7", "a thread lost the CPU with preemption off");
	REQUIRE(marked(t), "P3.7", "with preemption off a thread is not marked");
}

KTEST(preempt_section, "preempt.section", "03.5", "P3.7")
{
	struct thread *t = current_thread();
	struct hog other = { 0 };
	u64 before;

	sched_set_affinity(t, there());
	start_hog(&other, there(), compute);
	for (unsigned depth = 1; depth <= 3; depth++) {
		thread_yield();			/* a whole quantum */
		for (unsigned i = 0; i < depth; i++)
			preempt_off();
		before = t->stats.preempted;
		for (unsigned i = 1; i < depth; i++)
			preempt_on();
		await_mark(t);
		preempt_on();
		CHECK(t->stats.preempted == before + 1, "P3.7",
		      "its mark was served %lu times after the section",
		      t->stats.preempted - before);
		CHECK(!marked(t), "P3.7", "it gave way and is marked still");
	}
	end_hogs(&other, 1);
	sched_set_affinity(t, ~0u);
}

/* The thread that waited is gone before the mark is served. */
KTEST(preempt_gone, "preempt.gone", "03.5", "P3.7")
{
	struct thread *t = current_thread();
	struct hog other = { 0 };
	u64 before;

	NEEDS_TWO_CPUS;
	sched_set_affinity(t, BIT(0));
	start_hog(&other, BIT(0), compute);
	thread_yield();
	preempt_off();
	await_mark(t);
	this_cpu()->runq.expired = 0;		/* as if it were not for its quantum */
	sched_set_affinity(other.thread, there());
	before = t->stats.preempted;
	preempt_on();
	CHECK(t->stats.preempted == before, "P3.7",
	      "it gave way though no thread waited any more");
	CHECK(!marked(t), "P3.7", "it goes on, and is marked still");
	end_hogs(&other, 1);
	sched_set_affinity(t, ~0u);
}
