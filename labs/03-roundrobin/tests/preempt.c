/*
 * Lab 03, steps 4 and 5: the CPU is taken away, where that is allowed.
 */
#include "hogs.h"

/* Both are also marked for what they would do on their way to user mode. */
KTEST(preempt_hogs, "preempt.hogs", "03.4", "P3.6")
{
	struct hog h[2] = { 0 };
	u64 before, times;

	set_urgent(current_thread(), true);	/* else it waits for its turn as well */
	for (unsigned i = 0; i < 2; i++)
		start_hog(&h[i], there(), compute);
	atomic_fetch_or(&h[0].thread->work, WORK_SIGNAL | WORK_SUSPEND);
	atomic_fetch_or(&h[1].thread->work, WORK_KILL);
	thread_sleep(5 * MS);
	before = h[0].thread->stats.preempted + h[1].thread->stats.preempted;
	measure(h, 2, 200 * MS);
	times = h[0].thread->stats.preempted + h[1].thread->stats.preempted - before;
	CHECK(h[0].since && h[1].since, "P3.6",
	      "of two threads that never yield one computed for %lu ms, the other for %lu ms",
	      h[0].since / MS, h[1].since / MS);
	CHECK(times >= 6 && times <= 14, "P3.6",
	      "in the time of 10 quanta the CPU was taken away %lu times", times);
	atomic_fetch_and(&h[0].thread->work, ~(WORK_SIGNAL | WORK_SUSPEND));
	end_hogs(h, 2);
	set_urgent(current_thread(), false);
}

/* An interrupt comes, and another thread waits; but no code has marked this one. */
KTEST(preempt_unmarked, "preempt.unmarked", "03.4", "P3.6")
{
	struct thread *t = current_thread();
	struct hog other = { 0 };
	u64 before, end;

	sched_set_affinity(t, there());
	start_hog(&other, there(), compute);
	thread_yield();			/* a whole quantum */
	before = t->stats.preempted;
	atomic_fetch_or(&t->work, WORK_SIGNAL);
	irq_off();
	timer_arm(time_now());
	irq_on();
	for (end = time_now() + MS; time_before(time_now(), end);)
		;
	atomic_fetch_and(&t->work, ~WORK_SIGNAL);
	CHECK(t->stats.preempted == before, "P3.6", "a thread that is not marked lost the CPU");
	end_hogs(&other, 1);
	sched_set_affinity(t, ~0u);
}

/* A real-time thread that computes for at most 50 ms. */
static int compute_urgently(void *arg)
{
	u64 end = time_now() + 50 * MS;

	while (!atomic_load(&((struct hog *)arg)->stop) && time_before(time_now(), end))
		;
	return 0;
}

/* Even a thread of a real-time class gives way to a more urgent one. */
KTEST(preempt_urgent, "preempt.urgent", "03.4", "P3.6")
{
	struct sched_params p = { .class = SCHED_FIFO, .rt_priority = 10 };
	struct hog h = { 0 };
	u64 due;

	set_urgent(current_thread(), true);
	sched_set_affinity(current_thread(), there());
	start_hog(&h, there(), compute_urgently);
	REQUIRE(sched_set_params(h.thread, &p) == 0, "P3.6", "its class is refused");
	due = time_now() + 5 * MS;
	thread_sleep(5 * MS);
	CHECK(time_now() - due < 2 * MS, "P3.6",
	      "a less urgent thread of a real-time class kept the CPU for %lu ms too long",
	      (time_now() - due) / MS);
	end_hogs(&h, 1);
	sched_set_affinity(current_thread(), ~0u);
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

static void compute_for(u64 ns)
{
	for (u64 end = time_now() + ns; time_before(time_now(), end);)
		;
}

/*
 * In a section its quantum ends, and later another tick comes. It may be marked already when the
 * quantum ends, for something else. In both cases it goes behind the one that waits.
 */
KTEST(preempt_noted, "preempt.noted", "03.5", "P3.6")
{
	struct thread *t = current_thread();
	struct hog other = { 0 };

	sched_set_affinity(t, there());
	start_hog(&other, there(), compute);
	for (unsigned i = 0; i < 2; i++) {
		u64 before, again;

		thread_yield();
		preempt_off();
		if (i)
			atomic_fetch_or(&t->work, WORK_RESCHED);
		compute_for(25 * MS);		/* more than a quantum */
		irq_off();
		timer_arm(time_now());
		irq_on();
		compute_for(MS);
		before = t->stats.preempted;
		again = t->stats.picked_again;
		preempt_on();
		CHECK(t->stats.preempted == before + 1, "P3.7",
		      "its quantum was over, and behind the section it kept the CPU");
		CHECK(t->stats.picked_again == again, "P3.6",
		      "its quantum was over in the section%s, and it went before the other",
		      i ? ", in which it was marked before" : "");
	}
	end_hogs(&other, 1);
	sched_set_affinity(t, ~0u);
}

/* Its budget is spent: it goes through the queue, although it is alone. */
KTEST(preempt_spent, "preempt.spent", "03.7", "P3.9")
{
	struct thread *t = current_thread();
	u64 before;

	sched_set_affinity(t, there());
	preempt_off();
	before = t->stats.preempted;
	this_cpu()->runq.expired = SLICE_SPENT;
	atomic_fetch_or(&t->work, WORK_RESCHED);
	preempt_on();
	CHECK(t->stats.preempted == before + 1, "P3.9",
	      "its budget is spent, and it was not taken off the CPU");
	CHECK(!marked(t), "P3.9", "its budget was spent, it gave way, and is marked still");
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
