/*
 * Lab 05, step 5: exclusion, and what an unlock does to a wait that a deadline or a kill ends.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sync/mutex.h"

static struct mutex a = MUTEX_INIT(a);
static unsigned inside;			/* [a] */
static int result;
static struct thread *waiter;
static struct actor first, second, third;

static const char *all_free(void)
{
	if (atomic_load(&a.word))
		return wrong("the word of the mutex is %lx", atomic_load(&a.word));
	return pi_has_waiters(&a.pi) ? "a waiter is left" : NULL;
}

/* Holds the mutex for a moment. */
static void hold(void)
{
	expect(!inside++, "two threads hold the mutex");
	inside--;
	mutex_unlock(&a);
}

static int lock_it(void)
{
	mutex_lock(&a);
	hold();
	return 0;
}

static int lock_timed(void)
{
	int err = mutex_lock_timed(&a, deadline_in(1000));

	if (!err)
		hold();
	return err;
}

SCENARIO(two, "mutex.two", "05.5", "P5.8", .cpus = 2, .after = all_free, .keeps = true)
{
	act_on(1, &first, lock_it);
	lock_it();
	end_here();
}

SCENARIO(three, "mutex.three", "05.5", "P5.8", .cpus = 2, .after = all_free, .keeps = true)
{
	act_on(1, &first, lock_it);
	act_on(1, &second, lock_it);
	lock_it();
	end_here();
}

/* The lock that returned @got did so with 0 or @err, and nothing is left of it. */
static const char *got_or(int err, int got)
{
	return got && got != err ? wrong("the lock returned %d", got) : all_free();
}

static const char *got_or_timeout(void)
{
	return got_or(-ETIMEDOUT, first.result);
}

SCENARIO(timed, "mutex.timeout", "05.5", "P5.10", .cpus = 2, .after = got_or_timeout, .keeps = true)
{
	mutex_lock(&a);
	act_on(1, &first, lock_timed);
	mutex_unlock(&a);
	end_here();
}

static atomic_uint done, seen;

static int lock_and_see(void)
{
	while (atomic_load_explicit(&a.word, memory_order_relaxed))
		arch_spin_hint();
	mutex_lock(&a);
	expect(atomic_load_explicit(&done, memory_order_relaxed),
	       "the new owner does not see what the last one has done");
	mutex_unlock(&a);
	atomic_store(&seen, 1);
	return 0;
}

/*
 * The only wait has been ended, and its thread has not left the list: the unlock leaves the mutex
 * free. Its next owner, who need not take pi_lock, sees all that the last one has done.
 */
SCENARIO(free_to_newcomer, "mutex.free_to_newcomer", "05.5", "P5.8", .cpus = 2, .after = all_free,
	 .keeps = true)
{
	struct pi_waiter w = { .cyclic = false };

	waiter_init(&w.waiter, 0);
	w.waiter.thread = thread_create("ended", act, NULL, PRIORITY_DEFAULT);
	mutex_lock(&a);
	spin_lock(&pi_lock);
	atomic_fetch_or(&a.word, MUTEX_CONTENDED);
	pi_wait(&a.pi, current_thread(), &w);
	waiter_swap(&w.waiter, WAIT_TIMEOUT, 0);
	spin_unlock(&pi_lock);
	act_on(1, &first, lock_and_see);
	atomic_store_explicit(&done, 1, memory_order_relaxed);
	mutex_unlock(&a);
	while (!atomic_load(&seen))
		arch_spin_hint();
	spin_lock(&pi_lock);
	pi_leave(&w);
	spin_unlock(&pi_lock);
	end_here();
}

/* --- An owner that sleeps until others wait, or just begin to --------------------------------- */

static void hold_for(u64 ns)
{
	expect(!thread_sleep(ns), "a sleep failed");
	hold();
}

static int lock_late(void)
{
	expect(!thread_sleep(1000), "a sleep failed");
	return lock_it();
}

/* MUTEX2: a thread that comes during the hand-over does not get in before the waiter. */
SCENARIO(hand_over, "mutex.inside_owns", "05.5", "P5.9", .cpus = 2, .after = all_free,
	 .keeps = true)
{
	mutex_lock(&a);
	act_on(1, &first, lock_it);
	act_on(1, &second, lock_late);
	hold_for(1000);
	end_here();
}

