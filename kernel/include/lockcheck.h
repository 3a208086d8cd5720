/*
 * The lock checker of debug builds: called by the spin locks around every acquire and release.
 */
#pragma once

#include "types.h"

struct spinlock;
struct thread;

/* Before waiting for @l: panics on recursion and on an acquire against the order. */
void lockcheck_acquire(struct spinlock *l, bool nested, const void *site);

/* @t holds @l now without having waited (trylock, hand-over at a context switch). */
void lockcheck_acquired(struct spinlock *l, struct thread *t);

/* Before the current thread gives @l up. */
void lockcheck_release(struct spinlock *l);
