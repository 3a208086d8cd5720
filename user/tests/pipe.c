/* Pipes: blocking, ends, atomic writes, and large amounts of data. */
#include <limits.h>
#include <sys/ioctl.h>

#include "test.h"

static int fds[2];			/* read from 0, write to 1 */

static void make_pipe(int flags)
{
	CHECK_EQ(pipe2(fds, flags), 0);
}

static void lowest_descriptors(void)
{
	int a, b;

	make_pipe(0);
	a = fds[0];
	b = fds[1];
	CHECK_EQ(b, a + 1);
	close(a);
	close(b);
	make_pipe(O_CLOEXEC);
	CHECK_EQ(fds[0], a);
	CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fds[0], F_GETFL) & O_ACCMODE, O_RDONLY);
	CHECK_EQ(fcntl(fds[1], F_GETFL) & O_ACCMODE, O_WRONLY);
}

static void bytes_in_order(void)
{
	char buf[16];

	make_pipe(0);
	CHECK_EQ(write(fds[1], "hello", 5), 5);
	CHECK_EQ(write(fds[1], " pipe", 5), 5);
	CHECK_EQ(read(fds[0], buf, 3), 3);
	CHECK_EQ(read(fds[0], buf + 3, sizeof(buf) - 3), 7);
	CHECK(!memcmp(buf, "hello pipe", 10));
}

