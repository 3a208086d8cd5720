/*
 * PI futexes: user-space locks whose owner inherits the urgency of their waiters.
 *
 * The word holds its owner's thread id. Without waiters, user space locks and unlocks it by
 * compare-exchange, and the kernel does not know of it. The first waiter finds the owner by that
 * id and makes a struct pi_futex: a pi_queue (pi.h) under the word's key, which the last waiter
 * frees. pi_lock guards all of it.
 *
 *  FUTEXPI1  While a lock has waiters its word has FUTEX_WAITERS, so that its owner unlocks in the
 *            kernel. The word also has the id of queue.owner, or the owner has died.
 *  FUTEXPI2  The word is written first, then the lock changes hands: if the word cannot be written,
 *            nothing changes. The page is faulted in without pi_lock, and the step begun again.
 *  FUTEXPI3  queue.owner is NULL while a lock is free and no thread has written the word yet: its
 *            owner died, or waiters were moved here (requeue). Then at least one waiter is awake or
 *            waking up, and the first to arrive takes the lock.
 *  FUTEXPI4  A word is a PI lock or has plain waiters. A call that would make it both is EINVAL.
 *
 * Lock order: pi_lock, then a bucket.
 */
#include "errno.h"
#include "futex_impl.h"
#include "mm/mm.h"
#include "mm/vm.h"
#include "process/process.h"
#include "sync/pi.h"
#include "thread/thread.h"

#define TABLE	64

struct pi_futex {
	struct pi_queue queue;
	struct futex_key key;		/* [const] */
	struct list_node node;		/* [pi_lock] in the table */
};

struct pi_futex_waiter {		/* on the waiting thread's stack */
	struct pi_waiter pi;
	struct pi_futex *spare;		/* [pi_lock] becomes the lock's if it has none yet */
	struct futex_waiter fw;		/* for futex_wait_requeue_pi(): */
	struct futex_key target;	/* the lock to be moved to */
};

/* A lock as it was last read; the step is begun again if the word has changed since. */
struct request {
	vaddr_t uaddr;
	struct futex_key key;
	u32 word;
	struct thread *owner;		/* the word's, referenced; NULL: no such thread */
	bool no_lock;			/* FUTEXPI4, for move() */
};

/* Results of a step beside errors. CHANGED: the word has changed; ABSENT: fault it in. */
enum { CHANGED = 1, ABSENT, WAITING };

static struct list_node table[TABLE];

void futex_pi_init(void)
{
	for (unsigned i = 0; i < TABLE; i++)
		list_init(&table[i]);
}

static struct list_node *chain_of(const struct futex_key *key)
{
	return &table[((key->object ^ key->where) * 0x9e3779b97f4a7c15UL) >> 58];
}

static struct pi_futex *find(const struct futex_key *key) HOLDS(pi_lock)
{
	list_for_each(f, chain_of(key), struct pi_futex, node)
		if (same_key(&f->key, key))
			return f;
	return NULL;
}

bool futex_pi_is_lock(const struct futex_key *key)
{
	bool is_lock;

	if (list_empty(chain_of(key)))		/* a hint: most programs have no PI locks */
		return false;
	spin_lock(&pi_lock);
	is_lock = find(key);
	spin_unlock(&pi_lock);
	return is_lock;
}

/* FUTEXPI4 */
static bool is_no_lock(const struct futex_key *key) HOLDS(pi_lock)
{
	struct wait_queue *bucket = futex_bucket(key);
	bool waited_for;

	spin_lock(&bucket->lock);
	waited_for = futex_has_waiters(key);
	spin_unlock(&bucket->lock);
	return waited_for && !find(key);
}

/* Frees @f if its last waiter has left. */
static void end_if_empty(struct pi_futex *f) HOLDS(pi_lock)
{
	if (pi_has_waiters(&f->queue))
		return;
	list_remove(&f->node);
	kfree(f);
}

/* --- The word --------------------------------------------------------------------------------- */

/* Writes the word if it is @old: 0, CHANGED; ABSENT, as a page cannot be faulted in here. */
static int exchange(vaddr_t uaddr, u32 old, u32 new) HOLDS(pi_lock)
{
	u32 seen;

	if (arch_user_cmpxchg32((u32 *)uaddr, old, new, &seen))
		return ABSENT;
	return seen == old ? 0 : CHANGED;
}

