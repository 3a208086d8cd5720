/*
 * Run queues: a thread that is ready runs, on a CPU that it may use, whichever CPU goes idle or
 * looks for work at that moment. A thread that no CPU runs is a deadlock.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/wait.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static bool go;				/* [q.lock] */
static struct actor first, second;

static int await_go(void)
{
	int err = 0;

	spin_lock(&q.lock);
	while (!go && !err)
		err = wait_block_locked(&q, DEADLINE_NEVER, 0);
	spin_unlock(&q.lock);
	return err;
}

static int give_go(void)
{
	spin_lock(&q.lock);
	go = true;
	wait_wake_all_locked(&q, 0);
	spin_unlock(&q.lock);
	return 0;
}

static const char *queues_are_empty(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		if (atomic_load(&cpus[i].runq.q.nr))
			return "a thread is still in a run queue";
		if (cpus[i].runq.current != &cpus[i].idle)
			return "a CPU does not run its idle thread";
	}
	return first.result ? wrong("the first actor returned %d", first.result) : NULL;
}

/* A new thread may be stolen by the idle CPU at once, while this one goes on or blocks. */
SCENARIO(stolen, "runq.stolen", "", "", .cpus = 2, .after = queues_are_empty, .keeps = true)
{
	act_among(~0u, &first, give_go);
	await_go();
	end_here();
}

/* Two new threads, two CPUs that look for work. */
SCENARIO(two_ready, "runq.two_ready", "", "", .cpus = 2, .after = queues_are_empty, .keeps = true)
{
	act_among(~0u, &first, await_go);
	act_among(~0u, &second, give_go);
	end_here();
}

/* The mask changes while the thread is new, is stolen, runs, blocks, or is woken. */
SCENARIO(affinity, "runq.affinity", "", "", .cpus = 2, .after = queues_are_empty, .keeps = true)
{
	act_among(~0u, &first, await_go);
	act_on(1, &second, give_go);
	expect(!sched_set_affinity(first.thread, BIT(1)), "CPU 1 is not there");
	expect(thread_cpu(first.thread) == &cpus[1], "the thread is on a CPU that it may not use");
	end_here();
}

static int move_away(void)
{
	int err = sched_set_affinity(current_thread(), BIT(0));

	irq_off();
	if (this_cpu() != &cpus[0])
		err = -EINVAL;
	irq_on();
	return err;
}

/* A thread moves itself to a CPU that is going idle. */
SCENARIO(moves, "runq.moves_itself", "", "", .cpus = 2, .after = queues_are_empty, .keeps = true)
{
	act_on(1, &first, move_away);
	end_here();
}
