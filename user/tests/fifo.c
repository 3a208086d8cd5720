/* Named pipes, packets, and the sizes of pipes. */
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "test.h"

#define PAGE	4096

static int fds[2];
static const char *path;

static void make_fifo(void)
{
	path = temp_path("fifo");
	unlink(path);
	CHECK_EQ(mkfifo(path, 0644), 0);
}

static int polled(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static void kinds_of_nodes(void)
{
	struct stat st;

	umask(022);
	make_fifo();
	CHECK_EQ(stat(path, &st), 0);
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0644);
	CHECK_ERRNO(mkfifo(path, 0644), EEXIST);
	CHECK_EQ(unlink(path), 0);
	CHECK_EQ(mknod(path, 0666, 0), 0);
	CHECK_EQ(stat(path, &st), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0644);
	CHECK_EQ(unlink(path), 0);
	CHECK_EQ(mknod(path, S_IFSOCK | 0600, 0), 0);
	CHECK_ERRNO(open(path, O_RDWR), ENXIO);
	CHECK_EQ(unlink(path), 0);
	CHECK_ERRNO(mknod(path, S_IFDIR | 0700, 0), EPERM);
	CHECK_ERRNO(mknod(path, S_IFLNK | 0700, 0), EINVAL);
	CHECK_ERRNO(mkfifo("/nowhere/fifo", 0600), ENOENT);
	CHECK_ERRNO(mkfifo("", 0600), ENOENT);
}

static void open_waits_for_the_other_side(void)
{
	pid_t pid;
	int fd;
	char c;

	make_fifo();
	pid = fork();
	if (pid == 0) {
		await_state(getppid(), 'S');
		fd = open(path, O_WRONLY);
		_exit(write(fd, "x", 1) != 1);
	}
	fd = open(path, O_RDONLY);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(read(fd, &c, 1), 0);
	expect_exit(pid, 0);
	close(fd);		/* before the fork: else the child's copy would be a reader */
	pid = fork();
	if (pid == 0) {
		await_state(getppid(), 'S');
		fd = open(path, O_RDONLY);
		_exit(read(fd, &c, 1) != 1);
	}
	fd = open(path, O_WRONLY);
	CHECK_EQ(write(fd, "y", 1), 1);
	expect_exit(pid, 0);
	unlink(path);
}

static void open_without_waiting(void)
{
	int r, w;
	char c;

	make_fifo();
	CHECK_ERRNO(open(path, O_WRONLY | O_NONBLOCK), ENXIO);
	r = open(path, O_RDONLY | O_NONBLOCK);
	CHECK(r >= 0);
	CHECK_EQ(polled(r), 0);			/* no writer has come yet: no hang-up */
	CHECK_EQ(read(r, &c, 1), 0);
	w = open(path, O_WRONLY | O_NONBLOCK);
	CHECK(w >= 0);
	CHECK_ERRNO(read(r, &c, 1), EAGAIN);
	CHECK_EQ(polled(w), POLLOUT);
	CHECK_EQ(write(w, "x", 1), 1);
	close(w);
	CHECK_EQ(polled(r), POLLIN | POLLHUP);
	CHECK_EQ(read(r, &c, 1), 1);
	CHECK_EQ(polled(r), POLLHUP);
	CHECK_EQ(read(r, &c, 1), 0);
	unlink(path);
}

static void a_reader_that_came_after_its_writer(void)
{
	int r, w, both;

	make_fifo();
	both = open(path, O_RDWR);
	CHECK(both >= 0);
	CHECK_EQ(polled(both), POLLOUT);
	r = open(path, O_RDONLY);
	w = open(path, O_WRONLY);
	close(both);
	close(w);
	CHECK_EQ(polled(r), POLLHUP);
	unlink(path);
}

