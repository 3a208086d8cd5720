/*
 * Lab 06: a kill is for every thread of the process, also if a sibling leaves while it is under
 * way, and however many they are; or for one thread alone.
 */
#include "base/irq.h"
#include "explore/scenario.h"

#include "embryos.h"
#include "explore/tree.h"
#include "sched/wait.h"

static struct process *subject;

static struct wait_queue never = WAIT_QUEUE_INIT(never);

static int wait_for_ever(void *unused)
{
	(void)unused;
	return wait_block(&never, DEADLINE_NEVER);
}

static void start_waiter(void)
{
	struct thread *t = create_in(subject, wait_for_ever, NULL);

	thread_resume(t);
	await_state(t, THREAD_BLOCKED);
}

static _Atomic bool begun;

static int kill_subject(void)
{
	begun = true;
	return process_kill(subject, KILLED);
}

/* A killer that is killed meanwhile is in the middle of kernel work, and finishes it. */
SCENARIO(killer_killed, "kill.killer_is_killed", "06.5", "P6.6", .cpus = 2, .keeps = true)
{
	static struct actor killer;
	struct process *its = make_child();
	pid_t pid;

	subject = process_get(make_child());	/* the killer's reference */
	pid = subject->pid;
	start_waiter();
	start_waiter();
	act_in(its, 1, &killer, kill_subject);
	while (!begun)
		arch_spin_hint();
	process_kill(its, STATUS_SIGNAL(SIGTERM));
	expect_status(pid, KILLED);
	end_here();
}

/* The thread that leaves stands between two others, in whatever list there is. */
SCENARIO(sibling_leaves, "kill.sibling_leaves", "06.5", "P6.3", .cpus = 2)
{
	struct thread *leaves;
	pid_t pid;
	int err;

	subject = make_child();
	pid = subject->pid;
	start_waiter();
	leaves = create_on(subject, 1, leave_with_3);
	start_waiter();
	thread_resume(leaves);
	err = process_kill(subject, KILLED);
	expect(!err, "the kill returned %d", err);
	expect_end(pid, KILLED);
}

/*
 * More than most batches have places, and few enough for a kernel that begins its walk anew after
 * each kill. Whole threads would be too much for the explorer: these have only what a kill asks of
 * threads that their creator has not started yet.
 */
SCENARIO(kill_many, "kill.very_many", "06.4", "P6.4", .cpus = 1)
{
	static struct thread crowd[1100];
	struct thread *last;
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	make_embryos(subject, crowd, ARRAY_SIZE(crowd));
	last = create_in(subject, wait_for_ever, NULL);
	spin_lock(&tree_lock);		/* signals are sent with it in hand */
	process_kill(subject, KILLED);
	spin_unlock(&tree_lock);
	expect(thread_is_dying(last), "the last thread of many was not told of the kill");
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++) {
		expect(thread_is_dying(&crowd[i]), "thread %u of %u was not told of the kill", i,
		       (unsigned)ARRAY_SIZE(crowd));
		list_remove(&crowd[i].process_node);
	}
	subject->nr_threads -= ARRAY_SIZE(crowd);
	thread_resume(last);
	expect_end(pid, KILLED);
}

static bool ran;

static int run(void *unused)
{
	(void)unused;
	ran = true;
	host_user_loop();
}

/*
 * A thread is killed alone, as by a sibling's exec: its process lives on, but it does not. On one
 * CPU and with interrupts off no other thread can run between the two statements.
 */
SCENARIO(one_unrun, "kill.one_before_it_runs", "06.4", "P6.4", .cpus = 1)
{
	struct thread *leader, *t;
	pid_t pid;

	subject = make_leaver(&kernel_process, &leader);
	pid = subject->pid;
	t = create_in(subject, run, NULL);
	irq_off();
	thread_resume(t);
	thread_kill(t);
	irq_on();
	while (subject->nr_threads > 1)
		let_others_run();
	expect(!ran, "a thread that had not run before it was killed alone ran after that");
	thread_resume(leader);
	expect_end(pid, STATUS_EXIT(3));
}

static struct thread *joined;

static int run_once(void *unused)
{
	(void)unused;
	ran = true;
	return 0;
}

static int join_it(void *unused)
{
	(void)unused;
	return thread_join(joined, NULL, DEADLINE_NEVER);
}

/* The same for a thread of the kernel that another one waits for already. */
SCENARIO(joined_unrun, "kill.joined_before_it_runs", "06.4", "P6.4", .cpus = 1)
{
	for (unsigned ready = 0; ready < 2; ready++) {
		struct thread *j;
		int err;

		joined = thread_create("joined", run_once, NULL, PRIORITY_DEFAULT);
		j = start(join_it, NULL);
		await_state(j, THREAD_BLOCKED);
		irq_off();
		if (ready)
			thread_resume(joined);
		thread_kill(joined);
		irq_on();
		err = join(j);
		expect(!err, "the join of a killed thread returned %d", err);
		expect(!ran, "a thread that had not run before it was killed ran after that");
	}
}

static int sleep_for_ever(void *unused)
{
	(void)unused;
	return thread_sleep_until(DEADLINE_NEVER);
}

static bool in_hand;			/* the thread has something to give back */

static int yield_with_work(void *unused)
{
	(void)unused;
	in_hand = true;
	thread_yield();
	thread_yield();			/* looks whether it is to be suspended */
	in_hand = false;
	return 0;
}

static void expect_to_leave(struct thread *t)
{
	unsigned before = subject->nr_threads;

	thread_kill(t);
	while (subject->nr_threads == before)
		let_others_run();
	expect(!in_hand, "a thread that was killed alone died with work in hand");
}

/* The same for threads that wait, sleep or are suspended in the middle of kernel work. */
SCENARIO(one_off_the_cpu, "kill.one_off_the_cpu", "06.5", "P6.3", .cpus = 1)
{
	struct thread *leader, *t;
	pid_t pid;

	subject = make_leaver(&kernel_process, &leader);
	pid = subject->pid;
	t = create_in(subject, wait_for_ever, NULL);
	thread_resume(t);
	await_state(t, THREAD_BLOCKED);
	expect_to_leave(t);
	t = create_in(subject, sleep_for_ever, NULL);
	thread_resume(t);
	await_state(t, THREAD_SLEEPING);
	expect_to_leave(t);
	t = create_in(subject, yield_with_work, NULL);
	thread_resume(t);
	thread_yield();
	expect(!thread_suspend(t), "the suspend failed");
	thread_yield();
	expect(thread_state(t) == THREAD_SUSPENDED && in_hand, "it is not suspended at its work");
	expect_to_leave(t);
	thread_resume(leader);
	expect_end(pid, STATUS_EXIT(3));
}
