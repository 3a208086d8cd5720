/*
 * O_ASYNC of fcntl(): signals when a file becomes ready.
 *
 * While O_ASYNC is on, the owner of an open file (a process, a thread or a group) gets a signal
 * whenever the file may have become readable or writable. The code that wakes the pollers of a file
 * also calls async_notify() for it. The file is found by its source, file->private: the pipe or the
 * terminal. Such files are few, so all are on one list; while it is empty a notification costs a
 * look at a counter.
 *
 * Lock: async_lock guards the list and all owners. An owner's tell() takes tree_lock inside, so
 * async_notify() may be called in an interrupt, but not under the lock of a wait queue or a
 * descriptor table. process/async.c finds the owners and sends the signals.
 *
 *  ASYNC1  A file on the list is open: it is taken off before its close operation runs.
 */
#include "fs/fs.h"

_Atomic u32 async_files;		/* [async_lock] to write: files on the list */
struct spinlock async_lock = SPINLOCK_INIT(LOCK_ASYNC);

static struct list_node tellers = LIST_INIT(tellers);

void async_notify_slow(const void *source, int code, u32 but)
{
	spin_lock(&async_lock);
	list_for_each(f, &tellers, struct file, async.node)
		if (f->private == source && (f->flags & O_ACCMODE) != but && f->async.owner.id)
			f->async.tell(&f->async, code);
	spin_unlock(&async_lock);
}

/*
 * The flag of a file opened with O_ASYNC is set without the file being listed, and no later call
 * changes either: as on Linux.
 */
bool async_list(struct file *f, int fd, bool on)
{
	struct async *a = &f->async;

	if (!f->ops->async || on == !!(f->flags & O_ASYNC))
		return false;
	mutex_lock(&f->lock);
	spin_lock(&async_lock);
	a->fd = fd;
	if (on != list_linked(&a->node)) {
		f->flags ^= O_ASYNC;
		atomic_fetch_add(&async_files, on ? 1 : -1);
		if (on)
			list_push_back(&tellers, &a->node);
		else
			list_remove(&a->node);
	}
	spin_unlock(&async_lock);
	mutex_unlock(&f->lock);
	return true;
}