static void both_ends_in_one(void)
{
	char buf[8];
	int fd;

	make_fifo();
	fd = open(path, O_RDWR | O_NONBLOCK);
	CHECK(fd >= 0);
	CHECK_ERRNO(read(fd, buf, 8), EAGAIN);
	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(polled(fd), POLLIN | POLLOUT);
	CHECK_EQ(read(fd, buf, 8), 3);
	CHECK_ERRNO(lseek(fd, 0, SEEK_CUR), ESPIPE);
	CHECK_EQ(write(fd, "lost", 4), 4);
	close(fd);
	fd = open(path, O_RDWR | O_NONBLOCK);
	CHECK_ERRNO(read(fd, buf, 8), EAGAIN);	/* all writers had closed it */
	unlink(path);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void break_off_open(int flags)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	pid_t parent = getpid(), pid;

	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	pid = fork();
	if (pid == 0) {
		await_state(parent, 'S');
		_exit(kill(parent, SIGUSR1));
	}
	CHECK_ERRNO(open(path, flags), EINTR);
	expect_exit(pid, 0);
}

static void open_is_interrupted(void)
{
	make_fifo();
	break_off_open(O_RDONLY);
	CHECK_ERRNO(open(path, O_WRONLY | O_NONBLOCK), ENXIO);	/* no reader is left */
	unlink(path);
}

/* A process that was not let in counts as no reader, though another one keeps the pipe. */
static void a_reader_that_gave_up(void)
{
	int r, w;

	make_fifo();
	r = open(path, O_RDONLY | O_NONBLOCK);
	break_off_open(O_RDONLY);
	w = open(path, O_WRONLY | O_NONBLOCK);
	CHECK(r >= 0 && w >= 0);
	close(r);
	CHECK_EQ(polled(w), POLLOUT | POLLERR);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(w, "x", 1), EPIPE);
	unlink(path);
}

static void writers_that_were_not_let_in(void)
{
	int r, w;
	char c;

	make_fifo();
	r = open(path, O_RDONLY | O_NONBLOCK);
	w = open(path, O_WRONLY);
	CHECK(r >= 0 && w >= 0);
	close(r);
	CHECK_ERRNO(open(path, O_WRONLY | O_NONBLOCK), ENXIO);
	break_off_open(O_WRONLY);
	r = open(path, O_RDONLY | O_NONBLOCK);
	CHECK_ERRNO(read(r, &c, 1), EAGAIN);
	close(w);
	CHECK_EQ(read(r, &c, 1), 0);
	unlink(path);
}

static void packets(void)
{
	char buf[3 * PAGE];
	int n;

	CHECK_EQ(pipe2(fds, O_DIRECT | O_NONBLOCK), 0);
	CHECK(fcntl(fds[1], F_GETFL) & O_DIRECT);
	CHECK_EQ(write(fds[1], "one", 3), 3);
	CHECK_EQ(write(fds[1], "three", 5), 5);
	CHECK_EQ(write(fds[1], "", 0), 0);
	CHECK_EQ(ioctl(fds[0], FIONREAD, &n), 0);
	CHECK_EQ(n, 8);
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), 3);
	CHECK_EQ(read(fds[0], buf, 2), 2);	/* the rest of the packet is lost */
	CHECK_ERRNO(read(fds[0], buf, 1), EAGAIN);
	CHECK_EQ(write(fds[1], buf, 6000), 6000);	/* two packets */
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), PAGE);
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), 6000 - PAGE);
	CHECK_EQ(write(fds[1], "p", 1), 1);
	CHECK_EQ(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	CHECK_EQ(write(fds[1], "st", 2), 2);
	CHECK_EQ(write(fds[1], "ream", 4), 4);
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), 1);
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), 6);
	for (n = 0; write(fds[1], buf, 1) == 1; n++)
		CHECK_EQ(fcntl(fds[1], F_SETFL, O_NONBLOCK | O_DIRECT), 0);
	CHECK_EQ(n, PAGE + 15);	/* a page of bytes after the first packet, then packets */
}

static void how_much_goes_in(void)
{
	static char buf[70000];
	int n;

	CHECK_EQ(pipe2(fds, O_NONBLOCK), 0);
	CHECK_EQ(write(fds[1], buf, 70000), 65536);
	CHECK_ERRNO(write(fds[1], buf, 1), EAGAIN);
	CHECK_EQ(read(fds[0], buf, 100), 100);	/* no slot is free yet */
	CHECK_ERRNO(write(fds[1], buf, 1), EAGAIN);
	CHECK_EQ(polled(fds[1]), 0);
	CHECK_EQ(read(fds[0], buf, PAGE - 100), PAGE - 100);
	CHECK_EQ(polled(fds[1]), POLLOUT);
	CHECK_EQ(write(fds[1], buf, 3000), 3000);
	CHECK_ERRNO(write(fds[1], buf, 3000), EAGAIN);
	CHECK_EQ(write(fds[1], buf, 1000), 1000);	/* beside the packet */
	CHECK_EQ(read(fds[0], buf, 70000), 65536 - PAGE + 4000);
	for (n = 0; write(fds[1], buf, 2049) == 2049; n++)
		;
	CHECK_EQ(n, 16);
}

