/*
 * System calls on open files: descriptors, pipes, what they are told. Moving data: rw.c.
 *
 * The pattern: fd_get() takes a reference, the work is done on the file, file_put() gives it back.
 * A close() by another thread meanwhile takes the number away, not the file under our feet.
 */
#include "sys.h"

#include "abi.h"

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
	struct file *f = fd_get_any(fd);

	return f ? fd_install(f, min, fd_limit(), cloexec) : -EBADF;
}

long sys_dup(int fd)
{
	return duplicate(fd, 0, false);
}

/* Unlike dup3(), it lets a descriptor be duplicated onto itself. */
long sys_dup2(int fd, int to)
{
	struct file *f SCOPED(file) = fd == to ? fd_get_any(fd) : NULL;

	if (fd == to)
		return f ? fd : -EBADF;
	return sys_dup3(fd, to, 0);
}

long sys_dup3(int fd, int to, u32 flags)
{
	struct file *f;

	if ((flags & ~O_CLOEXEC) || fd == to)
		return -EINVAL;
	f = fd_get_any(fd);
	return f ? fd_replace(to, f, fd_limit(), flags & O_CLOEXEC) : -EBADF;
}

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_DUPFD_CLOEXEC	1030
#define F_SETPIPE_SZ	1031
#define F_GETPIPE_SZ	1032
#define F_ADD_SEALS	1033
#define F_GET_SEALS	1034
#define FD_CLOEXEC	1

#define F_SETTABLE	(O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

/* What is about the file, not the descriptor. */
static long fcntl_file(int fd, struct file *f, int cmd, u64 arg)
{
	switch (cmd) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_lock(fd, f, cmd, arg);
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		if (f->ops != &pipe_file_ops)
			return -EBADF;
		return cmd == F_SETPIPE_SZ ? pipe_set_size(f, arg) : pipe_get_size(f);
	case F_ADD_SEALS:
		return seals_add(f, arg);
	case F_GET_SEALS:
		return seals_get(f);
	case F_SETFL:
		if ((arg & O_DIRECT) && inode_is(f->inode, S_IFCHR))
			return -EINVAL;
		mutex_lock(&f->lock);
		f->flags = (f->flags & ~F_SETTABLE) | (arg & F_SETTABLE);
		mutex_unlock(&f->lock);
		return 0;
	}
	return -EINVAL;
}

long sys_fcntl(int fd, int cmd, u64 arg)
{
	struct file *f SCOPED(file) = fd_get_any(fd);

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
		return (f->flags & ~O_CLOEXEC) | (f->flags & O_PATH ? 0 : O_LARGEFILE);
	}
	return f->flags & O_PATH ? -EBADF : fcntl_file(fd, f, cmd, arg);
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

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	err = pipe_create(&r, &w, flags & (O_NONBLOCK | O_DIRECT));
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

#define EFD_SEMAPHORE	1u

long sys_eventfd2(u32 count, u32 flags)
{
	struct file *f;
	int err;

	if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = eventfd_create(count, flags & EFD_SEMAPHORE, flags & O_NONBLOCK, &f);
	return err ? err : fd_install(f, 0, fd_limit(), flags & O_CLOEXEC);
}

#define CLOSE_RANGE_UNSHARE	2u	/* every process has a table of its own */
#define CLOSE_RANGE_CLOEXEC	4u

long sys_close_range(u32 first, u32 last, u32 flags)
{
	if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	for (u32 fd = first; fd <= last && fd < FD_MAX; fd++)
		if (flags & CLOSE_RANGE_CLOEXEC)
			fd_flags(fd, 1);
		else
			fd_close(fd);
	return 0;
}
