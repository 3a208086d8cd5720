/*
 * Lab 02: joins beside other joins, whatever the ids are and in whatever order they end; and a
 * thread that leaves its process while others give up their holds.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"

static int leave(void *arg)
{
	return (int)(long)arg;
}

/* --- Whatever the ids ------------------------------------------------------------------------- */

static struct thread *subject, *other, *joiner;

static int join_subject(void *unused)
{
	int code, err = thread_join(subject, &code, DEADLINE_NEVER);

	(void)unused;
	return err ? err : code;
}

/* The difference of two ids that a table of some usual size could mistake for each other. */
static bool is_tried(tid_t difference)
{
	return difference <= 600 || !(difference & (difference - 1)) || !(difference % 1000);
}

static bool is_in_use(tid_t id)
{
	return id == subject->tid || id == joiner->tid || id == other->tid ||
	       id == current_thread()->tid;
}

/* Polls `other` while @named, which is that thread or the one that joins it, has other ids. */
static void poll_with_ids(struct thread *named, tid_t from, const char *who)
{
	tid_t own = named->tid;

	for (tid_t id = from + 1; id < ID_MAX; id++) {
		int err;

		if (!is_tried(id - from) || is_in_use(id))
			continue;
		named->tid = id;
		err = thread_join(other, NULL, DEADLINE_POLL);
		expect(err == -ETIMEDOUT, "while %d joins %d, a join %s %d returned %d",
		       joiner->tid, subject->tid, who, id, err);
	}
	named->tid = own;
}

/* A thread is joined, and that says nothing of any other, however far its id is. */
SCENARIO(any_id, "join.any_id", "02.5", "P2.5", .cpus = 1, .sets_up = true)
{
	subject = thread_create("subject", leave, (void *)7, PRIORITY_DEFAULT);
	other = thread_create("other", leave, (void *)8, PRIORITY_DEFAULT);
	joiner = start(join_subject, NULL);
	await_state(joiner, THREAD_BLOCKED);
	poll_with_ids(other, subject->tid, "of");
	poll_with_ids(current_thread(), joiner->tid, "by");
	explore_from_here();
	thread_resume(subject);
	thread_resume(other);
	expect(join(joiner) == 7, "the joiner got another code");
	expect(join(other) == 8, "the other one was joined with another code");
}

/* --- In whatever order ------------------------------------------------------------------------ */

#define STEP	(100 * NSEC_PER_MSEC)	/* many quanta: a thread that spins may take some */

/* A join that times out; then its joiner may itself be joined by the thread that it wanted. */
static struct couple {
	struct thread *joined, *joiner;
	struct wait_queue turn, rest;
	struct deadline until;
	bool over;
} couples[3];

static int join_back(void *arg)
{
	struct couple *c = arg;

	expect(!wait_block(&c->turn, DEADLINE_NEVER), "a wait failed");
	return thread_join(c->joiner, NULL, DEADLINE_POLL);
}

static int join_in_vain(void *arg)
{
	struct couple *c = arg;
	int err = thread_join(c->joined, NULL, c->until);

	expect(err == -ETIMEDOUT, "a join that is to time out returned %d", err);
	c->over = true;
	expect(!wait_block(&c->rest, DEADLINE_NEVER), "a wait failed");
	return 0;
}

static void begin(struct couple *c, u64 until)
{
	wait_queue_init(&c->turn);
	wait_queue_init(&c->rest);
	c->until = deadline_at(until);
	c->over = false;
	c->joined = start(join_back, c);
	await_state(c->joined, THREAD_BLOCKED);
	c->joiner = start(join_in_vain, c);
	await_state(c->joiner, THREAD_BLOCKED);
}

static void end_turn(struct couple *c)
{
	int err;

	expect(!thread_sleep(STEP), "a sleep failed");
	expect(c->over, "a join waits on, and its deadline has passed");
	wait_wake_one(&c->turn, 0);
	err = join(c->joined);
	expect(err == -ETIMEDOUT, "the join of a thread that joins nobody any more returned %d",
	       err);
}

/* Three joins end in each order. One that is over is noted nowhere: it makes no ring. */
SCENARIO(any_order, "join.in_any_order", "02.5", "P2.5", .cpus = 1, .sets_up = true)
{
	static const unsigned orders[][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(orders); i++) {
		u64 from = time_now() + STEP / 2;
		unsigned nth[3];

		for (unsigned n = 0; n < 3; n++)
			nth[orders[i][n]] = n;
		for (unsigned k = 0; k < 3; k++)
			begin(&couples[k], from + nth[k] * STEP);
		for (unsigned n = 0; n < 3; n++)
			end_turn(&couples[orders[i][n]]);
		for (unsigned k = 0; k < 3; k++) {
			wait_wake_one(&couples[k].rest, 0);
			join(couples[k].joiner);
		}
	}
	explore_from_here();
}

/* --- Holds ------------------------------------------------------------------------------------ */

static struct process *held;
static _Atomic unsigned given_up;

static int unhold(void *unused)
{
	(void)unused;
	process_unhold(held);
	return 0;
}

/* However often the count changes under it, a thread that leaves takes one away. */
SCENARIO(contended, "last.contended", "02.8", "P2.11", .cpus = 2, .sets_up = true,
	 .no_costume = true)
{
	struct thread *t, *holder;
	pid_t pid;

	stay_on(0);
	held = make_child();
	pid = held->pid;
	t = thread_get(create_on(held, 0, leave_with_3));
	expect(process_hold(held) && process_hold(held), "a living process could not be held");
	host_contend(&held->holds, 20);
	explore_from_here();
	holder = start_on(1, unhold, NULL);
	thread_resume(t);
	await_state(t, THREAD_DEAD);
	host_contend(NULL, 0);
	thread_put(t);
	join(holder);
	expect(!teardowns, "the process was torn down although it was held");
	process_unhold(held);
	expect_end(pid, STATUS_EXIT(3));
}

/* Uses the process up to the last moment, and then does nothing that others could see. */
static int work_and_unhold(void *unused)
{
	(void)unused;
	atomic_store_explicit(&worked, 1, memory_order_relaxed);
	process_unhold(held);
	atomic_store_explicit(&given_up, 1, memory_order_relaxed);
	while (!teardowns)
		arch_spin_hint();
	return 0;
}

static int leave_behind(void *unused)
{
	(void)unused;
	while (!atomic_load_explicit(&given_up, memory_order_relaxed))
		arch_spin_hint();
	return 3;
}

/* Nothing but the count tells the last thread what a holder did before it gave its hold up. */
SCENARIO(knows_work, "last.knows_holders_work", "02.8", "P2.11", .cpus = 2, .sets_up = true)
{
	struct thread *t, *holder;
	pid_t pid;

	stay_on(0);
	held = make_child();
	pid = held->pid;
	t = create_on(held, 0, leave_behind);
	expect(process_hold(held), "a living process could not be held");
	holder = create_among(BIT(1), work_and_unhold, NULL);
	explore_from_here();
	thread_resume(holder);
	thread_resume(t);
	expect_end(pid, STATUS_EXIT(3));
	expect(worked_before_teardown, "the teardown does not know what a holder did before it");
	join(holder);
}
