/*
 * Thread-specific values, and pthread_once().
 *
 * The number of a deleted key is used again while threads may still have values of the old key. So
 * each key gets a serial number, and a value counts only if it was set under the present one.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "libc.h"

static struct {
	_Atomic unsigned long serial;		/* 0: not in use */
	void (*destructor)(void *);
} keys[PTHREAD_KEYS_MAX];			/* [keys_lock] to change */

static unsigned long last_serial;		/* [keys_lock] */
static int keys_lock;

struct __specific {
	unsigned long serial;
	void *value;
};

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	int r = EAGAIN;

	__lock(&keys_lock);
	for (unsigned i = 0; i < PTHREAD_KEYS_MAX && r; i++) {
		if (keys[i].serial)
			continue;
		keys[i].destructor = destructor;
		keys[i].serial = ++last_serial;
		*key = i;
		r = 0;
	}
	__unlock(&keys_lock);
	return r;
}

int pthread_key_delete(pthread_key_t key)
{
	if (key >= PTHREAD_KEYS_MAX || !keys[key].serial)
		return EINVAL;
	keys[key].serial = 0;
	return 0;
}

void *pthread_getspecific(pthread_key_t key)
{
	struct __specific *s = thread_self()->specific;

	if (!s || key >= PTHREAD_KEYS_MAX || s[key].serial != keys[key].serial)
		return NULL;
	return s[key].value;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
	struct pthread *self = thread_self();

	if (key >= PTHREAD_KEYS_MAX || !keys[key].serial)
		return EINVAL;
	if (!self->specific)
		self->specific = calloc(PTHREAD_KEYS_MAX, sizeof(*self->specific));
	if (!self->specific)
		return ENOMEM;
	self->specific[key] = (struct __specific){ keys[key].serial, (void *)value };
	return 0;
}

/* Calls the destructors of all values once. Returns whether there was any value to destroy. */
static bool run_round(struct __specific *s)
{
	bool any = false;

	for (unsigned i = 0; i < PTHREAD_KEYS_MAX; i++) {
		void *value = s[i].value;

		s[i].value = NULL;
		if (!value || s[i].serial != keys[i].serial || !keys[i].destructor)
			continue;
		keys[i].destructor(value);	/* may set values again, even this one */
		any = true;
	}
	return any;
}

void __run_key_destructors(struct pthread *self)
{
	int rounds = PTHREAD_DESTRUCTOR_ITERATIONS;

	if (!self->specific)
		return;
	while (rounds-- && run_round(self->specific))
		;
	free(self->specific);
	self->specific = NULL;
}

enum { ONCE_IDLE = PTHREAD_ONCE_INIT, ONCE_RUNNING, ONCE_DONE };

int pthread_once(pthread_once_t *once, void (*fn)(void))
{
	_Atomic int *state = (_Atomic int *)once;
	int idle;

	while (*state != ONCE_DONE) {
		idle = ONCE_IDLE;
		if (atomic_compare_exchange_strong(state, &idle, ONCE_RUNNING)) {
			fn();
			*state = ONCE_DONE;
			__futex_wake(once, INT_MAX, false);
		} else {
			__futex_wait(once, ONCE_RUNNING, CLOCK_MONOTONIC, NULL, false);
		}
	}
	return 0;
}
