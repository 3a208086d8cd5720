/* Descriptors: which number is given, what is shared, what is copied, and how many there may be. */
#include <sys/stat.h>
#include <sys/syscall.h>

#include "test.h"

static int new_file(const char *text)
{
	const char *path = temp_path("fd");
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	unlink(path);
	return fd;
}

static void lowest_number(void)
{
	int a = dup(0), b = dup(0), c = dup(0);

	CHECK(b == a + 1 && c == a + 2);
	CHECK_EQ(close(b), 0);
	CHECK_EQ(dup(0), b);
	CHECK_EQ(close(a), 0);
	CHECK_EQ(close(b), 0);
	CHECK_EQ(open("/dev/null", O_RDONLY), a);
	CHECK_ERRNO(close(b), EBADF);
	CHECK_ERRNO(close(-1), EBADF);
	CHECK_ERRNO(close(1 << 20), EBADF);
	CHECK_ERRNO(dup(b), EBADF);
}

static void duplicates_share_position(void)
{
	int fd = new_file("0123456789"), copy = dup(fd);
	char c = 0;

	CHECK_EQ(lseek(fd, 4, SEEK_SET), 4);
	CHECK_EQ(read(copy, &c, 1), 1);
	CHECK_EQ(c, '4');
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
	close(fd);
	CHECK_EQ(read(copy, &c, 1), 1);
	CHECK_EQ(c, '5');
}

static void fork_shares_position(void)
{
	int fd = new_file("0123456789");
	pid_t pid;
	char c = 0;

	CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
	pid = fork();
	if (pid == 0)
		_exit(read(fd, &c, 1) != 1 || c != '2' || close(fd));
	expect_exit(pid, 0);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, '3');
}

static void opens_are_apart(void)
{
	const char *path = temp_path("fd");
	int a = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666), b = open(path, O_RDONLY);
	char c = 0;

	CHECK_EQ(write(a, "xyz", 3), 3);
	CHECK_EQ(lseek(b, 0, SEEK_CUR), 0);
	CHECK_EQ(read(b, &c, 1), 1);
	CHECK_EQ(c, 'x');
	unlink(path);
}

static void dup2_replaces(void)
{
	int fds[2], file = new_file("f");
	char c;

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(dup2(file, fds[1]), fds[1]);		/* closes the only writer */
	CHECK_EQ(read(fds[0], &c, 1), 0);
	CHECK_EQ(dup2(file, file), file);
	CHECK_EQ(dup2(file, 50), 50);
	CHECK_EQ(fcntl(50, F_GETFD), 0);
	CHECK_ERRNO(dup2(99, 60), EBADF);
	CHECK_ERRNO(dup2(99, 99), EBADF);
	CHECK_ERRNO(dup2(file, -1), EBADF);
	CHECK_ERRNO(dup3(file, file, 0), EINVAL);
	CHECK_ERRNO(dup3(file, 60, 1), EINVAL);
	CHECK_EQ(dup3(file, 60, O_CLOEXEC), 60);
	CHECK_EQ(fcntl(60, F_GETFD), FD_CLOEXEC);
}

static void flags(void)
{
	int fds[2], copy;
	char c;

	CHECK_EQ(pipe(fds), 0);
	copy = fcntl(fds[0], F_DUPFD, 30);
	CHECK_EQ(copy, 30);
	CHECK_EQ(fcntl(fds[0], F_DUPFD_CLOEXEC, 30), 31);
	CHECK_EQ(fcntl(30, F_GETFD), 0);
	CHECK_EQ(fcntl(31, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fds[0], F_SETFD, FD_CLOEXEC), 0);
	CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(copy, F_GETFD), 0);		/* flags of each descriptor */
	CHECK_EQ(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	CHECK_EQ(fcntl(copy, F_GETFL) & O_NONBLOCK, O_NONBLOCK);	/* a shared one */
	CHECK_ERRNO(read(copy, &c, 1), EAGAIN);
	CHECK_ERRNO(fcntl(99, F_GETFD), EBADF);
	CHECK_ERRNO(fcntl(0, 9999), EINVAL);
	CHECK_ERRNO(fcntl(0, F_DUPFD, -1), EINVAL);
	CHECK_ERRNO(fcntl(0, F_DUPFD, 1 << 20), EINVAL);
}

