/*
 * Lab 06: a kill is for every thread of the process, also if a sibling leaves while it is under
 * way, and however many they are; or for one thread alone.
 */
#include "base/irq.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "sched/cpu.h"
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
	static struct thread crowd[520];
	struct thread *last;
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	spin_lock(&subject->lock);
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++) {
		struct thread *t = &crowd[i];

		t->magic = THREAD_MAGIC;
		t->process = subject;
		t->cpu = &cpus[0];
		t->refs = 1;
		t->affinity = t->se.affinity = ~0u;
		t->unwound = t->embryo = true;
		list_push_back(&subject->threads, &t->process_node);
	}
	spin_unlock(&subject->lock);
	last = create_in(subject, wait_for_ever, NULL);
	process_kill(subject, KILLED);
	expect(thread_is_dying(last), "the last thread of many was not told of the kill");
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++) {
		expect(thread_is_dying(&crowd[i]), "thread %u of %u was not told of the kill", i,
		       (unsigned)ARRAY_SIZE(crowd));
		list_remove(&crowd[i].process_node);
	}
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
