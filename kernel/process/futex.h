/*
 * Futexes (Franke, Russell, Kirkwood 2002; Linux's futex(2)): wait and wake on a user word.
 * A private key is (address space, address), a shared one (inode or frame, offset).
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
 * Changes the word *two as @op says, wakes waiters on @one, and those on @two if what was there
 * compares as @op says; how many.
 */
int futex_wake_op(vaddr_t one, vaddr_t two, bool shared, unsigned nr_one, unsigned nr_two, u32 op);

/*
 * Locks that lend urgency (futex_pi.c): 0; -EDEADLK, -ESRCH and so on, as on Linux. @try: -EAGAIN
 * rather than wait.
 */
int futex_lock_pi(vaddr_t uaddr, bool shared, struct deadline d, bool try);
int futex_unlock_pi(vaddr_t uaddr, bool shared);

/* Waits on @uaddr to be moved to the PI lock @lock, and returns with it. */
int futex_wait_requeue_pi(vaddr_t uaddr, bool shared, u32 val, struct deadline d, vaddr_t lock);

/* Moves one and up to @nr_requeue others of those, if *@from is @cmp; how many. */
int futex_requeue_pi(vaddr_t from, vaddr_t lock, bool shared, unsigned nr_requeue, u32 cmp);

/*
 * At thread exit, while its memory is still there: zero and wake clear_tid, walk the robust list.
 * The caller is the thread, or the reaper for one that died without running again.
 */
void futex_thread_exit(struct thread *t);
void futex_init(void);
