/* Transfers of one or several segments: how far they go, where they stop, and their flags. */
#include <sys/syscall.h>
#include <sys/uio.h>

#include "test.h"

#define PAGE	4096

static int fds[2];

/* Maps two pages, of which the second cannot be accessed. */
static char *half_page(void)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	return p;
}

static int new_file(void)
{
	const char *path = temp_path("rw");
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(unlink(path), 0);
	return fd;
}

static void readv_takes_what_is_there(void)
{
	char a[4] = "", b[8] = "";
	struct iovec v[3] = { { a, 3 }, { NULL, 0 }, { b, 7 } };

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(write(fds[1], "12345", 5), 5);
	CHECK_EQ(readv(fds[0], v, 3), 5);	/* it does not wait for five more bytes */
	CHECK(!strcmp(a, "123") && !strcmp(b, "45"));
}

/* Each message consists of sixteen segments, and no message is mixed with another. */
static void write_messages(int who)
{
	char byte[16];
	struct iovec v[16];

	for (int i = 0; i < 16; i++) {
		byte[i] = 'a' + who;
		v[i] = (struct iovec){ &byte[i], 1 };
	}
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(writev(fds[1], v, 16), 16);
}

static void writev_is_atomic(void)
{
	char buf[16];
	ssize_t n, messages = 0;

	CHECK_EQ(pipe(fds), 0);
	for (int who = 0; who < 3; who++)
		if (fork() == 0) {
			close(fds[0]);
			write_messages(who);
			_exit(0);
		}
	close(fds[1]);
	for (; (n = read(fds[0], buf, 16)) == 16; messages++)
		for (int i = 1; i < 16; i++)
			CHECK_EQ(buf[i], buf[0]);
	CHECK_EQ(n, 0);
	CHECK_EQ(messages, 3 * 1000);
	while (wait(NULL) > 0)
		;
}

static void vectors_of_files(void)
{
	char text[] = "one two three", buf[16] = "", tail[4] = "";
	struct iovec out[3] = { { text, 4 }, { text + 4, 4 }, { text + 8, 5 } };
	struct iovec in[2] = { { buf, 10 }, { tail, 3 } };
	int fd = new_file();

	CHECK_EQ(writev(fd, out, 3), 13);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 13);
	CHECK_EQ(preadv(fd, in, 2, 0), 13);
	CHECK(!memcmp(buf, "one two th", 10) && !memcmp(tail, "ree", 3));
	CHECK_EQ(preadv(fd, in, 2, 8), 5);
	CHECK(!memcmp(buf, "three", 5));
	CHECK_EQ(pwritev(fd, out, 1, 20), 4);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 13);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 24);
	CHECK_EQ(preadv(fd, in, 2, 24), 0);
}

static void wrong_vectors(void)
{
	static struct iovec many[1025];
	char c = 0;
	struct iovec v[2] = { { &c, 1 }, { &c, -1 } };
	int fd = new_file();

	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_ERRNO(readv(fd, v, 2), EINVAL);
	CHECK_ERRNO(writev(fd, v, 2), EINVAL);
	CHECK_ERRNO(readv(fd, many, 1025), EINVAL);
	CHECK_ERRNO(readv(fd, v, *(volatile int *)&(int){ -1 }), EINVAL);
	CHECK_ERRNO(readv(fd, hidden(16), 1), EFAULT);
	CHECK_EQ(readv(fd, hidden(16), 0), 0);
	CHECK_EQ(readv(fd, many, 1024), 0);
	CHECK_ERRNO(preadv(fd, v, 1, -1), EINVAL);
	CHECK_ERRNO(readv(-1, v, 2), EBADF);
	CHECK_EQ(pipe(fds), 0);
	CHECK_ERRNO(preadv(fds[0], v, 1, 0), ESPIPE);
	CHECK_ERRNO(pwritev(fds[1], v, 1, 0), ESPIPE);
	CHECK_ERRNO(readv(fds[1], v, 1), EBADF);
	CHECK_ERRNO(writev(fds[0], v, 1), EBADF);
	v[1] = (struct iovec){ hidden(1UL << 63), 1 };
	CHECK_ERRNO(writev(fds[1], v, 2), EFAULT);	/* writes nothing */
	v[1] = (struct iovec){ hidden(16), 1 };
	CHECK_ERRNO(writev(fds[1], v, 2), EFAULT);
}

