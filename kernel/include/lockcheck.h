/*
 * The lock checker of debug builds: called by the spin locks and mutexes around every acquire and
 * release. The report of a deadlock is in all builds.
 */
#pragma once

#include "types.h"

struct mutex;
struct spinlock;
struct thread;

/* Before waiting for @l: panics on recursion and on an acquire against the order. */
void lockcheck_acquire(struct spinlock *l, bool nested, const void *site);

/* @t holds @l now without having waited (trylock, hand-over at a context switch). */
void lockcheck_acquired(struct spinlock *l, struct thread *t);

/* Before the current thread gives @l up. */
void lockcheck_release(struct spinlock *l);

/*
 * The same for mutexes: panics on recursion, on an order whose opposite has been seen before, on a
 * release by somebody else.
 */
void lockcheck_mutex_wanted(struct mutex *m);
void lockcheck_mutex_taken(struct mutex *m, const void *site);
void lockcheck_mutex_released(struct mutex *m);

/* For reports: the mutexes @t holds, and where it took them. */
void lockcheck_print_mutexes(const struct thread *t);

/* Panics if the current thread holds a mutex; @when it must not: "returns to user mode". */
void lockcheck_none_held(const char *when);

/*
 * The current thread is about to wait for @m, whose @owner waits, maybe through others, for it:
 * says who waits for what, where each was taken. pi_lock held.
 */
void lockcheck_deadlock(const struct mutex *m, const struct thread *owner);
