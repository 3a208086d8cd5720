/*
 * Lab 03: a tick, a search and a mark served, each called by hand, with the times that it is about.
 */
#include "explore/scenario.h"

#include "sched/internal.h"

static struct actor other;
static struct runq *rq;			/* of CPU 0, the only one */
static struct thread *self;
static u64 quantum;

static int wait_for_the_cpu(void)
{
	return 0;
}

static bool marked(void)
{
	return atomic_load(&self->work) & WORK_RESCHED;
}

/* Of all scenarios here: interrupts stay off, so no other tick comes. */
static void begin(void)
{
	irq_off();
	rq = &this_cpu()->runq;
	self = current_thread();
	quantum = quantum_of(&self->se);
}

/* Ticks as the timer interrupt does, whose one-shot timer has fired. */
static bool tick_marks(u64 now)
{
	atomic_fetch_and(&self->work, ~WORK_RESCHED);
	this_cpu()->timer_armed = false;
	sched_tick(now);
	return marked();
}

SCENARIO(marks, "tick.marks_at_end", "03.3", "P3.4", .cpus = 1, .quiet = true, .keeps = true)
{
	struct sched_params urgent = { .class = SCHED_RR, .rt_priority = 10 };
	u64 end;

	begin();
	end = rq->slice_end;
	expect(!tick_marks(end + 1), "a thread alone is marked");
	act_on(0, &other, wait_for_the_cpu);
	end = rq->slice_end;
	expect(!tick_marks(end - 1), "1 ns before its quantum is over a thread is marked");
	expect(tick_marks(end), "its quantum is over, another waits, and it is not marked");
	rq->expired = 0;
	rq->slice_end = 2;
	expect(!tick_marks(-3UL), "5 ns before its quantum is over, after the wrap, it is marked");
	rq->slice_end = -3UL;
	expect(tick_marks(2), "its quantum was over before the wrap, and it is not marked");
	rq->expired = SLICE_SPENT;
	expect(tick_marks(rq->slice_end - 1), "its budget is spent, and it is not marked");
	rq->expired = 0;
	atomic_fetch_or(&self->work, WORK_KILL | WORK_SUSPEND);
	expect(tick_marks(rq->slice_end), "it has to die and its quantum is over: not marked");
	atomic_fetch_and(&self->work, ~(WORK_KILL | WORK_SUSPEND));
	policy_set_params(&self->se, &urgent, time_now());
	rq->expired = 0;
	expect(tick_marks(rq->slice_end), "of SCHED_RR, and its quantum is over: not marked");
	atomic_fetch_and(&self->work, ~WORK_RESCHED);	/* to serve it is for the next step */
	irq_on();
	end_here();
}

static void expect_quantum(u64 now, u64 end)
{
	tick_marks(now);
	expect(rq->slice_end == end, "its quantum ends %ld ns after the tick, not %ld",
	       (s64)(rq->slice_end - now), (s64)(end - now));
	expect(this_cpu()->timer_armed && !time_before(end, this_cpu()->timer_at),
	       "the timer is not armed for the end of the quantum");
}

SCENARIO(quanta, "tick.next_quantum", "03.3", "P3.5", .cpus = 1, .quiet = true, .keeps = true)
{
	u64 end;

	begin();
	end = rq->slice_end;
	expect_quantum(end - 1, end);
	for (unsigned late = 0; late < 3; late++) {
		self->se.slice_left = quantum / 2;	/* as it got the CPU */
		expect_quantum(end + late, end + late + quantum);
		end += late + quantum;
	}
	irq_on();
	end_here();
}

/* Serves a mark. Returns how often the thread gave way. */
static u64 times_given_way(unsigned expired)
{
	u64 before = self->stats.preempted;

	rq->expired = expired;
	atomic_fetch_or(&self->work, WORK_RESCHED);
	sched_preempt();
	expect(!marked(), "the mark was served, and it stays");
	return self->stats.preempted - before;
}

