/*
 * Processes: pairs of their functions that belong to no lab. Exec's killing of siblings, suspend
 * and resume, a fork from a dying parent, threads found by their ids.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "sched/cpu.h"
#include "sched/wait.h"

static struct process *subject;
static struct thread *first, *second;

/* A child with two threads, which have not started yet: on @cpu, and on the other one. */
static pid_t make_pair(unsigned cpu, thread_fn entry, thread_fn other)
{
	subject = make_child();
	first = create_on(subject, cpu, entry);
	second = create_on(subject, !cpu, other);
	return subject->pid;
}

static void start_pair(void)
{
	thread_resume(second);
	thread_resume(first);
}

/* --- Exec ------------------------------------------------------------------------------------- */

static unsigned execs;

/* Becomes the process's only thread; fails if another thread was first, or if it is killed. */
static int exec(void *unused)
{
	int err = process_kill_siblings();

	(void)unused;
	expect(!err || err == -EINTR, "killing all siblings returned %d", err);
	if (err)
		host_user_loop();	/* it was killed, so it dies at the edge */
	expect(current_process()->nr_threads == 1, "after exec there are %u threads",
	       current_process()->nr_threads);
	expect(current_thread()->tid == current_process()->pid, "exec's thread has id %d",
	       current_thread()->tid);
	execs++;
	process_exit(STATUS_EXIT(5));
}

static int leave(void *unused)
{
	(void)unused;
	return 3;
}

static int compute(void *unused)
{
	(void)unused;
	host_user_loop();
}

SCENARIO(exec_or_exit, "exec.against_exit", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid = make_pair(0, exec, leave);

	start_pair();
	expect_status(pid, STATUS_EXIT(5));
}

/* The leader ends; the second thread gets its id. */
SCENARIO(exec_leader, "exec.by_second_thread", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid = make_pair(1, leave, exec);

	start_pair();
	expect_status(pid, STATUS_EXIT(5));
}

SCENARIO(exec_twice, "exec.two_at_once", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid = make_pair(0, exec, exec);

	start_pair();
	expect_status(pid, STATUS_EXIT(5));
	expect(execs == 1, "exec was done %u times", execs);
}

SCENARIO(exec_or_kill, "exec.against_kill", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid = make_pair(0, exec, compute);
	int err;

	start_pair();
	err = process_kill(subject, KILLED);
	expect_status(pid, err ? STATUS_EXIT(5) : KILLED);
}

/* Leaves another thread behind, if it can be created. */
static int create_another(void *unused)
{
	struct thread *t;

	(void)unused;
	if (!thread_create_in(current_process(), "another", compute, NULL, PRIORITY_DEFAULT, &t))
		thread_resume(t);
	return 3;
}

SCENARIO(exec_or_create, "exec.against_create", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid = make_pair(0, exec, create_another);

	start_pair();
	expect_status(pid, STATUS_EXIT(5));
}

/* --- Suspend and resume ----------------------------------------------------------------------- */

static int step_in_user_mode(void *unused)
{
	(void)unused;
	host_user_enter();
	host_user_leave();
	return 3;
}

static pid_t make_one(thread_fn entry)
{
	subject = make_child();
	first = create_in(subject, entry, NULL);
	thread_get(first);
	thread_resume(first);
	return subject->pid;
}

/* The resume lets go on all that the suspend has stopped. */
SCENARIO(suspend_resume, "suspend.then_resume", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid = make_one(step_in_user_mode);
	int err = thread_suspend(first), resumed = thread_resume(first);

	expect(!err || err == -ESRCH, "the suspend returned %d", err);
	expect(!resumed || resumed == -ESRCH || err, "the resume returned %d", resumed);
	thread_put(first);
	expect_status(pid, STATUS_EXIT(3));
}

static struct actor resumer;

static int resume_first(void)
{
	thread_resume(first);
	thread_put(first);
	return 0;
}

