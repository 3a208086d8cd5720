/*
 * Lab 06: a kill meets another kill, a new thread, and victims in every state.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "sched/cpu.h"
#include "sched/wait.h"

static struct process *subject;
static struct thread *victim;
static _Atomic bool killed;		/* process_kill() has returned 0 */

/* Makes the subject, with one thread that has not started yet. */
static pid_t make_victim(thread_fn entry)
{
	subject = make_child();
	victim = create_in(subject, entry, NULL);
	return subject->pid;
}

static pid_t start_victim(thread_fn entry)
{
	pid_t pid = make_victim(entry);

	thread_resume(victim);
	return pid;
}

static _Atomic bool runs;
static thread_fn body;

static int say_that_it_runs(void *unused)
{
	runs = true;
	return body(unused);
}

/* Returns when the victim runs on another CPU, so that the kill can come anywhere in @entry. */
static pid_t start_on_other_cpu(thread_fn entry)
{
	pid_t pid;

	body = entry;
	pid = start_victim(say_that_it_runs);
	while (!runs)
		arch_spin_hint();
	return pid;
}

/* Waits for the victim, which exits with 3 unless it is killed first. The kill returned @err. */
static void expect_killed_or_3(pid_t pid, int err)
{
	int status = wait_for(pid);

	expect(!err || err == -EALREADY, "the kill returned %d", err);
	expect(status == (err ? STATUS_EXIT(3) : KILLED),
	       "the kill returned %d, but the status is 0x%x", err, status);
}

/* --- The swap --------------------------------------------------------------------------------- */

static struct actor other;		/* none exits: to end threads is for later steps */
static int mine;			/* what the scenario's own kill returned */

static int kill_with_sigterm(void)
{
	return process_kill(subject, STATUS_SIGNAL(SIGTERM));
}

static const char *one_killer_won(void)
{
	int status = LIFE_STATUS(subject->life), theirs = other.result;

	if (!(mine == 0 && theirs == -EALREADY) && !(mine == -EALREADY && theirs == 0))
		return wrong("one kill returned %d, the other %d", mine, theirs);
	if (status != (mine ? STATUS_SIGNAL(SIGTERM) : KILLED))
		return wrong("the status is 0x%x, not that of the kill that returned 0", status);
	return NULL;
}

SCENARIO(two_killers, "kill.two_killers", "06.1", "P6.1", .cpus = 2, .after = one_killer_won,
	 .keeps = true)
{
	subject = make_child();
	act_on(1, &other, kill_with_sigterm);
	mine = process_kill(subject, KILLED);
	end_here();
}

static int never_runs(void *unused)
{
	(void)unused;
	explore_fail("a thread runs that nobody has resumed");
}

static int create_late(void)
{
	struct thread *t;
	bool late = process_state(subject) != PROCESS_ALIVE;
	int err = thread_create_in(subject, "late", never_runs, NULL, PRIORITY_DEFAULT, &t);

	expect(err == 0 || err == -ESRCH, "creating a thread returned %d", err);
	expect(err || !late, "a thread was created after the kill");
	if (!err)
		victim = t;
	return 0;
}

static const char *killed_if_created(void)
{
	if (victim && !thread_is_dying(victim))
		return "a thread of the process was not killed";
	return NULL;
}

/* The thread that may have been created stays as it is. */
SCENARIO(kill_or_create, "kill.against_create", "06.1", "P6.2", .cpus = 2,
	 .after = killed_if_created, .keeps = true)
{
	subject = make_child();
	act_on(1, &other, create_late);
	process_kill(subject, KILLED);
	end_here();
}

static int hold_late(void)
{
	bool late = process_state(subject) != PROCESS_ALIVE;

	expect(!process_hold(subject) || !late, "a hold was taken after the kill");
	return 0;
}

SCENARIO(kill_or_hold, "kill.against_hold", "06.1", "P6.2", .cpus = 2, .keeps = true)
{
	make_victim(never_runs);
	act_on(1, &other, hold_late);
	process_kill(subject, KILLED);
	end_here();
}

/* --- Running ---------------------------------------------------------------------------------- */

static int compute(void *unused)
{
	(void)unused;
	host_user_loop();
}

