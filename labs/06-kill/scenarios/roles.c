/*
 * Lab 06: a kill meets a thread that has a part in the life of others: it stops or starts them,
 * joins it, holds it, or replaces its process's program.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "sched/cpu.h"
#include "sched/wait.h"

static struct process *subject;
static struct thread *victim;

/* Makes the subject, with one thread that has not started yet. */
static pid_t make_victim(thread_fn entry)
{
	subject = make_child();
	victim = create_in(subject, entry, NULL);
	return subject->pid;
}

/* Waits for the subject, of which a thread exits with 3. The kill returned @err. */
static void expect_killed_or_3(pid_t pid, int err)
{
	int status = wait_for(pid);

	expect(!err || err == -EALREADY, "the kill returned %d", err);
	expect(status == (err ? STATUS_EXIT(3) : KILLED),
	       "the kill returned %d, but the status is 0x%x", err, status);
	expect(teardowns == 1, "the process was torn down %u times", teardowns);
}

static _Atomic bool ran;

static int run(void *unused)
{
	(void)unused;
	ran = true;
	host_user_loop();
}

static struct wait_queue never = WAIT_QUEUE_INIT(never);

static int wait_for_ever(void *unused)
{
	int err = wait_block(&never, DEADLINE_NEVER);

	(void)unused;
	expect(err == -EINTR, "the wait of a killed thread returned %d", err);
	return 0;
}

/* --- Suspend and resume ----------------------------------------------------------------------- */

/* Only a resume or a kill makes a suspended thread run. */
SCENARIO(kill_suspended_unrun, "kill.suspended_before_it_runs", "06.4", "P6.4", .cpus = 2)
{
	pid_t pid = make_victim(run);
	bool unrun;

	thread_resume(victim);
	thread_suspend(victim);
	unrun = thread_state(victim) == THREAD_SUSPENDED && !ran;
	expect_killed_or_3(pid, process_kill(subject, KILLED));
	expect(!unrun || !ran, "a suspended thread that had not run before the kill ran after it");
}

static int stop_and_go(void *unused)
{
	int err = thread_suspend(victim);

	(void)unused;
	expect(!err || err == -ESRCH, "the suspend returned %d", err);
	err = thread_resume(victim);
	expect(!err || err == -ESRCH, "the resume returned %d", err);
	thread_put(victim);
	return 0;
}

SCENARIO(kill_or_suspend, "kill.against_suspend", "06.4", "P6.4", .cpus = 2)
{
	pid_t pid = make_victim(run);

	thread_get(victim);
	thread_resume(victim);
	thread_detach(start(stop_and_go, NULL));
	expect_killed_or_3(pid, process_kill(subject, KILLED));
}

SCENARIO(kill_or_suspend_waiting, "kill.waiting_against_suspend", "06.5", "P6.5", .cpus = 2)
{
	pid_t pid = make_victim(wait_for_ever);

	thread_get(victim);
	thread_resume(victim);
	thread_detach(start(stop_and_go, NULL));
	expect_killed_or_3(pid, process_kill(subject, KILLED));
}

/*
 * A victim that waits has other work to do when it next leaves the kernel. That does not bring it
 * there: only the end of its wait does.
 */
SCENARIO(kill_with_work_marks, "kill.waiting_with_marks", "06.5", "P6.3", .cpus = 1)
{
	pid_t pid = make_victim(wait_for_ever);
	int err;

	thread_resume(victim);
	await_state(victim, THREAD_BLOCKED);
	err = thread_suspend(victim);
	expect(!err, "the suspend of a thread that waits returned %d", err);
	atomic_fetch_or(&victim->work, WORK_RESCHED | WORK_SIGNAL);
	expect_killed_or_3(pid, process_kill(subject, KILLED));
}

/* --- One thread ------------------------------------------------------------------------------- */

static int kill_one(void *unused)
{
	(void)unused;
	thread_kill(victim);
	thread_put(victim);
	return 0;
}

