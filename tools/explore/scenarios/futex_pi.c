/*
 * PI futexes: locks in user memory whose owner inherits the urgency of their waiters.
 *
 * The threads lock and unlock as the C library does: by a compare-exchange of the word, and by a
 * call of the kernel only if that fails.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "explore/tree.h"
#include "process/futex_impl.h"
#include "sync/pi.h"

struct words {
	_Atomic u32 lock, condition;
};

#define USER	((struct words *)host_user_page)
#define LOCK	((vaddr_t)&USER->lock)

static struct actor first, second, third;
static unsigned inside;			/* [USER->lock] */

static u32 own_id(void)
{
	return current_thread()->tid;
}

static int lock(struct deadline d)
{
	u32 word = 0;

	if (atomic_compare_exchange_strong(&USER->lock, &word, own_id()))
		return 0;
	return futex_lock_pi(LOCK, false, d, false);
}

static void unlock(void)
{
	u32 word = own_id();
	int err = 0;

	if (!atomic_compare_exchange_strong(&USER->lock, &word, 0))
		err = futex_unlock_pi(LOCK, false);
	expect(!err, "an unlock returned %d", err);
}

/* Holds the lock, for which lock() has returned 0. */
static int hold(void)
{
	expect((atomic_load(&USER->lock) & FUTEX_TID) == own_id(), "the lock's word is %x in %u",
	       atomic_load(&USER->lock), own_id());
	expect(!inside++, "two threads hold the lock");
	inside--;
	unlock();
	return 0;
}

static int lock_it(void)
{
	int err = lock(DEADLINE_NEVER);

	return err ? err : hold();
}

static int lock_timed(void)
{
	int err = lock(deadline_in(1000));

	return err ? err : hold();
}

/* Sleeps while it has the lock, so that the others come to wait for it. */
static int lock_and_sleep(void)
{
	int err = lock(DEADLINE_NEVER);

	if (err)
		return err;
	err = thread_sleep(10);
	hold();
	return err;
}

static int kill_second(void)
{
	thread_kill(second.thread);
	return 0;
}

/* --- At the end ------------------------------------------------------------------------------- */

static bool inherits(const struct actor *a)
{
	const struct sched_rank none = { .level = 0 };

	return a->thread && rank_above(a->thread->se.inherited, none);
}

/* The lock is free, and nothing of the waits is left: PI1. */
static const char *all_free(void)
{
	if (atomic_load(&USER->lock))
		return wrong("the lock's word is %x", atomic_load(&USER->lock));
	if (inherits(&first) || inherits(&second) || inherits(&third))
		return "a thread keeps a rank that it inherited";
	if (first.result || third.result)
		return wrong("the calls returned %d and %d", first.result, third.result);
	return NULL;
}

static const char *all_had_it(void)
{
	return second.result ? wrong("a lock returned %d", second.result) : all_free();
}

static const char *had_it_or(int err)
{
	if (second.result && second.result != err)
		return wrong("the lock returned %d", second.result);
	return all_free();
}

static const char *had_it_or_timeout(void)
{
	return had_it_or(-ETIMEDOUT);
}

static const char *had_it_or_killed(void)
{
	return had_it_or(-EINTR);
}

/* --- Lock and unlock -------------------------------------------------------------------------- */

SCENARIO(two, "pi.two", "", "", .cpus = 2, .after = all_had_it, .keeps = true)
{
	struct process *p = make_child();

	act_in(p, 0, &first, lock_it);
	second.urgent = true;
	act_in(p, 1, &second, lock_it);
	end_here();
}

/* FUTEXPI1: the lock goes from thread to thread, and each unlock finds the next. */
SCENARIO(three, "pi.hand_over", "", "", .cpus = 2, .after = all_had_it, .keeps = true)
{
	struct process *p = make_child();

	act_in(p, 0, &first, lock_and_sleep);
	act_in(p, 1, &second, lock_it);
	act_in(p, 1, &third, lock_it);
	end_here();
}

