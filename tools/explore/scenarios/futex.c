/*
 * Futexes: wait, wake and requeue on words of user memory, against each other, a deadline, a kill
 * and a page that is missing.
 *
 * Mostly the scenario's own thread waits and the others, on CPU 1, run when it does: then both
 * switches that a schedule may have fall into the race. Each thread waits once, so its result tells
 * what ended the wait: 0 is a wake-up, which a waker must have counted; -EAGAIN says that the word
 * had changed before.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "process/futex_impl.h"
#include "sched/cpu.h"

struct words {
	_Atomic u32 word, other;
};

#define USER	((struct words *)host_user_page)
#define WORD	((vaddr_t)&USER->word)
#define OTHER	((vaddr_t)&USER->other)

static struct actor first, second, third;
static struct thread *waiter;		/* the scenario's own thread */
static int result;			/* of its wait */

static int wait_on(vaddr_t uaddr, u32 bitset, struct deadline d)
{
	return futex_wait(uaddr, false, 0, bitset, d);
}

static int wait_once(void)
{
	return wait_on(WORD, FUTEX_BITSET_ALL, DEADLINE_NEVER);
}

static int wait_timed(void)
{
	return wait_on(WORD, FUTEX_BITSET_ALL, deadline_in(1000));
}

static int wait_on_other(void)
{
	return wait_on(OTHER, FUTEX_BITSET_ALL, DEADLINE_NEVER);
}

static int wake(vaddr_t uaddr, unsigned nr)
{
	int n = futex_wake(uaddr, false, nr, FUTEX_BITSET_ALL);

	expect(n >= 0 && n <= (int)nr, "waking %u waiters returned %d", nr, n);
	return n;
}

static int wake_word(void)
{
	return wake(WORD, 1);
}

static int wake_other(void)
{
	return wake(OTHER, 1);
}

static int change_and_wake(void)
{
	USER->word = 1;
	return wake_word();
}

static int requeue(unsigned nr_wake, unsigned nr_move)
{
	int n = futex_requeue(WORD, OTHER, false, nr_wake, nr_move, NULL);

	expect(n >= 0 && n <= (int)(nr_wake + nr_move), "a requeue returned %d", n);
	return n;
}

static int move_one(void)
{
	return requeue(0, 1);
}

static int kill_waiter(void)
{
	thread_kill(waiter);
	return 0;
}

/* --- At the end ------------------------------------------------------------------------------- */

static const char *bucket_is_empty(vaddr_t uaddr)
{
	struct futex_key key = { .object = 0, .where = uaddr };
	const struct wait_queue *q = futex_bucket(&key);

	if (q->nr || !list_empty(&q->links))
		return wrong("%u waiters are left in a bucket", q->nr);
	return NULL;
}

static const char *buckets_are_empty(void)
{
	const char *bad = bucket_is_empty(WORD);

	return bad ? bad : bucket_is_empty(OTHER);
}

/* Checks the scenario's wait: 0 if a waker has counted it in @woken, otherwise @err. */
static const char *woken_or(int woken, int err)
{
	if (result != (woken ? 0 : err))
		return wrong("%d waiters were woken, and the wait returned %d", woken, result);
	return buckets_are_empty();
}

static const char *woken_or_changed(void)
{
	return woken_or(first.result, -EAGAIN);
}

static const char *woken_or_timeout(void)
{
	return woken_or(first.result, -ETIMEDOUT);
}

static const char *woken_or_killed(void)
{
	return woken_or(first.result, -EINTR);
}

static const char *second_passed(void)
{
	return second.result ? wrong("the wait returned %d", second.result) : buckets_are_empty();
}

/* --- Wait and wake ---------------------------------------------------------------------------- */

/* FUTEX1: the waiter sees the new word, or the waker sees the waiter. */
SCENARIO(wake, "futex.wake", "", "", .cpus = 2, .after = woken_or_changed, .keeps = true)
{
	act_on(1, &first, change_and_wake);
	result = wait_once();
	end_here();
}

/* The word is compared again once its page is there. */
SCENARIO(missing, "futex.page_missing", "", "", .cpus = 2, .after = woken_or_changed,
	 .keeps = true)
{
	host_user_unmap();
	act_on(1, &first, change_and_wake);
	result = wait_once();
	end_here();
}

