/* poll: which files are ready, waiting until one is, and timeouts. */
#include <poll.h>

#include "test.h"

static int a[2], b[2];

static void make_pipes(void)
{
	CHECK_EQ(pipe(a), 0);
	CHECK_EQ(pipe(b), 0);
}

static int poll_one(int fd, short events, int timeout)
{
	struct pollfd p = { fd, events, -1 };
	int n = poll(&p, 1, timeout);

	CHECK_EQ(n, p.revents != 0);
	return p.revents;
}

static void readiness(void)
{
	char c;

	make_pipes();
	CHECK_EQ(poll_one(a[0], POLLIN, 0), 0);
	CHECK_EQ(poll_one(a[1], POLLOUT, 0), POLLOUT);
	CHECK_EQ(poll_one(a[1], POLLIN | POLLOUT, 0), POLLOUT);
	CHECK_EQ(write(a[1], "x", 1), 1);
	CHECK_EQ(poll_one(a[0], POLLIN, 0), POLLIN);
	CHECK_EQ(poll_one(a[0], 0, 0), 0);
	CHECK_EQ(read(a[0], &c, 1), 1);
	CHECK_EQ(poll_one(a[0], POLLIN, 0), 0);
}

static void ends(void)
{
	make_pipes();
	CHECK_EQ(write(a[1], "x", 1), 1);
	close(a[1]);
	CHECK_EQ(poll_one(a[0], POLLIN, 0), POLLIN | POLLHUP);
	CHECK_EQ(read(a[0], a + 1, 4), 1);
	CHECK_EQ(poll_one(a[0], POLLIN, 0), POLLHUP);
	CHECK_EQ(poll_one(a[0], 0, -1), POLLHUP);
	close(b[0]);
	CHECK(poll_one(b[1], POLLOUT, 0) & POLLERR);
}

static void full(void)
{
	static char block[4096];

	make_pipes();
	CHECK_EQ(fcntl(a[1], F_SETFL, O_NONBLOCK), 0);
	while (write(a[1], block, sizeof(block)) > 0)
		;
	CHECK_EQ(poll_one(a[1], POLLOUT, 0), 0);
	CHECK_EQ(read(a[0], block, sizeof(block)), sizeof(block));
	CHECK_EQ(poll_one(a[1], POLLOUT, 0), POLLOUT);
}

static void bad_descriptors(void)
{
	struct pollfd p[3] = { { -1, POLLIN, 7 }, { 999, POLLIN, 0 }, { 0, 0, 0 } };

	CHECK_EQ(poll(p, 2, -1), 1);
	CHECK_EQ(p[0].revents, 0);
	CHECK_EQ(p[1].revents, POLLNVAL);
	CHECK_ERRNO(poll(hidden(16), 1, 0), EFAULT);
	CHECK_EQ(poll(NULL, 0, 0), 0);
}

static void files_are_always_ready(void)
{
	int fd = open("/dev/null", O_RDWR);

	CHECK_EQ(poll_one(fd, POLLIN | POLLOUT, -1), POLLIN | POLLOUT);
}

static void timeout(void)
{
	int64_t start = now_ns(CLOCK_MONOTONIC);
	struct timespec ts = { 0, 5000000 };
	struct pollfd p;

	make_pipes();
	CHECK_EQ(poll_one(a[0], POLLIN, 20), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20000000);
	start = now_ns(CLOCK_MONOTONIC);
	CHECK_EQ(poll(NULL, 0, 10), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 10000000);
	start = now_ns(CLOCK_MONOTONIC);
	p = (struct pollfd){ a[0], POLLIN, 0 };
	CHECK_EQ(ppoll(&p, 1, &ts, NULL), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 5000000);
	CHECK(ts.tv_sec == 0 && ts.tv_nsec == 5000000);
}

static void woken_by_any(void)
{
	struct pollfd p[2];
	pid_t pid;

	for (int which = 0; which < 2; which++) {
		make_pipes();
		pid = fork();
		if (pid == 0) {
			await_state(getppid(), 'S');
			_exit(write(which ? b[1] : a[1], "x", 1) != 1);
		}
		p[0] = (struct pollfd){ a[0], POLLIN, 0 };
		p[1] = (struct pollfd){ b[0], POLLIN, 0 };
		CHECK_EQ(poll(p, 2, -1), 1);
		CHECK_EQ(p[which].revents, POLLIN);
		CHECK_EQ(p[!which].revents, 0);
		expect_exit(pid, 0);
	}
}

static void woken_by_the_end(void)
{
	pid_t pid;

	make_pipes();
	pid = fork();
	if (pid == 0) {
		close(a[0]);
		await_state(getppid(), 'S');
		_exit(0);
	}
	close(a[1]);
	CHECK_EQ(poll_one(a[0], POLLIN, -1), POLLHUP);
	expect_exit(pid, 0);
}

static void killed_in_poll(void)
{
	pid_t pid;

	make_pipes();
	pid = fork();
	if (pid == 0)
		_exit(poll_one(a[0], POLLIN, -1));
	await_state(pid, 'S');
	CHECK_EQ(kill(pid, SIGTERM), 0);
	expect_signal(pid, SIGTERM);
}

enum { WRITERS = 10, BYTES = 50 };

/* One poller, many writers: it finds every byte, and never spins. */
static void many_pipes(void)
{
	struct pollfd p[WRITERS];
	int left = WRITERS, total = 0;
	char buf[BYTES];

	for (int i = 0; i < WRITERS; i++) {
		CHECK_EQ(pipe(a), 0);
		if (fork() == 0) {
			for (int k = 0; k < BYTES; k++) {
				CHECK_EQ(write(a[1], "x", 1), 1);
				if (k % 8 == i % 8)
					sched_yield();
			}
			_exit(0);
		}
		close(a[1]);
		p[i] = (struct pollfd){ a[0], POLLIN, 0 };
	}
	while (left) {
		CHECK(poll(p, WRITERS, -1) > 0);
		for (int i = 0; i < WRITERS; i++) {
			ssize_t n = p[i].revents ? read(p[i].fd, buf, sizeof(buf)) : -1;

			if (n > 0)
				total += n;
			if (n == 0) {
				close(p[i].fd);
				p[i].fd = -1;
				left--;
			}
		}
	}
	CHECK_EQ(total, WRITERS * BYTES);
	while (wait(NULL) > 0)
		;
}

static const struct test_case cases[] = {
	CASE(readiness),
	CASE(ends),
	CASE(full),
	CASE(bad_descriptors),
	CASE(files_are_always_ready),
	CASE(timeout),
	CASE(woken_by_any),
	CASE(woken_by_the_end),
	CASE(killed_in_poll),
	CASE(many_pipes),
};

TEST_MAIN(cases)
