/*
 * Lab 04, all steps: several threads in one queue or in one CPU's sleep queue.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/wait.h"

#define CROWD	3

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor crowd[CROWD], other, another;
static unsigned nr_came, nr_left;	/* all threads of the crowd are on one CPU */
static unsigned came[CROWD], left[CROWD];
static int results[CROWD];

static const char *all_quiet(void)
{
	return q.nr || !list_empty(&q.links) ? "a waiter is still in the queue" : NULL;
}

/*
 * Each thread of the crowd notes when it comes and when it leaves. That is their order in the queue
 * if no turn is taken away in between, so the scenarios about that order have bound 0.
 */
static unsigned my_number(void)
{
	for (unsigned i = 0; i < CROWD; i++)
		if (crowd[i].thread == current_thread())
			return i;
	explore_fail("thread %d is not of the crowd", current_thread()->tid);
}

static void come(void)
{
	came[nr_came++] = my_number();
}

static int leave(int result)
{
	results[my_number()] = result;
	left[nr_left++] = my_number();
	return result;
}

static const char *in_order_of_arrival(void)
{
	for (unsigned i = 0; i < nr_came; i++)
		if (came[i] != left[i])
			return wrong("thread %u came as number %u, and thread %u left as number %u",
				     came[i], i, left[i], i);
	return all_quiet();
}

static void start_crowd(int (*run)(void))
{
	for (unsigned i = 0; i < CROWD; i++)
		act_on(0, &crowd[i], run);
	while (nr_came < CROWD)
		let_others_run();
}

/* --- Sleepers --------------------------------------------------------------------------------- */

static int sleep_to_the_same(void)
{
	come();
	return leave(thread_sleep_until(deadline_at(1000)));
}

SCENARIO(in_turn, "sleeper.in_turn", "04.1", "P4.2", .cpus = 1, .after = in_order_of_arrival,
	 .keeps = true)
{
	start_crowd(sleep_to_the_same);
	end_here();
}

static int sleep_for_ever(void)
{
	return thread_sleep_until(DEADLINE_NEVER);
}

/* Either it has blocked as it should, or its deadline has passed. */
static void expect_state(enum thread_state wanted)
{
	for (unsigned i = 0; i < CROWD; i++) {
		enum thread_state s = thread_state(crowd[i].thread);

		expect(s == wanted || !time_before(time_now(), 1000), "it waits in state %s",
		       thread_state_name(s));
	}
}

/* One of the sleepers has no deadline. */
SCENARIO(state, "sleeper.state", "04.1", "P4.3", .cpus = 1, .after = in_order_of_arrival,
	 .keeps = true)
{
	start_crowd(sleep_to_the_same);
	act_on(0, &other, sleep_for_ever);
	thread_yield();
	expect_state(THREAD_SLEEPING);
	expect(thread_state(other.thread) == THREAD_SLEEPING, "without a deadline it is %s",
	       thread_state_name(thread_state(other.thread)));
	thread_kill(other.thread);
	end_here();
}

/* --- Events ----------------------------------------------------------------------------------- */

static int wait(void)
{
	come();
	return leave(wait_block(&q, DEADLINE_NEVER));
}

static const char *one_after_the_other(void)
{
	for (unsigned i = 0; i < CROWD; i++)
		if (results[came[i]] != (int)i + 5)
			return wrong("wake-up %u had status %u, and waiter %u got %d", i, i + 5, i,
				     results[came[i]]);
	return in_order_of_arrival();
}

static void start_waiters(void)
{
	start_crowd(wait);
	thread_yield();
}

SCENARIO(one_by_one, "event.one_by_one", "04.3", "P4.6", .cpus = 1, .after = one_after_the_other,
	 .keeps = true)
{
	start_waiters();
	for (unsigned i = 0; i < CROWD; i++)
		expect(wait_wake_one(&q, 5 + i), "wake-up %u found nobody", i);
	expect(!wait_wake_one(&q, 9), "a wake-up found somebody in an empty queue");
	end_here();
}

static const char *all_got_5(void)
{
	for (unsigned i = 0; i < CROWD; i++)
		if (results[i] != 5)
			return wrong("a wake-up for all had status 5, and waiter %u got %d", i,
				     results[i]);
	return in_order_of_arrival();
}

SCENARIO(all_at_once, "event.all_in_order", "04.3", "P4.7", .cpus = 1, .after = all_got_5,
	 .keeps = true)
{
	unsigned woken;

	start_waiters();
	woken = wait_wake_all(&q, 5);
	expect(woken == CROWD, "of %u waiters %u were woken", CROWD, woken);
	woken = wait_wake_all(&q, 6);
	expect(!woken, "of no waiters %u were woken", woken);
	end_here();
}

/* --- The first of the queue is claimed already ------------------------------------------------ */

static const char *first_killed(int of_others)
{
	if (results[came[0]] != -EINTR)
		return wrong("the killed waiter got %d", results[came[0]]);
	for (unsigned i = 1; i < CROWD; i++)
		if (results[came[i]] != of_others)
			return wrong("waiter %u got %d", i, results[came[i]]);
	return all_quiet();
}

static const char *others_woken(void)
{
	return first_killed(5);
}

SCENARIO(behind_killed, "ends.one_behind_kill", "04.4", "P4.13", .cpus = 1,
	 .after = others_woken, .keeps = true)
{
	start_waiters();
	thread_kill(crowd[0].thread);
	for (unsigned i = 1; i < CROWD; i++)
		expect(wait_wake_one(&q, 5), "a wake-up was spent on a killed waiter");
	expect(!wait_wake_one(&q, 9), "a killed waiter was woken");
	end_here();
}

