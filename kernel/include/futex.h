/*
 * Futexes (Franke, Russell, Kirkwood 2002; Linux's futex(2)): wait and wake on a user word.
 * A private key is (address space, address), a shared one (inode or frame, offset).
 */
#pragma once

#include "types.h"
#include "wait.h"

struct thread;

#define FUTEX_BITSET_ALL	0xffffffffu

int futex_wait(vaddr_t uaddr, bool shared, u32 val, u32 bitset, struct deadline d);
int futex_wake(vaddr_t uaddr, bool shared, unsigned nr, u32 bitset);
int futex_requeue(vaddr_t from, vaddr_t to, bool shared, unsigned nr_wake, unsigned nr_requeue,
		  const u32 *cmp);

/*
 * At thread exit, while its memory is still there: zero and wake clear_tid, walk the robust list.
 * The caller is the thread, or the reaper for one that died without running again.
 */
void futex_thread_exit(struct thread *t);
void futex_init(void);