/* The thread alone, and its whole process: its status is the thread's code, or the kill's. */
SCENARIO(kill_twice, "kill.thread_and_process", "06.5", "P6.1", .cpus = 2)
{
	pid_t pid = make_victim(wait_for_ever);
	int err, status;

	thread_get(victim);
	thread_resume(victim);
	thread_detach(start(kill_one, NULL));
	err = process_kill(subject, KILLED);
	status = wait_for(pid);
	expect(status == (err ? STATUS_EXIT(0) : KILLED),
	       "the kill returned %d, but the status is 0x%x", err, status);
	expect(teardowns == 1, "the process was torn down %u times", teardowns);
}

SCENARIO(kill_leaver, "kill.thread_against_exit", "06.4", "P6.10", .cpus = 2)
{
	pid_t pid = make_victim(leave_with_3);
	int status;

	thread_get(victim);
	thread_resume(victim);
	kill_one(NULL);
	status = wait_for(pid);
	expect(status == STATUS_EXIT(3) || status == STATUS_EXIT(0), "the status is 0x%x", status);
	expect(teardowns == 1, "the process was torn down %u times", teardowns);
}

/* Stays for a while. Its process must live as long as it does. */
static int outlive(void *unused)
{
	(void)unused;
	thread_yield();
	expect(process_state(current_process()) == PROCESS_ALIVE && !teardowns,
	       "a process has ended before its last thread");
	return 3;
}

/* One of two threads is killed, before it runs or while it waits; the process lives on. */
SCENARIO(kill_one_of_two, "kill.one_of_two", "06.5", "P6.10", .cpus = 2)
{
	pid_t pid = make_victim(outlive);
	struct thread *leader = victim;

	victim = thread_get(create_in(subject, wait_for_ever, NULL));
	thread_resume(victim);
	kill_one(NULL);
	thread_resume(leader);
	expect_killed_or_3(pid, -EALREADY);
}

static int kill_own_process(void *unused)
{
	process_kill(current_process(), KILLED);
	return run(unused);
}

SCENARIO(kill_itself, "kill.own_process", "06.3", "P6.11", .cpus = 2)
{
	pid_t pid = make_victim(kill_own_process);

	thread_resume(victim);
	expect_killed_or_3(pid, 0);
}

/* Before it runs a real-time thread is ready in a queue of its own. */
SCENARIO(kill_urgent, "kill.urgent_before_it_runs", "06.4", "P6.4", .cpus = 1)
{
	struct sched_params urgent = params_of_level(PRIORITY_HIGHEST);
	pid_t pid = make_victim(run);

	policy_set_params(&victim->se, &urgent, time_now());
	irq_off();
	thread_resume(victim);
	process_kill(subject, KILLED);
	irq_on();
	expect_killed_or_3(pid, 0);
	expect(!ran, "a real-time thread that had not run before the kill ran after it");
}

static _Atomic bool kept, killed;

static int keep_the_cpu(void *unused)
{
	(void)unused;
	irq_off();
	kept = true;
	while (!killed)
		arch_spin_hint();
	irq_on();
	return 0;
}

SCENARIO(kill_elsewhere, "kill.before_it_runs_elsewhere", "06.4", "P6.4", .cpus = 2,
	 .sets_up = true)
{
	pid_t pid = make_victim(run);

	thread_detach(start_on(1, keep_the_cpu, NULL));
	while (!kept)
		arch_spin_hint();
	expect(!sched_set_affinity(victim, BIT(1)), "CPU 1 is not there");
	thread_resume(victim);
	explore_from_here();
	process_kill(subject, KILLED);
	killed = true;
	expect_killed_or_3(pid, 0);
	expect(!ran, "a thread that waited for another CPU before the kill ran after it");
}

/* --- Waits ------------------------------------------------------------------------------------ */

