/*
 * Locks on files: those of flock(), and locks on ranges of bytes, whose owner is a process (POSIX)
 * or an open file (OFD). They bind only programs that ask for them.
 *
 * An owner is known by an address: of the open file, or for POSIX locks of the descriptor table,
 * since the process's first close() of the file takes them away, whichever descriptor it closes. A
 * lock holds no reference, because it is removed before its owner and its inode are freed.
 *
 * Lock: lock_mutex guards everything here. One list of all locks and one condition variable for
 * all waiters are enough, since there are few of both.
 *
 *  FILELOCK1  Two locks of different owners on the same bytes of a file never exclude each other.
 *             (flock() and range locks do not exclude each other at all.)
 *  FILELOCK2  No two range locks of one owner overlap, nor do two of one type touch.
 *  FILELOCK3  inode->nr_locks counts its locks, so that closing a file without locks costs nothing.
 */
#include "errno.h"
#include "fs.h"
#include "fs/filelock.h"
#include "mm/mm.h"
#include "sync/sync.h"
#include "text.h"

#define DEADLOCK_DEPTH	10		/* waiters that are followed, as on Linux */

struct file_lock {
	struct list_node link;		/* held */
	struct inode *inode;
	struct lock_request is;
};

/* A thread that waits, on its stack. */
struct lock_wait {
	struct list_node link;		/* waits */
	const struct inode *inode;
	const struct lock_request *want;
};

static struct mutex lock_mutex = MUTEX_INIT(lock_mutex);
static struct list_node held = LIST_INIT(held);		/* [lock_mutex] */
static struct list_node waits = LIST_INIT(waits);	/* [lock_mutex] */
static struct condvar changed;

void filelock_init(void)
{
	condvar_init(&changed);
}

/* --- Conflicts -------------------------------------------------------------------------------- */

static bool is_flock(const struct lock_request *r)
{
	return r->kind == LOCK_KIND_FLOCK;
}

static bool overlap(const struct lock_request *a, const struct lock_request *b)
{
	return a->start <= b->end && b->start <= a->end;
}

/*
 * Whether @r's owner holds @l, taken in @r's way: an open file may have both a flock() and ranges,
 * and they do not change each other.
 */
static bool is_own(const struct file_lock *l, const struct inode *i, const struct lock_request *r)
{
	return l->inode == i && l->is.owner == r->owner && is_flock(&l->is) == is_flock(r);
}

/* Returns the owner's first lock on @r's range, or NULL. */
static struct file_lock *find_own(const struct inode *i, const struct lock_request *r)
	HOLDS(lock_mutex)
{
	list_for_each(l, &held, struct file_lock, link)
		if (is_own(l, i, r) && overlap(&l->is, r))
			return l;
	return NULL;
}

/* Returns the first lock that excludes @want, or NULL. */
static struct file_lock *find_conflict(const struct inode *i, const struct lock_request *want)
	HOLDS(lock_mutex)
{
	list_for_each(l, &held, struct file_lock, link)
		if (l->inode == i && l->is.owner != want->owner &&
		    is_flock(&l->is) == is_flock(want) && overlap(&l->is, want) &&
		    (l->is.type == LOCK_WRITE || want->type == LOCK_WRITE))
			return l;
	return NULL;
}

/* Returns the request that @owner waits for, or NULL. */
static const struct lock_wait *find_wait(const void *owner) HOLDS(lock_mutex)
{
	list_for_each(w, &waits, struct lock_wait, link)
		if (w->want->owner == owner && w->want->kind == LOCK_KIND_POSIX)
			return w;
	return NULL;
}

/* Whether the owner of @by, which excludes @want, waits for @want's owner, maybe through others. */
static bool is_deadlock(const struct lock_request *want, const struct file_lock *by)
	HOLDS(lock_mutex)
{
	for (unsigned n = 0; n < DEADLOCK_DEPTH && by; n++) {
		const struct lock_wait *w = find_wait(by->is.owner);

		if (!w)
			return false;
		by = find_conflict(w->inode, w->want);
		if (by && by->is.owner == want->owner)
			return true;
	}
	return false;
}

/* Waits until no lock excludes @want: 0, -EAGAIN, -EDEADLK, -EINTR. */
static int wait_free(const struct inode *i, const struct lock_request *want, bool wait)
	HOLDS(lock_mutex)
{
	struct lock_wait self = { .inode = i, .want = want };
	struct file_lock *by;
	int err = 0;

	while (!err && (by = find_conflict(i, want))) {
		if (!wait)
			return -EAGAIN;
		if (want->kind == LOCK_KIND_POSIX && is_deadlock(want, by))
			return -EDEADLK;
		list_push_back(&waits, &self.link);
		err = condvar_wait(&changed, &lock_mutex, DEADLINE_NEVER);
		list_remove(&self.link);
	}
	return err;
}

/* --- Changes ---------------------------------------------------------------------------------- */