static void wrong_ends(void)
{
	char c = 0;

	make_pipe(0);
	CHECK_ERRNO(read(fds[1], &c, 1), EBADF);
	CHECK_ERRNO(write(fds[0], &c, 1), EBADF);
	CHECK_ERRNO(lseek(fds[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(pread(fds[0], &c, 1, 0), ESPIPE);
	CHECK_EQ(read(fds[0], hidden(16), 0), 0);
	CHECK_ERRNO(write(fds[1], hidden(16), 1), EFAULT);
	CHECK_ERRNO(pipe(hidden(16)), EFAULT);
	CHECK_ERRNO(pipe2(fds, 1), EINVAL);
}

static void end_of_file(void)
{
	char buf[4];

	make_pipe(0);
	CHECK_EQ(write(fds[1], "ab", 2), 2);
	close(fds[1]);
	CHECK_EQ(read(fds[0], buf, 4), 2);
	CHECK_EQ(read(fds[0], buf, 4), 0);
	CHECK_EQ(read(fds[0], buf, 4), 0);
}

static void end_of_file_needs_every_writer(void)
{
	pid_t pid;
	char c;

	make_pipe(0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		await_state(getppid(), 'S');
		_exit(0);		/* closes the last writer */
	}
	close(fds[1]);
	CHECK_EQ(read(fds[0], &c, 1), 0);
	expect_exit(pid, 0);
}

static void reader_waits_for_data(void)
{
	pid_t pid;
	char c = 0;

	make_pipe(0);
	pid = fork();
	if (pid == 0) {
		await_state(getppid(), 'S');
		_exit(write(fds[1], "x", 1) != 1);
	}
	CHECK_EQ(read(fds[0], &c, 1), 1);	/* PIPE2 */
	CHECK_EQ(c, 'x');
	expect_exit(pid, 0);
}

static void broken_pipe_kills(void)
{
	pid_t pid;

	make_pipe(0);
	close(fds[0]);
	pid = fork();
	if (pid == 0) {
		if (write(fds[1], "x", 1) < 0)
			_exit(1);
		_exit(2);
	}
	expect_signal(pid, SIGPIPE);
}

static void broken_pipe_ignored(void)
{
	make_pipe(0);
	signal(SIGPIPE, SIG_IGN);
	close(fds[0]);
	CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
}

static void broken_while_blocked(void)
{
	static char block[200000];
	pid_t pid;

	make_pipe(0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		if (write(fds[1], block, sizeof(block)) < 0)
			_exit(1);
		_exit(2);
	}
	close(fds[1]);
	await_state(pid, 'S');
	close(fds[0]);
	expect_signal(pid, SIGPIPE);	/* PIPE2 */
}

static void nonblocking(void)
{
	static char block[65536];
	char c;
	long total = 0, n;

	make_pipe(O_NONBLOCK);
	CHECK_ERRNO(read(fds[0], &c, 1), EAGAIN);
	while ((n = write(fds[1], block, sizeof(block))) > 0)
		total += n;
	CHECK_EQ(errno, EAGAIN);
	CHECK(total >= PIPE_BUF);
	CHECK_ERRNO(write(fds[1], &c, 1), EAGAIN);
	CHECK_EQ(read(fds[0], block, PIPE_BUF), PIPE_BUF);
	CHECK_EQ(write(fds[1], block, PIPE_BUF), PIPE_BUF);	/* now there is room for it */
}

static void how_much_is_there(void)
{
	int n = -1;

	make_pipe(0);
	CHECK_EQ(ioctl(fds[0], FIONREAD, &n), 0);
	CHECK_EQ(n, 0);
	CHECK_EQ(write(fds[1], "12345", 5), 5);
	CHECK_EQ(ioctl(fds[0], FIONREAD, &n), 0);
	CHECK_EQ(n, 5);
}

/* Byte i of the stream: a lost, doubled or misplaced byte shows. */
static unsigned char byte_at(size_t i)
{
	return i * 31 + (i >> 8) * 7 + (i >> 16);
}

static void write_stream(size_t total, size_t step)
{
	static unsigned char buf[70000];
	size_t sent = 0;

	while (sent < total) {
		size_t n = total - sent < step ? total - sent : step;

		for (size_t i = 0; i < n; i++)
			buf[i] = byte_at(sent + i);
		CHECK_EQ(write(fds[1], buf, n), n);
		sent += n;
	}
}

static void read_stream(size_t total, size_t step)
{
	static unsigned char buf[70000];
	size_t got = 0;
	ssize_t n;

	while ((n = read(fds[0], buf, step)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			CHECK_EQ(buf[i], byte_at(got + i));
		got += n;
	}
	CHECK_EQ(n, 0);
	CHECK_EQ(got, total);
}

static void stream(size_t total, size_t write_step, size_t read_step)
{
	pid_t pid;

	make_pipe(0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		write_stream(total, write_step);
		_exit(0);
	}
	close(fds[1]);
	read_stream(total, read_step);
	close(fds[0]);
	expect_exit(pid, 0);
}

static void much_data(void)
{
	stream(1000000, 4096, 4096);
	stream(700000, 70000, 333);
	stream(700000, 777, 70000);
	stream(3000, 1, 1);
}

/* Writes of up to PIPE_BUF bytes never mix: every record arrives in one piece. */
static void write_records(int who, int count)
{
	static char record[PIPE_BUF];

	for (int i = 0; i < count; i++) {
		memset(record, 'a' + (who + i) % 26, sizeof(record));
		CHECK_EQ(write(fds[1], record, sizeof(record)), sizeof(record));
	}
}

static void atomic_writes(void)
{
	enum { WRITERS = 4, RECORDS = 40 };
	static char buf[PIPE_BUF];
	size_t got = 0, records = 0;
	ssize_t n;

	make_pipe(0);
	for (int w = 0; w < WRITERS; w++) {
		if (fork() == 0) {
			close(fds[0]);
			write_records(w * 5, RECORDS);
			_exit(0);
		}
	}
	close(fds[1]);
	while ((n = read(fds[0], buf + got, sizeof(buf) - got)) > 0) {
		got += n;
		if (got < sizeof(buf))
			continue;
		for (size_t i = 1; i < sizeof(buf); i++)
			CHECK_EQ(buf[i], buf[0]);
		records++;
		got = 0;
	}
	CHECK_EQ(got, 0);
	CHECK_EQ(records, WRITERS * RECORDS);
	while (wait(NULL) > 0)
		;
}

/* One byte goes round a ring of processes; each adds one. */
static void ring(void)
{
	enum { SIZE = 10, ROUNDS = 100 };
	int ring_fds[SIZE][2];
	unsigned char c = 0;

	for (int i = 0; i < SIZE; i++)
		CHECK_EQ(pipe(ring_fds[i]), 0);
	for (int i = 0; i + 1 < SIZE; i++) {
		if (fork() == 0) {
			for (int k = 0; k < ROUNDS; k++) {
				CHECK_EQ(read(ring_fds[i][0], &c, 1), 1);
				c++;
				CHECK_EQ(write(ring_fds[i + 1][1], &c, 1), 1);
			}
			_exit(0);
		}
	}
	for (int k = 0; k < ROUNDS; k++) {
		CHECK_EQ(write(ring_fds[0][1], &c, 1), 1);
		CHECK_EQ(read(ring_fds[SIZE - 1][0], &c, 1), 1);
	}
	CHECK_EQ(c, (unsigned char)(ROUNDS * (SIZE - 1)));
	while (wait(NULL) > 0)
		;
}

static void *read_one(void *arg)
{
	char c = 0;

	CHECK_EQ(read(fds[0], &c, 1), 1);
	(void)arg;
	return (void *)(long)c;
}

/* Each byte wakes one of several readers, and no byte goes to two. */
static void several_readers(void)
{
	pthread_t t[8];
	long sum = 0;

	make_pipe(0);
	for (int i = 0; i < 8; i++)
		t[i] = start_thread(read_one, NULL);
	for (int i = 0; i < 8; i++) {
		char c = 1 << i % 7;

		CHECK_EQ(write(fds[1], &c, 1), 1);
	}
	for (int i = 0; i < 8; i++)
		sum += (long)join_thread(t[i]);
	CHECK_EQ(sum, 127 + 1);
}

static const struct test_case cases[] = {
	CASE(lowest_descriptors),
	CASE(bytes_in_order),
	CASE(wrong_ends),
	CASE(end_of_file),
	CASE(end_of_file_needs_every_writer),
	CASE(reader_waits_for_data),
	CASE(broken_pipe_kills),
	CASE(broken_pipe_ignored),
	CASE(broken_while_blocked),
	CASE(nonblocking),
	CASE(how_much_is_there),
	CASE(much_data),
	CASE(atomic_writes),
	CASE(ring),
	CASE(several_readers),
};

TEST_MAIN(cases)
