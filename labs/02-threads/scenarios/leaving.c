/*
 * Lab 02: threads that leave while somebody else looks at them or at their process; and each code
 * that a thread can end with.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"

static struct thread *subject;
static _Atomic bool started;

static int leave(void *arg)
{
	return (int)(long)arg;
}

/* Any int is a code, also what a join may return itself, and whether the joiner waited or not. */
SCENARIO(any_code, "join.any_code", "02.5", "P2.5", .cpus = 1)
{
	static const int codes[] = {
		0, -1, 0x10000, S32_MAX, S32_MIN, -EINTR, -ETIMEDOUT, -ECHILD,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		struct thread *t = start(leave, (void *)(long)codes[i]);
		int code = join(t);

		expect(code == codes[i], "joined with code %d instead of %d", code, codes[i]);
	}
}

/* A drain ends when what was dying as it began is freed, and not while it is handed over. */
SCENARIO(drained, "detach.drained", "02.7", "P2.8", .cpus = 2)
{
	struct thread *t = thread_get(start(leave, NULL));

	thread_detach(t);
	while (thread_state(t) != THREAD_DEAD)
		arch_spin_hint();
	reaper_drain();
	expect(!t->stack, "a drain has ended, and a thread that was dead has its stack");
	thread_put(t);
}

static int give_way(void *unused)
{
	(void)unused;
	started = true;
	thread_yield();
	return 7;
}

/* It is killed while it is READY in the middle of its work, which it finishes. */
SCENARIO(killed_ready, "join.killed_ready", "02.5", "P2.5", .cpus = 1)
{
	struct thread *t = start(give_way, NULL);
	int code;

	while (!started)
		let_others_run();
	thread_kill(t);
	code = join(t);
	expect(code == 7, "killed while it was ready, it gave %d instead of 7", code);
}

/* The exit was first: a deadline that has passed by now does not matter. */
SCENARIO(polled, "join.polled", "02.5", "P2.6", .cpus = 1)
{
	struct thread *t = start(leave, (void *)7);
	int code = 0, err;

	while (!t->left)
		let_others_run();
	err = thread_join(t, &code, DEADLINE_POLL);
	expect(!err, "polling a thread that had left returned %d", err);
	expect(code == 7, "joined with code %d instead of 7", code);
}

/* The same with a deadline that was still to come when it had left, and has passed by now. */
SCENARIO(in_time, "join.left_in_time", "02.5", "P2.6", .cpus = 1)
{
	struct thread *t = start(leave, (void *)7);
	struct deadline d;
	int code = 0, err;

	while (!t->left)
		let_others_run();
	d = deadline_in(1000);
	expect(!thread_sleep(2000), "a sleep failed");
	err = thread_join(t, &code, d);
	expect(!err && code == 7, "it left before the deadline: the join returned %d, code %d",
	       err, code);
}

/* Joins the subject, which only runs when one joiner has been refused. */
static int join_or_resume(void *unused)
{
	int code = 0, err = thread_join(subject, &code, DEADLINE_NEVER);

	(void)unused;
	if (err == -EBUSY)
		thread_resume(subject);
	expect(err || code == 7, "joined with code %d instead of 7", code);
	return err;
}

/* Two threads join a third: one of them is refused at once, and does not wait for the other. */
SCENARIO(busy_at_once, "join.busy_at_once", "02.7", "P2.9", .cpus = 2)
{
	struct thread *other;
	int mine, others;

	subject = thread_create("subject", leave, (void *)7, PRIORITY_DEFAULT);
	thread_get(subject);
	other = start_on(1, join_or_resume, NULL);
	mine = join_or_resume(NULL);
	others = join(other);
	expect((mine == 0 && others == -EBUSY) || (mine == -EBUSY && others == 0),
	       "of two joins one returned %d, the other %d", mine, others);
	thread_put(subject);
}

static int join_subject(void *unused)
{
	int code = 0, err = thread_join(subject, &code, DEADLINE_NEVER);

	(void)unused;
	expect(err || code == 7, "joined with code %d instead of 7", code);
	return err;
}

/* The joiner that waits gets the code, also if another one comes when it is about to get it. */
SCENARIO(first_comes_first, "join.first_comes_first", "02.7", "P2.9", .cpus = 2)
{
	struct thread *first;
	int mine, firsts;

	subject = create_among(BIT(1), leave, (void *)7);
	thread_get(subject);
	first = start(join_subject, NULL);
	await_state(first, THREAD_BLOCKED);
	thread_resume(subject);
	mine = thread_join(subject, NULL, DEADLINE_POLL);
	expect(mine == -EBUSY || mine == -ECHILD, "the second join returned %d", mine);
	firsts = join(first);
	expect(!firsts, "the first join returned %d", firsts);
	thread_put(subject);
}

static int detach_subject(void *unused)
{
	(void)unused;
	return thread_detach(subject);
}

/* Two threads detach a third that exits: one of them does it, the other one is refused. */
SCENARIO(two_detach, "detach.two", "02.7", "P2.9", .cpus = 2)
{
	struct thread *other;
	int mine, others;

	subject = thread_create("subject", leave, NULL, PRIORITY_DEFAULT);
	thread_get(subject);
	other = start_on(1, detach_subject, NULL);
	mine = thread_detach(subject);
	others = join(other);
	expect((mine == 0 && others == -ECHILD) || (mine == -ECHILD && others == 0),
	       "of two detaches one returned %d, the other %d", mine, others);
	thread_resume(subject);
	thread_put(subject);
}