SCENARIO(served, "preempt.by_hand", "03.4", "P3.9", .cpus = 1, .keeps = true)
{
	struct sched_params urgent = { .class = SCHED_RR, .rt_priority = 10 };

	begin();
	expect(times_given_way(0) == 0, "no other thread waits, and it gave way");
	expect(times_given_way(SLICE_SPENT) == 1, "its budget is spent, and it did not give way");
	rq->expired = SLICE_OVER;	/* it has new parameters, and then its old slice ends */
	tick_marks(rq->slice_end);
	expect(times_given_way(rq->expired) == 1,
	       "it has new parameters and a tick came, and it did not give way");
	act_on(0, &other, wait_for_the_cpu);
	expect(times_given_way(SLICE_OVER) == 1, "another thread waits, and it did not give way");
	policy_set_params(&self->se, &urgent, time_now());
	expect(times_given_way(SLICE_SPENT) == 1,
	       "of SCHED_RR, and its time is spent: it did not give way");
	expect(times_given_way(SLICE_OVER) == 1,
	       "of SCHED_RR, and another thread waits: it did not give way");
	irq_on();
	end_here();
}

static struct policy_queue q;
static struct sched_entity e[3], crowd[600];

SCENARIO(found, "queue.found", "03.1", "P3.2", .cpus = 1, .quiet = true, .keeps = true)
{
	policy_queue_init(&q, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(e); i++) {
		policy_entity_init(&e[i], i ? BIT(1) | BIT(2) : BIT(0), 0);
		sched_rr.enqueue(&q, &e[i], ENQUEUE_WAKE, 0);
	}
	expect(sched_rr.find(&q, 0) == &e[0], "for CPU 0 another than the first is found");
	expect(sched_rr.find(&q, 2) == &e[1],
	       "for CPU 2 another is found than the first that may run there");
	expect(!sched_rr.find(&q, 3), "for CPU 3 one is found that may not run there");
	expect(q.nr == 3, "they were only looked for, and the queue counts %u", q.nr);
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++) {
		bool last = i == ARRAY_SIZE(crowd) - 1;

		policy_entity_init(&crowd[i], last ? BIT(3) : BIT(1), 0);
		sched_rr.enqueue(&q, &crowd[i], ENQUEUE_WAKE, 0);
	}
	expect(sched_rr.find(&q, 3) == &crowd[ARRAY_SIZE(crowd) - 1],
	       "the last of a crowd is the only one that may run on CPU 3, and it is not found");
	end_here();
}

static int forbid_its_cpu(void)
{
	return sched_set_affinity(self, BIT(1));
}

/*
 * A mark may have another reason than a tick knows of: here a new mask, with preemption off. No
 * other thread waits and the quantum is not over when a tick comes, and the mark has to outlast it.
 */
SCENARIO(mark_kept, "tick.keeps_mark", "03.7", "P3.9", .cpus = 2,
	 .bootargs = "steal=off balance=off", .keeps = true)
{
	stay_on(0);
	self = current_thread();
	preempt_off();
	act_on(1, &other, forbid_its_cpu);
	while (!marked())
		arch_spin_hint();
	arch_irqs_disable();
	sched_tick(time_now());
	expect(marked(), "a tick took the mark of a thread away that must leave its CPU");
	preempt_off();			/* another section, and an interrupt that ends in it */
	irq_enter();
	irq_exit(arch_trapframe(self));
	preempt_on();
	arch_irqs_enable();
	expect(marked(), "an interrupt took the mark of a thread away that must leave its CPU");
	preempt_on();
	expect(thread_cpu(self) == &cpus[1], "it is on a CPU that it may not use");
	end_here();
}

/* The tick that finds its quantum over first takes a thread from another CPU. */
SCENARIO(balanced, "tick.balanced", "03.4", "P3.4", .cpus = 2, .sets_up = true, .keeps = true,
	 .no_costume = true)
{
	static struct actor others[3];
	u64 now;

	stay_on(0);
	begin();
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		act_on(1, &others[i], wait_for_the_cpu);
		others[i].thread->affinity = others[i].thread->se.affinity = BIT(0) | BIT(1);
	}
	now = rq->balance_at = rq->slice_end;
	expect(tick_marks(now), "its quantum is over, and the thread that the tick brought from "
				"another CPU does not get this one");
	explore_from_here();
	irq_on();
	end_here();
}
