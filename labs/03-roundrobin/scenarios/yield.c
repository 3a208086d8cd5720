/*
 * Lab 03: giving the CPU away, while another CPU looks for work.
 */
#include "explore/queues.h"

static struct actor first, second;
static unsigned order[4], turns, here;	/* on CPU 0 alone */
static _Atomic unsigned ran;

/* With interrupts off no quantum ends here, so only the yields decide. */
static int note_twice(unsigned me)
{
	irq_off();
	here++;
	while (here < 2)
		sched_yield();
	order[turns++] = me;
	sched_yield();
	order[turns++] = me;
	irq_on();
	return 0;
}

static int note_one(void)
{
	return note_twice(1);
}

static int note_two(void)
{
	return note_twice(2);
}

static const char *took_turns(void)
{
	if (turns != 4)
		return wrong("%u turns were taken", turns);
	for (unsigned i = 1; i < turns; i++)
		if (order[i] == order[i - 1])
			return wrong("thread %u took turns %u and %u", order[i], i - 1, i);
	return queues_are_empty();
}

SCENARIO(yield_turns, "yield.two", "03.2", "P3.3", .cpus = 1, .after = took_turns, .quiet = true,
	 .keeps = true)
{
	act_on(0, &first, note_one);
	act_on(0, &second, note_two);
	end_here();
}

static int count_and_yield(void)
{
	ran++;
	sched_yield();
	return 0;
}

static const char *both_ran(void)
{
	return ran == 2 ? queues_are_empty() : wrong("%u of 2 threads ran", ran);
}

/* Each of the two may be stolen before, during and after the other's yield. */
SCENARIO(yield_stolen, "yield.against_steal", "03.4", "P3.3", .cpus = 2, .after = both_ran,
	 .keeps = true)
{
	act_among(~0u, &first, count_and_yield);
	act_among(~0u, &second, count_and_yield);
	sched_yield();
	end_here();
}

static int yield_twice(void)
{
	sched_yield();
	sched_yield();
	return 0;
}

/* A thread that is alone has just been sent to another CPU: a yield does not take its mark away. */
SCENARIO(yield_sent, "yield.alone_forbidden", "03.7", "P3.9", .cpus = 2, .after = queues_are_empty,
	 .keeps = true)
{
	struct thread *t = current_thread();
	struct runq *rq;

	stay_on(0);
	irq_off();
	rq = thread_runq_lock(t);
	t->affinity = t->se.affinity = BIT(1);
	atomic_fetch_or(&t->work, WORK_RESCHED);
	runq_unlock(rq);
	sched_yield();
	irq_on();
	preempt_off();
	preempt_on();
	expect(thread_cpu(t)->id == 1, "its mask forbids CPU 0, it yields alone, and stays there");
	end_here();
}

/* A thread that yields is sent to another CPU, at any moment of its yield. */
SCENARIO(yield_forbidden, "yield.against_mask", "03.7", "P3.9", .cpus = 2,
	 .after = queues_are_empty, .keeps = true)
{
	stay_on(0);
	act_on(1, &first, yield_twice);
	act_on(1, &second, yield_twice);
	expect(!sched_set_affinity(first.thread, BIT(0)), "CPU 0 is not there");
	end_here();
}
