/*
 * Descriptors, pipes and terminals: the functions that need more than a system call (see
 * calls.def).
 */
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "libc.h"

int open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);	/* garbage without O_CREAT, and then unused */
	va_end(ap);
	return openat(AT_FDCWD, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* With equal descriptors dup2() only checks that they are open; dup3() would fail. */
int dup2(int fd, int to)
{
	if (fd == to)
		return fcntl(fd, F_GETFD) < 0 ? -1 : fd;
	return dup3(fd, to, 0);
}

/*
 * F_GETOWN returns a process group as a negative number, and a small one would look like an error.
 * So the owner is read as a structure.
 */
int fcntl(int fd, int cmd, ...)
{
	struct f_owner_ex owner;
	va_list ap;
	long arg;

	va_start(ap, cmd);
	arg = va_arg(ap, long);		/* garbage if there is no argument, and then unused */
	va_end(ap);
	if (cmd != F_GETOWN)
		return call(SYS_fcntl, fd, cmd, arg);
	if (call(SYS_fcntl, fd, F_GETOWN_EX, (long)&owner) < 0)
		return -1;
	return owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
}

int pipe(int fds[2])
{
	return pipe2(fds, 0);
}

/* The kernel takes an offset in two halves; a 64-bit machine needs only the first. */
ssize_t preadv2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
	return call6(SYS_preadv2, fd, (long)iov, n, offset, 0, flags);
}

ssize_t pwritev2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
	return call6(SYS_pwritev2, fd, (long)iov, n, offset, 0, flags);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec copy;

	if (timeout)
		copy = *timeout;	/* the kernel writes back the time left; POSIX does not */
	return call6(SYS_ppoll, (long)fds, n, (long)(timeout ? &copy : NULL), (long)mask,
		     sizeof(*mask), 0);
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct timespec ts = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };

	return ppoll(fds, n, timeout_ms < 0 ? NULL : &ts, NULL);
}

int tcgetattr(int fd, struct termios *t)
{
	return ioctl(fd, TCGETS, t);
}

int tcsetattr(int fd, int when, const struct termios *t)
{
	return ioctl(fd, TCSETS + when, t);
}

int tcflush(int fd, int which)
{
	return ioctl(fd, TCFLSH, which);
}

int isatty(int fd)
{
	struct termios t;

	return tcgetattr(fd, &t) == 0;
}

pid_t tcgetpgrp(int fd)
{
	pid_t group;

	return ioctl(fd, TIOCGPGRP, &group) ? -1 : group;
}

int tcsetpgrp(int fd, pid_t group)
{
	return ioctl(fd, TIOCSPGRP, &group);
}
