/*
 * Open files: each open() makes one, and dup() and fork() share it. It has the offset; the inode
 * has the contents. Here is also struct iobuf, the memory at the other end of a read or write.
 *
 * Lock: file->lock guards the offset of files that have one. It is held during the transfer, so two
 * threads that read the same open file get different bytes.
 */
#include "base/counters.h"
#include "base/string.h"
#include "errno.h"
#include "fs.h"
#include "fs/filelock.h"
#include "fs/poll.h"
#include "mm/mm.h"
#include "mm/vm.h"
#include "process/cred.h"
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"

static struct kmem_cache *file_cache;

/* --- The memory of a transfer ----------------------------------------------------------------- */

/* Returns how many bytes the current segment still has. */
static size_t iobuf_here(const struct iobuf *b)
{
	return b->left - b->later;
}

static void iobuf_advance(struct iobuf *b, size_t n)
{
	b->addr += n;
	b->left -= n;
}

enum move { MOVE_TO, MOVE_FROM, MOVE_ZEROS };

static void move_kernel(void *addr, void *mem, size_t n, enum move way)
{
	if (way == MOVE_TO)
		memcpy(addr, mem, n);
	else if (way == MOVE_FROM)
		memcpy(mem, addr, n);
	else
		memset(addr, 0, n);
}

static int move_user(vaddr_t addr, void *mem, size_t n, enum move way)
{
	if (way == MOVE_TO)
		return copy_to_user(addr, mem, n);
	return way == MOVE_FROM ? copy_from_user(mem, addr, n) : clear_user(addr, n);
}

size_t iobuf_part(struct iobuf *b)
{
	while (!iobuf_here(b)) {
		b->addr = b->next->base;
		b->later -= b->next++->len;
	}
	return page_part(b->addr, iobuf_here(b));
}

/*
 * The slow path: for kernel memory, for more than one segment, and to find out how far user memory
 * can be reached. That ends at the end of a page, so no part crosses one.
 */
static noinline size_t move_parts(struct iobuf *b, void *mem, size_t n, enum move way)
{
	size_t done = 0, part;

	if (b->kernel) {
		move_kernel((void *)b->addr, mem, n, way);
		iobuf_advance(b, n);
		b->later = b->left;
		return n;
	}
	for (; done < n; done += part) {
		part = MIN(n - done, iobuf_part(b));
		if (move_user(b->addr, mem + done, part, way))
			break;
		iobuf_advance(b, part);
	}
	return done;
}

size_t iobuf_copy_to(struct iobuf *b, const void *src, size_t n)
{
	if (unlikely(n > iobuf_here(b) || copy_to_user(b->addr, src, n)))
		return move_parts(b, (void *)src, n, MOVE_TO);
	iobuf_advance(b, n);
	return n;
}

size_t iobuf_copy_from(struct iobuf *b, void *dst, size_t n)
{
	if (unlikely(n > iobuf_here(b) || copy_from_user(dst, b->addr, n)))
		return move_parts(b, dst, n, MOVE_FROM);
	iobuf_advance(b, n);
	return n;
}

size_t iobuf_clear(struct iobuf *b, size_t n)
{
	if (unlikely(n > iobuf_here(b) || clear_user(b->addr, n)))
		return move_parts(b, NULL, n, MOVE_ZEROS);
	iobuf_advance(b, n);
	return n;
}

/* --- Limits ----------------------------------------------------------------------------------- */

/* Refuses to exceed RLIMIT_FSIZE: a signal goes with the error. */
static int too_large(void)
{
	signal_raise(SIGXFSZ);
	return -EFBIG;
}

static u64 size_limit(void)
{
	return current_process()->limits[RLIMIT_FSIZE].cur;
}

ssize_t file_room(off_t pos, size_t n)
{
	u64 limit = size_limit();

	if ((u64)pos >= limit)
		return too_large();
	if (pos == S64_MAX)
		return -EFBIG;
	return MIN(n, MIN(limit, (u64)S64_MAX) - pos);
}

int file_may_grow(const struct inode *i, off_t size)
{
	return (u64)size > i->size && (u64)size > size_limit() ? too_large() : 0;
}

/* --- Open files ------------------------------------------------------------------------------- */

/* Counts one more writer (@step 1) or program (@step -1) if there is none of the other kind. */
static int count_use(struct inode *i, s32 step)
{
	s32 n = atomic_load(&i->writers);

	do
		if (n * step < 0)
			return -ETXTBSY;
	while (!atomic_compare_exchange_weak(&i->writers, &n, n + step));
	return 0;
}

int inode_get_write(struct inode *i)
{
	return count_use(i, 1);
}

void inode_put_write(struct inode *i)
{
	atomic_fetch_sub(&i->writers, 1);
}

int file_deny_write(struct file *f)
{
	return count_use(f->inode, -1);
}

