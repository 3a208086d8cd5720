/* Descriptors: dup, fcntl, close_range, their limit; eventfd. */
#include "diff.h"

CASE(dup)
{
	T(dup, 0);
	T(dup, 77);
	T(dup, -1);
	T(dup3, 0, 10, 0);
	T(dup3, 0, 10, O_CLOEXEC);
	T(fcntl, 10, F_GETFD);
	T(dup, 10);
	T(fcntl, 4, F_GETFD);
	T(dup3, 0, 0, 0);
	T(dup3, 77, 77, 0);
	T(dup3, 77, 5, 0);
	T(dup3, 0, -1, 0);
	T(dup3, 0, 5, O_NONBLOCK);
	T(dup3, 0, 1024, 0);
	T(dup3, 77, 1024, 0);
	T(dup3, 0, 1023, 0);
}

CASE(dup_shares_position)
{
	int fd = file("a", "0123456789");

	T(dup, fd);
	T(lseek, fd, 5, SEEK_SET);
	T(read, 4, buf, 2);
	S(buf);
	T(fcntl, 4, F_SETFL, O_APPEND);
	O(R(fcntl, fd, F_GETFL) & ~O_LARGEFILE_RAW);
	T(fcntl, 4, F_SETFD, FD_CLOEXEC);
	T(fcntl, fd, F_GETFD);
}

CASE(fcntl_dup)
{
	T(fcntl, 0, F_DUPFD, 5);
	T(fcntl, 0, F_DUPFD, 5);
	T(fcntl, 0, F_DUPFD_CLOEXEC, 5);
	T(fcntl, 7, F_GETFD);
	T(fcntl, 0, F_DUPFD, -1);
	T(fcntl, 0, F_DUPFD, 1024);
	T(fcntl, 0, F_DUPFD, 1023);
	T(fcntl, 0, F_DUPFD, 1023);
	T(fcntl, 77, F_DUPFD, 0);
	T(fcntl, 77, F_DUPFD, -1);
}

CASE(fcntl_flags)
{
	T(fcntl, 0, F_SETFD, 1);
	T(fcntl, 0, F_GETFD);
	T(fcntl, 0, F_SETFD, 2);
	T(fcntl, 0, F_GETFD);
	T(fcntl, 0, F_SETFD, -1);
	T(fcntl, 0, F_GETFD);
	T(fcntl, 77, F_GETFD);
	T(fcntl, 77, F_GETFL);
	T(fcntl, 77, 9999);
	T(fcntl, 0, 9999);
	T(fcntl, -1, F_GETFD);
	T(fcntl, 0, F_GETOWN);
	T(fcntl, 0, F_SETOWN, getpid());
	V(R(fcntl, 0, F_GETOWN) == getpid());
	T(fcntl, 0, F_GETLEASE);
}

CASE(close)
{
	T(close, 0);
	T(close, 0);
	T(close, 77);
	T(close, -1);
	T(dup, 1);
	T(dup, 1);
}

CASE(close_range)
{
	for (int i = 0; i < 10; i++)
		Q(dup, 0);
	T(close_range, 5, 7, 0);
	T(fcntl, 4, F_GETFD);
	T(fcntl, 5, F_GETFD);
	T(fcntl, 7, F_GETFD);
	T(fcntl, 8, F_GETFD);
	T(close_range, 8, 9, CLOSE_RANGE_CLOEXEC);
	T(fcntl, 8, F_GETFD);
	T(fcntl, 10, F_GETFD);
	T(close_range, 9, 8, 0);
	T(close_range, 9, 8, 64);
	T(close_range, 3, 4, 64);
	T(close_range, 3, ~0U, CLOSE_RANGE_UNSHARE);
	T(dup, 0);
}

CASE(limit)
{
	T(prlimit64, 0, RLIMIT_NOFILE, lim(5, 5), NULL);
	T(dup, 0);
	T(dup, 0);
	T(dup, 0);
	T(openat, AT_FDCWD, "a", O_RDWR | O_CREAT, 0600);
	T(faccessat, AT_FDCWD, "a", F_OK);
	T(dup3, 0, 4, 0);
	T(dup3, 0, 5, 0);
	T(fcntl, 0, F_DUPFD, 4);
	T(fcntl, 0, F_DUPFD, 5);
	T(openat, AT_FDCWD, "gone", O_RDONLY);
	T(openat, AT_FDCWD, BAD, O_RDONLY);
	T(eventfd2, 0, 0);
	T(memfd_create, "x", 0);
}

