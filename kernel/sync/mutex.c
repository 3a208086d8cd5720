/*
 * Mutexes.
 *
 * Without contention, locking and unlocking are one compare-exchange each on `word`. A thread that
 * finds it taken marks it CONTENDED under q.lock and waits; so the owner's plain exchange on unlock
 * fails, and it takes the slow way, which hands the mutex to the first waiter: somebody who takes
 * and gives it back in a loop cannot keep it from those who wait.
 *
 *  M1  While a thread waits in q, the word is CONTENDED, so no unlock overlooks it.
 *  M2  A waiter to which wait_block() returns 0 owns the mutex: the word was set before it left.
 */
#include "mutex.h"

#include "errno.h"
#include "sched.h"
#include "thread.h"

void mutex_init(struct mutex *m)
{
	atomic_init(&m->word, 0);
	wait_queue_init(&m->q);
}

static u64 self_word(void)
{
	return (u64)current_thread();
}

bool mutex_trylock(struct mutex *m)
{
	u64 expected = 0;

	return atomic_compare_exchange_strong_explicit(&m->word, &expected, self_word(),
						       memory_order_acquire, memory_order_relaxed);
}

/* q.lock held: takes the free word, keeping the mark while others wait. */
static bool take_free(struct mutex *m)
{
	u64 expected = 0;

	return atomic_compare_exchange_strong(&m->word, &expected,
					      self_word() | (m->q.nr ? MUTEX_CONTENDED : 0));
}

/* q.lock held: marks the word so that its owner wakes somebody. False: it is free by now. */
static bool mark_contended(struct mutex *m)
{
	u64 word = atomic_load(&m->word);

	do {
		if (!word)
			return false;
		assert((word & ~MUTEX_CONTENDED) != self_word());	/* recursion */
	} while (!atomic_compare_exchange_weak(&m->word, &word, word | MUTEX_CONTENDED));
	return true;
}

static int lock_slow(struct mutex *m, struct deadline d, unsigned flags)
{
	int err = 0;

	spin_lock(&m->q.lock);
	while (!take_free(m)) {
		if (!mark_contended(m))
			continue;
		err = wait_block(&m->q, d, flags);
		assert(err || mutex_held(m));	/* M2 */
		break;
	}
	spin_unlock(&m->q.lock);
	return err;
}

void mutex_lock(struct mutex *m)
{
	int err = 0;

	assert_may_block();
	if (!mutex_trylock(m))
		err = lock_slow(m, DEADLINE_NEVER, WAIT_UNKILLABLE);
	assert(err == 0);
}

int mutex_lock_timed(struct mutex *m, struct deadline d)
{
	assert_may_block();
	return mutex_trylock(m) ? 0 : lock_slow(m, d, 0);
}

int mutex_lock_killable(struct mutex *m)
{
	return mutex_lock_timed(m, DEADLINE_NEVER);
}

/* q.lock held: the first waiter that has not timed out or been killed becomes the owner. */
static void hand_over(struct mutex *m)
{
	struct list_node *n;

	while ((n = list_pop_node(&m->q.links))) {
		struct waiter *w = list_entry(n, struct wait_link, node)->waiter;

		if (waiter_claim(w, WAIT_EVENT, 0)) {
			/* It cannot leave before we unlock q.lock. M1 for those behind it. */
			u64 others = m->q.nr > 1 ? MUTEX_CONTENDED : 0;

			atomic_store(&m->word, (u64)w->thread | others);
			return;
		}
	}
	atomic_store(&m->word, 0);
}

void mutex_unlock(struct mutex *m)
{
	u64 expected = self_word();

	if (atomic_compare_exchange_strong_explicit(&m->word, &expected, 0, memory_order_release,
						    memory_order_relaxed))
		return;
	assert(expected == (self_word() | MUTEX_CONTENDED));
	spin_lock(&m->q.lock);
	hand_over(m);
	spin_unlock(&m->q.lock);
}

bool mutex_held(const struct mutex *m)
{
	return (atomic_load_explicit(&m->word, memory_order_relaxed) & ~MUTEX_CONTENDED) ==
	       self_word();
}

void mutex_destroy(struct mutex *m)
{
	assert(atomic_load(&m->word) == 0 || mutex_held(m));
	wait_queue_destroy(&m->q);
}
