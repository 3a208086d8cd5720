/*
 * Lab 06: holds, and the teardown by whoever gives the last one up.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "sched/cpu.h"
#include "sched/wait.h"

static struct process *subject;

static int leave(void *code)
{
	return (int)(long)code;
}

static void try_hold(struct process *p)
{
	if (process_hold(p)) {
		expect(!teardowns, "a process was held after it was torn down");
		thread_sleep(1000);	/* so that the others come to their end */
		expect(!teardowns, "a held process was torn down");
		process_unhold(p);
	}
	process_put(p);
}

/* The last thread leaves while it is decided whether a hold may be taken. */
SCENARIO(hold_or_exit, "hold.against_last_exit", "06.6", "P6.8", .cpus = 2)
{
	struct thread *t;
	struct process *p = process_get(make_leaver(&kernel_process, &t));
	pid_t pid = p->pid;

	thread_resume(t);
	try_hold(p);
	expect_end(pid, STATUS_EXIT(3));
}

static int hold_in_vain(void)
{
	expect(!process_hold(subject), "a process that had lost its last hold could be held");
	return 0;
}

static const char *no_teardown(void)
{
	if (teardowns || subject->holds)
		return wrong("it has %u holds, and was torn down %u times", subject->holds,
			     teardowns);
	return NULL;
}

/*
 * Two try at once, when the last thread has given up its hold and has not said yet that the process
 * dies: neither may take the other's attempt for a hold.
 */
SCENARIO(two_in_vain, "hold.two_too_late", "06.6", "P6.8", .cpus = 2, .after = no_teardown,
	 .keeps = true)
{
	static struct actor other;

	subject = make_child();
	act_on(1, &other, hold_in_vain);
	hold_in_vain();
	end_here();
}

static _Atomic bool leaves;

static int say_and_leave(void *code)
{
	leaves = true;
	return leave(code);
}

/* It is decided whether a hold may be taken while the last thread leaves. */
SCENARIO(exit_or_hold, "hold.during_last_exit", "06.6", "P6.8", .cpus = 2)
{
	struct process *p = process_get(make_child());
	pid_t pid = p->pid;

	thread_resume(create_in(p, say_and_leave, (void *)3));
	while (!leaves)
		arch_spin_hint();
	try_hold(p);
	expect_end(pid, STATUS_EXIT(3));
}

/* The last hold may be the thread's or ours. */
SCENARIO(hold_last, "hold.last_of_two", "06.6", "P6.8", .cpus = 2)
{
	struct thread *t;
	struct process *p = make_leaver(&kernel_process, &t);
	pid_t pid = p->pid;

	expect(process_hold(p), "a living process could not be held");
	thread_resume(t);
	expect(!teardowns, "a held process was torn down");
	process_unhold(p);
	expect_end(pid, STATUS_EXIT(3));
}

static _Atomic bool tries;

static int try_subject(void *unused)
{
	(void)unused;
	tries = true;
	try_hold(subject);
	return 0;
}

/* Makes the subject and takes @n holds on it. Returns when its only thread has left. */
static pid_t leave_held(unsigned n)
{
	struct thread *t;

	subject = make_leaver(&kernel_process, &t);
	for (unsigned i = 0; i < n; i++)
		expect(process_hold(subject), "a living process could not be held");
	thread_resume(t);
	while (subject->holds > n)
		arch_spin_hint();
	return subject->pid;
}

/* All threads have left, and the last hold goes while another one may be taken. */
SCENARIO(unhold_or_hold, "hold.against_last_unhold", "06.6", "P6.8", .cpus = 2)
{
	pid_t pid = leave_held(1);

	process_get(subject);
	thread_detach(start_on(1, try_subject, NULL));
	while (!tries)
		arch_spin_hint();
	process_unhold(subject);
	expect_end(pid, STATUS_EXIT(3));
}

static _Atomic bool begun;

/* Uses the process up to the last moment, and then does nothing that others could see. */
static int unhold(void *unused)
{
	(void)unused;
	atomic_store_explicit(&begun, true, memory_order_relaxed);
	atomic_store_explicit(&worked, 1, memory_order_relaxed);
	process_unhold(subject);
	while (!teardowns)
		arch_spin_hint();
	return 0;
}

SCENARIO(unhold_two, "hold.two_given_up", "06.6", "P6.8", .cpus = 2)
{
	struct thread *t, *other;
	pid_t pid;

	subject = make_leaver(&kernel_process, &t);
	pid = subject->pid;
	expect(process_hold(subject) && process_hold(subject),
	       "a living process could not be held");
	other = start(unhold, NULL);
	thread_resume(t);
	process_unhold(subject);
	thread_join(other, NULL, DEADLINE_NEVER);
	expect_end(pid, STATUS_EXIT(3));
	expect(worked_before_teardown, "the teardown does not know what a holder did before it");
}

static int begin_to_unhold(void *unused)
{
	(void)unused;
	begun = true;
	process_unhold(subject);
	return 0;
}

