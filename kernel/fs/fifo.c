/*
 * Opening and closing pipes and FIFOs, which are pipes with a name.
 *
 * The inode's private pointer is the pipe while any file of it is open; so a FIFO that everybody
 * has closed loses its bytes. Opening a FIFO for reading waits for a writer, and for writing for a
 * reader; the wait is over once there was one, even if it has gone again.
 *
 * Locks: inode->lock guards the pointer to the pipe and the count of its files; then pipe->lock.
 */
#include "errno.h"
#include "mm/mm.h"
#include "pipe.h"
#include "process/signal.h"

static const struct inode_ops pipe_inode_ops;

/* Finds the inode's pipe, or makes it, and counts one more file. */
static int pipe_attach(struct inode *i, struct pipe **out)
{
	struct pipe *p;

	mutex_lock(&i->lock);
	if (!i->private)
		i->private = pipe_alloc();
	p = i->private;
	if (p)
		p->files++;
	mutex_unlock(&i->lock);
	*out = p;
	return p ? 0 : -ENOMEM;
}

/* Counts one file less. The last one frees the pipe. */
static void pipe_detach(struct inode *i, struct pipe *p)
{
	mutex_lock(&i->lock);
	if (--p->files > 0)
		p = NULL;
	else
		i->private = NULL;
	mutex_unlock(&i->lock);
	if (p)
		pipe_free(p);
}

/* Counts an open file as a reader, a writer or both. */
static void count_ends(struct pipe *p, const struct file *f) HOLDS(p->lock)
{
	if (file_reads(f)) {
		p->readers++;
		p->reads_begun++;
	}
	if (file_writes(f)) {
		p->writers++;
		p->writes_begun++;
	}
}

/* Undoes count_ends(). The last of one side wakes the other, which may wait for it. */
static void leave(struct pipe *p, const struct file *f)
{
	bool no_readers, no_writers, one_side;

	mutex_lock(&p->lock);
	no_readers = file_reads(f) && --p->readers == 0;
	no_writers = file_writes(f) && --p->writers == 0;
	one_side = !p->readers != !p->writers;
	mutex_unlock(&p->lock);
	if (no_readers)
		condvar_broadcast(&p->writable);
	if (no_writers)
		condvar_broadcast(&p->readable);
	if (one_side) {
		async_notify(p, POLL_IN, O_WRONLY);
		async_notify(p, POLL_OUT, O_RDONLY);
	}
}

/* Waits until a file of the other side has been opened. */
static int wait_partner(struct pipe *p, struct condvar *c, const unsigned *begun) HOLDS(p->lock)
{
	unsigned before = *begun;
	int err = 0;

	while (*begun == before && !err)
		err = condvar_wait(c, &p->lock, DEADLINE_NEVER);
	return err;
}

/* Waits for the other side, or fails, as a FIFO's open() must. @f has been counted. */
static int meet_partner(struct pipe *p, const struct file *f) HOLDS(p->lock)
{
	bool nonblock = f->flags & O_NONBLOCK;

	if (!file_writes(f) && !p->writers && !nonblock)
		return wait_partner(p, &p->readable, &p->writes_begun);
	if (!file_reads(f) && !p->readers)
		return nonblock ? -ENXIO : wait_partner(p, &p->writable, &p->reads_begun);
	return 0;
}

int fifo_open(struct file *f)
{
	bool has_name = f->inode->ops != &pipe_inode_ops;
	struct pipe *p;
	int err = file_reads(f) || file_writes(f) ? pipe_attach(f->inode, &p) : -EINVAL;

	if (err)
		return err;
	mutex_lock(&p->lock);
	if (has_name && !p->writers)
		f->writes_begun = p->writes_begun;	/* see fifo_had_writers() */
	count_ends(p, f);
	if (has_name) {
		condvar_broadcast(&p->readable);
		condvar_broadcast(&p->writable);
		err = meet_partner(p, f);
	}
	mutex_unlock(&p->lock);
	f->private = p;
	if (err) {
		leave(p, f);
		pipe_detach(f->inode, p);
	}
	return err;
}

void fifo_close(struct file *f)
{
	leave(f->private, f);
	pipe_detach(f->inode, f->private);
}

/*
 * If there was no writer when @f was opened, f->writes_begun is the pipe's at that time; else it is
 * 0, which the pipe's has already passed.
 */
bool fifo_had_writers(const struct file *f)
{
	const struct pipe *p = f->private;

	return p->writes_begun != f->writes_begun;
}

/* --- Pipes without a name --------------------------------------------------------------------- */

static void pipe_release(struct inode *i)
{
	kfree(i);
}

static const struct inode_ops pipe_inode_ops = { .release = pipe_release };

int pipe_create(struct file **r, struct file **w, u32 flags)
{
	struct inode *i = kmalloc(sizeof(*i));
	int err;

	if (!i)
		return -ENOMEM;
	inode_init(i, S_IFIFO | 0600, &pipe_inode_ops, &pipe_file_ops);
	inode_init_owner(i, NULL);
	i->dev = DEV_PIPES;
	err = file_open_inode(i, O_RDONLY | flags, r);
	if (!err) {
		err = file_open_inode(i, O_WRONLY | flags, w);
		if (err)
			file_put(*r);
	}
	inode_put(i);			/* the files have references of their own */
	return err;
}
