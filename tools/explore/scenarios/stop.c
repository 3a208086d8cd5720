/*
 * Stop and continue: a stop against SIGCONT, a kill, an exit, and the parent that waits for it.
 */
#include "explore/scenario.h"
#include "explore/tree.h"
#include "sync/sync.h"

static struct process *p;
static struct actor first;

static int send(int sig)
{
	int err = signal_send_process(p, sig);

	expect(!err, "sending signal %d returned %d", sig, err);
	return 0;
}

static struct thread *run_on(unsigned cpu, thread_fn entry)
{
	struct thread *t = create_on(p, cpu, entry);

	thread_resume(t);
	return t;
}

static void expect_stopped(pid_t pid)
{
	struct wait_result res;
	int err = process_wait(pid, WUNTRACED, &res);

	expect(!err && res.status == STATUS_STOPPED(SIGSTOP), "the wait returned %d, status 0x%x",
	       err, res.status);
}

static int leave(void *unused)
{
	(void)unused;
	return 3;
}

static int step_in_user_mode(void *unused)
{
	(void)unused;
	host_user_enter();
	host_user_leave();
	process_exit(STATUS_EXIT(3));
}

static int compute(void *unused)
{
	(void)unused;
	host_user_loop();
}

/* The thread goes on after SIGCONT, whatever it was doing. */
SCENARIO(stop_continue, "signal.stop_then_continue", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid;

	p = make_child();
	pid = p->pid;
	run_on(1, step_in_user_mode);
	send(SIGSTOP);
	send(SIGCONT);
	expect_status(pid, STATUS_EXIT(3));
}

static int send_stop(void)
{
	return send(SIGSTOP);
}

SCENARIO(stop_or_kill, "signal.stop_against_kill", "", "", .cpus = 2, .keeps = true)
{
	pid_t pid;

	p = process_get(make_child());
	pid = p->pid;
	run_on(1, compute);
	act_on(0, &first, send_stop);
	send(SIGKILL);
	expect_status(pid, KILLED);
}

/* STOP1: the stop is reported when one thread has stopped and the other one, too, or is gone. */
SCENARIO(stop_or_exit, "signal.stop_against_exit", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid;

	p = make_child();
	pid = p->pid;
	run_on(1, compute);
	run_on(0, leave);
	send(SIGSTOP);
	expect_stopped(pid);
	send(SIGKILL);
	expect_status(pid, KILLED);
}

static struct completion begun, may_leave;

static int leave_when_told(void *unused)
{
	(void)unused;
	complete(&begun);
	expect(!completion_wait(&may_leave, DEADLINE_NEVER, WAIT_UNKILLABLE), "a wait failed");
	return 3;
}

/* STOP1: a thread that exits is the last to stop: it reports that while the parent looks. */
SCENARIO(last_exits, "signal.stop_last_exits", "", "", .cpus = 2, .after = check_tasks)
{
	pid_t pid;

	p = make_child();
	pid = p->pid;
	completion_init(&begun);
	completion_init(&may_leave);
	run_on(1, leave_when_told);
	stay_on(0);
	expect(!completion_wait(&begun, DEADLINE_NEVER, WAIT_UNKILLABLE), "a wait failed");
	send(SIGSTOP);
	complete(&may_leave);
	expect_status(pid, STATUS_EXIT(3));
}

/* STOP1: a stop that follows a SIGCONT is not reported while the thread may run user code. */
SCENARIO(stop_again, "signal.stop_again", "", "", .cpus = 2, .after = check_tasks)
{
	struct thread *t;
	pid_t pid;

	p = make_child();
	pid = p->pid;
	t = run_on(1, compute);
	stay_on(0);
	expect(!thread_sleep(1), "a sleep failed");	/* meanwhile it comes to user mode */
	send(SIGSTOP);
	send(SIGCONT);
	send(SIGSTOP);
	expect_stopped(pid);
	expect(!arch_trap_from_user(arch_trapframe(t)), "a thread of a stopped process runs");
	send(SIGKILL);
	expect_status(pid, KILLED);
}
