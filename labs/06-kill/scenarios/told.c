/*
 * Lab 06: who must be told. An exec that waits learns of a kill, a parent of every child that its
 * wait matches, each thread of init of an orphan, and nobody of a process that is still held.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "sched/cpu.h"
#include "sched/wait.h"
#include "sync/sync.h"

static struct process *subject;

/* --- Waits that a kill ends ------------------------------------------------------------------- */

static struct wait_queue event = WAIT_QUEUE_INIT(event);
static bool happened;

static int wait_unkillable(void *unused)
{
	(void)unused;
	spin_lock(&event.lock);
	while (!happened)
		expect(!wait_block_locked(&event, DEADLINE_NEVER, WAIT_UNKILLABLE),
		       "a wait that no kill may end has failed");
	spin_unlock(&event.lock);
	return 3;
}

static int exec_in_vain(void *unused)
{
	int err = process_kill_siblings();

	(void)unused;
	expect(err == -EINTR, "the exec of a process that was killed meanwhile returned %d", err);
	return 3;
}

/* The exec waits for a sibling, which ends only after the kill. */
SCENARIO(exec_told, "kill.exec_that_waits", "06.5", "P6.3", .cpus = 1)
{
	struct thread *execing, *sibling;
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	sibling = create_in(subject, wait_unkillable, NULL);
	execing = create_in(subject, exec_in_vain, NULL);
	thread_resume(sibling);
	await_state(sibling, THREAD_BLOCKED);
	thread_resume(execing);
	await_state(execing, THREAD_BLOCKED);
	expect(!process_kill(subject, KILLED), "the kill failed");
	spin_lock(&event.lock);
	happened = true;
	wait_wake_all_locked(&event, 0);
	spin_unlock(&event.lock);
	expect_end(pid, KILLED);
}

static struct wait_queue never = WAIT_QUEUE_INIT(never);
static bool blocked;			/* when the kill came */

static int wait_shortly(void *unused)
{
	int err = wait_block(&never, deadline_in(1000));

	(void)unused;
	expect(err == -EINTR || (err == -ETIMEDOUT && !blocked),
	       "the wait of a thread that was killed before its deadline returned %d", err);
	return 3;
}

/* The deadline is near, but it is the kill that ends the wait. */
SCENARIO(deadline_near, "kill.before_a_deadline", "06.5", "P6.3", .cpus = 1)
{
	struct thread *t;
	pid_t pid;
	int err;

	subject = make_child();
	pid = subject->pid;
	t = create_in(subject, wait_shortly, NULL);
	thread_get(t);
	thread_resume(t);
	thread_yield();
	irq_off();			/* no timer is served before irq_on() */
	blocked = thread_state(t) == THREAD_BLOCKED;
	err = process_kill(subject, KILLED);
	irq_on();
	thread_put(t);
	expect_end(pid, err ? STATUS_EXIT(3) : KILLED);
}

/* --- Parents ---------------------------------------------------------------------------------- */

static struct thread *clone;
static pid_t child;
static bool by_pid;

/* The only child is none of those that these waits are for, whether or not it has ended. */
static void expect_no_child(void)
{
	const pid_t which[] = { -1, child };

	for (unsigned i = 0; i < ARRAY_SIZE(which); i++) {
		struct wait_result res = { 0 };
		int err = process_wait(which[i], WEXITED | WNOHANG, &res);

		expect(err == -ECHILD, "a wait that no clone matches returned %d, process %d", err,
		       res.pid);
	}
}

static int wait_for_clone(void *unused)
{
	pid_t which = by_pid ? child : -1;
	unsigned options = WEXITED | (by_pid ? WALL : WCLONE);
	struct wait_result res = { 0 };
	int err;

	(void)unused;
	expect_no_child();
	thread_resume(clone);
	err = process_wait(which, options | WNOWAIT, &res);
	expect(!err && res.pid == child, "a look at a clone returned %d, process %d", err, res.pid);
	expect_no_child();
	err = process_wait(which, options, &res);
	expect(!err && res.pid == child && res.status == STATUS_EXIT(3),
	       "waiting for a clone returned %d, process %d, status 0x%x", err, res.pid,
	       res.status);
	return 3;
}