/* exchange() unless plain futex calls wait for the word (FUTEXPI4), under the bucket's lock. */
static int exchange_alone(const struct futex_key *key, vaddr_t uaddr, u32 old, u32 new)
	HOLDS(pi_lock)
{
	struct wait_queue *bucket = futex_bucket(key);
	int err;

	spin_lock(&bucket->lock);
	err = futex_has_waiters(key) ? -EINVAL : exchange(uaddr, old, new);
	spin_unlock(&bucket->lock);
	return err;
}

static int request_init(struct request *r, vaddr_t uaddr, bool shared)
{
	*r = (struct request){ .uaddr = uaddr };
	return futex_key(uaddr, shared, VM_WRITE, &r->key);
}

static void request_end(struct request *r)
{
	if (r->owner)
		thread_put(r->owner);
}

/* Reads the word and finds its owner. May block, so no lock is held. */
static int look(struct request *r)
{
	tid_t tid;

	request_end(r);
	r->owner = NULL;
	if (futex_fault_in(r->uaddr) || copy_from_user(&r->word, r->uaddr, sizeof(r->word)))
		return -EFAULT;
	tid = r->word & FUTEX_TID;
	r->owner = tid ? thread_find(tid) : NULL;
	return 0;
}

/* --- Locking ---------------------------------------------------------------------------------- */

/* FUTEXPI1: checks that the word names the owner that the kernel knows. */
static bool agrees(const struct request *r, const struct thread *owner)
{
	tid_t tid = r->word & FUTEX_TID;

	if (!owner || (!tid && (r->word & FUTEX_DIED)))
		return true;		/* it died; the next owner has not written the word yet */
	return tid == owner->tid;
}

/* Checks whether @w's thread may wait for @r's lock of @owner; @f is the lock, or NULL if new. */
static int may_wait(const struct request *r, const struct pi_futex *f, const struct thread *owner,
		    const struct pi_futex_waiter *w) HOLDS(pi_lock)
{
	if (f && !agrees(r, owner))
		return -EINVAL;
	if (!f && (r->word & FUTEX_TID)) {
		if (!owner || owner->pi_closed)
			return -ESRCH;
		if (owner->process == &kernel_process)
			return -EPERM;
	}
	return pi_would_deadlock(w->pi.waiter.thread, owner) ? -EDEADLK : 0;
}

/* Puts @w, which is armed, into the lock's queue: WAITING; CHANGED, ABSENT or an error. */
static int queue(struct request *r, struct pi_futex_waiter *w, bool try) HOLDS(pi_lock)
{
	struct pi_futex *f = find(&r->key);
	struct thread *owner = f ? f->queue.owner : r->owner;
	int err = exchange(r->uaddr, r->word, r->word);

	if (!err)
		err = may_wait(r, f, owner, w);
	if (!err && try)
		err = -EAGAIN;
	if (!err && !(r->word & FUTEX_WAITERS))
		err = exchange(r->uaddr, r->word, r->word | FUTEX_WAITERS);
	if (err)
		return err;
	r->word |= FUTEX_WAITERS;
	if (!f) {
		f = w->spare;
		w->spare = NULL;
		f->key = r->key;
		pi_queue_init(&f->queue);
		list_push_back(chain_of(&f->key), &f->node);
	}
	pi_wait(&f->queue, owner, &w->pi);
	return WAITING;
}

static int take_or_queue(struct request *r, struct pi_futex_waiter *w, bool try) HOLDS(pi_lock)
{
	tid_t self = current_thread()->tid;

	if ((r->word & FUTEX_TID) == (u32)self)
		return -EDEADLK;
	if (!(r->word & FUTEX_TID) && !find(&r->key))
		return exchange_alone(&r->key, r->uaddr, r->word, (r->word & FUTEX_DIED) | self);
	return is_no_lock(&r->key) ? -EINVAL : queue(r, w, try);
}

/*
 * Gives a lock that has come free to @w, which is still in its queue (FUTEXPI3). If the word has an
 * owner, that thread has died. 0, CHANGED, ABSENT.
 */
static int take_free(struct pi_futex_waiter *w, vaddr_t uaddr) HOLDS(pi_lock)
{
	const struct list_node *waiters = &w->pi.queue->waiters;
	u32 word, new = w->pi.waiter.thread->tid;
	int err;

	if (peek_user32(&word, uaddr))
		return ABSENT;
	if (waiters->next != waiters->prev)
		new |= FUTEX_WAITERS;
	if (word & (FUTEX_TID | FUTEX_DIED))
		new |= FUTEX_DIED;
	err = exchange(uaddr, word, new);
	if (!err)
		pi_take(&w->pi);
	return err;
}

