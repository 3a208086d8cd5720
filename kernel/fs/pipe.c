/*
 * Pipes: a ring of PIPE_SIZE bytes in whole pages, copied straight from and to user memory.
 *
 * head and tail only grow; byte n is at n % PIPE_SIZE. A page is allocated when the ring first gets
 * there and kept until the pipe goes. Whenever the pipe is empty both start again at 0, so messages
 * that are read as they come only ever need the first page.
 *
 * Lock: pipe->lock, a mutex, guards everything and is held while copying, so writes of up to
 * PIPE_BUF bytes are never mixed (they wait for room for all of them). Blocked threads wait on the
 * condition variables; whoever changes the state under the lock looks there whether somebody waits,
 * and wakes them after giving the lock up, so that they do not run into it.
 *
 *  P1  head <= tail <= head + PIPE_SIZE.
 *  P2  A reader blocks only while the pipe is empty and has writers, a writer only while there is
 *      too little room and there are readers; every change of these wakes the other side.
 */
#include "counters.h"
#include "errno.h"
#include "fs.h"
#include "mm.h"
#include "process.h"
#include "signal.h"
#include "vm.h"

#define PIPE_BUF	4096u
#define PIPE_PAGES	16u
#define PIPE_SIZE	(PIPE_PAGES * PAGE_SIZE)

#define FIONREAD	0x541b

struct pipe {
	struct inode inode;
	struct mutex lock;
	u64 head, tail;			/* [lock] P1 */
	unsigned readers, writers;	/* [lock] open files of each kind */
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

/*
 * Somebody waits on @c. Pipe lock held: condvar_wait() links itself before it gives the lock up,
 * and poll links itself before it takes the lock to look; so who is not seen here will see the
 * change.
 */
static bool anyone_waits(const struct condvar *c)
{
	return !list_empty(&c->q.links);
}

static size_t room(const struct pipe *p)
{
	return PIPE_SIZE - (p->tail - p->head);
}

static struct page **page_at(struct pipe *p, u64 pos)
{
	return &p->pages[pos % PIPE_SIZE / PAGE_SIZE];
}

/* Takes out what there is. Pipe lock held. */
static ssize_t take_bytes(struct pipe *p, struct iobuf *b)
{
	ssize_t done = 0;

	while (b->left && p->head != p->tail) {
		size_t n = page_part(p->head, MIN(b->left, p->tail - p->head));
		void *va = page_to_virt(*page_at(p, p->head));

		if (iobuf_copy_to(b, va + page_offset(p->head), n))
			return done ? done : -EFAULT;
		p->head += n;
		done += n;
	}
	if (p->head == p->tail)
		p->head = p->tail = 0;
	return done;
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
	while (p->head == p->tail && p->writers && !err)
		err = f->flags & O_NONBLOCK ? -EAGAIN
					    : condvar_wait(&p->readable, &p->lock, DEADLINE_NEVER);
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
 * Puts in up to @n bytes, for which there is room; all or nothing where @n <= PIPE_BUF. Lock held.
 */
static ssize_t put_bytes(struct pipe *p, struct iobuf *b, size_t n)
{
	u64 at = p->tail, end = at + n;
	int err = 0;

	while (at != end && !err) {
		size_t part = page_part(at, end - at);
		struct page *page = make_page(p, at);

		if (!page)
			err = -ENOMEM;
		else
			err = iobuf_copy_from(b, page_to_virt(page) + page_offset(at), part);
		if (!err)
			at += part;
	}
	if (err && (n <= PIPE_BUF || at == p->tail))
		return err;
	n = at - p->tail;
	p->tail = at;
	return n;
}

/* Waits until @n bytes, or of a large write any, have room. 0 or why not. Pipe lock held. */
static int wait_room(struct pipe *p, const struct file *f, size_t n)
{
	size_t least = n <= PIPE_BUF ? n : 1;
	int err = 0;

	while (p->readers && room(p) < least && !err)
		err = f->flags & O_NONBLOCK ? -EAGAIN
					    : condvar_wait(&p->writable, &p->lock, DEADLINE_NEVER);
	return err ? err : p->readers ? 0 : -EPIPE;
}

/* One step of a write: waits for room and fills it. */
static ssize_t write_some(struct pipe *p, const struct file *f, struct iobuf *b)
{
	bool wake = false;
	ssize_t n;

	n = mutex_lock_killable(&p->lock);
	if (n)
		return n;
	n = wait_room(p, f, b->left);
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
	unsigned state = 0;

	poll_add(pt, reads ? &p->readable.q : &p->writable.q);
	mutex_lock(&p->lock);
	if (reads) {
		state |= p->head != p->tail ? POLLIN : 0;
		state |= p->writers ? 0 : POLLHUP;
	} else {
		state |= room(p) >= PIPE_BUF ? POLLOUT : 0;
		state |= p->readers ? 0 : POLLERR;
	}
	mutex_unlock(&p->lock);
	return state;
}

static int pipe_ioctl(struct file *f, unsigned cmd, vaddr_t arg)
{
	struct pipe *p = file_pipe(f);
	s32 bytes;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&p->lock);
	bytes = p->tail - p->head;
	mutex_unlock(&p->lock);
	return copy_to_user(arg, &bytes, sizeof(bytes));
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
};

int pipe_create(struct file **r, struct file **w, u32 flags)
{
	struct pipe *p = kzalloc(sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	inode_init(&p->inode, S_IFIFO | 0600, &pipe_inode_ops, &pipe_file_ops);
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