/* A child of clone() has another exit signal, or none: other waits match it, and only those. */
SCENARIO(zombie_of_clone, "zombie.of_a_clone", "06.2", "P6.7", .cpus = 1)
{
	static const u8 signals[] = { 0, SIGUSR1 };

	for (unsigned i = 0; i < 2 * ARRAY_SIZE(signals); i++) {
		struct process *parent = make_child(), *p = make_leaver(parent, &clone);
		pid_t pid = parent->pid;

		p->exit_signal = signals[i / 2];
		parent->sigactions[SIGUSR1 - 1].handler = SIG_IGN;
		child = p->pid;
		by_pid = i % 2;
		thread_resume(create_in(parent, wait_for_clone, NULL));
		expect_status(pid, STATUS_EXIT(3));
	}
}

static int wait_for_nothing(void *unused)
{
	struct wait_result res = { 0 };
	int err = process_wait(child, WEXITED, &res);

	(void)unused;
	expect(err == -ECHILD, "waiting for an unwanted child returned %d, process %d", err,
	       res.pid);
	return 3;
}

/* The parent wants to know of no child's end, but its wait ends with the last of them. */
SCENARIO(zombie_unwanted, "zombie.unwanted", "06.2", "P6.7", .cpus = 2)
{
	struct process *parent = make_child();
	struct thread *waits = create_in(parent, wait_for_nothing, NULL), *t;
	pid_t pid = parent->pid;

	parent->sigactions[SIGCHLD - 1].handler = SIG_IGN;
	child = make_leaver(parent, &t)->pid;
	thread_resume(waits);
	thread_resume(t);
	expect_status(pid, STATUS_EXIT(3));
}

static struct actor poller;

/* As poll() does on a descriptor of the process (process/pidfd.c). */
static int poll_end(void)
{
	spin_lock(&subject->thread_gone.lock);
	while (process_state(subject) != PROCESS_ZOMBIE)
		expect(!wait_block_locked(&subject->thread_gone, DEADLINE_NEVER, WAIT_UNKILLABLE),
		       "a wait that no kill may end has failed");
	spin_unlock(&subject->thread_gone.lock);
	process_put(subject);
	return 0;
}

/* A poller that is told looks for the zombie, without a lock of the tree. */
SCENARIO(polled, "zombie.polled_by_descriptor", "06.2", "P6.7", .cpus = 2, .keeps = true)
{
	struct thread *ends;
	pid_t pid;

	subject = process_get(make_leaver(&kernel_process, &ends));
	pid = subject->pid;
	act_on(1, &poller, poll_end);
	thread_resume(ends);
	expect_end(pid, STATUS_EXIT(3));
	end_here();
}

static int wait_for_grandparent(void)
{
	expect_status(child, STATUS_EXIT(3));
	return 0;
}

/* A zombie of init's own, of a kind that no wait is for. */
static void leave_a_clone(void)
{
	struct thread *t;
	struct process *p = make_leaver(&kernel_process, &t);

	p->exit_signal = 0;
	thread_resume(t);
	while (process_state(p) != PROCESS_ZOMBIE)
		let_others_run();
}

/* Two threads of init wait, the first of them for another child than the orphan. */
SCENARIO(orphan_second_waits, "orphan.second_thread_waits", "06.2", "P6.9", .cpus = 1,
	 .keeps = true)
{
	static struct actor first;
	struct thread *tg, *tp, *tc;
	struct process *grandparent = make_leaver(&kernel_process, &tg);
	struct process *parent = make_leaver(grandparent, &tp);
	struct process *orphan = make_leaver(parent, &tc);
	pid_t pid = orphan->pid;
	struct wait_result res = { 0 };
	int err;

	child = grandparent->pid;
	leave_a_clone();
	adopt_orphans();
	act_on(0, &first, wait_for_grandparent);
	await_blocked(&first);
	thread_resume(tc);
	while (process_state(orphan) != PROCESS_ZOMBIE)
		let_others_run();
	thread_resume(tp);
	err = process_wait(-1, WEXITED, &res);
	expect(!err && res.pid == pid, "waiting for any child returned %d, process %d", err,
	       res.pid);
	thread_resume(tg);
	end_here();
}

