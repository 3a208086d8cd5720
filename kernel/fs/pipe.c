/*
 * Pipes and FIFOs: a ring of slots, each a page and the bytes in it that are still to be read.
 *
 * A write goes into the last slot if it fits there as a whole, else into free slots, up to a page
 * in each. Bytes are copied straight from and to user memory. So the number of writes that a pipe
 * takes depends on their sizes, exactly as on Linux. A slot keeps its page until the pipe is freed;
 * whenever the pipe is empty the ring starts again at its first slot, so messages that are read as
 * they come need only one page. A packet (O_DIRECT) has slots of its own, and a read takes one
 * slot.
 *
 * The pipe belongs to its open files, and the inode leads to it while there are any: see fifo.c for
 * opening and closing.
 *
 * Lock: pipe->lock, a mutex, guards everything and is held while copying, so writes of up to
 * PIPE_BUF bytes are never mixed (they need one slot). Blocked threads wait on the condition
 * variables. A thread that changes the state under the lock looks there for waiters, and wakes them
 * after it has released the lock, so that they need not wait for it. The owners of files with
 * O_ASYNC get a signal for every read and write, as on Linux, even if it has changed nothing.
 *
 * A FIFO's times are kept. Those of a pipe without a name, which Linux keeps too, would make each
 * read and write a fifth longer, and no program is known to look at them.
 *
 *  PIPE1  used <= size; slots [head, head + used), counted round the ring, are not empty.
 *  PIPE2  A reader blocks only while the pipe is empty and has writers, a writer only while it is
 *         full and has readers; every change of these wakes the other side.
 */
#include "fs/poll.h"
#include "pipe.h"

#include "base/counters.h"
#include "errno.h"
#include "mm/mm.h"
#include "mm/vm.h"
#include "process/cred.h"
#include "process/process.h"
#include "process/signal.h"

#define FIONREAD	0x541b

static void set_used(struct pipe *p, u32 n)
{
	atomic_store_explicit(&p->used, n, memory_order_relaxed);
}

/*
 * Whether a thread waits on @c for what the caller has just changed. condvar_wait() links its
 * thread before it releases the pipe lock, which we hold. Poll does not take that lock, since it
 * must not block once it is linked; instead:
 *
 *	poll				here
 *	links itself			changes used
 *	fence				fence
 *	looks at used			looks at the links: one of the two sees the other
 */
static bool anyone_waits(const struct condvar *c)
{
	atomic_thread_fence(memory_order_seq_cst);
	return !list_empty(&c->q.links);
}

noinline int pipe_wait(struct pipe *p, struct condvar *c, bool nonblock)
{
	return nonblock ? -EAGAIN : condvar_wait(c, &p->lock, DEADLINE_NEVER);
}

static bool must_not_wait(const struct file *f, const struct iobuf *b)
{
	return (f->flags & O_NONBLOCK) || (b->flags & RWF_NOWAIT);
}

void pipe_pop(struct pipe *p)
{
	set_used(p, pipe_used(p) - 1);
	p->head = pipe_used(p) ? p->head + 1 : 0;
}

/*
 * Takes the first slot's bytes, or as many as are asked for. Returns true if the read goes on with
 * the next slot. The pipe is not empty.
 */
static bool take_slot(struct pipe *p, struct iobuf *b) HOLDS(p->lock)
{
	struct pipe_slot *s = pipe_slot_at(p, 0);
	size_t n = MIN(s->len, b->left), moved = iobuf_copy_to(b, s->data + s->from, n);

	if (unlikely(moved != n)) {
		b->left += moved;		/* all bytes stay in the pipe */
		return false;
	}
	s->from += n;
	s->len -= n;
	if (s->len && !s->packet)
		return false;
	pipe_pop(p);				/* the rest of a packet is lost */
	return !s->packet;
}

static ssize_t pipe_read(struct file *f, struct iobuf *b, off_t *pos)
{
	struct pipe *p = f->private;
	size_t all = b->left;
	bool wake;
	int err;

	(void)pos;
	if (!all)
		return 0;
	err = mutex_lock_interruptible(&p->lock);
	if (err)
		return err;
	while (unlikely(!pipe_used(p)) && pipe_has_writers(p) && !err)
		err = pipe_wait(p, &p->readable, must_not_wait(f, b));
	wake = pipe_is_full(p);
	if (!err)
		while (pipe_used(p) && b->left && take_slot(p, b))
			;
	if (unlikely(pipe_used(p) && b->left == all && !err))
		err = -EFAULT;
	if (unlikely(wake))
		wake = !pipe_is_full(p) && anyone_waits(&p->writable);
	mutex_unlock(&p->lock);
	if (unlikely(wake))
		condvar_broadcast(&p->writable);
	if (unlikely(f->inode->dev != DEV_PIPES) && b->left != all)
		file_accessed(f);
	if (likely(err != -EINTR))
		async_notify(p, POLL_OUT, O_RDONLY);
	return err ? err : (ssize_t)(all - b->left);
}

