/*
 * Inodes: identity and reference counts. What they do is up to the file system's inode_ops.
 *
 * A reference is held by every directory entry, open file, mapping, working directory, and by a
 * directory on its parent. The last one gone releases the inode.
 */
#include "counters.h"
#include "filelock.h"
#include "fs.h"
#include "time.h"

static _Atomic u64 last_ino;

u64 inode_now(void)
{
	return time_now() + time_realtime_offset();
}

void inode_init(struct inode *i, u32 mode, const struct inode_ops *ops, const struct file_ops *fops)
{
	u64 now = inode_now();

	*i = (struct inode){
		.ino = atomic_fetch_add(&last_ino, 1) + 1,
		.mode = mode, .nlink = 1, .refs = 1,
		.atime = now, .mtime = now, .ctime = now,
		.ops = ops, .fops = fops,
	};
	mutex_init(&i->lock);
	spin_init(&i->mappings_lock, LOCK_INODE);
	list_init(&i->mappings);
	counter_add(COUNT_INODES, 1);
}

void inode_touch(struct inode *i)
{
	i->mtime = i->ctime = inode_now();
}

struct inode *inode_get(struct inode *i)
{
	u32 refs = atomic_fetch_add_explicit(&i->refs, 1, memory_order_relaxed);

	assert(refs > 0);
	return i;
}

/* A loop, not a recursion: a chain of removed directories may be as long as memory allows. */
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
