/* Pipes: both ends, blocking, partial transfers, vectors, sizes. */
#include "diff.h"

static int p[2];

static void pipe_of(int flags)
{
	Q(pipe2, p, flags);
}

CASE(numbers)
{
	T(pipe2, p, 0);
	V(p[0]);
	V(p[1]);
	T(fcntl, p[0], F_GETFL);
	T(fcntl, p[1], F_GETFL);
	T(fcntl, p[0], F_GETFD);
}

CASE(flags)
{
	T(pipe2, p, O_CLOEXEC | O_NONBLOCK);
	O(R(fcntl, p[0], F_GETFL));
	O(R(fcntl, p[1], F_GETFL));
	T(fcntl, p[0], F_GETFD);
	T(pipe2, p, O_APPEND);
	T(pipe2, p, O_CREAT);
	T(pipe2, p, -1);
	T(pipe2, p, O_DIRECT);
	O(R(fcntl, p[1], F_GETFL));
}

CASE(bad_address)
{
	T(pipe2, BAD, 0);
	T(pipe2, NULL, 0);
	T(pipe2, BAD, -1);
	T(dup, 0);
}

CASE(no_descriptors)
{
	Q(prlimit64, 0, RLIMIT_NOFILE, lim(4, 4), NULL);
	T(pipe2, p, 0);
	T(dup, 0);
	T(dup, 0);
}

CASE(read_empty)
{
	pipe_of(O_NONBLOCK);
	T(read, p[0], buf, 1);
	T(read, p[0], buf, 0);
	T(read, p[0], BAD, 1);
	T(read, p[1], buf, 1);
	T(write, p[0], buf, 1);
}

CASE(read_end_of_file)
{
	pipe_of(0);
	Q(write, p[1], "abc", 3);
	Q(close, p[1]);
	T(read, p[0], buf, 2);
	T(read, p[0], buf, 2);
	T(read, p[0], buf, 2);
}

CASE(write_no_reader)
{
	pipe_of(0);
	on(SIGPIPE, 0);
	Q(close, p[0]);
	T(write, p[1], "a", 1);
	V(hits[SIGPIPE]);
	T(write, p[1], "a", 0);
	V(hits[SIGPIPE]);
	T(write, p[1], BAD, 1);
	T(writev, p[1], io("a", 1), 1);
	V(hits[SIGPIPE]);
}

CASE(write_no_reader_dies)
{
	pipe_of(0);
	Q(close, p[0]);
	T(write, p[1], "a", 1);
}

CASE(write_no_reader_ignored)
{
	pipe_of(0);
	signal(SIGPIPE, SIG_IGN);
	Q(close, p[0]);
	T(write, p[1], "a", 1);
}

CASE(capacity)
{
	pipe_of(O_NONBLOCK);
	T(write, p[1], pages(20, PROT_READ, 0), 20 * PAGE);
	T(write, p[1], buf, 1);
	T(read, p[0], buf, PAGE);
	T(write, p[1], buf, 1);
	T(write, p[1], buf, PAGE);
}

CASE(small_writes_merge)
{
	int n = 0;

	pipe_of(O_NONBLOCK);
	while (R(write, p[1], buf, 1000) == 1000)
		n++;
	V(n);
	T(write, p[1], buf, 1);
}

CASE(atomic_when_full)
{
	pipe_of(0);
	full(p[1]);
	Q(fcntl, p[1], F_SETFL, O_NONBLOCK);
	T(read, p[0], buf, 10);
	T(write, p[1], buf, 10);
	T(read, p[0], buf, PAGE - 10);
	T(write, p[1], buf, PAGE + 1);
	T(write, p[1], buf, PAGE);
}

CASE(partial_write_large)
{
	pipe_of(0);
	full(p[1]);
	Q(fcntl, p[1], F_SETFL, O_NONBLOCK);
	Q(read, p[0], buf, PAGE);
	T(write, p[1], buf, 2 * PAGE);
	T(write, p[1], buf, 2 * PAGE);
}

CASE(interrupted_read)
{
	pipe_of(0);
	on(SIGUSR1, 0);
	poke(SIGUSR1);
	T(read, p[0], buf, 1);
	V(hits[SIGUSR1]);
}

CASE(restarted_read)
{
	pid_t us = getpid();

	pipe_of(0);
	on(SIGUSR1, SA_RESTART);
	if (!child()) {
		await_blocked(us);
		kill(us, SIGUSR1);
		while (!hits[SIGUSR1] && R(tgkill, us, us, 0) == 0) {
			await_blocked(us);
			break;
		}
		R(write, p[1], "ab", 2);
		end(0);
	}
	T(read, p[0], buf, 10);
	V(hits[SIGUSR1]);
}

CASE(interrupted_write)
{
	pipe_of(0);
	full(p[1]);
	on(SIGUSR1, 0);
	poke(SIGUSR1);
	T(write, p[1], buf, 1);
	V(hits[SIGUSR1]);
}

CASE(interrupted_write_partial)
{
	pipe_of(0);
	on(SIGUSR1, SA_RESTART);
	poke(SIGUSR1);
	T(write, p[1], pages(20, PROT_READ, 0), 20 * PAGE);
	V(hits[SIGUSR1]);
}