/* The resume may come first; then the kill must find the thread suspended. */
SCENARIO(suspend_resume_kill, "suspend.resume_against_kill", "", "", .cpus = 2,
	 .after = check_tasks, .keeps = true)
{
	pid_t pid = make_one(compute);

	thread_suspend(first);
	act_on(1, &resumer, resume_first);
	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

static struct wait_queue event = WAIT_QUEUE_INIT(event);
static bool happened;

static int wait_for_event(void *unused)
{
	(void)unused;
	spin_lock(&event.lock);
	while (!happened && !wait_block_locked(&event, DEADLINE_NEVER, 0))
		;
	spin_unlock(&event.lock);
	return 3;
}

/* The event may come while the thread is to stop, or has stopped; it is not lost. */
SCENARIO(suspend_blocked, "suspend.against_event", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid = make_one(wait_for_event);

	thread_suspend(first);
	spin_lock(&event.lock);
	happened = true;
	wait_wake_all_locked(&event, 0);
	spin_unlock(&event.lock);
	thread_resume(first);
	thread_put(first);
	expect_status(pid, STATUS_EXIT(3));
}

/* --- By id ------------------------------------------------------------------------------------ */

SCENARIO(kill_by_id, "thread.killed_by_id_against_exit", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid = make_pair(0, leave, leave);
	tid_t tid = second->tid;
	int err;

	start_pair();
	err = thread_set_state_by_id(tid, THREAD_DEAD);
	expect(!err || err == -ESRCH, "killing a thread by its id returned %d", err);
	expect_status(pid, STATUS_EXIT(3));
}

/* --- Fork ------------------------------------------------------------------------------------- */

static int fork(void *unused)
{
	struct process *p;
	int err = process_create(current_process(), &p);

	(void)unused;
	expect(!err || err == -EINTR, "creating a process returned %d", err);
	if (!err)
		thread_resume(create_in(p, leave, NULL));
	return 3;
}

/* The child of a parent that is killed meanwhile is not born, or is init's in the end. */
SCENARIO(fork_or_kill, "fork.against_kill", "", "", .cpus = 2, .after = check_tasks)
{
	struct wait_result res;
	pid_t pid;
	int err;

	adopt_orphans();
	pid = make_one(fork);
	thread_put(first);
	err = process_kill(subject, KILLED);
	expect_status(pid, err ? STATUS_EXIT(3) : KILLED);
	err = process_wait(pid + 1, WEXITED, &res);
	expect(err == -ECHILD || (!err && res.status == STATUS_EXIT(3)),
	       "waiting for the child returned %d, status 0x%x", err, res.status);
}

static int rename(void *unused)
{
	thread_set_name(first, "another");
	return fork(unused);
}

/* A process is named while its other thread forks: a child has the old name, or the new one. */
SCENARIO(fork_or_rename, "fork.against_rename", "", "", .cpus = 2, .keeps = true)
{
	pid_t pid = make_pair(0, rename, fork);

	adopt_orphans();
	start_pair();
	expect_status(pid, STATUS_EXIT(3));
	end_here();
}

/* --- All of them ------------------------------------------------------------------------------ */

static _Atomic unsigned inside;

static void is_alone(struct process *p, void *seen)
{
	unsigned before = atomic_fetch_add(&inside, 1);

	(void)p;
	expect(!before, "two threads go through the processes at once");
	atomic_fetch_sub(&inside, 1);
	(*(unsigned *)seen)++;
}

static int count_all(void)
{
	unsigned seen = 0;

	process_for_each(is_alone, &seen);
	return seen;
}

/* A process joins the list while two go through it: they take turns. */
SCENARIO(all, "process.made_while_counted", "", "", .cpus = 2, .keeps = true)
{
	static struct actor other;
	int before = count_all(), seen;

	stay_on(0);
	act_on(1, &other, count_all);
	make_child();
	seen = count_all();
	expect(seen == before + 1, "there were %d processes, and then %d", before, seen);
	end_here();
}
