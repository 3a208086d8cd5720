/*
 * Lab 05, step 5: a thread that finds the mutex free does not have it yet. To lock a free mutex
 * takes no pi_lock, so another thread may come between a look at the word and the store of a new
 * one. It takes an unlock, a thread that has seen it, and a lock that is faster.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "lent.h"
#include "process/process.h"
#include "sync/mutex.h"

static struct mutex a = MUTEX_INIT(a);
static bool inside;			/* [a] */
static struct wait_queue go = WAIT_QUEUE_INIT(go);
static struct actor looks, comes;

static void enter(void)
{
	expect(!inside, "two threads hold the mutex");
	inside = true;
}

static void leave(void)
{
	inside = false;
	mutex_unlock(&a);
}

/* Finds the mutex taken, and looks again: before it waits, or after a kill has ended its wait. */
static int lock_and_look(void)
{
	int err;

	wait_wake_one(&go, 0);
	explore_from_here();
	err = mutex_lock_interruptible(&a);
	if (err)
		return err;
	enter();
	leave();
	return 0;
}

/* Sleeps inside, so that the others go on. */
static int lock_asleep(void)
{
	mutex_lock(&a);
	enter();
	expect(!thread_sleep(1000), "a sleep failed");
	leave();
	return 0;
}

static const char *got_or_killed(void)
{
	if (looks.result && looks.result != -EINTR)
		return wrong("the lock returned %d", looks.result);
	return atomic_load(&a.word) ? wrong("the word is %lx", atomic_load(&a.word)) : NULL;
}

SCENARIO(taken, "mutex.taken_meanwhile", "05.5", "P5.8", .cpus = 3, .after = got_or_killed,
	 .keeps = true, .sets_up = true)
{
	mutex_lock(&a);
	act_on(1, &looks, lock_and_look);
	act_on(2, &comes, lock_asleep);
	expect(!wait_block(&go, DEADLINE_NEVER), "a wait failed");
	thread_kill(looks.thread);
	mutex_unlock(&a);
	end_here();
}

static int lock_urgently(void)
{
	wait_wake_one(&go, 0);
	explore_from_here();
	mutex_lock(&a);
	mutex_unlock(&a);
	return 0;
}

/* It is free at the first look, and taken again before the word is marked: its owner is another. */
SCENARIO(taken_again, "mutex.taken_again", "05.5", "P5.6", .cpus = 2, .after = got_or_killed,
	 .keeps = true, .sets_up = true)
{
	struct thread *owner = current_thread();

	mutex_lock(&a);
	looks.urgent = true;
	act_on(1, &looks, lock_urgently);
	expect(!wait_block(&go, DEADLINE_NEVER), "a wait failed");
	mutex_unlock(&a);
	mutex_lock(&a);
	expect(!thread_sleep(1000), "a sleep failed");
	expect_lent(&a, owner, &looks);
	mutex_unlock(&a);
	end_here();
}

static atomic_uint sum;

/* Two steps, which the mutex alone makes one. */
static void add_and_unlock(void)
{
	unsigned n = atomic_load_explicit(&sum, memory_order_relaxed);

	atomic_store_explicit(&sum, n + 1, memory_order_relaxed);
	mutex_unlock(&a);
}

static int lock_and_add(void)
{
	wait_wake_one(&go, 0);
	explore_from_here();
	mutex_lock(&a);
	add_and_unlock();
	return 0;
}

static const char *both_added(void)
{
	unsigned n = atomic_load(&sum);

	return n == 2 ? got_or_killed() : wrong("two owners have added 1 each: the sum is %u", n);
}

/* It comes free between the first look and the mark: the owner sees what the last one has done. */
SCENARIO(added, "mutex.added_up", "05.5", "P5.8", .cpus = 2, .after = both_added, .keeps = true,
	 .sets_up = true)
{
	mutex_lock(&a);
	act_on(1, &looks, lock_and_add);
	expect(!wait_block(&go, DEADLINE_NEVER), "a wait failed");
	add_and_unlock();
	end_here();
}

static int lock_add_or_die(void)
{
	int err;

	wait_wake_one(&go, 0);
	err = mutex_lock_interruptible(&a);
	if (!err)
		add_and_unlock();
	return err;
}

static const char *all_added(void)
{
	unsigned n = atomic_load(&sum), wanted = 2 + !looks.result;

	return n == wanted ? got_or_killed()
			   : wrong("%u owners have added 1 each: the sum is %u", wanted, n);
}

/*
 * It is free when a thread whose wait has been ended looks again, but had one more owner meanwhile,
 * who took no pi_lock: only the word tells that thread what this one has done.
 */
SCENARIO(added_late, "mutex.added_meanwhile", "05.5", "P5.8", .cpus = 2, .after = all_added,
	 .keeps = true, .sets_up = true)
{
	stay_on(0);
	mutex_lock(&a);
	act_on(1, &looks, lock_add_or_die);
	expect(!wait_block(&go, DEADLINE_NEVER), "a wait failed");
	expect(!thread_sleep(1000), "a sleep failed");	/* it waits for the mutex */
	thread_kill(looks.thread);
	explore_from_here();
	add_and_unlock();
	mutex_lock(&a);
	add_and_unlock();
	end_here();
}
