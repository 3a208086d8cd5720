/*
 * Lab 06, hidden: three meet at the end of one process, or of one wait.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "sched/cpu.h"

#define OTHER	STATUS_SIGNAL(SIGTERM)

static struct process *subject;

/* --- Two kills and an exit -------------------------------------------------------------------- */

static struct actor killer;
static int mine;

static int kill_too(void)
{
	return process_kill(subject, OTHER);
}

static int exit_process(void *unused)
{
	(void)unused;
	process_exit(STATUS_EXIT(3));
}

static const char *one_has_won(void)
{
	int status = LIFE_STATUS(subject->life), theirs = killer.result;
	bool killed = !mine || !theirs;

	if ((mine && mine != -EALREADY) || (theirs && theirs != -EALREADY))
		return wrong("one kill returned %d, the other %d", mine, theirs);
	if (!mine && !theirs)
		return "two kills of one process returned 0";
	if (status != (killed ? (mine ? OTHER : KILLED) : STATUS_EXIT(3)))
		return wrong("one kill returned %d, the other %d, but the status is 0x%x", mine,
			     theirs, status);
	return teardowns == 1 ? NULL : wrong("it was torn down %u times", teardowns);
}

SCENARIO(two_and_exit, "kill.two_and_an_exit", "06.h", "P6.1", .cpus = 2, .after = one_has_won,
	 .keeps = true)
{
	struct thread *t;

	subject = process_get(make_child());
	t = create_on(subject, 1, exit_process);
	thread_resume(t);
	act_on(1, &killer, kill_too);
	mine = process_kill(subject, KILLED);
	end_here();
}

/* --- An event, a deadline and a kill ---------------------------------------------------------- */

static struct wait_queue event = WAIT_QUEUE_INIT(event);
static struct wait_queue never = WAIT_QUEUE_INIT(never);
static bool happened, given;		/* the event has happened, and has woken the victim */

static int wait_for_event(void *unused)
{
	int err = 7;

	(void)unused;
	spin_lock(&event.lock);
	if (!happened)
		err = wait_block_locked(&event, deadline_in(1000), 0);
	expect(err == 7 || (!given && (err == -ETIMEDOUT || err == -EINTR)),
	       "the event %s the wait, which returned %d", given ? "has ended" : "did not end",
	       err);
	spin_unlock(&event.lock);
	err = wait_block(&never, DEADLINE_NEVER);
	expect(err == -EINTR, "the wait of a killed thread returned %d", err);
	return 0;
}

static int let_it_happen(void *unused)
{
	(void)unused;
	spin_lock(&event.lock);
	happened = true;
	given = wait_wake_one_locked(&event, 7);
	spin_unlock(&event.lock);
	return 0;
}

SCENARIO(wait_ends, "kill.against_event_and_deadline", "06.h", "P6.5", .cpus = 2)
{
	struct thread *t;
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	t = create_on(subject, 1, wait_for_event);
	thread_resume(t);
	thread_detach(start_on(1, let_it_happen, NULL));
	process_kill(subject, KILLED);
	expect_end(pid, KILLED);
}

/* --- A hold, a kill and the last exit --------------------------------------------------------- */

static int hold_shortly(void *unused)
{
	bool late = process_state(subject) != PROCESS_ALIVE;

	(void)unused;
	if (process_hold(subject)) {
		expect(!late, "a dying process could be held");
		expect(!teardowns, "a process was held after it was torn down");
		process_unhold(subject);
	}
	process_put(subject);
	return 0;
}

SCENARIO(hold_kill_exit, "hold.against_kill_and_exit", "06.h", "P6.8", .cpus = 2)
{
	struct thread *t;
	pid_t pid;
	int err;

	subject = process_get(make_child());
	pid = subject->pid;
	t = create_on(subject, 1, leave_with_3);
	thread_resume(t);
	thread_detach(start_on(1, hold_shortly, NULL));
	err = process_kill(subject, KILLED);
	expect(!err || err == -EALREADY, "the kill returned %d", err);
	expect_end(pid, err ? STATUS_EXIT(3) : KILLED);
}