/* No quantum ends the loop, so without an interrupt the victim goes on for ever. */
SCENARIO(kill_running, "kill.in_user_mode", "06.3", "P6.11", .cpus = 2)
{
	pid_t pid = start_on_other_cpu(compute);

	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

static int step_in_user_mode(void *unused)
{
	(void)unused;
	host_user_enter();
	expect(!killed, "a thread runs user code after it was killed");
	host_user_leave();
	return 3;
}

/* The victim may be about to enter user mode, in it, on its way out, or past it. */
SCENARIO(kill_at_edge, "kill.at_the_edge", "06.4", "P6.11", .cpus = 2)
{
	pid_t pid = start_on_other_cpu(step_in_user_mode);
	int err = process_kill(subject, KILLED);

	killed = !err;
	expect_killed_or_3(pid, err);
}

static int steps_in_user_mode(void *unused)
{
	step_in_user_mode(NULL);
	return step_in_user_mode(unused);
}

/* The scenario's thread wakes up and takes the CPU, maybe while the victim is in user mode. */
SCENARIO(kill_preempted, "kill.preempted", "06.4", "P6.4", .cpus = 1)
{
	pid_t pid = start_victim(steps_in_user_mode);
	int err;

	thread_sleep(1000);
	err = process_kill(subject, KILLED);
	killed = !err;
	expect_killed_or_3(pid, err);
}

/* --- Ready and suspended ---------------------------------------------------------------------- */

static bool ran;

static int run(void *unused)
{
	(void)unused;
	ran = true;
	host_user_loop();
}

/* On one CPU and with interrupts off no other thread can run between the two statements. */
SCENARIO(kill_unrun, "kill.before_it_runs", "06.4", "P6.4", .cpus = 1)
{
	pid_t pid = start_victim(run);
	bool unrun;

	irq_off();
	unrun = victim->unwound && !ran;
	process_kill(subject, KILLED);
	irq_on();
	expect_status(pid, KILLED);
	expect(!unrun || !ran, "a thread that had not run before the kill ran after it");
}

SCENARIO(kill_or_start, "kill.against_first_run", "06.4", "P6.4", .cpus = 2)
{
	pid_t pid = start_victim(run);

	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

static int resume_victim(void *unused)
{
	int err = thread_resume(victim);

	(void)unused;
	expect(!err || err == -ESRCH, "the resume returned %d", err);
	return 0;
}

/* The creator starts the thread while another thread kills the process. */
SCENARIO(kill_embryo, "kill.against_start", "06.4", "P6.4", .cpus = 2)
{
	pid_t pid = make_victim(run);

	thread_detach(start(resume_victim, NULL));
	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

SCENARIO(kill_suspended, "kill.suspended", "06.4", "P6.4", .cpus = 2)
{
	pid_t pid = start_victim(run);

	expect(!thread_suspend(victim), "the suspend failed");
	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

static bool in_hand;			/* the victim has something to give back */

static int yield_with_work(void *unused)
{
	(void)unused;
	in_hand = true;
	thread_yield();
	thread_yield();
	in_hand = false;
	return 3;
}

/* It also has a signal to handle when it next leaves the kernel, which does not bring it there. */
SCENARIO(kill_suspended_work, "kill.suspended_with_work", "06.4", "P6.6", .cpus = 1)
{
	pid_t pid = start_victim(yield_with_work);

	thread_yield();
	thread_suspend(victim);
	thread_yield();
	atomic_fetch_or(&victim->work, WORK_SIGNAL);
	expect_killed_or_3(pid, process_kill(subject, KILLED));
	expect(!in_hand, "a suspended thread died with work in hand");
}

SCENARIO(kill_ready_work, "kill.ready_with_work", "06.4", "P6.6", .cpus = 1)
{
	pid_t pid = start_victim(yield_with_work);

	thread_yield();
	expect_killed_or_3(pid, process_kill(subject, KILLED));
	expect(!in_hand, "a ready thread died with work in hand");
}

/* --- Blocked and sleeping --------------------------------------------------------------------- */

static struct wait_queue never = WAIT_QUEUE_INIT(never);

static int wait_for_ever(void *unused)
{
	int err = wait_block(&never, DEADLINE_NEVER);

	(void)unused;
	expect(err == -EINTR, "the wait of a killed thread returned %d", err);
	return 0;
}

SCENARIO(kill_blocking, "kill.about_to_block", "06.5", "P6.5", .cpus = 2)
{
	pid_t pid = start_on_other_cpu(wait_for_ever);

	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

static int sleep_for_ever(void *unused)
{
	int err = thread_sleep_until(DEADLINE_NEVER);

	(void)unused;
	expect(err == -EINTR, "the sleep of a killed thread returned %d", err);
	return 0;
}

SCENARIO(kill_sleeping, "kill.about_to_sleep", "06.5", "P6.3", .cpus = 2)
{
	pid_t pid = start_on_other_cpu(sleep_for_ever);

	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

static int wait_with_deadline(void *unused)
{
	int err = wait_block(&never, deadline_in(1000));

	(void)unused;
	expect(err == -EINTR || err == -ETIMEDOUT, "the wait returned %d", err);
	return 3;
}

SCENARIO(kill_timed, "kill.against_timeout", "06.5", "P6.3", .cpus = 2)
{
	pid_t pid = start_on_other_cpu(wait_with_deadline);
	int err = process_kill(subject, KILLED);

	expect_killed_or_3(pid, err);
}

static struct wait_queue event = WAIT_QUEUE_INIT(event);
static bool happened;

static void let_it_happen(void)
{
	spin_lock(&event.lock);
	happened = true;
	wait_wake_all_locked(&event, 0);
	spin_unlock(&event.lock);
}

static int event_happens(void *unused)
{
	(void)unused;
	let_it_happen();
	return 0;
}

/* Waits for the event, and then for ever. */
static int wait_twice(void *unused)
{
	(void)unused;
	spin_lock(&event.lock);
	while (!happened && !wait_block_locked(&event, DEADLINE_NEVER, 0))
		;
	spin_unlock(&event.lock);
	return wait_for_ever(NULL);
}

/* An event wakes the victim; the kill comes before it has run again, or while it blocks anew. */
SCENARIO(kill_woken, "kill.after_event", "06.5", "P6.5", .cpus = 2)
{
	pid_t pid = start_victim(wait_twice);

	let_it_happen();
	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

static struct waiter claimed;

static int wait_to_be_claimed(void *unused)
{
	struct wait_link place = { 0 };

	(void)unused;
	waiter_init(&claimed, 0);
	spin_lock(&event.lock);
	expect(!wait_link(&event, &place, &claimed), "the queue is destroyed");
	spin_unlock(&event.lock);
	waiter_block(&claimed, DEADLINE_NEVER);
	spin_lock(&event.lock);
	wait_unlink(&event, &place);
	spin_unlock(&event.lock);
	return wait_for_ever(NULL);
}

/* The kill comes when the waker has claimed the wait: the victim may be blocked still. */
SCENARIO(kill_claimed, "kill.after_claim_by_event", "06.5", "P6.5", .cpus = 2)
{
	pid_t pid = start_victim(wait_to_be_claimed);

	await_state(victim, THREAD_BLOCKED);
	spin_lock(&event.lock);		/* orders the look below after the victim's preparations */
	spin_unlock(&event.lock);
	thread_detach(start_on(1, event_happens, NULL));
	while (atomic_load(&claimed.why) == WAIT_ARMED)
		arch_spin_hint();
	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

SCENARIO(kill_or_wake, "kill.against_event", "06.5", "P6.5", .cpus = 2)
{
	pid_t pid = start_victim(wait_twice);

	thread_detach(start(event_happens, NULL));
	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

static int wait_unkillable(void *unused)
{
	(void)unused;
	spin_lock(&event.lock);
	in_hand = true;
	while (!happened) {
		int err = wait_block_locked(&event, DEADLINE_NEVER, WAIT_UNKILLABLE);

		expect(!err, "a wait that no kill may end returned %d", err);
	}
	in_hand = false;
	spin_unlock(&event.lock);
	return 3;
}

SCENARIO(kill_unkillable, "kill.unkillable_wait", "06.5", "P6.6", .cpus = 2)
{
	pid_t pid = start_on_other_cpu(wait_unkillable);

	process_kill(subject, KILLED);
	let_it_happen();
	expect_status(pid, KILLED);
	expect(!in_hand, "a thread died with work in hand");
}

SCENARIO(kill_woken_work, "kill.woken_with_work", "06.5", "P6.6", .cpus = 2)
{
	pid_t pid = start_on_other_cpu(wait_unkillable);
	int err;

	let_it_happen();
	err = process_kill(subject, KILLED);
	expect_killed_or_3(pid, err);
	expect(!in_hand, "a thread died with work in hand");
}

/* --- Exit ------------------------------------------------------------------------------------- */

SCENARIO(kill_or_exit, "kill.against_exit", "06.5", "P6.1", .cpus = 2)
{
	pid_t pid = start_on_other_cpu(leave_with_3);
	int err = process_kill(subject, KILLED);

	expect_killed_or_3(pid, err);
	expect(teardowns == 1, "the process was torn down %u times", teardowns);
}

/* --- Several threads -------------------------------------------------------------------------- */

SCENARIO(kill_two, "kill.two_victims", "06.7", "P6.10", .cpus = 2)
{
	pid_t pid = start_victim(wait_for_ever);

	thread_resume(create_in(subject, run, NULL));
	process_kill(subject, KILLED);
	expect_end(pid, KILLED);
}

/* Leaves a second thread behind, if it can be created, or else waits for the kill. */
static int create_second(void *unused)
{
	struct thread *t;

	(void)unused;
	if (thread_create_in(current_process(), "second", compute, NULL, PRIORITY_DEFAULT, &t))
		host_user_loop();
	thread_resume(t);
	return 3;
}

SCENARIO(kill_or_clone, "kill.against_second_thread", "06.5", "P6.2", .cpus = 2)
{
	pid_t pid = start_on_other_cpu(create_second);

	process_kill(subject, KILLED);
	expect_status(pid, KILLED);
}

static int exit_process(void *code)
{
	process_exit(STATUS_EXIT((int)(long)code));
}

/* Both threads end the process; each kills the other too. */
SCENARIO(exit_twice, "kill.two_exits", "06.5", "P6.1", .cpus = 2)
{
	struct thread *first, *second;
	pid_t pid;
	int status;

	subject = make_child();
	pid = subject->pid;
	first = create_in(subject, exit_process, (void *)3);
	second = create_in(subject, exit_process, (void *)4);
	thread_resume(first);
	thread_resume(second);
	status = wait_for(pid);
	expect(status == STATUS_EXIT(3) || status == STATUS_EXIT(4), "the status is 0x%x", status);
	expect(teardowns == 1, "the process was torn down %u times", teardowns);
}
