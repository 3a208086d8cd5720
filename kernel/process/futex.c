/*
 * Futexes: wait and wake on a user word (Franke, Russell, Kirkwood 2002).
 *
 * A waiter stands in the wait queue of a bucket, found by hashing its key. The key names the word
 * in the same way for every thread that can reach it: (inode, offset) in a shared mapping, (address
 * space, address) elsewhere. So copy on write never separates a waiter from its waker.
 *
 * The bucket's lock makes FUTEX_WAIT's compare and block atomic:
 *
 *	waiter                               waker
 *	lock bucket                          word = new
 *	word == old? link into the queue     lock bucket: find the waiter, claim it
 *	unlock, block                        unlock
 *
 *  FUTEX1  The word is compared under the lock of the bucket that the waiter then stands in. If a
 *          waker changed the word before, the comparison sees it; if later, the waker finds the
 *          waiter.
 *  FUTEX2  A link is in the bucket that it names. Requeue changes that under both buckets' locks,
 *          and a waiter that leaves checks the name again after taking the lock.
 *  FUTEX3  A wait that a timeout or kill has claimed is neither woken nor requeued, so it uses up
 *          no wake-up.
 *  FUTEX4  Real-time threads stand in front, the highest priority (on arrival) first; equals, and
 *          all others, in order of arrival. They are woken and requeued in that order.
 *
 * PI locks are in futex_pi.c, locks whose holder ends in robust.c.
 *
 * Lock order: address space (a mutex) before buckets; two buckets by address. A bucket's lock is
 * that of its wait queue.
 */
#include "futex_impl.h"

#include "base/rbtree.h"
#include "errno.h"
#include "mm/vm.h"
#include "thread/thread.h"

#define BUCKETS		2048

static struct wait_queue buckets[BUCKETS];

void futex_init(void)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		wait_queue_init(&buckets[i]);
	futex_pi_init();
}

/* --- Keys and buckets ------------------------------------------------------------------------- */

/* Makes the key of a word in a shared mapping; false if it is not in one. */
static bool shared_key(struct addr_space *as, vaddr_t uaddr, struct futex_key *key)
	HOLDS(as->lock)
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

/* Checks for memory with the right @access, for shared keys: a private key is just an address. */
static bool word_is_there(struct addr_space *as, vaddr_t uaddr, unsigned access)
{
	int err;
	struct page *page = as_pin_page(as, uaddr, access, &err);

	if (page)
		page_put(page);
	return page;
}

int futex_key(vaddr_t uaddr, bool shared, unsigned access, struct futex_key *key)
{
	struct addr_space *as = current_thread()->as;
	bool found = false, writable;

	if (uaddr % sizeof(u32))
		return -EINVAL;
	if (!user_range_ok(uaddr, sizeof(u32)))
		return -EFAULT;
	if (shared) {
		writable = word_is_there(as, uaddr, VM_WRITE);
		if (!writable && (access == VM_WRITE || !word_is_there(as, uaddr, VM_READ)))
			return -EFAULT;
		mutex_lock(&as->lock);
		found = shared_key(as, uaddr, key);
		mutex_unlock(&as->lock);
		if (!found && !writable)	/* private memory that no thread can change */
			return -EFAULT;
	}
	if (!found)
		*key = (struct futex_key){ .object = (u64)as, .where = uaddr };
	return 0;
}

struct wait_queue *futex_bucket(const struct futex_key *key)
{
	u64 hash = (key->object ^ key->where) * 0x9e3779b97f4a7c15UL;	/* Fibonacci hashing */

	return &buckets[hash >> 53];
}

bool futex_has_waiters(const struct futex_key *key)
{
	struct wait_queue *q = futex_bucket(key);

	assert_held(&q->lock);
	list_for_each(link, &q->links, struct wait_link, node)
		if (futex_has_key(link, key))
			return true;
	return false;
}

static void set_key(struct wait_link *link, const struct futex_key *key)
{
	link->key = key->object;
	link->key2 = key->where;
}

/* Two locks of one class do not deadlock: the one at the lower address comes first. */
static void lock_two(struct wait_queue *a, struct wait_queue *b) ACQUIRES(a->lock)
	NO_LOCK_ANALYSIS("@a and @b may be the same: only @a is declared")
{
	spin_lock(&MIN(a, b)->lock);
	if (a != b)
		spin_lock_nested(&MAX(a, b)->lock);
}

static void unlock_two(struct wait_queue *a, struct wait_queue *b) RELEASES(a->lock)
	NO_LOCK_ANALYSIS("as above")
{
	if (a != b)
		spin_unlock(&b->lock);
	spin_unlock(&a->lock);
}