static int wait_for_kill(void *unused)
{
	int err;

	(void)unused;
	spin_lock(&never.lock);
	err = wait_block_locked(&never, DEADLINE_NEVER, WAIT_KILL_ONLY);
	spin_unlock(&never.lock);
	expect(err == -EINTR, "the wait of a killed thread returned %d", err);
	return 0;
}

SCENARIO(kill_only_wait, "kill.wait_that_only_it_ends", "06.5", "P6.3", .cpus = 2)
{
	pid_t pid = make_victim(wait_for_kill);

	thread_resume(victim);
	expect_killed_or_3(pid, process_kill(subject, KILLED));
}

static struct wait_queue event = WAIT_QUEUE_INIT(event);
static bool happened, given;		/* the event has happened, and has woken a thread */
static _Atomic bool runs, go;		/* the thread that makes it happen runs, and may do it */
static _Atomic bool killed;		/* process_kill() has returned */

static int event_happens(void *unused)
{
	(void)unused;
	runs = true;
	while (!go)
		arch_spin_hint();
	spin_lock(&event.lock);
	happened = true;
	given = wait_wake_one_locked(&event, 7);
	spin_unlock(&event.lock);
	return 0;
}

/*
 * Waits for the event; a thread that was woken by it must say so, or else it is lost. When the wait
 * has returned, its waiter is gone from the stack, even if the kill is still under way.
 */
static int wait_once(void *unused)
{
	int err = 7;

	(void)unused;
	spin_lock(&event.lock);
	if (!happened)
		err = wait_block_locked(&event, DEADLINE_NEVER, 0);
	expect(err == 7 || (err == -EINTR && !given),
	       "the event %s the wait, which returned %d", given ? "has ended" : "did not end",
	       err);
	spin_unlock(&event.lock);
	while (!killed)
		arch_spin_hint();
	return 3;
}

/*
 * The victim waits and the thread that wakes it runs before the kill begins: so one switch is
 * enough to have the event in the middle of the kill.
 */
SCENARIO(kill_or_event_once, "kill.against_only_event", "06.5", "P6.5", .cpus = 2)
{
	pid_t pid = make_victim(wait_once);
	int err;

	expect(!sched_set_affinity(victim, BIT(1)), "CPU 1 is not there");
	thread_resume(victim);
	while (thread_state(victim) != THREAD_BLOCKED)
		arch_spin_hint();
	thread_detach(start_on(1, event_happens, NULL));
	while (!runs)
		arch_spin_hint();
	go = true;
	err = process_kill(subject, KILLED);
	killed = true;
	expect_killed_or_3(pid, err);
}

static struct thread *worker;
static int joined;

static int join_worker(void *unused)
{
	(void)unused;
	joined = thread_join(worker, NULL, DEADLINE_NEVER);
	expect(!joined || joined == -EINTR, "the join returned %d", joined);
	return 3;
}

/* A joiner that is killed leaves the thread to the next one. */
SCENARIO(kill_joiner, "kill.joiner", "06.5", "P6.6", .cpus = 2)
{
	pid_t pid = make_victim(join_worker);

	joined = -EINTR;	/* also if it never runs */
	worker = start(leave_with_3, NULL);
	thread_resume(victim);
	expect_killed_or_3(pid, process_kill(subject, KILLED));
	if (joined)
		expect(join(worker) == 3, "the thread's code is lost");
}

/* --- Holds ------------------------------------------------------------------------------------ */

static struct process *held;

static int hold_and_yield(void *unused)
{
	(void)unused;
	if (!process_hold(held))
		return 3;
	thread_yield();
	expect(process_state(held) != PROCESS_ZOMBIE, "a held process was torn down");
	process_unhold(held);
	return 3;
}

