/*
 * Inodes: identity and reference counts. Their operations are the file system's inode_ops.
 *
 * Every directory entry, open file, mapping and working directory holds a reference, and an inode
 * holds one to its parent. Putting the last one releases the inode.
 */
#include "base/counters.h"
#include "fs.h"
#include "fs/filelock.h"
#include "mm/vm.h"
#include "sched/time.h"

static _Atomic u64 last_ino;

/* Converts nanoseconds since 1970. */
static struct inode_time time_of(u64 ns)
{
	return (struct inode_time){ .sec = (s64)(ns / NSEC_PER_SEC), .nsec = ns % NSEC_PER_SEC };
}

static bool is_later(const struct inode_time *a, const struct inode_time *b)
{
	return a->sec != b->sec ? a->sec > b->sec : a->nsec > b->nsec;
}

struct inode_time inode_now(void)
{
	return time_of(time_now() + time_realtime_offset());
}

void inode_written(struct inode *i)
{
	atomic_store(&i->written, time_now() + time_realtime_offset());
	i->unread = true;		/* last: inode_accessed_slow() clears it first */
}

static const struct backing_ops backing = { inode_get, inode_put, inode_written };

void inode_init(struct inode *i, u32 mode, const struct inode_ops *ops, const struct file_ops *fops)
{
	struct inode_time now = inode_now();

	*i = (struct inode){
		.ino = atomic_fetch_add(&last_ino, 1) + 1, .dev = DEV_ROOT,
		.mode = mode, .nlink = 1, .refs = 1,
		.atime = now, .mtime = now, .ctime = now, .btime = now, .unread = true,
		.ops = ops, .fops = fops, .backing = &backing,
	};
	mutex_init(&i->lock);
	spin_init(&i->mappings_lock, LOCK_INODE);
	list_init(&i->mappings);
	counter_add(COUNT_INODES, 1);
}

void inode_settle_times(struct inode *i)
{
	u64 at = atomic_exchange(&i->written, 0);

	if (!at)
		return;
	i->mtime = time_of(at);
	i->ctime = is_later(&i->ctime, &i->mtime) ? i->ctime : i->mtime;
}

void inode_touch(struct inode *i)
{
	inode_changed(i);
	i->mtime = i->ctime;
	atomic_store_explicit(&i->written, 0, memory_order_relaxed);	/* that was before */
}

void inode_changed(struct inode *i)
{
	i->ctime = inode_now();
	i->unread = true;
}

void inode_accessed_slow(struct inode *i)
{
	mutex_lock(&i->lock);
	i->unread = false;		/* first: a write that comes now is not missed */
	inode_settle_times(i);
	if (!is_later(&i->atime, &i->mtime) || !is_later(&i->atime, &i->ctime))
		i->atime = inode_now();
	mutex_unlock(&i->lock);
}

struct inode *inode_get(struct inode *i)
{
	u32 refs = atomic_fetch_add_explicit(&i->refs, 1, memory_order_relaxed);

	assert(refs > 0);
	return i;
}

/* A loop and no recursion: a chain of removed directories may be as long as memory allows. */
void inode_put(struct inode *i)
{
	while (i && atomic_fetch_sub_explicit(&i->refs, 1, memory_order_acq_rel) == 1) {
		struct inode *parent = i->parent;

		counter_add(COUNT_INODES, -1);
		filelock_drop(i, NULL);
		i->ops->release(i);
		i = parent;
	}
}

bool emit_dots(struct inode *dir, off_t pos, dirent_fn emit, void *arg)
{
	if (pos == 0 && !emit(arg, ".", 1, dir->ino, S_IFDIR, 1))
		return false;
	return pos > 1 || emit(arg, "..", 2, dir->parent->ino, S_IFDIR, 2);
}