/* Bytes that have been read at a page's beginning make no room at its end. */
static void pages_read_in_part(void)
{
	char in[PAGE + 1], out[PAGE];

	for (int i = 0; i <= PAGE; i++)
		in[i] = i * 7 + i / 256;
	CHECK_EQ(pipe2(fds, O_NONBLOCK), 0);
	CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, PAGE), PAGE);
	for (int taken = 1; taken < 3000; taken += 700) {
		CHECK_EQ(write(fds[1], in, 3000), 3000);
		CHECK_EQ(read(fds[0], out, taken), taken);
		CHECK_ERRNO(write(fds[1], in + 3000, PAGE - 3000 + 1), EAGAIN);
		CHECK_EQ(write(fds[1], in + 3000, PAGE - 3000), PAGE - 3000);
		CHECK_ERRNO(write(fds[1], in, 1), EAGAIN);
		CHECK_EQ(read(fds[0], out + taken, PAGE - taken), PAGE - taken);
		CHECK_ERRNO(read(fds[0], out, 1), EAGAIN);
		CHECK(!memcmp(in, out, PAGE));
	}
}

static void sizes(void)
{
	static char buf[1 << 17];

	CHECK_EQ(pipe2(fds, O_NONBLOCK), 0);
	CHECK_EQ(fcntl(fds[0], F_GETPIPE_SZ), 65536);
	CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 1), PAGE);
	CHECK_EQ(fcntl(fds[1], F_GETPIPE_SZ), PAGE);
	CHECK_EQ(write(fds[1], buf, sizeof(buf)), PAGE);
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 3 * PAGE), 4 * PAGE);
	memset(buf, 'b', sizeof(buf));
	CHECK_EQ(write(fds[1], buf, sizeof(buf)), 3 * PAGE);
	CHECK_ERRNO(fcntl(fds[1], F_SETPIPE_SZ, 2 * PAGE), EBUSY);
	CHECK_EQ(read(fds[0], buf, 2 * PAGE), 2 * PAGE);
	CHECK(buf[0] == 0 && buf[PAGE - 1] == 0 && buf[PAGE] == 'b');
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 2 * PAGE), 2 * PAGE);
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, sizeof(buf)), sizeof(buf));
	CHECK_EQ(write(fds[1], buf, sizeof(buf)), sizeof(buf) - 2 * PAGE);
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), sizeof(buf));
	CHECK_ERRNO(fcntl(fds[0], F_SETPIPE_SZ, -1), EINVAL);
	CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 0), PAGE);
	CHECK_ERRNO(fcntl(open("/dev/null", O_RDWR), F_GETPIPE_SZ), EBADF);
}

static void growing_wakes_a_writer(void)
{
	static char buf[2 * PAGE];
	pid_t pid;

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, PAGE), PAGE);
	pid = fork();
	if (pid == 0)
		_exit(write(fds[1], buf, sizeof(buf)) != sizeof(buf));
	await_state(pid, 'S');
	CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 2 * PAGE), 2 * PAGE);
	expect_exit(pid, 0);
}

static const struct test_case cases[] = {
	CASE(kinds_of_nodes), CASE(open_waits_for_the_other_side), CASE(open_without_waiting),
	CASE(a_reader_that_came_after_its_writer), CASE(both_ends_in_one),
	CASE(open_is_interrupted), CASE(a_reader_that_gave_up),
	CASE(writers_that_were_not_let_in), CASE(packets), CASE(how_much_goes_in),
	CASE(pages_read_in_part), CASE(sizes), CASE(growing_wakes_a_writer),
};

TEST_MAIN(cases)