/* Copies @n bytes behind those of slot @s, or none. The caller holds the pipe's lock. */
static int add_bytes(struct pipe_slot *s, struct iobuf *b, size_t n)
{
	size_t moved = iobuf_copy_from(b, s->data + s->from + s->len, n);

	if (unlikely(moved != n)) {
		b->left += moved;
		return -EFAULT;
	}
	s->len += n;
	return 0;
}

/*
 * Puts the part of a write that does not fill a page behind the bytes of the last slot. Returns
 * false if there is no such part or it does not fit there. *err: copying failed. The pipe is not
 * empty.
 */
static bool merge(struct pipe *p, struct iobuf *b, int *err) HOLDS(p->lock)
{
	size_t n = page_offset(b->left);
	struct pipe_slot *s;

	if (!n)
		return false;
	s = pipe_slot_at(p, pipe_used(p) - 1);
	if (s->closed || s->from + s->len + n > PAGE_SIZE)
		return false;
	*err = add_bytes(s, b, n);
	return true;
}

static noinline int slot_fill(struct pipe_slot *s)
{
	struct page *page = page_alloc(0, 0);

	if (!page)
		return -ENOMEM;
	s->data = page_to_virt(page);
	counter_add(COUNT_FILE_PAGES, 1);
	return 0;
}

int pipe_free_slot(struct pipe *p, struct pipe_slot **out)
{
	struct pipe_slot *s = pipe_slot_at(p, pipe_used(p));

	s->from = s->len = 0;
	s->packet = false;
	*out = s;
	return likely(s->data) ? 0 : slot_fill(s);
}

void pipe_push(struct pipe *p)
{
	set_used(p, pipe_used(p) + 1);
}

/* Puts up to a page of @b into a free slot, or fails and leaves the slot free. */
static int put_slot(struct pipe *p, const struct file *f, struct iobuf *b) HOLDS(p->lock)
{
	struct pipe_slot *s;
	int err = pipe_free_slot(p, &s);

	if (unlikely(err))
		return err;
	s->packet = s->closed = f->flags & O_DIRECT;
	err = add_bytes(s, b, MIN(b->left, PAGE_SIZE));
	if (!err)
		pipe_push(p);
	return err;
}

noinline int pipe_wait_room(struct pipe *p, bool nonblock)
{
	int err = 0;

	while (pipe_is_full(p) && pipe_has_readers(p) && !err)
		err = pipe_wait(p, &p->writable, nonblock);
	return err ? err : pipe_has_readers(p) ? 0 : -EPIPE;
}

static noinline int wait_to_write(struct pipe *p, bool nonblock) HOLDS(p->lock)
{
	if (!nonblock)
		async_notify(p, POLL_IN, O_WRONLY);	/* for the bytes written so far */
	return pipe_wait_room(p, nonblock);
}

/* Does one step of a write: fills the room there is, after waiting for some if there is none. */
static int write_some(struct pipe *p, const struct file *f, struct iobuf *b)
{
	bool wake;
	int err = mutex_lock_interruptible(&p->lock);

	if (err)
		return err;
	if (unlikely(!pipe_has_readers(p)))
		err = -EPIPE;
	else if ((!pipe_used(p) || !merge(p, b, &err)) && unlikely(pipe_is_full(p)))
		err = wait_to_write(p, must_not_wait(f, b));
	wake = !pipe_used(p);
	while (!err && b->left && !pipe_is_full(p))
		err = put_slot(p, f, b);
	wake = wake && pipe_used(p) && anyone_waits(&p->readable);
	mutex_unlock(&p->lock);
	if (wake)
		condvar_broadcast(&p->readable);
	return err;
}

noinline ssize_t pipe_write_failed(size_t done, int err)
{
	if (err == -EPIPE)
		signal_raise(SIGPIPE);
	return done ? (ssize_t)done : err;
}

static ssize_t pipe_write(struct file *f, struct iobuf *b, off_t *pos)
{
	size_t all = b->left;
	int err = 0;

	(void)pos;
	while (b->left && !err)
		err = write_some(f->private, f, b);
	if (unlikely(f->inode->dev != DEV_PIPES) && b->left != all)
		inode_written(f->inode);
	if (likely(all))
		async_notify(f->private, POLL_IN, O_WRONLY);
	return unlikely(err) ? pipe_write_failed(all - b->left, err) : (ssize_t)all;
}

