/* Values at the edge: the largest, the smallest, none, and one more than that. */
#include "diff.h"

CASE(read_sizes)
{
	int fd = file("a", "abc");

	T(read, fd, buf, 0x7fffffffffffffff);
	T(lseek, fd, 0, SEEK_SET);
	T(read, fd, buf, -1);
	T(lseek, fd, 0, SEEK_SET);
	T(read, fd, buf, 0x80000000);
}

CASE(write_sizes)
{
	int fd = file("a", "");

	T(write, fd, buf, -1);
	T(write, fd, buf, 0x8000000000000000);
	T(write, fd, buf, 1);
	T(lseek, fd, 0, SEEK_END);
}

CASE(read_ends_at_the_edge)
{
	int fd = file("a", "0123456789");

	T(read, fd, edge(10), 10);
	T(lseek, fd, 0, SEEK_SET);
	T(read, fd, edge(10), 11);
	T(lseek, fd, 0, SEEK_CUR);
}

CASE(read_files_of_the_kernel_at_the_edge)
{
	static const char *const names[] = {
		"/proc/version", "/proc/self/comm", "/proc/self/stat", "/proc/sys/kernel/ostype",
		"/proc/sys/kernel/pid_max", "/sys/devices/system/cpu/possible",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int fd = Q(openat, AT_FDCWD, names[i], O_RDONLY);

		say("%s", names[i]);
		T(read, fd, edge(1), 2);
		T(lseek, fd, 0, SEEK_CUR);
		T(preadv, fd, io2(buf, 1, edge(0), 1), 2, 0, 0);
		T(pread64, fd, edge(1), 1, 0);
		T(lseek, fd, 0, SEEK_CUR);
	}
}

CASE(write_ends_at_the_edge)
{
	int fd = file("a", "");

	T(write, fd, edge(10), 10);
	T(write, fd, edge(10), 11);
	T(lseek, fd, 0, SEEK_CUR);
}

/* Behind the bytes that there were nothing is written, whatever memory the file got for them. */
CASE(write_is_cut_at_the_edge)
{
	static const long places[] = { 0, 100, PAGE, PAGE + 100, 2 * PAGE - 10 };
	char *text = edge(20);

	memset(text, 'x', 20);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		int fd = file("a", "");
		long others = 0;

		V(places[i]);
		T(pwrite64, fd, text, 5000, places[i]);
		T(lseek, fd, 0, SEEK_END);
		Q(ftruncate, fd, 3 * PAGE);
		Q(pread64, fd, buf, 3 * PAGE, 0);
		for (long k = 0; k < 3 * PAGE; k++)
			others += buf[k] != (k >= places[i] && k < places[i] + 20 ? 'x' : 0);
		V(others);
	}
}

CASE(stat_at_the_edge)
{
	T(fstat, 0, edge(sizeof(struct stat)));
	T(fstat, 0, edge(sizeof(struct stat) - 1));
	T(fstat, 0, edge(1));
}

CASE(pipe_at_the_edge)
{
	T(pipe2, edge(8), 0);
	T(pipe2, edge(7), 0);
	T(dup, 0);
}

CASE(getcwd_at_the_edge)
{
	T(chdir, "/proc");
	T(getcwd, edge(6), 6);
	T(getcwd, edge(6), 100);
	T(getcwd, edge(5), 6);
}

CASE(timespec_at_the_edge)
{
	T(clock_gettime, 0, edge(16));
	T(clock_gettime, 0, edge(15));
	T(clock_getres, 0, edge(15));
}

CASE(set_at_the_edge)
{
	T(rt_sigpending, edge(8), 8);
	T(rt_sigpending, edge(7), 8);
	T(rt_sigprocmask, SIG_BLOCK, NULL, edge(7), 8);
}

CASE(limits_at_the_edge)
{
	T(prlimit64, 0, RLIMIT_NOFILE, NULL, edge(16));
	T(prlimit64, 0, RLIMIT_NOFILE, NULL, edge(15));
	T(prlimit64, 0, RLIMIT_NOFILE, edge(15), NULL);
}

