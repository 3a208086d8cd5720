/*
 * Semaphores: one 64-bit word, whose low half is the count and whose high half says how many
 * threads wait. A post sees both at the instant in which it raises the count. After that instant it
 * uses only the word's address, because a thread that the post lets through may free the semaphore.
 *
 * Waiters sleep on the low half, which comes first in memory on both machines.
 */
#include <semaphore.h>

#include <errno.h>

#include "libc.h"

#define ONE_WAITER	(1UL << 32)

static _Atomic unsigned long *word_of(sem_t *s)
{
	return (_Atomic unsigned long *)&s->__word;
}

static unsigned count_in(unsigned long word)
{
	return word;
}

int sem_init(sem_t *s, int shared, unsigned value)
{
	if (value > SEM_VALUE_MAX) {
		errno = EINVAL;
		return -1;
	}
	s->__word = value;
	s->__shared = shared;
	return 0;
}

int sem_destroy(sem_t *s)
{
	(void)s;
	return 0;
}

int sem_getvalue(sem_t *s, int *value)
{
	*value = count_in(*word_of(s));
	return 0;
}

/* Lowers the count and subtracts @extra with it. Returns false if the count is zero. */
static bool take(sem_t *s, unsigned long extra)
{
	unsigned long word = *word_of(s);

	while (count_in(word))
		if (atomic_compare_exchange_weak(word_of(s), &word, word - 1 - extra))
			return true;
	return false;
}

int sem_trywait(sem_t *s)
{
	if (take(s, 0))
		return 0;
	errno = EAGAIN;
	return -1;
}

int sem_timedwait(sem_t *s, const struct timespec *deadline)
{
	int r;

	if (take(s, 0))
		return 0;
	atomic_fetch_add(word_of(s), ONE_WAITER);
	while (!take(s, ONE_WAITER)) {
		r = __futex_wait(&s->__word, 0, CLOCK_REALTIME, deadline, s->__shared);
		if (r) {
			atomic_fetch_sub(word_of(s), ONE_WAITER);
			errno = r;
			return -1;
		}
	}
	return 0;
}

int sem_wait(sem_t *s)
{
	return sem_timedwait(s, NULL);
}

int sem_post(sem_t *s)
{
	unsigned long word = *word_of(s);
	int shared = s->__shared;

	do {
		if (count_in(word) == SEM_VALUE_MAX) {
			errno = EOVERFLOW;
			return -1;
		}
	} while (!atomic_compare_exchange_weak(word_of(s), &word, word + 1));
	if (word >= ONE_WAITER)
		__futex_wake(&s->__word, 1, shared);
	return 0;
}
