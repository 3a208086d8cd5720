/*
 * Lab 03: the CPU is taken away, while other CPUs wake, take or forbid threads.
 */
#include "explore/queues.h"

#include "sched/internal.h"

static struct actor first, second, third;
static _Atomic bool told, ran;

static bool marked(void)
{
	return atomic_load(&current_thread()->work) & WORK_RESCHED;
}

static int note_that_it_ran(void)
{
	ran = true;
	return 0;
}

static int spin_until_told(void)
{
	while (!told)
		arch_spin_hint();
	return 0;
}

/* Only a tick gives the other thread the CPU. */
SCENARIO(hog, "preempt.hog", "03.4", "P3.6", .cpus = 1, .after = queues_are_empty, .keeps = true)
{
	act_on(0, &first, note_that_it_ran);
	while (!ran)
		arch_spin_hint();
	end_here();
}

/* The same under another policy, whose threads wait in other lists: a tick, a yield, a wake-up. */
SCENARIO(in_other_lists, "preempt.other_policy", "03.4", "P3.6", .cpus = 1,
	 .bootargs = "sched=prio", .after = queues_are_empty, .keeps = true, .no_costume = true)
{
	struct sched_params less = { .class = SCHED_OTHER, .nice = NICE_LOWEST };

	act_on(0, &first, note_that_it_ran);
	while (!ran)
		arch_spin_hint();
	irq_off();
	ran = false;
	act_on(0, &second, note_that_it_ran);
	while (!ran)
		sched_yield();
	irq_on();
	expect(!sched_set_params(current_thread(), &less), "its parameters are refused");
	ran = false;
	act_on(0, &third, note_that_it_ran);
	expect(ran, "a more urgent thread waits, and this one did not give way");
	end_here();
}

/* Another CPU leaves a note in the thread while a tick marks it: process_continue() does that. */
static struct thread *noted;
static _Atomic bool left;

static int leave_note(void)
{
	atomic_fetch_or(&noted->work, WORK_SIGNAL);
	left = true;
	return 0;
}

SCENARIO(note, "tick.against_note", "03.4", "P3.4", .cpus = 2, .after = queues_are_empty,
	 .keeps = true)
{
	stay_on(0);
	noted = current_thread();
	preempt_off();
	act_on(0, &first, note_that_it_ran);
	act_on(1, &second, leave_note);
	irq_off();
	sched_tick(this_cpu()->runq.slice_end);
	expect(marked(), "its quantum is over, another waits, and it is not marked");
	irq_on();
	while (!left)
		arch_spin_hint();
	expect(atomic_fetch_and(&noted->work, ~WORK_SIGNAL) & WORK_SIGNAL,
	       "the tick took another note of the thread away");
	preempt_on();
	end_here();
}

/* The same while the end of an interrupt serves the mark. */
SCENARIO(note_kept, "preempt.against_note", "03.4", "P3.6", .cpus = 2, .after = queues_are_empty,
	 .keeps = true)
{
	stay_on(0);
	noted = current_thread();
	arch_irqs_disable();
	act_on(1, &first, leave_note);
	atomic_fetch_or(&noted->work, WORK_RESCHED);
	irq_enter();
	irq_exit(arch_trapframe(noted));
	arch_irqs_enable();
	while (!left)
		arch_spin_hint();
	expect(atomic_fetch_and(&noted->work, ~WORK_SIGNAL) & WORK_SIGNAL,
	       "the mark was served, and another note of the thread is gone");
	end_here();
}

/* Two that compute: each must lose the CPU for the other to get on. */
static _Atomic unsigned at;

static int second_and_fourth(void)
{
	for (unsigned i = 1; i < 4; i += 2) {
		while (at != i)
			arch_spin_hint();
		at = i + 1;
	}
	return 0;
}

SCENARIO(in_turn, "preempt.in_turn", "03.4", "P3.6", .cpus = 1, .after = queues_are_empty,
	 .keeps = true)
{
	act_on(0, &first, second_and_fourth);
	for (unsigned i = 0; i < 4; i += 2) {
		while (at != i)
			arch_spin_hint();
		at = i + 1;
	}
	while (at != 4)
		arch_spin_hint();
	end_here();
}

