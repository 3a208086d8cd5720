/*
 * System calls that move data between an open file and user memory, and the file's offset.
 *
 * All calls take one path: the user's buffer or vector becomes one struct iobuf, and the file's
 * operation is called once for all of it. So reading into a vector stops where the data ends,
 * without waiting for more, and a vector is written to a pipe in one piece.
 *
 * The order of the checks is Linux's: the descriptor, the offset, the access mode, the memory.
 */
#include "sys.h"

#include "abi.h"

#define RWF_KNOWN	(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND)

typedef ssize_t (*transfer_fn)(struct file *f, struct iobuf *b, off_t *pos);

/* --- One buffer ------------------------------------------------------------------------------- */

/* Checks whether the file takes a transfer at @pos. NULL, the file's own offset, is always fine. */
static int may_seek(const struct file *f, const off_t *pos, transfer_fn fn)
{
	bool placed = f->ops->seekable || inode_is(f->inode, S_IFDIR);

	if (pos && f->ops->endless && fn == file_write)
		return -ESPIPE;
	if (!pos || placed || (f->ops->placeless && inode_is(f->inode, S_IFCHR)))
		return 0;
	return f->flags & O_PATH ? -EBADF : -ESPIPE;
}

/*
 * Checks whether the file is open for this (-EBADF), and knows how to do it (-EINVAL; a directory
 * fails later, in its operation). These errors come before any error about the memory.
 */
static int use_error(const struct file *f, transfer_fn fn)
{
	bool may = fn == file_read ? file_reads(f) : file_writes(f);

	if (!may || (f->flags & O_PATH))
		return -EBADF;
	return (fn == file_read ? f->ops->read : f->ops->write) || inode_is(f->inode, S_IFDIR)
		       ? 0
		       : -EINVAL;
}

static noinline long bad_range(const struct file *f, transfer_fn fn)
{
	int err = use_error(f, fn);

	return err ? err : -EFAULT;
}

static always_inline long transfer(int fd, vaddr_t buf, size_t n, off_t *pos, transfer_fn fn)
{
	struct iobuf b = { .addr = buf, .left = MIN(n, RW_MAX) };
	struct file *f SCOPED(file) = fd_get_any(fd);

	if (unlikely(!f))
		return -EBADF;
	if (unlikely(may_seek(f, pos, fn)))
		return may_seek(f, pos, fn);
	if (unlikely(!user_range_ok(buf, n)))
		return bad_range(f, fn);
	return fn(f, &b, pos);
}

long sys_read(int fd, vaddr_t buf, size_t n)
{
	return transfer(fd, buf, n, NULL, file_read);
}

long sys_write(int fd, vaddr_t buf, size_t n)
{
	return transfer(fd, buf, n, NULL, file_write);
}

long sys_pread64(int fd, vaddr_t buf, size_t n, off_t pos)
{
	return pos < 0 ? -EINVAL : transfer(fd, buf, n, &pos, file_read);
}

long sys_pwrite64(int fd, vaddr_t buf, size_t n, off_t pos)
{
	return pos < 0 ? -EINVAL : transfer(fd, buf, n, &pos, file_write);
}

/* --- Vectors ---------------------------------------------------------------------------------- */

void vector_end(struct user_vector *v)
{
	if (v->segments != v->few)
		kfree(v->segments);
}

/* Checks the segments, and cuts them off at RW_MAX bytes in all. */
static int vector_check(struct user_vector *v, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		struct iovec *s = &v->segments[i];

		if ((s64)s->len < 0)
			return -EINVAL;
		if (!user_range_ok(s->base, s->len))
			return -EFAULT;
		s->len = MIN(s->len, RW_MAX - total);
		total += s->len;
	}
	v->buf = (struct iobuf){ .left = total, .later = total, .next = v->segments };
	return 0;
}

int vector_get(struct user_vector *v, vaddr_t from, size_t n)
{
	int err;

	if (n > IOV_MAX)
		return -EINVAL;
	v->segments = n <= IOV_FEW ? v->few : kmalloc(n * sizeof(*v->segments));
	if (!v->segments)
		return -ENOMEM;
	err = copy_from_user(v->segments, from, n * sizeof(*v->segments));
	if (!err)
		err = vector_check(v, n);
	if (err)
		vector_end(v);
	return err;
}

/*
 * Checks the flags of preadv2() and pwritev2(). RWF_NOWAIT is only for files that may block: files
 * in memory never do and refuse the flag, as on Linux.
 */
static int check_flags(const struct file *f, u32 flags, bool writes)
{
	if ((flags & ~RWF_KNOWN) || ((flags & RWF_NOWAIT) && !f->ops->nowait))
		return -EOPNOTSUPP;
	if (f->ops->by_segment && writes && (flags & ~RWF_HIPRI))
		return -EOPNOTSUPP;
	return (flags & RWF_APPEND) && (flags & RWF_NOAPPEND) ? -EINVAL : 0;
}

