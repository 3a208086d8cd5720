/*
 * Lab 06: what must not come after a kill: a victim that has finished its kernel work and goes back
 * to user mode, a second success, a thread that its process's exit forgot. At rest: rest.c.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "process/futex_impl.h"
#include "sched/wait.h"

static struct process *subject;
static struct thread *victim;

/* Makes the subject, with one thread that runs. */
static pid_t start_victim(thread_fn entry)
{
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	victim = create_in(subject, entry, NULL);
	thread_resume(victim);
	return pid;
}

/* --- Back to user mode ------------------------------------------------------------------------ */

static struct wait_queue event = WAIT_QUEUE_INIT(event);
static bool happened;

/* If the victim comes there, it stays for ever. */
static int wait_and_return(void *unused)
{
	(void)unused;
	wait_block(&event, DEADLINE_NEVER);
	host_user_loop();
}

static int sleep_and_return(void *unused)
{
	(void)unused;
	thread_sleep_until(DEADLINE_NEVER);
	host_user_loop();
}

SCENARIO(after_wait, "kill.user_after_wait", "06.5", "P6.3", .cpus = 2)
{
	pid_t pid = start_victim(wait_and_return);

	process_kill(subject, KILLED);
	expect_end(pid, KILLED);
}

SCENARIO(after_sleep, "kill.user_after_sleep", "06.5", "P6.3", .cpus = 2)
{
	pid_t pid = start_victim(sleep_and_return);

	process_kill(subject, KILLED);
	expect_end(pid, KILLED);
}

static bool killed;			/* process_kill() has returned 0 */

/* On one CPU the victim may get here before the kill, but must not stay. */
static int step_in_user_mode(void)
{
	host_user_enter();
	expect(!killed, "a thread runs user code after it was killed");
	host_user_leave();
	return 3;
}

static void kill_and_wait(pid_t pid)
{
	int err = process_kill(subject, KILLED);

	killed = !err;
	expect_end(pid, err ? STATUS_EXIT(3) : KILLED);
}

static int work_and_return(void *unused)
{
	(void)unused;
	spin_lock(&event.lock);
	while (!happened)
		expect(!wait_block_locked(&event, DEADLINE_NEVER, WAIT_UNKILLABLE),
		       "a wait that no kill may end has failed");
	spin_unlock(&event.lock);
	return step_in_user_mode();
}

static void let_it_happen(void)
{
	spin_lock(&event.lock);
	happened = true;
	wait_wake_all_locked(&event, 0);
	spin_unlock(&event.lock);
}

/* The kill may not end the wait, but it has come when the wait is over. */
SCENARIO(after_unkillable, "kill.user_after_unkillable", "06.5", "P6.6", .cpus = 1)
{
	pid_t pid = start_victim(work_and_return);

	await_state(victim, THREAD_BLOCKED);
	killed = !process_kill(subject, KILLED);
	let_it_happen();
	expect_end(pid, KILLED);
}

/* The victim was woken, and is ready in the middle of its work. */
SCENARIO(after_ready, "kill.user_after_ready", "06.4", "P6.6", .cpus = 1)
{
	pid_t pid = start_victim(work_and_return);

	await_state(victim, THREAD_BLOCKED);
	let_it_happen();
	kill_and_wait(pid);
}

static int yield_and_return(void *unused)
{
	(void)unused;
	thread_yield();
	thread_yield();		/* looks whether it is to be suspended */
	return step_in_user_mode();
}

/* The victim was suspended in the middle of its work. */
SCENARIO(after_suspended, "kill.user_after_suspended", "06.4", "P6.6", .cpus = 1)
{
	pid_t pid = start_victim(yield_and_return);

	thread_yield();
	thread_suspend(victim);
	thread_yield();
	kill_and_wait(pid);
}

/* --- The first status ------------------------------------------------------------------------- */

/* The status 0 is a status like any other. */
SCENARIO(status_0, "kill.status_zero", "06.1", "P6.1", .cpus = 1, .keeps = true)
{
	struct process *p = make_child();
	int first = process_kill(p, STATUS_EXIT(0)), second = process_kill(p, KILLED);

	expect(!first && second == -EALREADY, "one kill returned %d, the next %d", first, second);
	expect(LIFE_STATUS(p->life) == STATUS_EXIT(0), "the status is 0x%x, not 0",
	       LIFE_STATUS(p->life));
	end_here();
}

/*
 * Every status is kept as it is, and a kill with the same one is late like any other. The first is
 * init, which ends in this way too when it exits: its status is the machine's.
 */
