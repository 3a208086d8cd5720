/*
 * Suspend and resume against the other things that happen to a thread: a second resume, a kill, a
 * deadline, the theft of a thread that is ready, exec's killing of its siblings.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "sched/cpu.h"

static struct process *subject;
static struct thread *victim;
static struct actor first, second;

/* A thread of a process of its own, referenced. */
static pid_t make_victim(u32 mask, thread_fn entry)
{
	subject = make_child();
	victim = thread_get(create_in(subject, entry, NULL));
	expect(!sched_set_affinity(victim, mask), "there is no CPU among %x", mask);
	return subject->pid;
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

static int resume(void)
{
	return thread_resume(victim);
}

static const char *resumed_once(void)
{
	if (!first.result + !second.result != 1)
		return wrong("the resumes returned %d and %d", first.result, second.result);
	return NULL;
}

/* One of the two starts the thread. */
SCENARIO(two_resumes, "suspend.two_resumes", "", "", .cpus = 2, .after = resumed_once,
	 .keeps = true)
{
	make_victim(BIT(0), leave);
	act_on(1, &first, resume);
	act_on(0, &second, resume);
	end_here();
}

static int suspend(void)
{
	return thread_suspend(victim);
}

static int kill(void)
{
	return process_kill(subject, KILLED);
}

/* The thread is in user mode; it stops there, or dies, and does not stay suspended. */
SCENARIO(or_kill, "suspend.against_kill", "", "", .cpus = 2, .keeps = true)
{
	pid_t pid = make_victim(BIT(1), compute);

	process_get(subject);
	thread_resume(victim);
	stay_on(0);
	expect(!thread_sleep(1), "a sleep failed");	/* meanwhile it comes to user mode */
	act_on(0, &first, suspend);
	act_on(0, &second, kill);
	expect_status(pid, KILLED);
	end_here();
}

static int sleep_and_leave(void *unused)
{
	(void)unused;
	return thread_sleep(1000) ? 4 : 3;
}

/* The deadline comes while the thread is to stop; it sleeps to the end and stops, or exits. */
SCENARIO(or_timeout, "suspend.against_timeout", "", "", .cpus = 2)
{
	pid_t pid = make_victim(BIT(1), sleep_and_leave);
	int err;

	thread_resume(victim);
	err = thread_suspend(victim);
	expect(!err || err == -ESRCH, "the suspend returned %d", err);
	thread_resume(victim);
	thread_put(victim);
	expect_status(pid, STATUS_EXIT(3));
}

/* A new thread is ready on this CPU, and the other one steals it, or finds it suspended. */
SCENARIO(or_steal, "suspend.against_steal", "", "", .cpus = 2)
{
	pid_t pid = make_victim(~0u, leave);
	int err;

	thread_resume(victim);
	err = thread_suspend(victim);
	expect(!err || err == -ESRCH, "the suspend returned %d", err);
	if (!err) {
		err = thread_resume(victim);
		expect(!err || err == -ESRCH, "the resume returned %d", err);
	}
	thread_put(victim);
	expect_status(pid, STATUS_EXIT(3));
}

/* --- Exec ------------------------------------------------------------------------------------- */

static int exec(void *unused)
{
	int err = process_kill_siblings();

	(void)unused;
	expect(!err, "killing all siblings returned %d", err);
	process_exit(STATUS_EXIT(5));
}

/* The sibling dies where it is suspended, or stops and dies. */
SCENARIO(or_exec, "exec.against_suspend", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid = make_victim(BIT(1), compute);
	struct thread *t = create_on(subject, 0, exec);

	thread_resume(victim);
	thread_resume(t);
	thread_suspend(victim);
	thread_put(victim);
	expect_status(pid, STATUS_EXIT(5));
}

static int wait_for_ever(void *unused)
{
	(void)unused;
	return thread_sleep_until(DEADLINE_NEVER) == -EINTR ? 3 : 4;
}

SCENARIO(or_wait, "exec.against_wait", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid = make_victim(BIT(1), wait_for_ever);
	struct thread *t = create_on(subject, 0, exec);

	thread_resume(victim);
	thread_resume(t);
	thread_put(victim);
	expect_status(pid, STATUS_EXIT(5));
}

/* A stop meets the thread that waits for its siblings; it goes on waiting after SIGCONT. */
SCENARIO(or_stop, "exec.against_stop", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid = make_victim(BIT(1), compute);
	struct thread *t = create_on(subject, 0, exec);

	thread_resume(victim);
	thread_resume(t);
	signal_send_process(subject, SIGSTOP);
	signal_send_process(subject, SIGCONT);
	thread_put(victim);
	expect_status(pid, STATUS_EXIT(5));
}
