/*
 * Mutexes.
 *
 * Without contention, locking and unlocking are one compare-exchange each on `word`. A thread that
 * finds it taken marks it CONTENDED under pi_lock and waits. So the owner's compare-exchange on
 * unlock fails, and it takes the slow way, which hands the mutex to the most urgent waiter: a
 * thread that locks and unlocks in a loop cannot keep the mutex from those that wait.
 *
 *  MUTEX1  While a thread waits, the word is CONTENDED, so no unlock overlooks it.
 *  MUTEX2  A waiter whose wait ends with 0 owns the mutex: the word was set before it left.
 *  MUTEX3  The owner unlocks before it ends or goes to user mode (lockcheck_none_held()).
 */
#include "sync/mutex.h"

#include "config.h"
#include "errno.h"
#include "lock/lockcheck.h"
#include "thread/thread.h"

void mutex_init_named(struct mutex *m, const char *name)
{
	atomic_init(&m->word, 0);
	pi_queue_init(&m->pi);
	m->name = name;
}

#define THE_LOCK	NO_LOCK_ANALYSIS("this is the implementation of locking")

static u64 self_word(void)
{
	return (u64)current_thread();
}

static struct thread *owner_in(u64 word)
{
	return (struct thread *)(word & ~MUTEX_CONTENDED);
}

static bool try_free(struct mutex *m)
{
	u64 expected = 0;

	return atomic_compare_exchange_strong_explicit(&m->word, &expected, self_word(),
						       memory_order_acquire, memory_order_relaxed);
}

/*
 * Takes the mutex if it is free, else marks the word, so that its owner wakes a waiter. Returns 0
 * if it was free, -EAGAIN if *owner has it, -EIDRM.
 */
static int take_or_mark(struct mutex *m, struct thread **owner) HOLDS(pi_lock)
{
	u64 word = atomic_load(&m->word), wanted;

	/* LAB 05-sync: take the mutex if it is free, else mark the word */
	do {
		if (word == MUTEX_DESTROYED)
			return -EIDRM;
		wanted = word ? word | MUTEX_CONTENDED : self_word();
	} while (!atomic_compare_exchange_weak(&m->word, &word, wanted));
	/* END LAB */
	*owner = owner_in(word);
	return word ? -EAGAIN : 0;
}

/* Waits for @m of @owner; releases pi_lock while it waits. */
static int wait_for(struct mutex *m, struct thread *owner, struct deadline d, unsigned flags)
	HOLDS(pi_lock)
{
	struct pi_waiter w = { .cyclic = pi_would_deadlock(current_thread(), owner) };
	int err;

	if (w.cyclic && !(flags & WAIT_UNKILLABLE))
		return -EDEADLK;
	if (w.cyclic)
		lockcheck_deadlock(m, owner);	/* these wait for ever, but others go on */
	waiter_init(&w.waiter, flags);
	/* LAB 05-sync: wait among the waiters; a wait that has failed looks at the mutex again */
	pi_wait(&m->pi, owner, &w);
	spin_unlock(&pi_lock);
	err = waiter_block(&w.waiter, d);
	spin_lock(&pi_lock);
	/* The mutex may have come free after the deadline had claimed the wait. */
	if (pi_leave(&w) && try_free(m))
		err = 0;
	/* END LAB */
	return err;
}

static int lock_slow(struct mutex *m, struct deadline d, unsigned flags)
{
	struct thread *owner;
	int err;

	spin_lock(&pi_lock);
	err = take_or_mark(m, &owner);
	if (err == -EAGAIN)
		err = d.kind == DEADLINE_KIND_POLL ? -ETIMEDOUT : wait_for(m, owner, d, flags);
	assert(err || mutex_held(m));	/* MUTEX2 */
	spin_unlock(&pi_lock);
	return err;
}

static inline int lock(struct mutex *m, struct deadline d, unsigned flags, const void *site)
{
	int err = 0;

	assert_may_block();
	if (DEBUG_BUILD)
		lockcheck_wanted(m, m->name);
	if (!try_free(m))
		err = lock_slow(m, d, flags);
	if (DEBUG_BUILD && !err)
		lockcheck_taken(m, m->name, site);
	return err;
}

void mutex_lock(struct mutex *m) THE_LOCK
{
	int err = lock(m, DEADLINE_NEVER, WAIT_UNKILLABLE, __builtin_return_address(0));

	assert(err == 0);
}

int mutex_lock_timed(struct mutex *m, struct deadline d) THE_LOCK
{
	return lock(m, d, 0, __builtin_return_address(0));
}

int mutex_lock_interruptible(struct mutex *m) THE_LOCK
{
	return lock(m, DEADLINE_NEVER, 0, __builtin_return_address(0));
}

/* Makes the most urgent waiter that has not timed out or been killed the owner. */
static void unlock_slow(struct mutex *m)
{
	u64 word;

	spin_lock(&pi_lock);
	/* LAB 05-sync: hand the mutex over, and say so in the word */
	word = (u64)pi_hand_over(&m->pi);
	if (word && pi_has_waiters(&m->pi))
		word |= MUTEX_CONTENDED;	/* MUTEX1 for the other waiters */
	atomic_store(&m->word, word);		/* MUTEX2: the waiter needs pi_lock to return */
	/* END LAB */
	spin_unlock(&pi_lock);
}

void mutex_unlock(struct mutex *m) THE_LOCK
{
	u64 expected = self_word();

	if (DEBUG_BUILD)
		lockcheck_released(m, m->name);
	if (atomic_compare_exchange_strong_explicit(&m->word, &expected, 0, memory_order_release,
						    memory_order_relaxed))
		return;
	assert(expected == (self_word() | MUTEX_CONTENDED));
	unlock_slow(m);
}

bool mutex_held(const struct mutex *m)
{
	return owner_in(atomic_load_explicit(&m->word, memory_order_relaxed)) == current_thread();
}

void mutex_destroy(struct mutex *m)
{
	assert(atomic_load(&m->word) == 0 || mutex_held(m));
	if (DEBUG_BUILD)
		held_remove(&current_thread()->locks, m);
	spin_lock(&pi_lock);
	pi_destroy(&m->pi);
	atomic_store(&m->word, MUTEX_DESTROYED);
	spin_unlock(&pi_lock);
}