SCENARIO(timed, "pi.timeout", "", "", .cpus = 2, .after = had_it_or_timeout, .keeps = true)
{
	struct process *p = make_child();

	act_in(p, 0, &first, lock_and_sleep);
	second.urgent = true;
	act_in(p, 1, &second, lock_timed);
	end_here();
}

/* The one that gives up takes no hand-over with it. */
SCENARIO(timed_two, "pi.timeout_takes_none", "", "", .cpus = 2, .after = had_it_or_timeout,
	 .keeps = true)
{
	struct process *p = make_child();

	act_in(p, 0, &first, lock_and_sleep);
	act_in(p, 1, &second, lock_timed);
	act_in(p, 1, &third, lock_it);
	end_here();
}

SCENARIO(killed, "pi.kill", "", "", .cpus = 2, .after = had_it_or_killed, .keeps = true)
{
	struct process *p = make_child();

	act_in(p, 0, &first, lock_and_sleep);
	second.urgent = true;
	act_in(p, 1, &second, lock_it);
	act_in(p, 0, &third, kill_second);
	end_here();
}

/* --- An owner that ends ----------------------------------------------------------------------- */

static int lock_and_exit(void *unused)
{
	(void)unused;
	return lock(DEADLINE_NEVER);
}

static int take_from_dead(void)
{
	return lock(DEADLINE_NEVER);
}

/* The waiter gets the lock with a mark, or learns that its owner is gone. */
static const char *taken_over(void)
{
	u32 word = atomic_load(&USER->lock), self = second.thread->tid;

	if (second.result == -ESRCH)
		return NULL;
	if (second.result)
		return wrong("the lock returned %d", second.result);
	return (word & FUTEX_TID) == self ? NULL : wrong("the lock's word is %x", word);
}

/* No robust list: the kernel passes on what it knows of (FUTEXPI3). */
SCENARIO(owner_exits, "pi.owner_exits", "", "", .cpus = 2, .after = taken_over, .keeps = true)
{
	struct process *p = make_child();
	struct thread *owner;

	give_memory(p);
	owner = create_in(p, lock_and_exit, NULL);
	expect(!sched_set_affinity(owner, BIT(0)), "CPU 0 is not there");
	USER->lock = owner->tid;
	act_in(p, 1, &second, take_from_dead);
	thread_resume(owner);
	end_here();
}

/* --- Moved to the lock ------------------------------------------------------------------------ */

/* pthread_cond_wait(), where the condition is not 0. */
static int wait_condition(struct deadline d)
{
	int err = lock(DEADLINE_NEVER);
	u32 seen = atomic_load(&USER->condition);

	if (err || seen)
		return err ? err : hold();
	unlock();
	err = futex_wait_requeue_pi((vaddr_t)&USER->condition, false, seen, d, LOCK);
	if (err)			/* not the owner */
		return err == -EAGAIN ? 0 : err;
	return hold();
}

static int wait_for_ever(void)
{
	return wait_condition(DEADLINE_NEVER);
}

static int wait_timed(void)
{
	return wait_condition(deadline_in(1000));
}

/* pthread_cond_broadcast() with the lock held. */
static int signal_condition(void)
{
	int n, err = lock(DEADLINE_NEVER);

	if (err)
		return err;
	atomic_store(&USER->condition, 1);
	n = futex_requeue_pi((vaddr_t)&USER->condition, LOCK, false, 1, 1);
	expect(n == 0 || n == 1, "moving the waiter returned %d", n);
	return hold();
}

SCENARIO(moved, "pi.requeue", "", "", .cpus = 2, .after = all_had_it, .keeps = true)
{
	struct process *p = make_child();

	act_in(p, 0, &second, wait_for_ever);
	act_in(p, 1, &first, signal_condition);
	end_here();
}

SCENARIO(moved_timed, "pi.requeue_or_timeout", "", "", .cpus = 2, .after = had_it_or_timeout,
	 .keeps = true)
{
	struct process *p = make_child();

	act_in(p, 0, &second, wait_timed);
	act_in(p, 1, &first, signal_condition);
	end_here();
}
