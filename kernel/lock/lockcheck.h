/*
 * The lock checker of debug builds, called by all locks at every acquire and release. The report of
 * a deadlock is in all builds.
 */
#pragma once

#include "config.h"
#include "types.h"

struct mutex;
struct spinlock;
struct thread;

/* A lock that a thread holds: its class's name, and where it was taken. */
struct held_lock {
	const void *lock;
	const char *name;
	const void *site;
};

/* All spin locks or all other locks that a thread holds, the last one taken last. */
struct held_locks {
	unsigned nr;
	struct held_lock at[DEBUG_BUILD ? 8 : 1];	/* unused in release builds */
};

void held_add(struct held_locks *h, const void *lock, const char *name, const void *site);
const struct held_lock *held_find(const struct held_locks *h, const void *lock);
bool held_remove(struct held_locks *h, const void *lock);	/* false: it was not there */

/* Notes that the current thread will wait for @l; panics on recursion or a wrong order. */
void lockcheck_acquire(struct spinlock *l, bool nested, const void *site);

/* Notes that the current thread has got @l without waiting. */
void lockcheck_acquired(struct spinlock *l, const void *site);

/* Notes that @l now belongs to @next instead of the current thread. */
void lockcheck_transfer(struct spinlock *l, struct thread *next);

/* Notes that the current thread is about to release @l. */
void lockcheck_release(struct spinlock *l);

/*
 * Do the same for mutexes. They panic on recursion, on an order whose opposite has been seen
 * before, and if a thread releases a mutex that it does not hold.
 */
void lockcheck_wanted(const void *lock, const char *name);
void lockcheck_taken(const void *lock, const char *name, const void *site);
void lockcheck_released(const void *lock, const char *name);

/*
 * Prints the locks that @t holds, and where it took them. Takes no lock, so the list is a hint if
 * @t runs on another CPU.
 */
void lockcheck_print_held(const struct thread *t);

/* Panics if the current thread holds any lock. @when completes the message: "exits". */
void lockcheck_none_held(const char *when);

/*
 * Reports that the current thread, which is about to wait for @m, would wait for itself: @owner
 * waits for it, perhaps through others. Prints each wait, and where each mutex was taken.
 */
void lockcheck_deadlock(const struct mutex *m, const struct thread *owner);