CASE(vector_at_the_edge)
{
	struct iovec *v = (struct iovec *)edge(sizeof(*v));

	*v = (struct iovec){ buf, 1 };
	T(writev, 0, v, 1);
	T(writev, 0, v, 2);
	T(readv, 0, v, 2);
}

CASE(vectors_1024)
{
	static struct iovec v[1025];

	for (int i = 0; i < 1025; i++)
		v[i] = (struct iovec){ buf, 1 };
	T(writev, 0, v, 1024);
	T(writev, 0, v, 1025);
}

CASE(path_ends_at_the_edge)
{
	char *e = edge(2);

	e[0] = '.';
	e[1] = 0;
	T(openat, AT_FDCWD, e, O_RDONLY);
	e[1] = '.';
	T(openat, AT_FDCWD, e, O_RDONLY);
	T(openat, AT_FDCWD, e + 1, O_RDONLY);
}

/* However long it is, and wherever the pieces end in which it is read. */
CASE(long_paths_end_at_the_edge)
{
	static const int lengths[] = { 3, 7, 8, 15, 16, 31, 32, 63, 64, 65, 80, 127, 128, 129, 255,
				       256, 257, 1000, 4094, 4095 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		int n = lengths[i];
		char *e = edge(n + 1);

		memset(e, '/', n);
		e[n] = 0;
		V(n);
		T(faccessat, AT_FDCWD, e, F_OK);
		e[n] = '/';
		T(faccessat, AT_FDCWD, e, F_OK);
	}
}

CASE(name_is_slashes)
{
	T(openat, AT_FDCWD, "/", O_RDONLY);
	T(openat, AT_FDCWD, "//", O_RDONLY);
	T(openat, AT_FDCWD, "///./..//.", O_RDONLY);
	T(mkdirat, AT_FDCWD, "//", 0755);
	T(unlinkat, AT_FDCWD, "//", AT_REMOVEDIR);
}

CASE(descriptor_numbers)
{
	T(dup3, 0, 1023, 0);
	T(fcntl, 1023, F_GETFD);
	T(fcntl, 1024, F_GETFD);
	T(close, 1023);
	T(close, 1024);
	T(dup3, 0, 0x7fffffff, 0);
	T(close, 0x80000000);
}

CASE(descriptor_is_32_bits)
{
	T(fcntl, 0x100000000, F_GETFD);
	T(dup, 0x100000000);
	T(close, 0x100000003);
	T(dup, 0xffffffff00000000);
}

CASE(seek_edges)
{
	int fd = file("a", "");

	T(lseek, fd, 0x7fffffffffffffff, SEEK_SET);
	T(write, fd, buf, 1);
	T(read, fd, buf, 1);
	T(lseek, fd, 0x7ffffffffffffffe, SEEK_SET);
	T(read, fd, buf, 2);
}

CASE(seek_from_the_end)
{
	int fd = file("a", "0123456789");

	T(lseek, fd, -10, SEEK_END);
	T(lseek, fd, -11, SEEK_END);
	T(lseek, fd, 5, SEEK_END);
	T(lseek, fd, -16, SEEK_CUR);
	T(lseek, fd, -15, SEEK_CUR);
}

CASE(truncate_to_itself)
{
	int fd = file("a", "0123456789");

	T(ftruncate, fd, 10);
	T(ftruncate, fd, 0);
	T(ftruncate, fd, 0);
	T(ftruncate, fd, PAGE);
	T(ftruncate, fd, PAGE - 1);
	T(lseek, fd, 0, SEEK_END);
}

CASE(holes_read_as_zero)
{
	int fd = file("a", "");

	T(pwrite64, fd, "x", 1, 3 * PAGE);
	T(pread64, fd, buf, 2, PAGE);
	V(buf[0]);
	T(pread64, fd, buf, 2, 3 * PAGE - 1);
	V(buf[0]);
	V(buf[1]);
}

