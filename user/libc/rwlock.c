/*
 * Readers-writer locks and barriers: monitors, built from a mutex and condition variables.
 *
 * A thread may read-lock a lock that it has read-locked already. So a waiting writer does not keep
 * readers out: it would block a reader that must lock again before it can ever unlock.
 */
#include <errno.h>
#include <pthread.h>

#include "libc.h"

int pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr)
{
	(void)attr;
	*l = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
	return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
	pthread_cond_destroy(&l->__released);
	return pthread_mutex_destroy(&l->__mutex);
}

static int lock_for_reading(pthread_rwlock_t *l, bool wait)
{
	int r = 0;

	pthread_mutex_lock(&l->__mutex);
	if (l->__writer == thread_self()->tid)
		r = EDEADLK;
	while (!r && l->__writer) {
		if (wait)
			pthread_cond_wait(&l->__released, &l->__mutex);
		else
			r = EBUSY;
	}
	if (!r)
		l->__readers++;
	pthread_mutex_unlock(&l->__mutex);
	return r;
}

static int lock_for_writing(pthread_rwlock_t *l, bool wait)
{
	int r = 0;

	pthread_mutex_lock(&l->__mutex);
	if (l->__writer == thread_self()->tid)
		r = EDEADLK;
	while (!r && (l->__writer || l->__readers)) {
		if (wait)
			pthread_cond_wait(&l->__released, &l->__mutex);
		else
			r = EBUSY;
	}
	if (!r)
		l->__writer = thread_self()->tid;
	pthread_mutex_unlock(&l->__mutex);
	return r;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	return lock_for_reading(l, true);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
	int r = lock_for_reading(l, false);

	return r == EDEADLK ? EBUSY : r;
}

int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	return lock_for_writing(l, true);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
	int r = lock_for_writing(l, false);

	return r == EDEADLK ? EBUSY : r;
}

int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	pthread_mutex_lock(&l->__mutex);
	if (l->__writer)
		l->__writer = 0;
	else
		l->__readers--;
	if (!l->__readers)
		pthread_cond_broadcast(&l->__released);
	pthread_mutex_unlock(&l->__mutex);
	return 0;
}

int pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *attr, unsigned count)
{
	(void)attr;
	if (count == 0)
		return EINVAL;
	*b = (pthread_barrier_t){
		.__mutex = PTHREAD_MUTEX_INITIALIZER,
		.__full = PTHREAD_COND_INITIALIZER,
		.__empty = PTHREAD_COND_INITIALIZER,
		.__count = count,
	};
	return 0;
}

int pthread_barrier_wait(pthread_barrier_t *b)
{
	unsigned long round;
	int r = 0;

	pthread_mutex_lock(&b->__mutex);
	b->__inside++;
	if (++b->__arrived == b->__count) {
		b->__arrived = 0;
		b->__round++;
		pthread_cond_broadcast(&b->__full);
		r = PTHREAD_BARRIER_SERIAL_THREAD;
	} else {
		for (round = b->__round; round == b->__round;)
			pthread_cond_wait(&b->__full, &b->__mutex);
	}
	if (--b->__inside == 0)
		pthread_cond_broadcast(&b->__empty);
	pthread_mutex_unlock(&b->__mutex);
	return r;
}

/* The first thread to leave the last round may get here while others are still on their way out. */
int pthread_barrier_destroy(pthread_barrier_t *b)
{
	pthread_mutex_lock(&b->__mutex);
	while (b->__inside)
		pthread_cond_wait(&b->__empty, &b->__mutex);
	pthread_mutex_unlock(&b->__mutex);
	return 0;
}
