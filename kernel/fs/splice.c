/*
 * Moving bytes into and out of pipes within the kernel: splice(), tee(), vmsplice(), and sendfile()
 * to a pipe. The system calls are in kernel/abi/send.c.
 *
 * Bytes are copied once, straight between a slot's page and the other side; from pipe to pipe a
 * whole slot moves by an exchange of pages. Linux hands pages on instead, so a later change of the
 * memory or file may show in the pipe: no program can rely on that, and here it never happens.
 * Everything else is as on Linux: which bytes share a slot, that no later write is added to them,
 * and that a call waits only before its first byte.
 *
 * Locks: the pipe's lock is held while the other side is read or written, so that no byte is lost
 * or doubled if that side takes fewer. It thus ranks before file->lock and inode->lock. Of two
 * pipes the one at the lower address is locked first.
 *
 *  SPLICE1  Only bytes that the other side has taken leave a pipe, and only bytes that it has given
 *           come in.
 */
#include "base/string.h"
#include "errno.h"
#include "fs/splice.h"
#include "mm/mm.h"
#include "pipe.h"
#include "process/signal.h"

struct pipe *pipe_of(const struct file *f)
{
	return f->ops == &pipe_file_ops ? f->private : NULL;
}

bool splice_reads(const struct file *f)
{
	return f->ops->read && !f->ops->unsent && !pipe_of(f) && f->inode->dev < DEV_QUEUES;
}

bool splice_writes(const struct file *f)
{
	return f->ops->write && !f->ops->by_segment;
}

/* Wake the other side, and signal the owners of O_ASYNC files: there are bytes, or room. */
static void tell_readers(struct pipe *p)
{
	condvar_broadcast(&p->readable);
	async_notify(p, POLL_IN, O_WRONLY);
}

static void tell_writers(struct pipe *p)
{
	condvar_broadcast(&p->writable);
	async_notify(p, POLL_OUT, O_RDONLY);
}

/* --- A pipe and something else ---------------------------------------------------------------- */

/* Returns how many of @n bytes the next slot gets: at most those in one page of memory or file. */
static size_t part_of(struct splice_side *from, size_t n)
{
	const struct inode *i;

	if (from->memory)
		return MIN(n, iobuf_part(from->memory));
	i = from->file->inode;
	return inode_is(i, S_IFREG) && i->ops->get_page ? page_part(*from->pos, n)
							 : MIN(n, PAGE_SIZE);
}

/* Reads a part into a slot's page. A part of memory is in one page, so all of it comes or none. */
static ssize_t get(struct splice_side *from, char *to, size_t n)
{
	struct iobuf b = iobuf_kernel(to, n);

	if (from->memory)
		return iobuf_copy_from(from->memory, to, n) == n ? (ssize_t)n : -EFAULT;
	return file_read(from->file, &b, from->pos);
}

static ssize_t put(struct splice_side *to, const char *from, size_t n)
{
	struct iobuf b = iobuf_kernel(from, n);

	if (to->memory)
		return iobuf_copy_to(to->memory, from, n) == n ? (ssize_t)n : -EFAULT;
	return file_write(to->file, &b, to->pos);
}

/* Fills one slot with up to @n bytes and returns how many came. */
static ssize_t fill_slot(struct pipe *p, struct splice_side *from, size_t n) HOLDS(p->lock)
{
	struct pipe_slot *s;
	ssize_t got = pipe_free_slot(p, &s);

	if (!got)
		got = get(from, s->data, n);
	if (got <= 0)
		return got;
	s->len = got;
	s->closed = true;
	pipe_push(p);
	return got;
}

ssize_t splice_to_pipe(struct splice_side *from, struct pipe *p, size_t n, bool nonblock)
{
	size_t done = 0, part = 0;
	ssize_t got = mutex_lock_interruptible(&p->lock);

	if (got)
		return got;
	got = pipe_wait_room(p, nonblock);
	if (!got && n && from->file && !splice_reads(from->file))
		got = -EINVAL;
	while (got == (ssize_t)part && done < n && !pipe_is_full(p)) {
		part = part_of(from, n - done);
		got = fill_slot(p, from, part);
		done += MAX(got, 0);
	}
	mutex_unlock(&p->lock);
	if (done)
		tell_readers(p);
	return got < 0 ? pipe_write_failed(done, got) : (ssize_t)done;
}

/* Waits until there are bytes in the pipe, or no writers. 0, -EAGAIN, -EINTR. */
static int wait_bytes(struct pipe *p, bool nonblock) HOLDS(p->lock)
{
	int err = 0;

	while (!pipe_used(p) && pipe_has_writers(p) && !err)
		err = pipe_wait(p, &p->readable, nonblock);
	return err;
}