CASE(readv_takes_what_is_there)
{
	char a[4] = "", b[4] = "";

	pipe_of(0);
	Q(write, p[1], "abcde", 5);
	T(readv, p[0], io2(a, 3, b, 3), 2);
	S(a);
	S(b);
}

CASE(readv_does_not_wait_for_the_second)
{
	char a[4] = "", b[4] = "";

	pipe_of(0);
	Q(write, p[1], "abc", 3);
	T(readv, p[0], io2(a, 3, b, 3), 2);
	S(a);
	S(b);
}

CASE(readv_end_of_file)
{
	char a[4] = "", b[4] = "";

	pipe_of(0);
	Q(write, p[1], "ab", 2);
	Q(close, p[1]);
	T(readv, p[0], io2(a, 1, b, 3), 2);
	T(readv, p[0], io2(a, 1, b, 3), 2);
}

CASE(writev_all)
{
	pipe_of(0);
	T(writev, p[1], io2("abc", 3, "de", 2), 2);
	T(writev, p[1], io2("", 0, "f", 1), 2);
	T(read, p[0], buf, 10);
	S(buf);
}

CASE(writev_atomic_when_full)
{
	pipe_of(0);
	full(p[1]);
	Q(fcntl, p[1], F_SETFL, O_NONBLOCK);
	T(writev, p[1], io2(buf, 8, buf, 8), 2);
	Q(read, p[0], buf, PAGE);
	T(writev, p[1], io2(buf, PAGE - 8, buf, 8), 2);
	T(writev, p[1], io2(buf, PAGE - 8, buf, 16), 2);
}

CASE(writev_no_reader)
{
	pipe_of(0);
	on(SIGPIPE, 0);
	Q(close, p[0]);
	T(writev, p[1], io2("a", 1, "b", 1), 2);
	V(hits[SIGPIPE]);
	T(writev, p[1], io2("a", 0, "b", 0), 2);
	T(writev, p[1], NULL, 0);
}

CASE(bad_page_half_way)
{
	char *e = edge(3);

	pipe_of(O_NONBLOCK);
	T(write, p[1], e, 10);
	T(read, p[0], buf, 20);
	Q(write, p[1], "abcdef", 6);
	T(read, p[0], e, 6);
	T(read, p[0], buf, 20);
	S(buf);
}

CASE(bad_second_page)
{
	char *e = edge(PAGE);

	pipe_of(O_NONBLOCK);
	T(write, p[1], e, PAGE + 10);
	T(read, p[0], buf, 2 * PAGE);
	T(read, p[0], buf, 2 * PAGE);
	Q(write, p[1], buf, 2 * PAGE);
	T(read, p[0], e, 2 * PAGE);
	T(read, p[0], buf, 4 * PAGE);
}

CASE(no_position)
{
	pipe_of(0);
	T(lseek, p[0], 0, SEEK_SET);
	T(lseek, p[0], 0, 77);
	T(pread64, p[0], buf, 1, 0);
	T(pwrite64, p[1], buf, 1, 0);
	T(pread64, p[0], buf, 1, -1);
	T(preadv, p[0], io(buf, 1), 1, 0, 0);
	T(ftruncate, p[1], 0);
	T(ftruncate, p[0], 0);
	T(fsync, p[0]);
	T(fdatasync, p[1]);
	T(fallocate, p[1], 0, 0, 1);
	T(fadvise64, p[1], 0, 0, 0);
	T(getdents64, p[0], buf, PAGE);
	T(fchdir, p[0]);
	T(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0);
}

CASE(bytes_waiting)
{
	int n = -1;

	pipe_of(0);
	T(ioctl, p[0], FIONREAD, &n);
	V(n);
	Q(write, p[1], "abc", 3);
	T(ioctl, p[0], FIONREAD, &n);
	V(n);
	T(ioctl, p[1], FIONREAD, &n);
	T(ioctl, p[0], FIONREAD, BAD);
	T(ioctl, p[0], TCGETS, buf);
	T(ioctl, p[0], 0x1234, 0);
}

CASE(nonblock_by_ioctl)
{
	pipe_of(0);
	T(ioctl, p[0], FIONBIO, num(1));
	O(R(fcntl, p[0], F_GETFL));
	T(read, p[0], buf, 1);
	T(ioctl, p[0], FIONBIO, num(0));
	O(R(fcntl, p[0], F_GETFL));
	T(ioctl, p[0], FIOCLEX);
	T(fcntl, p[0], F_GETFD);
	T(ioctl, p[0], FIONCLEX);
	T(fcntl, p[0], F_GETFD);
}

