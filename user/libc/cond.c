/*
 * Condition variables, built like the kernel's wait queues: each wait is a waiter on the waiting
 * thread's stack, in a first-come queue. The first to move the waiter's word away from WAITING
 * decides how the wait ended.
 *
 *	WAITING --> SIGNALLED	by a signal, under the lock, which also takes it out of the queue
 *	WAITING --> LEFT	by the waiter itself, at its deadline
 *
 * UCOND1  A waiter is queued before its mutex is released, so a signal sent after that finds it.
 *
 * A signal passes over waiters in LEFT: a waiter that timed out must not use it up. After the
 * exchange that signals, only the waiter's address is used, because the wait may have returned.
 *
 * A signalled waiter does not touch the condition variable again, so that it may be destroyed at
 * once. A waiter that left still has to take itself out of the queue: pthread_cond_destroy() waits
 * for that.
 */
#include <errno.h>
#include <pthread.h>

#include "libc.h"

enum { WAITING, SIGNALLED, LEFT };

struct __cond_waiter {
	_Atomic int word;
	struct __cond_waiter *next, *prev;	/* [cond lock] */
};

static void enqueue(pthread_cond_t *c, struct __cond_waiter *w)
{
	w->next = NULL;
	w->prev = c->__last;
	if (w->prev)
		w->prev->next = w;
	else
		c->__first = w;
	c->__last = w;
}

static void dequeue(pthread_cond_t *c, struct __cond_waiter *w)
{
	if (w->next)
		w->next->prev = w->prev;
	else
		c->__last = w->prev;
	if (w->prev)
		w->prev->next = w->next;
	else
		c->__first = w->next;
}

static bool claim(struct __cond_waiter *w, int how)
{
	int waiting = WAITING;

	return atomic_compare_exchange_strong(&w->word, &waiting, how);
}

/* Takes a waiter that left on its own out of the queue, and wakes pthread_cond_destroy(). */
static void leave(pthread_cond_t *c, struct __cond_waiter *w)
{
	__lock(&c->__lock);
	dequeue(c, w);
	c->__left++;
	__futex_wake(&c->__left, 1, false);
	__unlock(&c->__lock);
}

int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *deadline)
{
	struct __cond_waiter w = { .word = WAITING };
	clockid_t clock = c->__clock;
	int r;

	__lock(&c->__lock);
	enqueue(c, &w);			/* UCOND1 */
	__unlock(&c->__lock);
	r = pthread_mutex_unlock(m);
	if (r) {			/* not the owner: undo the wait, or pass the signal on */
		if (claim(&w, LEFT))
			leave(c, &w);
		else
			pthread_cond_signal(c);
		return r;
	}
	while (w.word == WAITING && !r)
		r = __futex_wait(&w.word, WAITING, clock, deadline, false);
	if (claim(&w, LEFT))
		leave(c, &w);
	else
		r = 0;			/* signalled, perhaps just before the deadline */
	pthread_mutex_lock(m);
	return r;
}

int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	return pthread_cond_timedwait(c, m, NULL);
}

static void signal_up_to(pthread_cond_t *c, unsigned n)
{
	struct __cond_waiter *w, *next;

	__lock(&c->__lock);
	for (w = c->__first; w && n; w = next) {
		next = w->next;
		if (w->word == LEFT)
			continue;	/* it will take itself out once it has the lock */
		dequeue(c, w);
		if (!claim(w, SIGNALLED)) {
			enqueue(c, w);	/* it left just now, and will dequeue itself */
			continue;
		}
		__futex_wake(&w->word, 1, false);	/* only the address: it may have returned */
		n--;
	}
	__unlock(&c->__lock);
}

int pthread_cond_signal(pthread_cond_t *c)
{
	signal_up_to(c, 1);
	return 0;
}

int pthread_cond_broadcast(pthread_cond_t *c)
{
	signal_up_to(c, -1u);
	return 0;
}

int pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr)
{
	*c = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
	if (attr)
		c->__clock = attr->__clock;
	return 0;
}

int pthread_cond_destroy(pthread_cond_t *c)
{
	int left;

	__lock(&c->__lock);
	while (c->__first) {		/* waiters that left, and wait for the lock */
		left = c->__left;
		__unlock(&c->__lock);
		__futex_wait(&c->__left, left, CLOCK_MONOTONIC, NULL, false);
		__lock(&c->__lock);
	}
	__unlock(&c->__lock);
	return 0;
}

int pthread_condattr_init(pthread_condattr_t *a)
{
	a->__clock = CLOCK_REALTIME;
	return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *a)
{
	(void)a;
	return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *a, clockid_t clock)
{
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return EINVAL;
	a->__clock = clock;
	return 0;
}
