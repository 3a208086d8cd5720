/*
 * Lab 06: a dozen threads in full, whose walk may let others in; zombies by the hundred; and init,
 * which is told more than once.
 */
#include "explore/scenario.h"
#include "explore/tree.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/wait.h"

#define DOZEN	12

static struct process *subject;
static struct wait_queue never = WAIT_QUEUE_INIT(never);

static int wait_for_ever(void *unused)
{
	(void)unused;
	return wait_block(&never, DEADLINE_NEVER);
}

static int exit_with_5(void *unused)
{
	(void)unused;
	process_exit(STATUS_EXIT(5));
}

/* --- Threads that leave while others are told ------------------------------------------------- */

/* At rest each is gone as soon as it is told and the reaper may run. */
SCENARIO(at_rest, "kill.dozen_at_rest", "06.5", "P6.3", .cpus = 1, .sets_up = true)
{
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	for (unsigned i = 0; i < DOZEN; i++) {
		struct thread *t = create_in(subject, wait_for_ever, NULL);

		thread_resume(t);
		expect(!thread_suspend(t), "a thread cannot be suspended");
	}
	explore_from_here();
	process_kill(subject, KILLED);
	expect_end(pid, KILLED);
}

/* The one that exits is the first of them, and all others wait. */
SCENARIO(exit_first, "kill.exit_of_a_dozen", "06.5", "P6.3", .cpus = 1, .sets_up = true)
{
	struct thread *first;
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	first = create_in(subject, exit_with_5, NULL);
	for (unsigned i = 1; i < DOZEN; i++) {
		struct thread *t = create_in(subject, wait_for_ever, NULL);

		thread_resume(t);
		await_state(t, THREAD_BLOCKED);
	}
	explore_from_here();
	thread_resume(first);
	expect_end(pid, STATUS_EXIT(5));
}

/* --- An exit, and a thread of the same process that computes on another CPU ------------------- */

static _Atomic bool computes;

static int compute(void *unused)
{
	(void)unused;
	computes = true;
	host_user_loop();
}

SCENARIO(beside_loop, "kill.exit_beside_a_loop", "06.5", "P6.11", .cpus = 2, .sets_up = true)
{
	struct thread *exits;
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	stay_on(0);
	exits = create_on(subject, 0, exit_with_5);
	thread_resume(create_on(subject, 1, compute));
	while (!computes)
		arch_spin_hint();
	explore_from_here();
	thread_resume(exits);
	expect_end(pid, STATUS_EXIT(5));
}

/* --- A victim that must leave its CPU, and is killed on its way ------------------------------- */

static int send_away(void *t)
{
	sched_set_affinity(t, BIT(0));
	thread_put(t);
	return 0;
}

/* Killed as soon as it has left its CPU, whose queue it is not in. */
SCENARIO(moves, "kill.on_its_way", "06.4", "P6.4", .cpus = 3, .sets_up = true)
{
	struct thread *t, *sender;
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	stay_on(2);
	t = create_on(subject, 1, compute);
	sender = thread_create("sender", send_away, thread_get(t), PRIORITY_DEFAULT);
	expect(sender, "no thread");
	sched_set_affinity(sender, BIT(0));
	thread_resume(t);
	while (!computes)
		arch_spin_hint();
	explore_from_here();
	thread_resume(sender);
	while (thread_state(t) != THREAD_READY && thread_cpu(t) != &cpus[0])
		arch_spin_hint();
	process_kill(subject, KILLED);
	expect_end(pid, KILLED);
	thread_join(sender, NULL, DEADLINE_NEVER);
}

/* --- Any number of zombies -------------------------------------------------------------------- */

static void add_zombie(struct process *z, pid_t pid)
{
	z->pid = pid;
	z->exit_signal = SIGCHLD;
	z->cred = kernel_process.cred;
	list_init(&z->threads);
	spin_init(&z->lock, LOCK_PROCESS);
	spin_lock(&tree_lock);
	atomic_store(&z->life, LIFE(PROCESS_ZOMBIE, STATUS_EXIT(5)));
	process_set_parent(z, &kernel_process);
	list_push_back(&kernel_process.children, &z->sibling);
	spin_unlock(&tree_lock);
}

SCENARIO(zombies, "zombie.any_number", "06.2", "P6.7", .cpus = 1, .sets_up = true, .keeps = true)
{
	static struct process z[300];

	for (unsigned i = 0; i < ARRAY_SIZE(z); i++) {
		struct wait_result res = { 0 };
		int err;

		add_zombie(&z[i], 10000 + (pid_t)i);
		err = process_wait(-1, WEXITED | WNOHANG | WNOWAIT, &res);
		expect(!err && res.pid >= 10000, "among %u zombies a wait finds %d: error %d",
		       i + 1, res.pid, err);
	}
	explore_from_here();
	end_here();
}

/* --- Init is told of each --------------------------------------------------------------------- */

/*
 * Twice an orphan comes to init as a zombie, and is waited for, before the next one comes. The
 * second time is explored.
 */
SCENARIO(told_twice, "orphan.told_each_time", "06.2", "P6.9", .cpus = 1, .sets_up = true,
	 .keeps = true)
{
	struct process *parents[] = { make_child(), make_child() };

	adopt_orphans();
	for (unsigned i = 0; i < ARRAY_SIZE(parents); i++) {
		struct thread *ends, *t;
		struct process *middle = make_leaver(parents[i], &ends);
		struct process *orphan = make_leaver(middle, &t);
		struct wait_result res = { 0 };
		pid_t pid = orphan->pid;
		int err;

		if (i)
			explore_from_here();
		thread_resume(t);
		while (process_state(orphan) != PROCESS_ZOMBIE)
			let_others_run();
		thread_resume(ends);
		err = process_wait(-1, WEXITED, &res);
		expect(!err && res.pid == pid, "orphan %u has ended, and a wait finds %d: error %d",
		       i, res.pid, err);
	}
	end_here();
}
