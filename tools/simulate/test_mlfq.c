/*
 * MLFQ: no gain from games, favour for tasks that wait, boosts, no starvation.
 */
#include "test_sim.h"

/* No task stays up by giving the CPU away just in time, by yielding or by a short sleep. */
KTEST(policy_mlfq_games, "policy.mlfq_games", "", "")
{
	for (unsigned i = 0; i < 2; i++) {
		struct sim_task *gamer;

		use(&sched_mlfq, 1);
		sim.now = 0;
		add_spinner(0);
		gamer = add();
		step(gamer, SIM_RUN, 45 * MS / 10);	/* of 5 */
		step(gamer, i ? SIM_SLEEP : SIM_YIELD, MS / 2);
		step(gamer, SIM_REPEAT, 0);
		run(900 * MS);
		CHECK(gamer->e.base.level < 2, "", "level %u", gamer->e.base.level);
		CHECK(tasks[0].ran > 300 * MS, "", "the honest one ran %lu", tasks[0].ran);
	}
}

/* A task that wants half of the CPU or less never sinks, and never waits for one that has sunk. */
KTEST(policy_mlfq_favour, "policy.mlfq_favour", "", "")
{
	struct sim_task *editor;

	use(&sched_mlfq, 1);
	sim.now = 0;
	add_spinner(0);
	add_spinner(0);
	editor = add();
	editor->arrival += 100 * MS;
	step(editor, SIM_RUN, MS);
	step(editor, SIM_SLEEP, 2 * MS);
	step(editor, SIM_REPEAT, 0);
	run(990 * MS);
	CHECK(editor->e.base.level == 4, "", "level %u", editor->e.base.level);
	CHECK(editor->worst_wait == 0, "", "waits %lu", editor->worst_wait);
	CHECK(tasks[0].e.base.level == 0, "", "a spinner is at level %u", tasks[0].e.base.level);
}

/* A boost reaches queued, running and sleeping threads; each then has its whole allotment. */
KTEST(policy_mlfq_boost, "policy.mlfq_boost", "", "")
{
	struct sim_task *sleeper;

	use(&sched_mlfq, 1);
	sim.now = 0;
	add_spinner(0);
	add_spinner(0);
	sleeper = add();
	step(sleeper, SIM_RUN, 120 * MS);	/* to the bottom */
	step(sleeper, SIM_SLEEP, 700 * MS);
	step(sleeper, SIM_RUN, 1000 * MS);
	run(999 * MS);
	for (unsigned i = 0; i < 2; i++)
		CHECK(tasks[i].e.base.level == 0, "", "at level %u", tasks[i].e.base.level);
	sim_run(&sim, sim.now + 5 * MS);
	for (unsigned i = 0; i < 2; i++)
		CHECK(tasks[i].e.base.level == 4 || tasks[i].e.epoch != sim.cpus[0].q.epoch, "",
		      "after the boost at level %u", tasks[i].e.base.level);
	sim_run(&sim, sim.now + 300 * MS);
	CHECK(sleeper->state == SIM_READY || sleeper->state == SIM_RUNNING, "", "still asleep");
	CHECK(sleeper->e.epoch == sim.cpus[0].q.epoch, "", "the sleeper missed the boost");
}

static struct policy_queue queue;
static struct sched_entity entity;
static u64 at;

/* It has used 3 ms of its allotment. Now it is as urgent as a real-time thread, and ready. */
static void becomes_urgent(void)
{
	use(&sched_mlfq, 1);
	at = 0;
	policy_queue_init(&queue, 0);
	entity = (struct sched_entity){ 0 };
	policy_entity_init(&entity, ALL_CPUS, at);
	queue_enqueue(&queue, &entity, ENQUEUE_WAKE, at);
	queue_pick(&queue, at);
	at += 3 * MS;
	policy.charge(&queue, &entity, 3 * MS, at);
	policy_inherit(&entity, (struct sched_rank){ .level = LEVEL_REAL_TIME });
	queue_enqueue(&queue, &entity, ENQUEUE_PREEMPTED, at);
}

static void urgency_ends(enum enqueue_why why, u64 used, const char *meanwhile)
{
	policy_inherit(&entity, (struct sched_rank){ 0 });
	queue_enqueue(&queue, &entity, why, at);
	CHECK(entity.used == used, "", "it was urgent and %s: it has used %lu us, not %lu",
	      meanwhile, entity.used / 1000, used / 1000);
}

/* Of the time for which a thread is urgent, only that for which it is blocked is paid back. */
KTEST(policy_mlfq_urgent, "policy.mlfq_urgent", "", "")
{
	becomes_urgent();
	at += MS;
	queue_dequeue(&queue, &entity);
	urgency_ends(ENQUEUE_CHANGED, 3 * MS, "ready");

	becomes_urgent();
	queue_pick(&queue, at);
	at += MS;
	urgency_ends(ENQUEUE_PREEMPTED, 3 * MS, "ran");

	becomes_urgent();
	queue_pick(&queue, at);
	at += MS;
	queue_leave(&queue, &entity, at);
	at += MS;
	urgency_ends(ENQUEUE_WAKE, 2 * MS, "ran, and was blocked for 1 ms");
}

KTEST(policy_mlfq_starvation, "policy.mlfq_starvation", "", "")
{
	for (unsigned n = 0; n < 50; n++) {
		use(&sched_mlfq, 1);
		for (unsigned i = 3 + below(10); i; i--) {
			struct sim_task *t = add_spinner((int)below(40) - 20);

			if (below(2)) {
				t->steps[0].ns = 1 + below(3 * MS);
				step(t, SIM_SLEEP, below(9 * MS));
				step(t, SIM_REPEAT, 0);
			}
		}
		run(10000 * MS);
		for (unsigned i = 0; i < sim.nr_tasks; i++)
			CHECK(tasks[i].worst_wait <= 1000 * MS + sim.nr_tasks * 10 * MS, "",
			      "waits %lu", tasks[i].worst_wait);
		CHECK(sim.cpus[0].q.epoch % (1000 * MS) == 0, "MLFQ2", "a boost at %lu ns",
		      sim.cpus[0].q.epoch);
	}
}
