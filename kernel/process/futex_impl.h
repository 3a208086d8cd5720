/*
 * Shared by the futex files.
 */
#pragma once

#include "process/futex.h"
#include "sched/wait.h"
#include "types.h"

/* The word of a robust or PI lock: who holds it, that its holder died, that somebody waits. */
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
	/* [both buckets' locks to change] FUTEX2; NULL: it has been moved to a PI lock */
	struct wait_queue *_Atomic bucket;
	u32 bitset;			/* [const] */
	u32 priority;			/* [const] real-time priority, FUTEX4; 0: none */
	struct pi_futex_waiter *pi;	/* [const] waits to be moved to a PI lock; or NULL */
};

/*
 * Where the word is, for everybody who can reach it. @access: VM_WRITE, or VM_READ if it is only
 * looked at. -EINVAL, -EFAULT. May block.
 */
int futex_key(vaddr_t uaddr, bool shared, unsigned access, struct futex_key *key);

/* Makes the word writable, without changing it: 0 or -EFAULT. No spin lock held. */
int futex_fault_in(vaddr_t uaddr);

struct wait_queue *futex_bucket(const struct futex_key *key);

static inline bool futex_has_key(const struct wait_link *link, const struct futex_key *key)
{
	return link->key2 == key->where && link->key == key->object;
}

/* A wait for @key, not yet in its bucket. */
void futex_waiter_init(struct futex_waiter *fw, const struct futex_key *key, u32 bitset);

/* Does anybody stand in a bucket with @key? The bucket is locked. */
bool futex_has_waiters(const struct futex_key *key);

/* Is there a PI lock with waiters at @key? Plain calls do not touch them. */
bool futex_pi_is_lock(const struct futex_key *key);

/* Puts it there if *uaddr is @val (FUTEX1): 0, -EAGAIN, -EFAULT. */
int futex_enter(struct futex_waiter *fw, struct waiter *w, vaddr_t uaddr, u32 val);

/* Takes it out of whatever bucket it is in by now (FUTEX2). False: of none, it is at a PI lock. */
bool futex_leave(struct futex_waiter *fw);

/* @t, which ends, gives up its PI locks to who waits for them. */
struct thread;
void futex_pi_exit(struct thread *t);
void futex_pi_init(void);
