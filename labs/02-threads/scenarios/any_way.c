/*
 * Lab 02: each way to join and to detach, whatever the deadline and whether the code is wanted; and
 * threads that are suspended or killed in the middle of what they begin or end with.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sched/cpu.h"

#include "explore/tree.h"

static struct thread *subject;
static struct wait_queue go = WAIT_QUEUE_INIT(go);
static _Atomic bool returned;
static _Atomic unsigned nr_bodies;

static int leave(void *arg)
{
	nr_bodies++;
	returned = true;
	return (int)(long)arg;
}

/* A kernel thread that has work to do, which a kill does not end. */
static int leave_when_told(void *unused)
{
	int err;

	(void)unused;
	spin_lock(&go.lock);
	err = wait_block_locked(&go, DEADLINE_NEVER, WAIT_UNKILLABLE);
	spin_unlock(&go.lock);
	return err;
}

/* --- Every way to join ------------------------------------------------------------------------ */

enum { WAYS = 8 };

/* Joins @t with each kind of deadline, with and without a place for the code. */
static int join_in_way(struct thread *t, unsigned way)
{
	const struct deadline deadlines[WAYS / 2] = {
		DEADLINE_POLL, deadline_at(time_now() - 1), deadline_in(1000), DEADLINE_NEVER,
	};
	int code = 7, err;

	err = thread_join(t, way % 2 ? &code : NULL, deadlines[way / 2]);
	expect(err || code == 7, "joined in way %u with code %d instead of 7", way, code);
	return err;
}

static int join_oneself(void *unused)
{
	(void)unused;
	for (unsigned way = 0; way < WAYS; way++) {
		int err = join_in_way(current_thread(), way);

		expect(err == -EDEADLK, "a thread joined itself in way %u, which returned %d", way,
		       err);
	}
	return 0;
}

/* Nothing is left over by a refusal: it is joined and freed as any other. */
SCENARIO(oneself, "join.oneself", "02.7", "P2.9", .cpus = 1)
{
	join(start(join_oneself, NULL));
}

/* Once it has left it is joined once, in any way; then it is nobody's to join or to detach. */
SCENARIO(once, "join.once", "02.7", "P2.5", .cpus = 1)
{
	for (unsigned way = 0; way < WAYS; way++) {
		struct thread *t = thread_get(start(leave, (void *)7));
		int err;

		while (!t->left)
			let_others_run();
		err = join_in_way(t, way);
		expect(!err, "a thread that had left was joined in way %u, which returned %d", way,
		       err);
		for (unsigned again = 0; again < WAYS; again++) {
			err = join_in_way(t, again);
			expect(err == -ECHILD,
			       "joined in way %u, and then in way %u: it returned %d", way, again,
			       err);
		}
		err = thread_detach(t);
		expect(err == -ECHILD, "joined in way %u, and then detached: it returned %d", way,
		       err);
		thread_put(t);
	}
}

/* --- Dead, and not gone ----------------------------------------------------------------------- */

/*
 * Killed before it ran it is DEAD, and still in its process until the reaper comes: not before this
 * urgent thread blocks.
 */
SCENARIO(dead_polled, "join.dead_not_left", "02.7", "P2.7", .cpus = 1)
{
	struct thread *t = thread_create("unrun", leave, NULL, PRIORITY_DEFAULT);
	int err;

	be_urgent();
	thread_kill(t);
	err = thread_join(t, NULL, DEADLINE_POLL);
	expect(err == -ETIMEDOUT, "a dead thread that has not left was polled, with result %d",
	       err);
	err = thread_join(t, NULL, DEADLINE_NEVER);
	expect(!err, "the reaper was done with it, and its join returned %d", err);
}

SCENARIO(dead_detached, "detach.dead_not_left", "02.7", "P2.10", .cpus = 1)
{
	struct thread *t = thread_create("unrun", leave, NULL, PRIORITY_DEFAULT);

	be_urgent();
	thread_kill(t);
	expect(!thread_detach(t), "a dead thread that has not left could not be detached");
}

/* Each thread of the kernel's own process is a hold of it, too. */
SCENARIO(kernel_unrun, "last.unrun_in_kernel", "02.8", "P2.11", .cpus = 1)
{
	unsigned before = atomic_load(&kernel_process.holds);
	struct thread *t = thread_create("unrun", leave, NULL, PRIORITY_DEFAULT);

	thread_kill(t);
	expect(!thread_join(t, NULL, DEADLINE_NEVER), "the join failed");
	expect(atomic_load(&kernel_process.holds) == before,
	       "a thread was made and killed: %u holds of its process were %u before",
	       atomic_load(&kernel_process.holds), before);
}

/* --- Joiners that are sent away --------------------------------------------------------------- */

static struct deadline until;

static int join_subject(void *unused)
{
	(void)unused;
	return thread_join(subject, NULL, until);
}

/* A thread that waits for the end of the subject, until a time that is far off. */
static struct thread *start_timed_joiner(void)
{
	struct thread *joiner;

	until = deadline_in(1000 * NSEC_PER_SEC);
	subject = start(leave_when_told, NULL);
	joiner = start(join_subject, NULL);
	await_state(subject, THREAD_BLOCKED);
	await_state(joiner, THREAD_BLOCKED);
	return joiner;
}

static void expect_sent_away(struct thread *joiner)
{
	int err = join(joiner);

	expect(err == -ECHILD, "the thread was detached, and the join returned %d", err);
}

