/*
 * Futexes: wait and wake on a user word (Franke, Russell, Kirkwood 2002).
 *
 * A waiter stands in the wait queue of a bucket, found by hashing its key: where the word is, for
 * everybody who can reach it. That is (inode, offset) in a shared mapping and (address space,
 * address) elsewhere, so copy on write never parts a waiter from its waker.
 *
 * The promise of FUTEX_WAIT is kept by the bucket's lock:
 *
 *	waiter                               waker
 *	lock bucket                          word = new
 *	word == old? link into the queue     lock bucket: find the waiter, claim it
 *	unlock, block                        unlock
 *
 *  F1  The word is compared under the lock of the bucket that the waiter then stands in. So a waker
 *      that changed the word before is seen, one that changes it after finds the waiter.
 *  F2  A link is in the bucket that it names. Requeue changes that under both buckets' locks, and a
 *      waiter on its way out looks again after taking the lock.
 *  F3  A wait that a timeout or kill has claimed is neither woken nor requeued: it eats no wake-up.
 *
 * Lock order: address space (a mutex) before buckets; two buckets by address. A bucket's lock is
 * that of its wait queue.
 */
#include "futex.h"

#include "cpu.h"
#include "errno.h"
#include "process.h"
#include "rbtree.h"
#include "thread.h"
#include "vm.h"

#define BUCKETS		256

struct futex_key {
	u64 object;		/* inode or address space */
	u64 where;		/* offset or address */
};

/* One waiting thread, on its stack. link.key and link.key2 hold the key. */
struct futex_waiter {
	struct wait_link link;
	struct wait_queue *_Atomic bucket;	/* [both buckets' locks to change] F2 */
	u32 bitset;				/* [const] */
};

static struct wait_queue buckets[BUCKETS];

void futex_init(void)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		wait_queue_init(&buckets[i]);
}

/* --- Keys and buckets ------------------------------------------------------------------------- */

/* Where the word of a shared mapping is; false if it is not in one. as->lock held. */
static bool shared_key(struct addr_space *as, vaddr_t uaddr, struct futex_key *key)
{
	struct rb_node *n = as->regions.root;

	while (n) {
		struct region *r = container_of(n, struct region, node);

		if (uaddr >= r->start && uaddr < r->end) {
			key->object = (u64)r->inode;
			key->where = (u64)r->offset + (uaddr - r->start);
			return r->flags & REGION_SHARED;
		}
		n = uaddr < r->start ? n->left : n->right;
	}
	return false;
}

static int futex_key(vaddr_t uaddr, bool shared, struct futex_key *key)
{
	struct addr_space *as = current_thread()->as;
	bool found = false;

	if (uaddr % sizeof(u32))
		return -EINVAL;
	if (!user_range_ok(uaddr, sizeof(u32)))
		return -EFAULT;
	if (shared) {
		mutex_lock(&as->lock);
		found = shared_key(as, uaddr, key);
		mutex_unlock(&as->lock);
	}
	if (!found)
		*key = (struct futex_key){ .object = (u64)as, .where = uaddr };
	return 0;
}

static struct wait_queue *bucket_of(const struct futex_key *key)
{
	u64 hash = (key->object ^ key->where) * 0x9e3779b97f4a7c15UL;	/* Fibonacci hashing */

	return &buckets[hash >> 56];
}

static void set_key(struct wait_link *link, const struct futex_key *key)
{
	link->key = key->object;
	link->key2 = key->where;
}

static bool has_key(const struct wait_link *link, const struct futex_key *key)
{
	return link->key == key->object && link->key2 == key->where;
}

/* Two of a class cannot deadlock: the one at the lower address comes first. */
static void lock_two(struct wait_queue *a, struct wait_queue *b)
{
	spin_lock(&MIN(a, b)->lock);
	if (a != b)
		spin_lock_nested(&MAX(a, b)->lock);
}

static void unlock_two(struct wait_queue *a, struct wait_queue *b)
{
	if (a != b)
		spin_unlock(&b->lock);
	spin_unlock(&a->lock);
}

/*
 * Locks @a and @b (which may be one) with *uaddr == val seen under the locks: 0, with both held;
 * -EAGAIN if the word differs, -EFAULT. The page may have to be faulted in, which nobody does under
 * a spin lock: then everything is let go and tried again.
 */