/*
 * Locks @a and @b (which may be the same) and compares *uaddr with *val (NULL: no comparison).
 * Returns 0 with both locked; -EAGAIN if the word differs; -EFAULT. A page that is missing cannot
 * be faulted in under a spin lock: then this unlocks both, faults it in and tries again.
 */
static int lock_and_compare(struct wait_queue *a, struct wait_queue *b, vaddr_t uaddr,
			    const u32 *val)
	TRY_ACQUIRES(0, a->lock)
{
	for (;;) {
		u32 word;
		int err;

		lock_two(a, b);
		err = val ? peek_user32(&word, uaddr) : 0;
		if (!err && (!val || word == *val))
			return 0;
		unlock_two(a, b);
		if (!err)
			return -EAGAIN;
		if (copy_from_user(&word, uaddr, sizeof(word)))
			return -EFAULT;
	}
}

int futex_fault_in(vaddr_t uaddr)
{
	u32 word = 0;

	for (;;) {
		u32 seen;

		if (arch_user_cmpxchg32((u32 *)uaddr, word, word, &seen))
			return -EFAULT;
		if (seen == word)
			return 0;
		word = seen;
	}
}

/* --- Wait, wake, requeue ---------------------------------------------------------------------- */

void futex_waiter_init(struct futex_waiter *fw, const struct futex_key *key, u32 bitset)
{
	*fw = (struct futex_waiter){
		.bitset = bitset,
		.priority = current_thread()->se.params.rt_priority,
	};
	set_key(&fw->link, key);
	atomic_init(&fw->bucket, futex_bucket(key));
}

static struct futex_waiter *futex_waiter_of(struct wait_link *link)
{
	return container_of(link, struct futex_waiter, link);
}

/* FUTEX4: moves @link, the last of @q, to its place. */
static void place(struct wait_queue *q, struct wait_link *link)
{
	u32 priority = futex_waiter_of(link)->priority;
	struct list_node *before = &q->links;

	if (likely(!priority))
		return;
	assert_held(&q->lock);
	list_remove(&link->node);
	list_for_each(other, &q->links, struct wait_link, node) {
		if (futex_waiter_of(other)->priority < priority) {
			before = &other->node;
			break;
		}
	}
	list_insert_before(before, &link->node);
}

int futex_enter(struct futex_waiter *fw, struct waiter *w, vaddr_t uaddr, u32 val)
{
	struct wait_queue *q = atomic_load(&fw->bucket);
	int err = lock_and_compare(q, q, uaddr, &val);

	if (err)
		return err;
	err = wait_link(q, &fw->link, w);
	assert(err == 0);		/* buckets are never destroyed */
	place(q, &fw->link);
	spin_unlock(&q->lock);
	return 0;
}

bool futex_leave(struct futex_waiter *fw)
{
	struct wait_queue *q;

	while ((q = atomic_load(&fw->bucket))) {
		spin_lock(&q->lock);
		if (q == atomic_load(&fw->bucket)) {
			if (DEBUG_BUILD)
				assert(fw->link.q == q);	/* FUTEX2 */
			wait_unlink(q, &fw->link);
			spin_unlock(&q->lock);
			return true;
		}
		spin_unlock(&q->lock);
	}
	return false;
}

int futex_wait(vaddr_t uaddr, bool shared, u32 val, u32 bitset, struct deadline d)
{
	struct futex_waiter fw;
	struct futex_key key;
	struct waiter w;
	int err;

	if (!bitset)
		return -EINVAL;
	err = futex_key(uaddr, shared, VM_READ, &key);
	if (err)
		return err;
	futex_waiter_init(&fw, &key, bitset);
	waiter_init(&w, 0);
	err = futex_enter(&fw, &w, uaddr, val);
	if (err)
		return err;
	err = waiter_block(&w, d);
	futex_leave(&fw);
	return err;
}