/* Transfers one segment after the other, until one is not taken whole. */
static long transfer_segments(struct file *f, struct user_vector *v, size_t n, transfer_fn fn)
{
	long done = 0, moved = 0;

	for (size_t i = 0; i < n && moved >= 0; i++) {
		struct iobuf b = { .addr = v->segments[i].base, .left = v->segments[i].len };
		size_t all = b.left;

		moved = all ? fn(f, &b, NULL) : 0;
		done += MAX(moved, 0);
		if (moved < (long)all)
			break;
	}
	return done ? done : moved;
}

static long transfer_vector(int fd, vaddr_t vector, size_t n, off_t *pos, u32 flags, transfer_fn fn)
{
	struct file *f SCOPED(file) = fd_get(fd);
	struct user_vector v;
	long result;

	if (!f)
		return -EBADF;
	if (may_seek(f, pos, fn))
		return -ESPIPE;
	result = use_error(f, fn);
	if (!result)
		result = vector_get(&v, vector, n);
	if (result)
		return result;
	if (v.buf.left)		/* without data, Linux does not look at the flags */
		result = check_flags(f, flags, fn == file_write);
	v.buf.flags = flags;
	if (v.buf.left && !result)
		result = f->ops->by_segment && fn == file_write
				 ? transfer_segments(f, &v, n, fn)
				 : fn(f, &v.buf, pos);
	vector_end(&v);
	return result;
}

/* In the forms with flags, position -1 means the file's own offset. */
static long transfer_at(int fd, vaddr_t vector, size_t n, off_t pos, u32 flags, transfer_fn fn)
{
	if (pos < -1)
		return -EINVAL;
	return transfer_vector(fd, vector, n, pos == -1 ? NULL : &pos, flags, fn);
}

long sys_preadv(int fd, vaddr_t vector, size_t n, off_t pos)
{
	return pos < 0 ? -EINVAL : transfer_at(fd, vector, n, pos, 0, file_read);
}

long sys_pwritev(int fd, vaddr_t vector, size_t n, off_t pos)
{
	return pos < 0 ? -EINVAL : transfer_at(fd, vector, n, pos, 0, file_write);
}

/* @high is the upper half of the position on 32-bit ports. */
long sys_preadv2(int fd, vaddr_t vector, size_t n, off_t pos, u64 high, u32 flags)
{
	(void)high;
	return transfer_at(fd, vector, n, pos, flags, file_read);
}

long sys_pwritev2(int fd, vaddr_t vector, size_t n, off_t pos, u64 high, u32 flags)
{
	(void)high;
	return transfer_at(fd, vector, n, pos, flags, file_write);
}

/* --- The offset ------------------------------------------------------------------------------- */

#define SEEK_SET	0
#define SEEK_CUR	1
#define SEEK_END	2
#define SEEK_DATA	3
#define SEEK_HOLE	4

/* Finds the first data or hole at or after @offset; the end of the file counts as a hole. */
static off_t seek_data(struct inode *i, off_t offset, bool hole)
{
	off_t size = i->size;

	if (offset < 0 || offset >= size)
		return -ENXIO;
	if (i->ops->seek)
		return i->ops->seek(i, offset, hole);
	return hole ? size : offset;
}

static off_t seek(struct file *f, off_t offset, int whence) HOLDS(f->lock)
{
	off_t from = 0;

	if (inode_is(f->inode, S_IFCHR))
		return 0;		/* a device has no positions */
	if (whence == SEEK_DATA || whence == SEEK_HOLE)
		from = seek_data(f->inode, offset, whence == SEEK_HOLE);
	else if (whence != SEEK_SET)
		from = whence == SEEK_CUR ? f->offset : (off_t)atomic_load(&f->inode->size);
	if (whence <= SEEK_END && __builtin_add_overflow(from, offset, &from))
		return -EINVAL;
	if (from < 0)
		return whence <= SEEK_END ? -EINVAL : from;
	f->offset = from;
	return from;
}

long sys_lseek(int fd, off_t offset, int whence)
{
	struct file *f SCOPED(file) = fd_get(fd);
	long result;

	if (!f)
		return -EBADF;
	if (whence < SEEK_SET || whence > SEEK_HOLE)
		return -EINVAL;
	if (f->ops->placeless)
		return 0;
	if (!f->ops->seekable && !inode_is(f->inode, S_IFDIR))
		return -ESPIPE;
	if ((inode_is(f->inode, S_IFDIR) || f->ops->endless) && whence > SEEK_CUR)
		return -EINVAL;
	mutex_lock(&f->lock);
	result = seek(f, offset, whence);
	mutex_unlock(&f->lock);
	return result;
}