/* A transfer ends where the memory does, and returns how far it got. */
static void bad_page_half_way(void)
{
	static char text[PAGE];
	char *p = half_page();
	struct iovec v[2] = { { text, 8 }, { hidden(16), 8 } };
	int fd = new_file(), zero = open("/dev/zero", O_RDWR);

	memset(p, 'x', PAGE);
	CHECK_EQ(write(fd, p + PAGE - 100, 200), 100);
	CHECK_EQ(write(fd, p + PAGE - 100, 5000), 100);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 200);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 200);
	CHECK_ERRNO(write(fd, p + PAGE, 1), EFAULT);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 200);
	CHECK_EQ(writev(fd, v, 2), 8);
	CHECK_EQ(pread(fd, p + PAGE - 60, 200, 0), 60);
	CHECK_EQ(preadv(fd, v, 2, 0), 8);
	CHECK_ERRNO(pread(fd, p + PAGE, 1, 0), EFAULT);
	CHECK_EQ(pread(fd, p + PAGE, 1, 208), 0);
	CHECK_EQ(ftruncate(fd, 3 * PAGE), 0);
	CHECK_EQ(pread(fd, p + PAGE - 60, 200, PAGE), 60);	/* zeroes of a hole */
	CHECK_EQ(p[PAGE - 1], 0);
	CHECK_EQ(read(zero, p + 1, 2 * PAGE), PAGE - 1);
	CHECK_ERRNO(read(zero, p + PAGE, 1), EFAULT);
}

static void bad_page_and_pipes(void)
{
	char *p = half_page(), c[3 * PAGE];

	memset(p, 'x', PAGE);
	CHECK_EQ(pipe2(fds, O_NONBLOCK), 0);
	CHECK_ERRNO(write(fds[1], p + PAGE - 100, 200), EFAULT);	/* atomic: nothing */
	CHECK_ERRNO(read(fds[0], c, 1), EAGAIN);
	CHECK_EQ(write(fds[1], c, 3 * PAGE), 3 * PAGE);
	CHECK_EQ(read(fds[0], p, 2 * PAGE), PAGE);
	CHECK_ERRNO(read(fds[0], p + PAGE, 1), EFAULT);
	CHECK_EQ(read(fds[0], c, 3 * PAGE), 2 * PAGE);
}

static void directories(void)
{
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY);
	char c;
	struct iovec v = { &c, 1 };

	CHECK_ERRNO(read(fd, &c, 1), EISDIR);
	CHECK_ERRNO(pread(fd, &c, 1, 0), EISDIR);
	CHECK_ERRNO(readv(fd, &v, 1), EISDIR);
	CHECK_ERRNO(write(fd, &c, 1), EBADF);
	CHECK_ERRNO(pwrite(fd, &c, 1, 0), EBADF);
	CHECK_ERRNO(pread(fd, &c, 1, -1), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, SEEK_DATA + 2), EINVAL);
}

static void flags_of_one_call(void)
{
	char c = 'x';
	struct iovec v = { &c, 1 };
	int fd = new_file();

	CHECK_EQ(pwritev2(fd, &v, 1, 3, 0), 1);
	CHECK_EQ(pwritev2(fd, &v, 1, 0, RWF_APPEND), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 5);
	CHECK_EQ(pwritev2(fd, &v, 1, -1, RWF_SYNC | RWF_DSYNC), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
	CHECK_EQ(preadv2(fd, &v, 1, -1, 0), 0);
	CHECK_EQ(preadv2(fd, &v, 1, 5, RWF_HIPRI), 1);
	CHECK_ERRNO(preadv2(fd, &v, 1, -2, 0), EINVAL);
	CHECK_ERRNO(preadv2(fd, &v, 1, 0, 0x40000000), EOPNOTSUPP);
	CHECK_EQ(pipe(fds), 0);
	CHECK_ERRNO(preadv2(fds[0], &v, 1, -1, RWF_NOWAIT), EAGAIN);
	CHECK_ERRNO(preadv2(fds[0], &v, 1, 0, 0), ESPIPE);
}

static void append_wins(void)
{
	const char *path = temp_path("append");
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);

	CHECK_EQ(unlink(path), 0);
	CHECK_EQ(write(fd, "ab", 2), 2);
	CHECK_EQ(pwrite(fd, "cd", 2, 0), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 4);
	CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
	CHECK_EQ(write(fd, "", 0), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1);
}

static void file_size_limit(void)
{
	static char text[200];
	struct rlimit limit = { 100, 1000 };
	struct iovec v[2] = { { text, 60 }, { text, 60 } };
	int fd = new_file();

	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(writev(fd, v, 2), 100);
	CHECK_ERRNO(write(fd, text, 1), EFBIG);
	CHECK_EQ(write(fd, text, 0), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 100);
	CHECK_EQ(pwrite(fd, text, 200, 90), 10);
	CHECK_ERRNO(ftruncate(fd, 101), EFBIG);
	CHECK_EQ(ftruncate(fd, 100), 0);
	CHECK_EQ(ftruncate(fd, 50), 0);
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(write(fds[1], text, 200), 200);	/* pipes have no such limit */
}