/* Wakes up to @nr waiters on @key, but at least one, as Linux does. */
static int wake_matching(struct wait_queue *q, const struct futex_key *key, unsigned nr, u32 bitset)
{
	unsigned woken = 0;

	if (DEBUG_BUILD)
		assert_held(&q->lock);

	list_for_each_safe(link, &q->links, struct wait_link, node) {
		struct futex_waiter *fw = futex_waiter_of(link);

		if (!futex_has_key(link, key) || !(fw->bitset & bitset))
			continue;
		if (fw->pi)
			return -EINVAL;		/* it waits to be moved, not woken */
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
	int result = bitset ? futex_key(uaddr, shared, VM_READ, &key) : -EINVAL;

	if (result)
		return result;
	if (futex_pi_is_lock(&key))
		return -EINVAL;
	q = futex_bucket(&key);
	spin_lock(&q->lock);
	result = wake_matching(q, &key, nr, bitset);
	spin_unlock(&q->lock);
	return result;
}

/* Moves @link to @key in @to, whose lock is held as well as that of @from. */
static void move_waiter(struct wait_link *link, struct wait_queue *from, struct wait_queue *to,
			const struct futex_key *key) HOLDS(from->lock)
{
	set_key(link, key);
	if (from == to)
		return;
	list_remove(&link->node);
	from->nr--;
	list_push_back(&to->links, &link->node);
	place(to, link);
	to->nr++;
	link->q = to;
	atomic_store(&container_of(link, struct futex_waiter, link)->bucket, to);
}

/* Wakes the first @nr_wake waiters and moves the next @nr_move; returns how many in all. */
static int wake_and_move(struct wait_queue *from, const struct futex_key *from_key,
			 struct wait_queue *to, const struct futex_key *to_key,
			 unsigned nr_wake, unsigned nr_move) HOLDS(from->lock)
{
	unsigned woken = 0, moved = 0;

	list_for_each_safe(link, &from->links, struct wait_link, node) {
		if (!futex_has_key(link, from_key) || atomic_load(&link->waiter->why) != WAIT_ARMED)
			continue;			/* FUTEX3 */
		if (futex_waiter_of(link)->pi)
			return -EINVAL;
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
	int result = futex_key(from, shared, VM_READ, &from_key);

	if (!result)
		result = futex_key(to, shared, VM_READ, &to_key);
	if (result)
		return result;
	if (futex_pi_is_lock(&from_key))
		return -EINVAL;
	a = futex_bucket(&from_key);
	b = futex_bucket(&to_key);
	result = lock_and_compare(a, b, from, cmp);
	if (result)
		return result;
	result = wake_and_move(a, &from_key, b, &to_key, nr_wake, nr_requeue);
	unlock_two(a, b);
	return result;
}

/* --- Wake waiters on two words, the second by its value --------------------------------------- */

#define OP_IS_A_BIT	8u	/* the operand is a bit's number */

/* Extracts one of the operation's two operands, signed numbers of 12 bits. */
static s32 operand(u32 op, unsigned shift)
{
	return (s32)(op << (20 - shift)) >> 20;
}

/* Computes the changed word. -ENOSYS: there is no such operation. */
static int changed_word(u32 op, u32 old, u32 *new)
{
	u32 how = op >> 28, value = (u32)operand(op, 12);

	if (how & OP_IS_A_BIT)
		value = 1u << (value & 31);
	switch (how & ~OP_IS_A_BIT) {
	case 0:
		*new = value;
		return 0;
	case 1:
		*new = old + value;
		return 0;
	case 2:
		*new = old | value;
		return 0;
	case 3:
		*new = old & ~value;
		return 0;
	case 4:
		*new = old ^ value;
		return 0;
	default:
		return -ENOSYS;
	}
}

static int compare_word(u32 op, s32 old)
{
	s32 with = operand(op, 0);

	switch (op >> 24 & 15) {
	case 0:
		return old == with;
	case 1:
		return old != with;
	case 2:
		return old < with;
	case 3:
		return old <= with;
	case 4:
		return old > with;
	case 5:
		return old >= with;
	default:
		return -ENOSYS;
	}
}

/* Changes the word, then compares its old value: 0 (false), 1 (true), -ENOSYS, -EFAULT. */
static int change_and_compare(vaddr_t uaddr, u32 op)
{
	u32 old, new, seen;
	int err = peek_user32(&old, uaddr);

	while (!err) {
		err = changed_word(op, old, &new);
		if (!err && arch_user_cmpxchg32((u32 *)uaddr, old, new, &seen))
			err = -EFAULT;
		if (!err && seen == old)
			return compare_word(op, (s32)old);
		old = seen;
	}
	return err;
}

int futex_wake_op(vaddr_t one, vaddr_t two, bool shared, unsigned nr_one, unsigned nr_two, u32 op)
{
	struct futex_key first, second;
	struct wait_queue *a, *b;
	int result = futex_key(one, shared, VM_READ, &first), more;

	if (!result)
		result = futex_key(two, shared, VM_WRITE, &second);
	if (result)
		return result;
	if (futex_pi_is_lock(&first) || futex_pi_is_lock(&second))
		return -EINVAL;
	a = futex_bucket(&first);
	b = futex_bucket(&second);
	for (;;) {
		lock_two(a, b);
		more = change_and_compare(two, op);
		if (more >= 0)
			break;
		unlock_two(a, b);
		if (more != -EFAULT || futex_fault_in(two))
			return more;
	}
	result = wake_matching(a, &first, nr_one, FUTEX_BITSET_ALL);
	if (result >= 0 && more) {
		more = wake_matching(b, &second, nr_two, FUTEX_BITSET_ALL);
		result = more < 0 ? more : result + more;
	}
	unlock_two(a, b);
	return result;
}