SCENARIO(all_behind_killed, "ends.all_behind_kill", "04.4", "P4.13", .cpus = 1,
	 .after = others_woken, .keeps = true)
{
	unsigned woken;

	start_waiters();
	thread_kill(crowd[0].thread);
	woken = wait_wake_all(&q, 5);
	expect(woken == CROWD - 1, "one was killed, %u others wait; a wake-up for all returned %u",
	       CROWD - 1, woken);
	end_here();
}

static const char *others_destroyed(void)
{
	return first_killed(-EIDRM);
}

SCENARIO(destroyed_behind_killed, "destroy.behind_kill", "04.5", "P4.15", .cpus = 1,
	 .after = others_destroyed, .keeps = true)
{
	start_waiters();
	thread_kill(crowd[0].thread);
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	end_here();
}

/* --- Two CPUs --------------------------------------------------------------------------------- */

static struct thread *waiter;		/* the scenario's own */
static int result;			/* of its wait */

static int wait_here(void)
{
	return wait_block(&q, DEADLINE_NEVER);
}

static int destroy(void)
{
	wait_queue_destroy(&q);
	return 0;
}

static const char *destroyed(int err, bool timed)
{
	if (err == -EIDRM || (timed && err == -ETIMEDOUT))
		return NULL;
	return wrong("the wait in a destroyed queue returned %d", err);
}

static const char *both_destroyed(void)
{
	const char *bad = destroyed(result, true);

	if (!bad)
		bad = destroyed(other.result, false);
	return bad ? bad : all_quiet();
}

/* The waiters are on two CPUs, and one of them may have timed out when the queue is destroyed. */
SCENARIO(destroyed_behind_timeout, "destroy.behind_timeout", "04.5", "P4.15", .cpus = 2,
	 .after = both_destroyed, .keeps = true)
{
	act_on(1, &other, wait_here);
	act_on(1, &another, destroy);
	result = wait_block(&q, deadline_at(1000));
	end_here();
}

static int move_and_wake(void)
{
	sched_set_affinity(waiter, BIT(1));
	return wait_wake_one(&q, 7);
}

static int sleep_beside(void)
{
	return thread_sleep_until(deadline_at(2000));
}

static const char *woken_or_timeout(void)
{
	if (result != (other.result ? 7 : -ETIMEDOUT))
		return wrong("the wake-up woke %d waiters, and the wait returned %d", other.result,
			     result);
	if (another.result)
		return wrong("the sleep returned %d", another.result);
	return all_quiet();
}

/* CPU 1 cancels a deadline of CPU 0, where another one is armed or expires at the same time. */
SCENARIO(moved, "sleeper.moved_away", "04.4", "P4.12", .cpus = 2, .after = woken_or_timeout,
	 .keeps = true)
{
	waiter = current_thread();
	act_on(0, &another, sleep_beside);
	act_on(1, &other, move_and_wake);
	result = wait_block(&q, deadline_at(1000));
	end_here();
}

/* --- A poll ----------------------------------------------------------------------------------- */

static unsigned nr_runs;

static int run(void)
{
	nr_runs++;
	return 0;
}

/* As poll() waits: an event, a kill or a destruction may claim the wait before it blocks. */
static void expect_claimed(enum wait_why why, struct deadline d, int wanted)
{
	struct wait_link link = { .shared = true };
	struct waiter w;
	u64 first;
	int err;

	waiter_init(&w, 0);
	spin_lock(&q.lock);
	expect(!wait_link(&q, &link, &w), "the queue is destroyed");
	expect(waiter_swap(&w, why, 0), "the first claim of a wait did not win");
	spin_unlock(&q.lock);
	err = waiter_block(&w, d);
	spin_lock(&q.lock);
	wait_unlink(&q, &link);
	spin_unlock(&q.lock);
	expect(err == wanted,
	       "a wait with a deadline of kind %d was claimed, and returned %d, not %d", d.kind,
	       err, wanted);
	irq_off();
	expect(!sleepq_next(&this_cpu()->sleepq, &first),
	       "a wait that was claimed left a deadline");
	irq_on();
}

static void expect_any_claimed(struct deadline d)
{
	expect_claimed(WAIT_EVENT, d, 0);
	expect_claimed(WAIT_KILLED, d, -EINTR);
	expect_claimed(WAIT_SIGNAL, d, -EINTR);
	expect_claimed(WAIT_DESTROYED, d, -EIDRM);
	expect_claimed(WAIT_TIMEOUT, d, -ETIMEDOUT);
}

/* A poll keeps the CPU from the thread that waits for it. */
SCENARIO(poll, "sleeper.poll_stays", "04.5", "P4.14", .cpus = 1, .after = all_quiet,
	 .keeps = true)
{
	act_on(0, &other, run);
	result = wait_block(&q, DEADLINE_POLL);
	expect(result == -ETIMEDOUT, "a poll returned %d", result);
	result = thread_sleep_until(DEADLINE_POLL);
	expect(!result, "a sleep until now returned %d", result);
	expect(!nr_runs, "another thread got the CPU while one polled");
	expect_any_claimed(DEADLINE_POLL);
	expect_any_claimed(DEADLINE_NEVER);
	expect_any_claimed(deadline_in(NSEC_PER_SEC));
	end_here();
}