SCENARIO(timeout, "futex.timeout", "", "", .cpus = 2, .after = woken_or_timeout, .keeps = true)
{
	act_on(1, &first, wake_word);
	result = wait_timed();
	end_here();
}

SCENARIO(killed, "futex.kill", "", "", .cpus = 2, .after = woken_or_killed, .keeps = true)
{
	waiter = current_thread();
	act_on(1, &first, wake_word);
	act_on(0, &second, kill_waiter);
	result = wait_once();
	end_here();
}

/* A thread that finds the word changed has nothing to wait for. */
static int wait_for_change(void)
{
	int err = wait_once();

	return err == -EAGAIN ? 0 : err;
}

static int change_and_wake_twice(void)
{
	USER->word = 1;
	return wake_word() + wake_word();
}

/* Two wake-ups of one waiter each: none is spent on a waiter that was woken already. */
SCENARIO(wake_two, "futex.wake_one_each", "", "", .cpus = 2, .after = second_passed,
	 .keeps = true)
{
	act_on(1, &second, wait_for_change);
	act_on(1, &first, change_and_wake_twice);
	expect(!wait_for_change(), "the wait failed");
	end_here();
}

/* Waits, and hands a wake-up on to the other waiter. */
static void wait_and_pass_on(struct deadline d)
{
	if (!wait_on(WORD, FUTEX_BITSET_ALL, d))
		wake_word();
}

/* FUTEX3: the second waiter gets the wake-up, from the waker or from the first. */
SCENARIO(timeout_none, "futex.timeout_takes_none", "", "", .cpus = 2, .after = second_passed,
	 .keeps = true)
{
	act_on(1, &second, wait_for_change);
	act_on(1, &first, change_and_wake);
	wait_and_pass_on(deadline_in(1000));
	end_here();
}

static int kill_and_wake(void)
{
	thread_kill(waiter);
	return change_and_wake();
}

SCENARIO(kill_none, "futex.kill_takes_none", "", "", .cpus = 2, .after = second_passed,
	 .keeps = true)
{
	waiter = current_thread();
	act_on(1, &second, wait_for_change);
	act_on(1, &first, kill_and_wake);
	wait_and_pass_on(DEADLINE_NEVER);
	end_here();
}

static int wait_for_bit_2(void)
{
	return wait_on(WORD, 2, DEADLINE_NEVER);
}

/* The first in the queue waits for another bit. */
static int wake_bit_2_first(void)
{
	int woken;

	USER->word = 1;
	woken = futex_wake(WORD, false, 2, 2);
	expect(woken >= 0 && woken <= 1, "the waker of one bit woke %d waiters", woken);
	futex_wake(WORD, false, 2, 1);
	return woken;
}

static const char *bits_match(void)
{
	if (second.result != (first.result ? 0 : -EAGAIN))
		return wrong("bit 2 woke %d waiters, and its wait returned %d", first.result,
			     second.result);
	if (result && result != -EAGAIN)
		return wrong("the wait returned %d", result);
	return buckets_are_empty();
}

SCENARIO(bitset, "futex.bitset", "", "", .cpus = 2, .after = bits_match, .keeps = true)
{
	act_on(0, &second, wait_for_bit_2);
	act_on(1, &first, wake_bit_2_first);
	result = wait_on(WORD, 1, DEADLINE_NEVER);
	end_here();
}

/* --- Wake on two words ------------------------------------------------------------------------ */

#define ADD_1_WAS_0	(1u << 28 | 1u << 12)	/* wakes on the second word too if it was 0 */

static int wake_op(void)
{
	USER->word = 1;
	return futex_wake_op(WORD, OTHER, false, 1, 1, ADD_1_WAS_0);
}

static const char *op_woken(void)
{
	int passed = !result + !second.result;

	if (first.result != passed)
		return wrong("%d waiters were woken, and the waits returned %d and %d",
			     first.result, result, second.result);
	return USER->other == 1 ? buckets_are_empty() : "the word was not changed";
}

/* Nothing is lost on either word. */
SCENARIO(op, "futex.wake_op", "", "", .cpus = 2, .after = op_woken, .keeps = true)
{
	act_on(0, &second, wait_on_other);
	act_on(1, &first, wake_op);
	result = wait_once();
	end_here();
}

static const char *both_added(void)
{
	return USER->other == 3 ? NULL : wrong("0 and 1 and 2 are %u", USER->other);
}