static void limit(void)
{
	struct rlimit limit;
	int n = 0, fds[2], first = dup(0), last = -1;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK(limit.rlim_cur >= 64);
	limit.rlim_cur = 64;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int fd; (fd = dup(0)) >= 0; n++)
		last = fd;
	CHECK_EQ(errno, EMFILE);
	CHECK_EQ(last, 63);
	CHECK_ERRNO(open("/dev/null", O_RDONLY), EMFILE);
	CHECK_ERRNO(pipe(fds), EMFILE);
	CHECK_EQ(close(63), 0);
	CHECK_ERRNO(pipe(fds), EMFILE);			/* one free descriptor is not enough */
	CHECK_EQ(dup(0), 63);				/* and was not lost */
	CHECK_ERRNO(dup2(0, 64), EBADF);
	close(first);
	CHECK_EQ(dup(0), first);
	CHECK(n > 40);
}

/* Threads open and close: the table stays intact, and no two have the same number at a time. */
static void *open_and_close(void *arg)
{
	for (int i = 0; i < 300; i++) {
		int fd = (long)arg % 2 ? open("/dev/null", O_RDWR) : dup(0);

		CHECK(fd > 2);
		CHECK_EQ(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
		CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
		CHECK_EQ(close(fd), 0);
	}
	return NULL;
}

static void threads_share_the_table(void)
{
	pthread_t t[6];

	for (long i = 0; i < 6; i++)
		t[i] = start_thread(open_and_close, (void *)i);
	for (int i = 0; i < 6; i++)
		join_thread(t[i]);
}

static const char *fifo;
static atomic_int opener;
static atomic_bool go;

static void *open_fifo(void *unused)
{
	(void)unused;
	opener = syscall(SYS_gettid);
	while (!go)
		sched_yield();
	return (void *)(long)open(fifo, O_RDONLY);
}

/* Its file in /proc is open already: await_state() would take the lowest number itself. */
static void await_the_opener(int stat)
{
	char text[256] = "";

	do
		CHECK(pread(stat, text, sizeof(text) - 1, 0) > 0);
	while (strrchr(text, ')')[2] != 'S');
}

/* A number that a thread's open() has taken, and not yet filled, is free in a child. */
static void not_yet_open(void)
{
	int number, writer, stat;
	char path[40];
	pthread_t t;
	pid_t pid;

	fifo = temp_path("fd");
	CHECK_EQ(mkfifo(fifo, 0600), 0);
	t = start_thread(open_fifo, NULL);
	while (!opener)
		sched_yield();
	snprintf(path, sizeof(path), "/proc/%d/stat", opener);
	stat = open(path, O_RDONLY);
	number = dup(0);
	CHECK(stat >= 0 && number >= 0);
	close(number);
	go = true;
	await_the_opener(stat);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(dup(0), number);
		CHECK_EQ(close(number), 0);
		CHECK_EQ(dup2(0, number), number);
		_exit(0);
	}
	expect_exit(pid, 0);
	CHECK_ERRNO(dup2(0, number), EBUSY);
	CHECK_ERRNO(close(number), EBADF);
	writer = open(fifo, O_WRONLY);
	CHECK_EQ(writer, number + 1);
	CHECK_EQ((long)join_thread(t), number);
	close(stat);
	unlink(fifo);
}

static const struct test_case cases[] = {
	CASE(lowest_number),
	CASE(duplicates_share_position),
	CASE(fork_shares_position),
	CASE(opens_are_apart),
	CASE(dup2_replaces),
	CASE(flags),
	CASE(limit),
	CASE(threads_share_the_table),
	CASE(not_yet_open),
};

TEST_MAIN(cases)
