/*
 * Pipes: a ring of PIPE_SIZE bytes in whole pages, copied straight from and to user memory.
 *
 * Byte n is at n % PIPE_SIZE; `head` is the next to be read, `used` bytes follow. A page is
 * allocated when the ring first gets there and kept until the pipe goes. Whenever the pipe is empty
 * head starts again at 0, so messages that are read as they come only ever need the first page.
 *
 * Lock: pipe->lock, a mutex, guards everything and is held while copying, so writes of up to
 * PIPE_BUF bytes are never mixed (they wait for room for all of them). Blocked threads wait on the
 * condition variables; whoever changes the state under the lock looks there whether somebody waits,
 * and wakes them after giving the lock up, so that they do not run into it.
 *
 *  P1  used <= PIPE_SIZE.
 *  P2  A reader blocks only while the pipe is empty and has writers, a writer only while there is
 *      too little room and there are readers; every change of these wakes the other side.
 */
#include "counters.h"
#include "errno.h"
#include "fs.h"
#include "mm.h"
#include "process.h"
#include "signal.h"
#include "sync.h"
#include "vm.h"

#define PIPE_BUF	4096u
#define PIPE_PAGES	16u
#define PIPE_SIZE	(PIPE_PAGES * PAGE_SIZE)

#define FIONREAD	0x541b

struct pipe {
	struct inode inode;
	struct mutex lock;
	u64 head;			/* [lock] */
	_Atomic size_t used;		/* [lock] to write; P1 */
	_Atomic unsigned readers, writers;	/* [lock] to write; open files of each kind */
	struct condvar readable;	/* data came, or the last writer went */
	struct condvar writable;	/* room came, or the last reader went */
	struct page *pages[PIPE_PAGES];	/* [lock] */
};

static const struct inode_ops pipe_inode_ops;
static const struct file_ops pipe_file_ops;

static struct pipe *file_pipe(const struct file *f)
{
	return container_of(f->inode, struct pipe, inode);
}

static size_t used(const struct pipe *p)
{
	return atomic_load_explicit(&p->used, memory_order_relaxed);
}

static size_t room(const struct pipe *p)
{
	return PIPE_SIZE - used(p);
}

static bool has_readers(const struct pipe *p)
{
	return atomic_load_explicit(&p->readers, memory_order_relaxed);
}

static bool has_writers(const struct pipe *p)
{
	return atomic_load_explicit(&p->writers, memory_order_relaxed);
}

/*
 * Somebody waits on @c for what the caller has just changed. condvar_wait() links itself before it
 * gives the pipe lock up, which we hold. Poll does not take that lock, since it must not block once
 * it is linked; instead:
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

/*
 * Blocks until the other side has changed something. 0, -EAGAIN, -EINTR. Pipe lock held again
 * after.
 */
static noinline int wait_change(struct pipe *p, const struct file *f, const struct iobuf *b,
				struct condvar *c) HOLDS(p->lock)
{
	if ((f->flags & O_NONBLOCK) || (b->flags & RWF_NOWAIT))
		return -EAGAIN;
	return condvar_wait(c, &p->lock, DEADLINE_NEVER);
}

static struct page **page_at(struct pipe *p, u64 pos)
{
	return &p->pages[pos % PIPE_SIZE / PAGE_SIZE];
}

/* Takes out what there is. Pipe lock held. */
static ssize_t take_bytes(struct pipe *p, struct iobuf *b)
{
	size_t had = used(p), left = had;
	int err = 0;

	while (b->left && left && !err) {
		size_t n = page_part(p->head, MIN(b->left, left));
		void *va = page_to_virt(*page_at(p, p->head));

		if (iobuf_copy_to(b, va + page_offset(p->head), n) != n) {
			err = -EFAULT;
		} else {
			p->head += n;
			left -= n;
		}
	}
	if (!left)
		p->head = 0;
	atomic_store_explicit(&p->used, left, memory_order_relaxed);
	return left == had ? err : (ssize_t)(had - left);
}

static ssize_t pipe_read(struct file *f, struct iobuf *b, off_t *pos)
{
	struct pipe *p = file_pipe(f);
	ssize_t done = 0;
	bool wake = false;
	int err;

	(void)pos;
	if (!b->left)
		return 0;
	err = mutex_lock_killable(&p->lock);
	if (err)
		return err;
	while (unlikely(!used(p)) && has_writers(p) && !err)
		err = wait_change(p, f, b, &p->readable);
	if (!err) {
		done = take_bytes(p, b);
		wake = done > 0 && anyone_waits(&p->writable);
	}
	mutex_unlock(&p->lock);
	if (wake)
		condvar_broadcast(&p->writable);
	return err ? err : done;
}

/* The page for ring position @pos, allocated if it has none. Pipe lock held. */
static struct page *make_page(struct pipe *p, u64 pos)
{
	struct page **slot = page_at(p, pos);

	if (unlikely(!*slot)) {
		*slot = page_alloc(0, 0);
		if (*slot)
			counter_add(COUNT_FILE_PAGES, 1);
	}
	return *slot;
}

/*
 * Puts in up to @n bytes, for which there is room; all or nothing where @n <= PIPE_BUF. Pipe lock
 * held.
 */
