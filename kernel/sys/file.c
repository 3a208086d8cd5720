/*
 * System calls on open files: reading and writing, offsets, descriptors, pipes.
 *
 * The pattern: fd_get() takes a reference, the work is done on the file, file_put() gives it back.
 * A close() by another thread meanwhile takes the number away, not the file under our feet.
 */
#include "sys.h"

#include "abi.h"

#define RW_MAX		0x7ffff000UL	/* the most that one call moves, as on Linux */
#define IOV_MAX		1024

typedef ssize_t (*transfer_fn)(struct file *f, struct iobuf *b, off_t *pos);

/* --- Reading and writing ---------------------------------------------------------------------- */

static long transfer(int fd, vaddr_t buf, size_t n, off_t *pos, transfer_fn fn)
{
	struct iobuf b = { .addr = buf, .left = MIN(n, RW_MAX) };
	struct file *f SCOPED(file) = fd_get(fd);

	if (unlikely(!f))
		return -EBADF;
	if (unlikely(!user_range_ok(buf, n)))
		return -EFAULT;
	if (unlikely(pos && !f->ops->seekable))
		return -ESPIPE;
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

struct iovec {
	vaddr_t base;
	size_t len;
};

/* One buffer after the other; a short one ends it, an error only counts if nothing has moved. */
static long transfer_vector(int fd, vaddr_t vector, int n, transfer_fn fn)
{
	struct iovec v;
	long done = 0;

	if (n < 0 || n > IOV_MAX)
		return -EINVAL;
	if (n == 0)
		return transfer(fd, 0, 0, NULL, fn);
	for (int i = 0; i < n; i++) {
		long moved;

		if (copy_from_user(&v, vector + i * sizeof(v), sizeof(v)))
			moved = -EFAULT;
		else if ((s64)v.len < 0)
			moved = -EINVAL;
		else
			moved = v.len || n == 1 ? transfer(fd, v.base, v.len, NULL, fn) : 0;
		if (moved < 0)
			return done ? done : moved;
		done += moved;
		if ((size_t)moved < v.len)
			break;
	}
	return done;
}

long sys_readv(int fd, vaddr_t vector, int n)
{
	return transfer_vector(fd, vector, n, file_read);
}

long sys_writev(int fd, vaddr_t vector, int n)
{
	return transfer_vector(fd, vector, n, file_write);
}

#define SEEK_SET	0
#define SEEK_CUR	1
#define SEEK_END	2

/* f->lock held. */
static off_t seek(struct file *f, off_t offset, int whence)
{
	off_t from = 0;

	if (whence < SEEK_SET || whence > SEEK_END)
		return -EINVAL;
	if (whence != SEEK_SET)
		from = whence == SEEK_CUR ? f->offset : (off_t)atomic_load(&f->inode->size);
	if (__builtin_add_overflow(from, offset, &from))
		return -EOVERFLOW;
	if (from < 0)
		return -EINVAL;
	f->offset = from;
	return from;
}

long sys_lseek(int fd, off_t offset, int whence)
{
	struct file *f SCOPED(file) = fd_get(fd);
	long result;

	if (!f)
		return -EBADF;
	if (!f->ops->seekable && !inode_is(f->inode, S_IFDIR))
		return -ESPIPE;
	mutex_lock(&f->lock);
	result = seek(f, offset, whence);
	mutex_unlock(&f->lock);
	return result;
}

/* --- Descriptors ------------------------------------------------------------------------------ */

u64 fd_limit(void)
{
	return current_process()->limits[RLIMIT_NOFILE].cur;
}

long sys_close(int fd)
{
	return fd_close(fd);
}

/* A new number, at least @min, for the file behind @fd. */
static long duplicate(int fd, int min, bool cloexec)
{
	struct file *f = fd_get(fd);

	return f ? fd_install(f, min, fd_limit(), cloexec) : -EBADF;
}

long sys_dup(int fd)
{
	return duplicate(fd, 0, false);
}

/* Unlike dup3(), it lets a descriptor be duplicated onto itself. */
long sys_dup2(int fd, int to)
{
	struct file *f SCOPED(file) = fd == to ? fd_get(fd) : NULL;

	if (fd == to)
		return f ? fd : -EBADF;
	return sys_dup3(fd, to, 0);
}

long sys_dup3(int fd, int to, u32 flags)
{
	struct file *f;

	if ((flags & ~O_CLOEXEC) || fd == to)
		return -EINVAL;
	f = fd_get(fd);
	return f ? fd_replace(to, f, fd_limit(), flags & O_CLOEXEC) : -EBADF;
}

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_DUPFD_CLOEXEC	1030
#define FD_CLOEXEC	1

#define F_SETTABLE	(O_APPEND | O_NONBLOCK)

long sys_fcntl(int fd, int cmd, u64 arg)
{
	struct file *f SCOPED(file) = fd_get(fd);

	if (!f)
		return -EBADF;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (arg >= fd_limit())
			return -EINVAL;
		return duplicate(fd, arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_flags(fd, -1);
	case F_SETFD:
		return fd_flags(fd, arg & FD_CLOEXEC);
	case F_GETFL:
		return (f->flags & ~O_CLOEXEC) | O_LARGEFILE;
	case F_SETFL:
		mutex_lock(&f->lock);
		f->flags = (f->flags & ~F_SETTABLE) | (arg & F_SETTABLE);
		mutex_unlock(&f->lock);
		return 0;
	}
	return -EINVAL;
}

long sys_ioctl(int fd, u32 cmd, vaddr_t arg)
{
	struct file *f SCOPED(file) = fd_get(fd);

	if (!f)
		return -EBADF;
	return f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
}

long sys_pipe2(vaddr_t out, u32 flags)
{
	struct file *r, *w;
	int fds[2];
	int err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create(&r, &w, flags & O_NONBLOCK);
	if (err)
		return err;
	fds[0] = fd_install(r, 0, fd_limit(), flags & O_CLOEXEC);
	if (fds[0] < 0) {
		file_put(w);
		return fds[0];
	}
	err = fds[1] = fd_install(w, 0, fd_limit(), flags & O_CLOEXEC);
	if (err < 0)
		goto out_read;
	err = copy_to_user(out, fds, sizeof(fds));
	if (!err)
		return 0;
	fd_close(fds[1]);
out_read:
	fd_close(fds[0]);
	return err;
}

/* --- Contents --------------------------------------------------------------------------------- */

long sys_ftruncate(int fd, off_t size)
{
	struct file *f SCOPED(file) = fd_get(fd);

	if (!f)
		return -EBADF;
	if (!inode_is(f->inode, S_IFREG) || (f->flags & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	return vfs_truncate(f->inode, size);
}

/* Files live in memory: what has been written is as safe as it will ever be. */
long sys_fsync(int fd)
{
	struct file *f SCOPED(file) = fd_get(fd);

	return f ? 0 : -EBADF;
}

long sys_sync(void)
{
	return 0;
}