/* The unlock and the deadline come together: no waiter is handed a mutex that it does not want. */
SCENARIO(all_through, "mutex.all_through", "05.5", "P5.9", .cpus = 2, .after = got_or_timeout,
	 .keeps = true)
{
	mutex_lock(&a);
	act_on(1, &first, lock_timed);
	act_on(1, &second, lock_it);
	hold_for(1000);
	end_here();
}

static int kill(void)
{
	thread_kill(waiter);
	return 0;
}

static int lock_interruptible(void)
{
	int err;

	err = mutex_lock_interruptible(&a);
	if (!err)
		hold();
	return err;
}

static const char *got_or_killed(void)
{
	return got_or(-EINTR, result);
}

SCENARIO(killed, "mutex.kill", "05.5", "P5.10", .cpus = 2, .after = got_or_killed, .keeps = true)
{
	waiter = current_thread();
	act_on(1, &first, lock_it);
	act_on(1, &second, kill);
	result = lock_interruptible();
	end_here();
}

static int lock_destroyed(void)
{
	int err = mutex_lock_timed(&a, DEADLINE_NEVER);

	if (!err)
		mutex_unlock(&a);
	return err;
}

static const char *destroyed(void)
{
	return first.result == -EIDRM ? NULL : wrong("the lock returned %d", first.result);
}

SCENARIO(destroy, "mutex.destroy", "05.5", "P5.10", .cpus = 2, .after = destroyed, .keeps = true)
{
	mutex_lock(&a);
	act_on(1, &first, lock_destroyed);
	mutex_destroy(&a);
	end_here();
}

static const char *destroyed_or_timeout(void)
{
	return first.result == -ETIMEDOUT ? NULL : destroyed();
}

/* The waiter is claimed by the deadline or the destruction; by then the mutex is gone. */
SCENARIO(destroy_timed, "mutex.destroy_or_timeout", "05.5", "P5.10", .cpus = 2,
	 .after = destroyed_or_timeout, .keeps = true)
{
	mutex_lock(&a);
	act_on(1, &first, lock_timed);
	mutex_destroy(&a);
	end_here();
}

/* PI4: who takes a waiter out may free the mutex, although that thread has not run since. */
static struct mutex *brief;

static int lock_brief(void)
{
	int err = mutex_lock_timed(brief, deadline_in(1000));

	if (!err)
		mutex_unlock(brief);
	return err;
}

SCENARIO(destroy_freed, "mutex.destroy_freed", "05.5", "P5.10", .cpus = 2,
	 .after = destroyed_or_timeout, .keeps = true)
{
	bool waits;

	brief = kmalloc(sizeof(*brief));
	mutex_init(brief);
	mutex_lock(brief);
	act_on(1, &first, lock_brief);
	expect(!thread_sleep(1000), "a sleep failed");
	spin_lock(&pi_lock);
	waits = pi_has_waiters(&brief->pi);
	spin_unlock(&pi_lock);
	mutex_destroy(brief);
	if (waits)
		kfree(brief);
	end_here();
}

static const char *first_or_killed(void)
{
	return got_or(-EINTR, first.result);
}

/* The first waiter is killed, and has not left when the owner unlocks: the second one gets it. */
SCENARIO(killed_first, "mutex.killed_first", "05.5", "P5.9", .cpus = 2,
	 .after = first_or_killed, .keeps = true)
{
	mutex_lock(&a);
	act_on(1, &first, lock_interruptible);
	act_on(1, &second, lock_it);
	thread_kill(first.thread);
	mutex_unlock(&a);
	end_here();
}

static struct deadline at_the_unlock;

static int lock_until_the_unlock(void)
{
	int err = mutex_lock_timed(&a, at_the_unlock);

	if (!err)
		hold();
	return err;
}

static const char *second_or_timeout(void)
{
	return got_or(-ETIMEDOUT, second.result);
}

/* The second of three waiters gives up as the first gets the mutex: the third still waits. */
SCENARIO(second_leaves, "mutex.second_leaves", "05.5", "P5.9", .cpus = 2,
	 .after = second_or_timeout, .keeps = true)
{
	at_the_unlock = deadline_in(100000);
	mutex_lock(&a);
	act_on(1, &first, lock_it);
	act_on(1, &second, lock_until_the_unlock);
	act_on(1, &third, lock_it);
	expect(!thread_sleep_until(at_the_unlock), "a sleep failed");
	hold();
	end_here();
}