static int lock_and_compare(struct wait_queue *a, struct wait_queue *b, vaddr_t uaddr, u32 val)
{
	u32 word;

	for (;;) {
		int err;

		lock_two(a, b);
		err = peek_user32(&word, uaddr);
		if (!err && word == val)
			return 0;
		unlock_two(a, b);
		if (!err)
			return -EAGAIN;
		if (copy_from_user(&word, uaddr, sizeof(word)))
			return -EFAULT;
	}
}

/* --- Wait, wake, requeue ---------------------------------------------------------------------- */

/* Takes the waiter out of whatever bucket it is in by now (F2). */
static void leave(struct futex_waiter *fw)
{
	for (;;) {
		struct wait_queue *q = atomic_load(&fw->bucket);

		spin_lock(&q->lock);
		if (q == atomic_load(&fw->bucket)) {
			wait_unlink(q, &fw->link);
			spin_unlock(&q->lock);
			return;
		}
		spin_unlock(&q->lock);
	}
}

int futex_wait(vaddr_t uaddr, bool shared, u32 val, u32 bitset, struct deadline d)
{
	struct futex_waiter fw = { .bitset = bitset };
	struct futex_key key;
	struct wait_queue *q;
	struct waiter w;
	int err;

	if (!bitset)
		return -EINVAL;
	err = futex_key(uaddr, shared, &key);
	if (err)
		return err;
	q = bucket_of(&key);
	set_key(&fw.link, &key);
	atomic_init(&fw.bucket, q);
	waiter_init(&w, 0);
	err = lock_and_compare(q, q, uaddr, val);
	if (err)
		return err;
	err = wait_link(q, &fw.link, &w);
	assert(err == 0);		/* buckets are never destroyed */
	spin_unlock(&q->lock);
	err = waiter_block(&w, d);
	leave(&fw);
	return err;
}

/* Wakes up to @nr waiters on @key, but at least one, as Linux does. q->lock held. */
static unsigned wake_matching(struct wait_queue *q, const struct futex_key *key, unsigned nr,
			      u32 bitset)
{
	unsigned woken = 0;

	list_for_each_safe(link, &q->links, struct wait_link, node) {
		if (!has_key(link, key))
			continue;
		if (!(container_of(link, struct futex_waiter, link)->bitset & bitset))
			continue;
		list_remove(&link->node);
		if (waiter_claim(link->waiter, WAIT_EVENT, 0) && ++woken >= nr)
			break;
	}
	return woken;
}

int futex_wake(vaddr_t uaddr, bool shared, unsigned nr, u32 bitset)
{
	struct futex_key key;
	struct wait_queue *q;
	int result = bitset ? futex_key(uaddr, shared, &key) : -EINVAL;

	if (result)
		return result;
	q = bucket_of(&key);
	spin_lock(&q->lock);
	result = wake_matching(q, &key, nr, bitset);
	spin_unlock(&q->lock);
	return result;
}

/* Both locks held. */
static void move_waiter(struct wait_link *link, struct wait_queue *from, struct wait_queue *to,
			const struct futex_key *key)
{
	set_key(link, key);
	if (from == to)
		return;
	list_remove(&link->node);
	from->nr--;
	list_push_back(&to->links, &link->node);
	to->nr++;
	link->q = to;
	atomic_store(&container_of(link, struct futex_waiter, link)->bucket, to);
}

/* Wakes the first @nr_wake waiters, moves the next @nr_move; how many in all. Both locks held. */
static int wake_and_move(struct wait_queue *from, const struct futex_key *from_key,
			 struct wait_queue *to, const struct futex_key *to_key,
			 unsigned nr_wake, unsigned nr_move)
{
	unsigned woken = 0, moved = 0;

	list_for_each_safe(link, &from->links, struct wait_link, node) {
		if (!has_key(link, from_key) || atomic_load(&link->waiter->why) != WAIT_ARMED)
			continue;			/* F3 */
		if (woken < nr_wake) {
			list_remove(&link->node);
			woken += waiter_claim(link->waiter, WAIT_EVENT, 0);
			continue;
		}
		if (moved == nr_move)
			break;
		move_waiter(link, from, to, to_key);
		moved++;
	}
	return woken + moved;
}

