/*
 * Shared by the futex files.
 */
#pragma once

#include "process/futex.h"
#include "sched/wait.h"
#include "types.h"

/* The word of a robust or PI lock: its owner's id, a dead owner's mark, a mark for waiters. */
#define FUTEX_TID	0x3fffffffu
#define FUTEX_DIED	0x40000000u
#define FUTEX_WAITERS	0x80000000u

struct futex_key {
	u64 object;		/* inode or address space */
	u64 where;		/* offset or address */
};

static inline bool same_key(const struct futex_key *a, const struct futex_key *b)
{
	return a->object == b->object && a->where == b->where;
}

struct pi_futex_waiter;

/* One waiting thread, on its stack. link.key and link.key2 hold the key. */
struct futex_waiter {
	struct wait_link link;
	/* [both buckets' locks to change] FUTEX2; NULL: moved to a PI lock */
	struct wait_queue *_Atomic bucket;
	u32 bitset;			/* [const] */
	u32 priority;			/* [const] real-time priority, FUTEX4; 0: none */
	struct pi_futex_waiter *pi;	/* [const] if it waits to be moved to a PI lock; or NULL */
};

/*
 * Makes the key of a word. @access is VM_WRITE, or VM_READ if the word is only read. 0, -EINVAL,
 * -EFAULT. May block.
 */
int futex_key(vaddr_t uaddr, bool shared, unsigned access, struct futex_key *key);

/* Makes the word's page writable, without changing the word: 0 or -EFAULT. May block. */
int futex_fault_in(vaddr_t uaddr);

struct wait_queue *futex_bucket(const struct futex_key *key);

static inline bool futex_has_key(const struct wait_link *link, const struct futex_key *key)
{
	return link->key2 == key->where && link->key == key->object;
}

/* Prepares a wait for @key; futex_enter() puts it into its bucket. */
void futex_waiter_init(struct futex_waiter *fw, const struct futex_key *key, u32 bitset);

/* Checks for waiters on @key, whose bucket is locked. */
bool futex_has_waiters(const struct futex_key *key);

/* Checks for a PI lock with waiters at @key, which plain futex calls must not touch. */
bool futex_pi_is_lock(const struct futex_key *key);

/* Puts @fw into its bucket if *uaddr is @val (FUTEX1): 0, -EAGAIN, -EFAULT. */
int futex_enter(struct futex_waiter *fw, struct waiter *w, vaddr_t uaddr, u32 val);

/* Takes @fw out of the bucket that it is in by now (FUTEX2). False: it is at a PI lock. */
bool futex_leave(struct futex_waiter *fw);

/* Passes the PI locks of @t, which ends, on to their waiters. */
struct thread;
void futex_pi_exit(struct thread *t);
void futex_pi_init(void);