SCENARIO(same_again, "kill.same_again", "06.1", "P6.1", .cpus = 1, .keeps = true)
{
	static const int statuses[] = { STATUS_EXIT(255), STATUS_EXIT(128), KILLED, KILLED | 0x80 };

	for (unsigned i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct process *p = make_child();
		int first, second, status;

		if (i == 0)
			init_process = p;
		first = process_kill(p, statuses[i]);
		second = process_kill(p, statuses[i]);
		status = LIFE_STATUS(p->life);
		expect(!first && second == -EALREADY, "one kill returned %d, the same again %d",
		       first, second);
		expect(status == statuses[i], "killed with status 0x%x, it has 0x%x", statuses[i],
		       status);
	}
	end_here();
}

static int leave_with_255(void *unused)
{
	(void)unused;
	return 255;
}

/* A kill gives this status when the first thread has left with another code. The second starts. */
static void end_after_the_first(int status)
{
	struct thread *first, *second;
	pid_t pid;

	subject = make_leaver(&kernel_process, &first);
	pid = subject->pid;
	second = create_in(subject, leave_with_255, NULL);
	thread_resume(first);
	while (subject->nr_threads > 1)
		let_others_run();
	process_kill(subject, status);
	thread_resume(second);
	expect_status(pid, status);
}

SCENARIO(zombie_255, "zombie.any_status", "06.2", "P6.7", .cpus = 1)
{
	expect_end(start_victim(leave_with_255), STATUS_EXIT(255));
	end_after_the_first(KILLED | 0x80);
}

static int leave_with_0(void *unused)
{
	(void)unused;
	return 0;
}

SCENARIO(zombie_0, "zombie.status_zero", "06.2", "P6.7", .cpus = 1)
{
	pid_t pid = start_victim(leave_with_0);
	int err;

	while (process_state(subject) != PROCESS_ZOMBIE)
		let_others_run();
	err = process_kill(subject, KILLED);
	expect(err == -EALREADY, "killing a zombie returned %d", err);
	expect_end(pid, STATUS_EXIT(0));
	end_after_the_first(STATUS_EXIT(0));
}

static struct actor killer, reader;
static _Atomic unsigned ready;
static u64 seen;

static void begin_together(void)
{
	ready++;
	while (ready < 3)
		arch_spin_hint();
}

static int kill_otherwise(void)
{
	begin_together();
	return process_kill(subject, STATUS_SIGNAL(SIGTERM));
}

static int read_life(void)
{
	begin_together();
	seen = atomic_load(&subject->life);
	return 0;
}

static const char *saw_the_status(void)
{
	u64 life = atomic_load(&subject->life);

	if (LIFE_STATE(seen) != PROCESS_ALIVE && seen != life)
		return wrong("the status was 0x%x, and then 0x%x", LIFE_STATUS(seen),
			     LIFE_STATUS(life));
	return NULL;
}

/*
 * Between two kills a third thread reads the status, as the last thread of the process would: a
 * kill that comes too late leaves no trace of its own, not even for a moment.
 */
SCENARIO(status_meanwhile, "kill.status_meanwhile", "06.1", "P6.1", .cpus = 3, .sets_up = true,
	 .after = saw_the_status, .keeps = true)
{
	subject = make_child();
	act_on(1, &killer, kill_otherwise);
	act_on(2, &reader, read_life);
	while (ready < 2)
		arch_spin_hint();
	ready++;
	explore_from_here();
	process_kill(subject, KILLED);
	end_here();
}

/* --- Siblings --------------------------------------------------------------------------------- */

static int exit_process(void *unused)
{
	(void)unused;
	process_exit(STATUS_EXIT(3));
}

/* A thread ends its process; its siblings are before and after it in whatever list there is. */
SCENARIO(exit_of_three, "kill.exit_of_three", "06.5", "P6.3", .cpus = 1)
{
	pid_t pid;
	struct thread *t[3];

	subject = make_child();
	pid = subject->pid;
	t[0] = create_in(subject, wait_and_return, NULL);
	t[1] = create_in(subject, exit_process, NULL);
	t[2] = create_in(subject, wait_and_return, NULL);
	for (int i = 0; i < 3; i++)
		thread_resume(t[i]);
	expect_end(pid, STATUS_EXIT(3));
}

/* --- Holds of a killed process ---------------------------------------------------------------- */

static int unhold(void *unused)
{
	(void)unused;
	process_unhold(subject);
	while (!teardowns)
		arch_spin_hint();
	return 0;
}

/* Neither the state nor the number of its threads tells which of two holds was the last. */
SCENARIO(unhold_killed, "hold.two_of_killed", "06.6", "P6.8", .cpus = 2)
{
	pid_t pid = start_victim(wait_and_return);
	struct thread *other;

	expect(process_hold(subject) && process_hold(subject),
	       "a living process could not be held");
	process_kill(subject, KILLED);
	while (subject->holds > 2)
		let_others_run();
	expect(!teardowns, "a held process was torn down");
	other = start_on(1, unhold, NULL);
	process_unhold(subject);
	join(other);
	expect_end(pid, KILLED);
}