/* As many sections as begin and end at once, which no interrupt sees. */
static void sections(int n)
{
	arch_irqs_disable();
	for (; n > 0; n--)
		preempt_off();
	for (; n < 0; n++)
		preempt_on();
	arch_irqs_enable();
}

/* The thread is marked inside 256 sections, and the other one runs at the end of the outer one. */
SCENARIO(section, "preempt.nested", "03.5", "P3.7", .cpus = 1, .after = queues_are_empty,
	 .keeps = true)
{
	u64 before = current_thread()->stats.preempted;

	preempt_off();
	act_on(0, &first, note_that_it_ran);
	sections(255);
	while (!marked()) {
		expect(!ran, "another thread ran with preemption off");
		arch_spin_hint();
	}
	sections(-255);
	expect(!ran, "the end of an inner section let another thread run");
	preempt_on();
	expect(current_thread()->stats.preempted > before, "the mark was not served after it");
	end_here();
}

/* The other thread is taken by an idle CPU, before or after the mark is served. */
SCENARIO(gone, "preempt.against_steal", "03.5", "P3.7", .cpus = 2, .after = queues_are_empty,
	 .keeps = true)
{
	stay_on(0);
	preempt_off();
	act_among(~0u, &first, note_that_it_ran);
	while (!marked() && !ran)
		arch_spin_hint();
	irq_off();
	preempt_on();
	irq_on();			/* the mark is served here */
	irq_off();
	expect(!ran || !marked(), "no other thread is left, and it is marked still");
	irq_on();
	end_here();
}

/* It is alone on its CPU, and only its mask says that it must leave. */
SCENARIO(forbidden, "preempt.forbidden", "03.7", "P3.9", .cpus = 2, .after = queues_are_empty,
	 .keeps = true)
{
	stay_on(0);
	act_on(1, &first, spin_until_told);
	expect(!sched_set_affinity(first.thread, BIT(0)), "CPU 0 is not there");
	expect(thread_cpu(first.thread) == &cpus[0], "it is on a CPU that it may not use");
	told = true;
	end_here();
}

static int spin_until_it_ran(void)
{
	while (!ran)
		arch_spin_hint();
	return 0;
}

/*
 * CPU 1 idles, and is about to be told of a thread that waits on CPU 0 when another one comes to
 * it, which keeps it busy. The first one is then for CPU 2, which idles too, and nobody but CPU 1
 * tells it.
 */
SCENARIO(passed_on, "idle.told_and_woken", "03.7", "P3.9", .cpus = 3, .sets_up = true,
	 .after = queues_are_empty, .keeps = true, .no_costume = true)
{
	u32 idle = BIT(1) | BIT(2);

	stay_on(0);
	while ((atomic_load(&idle_mask) & idle) != idle)
		arch_spin_hint();
	irq_off();
	act_on(0, &first, note_that_it_ran);
	first.thread->affinity = first.thread->se.affinity = BIT(0) | idle;
	atomic_fetch_and(&idle_mask, ~BIT(1));
	act_on(1, &second, spin_until_it_ran);
	explore_from_here();
	atomic_fetch_or(&cpus[1].idle.work, WORK_RESCHED);
	ipi_send(&cpus[1], IPI_RESCHED);
	spin_until_it_ran();
	irq_on();
	end_here();
}

/* Two CPUs send a thread to and fro. */
static int forbid_one(void)
{
	return sched_set_affinity(first.thread, BIT(0));
}

SCENARIO(twice, "preempt.forbidden_twice", "03.7", "P3.9", .cpus = 2, .after = queues_are_empty,
	 .keeps = true)
{
	stay_on(0);
	act_on(1, &first, note_that_it_ran);
	act_on(1, &second, forbid_one);
	expect(!sched_set_affinity(first.thread, BIT(1)), "CPU 1 is not there");
	end_here();
}

/* An idle CPU is told of work, or looks, or waits: its idle thread stays out of the queue. */
SCENARIO(idle, "preempt.idle", "03.7", "P3.9", .cpus = 2, .after = queues_are_empty,
	 .keeps = true)
{
	stay_on(0);
	act_on(1, &first, note_that_it_ran);
	while (!ran)
		arch_spin_hint();
	act_on(1, &second, note_that_it_ran);
	end_here();
}