static int detach_itself(void *unused)
{
	int first = thread_detach(current_thread()), second = thread_detach(current_thread());

	(void)unused;
	expect(!first && second == -ECHILD, "a thread detached itself with %d, and then with %d",
	       first, second);
	return 0;
}

/* A thread that nobody else knows any more is the reaper's, too. */
SCENARIO(detach_itself, "detach.itself", "02.7", "P2.10", .cpus = 1)
{
	start(detach_itself, NULL);
}

/* On one CPU and without preemption the reaper cannot run: what it is to free is still there. */
SCENARIO(detach_left, "detach.left_to_reaper", "02.7", "P2.10", .cpus = 1)
{
	struct thread *t = start(leave, NULL);

	while (!t->left)
		let_others_run();
	preempt_off();
	expect(!thread_detach(t), "a thread that has left could not be detached");
	expect(thread_state(t) == THREAD_DEAD, "a thread that has left is not DEAD");
	preempt_on();
}

static struct wait_queue go = WAIT_QUEUE_INIT(go);

static int leave_when_told(void *unused)
{
	(void)unused;
	return wait_block(&go, DEADLINE_NEVER);
}

/* Only the join knows the thread when that is detached, leaves, and is freed. */
SCENARIO(known_to_join, "join.detached_and_freed", "02.7", "P2.10", .cpus = 2)
{
	struct thread *joiner;
	int err;

	subject = start(leave_when_told, NULL);
	joiner = start(join_subject, NULL);
	await_state(subject, THREAD_BLOCKED);
	await_state(joiner, THREAD_BLOCKED);
	expect(!thread_detach(subject), "the detach failed");
	expect(wait_wake_one(&go, 0), "the thread does not wait");
	err = join(joiner);
	expect(err == -ECHILD, "the thread was detached, and the join returned %d", err);
}

static struct process *held;

static int unhold(void *unused)
{
	(void)unused;
	process_unhold(held);
	return 0;
}

/* A hold that is no thread's puts off the end: it may be given up at any time around the exit. */
SCENARIO(last_held, "last.held", "02.8", "P2.11", .cpus = 2)
{
	struct thread *t, *other;
	pid_t pid;

	held = make_child();
	pid = held->pid;
	t = create_in(held, leave, (void *)3);
	expect(process_hold(held), "a process with a thread could not be held");
	other = start_on(1, unhold, NULL);
	thread_resume(t);
	expect_end(pid, STATUS_EXIT(3));
	join(other);
}

static int hold_shortly(void *unused)
{
	(void)unused;
	if (process_hold(held)) {
		expect(!teardowns, "a process was held after it was torn down");
		thread_sleep(1000);	/* so that the others come to their end */
		expect(!teardowns, "the process was torn down although it was held");
		process_unhold(held);
	}
	return 0;
}

/* The hold may also be taken at any time around the exit: if it is not refused, it counts. */
SCENARIO(last_or_hold, "last.held_meanwhile", "02.8", "P2.11", .cpus = 2)
{
	struct thread *t, *other;
	pid_t pid;

	held = process_get(make_child());
	pid = held->pid;
	t = create_in(held, leave, (void *)3);
	other = start_on(1, hold_shortly, NULL);
	thread_resume(t);
	expect_end(pid, STATUS_EXIT(3));
	join(other);
	process_put(held);
}

/* While the hold is there, nothing ends: also when no thread is left. */
SCENARIO(last_holds_on, "last.put_off", "02.8", "P2.11", .cpus = 1)
{
	struct process *p = make_child();
	struct thread *t = create_in(p, leave, (void *)3);
	pid_t pid = p->pid;

	expect(process_hold(p), "a process with a thread could not be held");
	thread_resume(t);
	while (p->nr_threads || atomic_load(&p->holds) > 1)
		let_others_run();
	expect(!teardowns, "the process was torn down although it was held");
	process_unhold(p);
	expect_end(pid, STATUS_EXIT(3));
}

/* More holds than threads there can be: the count has 32 bits, and all of them count. */
SCENARIO(last_very_many, "last.very_many", "02.8", "P2.11", .cpus = 1)
{
	struct process *p = make_child();
	struct thread *t = create_in(p, leave, (void *)3);
	pid_t pid = p->pid;

	atomic_fetch_add(&p->holds, 0x10000);
	thread_resume(t);
	while (p->nr_threads || atomic_load(&p->holds) > 0x10000)
		let_others_run();
	expect(!teardowns, "the process was torn down although it was held");
	atomic_fetch_sub(&p->holds, 0xffff);
	process_unhold(p);
	expect_end(pid, STATUS_EXIT(3));
}

/* A thread that is killed before it ever ran leaves its process without running: it counts too. */
SCENARIO(last_unrun, "last.unrun", "02.8", "P2.11", .cpus = 2)
{
	struct process *p = make_child();
	struct thread *first = create_in(p, leave, (void *)3);
	struct thread *second = create_in(p, leave, (void *)4);
	pid_t pid = p->pid;

	second->embryo = false;		/* its creator has done with it */
	thread_resume(first);
	thread_kill(second);
	expect_end(pid, STATUS_EXIT(3));
}