/* Checks the lock once after @w's block ended with *@err. 0: the wait is over with result *@err. */
static int settle(struct pi_futex_waiter *w, vaddr_t uaddr, int *err) HOLDS(pi_lock)
{
	if (!w->pi.queue->owner && *err != -EFAULT) {
		int step = take_free(w, uaddr);

		if (step == 0)
			*err = 0;
		return step;
	}
	if (*err == 0 && pi_would_deadlock(w->pi.waiter.thread, w->pi.queue->owner))
		*err = -EDEADLK;
	if (*err == 0) {		/* another thread took the free lock first */
		waiter_init(&w->pi.waiter, 0);
		return WAITING;
	}
	pi_leave(&w->pi);
	pi_offer(w->pi.queue);
	return 0;
}

/*
 * Finishes @w's wait after its block ended with @err. 0: its thread has the lock, handed over or
 * taken when free; an error: it does not, and has left the queue.
 */
static int finish(struct pi_futex_waiter *w, vaddr_t uaddr, int err, struct deadline d)
{
	spin_lock(&pi_lock);
	while (pi_is_waiting(&w->pi)) {
		struct pi_futex *f = container_of(w->pi.queue, struct pi_futex, queue);
		int step = settle(w, uaddr, &err);

		if (step == 0) {
			end_if_empty(f);
			break;
		}
		spin_unlock(&pi_lock);
		if (step == WAITING)
			err = waiter_block(&w->pi.waiter, d);
		else if (step == ABSENT && futex_fault_in(uaddr))
			err = -EFAULT;
		spin_lock(&pi_lock);
	}
	spin_unlock(&pi_lock);
	return err;
}

int futex_lock_pi(vaddr_t uaddr, bool shared, struct deadline d, bool try)
{
	struct pi_futex_waiter w = { .spare = kmalloc(sizeof(struct pi_futex)) };
	struct request r;
	int err;

	if (!w.spare)
		return -ENOMEM;
	waiter_init(&w.pi.waiter, 0);
	err = request_init(&r, uaddr, shared);
	if (!err)
		err = CHANGED;
	while (err == CHANGED || err == ABSENT) {
		err = look(&r);
		if (err)
			break;
		spin_lock(&pi_lock);
		err = take_or_queue(&r, &w, try);
		spin_unlock(&pi_lock);
	}
	if (err == WAITING) {
		err = waiter_block(&w.pi.waiter, d);
		err = finish(&w, uaddr, err, d);
	}
	request_end(&r);
	kfree(w.spare);
	return err;
}

/* --- Unlocking -------------------------------------------------------------------------------- */

/* Hands @f over to the first thread that still waits, or frees it. *@word is kept up to date. */
static int pass(struct pi_futex *f, vaddr_t uaddr, u32 *word) HOLDS(pi_lock)
{
	int err = 0;

	list_for_each_safe(w, &f->queue.waiters, struct pi_waiter, node) {
		bool more = w->node.next != &f->queue.waiters;
		u32 new = w->waiter.thread->tid | (more ? FUTEX_WAITERS : 0);
		enum wait_why why = atomic_load(&w->waiter.why);

		/* EVENT: it was offered the lock, but another thread took it: it still waits */
		if (why == WAIT_ARMED || why == WAIT_EVENT) {
			err = exchange(uaddr, *word, new);
			if (err)
				goto out;
			*word = new;
		}
		if (why == WAIT_EVENT || waiter_swap(&w->waiter, WAIT_EVENT, 0)) {
			pi_pass(w);
			goto out;
		}
		pi_leave(w);		/* its wait has ended by a timeout, signal or kill */
	}
	err = exchange(uaddr, *word, 0);
out:
	end_if_empty(f);
	return err;
}

int futex_unlock_pi(vaddr_t uaddr, bool shared)
{
	struct thread *self = current_thread();
	struct futex_key key;
	u32 word;
	int err = futex_key(uaddr, shared, VM_WRITE, &key);

	if (!err)
		err = CHANGED;
	while (err == CHANGED || err == ABSENT) {
		struct pi_futex *f;

		if (futex_fault_in(uaddr) ||
		    (err == CHANGED && copy_from_user(&word, uaddr, sizeof(word))))
			return -EFAULT;
		if (err == CHANGED && (word & FUTEX_TID) != (u32)self->tid)
			return -EPERM;
		spin_lock(&pi_lock);
		f = find(&key);
		if (!f)
			err = exchange_alone(&key, uaddr, word, 0);
		else if (f->queue.owner != self)
			err = -EINVAL;
		else
			err = pass(f, uaddr, &word);
		spin_unlock(&pi_lock);
	}
	return err;
}