/* A hold is given up that is not the last, without a reference: the process may be gone at once. */
SCENARIO(outlived, "hold.gone_at_once", "06.6", "P6.8", .cpus = 2, .sets_up = true)
{
	pid_t pid = leave_held(2);
	struct thread *other;

	explore_from_here();
	other = start_on(1, begin_to_unhold, NULL);
	while (!begun)
		arch_spin_hint();
	process_unhold(subject);
	expect_end(pid, STATUS_EXIT(3));
	join(other);
}

static struct process *given_up;
static const char *const places[] = { "anywhere", "with interrupts off", "with a lock in hand",
				      "while it is dying" };

/* Gives up the last hold of a process whose threads have left. */
static int give_up(void *place)
{
	unsigned long n = (unsigned long)place, before = teardowns;

	if (n == 1)
		irq_off();
	if (n == 2)
		spin_lock(&given_up->lock);
	if (n == 3)
		process_kill(current_process(), STATUS_EXIT(3));
	process_get(given_up);
	process_unhold(given_up);
	if (n == 2)
		spin_unlock(&given_up->lock);
	if (n == 1)
		irq_on();
	process_put(given_up);
	while (teardowns == before)
		let_others_run();
	expect(torn_down_by != current_thread(), "who gave up a hold, %s, did the teardown",
	       places[n]);
	return 3;
}

/* Nobody tears down who gives up a hold, not even where that may block. */
SCENARIO(by_anyone, "hold.given_up_by_anyone", "06.6", "P6.8", .cpus = 1)
{
	for (unsigned long i = 0; i < ARRAY_SIZE(places); i++) {
		struct process *user = make_child();
		struct thread *t;
		pid_t pid = user->pid, last;

		given_up = make_leaver(&kernel_process, &t);
		last = given_up->pid;
		expect(process_hold(given_up), "a living process could not be held");
		thread_resume(t);
		while (given_up->nr_threads)
			let_others_run();
		thread_resume(create_in(user, give_up, (void *)i));
		expect_status(last, STATUS_EXIT(3));
		expect_status(pid, STATUS_EXIT(3));
	}
}

static const char *work_was_known(void)
{
	return worked_before_teardown ? NULL
				      : "the teardown does not know what a holder did before it";
}

/*
 * The reaper was woken for something else and has not looked yet, so it learns of the subject from
 * its list alone: to wake it, or to switch threads here, takes a fence, which would tell it more.
 * Interrupts stay off for that reason, and the reaper runs on a third CPU.
 */
SCENARIO(unhold_busy, "hold.given_up_to_a_busy_reaper", "06.6", "P6.8", .cpus = 3, .sets_up = true,
	 .after = work_was_known, .keeps = true)
{
	struct thread *dead = start(leave, NULL);

	leave_held(2);
	while (thread_state(dead) != THREAD_DEAD)
		arch_spin_hint();
	start(unhold, NULL);
	while (!atomic_load_explicit(&begun, memory_order_relaxed))
		arch_spin_hint();
	explore_from_here();
	arch_irqs_disable();
	thread_detach(dead);
	process_unhold(subject);
	while (!teardowns)
		arch_spin_hint();
	arch_irqs_enable();
	end_here();
}

static int hold_for_a_while(void *unused)
{
	(void)unused;
	if (process_hold(subject)) {
		expect(!teardowns, "a process was held after it was torn down");
		process_unhold(subject);
	}
	process_put(subject);
	return 0;
}

static struct wait_queue never = WAIT_QUEUE_INIT(never);

static int wait_for_ever(void *unused)
{
	(void)unused;
	return wait_block(&never, DEADLINE_NEVER);
}

SCENARIO(hold_or_kill, "hold.against_kill", "06.6", "P6.8", .cpus = 2)
{
	struct thread *t;
	int status;
	pid_t pid;

	subject = process_get(make_child());
	t = create_in(subject, wait_for_ever, NULL);
	pid = subject->pid;
	thread_resume(t);
	thread_detach(start(hold_for_a_while, NULL));
	process_kill(subject, KILLED);
	status = wait_for(pid);
	expect(status == KILLED, "the victim ended with status 0x%x, not 0x%x", status, KILLED);
	expect(teardowns == 1, "the process was torn down %u times", teardowns);
}

/* A living process is held, however often others take holds and give them up meanwhile. */
SCENARIO(contended, "hold.contended", "06.6", "P6.8", .cpus = 1, .quiet = true, .no_costume = true)
{
	struct thread *t;
	struct process *p = make_leaver(&kernel_process, &t);
	pid_t pid = p->pid;
	bool held;

	host_contend(&p->holds, 5000);
	held = process_hold(p);
	host_contend(NULL, 0);
	expect(held, "a hold of a living process failed, as others came before it");
	process_unhold(p);
	thread_resume(t);
	expect_status(pid, STATUS_EXIT(3));
}
