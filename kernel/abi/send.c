/*
 * System calls that move data from file to file: sendfile(), copy_file_range(), splice(), tee() and
 * vmsplice(). The data goes through the kernel a page at a time, by a read of one file and a write
 * of the other, so each file makes its own checks and does its own waiting. If one of them is a
 * pipe, kernel/fs/splice.c moves the data.
 */
#include "fs/splice.h"
#include "sys.h"

#define SPLICE_F_NONBLOCK	0x2u
#define SPLICE_F_KNOWN		0xfu	/* with MOVE, MORE and GIFT, which are ignored */

/* The position that @at points to, or the file's own. */
struct position {
	struct file *file;
	vaddr_t at;			/* 0: the file's own */
	off_t pos;
};

/* Reads the user's position, before any descriptor is looked at; position_begin() comes after. */
static int position_get(struct position *p, vaddr_t at)
{
	*p = (struct position){ .at = at };
	return at && copy_from_user(&p->pos, at, sizeof(p->pos)) ? -EFAULT : 0;
}

static void position_begin(struct position *p, struct file *f)
{
	p->file = f;
	if (!p->at)
		p->pos = f->offset;
}

/* Stores the position that has moved, for the user or in the file. */
static int position_put(const struct position *p)
{
	if (p->at)
		return copy_to_user(p->at, &p->pos, sizeof(p->pos));
	mutex_lock(&p->file->lock);
	p->file->offset = p->pos;
	mutex_unlock(&p->file->lock);
	return 0;
}

/* Moves up to @n bytes and returns how many. @to NULL: writes at the file's own offset. */
static ssize_t move_page(struct position *from, struct file *out, off_t *to, char *page, size_t n)
{
	off_t pos = from->pos;
	struct iobuf b = iobuf_kernel(page, n);
	ssize_t got = file_read(from->file, &b, &pos);

	if (got <= 0)
		return got;
	b = iobuf_kernel(page, got);
	got = file_write(out, &b, to);
	from->pos += MAX(got, 0);
	return got;
}

static ssize_t move(struct position *from, struct file *out, off_t *to, size_t count)
{
	char *page SCOPED(kmem) = kmalloc(PAGE_SIZE);
	size_t done = 0;
	ssize_t moved = 0;

	if (!page)
		return -ENOMEM;
	while (done < count) {
		size_t n = MIN(count - done, PAGE_SIZE);

		moved = move_page(from, out, to, page, n);
		done += MAX(moved, 0);
		if (moved < (ssize_t)n)
			break;
	}
	return done ? (ssize_t)done : moved;
}

/* Whether the file can be read or written at a position that the user gives. */
static bool takes_positions(const struct file *f)
{
	return f->ops->seekable || (f->ops->placeless && inode_is(f->inode, S_IFCHR)) ||
	       inode_is(f->inode, S_IFDIR);
}

static bool range_ok(const struct position *p, size_t n)
{
	return p->pos >= 0 && n <= (u64)(S64_MAX - p->pos);
}

static long send(int out_fd, struct position *from, size_t count)
{
	struct file *in = from->file, *out SCOPED(file) = NULL;

	if (!file_reads(in))
		return -EBADF;
	if (from->at && !takes_positions(in))
		return -ESPIPE;
	if (!range_ok(from, count))
		return -EINVAL;
	out = fd_get(out_fd);
	if (!out || !file_writes(out))
		return -EBADF;
	if (pipe_of(out))
		return splice_to_pipe(&(struct splice_side){ .file = in, .pos = &from->pos },
				      pipe_of(out), MIN(count, RW_MAX), out->flags & O_NONBLOCK);
	if (out->flags & O_APPEND)
		return -EINVAL;
	/* Only a file with lseek() can take back data that @out does not accept. */
	if (!in->ops->seekable && !in->ops->placeless && !inode_is(in->inode, S_IFDIR))
		return -EINVAL;
	if (count && (!splice_reads(in) || !splice_writes(out)))
		return -EINVAL;
	return move(from, out, NULL, MIN(count, RW_MAX));
}

long sys_sendfile(int out_fd, int in_fd, vaddr_t offset, size_t count)
{
	struct file *in SCOPED(file) = NULL;
	struct position from;
	int err = position_get(&from, offset);
	long done;

	if (err)
		return err;
	in = fd_get(in_fd);
	if (!in)
		return -EBADF;
	position_begin(&from, in);
	done = send(out_fd, &from, count);
	err = done > 0 || offset ? position_put(&from) : 0;
	return err ? err : done;
}

/* Checks copy_file_range()'s two files. */
static int may_copy(const struct file *in, const struct file *out)
{
	if (inode_is(in->inode, S_IFDIR) || inode_is(out->inode, S_IFDIR))
		return -EISDIR;
	if (!inode_is(in->inode, S_IFREG) || !inode_is(out->inode, S_IFREG))
		return -EINVAL;
	if (!file_reads(in) || !file_writes(out) || (out->flags & O_APPEND))
		return -EBADF;
	return in->inode->dev == out->inode->dev ? 0 : -EXDEV;
}