/* Writes up to @n bytes of the first slot and returns how many the other side took. */
static ssize_t drain_slot(struct pipe *p, struct splice_side *to, size_t n) HOLDS(p->lock)
{
	struct pipe_slot *s = pipe_slot_at(p, 0);
	ssize_t taken = put(to, s->data + s->from, MIN(n, s->len));

	if (taken <= 0)
		return taken;
	s->from += taken;
	s->len -= taken;
	if (!s->len)
		pipe_pop(p);
	return taken;
}

ssize_t splice_from_pipe(struct pipe *p, struct splice_side *to, size_t n, bool nonblock)
{
	ssize_t taken = mutex_lock_interruptible(&p->lock);
	size_t done = 0;
	u32 used;

	if (taken)
		return taken;
	taken = wait_bytes(p, nonblock);
	used = pipe_used(p);
	while (taken >= 0 && done < n && pipe_used(p)) {
		taken = drain_slot(p, to, n - done);
		done += MAX(taken, 0);
	}
	used -= pipe_used(p);			/* slots that have become free */
	mutex_unlock(&p->lock);
	if (used)
		tell_writers(p);
	return done ? (ssize_t)done : taken;
}

/* --- Two pipes -------------------------------------------------------------------------------- */

static int lock_two(struct pipe *a, struct pipe *b)
	NO_LOCK_ANALYSIS("their order is known at run time")
{
	struct pipe *first = MIN(a, b), *second = MAX(a, b);
	int err = mutex_lock_interruptible(&first->lock);

	if (err)
		return err;
	err = mutex_lock_interruptible(&second->lock);
	if (err)
		mutex_unlock(&first->lock);
	return err;
}

/* Waits until @from has bytes or no writers, and then until @to has room. Holds no lock after. */
static int wait_both(struct pipe *from, struct pipe *to, bool nonblock)
{
	int err = mutex_lock_interruptible(&from->lock);

	if (err)
		return err;
	err = wait_bytes(from, nonblock);
	mutex_unlock(&from->lock);
	if (err)
		return err;
	err = mutex_lock_interruptible(&to->lock);
	if (err)
		return err;
	err = pipe_wait_room(to, nonblock);
	mutex_unlock(&to->lock);
	return err;
}

/* Moves up to @n bytes of slot @i of @from, or with @keep copies them. Returns how many. */
static ssize_t pass_slot(struct pipe *from, u32 i, struct pipe *to, size_t n, bool keep)
	HOLDS(from->lock, to->lock)
{
	struct pipe_slot *a = pipe_slot_at(from, i), *b;
	char *page;
	int err = pipe_free_slot(to, &b);

	if (err)
		return err;
	n = MIN(n, a->len);
	if (!keep && n == a->len) {
		page = b->data;
		*b = *a;
		a->data = page;
		pipe_pop(from);
	} else {
		memcpy(b->data, a->data + a->from, n);
		b->len = n;
		b->packet = a->packet;
		b->closed = true;
		a->from += keep ? 0 : n;
		a->len -= keep ? 0 : n;
	}
	pipe_push(to);
	return n;
}

/* Passes slots on while there are some, and room for them. */
static ssize_t pass_slots(struct pipe *from, struct pipe *to, size_t n, bool keep)
	HOLDS(from->lock, to->lock)
{
	size_t done = 0;
	ssize_t passed = pipe_has_readers(to) ? 0 : -EPIPE;

	for (u32 i = 0; passed >= 0 && done < n && i < pipe_used(from) && !pipe_is_full(to);
	     i += keep) {
		passed = pass_slot(from, i, to, n - done, keep);
		done += MAX(passed, 0);
	}
	return done ? (ssize_t)done : passed;
}

ssize_t splice_pipes(struct pipe *from, struct pipe *to, size_t n, bool keep, bool nonblock)
	NO_LOCK_ANALYSIS("it cannot follow lock_two()")
{
	bool ended = false;
	ssize_t passed = 0;
	u32 used = 0;

	while (!passed && !ended) {	/* again, if others were faster after our wait */
		passed = wait_both(from, to, nonblock);
		if (!passed)
			passed = lock_two(from, to);
		if (passed)
			break;
		used = pipe_used(from);
		passed = pass_slots(from, to, n, keep);
		used -= pipe_used(from);
		ended = !pipe_used(from) && !pipe_has_writers(from);
		mutex_unlock(&from->lock);
		mutex_unlock(&to->lock);
	}
	if (passed < 0)
		return pipe_write_failed(0, passed);
	if (passed)
		tell_readers(to);
	if (used)
		tell_writers(from);
	return passed;
}