static struct wait_queue go = WAIT_QUEUE_INIT(go);

static int lock_when_told(void)
{
	expect(!wait_block(&go, DEADLINE_NEVER), "a wait failed");
	return lock_it();
}

static const char *nothing_is_lent(void)
{
	u32 level = first.thread->se.inherited.level;

	return level ? wrong("a thread owns no mutex any more, and inherits %u", level) : NULL;
}

/*
 * The urgent one of two waiters is killed, and has not left when the other one gets the mutex, and
 * its rank. That one unlocks, and others use the mutex; only then the killed one leaves.
 */
SCENARIO(lent_late, "mutex.leaves_late", "05.5", "P5.6", .cpus = 2, .after = nothing_is_lent,
	 .keeps = true, .sets_up = true)
{
	second.urgent = true;
	mutex_lock(&a);
	act_on(0, &third, lock_when_told);
	act_on(0, &first, lock_it);
	await_blocked(&third);
	await_blocked(&first);
	act_on(1, &second, lock_interruptible);	/* from here on a yield lets nobody run on CPU 0 */
	await_blocked(&second);
	explore_from_here();
	thread_kill(second.thread);
	hold();
	mutex_lock(&a);
	expect(wait_wake_one(&go, 0), "nobody waits");
	while (!(atomic_load(&a.word) & MUTEX_CONTENDED))
		let_others_run();
	hold();
	end_here();
}

/*
 * A kill has ended the one wait, and the owner unlocks, locks and unlocks again while that thread
 * leaves. Its last change of the word must not undo what the owner has done meanwhile.
 */
SCENARIO(locked_again, "mutex.locked_again", "05.5", "P5.8", .cpus = 2, .after = first_or_killed,
	 .keeps = true, .sets_up = true)
{
	mutex_lock(&a);
	act_on(1, &first, lock_interruptible);
	await_blocked(&first);
	explore_from_here();
	thread_kill(first.thread);
	mutex_unlock(&a);
	if (!mutex_lock_timed(&a, DEADLINE_POLL))
		hold();
	end_here();
}

static atomic_bool was_held;

/* The mutex is free when the thread looks, or another one has come first and taken it. */
static int lock_if_free(void)
{
	int err = mutex_lock_interruptible(&a);

	if (!err) {
		atomic_store(&was_held, true);
		mutex_unlock(&a);
	}
	expect(!err || atomic_load(&a.word) || atomic_load(&was_held),
	       "the mutex has come free, nobody has taken it, and a lock returned %d", err);
	return err;
}

/* Kills have ended both waits, and nobody has left when the owner unlocks. */
SCENARIO(two_leave, "mutex.two_leave", "05.5", "P5.10", .cpus = 1, .after = first_or_killed,
	 .keeps = true, .sets_up = true)
{
	mutex_lock(&a);
	act_on(0, &first, lock_if_free);
	act_on(0, &second, lock_if_free);
	await_blocked(&first);
	await_blocked(&second);
	explore_from_here();
	preempt_off();
	thread_kill(first.thread);
	thread_kill(second.thread);
	mutex_unlock(&a);
	preempt_on();
	end_here();
}

static atomic_bool second_is_done;

static int lock_and_tell(void)
{
	lock_it();
	atomic_store(&second_is_done, true);
	return 0;
}

static const char *first_got_it(void)
{
	return got_or(0, first.result);
}

/*
 * A kill has ended the first wait. The second thread is handed the mutex, and unlocks it before the
 * first one runs: that finds it free.
 */
SCENARIO(free_again, "mutex.free_again", "05.5", "P5.10", .cpus = 2, .after = first_got_it,
	 .keeps = true, .sets_up = true)
{
	stay_on(0);
	mutex_lock(&a);
	act_on(0, &first, lock_interruptible);
	await_blocked(&first);
	act_on(1, &second, lock_and_tell);
	await_blocked(&second);
	explore_from_here();
	preempt_off();
	thread_kill(first.thread);
	mutex_unlock(&a);
	while (!atomic_load(&second_is_done))
		arch_spin_hint();
	preempt_on();
	end_here();
}
