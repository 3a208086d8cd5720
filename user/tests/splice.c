/* splice(), tee(), vmsplice(): a stream through several processes, which may die in the middle. */
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "test.h"

#define PAGE	4096
#define TOTAL	(300L * PAGE + 123)
#define PATTERN 251L			/* byte i of the stream is i % PATTERN */

static char pattern[PATTERN + 5 * PAGE];
static int a[2], b[2], c[2], file;

static unsigned draw(unsigned *seed, unsigned below)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % below;
}

/* Keeps only the ends that a process uses, so that the other processes see ends close. */
static void keep(int in, int out)
{
	int all[] = { a[0], a[1], b[0], b[1], c[0], c[1] };

	for (int i = 0; i < 6; i++)
		if (all[i] != in && all[i] != out)
			CHECK_EQ(close(all[i]), 0);
}

static void produce(void)
{
	unsigned seed = 1;
	long n;

	keep(-1, a[1]);
	for (long at = 0; at < TOTAL; at += n) {
		long most = draw(&seed, 5 * PAGE) + 1;
		struct iovec v = { pattern + at % PATTERN, most < TOTAL - at ? most : TOTAL - at };

		n = draw(&seed, 2) ? vmsplice(a[1], &v, 1, 0) : write(a[1], v.iov_base, v.iov_len);
		CHECK(n > 0 && n <= (long)v.iov_len);
	}
}

static void move(void)
{
	unsigned seed = 2;
	long n;

	keep(a[0], b[1]);
	while ((n = splice(a[0], NULL, b[1], NULL, draw(&seed, 3 * PAGE) + 1, 0)) > 0)
		;
	CHECK_EQ(n, 0);
}

static void copy(void)
{
	unsigned seed = 3;
	long n, moved;

	keep(b[0], c[1]);
	while ((n = tee(b[0], c[1], draw(&seed, 3 * PAGE) + 1, 0)) > 0) {
		for (; n; n -= moved) {
			moved = splice(b[0], NULL, file, NULL, n, 0);
			CHECK(moved > 0 && moved <= n);
		}
	}
	CHECK_EQ(n, 0);
}

static void check_stream(int fd)
{
	static char buf[2 * PAGE];
	long at = 0, n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		CHECK_EQ(memcmp(buf, pattern + at % PATTERN, n), 0);
		at += n;
	}
	CHECK_EQ(n, 0);
	CHECK_EQ(at, TOTAL);		/* SPLICE1 */
}

static void stream(void)
{
	const char *path = temp_path("splice");
	pid_t pids[3];

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i % PATTERN;
	file = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	CHECK(file >= 0);
	CHECK_EQ(unlink(path), 0);
	CHECK(!pipe(a) && !pipe(b) && !pipe(c));
	pids[0] = spawn(produce);
	pids[1] = spawn(move);
	pids[2] = spawn(copy);
	keep(c[0], -1);
	check_stream(c[0]);
	for (int i = 0; i < 3; i++)
		expect_exit(pids[i], 0);
	CHECK_EQ(lseek(file, 0, SEEK_SET), 0);
	check_stream(file);
}

static void wait_for_bytes(void)
{
	splice(a[0], NULL, b[1], NULL, PAGE, 0);
}

static void wait_to_write_a_file(void)
{
	splice(a[0], NULL, file, NULL, PAGE, 0);
}

static void wait_for_room(void)
{
	tee(c[0], b[1], PAGE, 0);
}

static void wait_for_room_from_memory(void)
{
	struct iovec v = { pattern, PAGE };

	vmsplice(b[1], &v, 1, 0);
}

static void killed(void)
{
	void (*const waits[])(void) = {
		wait_for_bytes, wait_to_write_a_file, wait_for_room, wait_for_room_from_memory,
	};

	file = open("/dev/null", O_WRONLY);
	CHECK(!pipe(a) && !pipe(b) && !pipe(c));
	CHECK_EQ(fcntl(b[1], F_SETPIPE_SZ, PAGE), PAGE);
	CHECK_EQ(write(b[1], pattern, PAGE), PAGE);
	CHECK_EQ(write(c[1], pattern, PAGE), PAGE);
	for (int i = 0; i < 4; i++) {
		pid_t pid = spawn(waits[i]);

		await_state(pid, 'S');
		CHECK_EQ(kill(pid, SIGKILL), 0);
		expect_signal(pid, SIGKILL);
	}
	CHECK_EQ(splice(c[0], NULL, file, NULL, 2 * PAGE, 0), PAGE);
	CHECK_EQ(splice(b[0], NULL, a[1], NULL, 2 * PAGE, 0), PAGE);
}

/*
 * Two processes move bytes between the same pipes in opposite directions: neither waits for ever.
 */
static void around(int from, int to)
{
	for (int i = 0; i < 2000; i++)
		CHECK(splice(from, NULL, to, NULL, 1 + i % 3, SPLICE_F_NONBLOCK) > 0 ||
		      errno == EAGAIN);
}

static void there(void)
{
	around(a[0], b[1]);
}

static void back(void)
{
	around(b[0], a[1]);
}

static int bytes_in(int fd)
{
	int n = -1;

	CHECK_EQ(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

static void crosswise(void)
{
	struct iovec v = { pattern, 1 };
	pid_t first, second;

	CHECK(!pipe(a) && !pipe(b));
	for (int i = 0; i < 5; i++)
		CHECK(vmsplice(a[1], &v, 1, 0) == 1 && vmsplice(b[1], &v, 1, 0) == 1);
	first = spawn(there);
	second = spawn(back);
	expect_exit(first, 0);
	expect_exit(second, 0);
	CHECK_EQ(bytes_in(a[0]) + bytes_in(b[0]), 10);
}

static const struct test_case cases[] = {
	CASE(stream),
	CASE(killed),
	CASE(crosswise),
};

TEST_MAIN(cases)