CASE(limit_below_open)
{
	T(dup3, 0, 20, 0);
	T(prlimit64, 0, RLIMIT_NOFILE, lim(2, 10), NULL);
	T(fcntl, 20, F_GETFD);
	T(close, 20);
	T(dup, 1);
	T(dup3, 0, 1, 0);
}

CASE(bad_everywhere)
{
	T(read, 77, NULL, 0);
	T(write, 77, NULL, 0);
	T(fstat, 77, buf);
	T(fstat, 77, BAD);
	T(ioctl, 77, TCGETS, BAD);
	T(fchmod, 77, 0);
	T(fchown, 77, 0, 0);
	T(fchdir, 77);
	T(getdents64, 77, buf, 10);
	T(mmap, 0, PAGE, PROT_READ, MAP_SHARED, 77, 0);
	T(flock, 77, LOCK_SH);
	T(fstatfs, 77, BAD);
	T(fsync, 77);
	T(fdatasync, 77);
	T(syncfs, 77);
	T(pread64, 77, buf, 1, 0);
	T(preadv, 77, BAD, 1, 0, 0);
	T(preadv2, 77, BAD, 1, 0, 0, -1);
	T(sendfile, 77, 78, BAD, 0);
	T(utimensat, 77, NULL, NULL, 0);
	T(utimensat, 77, "a", NULL, 0);
	T(newfstatat, 77, "a", buf, 0);
	T(newfstatat, 77, "/", buf, 0);
	T(newfstatat, 77, "", buf, AT_EMPTY_PATH);
	T(mkdirat, 77, "a", 0);
	T(unlinkat, 77, "a", 0);
	T(linkat, 77, "a", 77, "b", 0);
	T(symlinkat, "a", 77, "b");
	T(readlinkat, 77, "a", buf, 10);
	T(renameat2, 77, "a", 77, "b", 0);
	T(faccessat, 77, "a", 0);
	T(fchmodat, 77, "a", 0);
	T(fchownat, 77, "a", 0, 0, 0);
	T(openat, 77, "a", 0);
	T(mknodat, 77, "a", S_IFIFO, 0);
	T(execve, "", BAD, BAD);
}

CASE(eventfd)
{
	unsigned long v = 5;

	T(eventfd2, 3, EFD_NONBLOCK);
	T(read, 3, &v, 8);
	V(v);
	T(read, 3, &v, 8);
	v = 2;
	T(write, 3, &v, 8);
	T(write, 3, &v, 8);
	T(read, 3, &v, 7);
	T(write, 3, &v, 7);
	T(write, 3, &v, 16);
	T(read, 3, &v, 100);
	V(v);
	v = -1UL;
	T(write, 3, &v, 8);
	v = -2UL;
	T(write, 3, &v, 8);
	v = 1;
	T(write, 3, &v, 8);
	T(write, 3, BAD, 8);
	T(lseek, 3, 0, SEEK_SET);
	T(pread64, 3, &v, 8, 0);
	T(eventfd2, 0, 1 << 20);
}

CASE(eventfd_semaphore)
{
	unsigned long v;

	T(eventfd2, 2, EFD_NONBLOCK | EFD_SEMAPHORE | EFD_CLOEXEC);
	T(fcntl, 3, F_GETFD);
	O(R(fcntl, 3, F_GETFL));
	T(read, 3, &v, 8);
	V(v);
	T(read, 3, &v, 8);
	T(read, 3, &v, 8);
}

CASE(eventfd_poll)
{
	struct pollfd f = { 3, POLLIN | POLLOUT, 0 };
	unsigned long v = -2UL;

	T(eventfd2, 0, 0);
	T(ppoll, &f, 1, NULL, NULL, 8);
	H(f.revents);
	T(write, 3, &v, 8);
	T(ppoll, &f, 1, NULL, NULL, 8);
	H(f.revents);
	T(read, 3, &v, 8);
	on(SIGUSR1, 0);
	poke(SIGUSR1);
	T(read, 3, &v, 8);
}

CASE(after_fork)
{
	int fd = file("a", "0123456789");
	pid_t pid = child();

	if (!pid) {
		R(lseek, fd, 7, SEEK_SET);
		R(close, fd);
		end(0);
	}
	reap(pid);
	T(lseek, fd, 0, SEEK_CUR);
}

/* A descriptor of no file in any folder: its mode does not change. */
CASE(mode_of_no_file)
{
	int fd = Q(eventfd2, 0, 0);

	T(fchmod, fd, 0644);
}
