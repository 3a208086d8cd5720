/*
 * Mutexes. The word: 0 free, 1 locked, 2 locked and a thread may be asleep.
 *
 * UMUTEX1  A thread writes 2 before it sleeps, and an unlock that finds 2 wakes one sleeper.
 * UMUTEX2  A thread that has slept locks with 2, because others may still sleep. At worst that
 *          costs one needless wake-up.
 *
 * After the exchange that unlocks, only the word's address is used: the next owner may free the
 * mutex at once.
 *
 * Recursive and error-checking mutexes also keep the owner's thread id. Only the owner can find its
 * own id there, so reading it without the lock is safe.
 */
#include <errno.h>
#include <pthread.h>

#include "libc.h"

static _Atomic int *word_of(pthread_mutex_t *m)
{
	return (_Atomic int *)&m->__word;
}

static _Atomic int *owner_of(pthread_mutex_t *m)
{
	return (_Atomic int *)&m->__owner;
}

int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
	*m = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	if (attr) {
		m->__type = attr->__type;
		m->__shared = attr->__shared;
	}
	return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *m)
{
	return *word_of(m) ? EBUSY : 0;
}

static bool is_mine(pthread_mutex_t *m)
{
	return atomic_load_explicit(owner_of(m), memory_order_relaxed) == thread_self()->tid;
}

/* Locks a mutex that the caller already owns. */
static int relock(pthread_mutex_t *m, int busy)
{
	if (m->__type != PTHREAD_MUTEX_RECURSIVE)
		return busy;
	if (m->__depth + 1 == 0)
		return EAGAIN;
	m->__depth++;
	return 0;
}

static void become_owner(pthread_mutex_t *m)
{
	if (m->__type != PTHREAD_MUTEX_NORMAL)
		atomic_store_explicit(owner_of(m), thread_self()->tid, memory_order_relaxed);
}

static bool try_word(pthread_mutex_t *m)
{
	int unlocked = 0;

	return atomic_compare_exchange_strong_explicit(word_of(m), &unlocked, 1,
						       memory_order_acquire,
						       memory_order_relaxed);
}

int pthread_mutex_trylock(pthread_mutex_t *m)
{
	if (m->__type != PTHREAD_MUTEX_NORMAL && is_mine(m))
		return relock(m, EBUSY);
	if (!try_word(m))
		return EBUSY;
	become_owner(m);
	return 0;
}

int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *deadline)
{
	int r;

	if (m->__type != PTHREAD_MUTEX_NORMAL && is_mine(m))
		return relock(m, EDEADLK);
	if (!try_word(m)) {
		/* UMUTEX1, UMUTEX2 */
		while (atomic_exchange_explicit(word_of(m), 2, memory_order_acquire)) {
			r = __futex_wait(&m->__word, 2, CLOCK_REALTIME, deadline, m->__shared);
			if (r)
				return r;
		}
	}
	become_owner(m);
	return 0;
}

int pthread_mutex_lock(pthread_mutex_t *m)
{
	return pthread_mutex_timedlock(m, NULL);
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
	int shared = m->__shared;

	if (m->__type != PTHREAD_MUTEX_NORMAL) {
		if (!is_mine(m))
			return EPERM;
		if (m->__depth) {
			m->__depth--;
			return 0;
		}
		atomic_store_explicit(owner_of(m), 0, memory_order_relaxed);
	}
	if (atomic_exchange_explicit(word_of(m), 0, memory_order_release) == 2)
		__futex_wake(&m->__word, 1, shared);		/* only the address: see above */
	return 0;
}

int pthread_mutexattr_init(pthread_mutexattr_t *a)
{
	*a = (pthread_mutexattr_t){ PTHREAD_MUTEX_DEFAULT, PTHREAD_PROCESS_PRIVATE };
	return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *a)
{
	(void)a;
	return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *a, int type)
{
	if (type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK)
		return EINVAL;
	a->__type = type;
	return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *a, int *type)
{
	*type = a->__type;
	return 0;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *a, int shared)
{
	if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
		return EINVAL;
	a->__shared = shared;
	return 0;
}