/* Checks the two ranges, and cuts *count off at the end of the file that is read. */
static int may_copy_range(const struct position *from, const struct position *to, size_t *count)
{
	if ((u64)from->pos + *count < *count || (u64)to->pos + *count < *count)
		return -EOVERFLOW;
	if (from->pos < 0 || to->pos < 0)
		return -EINVAL;
	*count = MIN(*count, (u64)MAX((off_t)from->file->inode->size - from->pos, 0));
	if (from->file->inode == to->file->inode && (u64)from->pos < to->pos + *count &&
	    (u64)to->pos < from->pos + *count)
		return -EINVAL;
	return 0;
}

static long copy_range(struct position *from, struct position *to, size_t count)
{
	ssize_t done;
	int err = may_copy(from->file, to->file);

	if (!err)
		err = may_copy_range(from, to, &count);
	if (err || !count)
		return err;
	done = move(from, to->file, &to->pos, MIN(count, RW_MAX));
	return done > 0 && (position_put(from) || position_put(to)) ? -EFAULT : done;
}

long sys_copy_file_range(int in_fd, vaddr_t in_at, int out_fd, vaddr_t out_at, size_t count,
			 u32 flags)
{
	struct file *in SCOPED(file) = fd_get(in_fd);
	struct file *out SCOPED(file) = fd_get(out_fd);
	struct position from, to;

	if (!in || !out)
		return -EBADF;
	if (position_get(&from, in_at) || position_get(&to, out_at))
		return -EFAULT;
	position_begin(&from, in);
	position_begin(&to, out);
	return flags ? -EINVAL : copy_range(&from, &to, count);
}

/* --- Pipes ------------------------------------------------------------------------------------ */

/* Checks where splice() reads or writes a file that is not a pipe. */
static bool place_ok(const struct position *p, size_t n)
{
	return (!p->at || takes_positions(p->file)) && range_ok(p, n);
}

static ssize_t splice(struct position *from, struct position *to, size_t n, bool nonblock)
{
	struct pipe *source = pipe_of(from->file), *sink = pipe_of(to->file);
	struct splice_side side;

	if (!file_reads(from->file) || !file_writes(to->file))
		return -EBADF;
	if (source)
		nonblock |= from->file->flags & O_NONBLOCK;
	if (sink)
		nonblock |= to->file->flags & O_NONBLOCK;
	if (source && sink)
		return source == sink ? -EINVAL : splice_pipes(source, sink, n, false, nonblock);
	if (sink) {
		if (!place_ok(from, n))
			return -EINVAL;
		side = (struct splice_side){ .file = from->file, .pos = &from->pos };
		return splice_to_pipe(&side, sink, MIN(n, RW_MAX), nonblock);
	}
	if (!source || (to->file->flags & O_APPEND) || !splice_writes(to->file) || !place_ok(to, n))
		return -EINVAL;
	side = (struct splice_side){ .file = to->file, .pos = &to->pos };
	return splice_from_pipe(source, &side, MIN(n, RW_MAX), nonblock);
}

long sys_splice(int in_fd, vaddr_t in_at, int out_fd, vaddr_t out_at, size_t n, u32 flags)
{
	struct file *in SCOPED(file) = NULL, *out SCOPED(file) = NULL;
	struct position from, to;
	ssize_t done;

	if (!n)
		return 0;
	if (flags & ~SPLICE_F_KNOWN)
		return -EINVAL;
	in = fd_get(in_fd);
	out = fd_get(out_fd);
	if (!in || !out)
		return -EBADF;
	if ((in_at && pipe_of(in)) || (out_at && pipe_of(out)))
		return -ESPIPE;
	if (position_get(&to, out_at) || position_get(&from, in_at))
		return -EFAULT;
	position_begin(&from, in);
	position_begin(&to, out);
	done = splice(&from, &to, n, flags & SPLICE_F_NONBLOCK);
	if (done >= 0 && (position_put(&to) || position_put(&from)))
		return -EFAULT;
	return done;
}

long sys_tee(int in_fd, int out_fd, size_t n, u32 flags)
{
	struct file *in SCOPED(file) = NULL, *out SCOPED(file) = NULL;

	if (flags & ~SPLICE_F_KNOWN)
		return -EINVAL;
	if (!n)
		return 0;
	in = fd_get(in_fd);
	out = fd_get(out_fd);
	if (!in || !out || !file_reads(in) || !file_writes(out))
		return -EBADF;
	if (!pipe_of(in) || !pipe_of(out) || pipe_of(in) == pipe_of(out))
		return -EINVAL;
	return splice_pipes(pipe_of(in), pipe_of(out), n, true,
			    (flags & SPLICE_F_NONBLOCK) || ((in->flags | out->flags) & O_NONBLOCK));
}

/* Moves the vector's bytes into a pipe that is open for writing, or fills them from the pipe. */
long sys_vmsplice(int fd, vaddr_t vector, size_t n, u32 flags)
{
	bool nonblock = flags & SPLICE_F_NONBLOCK;
	struct file *f SCOPED(file) = NULL;
	struct splice_side side = { .file = NULL };
	struct user_vector v;
	long done;

	if (flags & ~SPLICE_F_KNOWN)
		return -EINVAL;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	done = vector_get(&v, vector, n);
	if (done)
		return done;
	side.memory = &v.buf;
	if (!v.buf.left)
		done = 0;
	else if (!pipe_of(f))
		done = -EBADF;
	else if (file_writes(f))
		done = splice_to_pipe(&side, pipe_of(f), v.buf.left, nonblock);
	else
		done = splice_from_pipe(pipe_of(f), &side, v.buf.left, nonblock);
	vector_end(&v);
	return done;
}