/* --- Holds ------------------------------------------------------------------------------------ */

static int hold_subject(void)
{
	expect(process_hold(subject), "a living process could not be held");
	return 0;
}

static const char *three_holds(void)
{
	return subject->holds == 3 ? NULL : wrong("it has %u holds instead of 3", subject->holds);
}

/* Two threads hold a living process at once, and neither fails for the sake of the other. */
SCENARIO(hold_twice, "hold.two_in_time", "06.6", "P6.8", .cpus = 2, .after = three_holds,
	 .keeps = true)
{
	static struct actor other;
	struct thread *t;

	subject = make_leaver(&kernel_process, &t);
	act_on(1, &other, hold_subject);
	hold_subject();
	end_here();
}

static void expect_held(void)
{
	reaper_drain();
	expect(process_state(subject) != PROCESS_ZOMBIE && !teardowns,
	       "a held process was torn down");
}

/*
 * All threads have left a process that lives still: it can be held, and a kill finds nobody to
 * tell. The last hold is given up under a lock.
 */
SCENARIO(hold_empty, "hold.killed_without_threads", "06.6", "P6.8", .cpus = 1)
{
	struct thread *t;
	pid_t pid;
	int err;

	subject = process_get(make_leaver(&kernel_process, &t));
	pid = subject->pid;
	hold_subject();
	thread_resume(t);
	while (subject->nr_threads)
		let_others_run();
	expect_held();
	hold_subject();
	process_unhold(subject);
	err = process_kill(subject, KILLED);
	expect(!err, "killing a process that is only held returned %d", err);
	expect_held();
	spin_lock(&subject->lock);
	process_unhold(subject);
	spin_unlock(&subject->lock);
	process_put(subject);
	expect_end(pid, KILLED);
}

static void give_up_locked(void)
{
	spin_lock(&subject->lock);
	process_unhold(subject);
	spin_unlock(&subject->lock);
}

static void set_execing(struct thread *t)
{
	spin_lock(&subject->lock);
	subject->execing = t;
	spin_unlock(&subject->lock);
}

static void set_vfork(struct completion *done)
{
	spin_lock(&subject->lock);
	subject->vfork_done = done;
	spin_unlock(&subject->lock);
}

/*
 * A process that lives can be held: before its thread starts, in exec, stopped, in a vfork, and
 * when its threads have exited. Nobody has killed it when the last hold is given up, under a lock.
 */
SCENARIO(hold_living, "hold.whatever_it_does", "06.6", "P6.8", .cpus = 1)
{
	struct completion done;
	struct thread *t;
	pid_t pid;

	subject = process_get(make_leaver(&kernel_process, &t));
	pid = subject->pid;
	hold_subject();
	set_execing(t);
	hold_subject();
	give_up_locked();
	set_execing(NULL);
	subject->stopped = true;
	hold_subject();
	give_up_locked();
	subject->stopped = false;
	completion_init(&done);
	set_vfork(&done);
	hold_subject();
	give_up_locked();
	set_vfork(NULL);
	thread_resume(t);
	while (subject->nr_threads)
		let_others_run();
	hold_subject();
	give_up_locked();
	expect_held();
	give_up_locked();
	process_put(subject);
	expect_end(pid, STATUS_EXIT(3));
}

static int hold_itself(void *unused)
{
	struct process *self = current_process();

	(void)unused;
	expect(process_hold(self), "a thread could not hold its own process");
	process_kill(self, KILLED);
	expect(!process_hold(self), "a thread could hold its own process, which is dying");
	process_unhold(self);
	return 3;
}

/* A thread that works for a dying process still has its own hold, and cannot have another one. */
SCENARIO(hold_own, "hold.own_process", "06.6", "P6.8", .cpus = 1)
{
	struct thread *t;
	pid_t pid;

	subject = make_child();
	pid = subject->pid;
	t = create_in(subject, hold_itself, NULL);
	thread_resume(t);
	expect_end(pid, KILLED);
}
