/*
 * Run queues: a thread that is ready runs, on a CPU that it may use, whichever CPU goes idle or
 * looks for work at that moment. A thread that no CPU runs is a deadlock.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/internal.h"
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

static _Atomic bool all_allowed;		/* another thread lets the mover run anywhere */

static int move_away(void)
{
	int err = sched_set_affinity(current_thread(), BIT(0));

	irq_off();
	if (this_cpu() != &cpus[0] && !all_allowed)
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

/* --- A thread that gives way where it may not run any more ------------------------------------ */

static int allow_all(void)
{
	all_allowed = true;
	return sched_set_affinity(first.thread, ~0u);
}

/* SCHED2: it is ready on no queue when its mask allows the CPU again. */
SCENARIO(allowed_again, "affinity.ready_is_queued", "", "", .cpus = 2, .after = queues_are_empty,
	 .keeps = true)
{
	act_on(1, &first, move_away);
	act_on(0, &second, allow_all);
	end_here();
}

/* --- Going idle ------------------------------------------------------------------------------- */

static _Atomic bool ran;

static int note_that_it_ran(void)
{
	ran = true;
	return 0;
}

/* This CPU stays busy, so the other one must come for the new thread, idle or about to be. */
SCENARIO(kicked, "runq.kick_against_idle", "", "", .cpus = 2, .after = queues_are_empty,
	 .keeps = true)
{
	preempt_off();
	act_among(~0u, &first, note_that_it_ran);
	while (!ran)
		arch_spin_hint();
	preempt_on();
	end_here();
}

/* Checks that the thread runs where it may. */
static int stay_there(void)
{
	int err;

	irq_off();
	err = this_cpu() == &cpus[1] ? 0 : -EINVAL;
	irq_on();
	return err;
}

/* The idle CPU steals neither of two threads that it may not run. */
SCENARIO(pinned, "runq.not_stolen", "", "", .cpus = 2, .after = queues_are_empty, .keeps = true)
{
	act_on(1, &first, stay_there);
	act_on(1, &second, stay_there);
	end_here();
}

/* --- Three CPUs ------------------------------------------------------------------------------- */

static struct thread *wanderer;

static int forbid_two_cpus(void)
{
	return sched_set_affinity(wanderer, BIT(2));
}

/* A thread is woken on one CPU, and another one changes its mask, while a third looks for work. */
SCENARIO(three, "runq.steal_wake_affinity", "", "", .cpus = 3, .after = queues_are_empty,
	 .keeps = true)
{
	wanderer = create_among(~0u, act, &first);
	first.run = note_that_it_ran;
	act_on(1, &second, forbid_two_cpus);
	start_actor(&first, wanderer);
	end_here();
}

static int compute(void *unused)
{
	(void)unused;
	host_user_loop();
}

static struct thread *runner;

static int suspend_runner(void)
{
	return thread_suspend(runner);
}

static const char *runner_has_stopped(void)
{
	if (first.result)
		return wrong("the suspend returned %d", first.result);
	return thread_state(runner) == THREAD_SUSPENDED ? NULL : "the thread is not suspended";
}

/* SCHED2: a thread in user mode gives way where it is forbidden, and is suspended meanwhile. */
SCENARIO(counted, "affinity.counted", "", "", .cpus = 3, .after = runner_has_stopped,
	 .keeps = true)
{
	runner = create_in(make_child(), compute, NULL);
	expect(!sched_set_affinity(runner, BIT(1)), "CPU 1 is not there");
	thread_resume(runner);
	stay_on(0);
	expect(!thread_sleep(1), "a sleep failed");	/* meanwhile it comes to user mode */
	act_on(2, &first, suspend_runner);
	expect(!sched_set_affinity(runner, BIT(0)), "CPU 0 is not there");
	end_here();
}

/* CPU 1 is not told of a thread in its queue, and no timer hides that from the explorer. */
SCENARIO(untold, "runq.untold", "", "", .cpus = 2, .keeps = true, .wrong = true)
{
	struct thread *t = create_on(make_child(), 1, compute);
	struct runq *rq = &cpus[1].runq;

	stay_on(0);
	expect(!thread_sleep(1), "a sleep failed");	/* meanwhile CPU 1 begins to idle */
	spin_lock(&rq->lock);
	queue_enqueue(&rq->q, &t->se, ENQUEUE_WAKE, time_now());
	spin_unlock(&rq->lock);
	expect(!thread_sleep(1), "a sleep failed");
	end_here();
}

/* --- Real-time threads ------------------------------------------------------------------------ */

/* The caller stays urgent on CPU 0. Returns a normal thread for @cpu, which computes for ever. */
static struct thread *computing_beside(unsigned cpu)
{
	struct thread *t = create_in(make_child(), compute, NULL);

	stay_on(0);
	be_urgent();
	expect(!sched_set_affinity(t, BIT(cpu)), "CPU %u is not there", cpu);
	return t;
}

/* The urgent actor must run, although the caller does not give its own CPU away. */
static void end_when_it_ran(struct thread *computing)
{
	while (!ran)
		arch_spin_hint();
	thread_kill(computing);
	end_here();
}

/* BALANCE1: a real-time thread that has to wait gets the CPU of one that is not. */
SCENARIO(pushed, "runq.urgent_pushed", "", "", .cpus = 2, .keeps = true)
{
	struct thread *t = computing_beside(1);

	thread_resume(t);
	first.urgent = true;
	act_among(~0u, &first, note_that_it_ran);
	end_when_it_ran(t);
}

/* The same thread is pulled by the CPU whose own real-time thread blocks. */
SCENARIO(pulled, "runq.urgent_pulled", "", "", .cpus = 2, .keeps = true)
{
	struct thread *t = computing_beside(1);

	second.urgent = true;
	act_on(1, &second, give_go);
	thread_resume(t);
	first.urgent = true;
	act_among(~0u, &first, note_that_it_ran);
	end_when_it_ran(t);
}

static int spin_until_it_ran(void)
{
	while (!ran)
		arch_spin_hint();
	return 0;
}

/* Two of them become ready, an idle CPU can run one, and a third CPU runs a normal thread. */
SCENARIO(one_idle, "runq.urgent_one_idle", "", "", .cpus = 3, .keeps = true)
{
	struct thread *t = computing_beside(2);

	thread_resume(t);
	first.urgent = second.urgent = true;
	act_among(~0u, &first, note_that_it_ran);
	act_among(BIT(0) | BIT(1), &second, spin_until_it_ran);
	end_when_it_ran(t);
}

/* --- Forbidden where it is about to run ------------------------------------------------------- */

static _Atomic bool told;

static int spin_until_told(void)
{
	while (!told)
		arch_spin_hint();
	return 0;
}

/* A CPU picks a thread at the moment in which the thread is forbidden to run there. */
SCENARIO(picked, "affinity.picked_meanwhile", "", "", .cpus = 2, .after = queues_are_empty,
	 .keeps = true)
{
	stay_on(0);
	act_on(1, &first, spin_until_told);
	expect(!sched_set_affinity(first.thread, BIT(0)), "CPU 0 is not there");
	expect(thread_cpu(first.thread) == &cpus[0], "it is on a CPU that it may not use");
	told = true;
	end_here();
}