CASE(signal_numbers)
{
	T(kill, getpid(), 0);
	T(kill, getpid(), 65);
	T(kill, getpid(), 0x100000000);
	T(kill, getpid(), -0x7fffffff);
	T(tgkill, getpid(), getpid(), 65);
}

CASE(sleep_nanoseconds)
{
	T(nanosleep, ts(0, 999999999 - 999999998), NULL);
	T(nanosleep, ts(0, 1000000000), NULL);
	T(nanosleep, ts(-1, 999999999), NULL);
	T(nanosleep, ts(0x8000000000000000, 0), NULL);
}

CASE(deadline_has_passed)
{
	T(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, ts(0, 0), NULL);
	T(clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, ts(0, 999999999), NULL);
	T(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, ts(0, -1), NULL);
}

CASE(nice_values)
{
	T(setpriority, PRIO_PROCESS, 0, 19);
	T(getpriority, PRIO_PROCESS, 0);
	T(setpriority, PRIO_PROCESS, 0, 20);
	T(getpriority, PRIO_PROCESS, 0);
	T(setpriority, PRIO_PROCESS, 0, -20);
	T(getpriority, PRIO_PROCESS, 0);
	T(setpriority, PRIO_PROCESS, 0, -21);
	T(getpriority, PRIO_PROCESS, 0);
}

CASE(umask_values)
{
	T(umask, 0);
	T(umask, 0777);
	T(umask, 01000);
	T(umask, -1);
	T(umask, 022);
}

CASE(map_sizes)
{
	OK(mmap, 0, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	T(mmap, 0, 0x7fffffffffffffff, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	T(mmap, 0, -PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

CASE(names_of_255)
{
	static char n[257];

	memset(n, 'n', 255);
	T(mkdirat, AT_FDCWD, n, 0755);
	T(unlinkat, AT_FDCWD, n, AT_REMOVEDIR);
	T(symlinkat, "x", AT_FDCWD, n);
	T(unlinkat, AT_FDCWD, n, 0);
	n[255] = 'n';
	T(mkdirat, AT_FDCWD, n, 0755);
	T(symlinkat, "x", AT_FDCWD, n);
	T(linkat, AT_FDCWD, n, AT_FDCWD, "y", 0);
}

/* The last page below @end, free or of the stack; 0 if programs may not have it. */
static long last_page_below(long end)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

	for (long page = end - PAGE; page >= end - 2 * PAGE; page -= PAGE) {
		long err = R(mmap, page, PAGE, PROT_READ, flags, -1, 0);

		if (err == page || err == -EEXIST)
			return page;
	}
	return 0;
}

/* The last page that a program may have: where that is depends on the machine. */
CASE(last_page)
{
	long page = last_page_below(1L << 47);

	if (!page)
		page = last_page_below(1L << 38);
	V(page != 0);
	V(R(madvise, page, PAGE, MADV_NORMAL));
	V(R(madvise, page, 2 * PAGE, MADV_NORMAL));
}

/* A queue costs its user the bytes of its messages, and 96 for each: the limit is just met. */
CASE(queue_limit)
{
	long attr[8] = { 0, 2, 10 };	/* messages, bytes in each */

	for (long limit = 211; limit <= 213; limit++) {
		long fd;

		Q(prlimit64, 0, RLIMIT_MSGQUEUE, lim(limit, 300), NULL);
		fd = R(mq_open, "edge", O_RDWR | O_CREAT, 0600, attr);
		V(limit);
		V(fd < 0 ? fd : 0);
		R(close, fd);
		R(mq_unlink, "edge");
	}
}

CASE(limits_at_first)
{
	unsigned long l[2];

	for (int i = 0; i < 16; i++)
		if (i == RLIMIT_CPU || i == RLIMIT_FSIZE || i == RLIMIT_RTTIME) {
			Q(prlimit64, 0, i, NULL, l);
			V(i);
			V(l[0] == ~0UL);
			V(l[1] == ~0UL);
		}
	Q(prlimit64, 0, RLIMIT_MSGQUEUE, NULL, l);
	V(l[0]);
	V(l[1]);
}
