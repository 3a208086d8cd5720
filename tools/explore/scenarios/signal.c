/*
 * Signals: sending against waiting, masks, exit and kill.
 *
 * The receivers are threads of a process of the scenario. They wait for signals as sigwait() does,
 * or take them at the edge: a handler is a function of the scenario, which runs there.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"

#define USR1	SIGSET(SIGUSR1)
#define USR2	SIGSET(SIGUSR2)

static struct process *p;
static struct actor first, second, third;
static _Atomic unsigned handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

/* A process that handles @sig. */
static void make_handling_child(int sig)
{
	p = make_child();
	p->sigactions[sig - 1] = (struct sigaction_slot){ .handler = (u64)handler,
							  .flags = SA_NODEFER };
}

/* An actor of the process, which has the signals in @mask blocked. */
static void act_blocking(u64 mask, unsigned cpu, struct actor *a, int (*run)(void))
{
	struct thread *t = create_actor_in(p, cpu, a, run);

	spin_lock(&p->lock);
	t->sigmask = mask;
	spin_unlock(&p->lock);
	start_actor(a, t);
}

static int send(int sig)
{
	int err = signal_send_process(p, sig);

	expect(!err, "sending signal %d returned %d", sig, err);
	return 0;
}

static int send_usr1(void)
{
	return send(SIGUSR1);
}

static int send_real_time(void)
{
	return send(SIGRTMIN);
}

/* --- Waiting for a signal --------------------------------------------------------------------- */

static int wait_for_signal(u64 set, struct deadline d)
{
	struct signal_info info;

	return signal_wait(set, d, &info);
}

static int wait_for_usr1(void)
{
	return wait_for_signal(USR1, DEADLINE_NEVER);
}

static int wait_for_usr2(void)
{
	return wait_for_signal(USR2, DEADLINE_NEVER);
}

static int wait_for_both(void)
{
	return wait_for_signal(USR1 | USR2, DEADLINE_NEVER);
}

static int wait_timed(void)
{
	return wait_for_signal(USR1, deadline_in(1000));
}

static const char *none_pending(void)
{
	if (atomic_load(&p->sigpending) || !list_empty(&p->siginfos))
		return wrong("signals %lx are pending", atomic_load(&p->sigpending));
	return NULL;
}

static const char *first_took_it(void)
{
	if (first.result != SIGUSR1)
		return wrong("the wait returned %d", first.result);
	return none_pending();
}

SCENARIO(sigwait, "signal.sigwait", "", "", .cpus = 2, .after = first_took_it, .keeps = true)
{
	p = make_child();
	act_blocking(USR1, 1, &first, wait_for_usr1);
	send(SIGUSR1);
	end_here();
}

static const char *took_it_or_timeout(void)
{
	if (first.result == SIGUSR1)
		return none_pending();
	if (first.result != -ETIMEDOUT)
		return wrong("the wait returned %d", first.result);
	return atomic_load(&p->sigpending) == USR1 ? NULL : "the signal was lost";
}

SCENARIO(timed, "signal.sigwait_timeout", "", "", .cpus = 2, .after = took_it_or_timeout,
	 .keeps = true)
{
	p = make_child();
	act_blocking(USR1, 0, &first, wait_timed);
	act_on(1, &second, send_usr1);
	end_here();
}

static const char *each_took_one(void)
{
	if (first.result != SIGUSR1 || second.result != SIGUSR2)
		return wrong("the waits returned %d and %d", first.result, second.result);
	return none_pending();
}

static int send_both(void)
{
	send(SIGUSR1);
	return send(SIGUSR2);
}

/* SIGNAL3: the first thread may be told of both signals, but takes only one. */
SCENARIO(both, "signal.sigwait_takes_one", "", "", .cpus = 2, .after = each_took_one,
	 .keeps = true)
{
	p = make_child();
	act_blocking(USR1 | USR2, 0, &first, wait_for_both);
	act_blocking(USR1 | USR2, 0, &second, wait_for_usr2);
	act_on(1, &third, send_both);
	end_here();
}

/* --- Taking it at the edge -------------------------------------------------------------------- */

static int sleep_until_handled(unsigned times)
{
	while (handled < times) {
		int err = thread_sleep_until(DEADLINE_NEVER);

		expect(err == -EINTR, "the sleep returned %d", err);
		host_user_enter();
		host_user_leave();
	}
	return 0;
}

static int handle_one(void)
{
	return sleep_until_handled(1);
}

static int handle_two(void)
{
	return sleep_until_handled(2);
}

/* WAIT2: a thread that is about to sleep sees the signal, or the sender sees it asleep. */
SCENARIO(sleeping, "signal.about_to_sleep", "", "", .cpus = 2, .after = none_pending,
	 .keeps = true)
{
	make_handling_child(SIGUSR1);
	act_in(p, 1, &first, handle_one);
	send(SIGUSR1);
	end_here();
}

static int unblock_and_handle(void)
{
	signal_set_mask(0);
	return handle_one();
}

/* SIGNAL1: pending before the thread unblocks it, or sent to a thread that does not block it. */
SCENARIO(unblock, "signal.against_unblock", "", "", .cpus = 2, .after = none_pending,
	 .keeps = true)
{
	make_handling_child(SIGUSR1);
	act_blocking(USR1, 1, &first, unblock_and_handle);
	send(SIGUSR1);
	end_here();
}