/* The holder is killed while it holds; it gives its hold up nevertheless. */
SCENARIO(kill_holder, "hold.holder_killed", "06.6", "P6.8", .cpus = 1)
{
	pid_t pid = make_victim(hold_and_yield), other;
	struct thread *t;

	held = process_get(make_child());
	other = held->pid;
	t = create_in(held, leave_with_3, NULL);
	thread_resume(victim);
	thread_yield();
	thread_resume(t);
	process_kill(subject, KILLED);
	wait_for(other);
	wait_for(pid);
	process_put(held);
}

static int hold_shortly(void *unused)
{
	(void)unused;
	if (process_hold(subject))
		process_unhold(subject);
	process_put(subject);
	return 0;
}

SCENARIO(hold_two_holders, "hold.two_holders", "06.6", "P6.8", .cpus = 2)
{
	pid_t pid = make_victim(leave_with_3);

	process_get(subject);
	process_get(subject);
	thread_detach(start(hold_shortly, NULL));
	thread_resume(victim);
	hold_shortly(NULL);
	expect_killed_or_3(pid, -EALREADY);
}

/* More holds than threads there can be: the count has 32 bits, and all of them count. */
SCENARIO(hold_very_many, "hold.very_many", "06.6", "P6.8", .cpus = 1)
{
	pid_t pid = make_victim(leave_with_3);

	for (unsigned bit = 0; bit < 31; bit++) {
		atomic_fetch_add(&subject->holds, BIT(bit));
		process_unhold(subject);
		expect(process_hold(subject), "a living process that has %lu holds cannot be held",
		       BIT(bit));
		atomic_fetch_sub(&subject->holds, BIT(bit));
	}
	thread_resume(victim);
	expect_killed_or_3(pid, -EALREADY);
}

/* A hold is given up where nobody may wait for long, so its thread does not tear down. */
SCENARIO(hold_given_up, "hold.given_up_quickly", "06.6", "P6.8", .cpus = 1)
{
	pid_t pid = make_victim(leave_with_3);

	process_get(subject);
	expect(process_hold(subject), "a living process could not be held");
	thread_resume(victim);
	while (subject->nr_threads)
		let_others_run();
	process_unhold(subject);
	process_put(subject);
	expect_killed_or_3(pid, -EALREADY);
	expect(torn_down_by != current_thread(), "process_unhold() did the teardown itself");
}

/* --- Exec: one thread kills its siblings ------------------------------------------------------ */

static int replace_program(void *unused)
{
	int err = process_kill_siblings();

	(void)unused;
	expect(!err || err == -EINTR, "the exec's kill returned %d", err);
	expect(err || current_process()->nr_threads == 1, "a sibling has survived the exec");
	if (err)
		host_user_loop();
	return 3;
}

/* The execing thread runs; @sibling does so, too. Returns the process's id. */
static pid_t start_exec(thread_fn sibling)
{
	pid_t pid = make_victim(replace_program);

	thread_resume(create_in(subject, sibling, NULL));
	thread_resume(victim);
	return pid;
}

SCENARIO(exec_alone, "kill.exec", "06.5", "P6.10", .cpus = 2)
{
	expect_killed_or_3(start_exec(run), -EALREADY);
}

SCENARIO(exec_or_kill, "kill.exec_against_kill", "06.5", "P6.5", .cpus = 2)
{
	pid_t pid = start_exec(wait_for_ever);

	expect_killed_or_3(pid, process_kill(subject, KILLED));
}

SCENARIO(exec_or_exec, "kill.two_execs", "06.5", "P6.5", .cpus = 2)
{
	expect_killed_or_3(start_exec(replace_program), -EALREADY);
}

static int create_third(void *unused)
{
	struct thread *t;

	if (!thread_create_in(current_process(), "third", run, NULL, PRIORITY_DEFAULT, &t))
		thread_resume(t);
	return run(unused);
}

SCENARIO(exec_or_create, "kill.exec_against_create", "06.5", "P6.2", .cpus = 2)
{
	expect_killed_or_3(start_exec(create_third), -EALREADY);
}