void futex_pi_exit(struct thread *t)
{
	struct pi_queue *q;

	spin_lock(&pi_lock);
	t->pi_closed = true;
	while ((q = list_first(&t->contended, struct pi_queue, held)))
		pi_abandon(q);
	spin_unlock(&pi_lock);
}

/* --- Moving waiters here ---------------------------------------------------------------------- */

int futex_wait_requeue_pi(vaddr_t uaddr, bool shared, u32 val, struct deadline d, vaddr_t lock)
{
	struct pi_futex_waiter w = { .spare = NULL };
	struct futex_key key;
	int err;

	if (uaddr == lock)
		return -EINVAL;
	err = futex_key(uaddr, shared, VM_READ, &key);
	if (!err)
		err = futex_key(lock, shared, VM_WRITE, &w.target);
	if (err)
		return err;
	w.spare = kmalloc(sizeof(struct pi_futex));
	if (!w.spare)
		return -ENOMEM;
	futex_waiter_init(&w.fw, &key, FUTEX_BITSET_ALL);
	w.fw.pi = &w;
	waiter_init(&w.pi.waiter, 0);
	err = futex_enter(&w.fw, &w.pi.waiter, uaddr, val);
	if (!err) {
		err = waiter_block(&w.pi.waiter, d);
		if (!futex_leave(&w.fw))
			err = finish(&w, lock, err, d);
	}
	kfree(w.spare);
	return err;
}

/* Moves up to @max waiters on @from to @r's lock and counts them in *@moved. */
static int move(struct wait_queue *bucket, const struct futex_key *from, struct request *r,
		unsigned max, unsigned *moved) HOLDS(pi_lock) HOLDS(bucket->lock)
{
	list_for_each_safe(link, &bucket->links, struct wait_link, node) {
		struct futex_waiter *fw = container_of(link, struct futex_waiter, link);
		int err;

		if (*moved == max)
			break;
		if (!futex_has_key(link, from) || atomic_load(&link->waiter->why) != WAIT_ARMED)
			continue;
		if (!fw->pi || !same_key(&fw->pi->target, &r->key) || r->no_lock)
			return -EINVAL;
		err = queue(r, fw->pi, false);
		if (err != WAITING)
			return err;
		list_remove(&link->node);
		bucket->nr--;
		atomic_store(&fw->bucket, NULL);
		++*moved;
	}
	return 0;
}

/* Tries once to move waiters, with the lock and the bucket both locked. */
static int try_move(vaddr_t uaddr, const struct futex_key *from, u32 cmp, struct request *r,
		    unsigned max, unsigned *moved)
{
	struct wait_queue *bucket = futex_bucket(from);
	struct pi_futex *f;
	u32 word;
	int err = 0;

	spin_lock(&pi_lock);
	r->no_lock = is_no_lock(&r->key);
	spin_lock(&bucket->lock);
	if (peek_user32(&word, uaddr))
		err = ABSENT;
	else if (word != cmp)
		err = -EAGAIN;
	else
		err = move(bucket, from, r, max, moved);
	spin_unlock(&bucket->lock);
	f = find(&r->key);
	if (f)
		pi_offer(&f->queue);	/* if it is free, the first waiter comes and takes it */
	spin_unlock(&pi_lock);
	return err;
}

int futex_requeue_pi(vaddr_t from, vaddr_t lock, bool shared, unsigned nr_requeue, u32 cmp)
{
	unsigned moved = 0;
	struct futex_key key;
	struct request r;
	u32 word;
	int err = futex_key(from, shared, VM_READ, &key);

	if (!err)
		err = request_init(&r, lock, shared);
	if (err)
		return err;
	if (same_key(&key, &r.key))
		return -EINVAL;
	do {
		err = look(&r);
		if (!err && copy_from_user(&word, from, sizeof(word)))
			err = -EFAULT;
		if (!err)
			err = try_move(from, &key, cmp, &r, nr_requeue + 1, &moved);
	} while (err == CHANGED || err == ABSENT);
	request_end(&r);
	return moved ? (int)moved : err;
}