/* The change of the word loses no change by user code. */
SCENARIO(op_atomic, "futex.wake_op_atomic", "", "", .cpus = 2, .after = both_added,
	 .keeps = true)
{
	act_on(1, &first, wake_op);
	USER->other += 2;
	end_here();
}

/* --- Requeue ---------------------------------------------------------------------------------- */

static int change_and_move(void)
{
	int moved, woken;

	USER->word = 1;
	moved = move_one();
	woken = wake_other();
	expect(woken == moved, "%d waiters were moved, and %d woken there", moved, woken);
	return woken;
}

SCENARIO(moved, "futex.requeue", "", "", .cpus = 2, .after = woken_or_changed, .keeps = true)
{
	act_on(1, &first, change_and_move);
	result = wait_once();
	end_here();
}

static int wake_one_move_one(void)
{
	int n, woken;

	USER->word = 1;
	n = requeue(1, 1);
	woken = wake(OTHER, 2);
	expect(woken == (n == 2), "of %d waiters %d were moved", n, woken);
	return woken;
}

SCENARIO(moved_two, "futex.requeue_one_wake_one", "", "", .cpus = 2, .after = second_passed,
	 .keeps = true)
{
	act_on(1, &second, wait_for_change);
	act_on(1, &first, wake_one_move_one);
	expect(!wait_for_change(), "the wait failed");
	end_here();
}

static int move_and_wake(void)
{
	move_one();
	return wake_other();
}

/* FUTEX2: the waiter leaves the bucket that it is in by then. */
SCENARIO(moved_timeout, "futex.requeue_or_timeout", "", "", .cpus = 2, .after = woken_or_timeout,
	 .keeps = true)
{
	act_on(1, &first, move_and_wake);
	result = wait_timed();
	end_here();
}

SCENARIO(moved_killed, "futex.requeue_or_kill", "", "", .cpus = 2, .after = woken_or_killed,
	 .keeps = true)
{
	waiter = current_thread();
	act_on(1, &first, move_and_wake);
	act_on(0, &second, kill_waiter);
	result = wait_once();
	end_here();
}

static const char *woken_by_either(void)
{
	return woken_or(first.result + second.result, -EAGAIN);
}

static int move_and_wake_both(void)
{
	USER->word = 1;
	move_one();
	return wake_other() + wake_word();
}

/* Another waker looks where the waiter comes from. */
SCENARIO(woken_here, "futex.requeue_or_wake_here", "", "", .cpus = 2, .after = woken_by_either,
	 .keeps = true)
{
	act_on(1, &first, move_and_wake_both);
	act_on(0, &second, wake_word);
	result = wait_once();
	end_here();
}

static int move_and_wake_two(void)
{
	USER->word = 1;
	USER->other = 1;
	move_one();
	return wake(OTHER, 2) + wake_word();
}

static const char *each_woken_once(void)
{
	int passed = !result + !second.result, woken = first.result + third.result;

	if (passed != woken)
		return wrong("%d waiters were woken, and the waits returned %d and %d", woken,
			     result, second.result);
	return buckets_are_empty();
}

/* A waiter leaves the bucket that another is moved to. */
SCENARIO(woken_there, "futex.requeue_or_wake_there", "", "", .cpus = 2, .after = each_woken_once,
	 .keeps = true)
{
	act_on(1, &second, wait_on_other);
	act_on(1, &first, move_and_wake_two);
	act_on(0, &third, wake_other);
	result = wait_once();
	end_here();
}

static int move_back(void)
{
	return futex_requeue(OTHER, WORD, false, 0, 1, NULL);
}

/* Two buckets are locked in one order, whichever way the waiters go. */
SCENARIO(both_ways, "futex.requeue_both_ways", "", "", .cpus = 2, .after = buckets_are_empty,
	 .keeps = true)
{
	act_on(1, &first, move_back);
	move_one();
	end_here();
}

static const char *woken_there_or_late(void)
{
	return woken_or(second.result, -ETIMEDOUT);
}

/* The deadline comes while one CPU moves the waiter and another looks for it. */
SCENARIO(moved_three, "futex.requeue_wake_timeout", "", "", .cpus = 3,
	 .after = woken_there_or_late, .keeps = true)
{
	act_on(1, &first, move_one);
	act_on(2, &second, wake_other);
	result = wait_timed();
	end_here();
}