/* A FIFO that has not had a writer yet is not hung up. */
static unsigned pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->private;
	unsigned state = 0;

	if (file_reads(f))
		poll_add(pt, &p->readable.q);
	if (file_writes(f))
		poll_add(pt, &p->writable.q);
	atomic_thread_fence(memory_order_seq_cst);	/* pairs with anyone_waits() */
	if (file_reads(f)) {
		state |= pipe_used(p) ? POLLIN : 0;
		state |= !pipe_has_writers(p) && fifo_had_writers(f) ? POLLHUP : 0;
	}
	if (file_writes(f))
		state |= (pipe_is_full(p) ? 0 : POLLOUT) | (pipe_has_readers(p) ? 0 : POLLERR);
	return state;
}

static int pipe_ioctl(struct file *f, unsigned cmd, vaddr_t arg)
{
	struct pipe *p = f->private;
	s32 bytes = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&p->lock);
	for (u32 n = 0; n < pipe_used(p); n++)
		bytes += pipe_slot_at(p, n)->len;
	mutex_unlock(&p->lock);
	return copy_to_user(arg, &bytes, sizeof(bytes));
}

/* Counts the pages; each open end has an equal share. */
static u64 pipe_held(struct file *f)
{
	struct pipe *p = f->private;
	u64 pages = 0;

	mutex_lock(&p->lock);
	for (u32 n = 0; n < p->size; n++)
		pages += p->slots[n].data != NULL;
	pages = pages * PAGE_SIZE / (p->readers + p->writers);
	mutex_unlock(&p->lock);
	return pages;
}

const struct file_ops pipe_file_ops = {
	.open = fifo_open,
	.close = fifo_close,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.held = pipe_held,
	.async = true,
	.nowait = true,
};

/* --- Size ------------------------------------------------------------------------------------- */

static void drop_page(struct pipe_slot *s)
{
	if (!s->data)
		return;
	page_put(virt_to_page(s->data));
	counter_add(COUNT_FILE_PAGES, -1);
}

/* Moves the slots with their pages into @slots, where there is room for the used ones. */
static void change_slots(struct pipe *p, struct pipe_slot *slots, u32 size) HOLDS(p->lock)
{
	for (u32 n = 0; n < p->size; n++)
		if (n < size)
			slots[n] = *pipe_slot_at(p, n);
		else
			drop_page(pipe_slot_at(p, n));
	if (p->slots != p->first)
		kfree(p->slots);
	p->slots = slots;
	p->head = 0;
	p->mask = size - 1;
	atomic_store_explicit(&p->size, size, memory_order_relaxed);
}

long pipe_set_size(struct file *f, u32 bytes)
{
	struct pipe *p = f->private;
	struct pipe_slot *slots;
	u64 size = 1;
	int err = 0;

	if (bytes > PIPE_MOST)
		return -EINVAL;
	while (size * PAGE_SIZE < bytes)
		size *= 2;
	if (size > p->size && size * PAGE_SIZE > PIPE_MANY && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	slots = kzalloc(size * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	mutex_lock(&p->lock);
	if (pipe_used(p) > size)
		err = -EBUSY;
	else
		change_slots(p, slots, size);
	mutex_unlock(&p->lock);
	if (err)
		kfree(slots);
	else
		condvar_broadcast(&p->writable);	/* PIPE2: there may be room now */
	return err ? err : (long)(size * PAGE_SIZE);
}

long pipe_get_size(struct file *f)
{
	struct pipe *p = f->private;

	return (long)p->size * PAGE_SIZE;
}

/* --- Beginning and end ------------------------------------------------------------------------ */

struct pipe *pipe_alloc(void)
{
	struct pipe *p = kzalloc(sizeof(*p));

	if (!p)
		return NULL;
	p->slots = p->first;
	p->size = PIPE_SLOTS;
	p->mask = PIPE_SLOTS - 1;
	mutex_init(&p->lock);
	condvar_init(&p->readable);
	condvar_init(&p->writable);
	counter_add(COUNT_PIPES, 1);
	return p;
}

void pipe_free(struct pipe *p)
{
	for (u32 n = 0; n < p->size; n++)
		drop_page(&p->slots[n]);
	if (p->slots != p->first)
		kfree(p->slots);
	counter_add(COUNT_PIPES, -1);
	kfree(p);
}
