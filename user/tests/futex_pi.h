/* Calls of futexes with priority inheritance, for the tests of locks and of their owners' ends. */
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>

#include "test.h"

#define TID(word)	((word) & FUTEX_TID_MASK)

static inline long futex(void *word, int op, uint32_t value, const struct timespec *timeout,
			 void *word2, uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static inline uint32_t self(void)
{
	return syscall(SYS_gettid);
}

static inline long lock_pi(atomic_uint *w)
{
	return futex(w, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
}

static inline long unlock_pi(atomic_uint *w)
{
	return futex(w, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
}

static inline void await_waiter(atomic_uint *w)
{
	while (!(*w & FUTEX_WAITERS))
		sched_yield();
}