static int block_it(void)
{
	signal_set_mask(USR1);
	return 0;
}

/* SIGNAL3: the thread that was told blocks the signal, and tells the other one. */
SCENARIO(candidate_blocks, "signal.told_one_blocks", "", "", .cpus = 2, .after = none_pending,
	 .keeps = true)
{
	make_handling_child(SIGUSR1);
	act_in(p, 0, &second, block_it);
	act_in(p, 1, &first, handle_one);
	send(SIGUSR1);
	end_here();
}

static int leave(void *unused)
{
	(void)unused;
	return 3;
}

SCENARIO(candidate_exits, "signal.told_one_exits", "", "", .cpus = 2, .after = none_pending,
	 .keeps = true)
{
	struct thread *t;

	make_handling_child(SIGUSR1);
	t = create_on(p, 0, leave);
	act_in(p, 1, &first, handle_one);
	thread_resume(t);
	send(SIGUSR1);
	end_here();
}

static int create_one(void)
{
	thread_resume(create_in(p, leave, NULL));
	return 0;
}

static const char *only_pending(void)
{
	if (process_state(p) != PROCESS_ALIVE)
		return "a signal that all threads block has killed the process";
	return atomic_load(&p->sigpending) == USR1 ? NULL : "the signal is not pending";
}

/* A new thread blocks what its creator blocks from the moment in which a signal may find it. */
SCENARIO(creation, "signal.against_create", "", "", .cpus = 2, .after = only_pending, .keeps = true)
{
	p = make_child();
	act_blocking(USR1, 1, &first, create_one);
	send(SIGUSR1);
	end_here();
}

/* Each real-time signal is delivered. */
SCENARIO(senders, "signal.two_senders", "", "", .cpus = 2, .after = none_pending, .keeps = true)
{
	make_handling_child(SIGRTMIN);
	act_in(p, 0, &first, handle_two);
	act_on(1, &second, send_real_time);
	send_real_time();
	end_here();
}

/* --- The default action ----------------------------------------------------------------------- */

static bool exit_won;

static int exit_3(void *unused)
{
	(void)unused;
	exit_won = !process_kill(current_thread()->process, STATUS_EXIT(3));
	return 0;
}

/* PROCESS1: the first status stands. */
SCENARIO(term_or_exit, "signal.against_exit", "", "", .cpus = 2, .after = check_tasks)
{
	int status;
	pid_t pid;

	p = make_child();
	pid = p->pid;
	thread_resume(create_on(p, 1, exit_3));
	send(SIGTERM);
	status = wait_for(pid);
	expect(status == (exit_won ? STATUS_EXIT(3) : STATUS_SIGNAL(SIGTERM)),
	       "the status is 0x%x", status);
}

/* --- A child's end ---------------------------------------------------------------------------- */

/* The child's end can be waited for when its signal has come. */
static int wait_for_child(void)
{
	struct wait_result res;
	int err, sig = wait_for_signal(SIGSET(SIGCHLD), DEADLINE_NEVER);

	expect(sig == SIGCHLD, "the wait returned %d", sig);
	err = process_wait(-1, WEXITED | WNOHANG, &res);
	expect(!err && res.pid, "after the signal there is no zombie: %d", err);
	return 0;
}

SCENARIO(child, "signal.child_ends", "", "", .cpus = 2, .keeps = true)
{
	struct process *child;

	make_handling_child(SIGCHLD);
	expect(!process_create(p, &child), "a process could not be made");
	thread_resume(create_in(child, leave, NULL));
	act_blocking(SIGSET(SIGCHLD), 1, &first, wait_for_child);
	end_here();
}

/* The wait for the child begins anew after the handler, and has not taken the child before. */
static int wait_through_signals(void)
{
	struct wait_result res;
	int err;

	while ((err = process_wait(-1, WEXITED, &res)) == -EINTR) {
		host_user_enter();
		host_user_leave();
	}
	return err ? err : res.status;
}

static const char *waited_and_handled(void)
{
	bool pending = atomic_load(&p->sigpending) & USR1;

	if (first.result != STATUS_EXIT(3))
		return wrong("the wait returned 0x%x", first.result);
	return handled + pending == 1 ? NULL : wrong("the signal was handled %u times", handled);
}

SCENARIO(or_wait, "signal.against_wait", "", "", .cpus = 2, .after = waited_and_handled,
	 .keeps = true)
{
	struct process *child;
	struct thread *t;

	make_handling_child(SIGUSR1);
	expect(!process_create(p, &child), "a process could not be made");
	t = create_on(child, 0, leave);
	act_in(p, 1, &first, wait_through_signals);
	thread_resume(t);
	send(SIGUSR1);
	end_here();
}

/* Sleeps until a SIGCONT is handled. */
static int handle_continue(void)
{
	return sleep_until_handled(1);
}

static int send_continue(void)
{
	return send(SIGCONT);
}

/* SIGNAL2: a SIGCONT comes last, wherever the other one comes; no thread is left half stopped. */
SCENARIO(stop_or_continue, "signal.stop_against_continue", "", "", .cpus = 2, .keeps = true)
{
	make_handling_child(SIGCONT);
	act_in(p, 0, &first, handle_continue);
	act_on(1, &second, send_continue);
	send(SIGSTOP);
	send(SIGCONT);
	end_here();
}