static void file_size_signal(void)
{
	struct rlimit limit = { 0, 0 };
	int fd = new_file();
	pid_t pid = fork();

	if (pid == 0) {
		CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
		_exit(write(fd, "x", 1) < 0);
	}
	expect_signal(pid, SIGXFSZ);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
}

static void data_and_holes(void)
{
	int fd = new_file();

	CHECK_ERRNO(lseek(fd, 0, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(fd, 0, SEEK_HOLE), ENXIO);
	CHECK_EQ(pwrite(fd, "x", 1, 20 * PAGE + 10), 1);
	CHECK_EQ(ftruncate(fd, 40 * PAGE), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 20 * PAGE);
	CHECK_EQ(lseek(fd, 20 * PAGE + 5, SEEK_DATA), 20 * PAGE + 5);
	CHECK_EQ(lseek(fd, 20 * PAGE + 5, SEEK_HOLE), 21 * PAGE);
	CHECK_EQ(lseek(fd, 30 * PAGE + 1, SEEK_HOLE), 30 * PAGE + 1);
	CHECK_ERRNO(lseek(fd, 30 * PAGE, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(fd, 40 * PAGE, SEEK_HOLE), ENXIO);
	CHECK_ERRNO(lseek(fd, -1, SEEK_DATA), ENXIO);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 30 * PAGE + 1);
	CHECK_EQ(ftruncate(fd, 20 * PAGE + 20), 0);
	CHECK_EQ(lseek(fd, 20 * PAGE, SEEK_HOLE), 20 * PAGE + 20);
}

/* The only page is found from wherever the search begins, however far away; so is the hole. */
static void far_data(void)
{
	static const long at[] = { 1, 5, 63, 64, 65, 66, 128, 700, 4095, 4096, 4165, 262144 + 66 };
	enum { N = sizeof(at) / sizeof(*at), PUNCH = 3 /* and keep the size */ };

	for (int i = 0; i < N; i++) {
		int fd = new_file();
		char c = 0;

		CHECK_EQ(pwrite(fd, "x", 1, at[i] * PAGE), 1);
		for (int k = 0; k <= i; k++) {
			CHECK_EQ(lseek(fd, at[k] * PAGE, SEEK_DATA), at[i] * PAGE);
			CHECK_EQ(lseek(fd, (at[i] - at[k]) * PAGE, SEEK_DATA), at[i] * PAGE);
		}
		CHECK_EQ(syscall(SYS_fallocate, fd, PUNCH, 0L, at[i] * PAGE), 0);
		CHECK_EQ(pread(fd, &c, 1, at[i] * PAGE), 1);
		CHECK_EQ(c, 'x');
		CHECK_EQ(syscall(SYS_fallocate, fd, PUNCH, at[i / 2] * PAGE, (at[i] + 1) * PAGE),
			 0);
		CHECK_EQ(pread(fd, &c, 1, at[i] * PAGE), 1);
		CHECK_EQ(c, 0);
		close(fd);
	}
}

static void offsets(void)
{
	int fd = new_file(), null = open("/dev/null", O_RDWR);

	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, 5), EINVAL);
	CHECK_EQ(lseek(fd, 10, SEEK_SET), 10);
	CHECK_ERRNO(lseek(fd, INT64_MAX, SEEK_CUR), EINVAL);
	CHECK_ERRNO(lseek(fd, -11, SEEK_CUR), EINVAL);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10);
	CHECK_EQ(lseek(null, 10, SEEK_SET), 0);
	CHECK_EQ(pipe(fds), 0);
	CHECK_ERRNO(lseek(fds[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(lseek(fds[0], 0, 5), EINVAL);
}

static void syncing(void)
{
	CHECK_EQ(fsync(new_file()), 0);
	CHECK_EQ(fdatasync(new_file()), 0);
	CHECK_EQ(pipe(fds), 0);
	CHECK_ERRNO(fsync(fds[0]), EINVAL);
	CHECK_ERRNO(fdatasync(fds[1]), EINVAL);
	CHECK_ERRNO(fsync(-1), EBADF);
}

static const struct test_case cases[] = {
	CASE(readv_takes_what_is_there), CASE(writev_is_atomic), CASE(vectors_of_files),
	CASE(wrong_vectors), CASE(bad_page_half_way), CASE(bad_page_and_pipes), CASE(directories),
	CASE(flags_of_one_call), CASE(append_wins), CASE(file_size_limit), CASE(file_size_signal),
	CASE(data_and_holes), CASE(far_data), CASE(offsets), CASE(syncing),
};

TEST_MAIN(cases)
