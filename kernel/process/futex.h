/*
 * Futexes (Franke, Russell, Kirkwood 2002; Linux's futex(2)): wait and wake on a user word.
 * A private key is (address space, address), a shared one (inode, offset).
 */
#pragma once

#include "sched/wait.h"
#include "types.h"

struct thread;

#define FUTEX_BITSET_ALL	0xffffffffu

int futex_wait(vaddr_t uaddr, bool shared, u32 val, u32 bitset, struct deadline d);
int futex_wake(vaddr_t uaddr, bool shared, unsigned nr, u32 bitset);
int futex_requeue(vaddr_t from, vaddr_t to, bool shared, unsigned nr_wake, unsigned nr_requeue,
		  const u32 *cmp);

/*
 * Changes the word at @two as @op says and wakes waiters on @one; and waiters on @two if the old
 * value compares as @op says. Returns how many it woke.
 */
int futex_wake_op(vaddr_t one, vaddr_t two, bool shared, unsigned nr_one, unsigned nr_two, u32 op);

/*
 * Take and release PI locks (futex_pi.c): 0, or -EDEADLK, -ESRCH and so on, as on Linux. @try:
 * returns -EAGAIN instead of waiting.
 */
int futex_lock_pi(vaddr_t uaddr, bool shared, struct deadline d, bool try);
int futex_unlock_pi(vaddr_t uaddr, bool shared);

/* Waits on @uaddr until moved to the PI lock @lock, and returns as the owner of that. */
int futex_wait_requeue_pi(vaddr_t uaddr, bool shared, u32 val, struct deadline d, vaddr_t lock);

/* Moves one and up to @nr_requeue more of these waiters, if *@from is @cmp; returns how many. */
int futex_requeue_pi(vaddr_t from, vaddr_t lock, bool shared, unsigned nr_requeue, u32 cmp);

/*
 * Ends @t's use of futexes while its memory still exists: zeroes and wakes clear_tid, walks the
 * robust list. Called by @t, or by the reaper if @t died without running again.
 */
void futex_thread_exit(struct thread *t);
void futex_init(void);
