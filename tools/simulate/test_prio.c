/*
 * Strict priority: the order, the bound of aging, SCHED_FIFO.
 */
#include "test_sim.h"

static u32 effective(const struct sim_task *t)
{
	const struct policy_queue *q = &sim.cpus[t->cpu].q;
	u32 level = t->e.base.level;
	u64 rounds = t->state == SIM_READY ? q->epoch - t->e.epoch : 0;
	u64 gain = t->e.used + (rounds ? rounds - 1 : 0);

	return level >= LEVEL_NORMAL_TOP ? level : MIN(level + gain, LEVEL_NORMAL_TOP);
}

static void check_highest_runs(struct sim *s, struct sim_task *t, enum sim_state from)
{
	(void)from;
	if (t->state != SIM_RUNNING)
		return;
	for (unsigned i = 0; i < s->nr_tasks; i++)
		CHECK(s->tasks[i].state != SIM_READY || effective(&s->tasks[i]) <= effective(t),
		      "", "level %u is chosen while %u waits", effective(t),
		      effective(&s->tasks[i]));
}

KTEST(policy_prio_order, "policy.prio_order", "", "")
{
	for (unsigned n = 0; n < 200; n++) {
		u64 work;

		use(&sched_prio, 1);
		sim.changed = check_highest_runs;
		for (unsigned i = 2 + below(10); i; i--)
			add_random_task(&work);
		run(300 * MS);
	}
}

/* The bound of prio.c's prologue, with busy higher levels that come and go. */
KTEST(policy_prio_aging, "policy.prio_aging", "", "")
{
	for (unsigned n = 0; n < 200; n++) {
		use(&sched_prio, 1);
		for (unsigned i = 3 + below(10); i; i--) {
			struct sim_task *t = add_spinner((int)below(40) - 20);

			if (below(2)) {
				t->steps[0].ns = 1 + below(30 * MS);
				step(t, SIM_SLEEP, below(3 * MS));
				step(t, SIM_REPEAT, 0);
			}
			if (!below(5))
				t->params.class = SCHED_IDLE;
		}
		run(10000 * MS);
		for (unsigned i = 0; i < sim.nr_tasks; i++) {
			u32 level = level_of_params(&tasks[i].params);
			u64 bound = (16 - MIN(level, 16)) * 50 * MS + (sim.nr_tasks - 1) * 40 * MS;

			CHECK(tasks[i].worst_wait <= bound && tasks[i].dispatched, "",
			      "level %u of %u tasks waits %lu, bound %lu", level, sim.nr_tasks,
			      tasks[i].worst_wait, bound);
		}
	}
}

/* SCHED_FIFO has no quantum: only a higher task preempts it, and it goes on before its equals. */
KTEST(policy_prio_fifo, "policy.prio_fifo", "", "")
{
	struct sim_task *a, *b, *high;

	use(&sched_prio, 1);
	a = add();
	b = add();
	high = add();
	a->params = b->params = (struct sched_params){ .class = SCHED_FIFO, .rt_priority = 10 };
	high->params = (struct sched_params){ .class = SCHED_FIFO, .rt_priority = 90 };
	step(a, SIM_RUN, 500 * MS);
	step(b, SIM_RUN, 500 * MS);
	step(high, SIM_SLEEP, 100 * MS);
	step(high, SIM_RUN, 10 * MS);
	add_spinner(-20);
	run(700 * MS);
	CHECK(a->state == SIM_ENDED && a->preempted == 1, "", "preempted %u times", a->preempted);
	CHECK(high->worst_wait == 0, "", "the higher one waits %lu", high->worst_wait);
	CHECK(b->worst_wait == 510 * MS && b->ran == 190 * MS, "", "b waits %lu", b->worst_wait);
	CHECK(tasks[3].ran == 0, "", "a normal thread ran before real-time ones");
}
