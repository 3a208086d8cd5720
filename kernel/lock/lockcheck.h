/*
 * The lock checker of debug builds: called by all locks around every acquire and release. The
 * report of a deadlock is in all builds.
 */
#pragma once

#include "config.h"
#include "types.h"

struct mutex;
struct spinlock;
struct thread;

/* A lock that a thread holds: its class, and where it was taken. */
struct held_lock {
	const void *lock;
	const char *name;
	const void *site;
};

/* All of a kind, the innermost last. */
struct held_locks {
	unsigned nr;
	struct held_lock at[DEBUG_BUILD ? 8 : 1];	/* unused in release builds */
};

void held_add(struct held_locks *h, const void *lock, const char *name, const void *site);
const struct held_lock *held_find(const struct held_locks *h, const void *lock);
bool held_remove(struct held_locks *h, const void *lock);	/* false: it was not there */

/* Before waiting for @l: panics on recursion and on an acquire against the order. */
void lockcheck_acquire(struct spinlock *l, bool nested, const void *site);

/* The current thread holds @l now without having waited. */
void lockcheck_acquired(struct spinlock *l, const void *site);

/* The current thread's @l is @next's from now on. */
void lockcheck_transfer(struct spinlock *l, struct thread *next);

/* Before the current thread gives @l up. */
void lockcheck_release(struct spinlock *l);

/*
 * The same for mutexes: panics on recursion, on an order
 * whose opposite has been seen before, on a release by somebody else.
 */
void lockcheck_wanted(const void *lock, const char *name);
void lockcheck_taken(const void *lock, const char *name, const void *site);
void lockcheck_released(const void *lock, const char *name);

/*
 * For reports: the locks that @t holds, and where it took them. Takes no lock itself, so of a
 * thread that runs on another CPU it is a hint.
 */
void lockcheck_print_held(const struct thread *t);

/* Panics if the current thread holds any lock; @when it must not: "returns to user mode". */
void lockcheck_none_held(const char *when);

/*
 * The current thread is about to wait for @m, whose @owner waits, maybe through others, for it:
 * says who waits for what, where each was taken. pi_lock held.
 */
void lockcheck_deadlock(const struct mutex *m, const struct thread *owner);