int futex_requeue(vaddr_t from, vaddr_t to, bool shared, unsigned nr_wake, unsigned nr_requeue,
		  const u32 *cmp)
{
	struct futex_key from_key, to_key;
	struct wait_queue *a, *b;
	int result = futex_key(from, shared, &from_key);

	if (!result)
		result = futex_key(to, shared, &to_key);
	if (result)
		return result;
	a = bucket_of(&from_key);
	b = bucket_of(&to_key);
	if (cmp)
		result = lock_and_compare(a, b, from, *cmp);
	else
		lock_two(a, b);
	if (result)
		return result;
	result = wake_and_move(a, &from_key, b, &to_key, nr_wake, nr_requeue);
	unlock_two(a, b);
	return result;
}

/* --- A thread's end --------------------------------------------------------------------------- */

/* The word of a robust lock: who holds it, that somebody waits, that the holder died. */
#define ROBUST_TID	0x3fffffffu
#define ROBUST_DIED	0x40000000u
#define ROBUST_WAITERS	0x80000000u

#define ROBUST_MAX	2048		/* a list that is longer has been tampered with */

struct robust_list_head {
	vaddr_t next;			/* the last entry points back here; bit 0 marks a PI lock */
	s64 word_offset;		/* from an entry to its lock's word */
	vaddr_t pending;		/* being locked or unlocked when the thread died */
};

/* Marks a lock that the dying thread holds as abandoned and wakes one of those who wait for it. */
static void abandon_lock(vaddr_t uaddr, tid_t tid, bool pending)
{
	u32 word, seen;

	if (uaddr % sizeof(u32) || !user_range_ok(uaddr, sizeof(u32)))
		return;
	if (copy_from_user(&word, uaddr, sizeof(word)))
		return;
	while ((word & ROBUST_TID) == (u32)tid) {
		u32 abandoned = (word & ROBUST_WAITERS) | ROBUST_DIED;

		if (arch_user_cmpxchg32((u32 *)uaddr, word, abandoned, &seen))
			return;
		if (seen == word) {
			if (word & ROBUST_WAITERS)
				futex_wake(uaddr, true, 1, FUTEX_BITSET_ALL);
			return;
		}
		word = seen;
	}
	/* It died between unlocking and waking. */
	if (pending && !word)
		futex_wake(uaddr, true, 1, FUTEX_BITSET_ALL);
}

static void walk_robust_list(struct thread *t)
{
	struct robust_list_head head;
	vaddr_t entry, next;

	if (copy_from_user(&head, t->robust_list, sizeof(head)))
		return;
	entry = head.next & ~1UL;
	for (unsigned n = 0; n < ROBUST_MAX && entry != t->robust_list; n++) {
		/* Read before the lock is let go: its next holder may change the list. */
		bool more = !copy_from_user(&next, entry, sizeof(next));

		if (entry != (head.pending & ~1UL))
			abandon_lock(entry + head.word_offset, t->tid, false);
		if (!more)
			return;
		entry = next & ~1UL;
	}
	if (head.pending & ~1UL)
		abandon_lock((head.pending & ~1UL) + head.word_offset, t->tid, true);
}

/* Nobody else can see the memory of @p: this is its last thread, or all are dying. */
static bool unobserved(struct process *p)
{
	return atomic_load(&p->as->refs) == 1 &&
	       (p->nr_threads == 1 || process_state(p) != PROCESS_ALIVE);
}

/* Makes @as the current thread's, for the reaper; returns the one before. */
static struct addr_space *enter(struct addr_space *as)
{
	struct thread *self = current_thread();
	struct addr_space *old = self->as;

	irq_off();
	self->as = as;
	as_switch(as);
	irq_on();
	return old;
}

void futex_thread_exit(struct thread *t)
{
	struct process *p = t->process;
	bool tell = t->clear_tid && !unobserved(p);	/* spares a forked child a page copy */
	struct addr_space *own;
	u32 zero = 0;

	if (!t->robust_list && !tell)
		return;
	own = enter(p->as);
	if (t->robust_list)
		walk_robust_list(t);
	if (tell && !copy_to_user(t->clear_tid, &zero, sizeof(zero)))
		futex_wake(t->clear_tid, true, 1, FUTEX_BITSET_ALL);
	enter(own);
	t->robust_list = 0;
	t->clear_tid = 0;
}