struct file *program_get(struct file *f)
{
	atomic_fetch_sub(&f->inode->writers, 1);
	return file_get(f);
}

void program_put(struct file *f)
{
	atomic_fetch_add(&f->inode->writers, 1);
	file_put(f);
}

static bool counts_as_writer(const struct inode *i, u32 flags)
{
	return inode_is(i, S_IFREG) && !(flags & O_PATH) && flags_write(flags);
}

static void file_free(struct file *f)
{
	if (counts_as_writer(f->inode, f->flags) && !f->made)
		inode_put_write(f->inode);
	inode_put(f->inode);
	inode_put(f->dir);
	counter_add(COUNT_FILES, -1);
	kmem_cache_free(file_cache, f);
}

void file_put(struct file *f)
{
	if (atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) > 1)
		return;
	filelock_drop(f->inode, f);
	if (unlikely(list_linked(&f->async.node))) {
		async_list(f, 0, false);
		assert(!list_linked(&f->async.node));	/* ASYNC1 */
	}
	if (f->ops->close)
		f->ops->close(f);
	file_free(f);
}

/* A file opened with O_PATH is a place in the tree and no more. */
static unsigned place_poll(struct file *f, struct poll_table *pt)
{
	(void)f;
	(void)pt;
	return POLLIN | POLLOUT | POLLPRI;	/* for select(); poll() refuses such a file */
}

static const struct file_ops place_ops = { .poll = place_poll };

int file_open_inode(struct inode *i, u32 flags, struct file **out)
{
	struct file *f;
	int err;

	if (!(flags & O_PATH) && !i->fops)
		return -ENXIO;		/* a device that does not exist */
	err = counts_as_writer(i, flags) ? inode_get_write(i) : 0;
	if (err)
		return err;
	f = kmem_cache_alloc(file_cache);
	if (!f) {
		if (counts_as_writer(i, flags))
			inode_put_write(i);
		return -ENOMEM;
	}
	*f = (struct file){ .refs = 1, .flags = flags, .inode = inode_get(i),
			    .ops = flags & O_PATH ? &place_ops : i->fops,
			    .opener = current_cred()->uid.fs };
	mutex_init(&f->lock);
	list_init(&f->async.node);
	counter_add(COUNT_FILES, 1);
	err = f->ops->open ? f->ops->open(f) : 0;
	if (err)
		file_free(f);
	else
		*out = f;
	return err;
}

int file_open_anon(struct inode *i, const struct inode_ops *inode_ops,
		   const struct file_ops *file_ops, u32 flags, struct file **out)
{
	int err;

	inode_init(i, 0600, inode_ops, file_ops);
	inode_init_owner(i, NULL);
	i->dev = DEV_ANON;
	err = file_open_inode(i, O_RDWR | flags, out);
	inode_put(i);
	return err;
}

typedef ssize_t (*transfer_fn)(struct file *f, struct iobuf *b, off_t *pos);

/* Refuses a transfer that would end beyond the largest offset. */
static ssize_t transfer_at(struct file *f, struct iobuf *b, off_t *pos, transfer_fn fn)
{
	return b->left > (u64)(S64_MAX - *pos) ? -EINVAL : fn(f, b, pos);
}

/*
 * The slow path of file_read() and file_write(), in a function of its own to keep the fast one
 * short: a transfer at *pos, or with NULL at the file's offset.
 */
static noinline ssize_t transfer_at_offset(struct file *f, struct iobuf *b, off_t *pos,
					   transfer_fn fn)
{
	ssize_t n;

	if (f->flags & O_PATH)
		return -EBADF;		/* checked here, so that the fast path need not */
	if (!fn)
		return inode_is(f->inode, S_IFDIR) && (!pos || b->left <= (u64)(S64_MAX - *pos))
			       ? -EISDIR
			       : -EINVAL;
	if (pos)
		return transfer_at(f, b, pos, fn);
	mutex_lock(&f->lock);
	n = transfer_at(f, b, &f->offset, fn);
	mutex_unlock(&f->lock);
	return n;
}

ssize_t file_read(struct file *f, struct iobuf *b, off_t *pos)
{
	transfer_fn fn = f->ops->read;

	if (unlikely(!file_reads(f)))
		return -EBADF;
	if (fn && !f->ops->seekable && !pos)
		return fn(f, b, pos);
	return transfer_at_offset(f, b, pos, fn);
}

ssize_t file_write(struct file *f, struct iobuf *b, off_t *pos)
{
	transfer_fn fn = f->ops->write;

	if (unlikely(!file_writes(f)))
		return -EBADF;
	if (fn && !f->ops->seekable && !pos)
		return fn(f, b, pos);
	return transfer_at_offset(f, b, pos, fn);
}

void file_init(void)
{
	file_cache = kmem_cache_create("file", sizeof(struct file), 0);
}