static struct file_lock *lock_alloc(struct inode *i, const struct lock_request *is)
{
	struct file_lock *l = kmalloc(sizeof(*l));

	if (l)
		*l = (struct file_lock){ .inode = i, .is = *is };
	return l;
}

static void lock_add(struct file_lock *l) HOLDS(lock_mutex)
{
	list_push_back(&held, &l->link);
	atomic_fetch_add(&l->inode->nr_locks, 1);
}

static void lock_remove(struct file_lock *l) HOLDS(lock_mutex)
{
	list_remove(&l->link);
	atomic_fetch_sub(&l->inode->nr_locks, 1);
	kfree(l);
}

/* Extends @r over the owner's locks of the same type that it overlaps or touches. FILELOCK2 */
static void absorb(const struct inode *i, struct lock_request *r) HOLDS(lock_mutex)
{
	list_for_each(l, &held, struct file_lock, link)
		if (is_own(l, i, r) && l->is.type == r->type &&
		    l->is.start <= (r->end == S64_MAX ? r->end : r->end + 1) &&
		    r->start <= (l->is.end == S64_MAX ? l->is.end : l->is.end + 1)) {
			r->start = MIN(r->start, l->is.start);
			r->end = MAX(r->end, l->is.end);
		}
}

/* Cuts @r's range out of the owner's locks. If it splits one, *spare becomes the part behind it. */
static void carve(struct inode *i, const struct lock_request *r, struct file_lock **spare)
	HOLDS(lock_mutex)
{
	list_for_each_safe(l, &held, struct file_lock, link) {
		if (!is_own(l, i, r) || !overlap(&l->is, r))
			continue;
		if (l->is.start < r->start && l->is.end > r->end) {
			(*spare)->is = l->is;
			(*spare)->is.start = r->end + 1;
			lock_add(*spare);
			*spare = NULL;
			l->is.end = r->start - 1;
			return;
		}
		if (l->is.start < r->start)
			l->is.end = r->start - 1;
		else if (l->is.end > r->end)
			l->is.start = r->end + 1;
		else
			lock_remove(l);
	}
}

int filelock_set(struct inode *i, const struct lock_request *want, bool wait)
{
	struct file_lock *new = lock_alloc(i, want), *spare = lock_alloc(i, want);
	int err = new && spare ? 0 : -ENOLCK;

	mutex_lock(&lock_mutex);
	if (!err && is_flock(want))		/* drops the old lock even if the new one fails */
		carve(i, want, &spare);
	if (!err && want->type != LOCK_NONE)
		err = wait_free(i, want, wait);
	if (!err) {
		if (!is_flock(want) && want->type != LOCK_NONE)
			absorb(i, &new->is);
		carve(i, &new->is, &spare);
		if (want->type != LOCK_NONE) {
			lock_add(new);
			new = NULL;
		}
	}
	mutex_unlock(&lock_mutex);
	kfree(new);
	kfree(spare);
	condvar_broadcast(&changed);
	return err;
}

bool filelock_test(struct inode *i, struct lock_request *want)
{
	struct file_lock *by;

	mutex_lock(&lock_mutex);
	by = want->type == LOCK_NONE ? find_own(i, want) : find_conflict(i, want);
	if (by)
		*want = by->is;
	mutex_unlock(&lock_mutex);
	return by;
}

void filelock_drop_all(struct inode *i, const void *owner)
{
	mutex_lock(&lock_mutex);
	list_for_each_safe(l, &held, struct file_lock, link)
		if (l->inode == i && (!owner || l->is.owner == owner))
			lock_remove(l);
	assert(owner || !atomic_load(&i->nr_locks));	/* FILELOCK3 */
	mutex_unlock(&lock_mutex);
	condvar_broadcast(&changed);
}

/* --- /proc/locks ------------------------------------------------------------------------------ */

static void show_lock(struct text *t, unsigned n, const char *arrow, const struct inode *i,
		      const struct lock_request *r)
{
	static const char *const kinds[] = { "FLOCK ", "POSIX ", "OFDLCK" };

	text_printf(t, "%u: %s%s ADVISORY  %s %d %02lx:%02lx:%lu %ld ", n, arrow, kinds[r->kind],
		    r->type == LOCK_WRITE ? "WRITE" : "READ", r->pid, i->dev >> 8, i->dev & 0xff,
		    i->ino, r->start);
	if (r->end == S64_MAX)
		text_printf(t, "EOF\n");
	else
		text_printf(t, "%ld\n", r->end);
}

void filelock_show(struct text *t)
{
	unsigned n = 0;

	mutex_lock(&lock_mutex);
	list_for_each(l, &held, struct file_lock, link) {
		show_lock(t, ++n, "", l->inode, &l->is);
		list_for_each(w, &waits, struct lock_wait, link)
			if (find_conflict(w->inode, w->want) == l)
				show_lock(t, n, "-> ", w->inode, w->want);
	}
	mutex_unlock(&lock_mutex);
}