static ssize_t put_bytes(struct pipe *p, struct iobuf *b, size_t n)
{
	u64 tail = p->head + used(p);
	size_t done = 0;
	int err = 0;

	while (done != n && !err) {
		size_t at = page_offset(tail + done), part = page_part(tail + done, n - done);
		struct page *page = make_page(p, tail + done);

		if (!page)
			err = -ENOMEM;
		else if (iobuf_copy_from(b, page_to_virt(page) + at, part) != part)
			err = -EFAULT;
		else
			done += part;
	}
	if (err && (n <= PIPE_BUF || !done))
		return err;
	atomic_store_explicit(&p->used, used(p) + done, memory_order_relaxed);
	return done;
}

/* Waits until @b, or of a large write any of it, has room. 0 or why not. Pipe lock held. */
static int wait_room(struct pipe *p, const struct file *f, const struct iobuf *b) HOLDS(p->lock)
{
	size_t least = b->left <= PIPE_BUF ? b->left : 1;
	int err = 0;

	while (unlikely(room(p) < least) && has_readers(p) && !err)
		err = wait_change(p, f, b, &p->writable);
	return err ? err : has_readers(p) ? 0 : -EPIPE;
}

/* One step of a write: waits for room and fills it. */
static ssize_t write_some(struct pipe *p, const struct file *f, struct iobuf *b)
{
	bool wake = false;
	ssize_t n;

	n = mutex_lock_killable(&p->lock);
	if (n)
		return n;
	n = wait_room(p, f, b);
	if (!n) {
		n = put_bytes(p, b, MIN(b->left, room(p)));
		wake = n > 0 && anyone_waits(&p->readable);
	}
	mutex_unlock(&p->lock);
	if (wake)
		condvar_broadcast(&p->readable);
	return n;
}

static ssize_t pipe_write(struct file *f, struct iobuf *b, off_t *pos)
{
	struct pipe *p = file_pipe(f);
	ssize_t n, done = 0;

	(void)pos;
	while (b->left) {
		n = write_some(p, f, b);
		if (n == -EPIPE)
			signal_send_thread(current_thread(), SIGPIPE);
		if (n < 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

static unsigned pipe_poll(struct file *f, struct poll_table *pt)
{
	bool reads = (f->flags & O_ACCMODE) == O_RDONLY;
	struct pipe *p = file_pipe(f);

	poll_add(pt, reads ? &p->readable.q : &p->writable.q);
	atomic_thread_fence(memory_order_seq_cst);	/* pairs with anyone_waits() */
	if (reads)
		return (used(p) ? POLLIN : 0) | (has_writers(p) ? 0 : POLLHUP);
	return (room(p) >= PIPE_BUF ? POLLOUT : 0) | (has_readers(p) ? 0 : POLLERR);
}

static int pipe_ioctl(struct file *f, unsigned cmd, vaddr_t arg)
{
	s32 bytes = used(file_pipe(f));

	return cmd == FIONREAD ? copy_to_user(arg, &bytes, sizeof(bytes)) : -ENOTTY;
}

static int pipe_open(struct file *f)
{
	struct pipe *p = file_pipe(f);

	mutex_lock(&p->lock);
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		p->readers++;
	else
		p->writers++;
	mutex_unlock(&p->lock);
	return 0;
}

/* The last of one side changes what the other waits for. */
static void pipe_close(struct file *f)
{
	bool reads = (f->flags & O_ACCMODE) == O_RDONLY;
	struct pipe *p = file_pipe(f);
	unsigned left;

	mutex_lock(&p->lock);
	left = reads ? --p->readers : --p->writers;
	mutex_unlock(&p->lock);
	if (left == 0)
		condvar_broadcast(reads ? &p->writable : &p->readable);
}

/* Its pages; each open end counts for a part. */
static u64 pipe_held(struct file *f)
{
	struct pipe *p = file_pipe(f);
	u64 pages = 0;

	mutex_lock(&p->lock);
	for (unsigned n = 0; n < PIPE_PAGES; n++)
		pages += p->pages[n] != NULL;
	pages = pages * PAGE_SIZE / (p->readers + p->writers);
	mutex_unlock(&p->lock);
	return pages;
}

static void pipe_release(struct inode *i)
{
	struct pipe *p = container_of(i, struct pipe, inode);

	for (unsigned n = 0; n < PIPE_PAGES; n++)
		if (p->pages[n]) {
			page_put(p->pages[n]);
			counter_add(COUNT_FILE_PAGES, -1);
		}
	counter_add(COUNT_PIPES, -1);
	kfree(p);
}

static const struct inode_ops pipe_inode_ops = { .release = pipe_release };

static const struct file_ops pipe_file_ops = {
	.open = pipe_open,
	.close = pipe_close,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.held = pipe_held,
};

int pipe_create(struct file **r, struct file **w, u32 flags)
{
	struct pipe *p = kzalloc(sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	inode_init(&p->inode, S_IFIFO | 0600, &pipe_inode_ops, &pipe_file_ops);
	inode_init_owner(&p->inode, NULL);
	counter_add(COUNT_PIPES, 1);
	mutex_init(&p->lock);
	condvar_init(&p->readable);
	condvar_init(&p->writable);
	err = file_open_inode(&p->inode, O_RDONLY | flags, r);
	if (!err) {
		err = file_open_inode(&p->inode, O_WRONLY | flags, w);
		if (err)
			file_put(*r);
	}
	inode_put(&p->inode);		/* the files have their own */
	return err;
}