CASE(size)
{
	pipe_of(O_NONBLOCK);
	T(fcntl, p[0], F_GETPIPE_SZ);
	T(fcntl, p[1], F_SETPIPE_SZ, 1);
	T(fcntl, p[1], F_GETPIPE_SZ);
	T(write, p[1], pages(2, PROT_READ, 0), 2 * PAGE);
	T(fcntl, p[1], F_SETPIPE_SZ, 2 * PAGE + 1);
	T(write, p[1], pages(4, PROT_READ, 0), 4 * PAGE);
	T(fcntl, p[1], F_SETPIPE_SZ, PAGE);
	T(fcntl, p[1], F_SETPIPE_SZ, 0);
	T(fcntl, p[1], F_SETPIPE_SZ, -1);
	T(fcntl, 0, F_GETPIPE_SZ);
}

CASE(packets)
{
	pipe_of(O_DIRECT | O_NONBLOCK);
	Q(write, p[1], "abc", 3);
	Q(write, p[1], "de", 2);
	T(read, p[0], buf, 2);
	T(read, p[0], buf, 10);
	T(read, p[0], buf, 10);
}

CASE(stat)
{
	struct stat st;

	pipe_of(0);
	T(fstat, p[0], &st);
	O(st.st_mode);
	V(st.st_nlink);
	V(st.st_size);
	V(st.st_blksize);
	V(st.st_blocks);
	V(st.st_uid);
	T(fchmod, p[0], 0644);
	T(fstat, p[0], &st);
	O(st.st_mode);
}

CASE(reopen_by_proc)
{
	char name[40];

	pipe_of(0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", p[0]);
	Q(write, p[1], "abc", 3);
	T(openat, AT_FDCWD, name, O_RDONLY);
	T(read, 5, buf, 10);
	T(openat, AT_FDCWD, name, O_WRONLY);
	T(write, 6, "x", 1);
	T(read, p[0], buf, 10);
}

CASE(poll_ends)
{
	struct pollfd f[2];

	pipe_of(0);
	f[0] = (struct pollfd){ p[0], POLLIN, 0 };
	f[1] = (struct pollfd){ p[1], POLLOUT, 0 };
	T(ppoll, f, 2, ts(0, 0), NULL, 8);
	H(f[0].revents);
	H(f[1].revents);
	Q(write, p[1], "a", 1);
	T(ppoll, f, 2, ts(0, 0), NULL, 8);
	H(f[0].revents);
	full(p[1]);
	T(ppoll, f + 1, 1, ts(0, 0), NULL, 8);
	Q(read, p[0], buf, PAGE - 1);
	T(ppoll, f + 1, 1, ts(0, 0), NULL, 8);
	Q(close, p[1]);
	f[1].fd = -1;
	T(ppoll, f, 2, NULL, NULL, 8);
	H(f[0].revents);
}

CASE(poll_no_reader)
{
	struct pollfd f;

	pipe_of(0);
	Q(close, p[0]);
	f = (struct pollfd){ p[1], POLLOUT, 0 };
	T(ppoll, &f, 1, NULL, NULL, 8);
	H(f.revents);
	f.events = 0;
	T(ppoll, &f, 1, NULL, NULL, 8);
	H(f.revents);
}

CASE(named)
{
	T(mknodat, AT_FDCWD, "f", S_IFIFO | 0600, 0);
	T(openat, AT_FDCWD, "f", O_WRONLY | O_NONBLOCK);
	T(openat, AT_FDCWD, "f", O_RDONLY | O_NONBLOCK);
	T(read, 3, buf, 1);
	T(openat, AT_FDCWD, "f", O_WRONLY | O_NONBLOCK);
	T(read, 3, buf, 1);
	T(write, 4, "abc", 3);
	T(close, 4);
	T(read, 3, buf, 10);
	T(read, 3, buf, 10);
	T(openat, AT_FDCWD, "f", O_RDWR);
	T(lseek, 3, 0, SEEK_SET);
	T(openat, AT_FDCWD, "f", O_RDONLY | O_DIRECTORY);
	T(truncate, "f", 0);
}

/* A write changes mtime and ctime, and a read sets atime if it is not younger. */
CASE(times)
{
	struct timespec old[2] = { { -100, 0 }, { -100, 0 } };
	struct stat st;
	int fd;

	Q(mknodat, AT_FDCWD, "f", S_IFIFO | 0600, 0);
	fd = Q(openat, AT_FDCWD, "f", O_RDWR | O_NONBLOCK);
	Q(utimensat, fd, NULL, old, 0);
#define SHOW() (Q(fstat, fd, &st), say("read: %d, written: %d", st.st_atim.tv_sec != -100, \
				       st.st_mtim.tv_sec != -100))
	T(read, fd, buf, 1);
	SHOW();
	T(write, fd, "", 0);
	SHOW();
	T(write, fd, "abc", 3);
	SHOW();
	T(read, fd, buf, 1);
	SHOW();
	T(write, fd, BAD, 1);
	Q(utimensat, fd, NULL, old, 0);
	T(write, fd, BAD, 1);
	SHOW();
	T(read, fd, BAD, 1);
	SHOW();
	T(read, fd, buf, 2);
	SHOW();
}

CASE(splice_tee)
{
	int q[2];

	pipe_of(O_NONBLOCK);
	Q(pipe2, q, O_NONBLOCK);
	T(splice, p[0], NULL, p[0], NULL, 1, 0);
	T(tee, 0, 1, 1, 0);
}
