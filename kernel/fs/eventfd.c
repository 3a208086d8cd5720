/*
 * eventfd(): a counter as a file. A read takes the whole count (with EFD_SEMAPHORE just 1) and
 * waits while it is 0; a write adds to it and waits while the sum would reach COUNT_END.
 *
 * Lock: e->lock guards the count; poll reads it without the lock, as in pipe.c.
 */
#include "errno.h"
#include "fs.h"
#include "fs/poll.h"
#include "mm/mm.h"
#include "sync/sync.h"

#define COUNT_END	(~0ull)		/* the count stays below */

struct eventfd {
	struct inode inode;
	struct mutex lock;
	_Atomic u64 count;		/* [lock] to write */
	bool semaphore;			/* [const] */
	struct condvar changed;
};

static struct eventfd *file_eventfd(const struct file *f)
{
	return container_of(f->inode, struct eventfd, inode);
}

static int wait_change(struct eventfd *e, const struct file *f, const struct iobuf *b)
	HOLDS(e->lock)
{
	if ((f->flags & O_NONBLOCK) || (b->flags & RWF_NOWAIT))
		return -EAGAIN;
	return condvar_wait(&e->changed, &e->lock, DEADLINE_NEVER);
}

static ssize_t eventfd_read(struct file *f, struct iobuf *b, off_t *pos)
{
	struct eventfd *e = file_eventfd(f);
	u64 taken;
	int err;

	(void)pos;
	if (b->left < sizeof(taken))
		return -EINVAL;
	err = mutex_lock_interruptible(&e->lock);
	if (err)
		return err;
	while (!e->count && !err)
		err = wait_change(e, f, b);
	taken = e->semaphore ? 1 : e->count;
	if (!err)
		e->count -= taken;
	mutex_unlock(&e->lock);
	if (err)
		return err;
	condvar_broadcast(&e->changed);
	return iobuf_copy_to(b, &taken, sizeof(taken)) == sizeof(taken) ? (ssize_t)sizeof(taken)
									: -EFAULT;
}

static ssize_t eventfd_write(struct file *f, struct iobuf *b, off_t *pos)
{
	struct eventfd *e = file_eventfd(f);
	u64 more;
	int err;

	(void)pos;
	if (b->left != sizeof(more))
		return -EINVAL;
	if (iobuf_copy_from(b, &more, sizeof(more)) != sizeof(more))
		return -EFAULT;
	if (more == COUNT_END)
		return -EINVAL;
	err = mutex_lock_interruptible(&e->lock);
	if (err)
		return err;
	while (COUNT_END - e->count <= more && !err)
		err = wait_change(e, f, b);
	if (!err)
		e->count += more;
	mutex_unlock(&e->lock);
	if (err)
		return err;
	condvar_broadcast(&e->changed);
	return sizeof(more);
}

static unsigned eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = file_eventfd(f);
	u64 count;

	poll_add(pt, &e->changed.q);
	count = atomic_load(&e->count);
	return (count ? POLLIN : 0) | (count < COUNT_END - 1 ? POLLOUT : 0);
}

static void eventfd_release(struct inode *i)
{
	kfree(container_of(i, struct eventfd, inode));
}

static const struct inode_ops eventfd_inode_ops = { .release = eventfd_release };

static const struct file_ops eventfd_file_ops = {
	.name = "[eventfd]",
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.placeless = true,
	.by_segment = true,
	.nowait = true,
};

int eventfd_create(u32 count, bool semaphore, u32 flags, struct file **out)
{
	struct eventfd *e = kzalloc(sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->count = count;
	e->semaphore = semaphore;
	mutex_init(&e->lock);
	condvar_init(&e->changed);
	return file_open_anon(&e->inode, &eventfd_inode_ops, &eventfd_file_ops, flags, out);
}
