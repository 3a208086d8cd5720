/*
 * Lab 04: once a party has claimed a wait, nothing that comes before its thread runs makes a
 * difference; and which waits nothing but an expiry ends. The scenario's own thread is urgent, so
 * the waiters run only while it sleeps.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"
#include "process/signal_impl.h"
#include "sched/cpu.h"

#define FAR_OFF	(1000 * NSEC_PER_SEC)

static struct wait_queue q;

static void let_it_wait(struct thread *t)
{
	while (thread_state(t) != THREAD_SLEEPING && thread_state(t) != THREAD_BLOCKED)
		expect(!thread_sleep(1), "a sleep failed");
}

static void expire_until(u64 now)
{
	irq_off();
	sleepq_expire(&this_cpu()->sleepq, now);
	irq_on();
}

/* --- Two parties, one after the other --------------------------------------------------------- */

enum party { EVENT, TIMEOUT, KILL, SIGNAL, DESTRUCTION, NR_PARTIES };

static const char *const names[NR_PARTIES] = {
	"an event", "a timeout", "a kill", "a signal", "a destruction",
};

/* The result of a wait that the party has claimed. */
static const int results[NR_PARTIES] = { 7, -ETIMEDOUT, -EINTR, -EINTR, -EIDRM };

static int destroy(void *unused)
{
	(void)unused;
	wait_queue_destroy(&q);
	return 0;
}

/* Returns the thread that destroys the queue, and is as far as it can get; or NULL. */
static struct thread *come(enum party party, struct thread *t)
{
	struct thread *destroyer = NULL;

	if (party == EVENT)
		wait_wake_one(&q, results[EVENT]);
	else if (party == TIMEOUT)
		expire_until(2 * FAR_OFF);
	else if (party == KILL)
		thread_kill(t);
	else if (party == SIGNAL)
		signal_tell(t);
	else {
		destroyer = thread_create("destroyer", destroy, NULL, PRIORITY_DEFAULT);
		expect(!sched_set_params(destroyer, &MOST_URGENT), "no real-time thread");
		thread_resume(destroyer);
		thread_yield();
	}
	return destroyer;
}

static int wait_long(void *unused)
{
	(void)unused;
	return wait_block(&q, deadline_at(FAR_OFF));
}

static int sleep_long(void *unused)
{
	(void)unused;
	return thread_sleep_until(deadline_at(FAR_OFF));
}

static void expect_first(thread_fn wait, enum party first, enum party second, int wanted)
{
	struct thread *t, *destroyers[2];
	int got;

	wait_queue_init(&q);
	t = start(wait, NULL);
	let_it_wait(t);
	destroyers[0] = come(first, t);
	destroyers[1] = come(second, t);
	got = join(t);
	expect(got == wanted, "%s came, and then %s: the result is %d instead of %d", names[first],
	       names[second], got, wanted);
	for (unsigned i = 0; i < ARRAY_SIZE(destroyers); i++)
		if (destroyers[i])
			join(destroyers[i]);
}

SCENARIO(wait, "wait.first_claim", "04.5", "P4.10", .cpus = 1, .no_costume = true)
{
	be_urgent();
	for (enum party first = 0; first < NR_PARTIES; first++)
		for (enum party second = 0; second < NR_PARTIES; second++)
			if (first != DESTRUCTION || second != DESTRUCTION)
				expect_first(wait_long, first, second, results[first]);
}

SCENARIO(sleep, "sleep.first_claim", "04.4", "P4.10", .cpus = 1, .no_costume = true)
{
	be_urgent();
	for (enum party second = TIMEOUT; second <= SIGNAL; second++) {
		expect_first(sleep_long, TIMEOUT, second, 0);
		expect_first(sleep_long, KILL, second, -EINTR);
		expect_first(sleep_long, SIGNAL, second, -EINTR);
	}
}

/* --- Too late, too early ---------------------------------------------------------------------- */

/* A poll is over when it returns, also if it is not out of the queue yet. */
SCENARIO(poll, "poll.is_over", "04.5", "P4.11", .cpus = 1)
{
	struct wait_link link = { .shared = false };
	struct waiter w;
	int err;

	wait_queue_init(&q);
	waiter_init(&w, 0);
	spin_lock(&q.lock);
	expect(!wait_link(&q, &link, &w), "the queue is new, and there is no waiting in it");
	spin_unlock(&q.lock);
	err = waiter_block(&w, DEADLINE_POLL);
	expect(err == -ETIMEDOUT, "a poll returned %d", err);
	expect(!wait_wake_one(&q, 5), "a wake-up was spent on a poll that had timed out");
	spin_lock(&q.lock);
	wait_unlink(&q, &link);
	spin_unlock(&q.lock);
}

static int die_and_wait(void *unused)
{
	(void)unused;
	thread_kill(current_thread());
	return wait_block(&q, DEADLINE_NEVER);
}

SCENARIO(late, "destroy.dying_comes_late", "04.5", "P4.15", .cpus = 1)
{
	int err;

	wait_queue_init(&q);
	wait_queue_destroy(&q);
	err = join(start(die_and_wait, NULL));
	expect(err == -EIDRM, "a dying thread came to a destroyed queue, and got %d", err);
}

static int wait_with_both(void *unused)
{
	int err;

	(void)unused;
	spin_lock(&q.lock);
	err = wait_block_locked(&q, DEADLINE_NEVER, WAIT_UNKILLABLE | WAIT_KILL_ONLY);
	spin_unlock(&q.lock);
	return err;
}

/* WAIT_KILL_ONLY adds nothing to WAIT_UNKILLABLE. */
SCENARIO(both_flags, "unkillable.whatever_else", "04.5", "P4.13", .cpus = 1)
{
	struct thread *t;
	int got;

	wait_queue_init(&q);
	t = start(wait_with_both, NULL);
	await_state(t, THREAD_BLOCKED);
	thread_kill(t);
	expect(wait_wake_one(&q, 7), "a kill ended an unkillable wait");
	got = join(t);
	expect(got == 7, "the event was 7, and the wait returned %d", got);
}

/* --- Deadlines that have passed --------------------------------------------------------------- */

static int (*passed)(struct deadline d);
static _Atomic bool is_over;

static int wait_until(struct deadline d)
{
	return wait_block(&q, d);
}

static int begin_late(void *unused)
{
	int err;

	(void)unused;
	err = passed(deadline_at(time_now() - 1));
	is_over = true;
	return err;
}

/* The timer interrupts nobody here: there is no expiry, and the wait goes on. */
static void expect_no_end(int (*wait)(struct deadline d), const char *what, int wanted)
{
	struct thread *t;
	int err;

	wait_queue_init(&q);
	passed = wait;
	is_over = false;
	t = start(begin_late, NULL);
	for (unsigned i = 0; i < 20; i++)
		thread_yield();
	expect(!is_over, "%s whose deadline had passed ended before any expiry", what);
	expire_until(time_now());
	err = join(t);
	expect(err == wanted, "%s whose deadline had passed returned %d", what, err);
}

SCENARIO(passed_wait, "wait.passed_deadline", "04.5", "P4.11", .cpus = 1, .quiet = true)
{
	expect_no_end(wait_until, "a wait", -ETIMEDOUT);
}

SCENARIO(passed_sleep, "sleep.passed_deadline", "04.4", "P4.11", .cpus = 1, .quiet = true)
{
	expect_no_end(thread_sleep_until, "a sleep", 0);
}
