/*
 * System calls on open files: descriptors, pipes, fcntl() and ioctl(). Moving data: rw.c.
 *
 * The pattern: fd_get() takes a reference, the handler uses the file, file_put() gives it back. If
 * another thread closes the descriptor meanwhile, the reference keeps the file alive.
 */
#include "process/async.h"
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

/* Gives the file behind @fd another descriptor, at least @min. */
static long duplicate(int fd, int min, bool cloexec)
{
	struct file *f = fd_get_any(fd);

	return f ? fd_install(f, min, fd_limit(), cloexec) : -EBADF;
}

long sys_dup(int fd)
{
	return duplicate(fd, 0, false);
}

/* Unlike dup3(), dup2() allows both descriptors to be the same. */
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
#define F_GETLEASE	1025
#define F_SETPIPE_SZ	1031
#define F_GETPIPE_SZ	1032
#define F_ADD_SEALS	1033
#define F_GET_SEALS	1034
#define FD_CLOEXEC	1
#define F_UNLCK		2

#define F_SETTABLE	(O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

static void set_file_flags(struct file *f, u32 mask, u32 flags)
{
	mutex_lock(&f->lock);
	f->flags = (f->flags & ~mask) | (flags & mask);
	mutex_unlock(&f->lock);
}

/* Commands about the file, not the descriptor. */
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
	case F_SETOWN:
	case F_GETOWN:
	case F_SETOWN_EX:
	case F_GETOWN_EX:
	case F_SETSIG:
	case F_GETSIG:
		return fcntl_owner(f, cmd, arg);
	case F_GETLEASE:
		return F_UNLCK;		/* there are no leases: F_SETLEASE is -EINVAL */
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
		if ((arg & O_DIRECT) && !inode_is(f->inode, S_IFIFO) &&	/* of a pipe: packets */
		    !inode_is_ordinary(f->inode))
			return -EINVAL;
		if ((arg & ~f->flags & O_NOATIME) && !inode_owned(f->inode))
			return -EPERM;
		async_turn(f, fd, arg & O_ASYNC);
		set_file_flags(f, F_SETTABLE, arg);
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
		if ((u32)arg >= fd_limit())
			return -EINVAL;
		return duplicate(fd, arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_flags(fd, -1);
	case F_SETFD:
		return fd_flags(fd, arg & FD_CLOEXEC);
	case F_GETFL:
		return f->flags & ~O_CLOEXEC;
	}
	return f->flags & O_PATH ? -EBADF : fcntl_file(fd, f, cmd, arg);
}

#define FIONREAD 0x541bu
#define FIONBIO  0x5421u
#define FIONCLEX 0x5450u
#define FIOASYNC 0x5452u
#define FIOCLEX  0x5451u
#define FIOQSIZE 0x5460u
#define FIGETBSZ 2u

static long put_number(vaddr_t arg, u64 n, size_t bytes)
{
	return copy_to_user(arg, &n, bytes);
}

/* Handles the commands that every file knows; leaves the others to the file. */
long sys_ioctl(int fd, u32 cmd, vaddr_t arg)
{
	struct file *f SCOPED(file) = fd_get(fd);
	struct inode *i;
	int on;

	if (!f)
		return -EBADF;
	i = f->inode;
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		fd_flags(fd, cmd == FIOCLEX);
		return 0;
	case FIONBIO:
	case FIOASYNC:
		if (copy_from_user(&on, arg, sizeof(on)))
			return -EFAULT;
		if (cmd == FIOASYNC)
			return ioctl_async(fd, f, on);
		set_file_flags(f, O_NONBLOCK, on ? O_NONBLOCK : 0);
		return 0;
	case FIGETBSZ:
		return put_number(arg, PAGE_SIZE, sizeof(int));
	case FIOQSIZE:
		if (i->dev >= DEV_PIPES || (!inode_is(i, S_IFREG) && !inode_is(i, S_IFDIR)))
			return -ENOTTY;
		return put_number(arg, i->blocks * 512, sizeof(u64));
	case FIONREAD:
		if (inode_is(i, S_IFREG) && (i->dev < DEV_PIPES || i->dev == DEV_QUEUES))
			return put_number(arg, i->size - f->offset, sizeof(int));
	}
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

#define CLOSE_RANGE_UNSHARE	2u	/* from other processes; threads always share their table */
#define CLOSE_RANGE_CLOEXEC	4u

long sys_close_range(u32 first, u32 last, u32 flags)
{
	if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	if ((flags & CLOSE_RANGE_UNSHARE) && current_process()->nr_threads == 1 &&
	    fdtable_unshare())
		return -ENOMEM;
	for (u32 fd = first; fd <= last && fd < FD_MAX; fd++)
		if (flags & CLOSE_RANGE_CLOEXEC)
			fd_flags(fd, 1);
		else
			fd_close(fd);
	return 0;
}