/* A detach sends it away at once, and does not wait for that: preemption is off. */
SCENARIO(detached_timed, "join.detached_in_time", "02.7", "P2.10", .cpus = 1)
{
	struct thread *joiner = start_timed_joiner();
	int err;

	preempt_off();
	err = thread_detach(subject);
	preempt_on();
	expect(!err, "the detach returned %d", err);
	while (thread_state(joiner) == THREAD_READY)
		let_others_run();
	expect(thread_state(joiner) == THREAD_DEAD,
	       "the thread was detached, and its joiner waits on in state %d",
	       thread_state(joiner));
	expect_sent_away(joiner);
	expect(wait_wake_one(&go, 0), "the thread does not wait");
}

/* Only the join knows the thread when that is detached, leaves, and is freed. */
SCENARIO(detached_freed, "join.detached_and_freed_in_time", "02.7", "P2.10", .cpus = 2)
{
	struct thread *joiner = start_timed_joiner();

	expect(!thread_detach(subject), "the detach failed");
	expect(wait_wake_one(&go, 0), "the thread does not wait");
	expect_sent_away(joiner);
}

/* That the thread is to die does not mean that it ends: its joiner can be killed, too. */
SCENARIO(both_killed, "join.both_killed", "02.7", "P2.9", .cpus = 1)
{
	struct thread *joiner;
	int err;

	until = DEADLINE_NEVER;
	subject = start(leave_when_told, NULL);
	await_state(subject, THREAD_BLOCKED);
	thread_kill(subject);
	joiner = start(join_subject, NULL);
	await_state(joiner, THREAD_BLOCKED);
	thread_kill(joiner);
	err = join(joiner);
	expect(err == -EINTR, "the joiner of a dying thread was killed, and got %d", err);
	expect(wait_wake_one(&go, 0), "the thread does not wait");
	join(subject);
}

/* --- Deadlines near and far ------------------------------------------------------------------- */

static void expect_timeout(struct thread *t, u64 at)
{
	int err = thread_join(t, NULL, deadline_at(at));

	expect(err == -ETIMEDOUT, "the deadline %lx has passed, and the join returned %d", at, err);
	expect(!time_before(time_now(), at), "the join returned %lu ns before its deadline",
	       at - time_now());
}

/* Some seconds at most: a join may wait in steps of some milliseconds. */
SCENARIO(never_early, "join.never_early", "02.5", "P2.6", .cpus = 1)
{
	static const u64 spans[] = {
		1, 999, 1999, BIT(31) - 1, BIT(31) + 1, BIT(32) - 1, BIT(32) + 1,
	};
	struct thread *t = thread_create("living", leave, NULL, PRIORITY_DEFAULT);

	for (unsigned i = 0; i < ARRAY_SIZE(spans); i++)
		expect_timeout(t, time_now() + spans[i]);
	thread_resume(t);
	join(t);
}

/* The largest of all times is a deadline, too, and it may be asked for again. */
SCENARIO(largest, "join.largest_deadline", "02.5", "P2.6", .cpus = 1)
{
	struct thread *t = thread_create("living", leave, NULL, PRIORITY_DEFAULT);

	clock_offset = 0ul - 5000 - arch_clock_ns();	/* as the boot argument clock= does */
	expect_timeout(t, ~0ul - 1000);
	expect_timeout(t, ~0ul);
	thread_resume(t);
	join(t);
}

/* --- Suspended and killed --------------------------------------------------------------------- */

/* Suspended as it starts, it runs as soon as it is resumed. */
SCENARIO(suspended_start, "exit.suspended_at_start", "02.5", "P2.1", .cpus = 2)
{
	struct thread *t = start_on(1, leave, (void *)7);
	int code;

	while (thread_state(t) == THREAD_READY)
		let_others_run();
	thread_suspend(t);
	while (thread_state(t) == THREAD_RUNNING)
		let_others_run();
	thread_resume(t);	/* if it was suspended */
	code = join(t);
	expect(code == 7, "joined with code %d instead of 7", code);
	expect(nr_bodies == 1, "it was suspended and resumed, and its function ran %u times",
	       nr_bodies);
}

/* When its function has returned it ends, whatever comes: nothing suspends it any more. */
SCENARIO(suspended_end, "exit.suspended_at_end", "02.5", "P2.4", .cpus = 2)
{
	struct thread *t = start_on(1, leave, (void *)7);
	int code;

	while (!returned)
		let_others_run();
	thread_suspend(t);
	code = join(t);
	expect(code == 7, "joined with code %d instead of 7", code);
}

/* A kill may come while the thread, on its way out, is off the CPU: it goes on to leave once. */
SCENARIO(killed_leaving, "last.killed_on_its_way", "02.8", "P2.11", .cpus = 1)
{
	struct process *p = make_child();
	struct thread *t = create_in(p, leave, (void *)3);
	pid_t pid = p->pid;

	thread_get(t);
	thread_resume(t);
	while (!returned)
		let_others_run();
	thread_kill(t);
	thread_put(t);
	expect_end(pid, STATUS_EXIT(3));
}

/* --- A structure that the creator brings ------------------------------------------------------ */

/* It is the creator's again as soon as the join returns. */
SCENARIO(brought, "join.brought", "02.7", "P2.7", .cpus = 2)
{
	static struct thread own;

	for (unsigned round = 0; round < 2; round++) {
		struct thread *t = thread_create_etc(&own, "own", leave, (void *)7,
						     PRIORITY_DEFAULT, NULL, 0);

		expect(!sched_set_affinity(t, BIT(1)), "CPU 1 is not there");
		thread_resume(t);
		expect(join(t) == 7, "a brought structure's thread was joined with another code");
	}
}
