/* Beyond reading and writing: space and holes, copying from file to file, eventfd, select. */
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "test.h"

#define PAGE		4096
#define KEEP_SIZE	1
#define PUNCH_HOLE	2

static int fds[2];

static int new_file(void)
{
	const char *path = temp_path("store");
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(unlink(path), 0);
	return fd;
}

static long size_of(int fd)
{
	struct stat st;

	CHECK_EQ(fstat(fd, &st), 0);
	return st.st_size;
}

static long falloc(int fd, int mode, off_t offset, off_t length)
{
	return syscall(SYS_fallocate, fd, mode, offset, length);
}

static void allocating(void)
{
	struct rlimit limit = { 10 * PAGE, 10 * PAGE };
	int fd = new_file(), rd = open("/proc/self/stat", O_RDONLY);

	CHECK_EQ(falloc(fd, 0, 0, 2 * PAGE), 0);
	CHECK_EQ(size_of(fd), 2 * PAGE);
	CHECK_EQ(falloc(fd, KEEP_SIZE, 0, 4 * PAGE), 0);
	CHECK_EQ(size_of(fd), 2 * PAGE);
	CHECK_EQ(falloc(fd, 0, 100, 1), 0);
	CHECK_EQ(size_of(fd), 2 * PAGE);
	CHECK_ERRNO(falloc(fd, 0, -1, 1), EINVAL);
	CHECK_ERRNO(falloc(fd, 0, 0, 0), EINVAL);
	CHECK_ERRNO(falloc(fd, 0, 0, -1), EINVAL);
	CHECK_ERRNO(falloc(fd, 0x80, 0, 1), EOPNOTSUPP);
	CHECK_ERRNO(falloc(fd, PUNCH_HOLE, 0, 1), EOPNOTSUPP);
	CHECK_ERRNO(falloc(fd, 0, INT64_MAX - 1, 10), EFBIG);
	CHECK_ERRNO(falloc(-1, 0, 0, 1), EBADF);
	CHECK_ERRNO(falloc(rd, 0, 0, 1), EBADF);
	CHECK_EQ(pipe(fds), 0);
	CHECK_ERRNO(falloc(fds[1], 0, 0, 1), ESPIPE);
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_IGN);
	CHECK_ERRNO(falloc(fd, 0, 0, 11 * PAGE), EFBIG);
	CHECK_EQ(falloc(fd, 0, 0, 10 * PAGE), 0);
}

static void punching(void)
{
	static char buf[4 * PAGE];
	int fd = new_file();
	char *map;

	memset(buf, 'x', sizeof(buf));
	CHECK_EQ(write(fd, buf, sizeof(buf)), sizeof(buf));
	map = mmap(NULL, sizeof(buf), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK_EQ(map[2 * PAGE], 'x');
	CHECK_EQ(falloc(fd, PUNCH_HOLE | KEEP_SIZE, 100, 3 * PAGE), 0);
	CHECK_EQ(size_of(fd), sizeof(buf));
	CHECK_EQ(pread(fd, buf, sizeof(buf), 0), sizeof(buf));
	for (int i = 0; i < 4 * PAGE; i++)
		CHECK_EQ(buf[i], i < 100 || i >= 100 + 3 * PAGE ? 'x' : 0);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), PAGE);
	CHECK_EQ(lseek(fd, PAGE, SEEK_DATA), 3 * PAGE);
	CHECK_EQ(map[2 * PAGE], 0);
	map[2 * PAGE] = 'm';
	CHECK_EQ(pread(fd, buf, 1, 2 * PAGE), 1);
	CHECK_EQ(buf[0], 'm');
	CHECK_EQ(falloc(fd, PUNCH_HOLE | KEEP_SIZE, 10, 10), 0);
	CHECK_EQ(falloc(fd, PUNCH_HOLE | KEEP_SIZE, 100 * PAGE, PAGE), 0);
	CHECK_EQ(pread(fd, buf, 30, 0), 30);
	CHECK(buf[9] == 'x' && buf[10] == 0 && buf[19] == 0 && buf[20] == 'x');
}

/* Exactly the hole is zeros, however its ends lie in the pages. */
static void every_kind_of_hole(void)
{
	static const int ends[] = { 0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1, 2 * PAGE,
				    2 * PAGE + 1, 3 * PAGE };
	enum { COUNT = sizeof(ends) / sizeof(*ends) };
	static char buf[3 * PAGE];
	int fd = new_file();

	for (int k = 0; k < COUNT * COUNT; k++) {
		int from = ends[k / COUNT], to = ends[k % COUNT];

		if (from >= to)
			continue;
		memset(buf, 'x', sizeof(buf));
		CHECK_EQ(pwrite(fd, buf, sizeof(buf), 0), sizeof(buf));
		CHECK_EQ(falloc(fd, PUNCH_HOLE | KEEP_SIZE, from, to - from), 0);
		CHECK_EQ(pread(fd, buf, sizeof(buf), 0), sizeof(buf));
		for (int i = 0; i < 3 * PAGE; i++)
			CHECK_EQ(buf[i], i >= from && i < to ? 0 : 'x');
	}
}

static void advice(void)
{
	int fd = new_file();

	CHECK_EQ(pipe(fds), 0);
	for (int a = 0; a <= 5; a++)
		CHECK_EQ(syscall(SYS_fadvise64, fd, 0L, 0L, a), 0);
	CHECK_ERRNO(syscall(SYS_fadvise64, fd, 0L, 0L, 6), EINVAL);
	CHECK_ERRNO(syscall(SYS_fadvise64, fd, 0L, -1L, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_fadvise64, fds[0], 0L, 0L, 0), ESPIPE);
	CHECK_ERRNO(syscall(SYS_fadvise64, -1, 0L, 0L, 0), EBADF);
	CHECK_EQ(syscall(SYS_sync_file_range, fd, 0L, 10L, 7), 0);
	CHECK_ERRNO(syscall(SYS_sync_file_range, fd, 0L, 10L, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_sync_file_range, fd, -1L, 10L, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_sync_file_range, fds[0], 0L, 10L, 0), ESPIPE);
	CHECK_ERRNO(syscall(SYS_sync_file_range, -1, 0L, 10L, 0), EBADF);
	CHECK_EQ(syscall(SYS_syncfs, fd), 0);
	CHECK_ERRNO(syscall(SYS_syncfs, -1), EBADF);
}

struct fs_stat {
	long type, bsize;
	unsigned long blocks, bfree, bavail, files, ffree;
	int fsid[2];
	long namelen, frsize, flags, spare[4];
};

static void file_systems(void)
{
	struct fs_stat st;

	CHECK_EQ(syscall(SYS_statfs, "/", &st), 0);
	CHECK(st.bsize > 0 && st.blocks > 0 && st.bfree <= st.blocks);
	CHECK_EQ(st.namelen, 255);
	CHECK_EQ(syscall(SYS_statfs, "/proc/self/stat", &st), 0);
	CHECK_EQ(st.type, 0x9fa0);
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(syscall(SYS_fstatfs, fds[0], &st), 0);
	CHECK_EQ(st.type, 0x50495045);
	CHECK_ERRNO(syscall(SYS_statfs, "/nothing", &st), ENOENT);
	CHECK_ERRNO(syscall(SYS_statfs, "", &st), ENOENT);
	CHECK_ERRNO(syscall(SYS_statfs, "/", hidden(16)), EFAULT);
	CHECK_ERRNO(syscall(SYS_fstatfs, -1, &st), EBADF);
}

static void sending(void)
{
	static char buf[20000];
	int in = new_file(), out = new_file();
	int app = open(temp_path("app"), O_CREAT | O_WRONLY | O_APPEND, 0600);
	off_t at = 100, bad = -1;

	unlink(temp_path("app"));
	for (int i = 0; i < 20000; i++)
		buf[i] = i * 7 + i / 256;
	CHECK_EQ(write(in, buf, 20000), 20000);
	CHECK_EQ(syscall(SYS_sendfile, out, in, &at, 1000L), 1000);
	CHECK_EQ(at, 1100);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 20000);
	CHECK_EQ(lseek(in, 5000, SEEK_SET), 5000);
	CHECK_EQ(syscall(SYS_sendfile, out, in, NULL, 100000L), 15000);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 20000);
	CHECK_EQ(syscall(SYS_sendfile, out, in, NULL, 1L), 0);
	CHECK_EQ(size_of(out), 16000);
	CHECK_EQ(pread(out, buf, 1, 1000), 1);
	CHECK_EQ(buf[0], (char)(5000 * 7 + 5000 / 256));
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(syscall(SYS_sendfile, fds[1], in, &at, 500L), 500);
	CHECK_ERRNO(syscall(SYS_sendfile, out, fds[0], NULL, 10L), EINVAL);
	CHECK_ERRNO(syscall(SYS_sendfile, out, fds[0], &at, 10L), ESPIPE);
	CHECK_ERRNO(syscall(SYS_sendfile, out, in, &bad, 10L), EINVAL);
	CHECK_ERRNO(syscall(SYS_sendfile, out, in, hidden(16), 10L), EFAULT);
	CHECK_ERRNO(syscall(SYS_sendfile, app, in, &at, 10L), EINVAL);
	CHECK_ERRNO(syscall(SYS_sendfile, out, app, NULL, 10L), EBADF);
	CHECK_ERRNO(syscall(SYS_sendfile, fds[0], in, NULL, 10L), EBADF);
	CHECK_ERRNO(syscall(SYS_sendfile, -1, in, NULL, 10L), EBADF);
}

static long copy(int in, off_t *in_at, int out, off_t *out_at, size_t n)
{
	return syscall(SYS_copy_file_range, in, in_at, out, out_at, n, 0);
}

static void copying(void)
{
	char buf[64] = "the quick brown fox";
	int in = new_file(), out = new_file();
	off_t from = 4, to = 100;

	CHECK_EQ(write(in, buf, 19), 19);
	CHECK_EQ(copy(in, &from, out, &to, 5), 5);
	CHECK(from == 9 && to == 105);
	CHECK_EQ(pread(out, buf, 10, 100), 5);
	CHECK(!memcmp(buf, "quick", 5));
	CHECK_EQ(copy(in, &from, out, NULL, 100), 10);
	CHECK_EQ(lseek(out, 0, SEEK_CUR), 10);
	CHECK_EQ(copy(in, &from, out, NULL, 100), 0);
	from = 0;
	to = 2;
	CHECK_ERRNO(copy(in, &from, in, &to, 5), EINVAL);
	CHECK_EQ(pipe(fds), 0);
	CHECK_ERRNO(copy(in, &from, fds[1], NULL, 5), EINVAL);
	CHECK_ERRNO(copy(in, NULL, open("/tmp", O_RDONLY), NULL, 5), EISDIR);
	CHECK_ERRNO(syscall(SYS_copy_file_range, in, NULL, out, NULL, 5L, 1), EINVAL);
	CHECK_ERRNO(copy(-1, NULL, out, NULL, 5), EBADF);
}

static void counters(void)
{
	uint64_t v = 0;
	int fd = syscall(SYS_eventfd2, 3, O_NONBLOCK);
	int sem = syscall(SYS_eventfd2, 2, O_NONBLOCK | 1);

	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 3);
	CHECK_ERRNO(read(fd, &v, 8), EAGAIN);
	CHECK_ERRNO(read(fd, &v, 7), EINVAL);
	CHECK_ERRNO(write(fd, &v, 7), EINVAL);
	v = -1;
	CHECK_ERRNO(write(fd, &v, 8), EINVAL);
	v = -2;
	CHECK_EQ(write(fd, &v, 8), 8);
	v = 1;
	CHECK_ERRNO(write(fd, &v, 8), EAGAIN);
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, -2);
	CHECK_EQ(read(sem, &v, 8), 8);
	CHECK_EQ(v, 1);
	CHECK_EQ(read(sem, &v, 8), 8);
	CHECK_ERRNO(read(sem, &v, 8), EAGAIN);
	CHECK_ERRNO(read(fd, hidden(16), 8), EAGAIN);
	CHECK_ERRNO(write(fd, hidden(16), 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_eventfd2, 0, 2), EINVAL);
	CHECK_EQ(fcntl(syscall(SYS_eventfd2, 0, O_CLOEXEC), F_GETFD), FD_CLOEXEC);
}

static void a_counter_wakes(void)
{
	int fd = syscall(SYS_eventfd2, 0, 0);
	uint64_t v = 0;
	pid_t pid = fork();

	if (pid == 0) {
		await_state(getppid(), 'S');
		v = 7;
		_exit(write(fd, &v, 8) != 8);
	}
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 7);
	expect_exit(pid, 0);
}

/* Two wait to write, and a read makes room for one. */
static void a_counter_is_asked_again(void)
{
	int fd = syscall(SYS_eventfd2, 1, 0), done = 0, waiting = 0;
	uint64_t most = -2, v;
	pid_t pids[2];

	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(write(fd, &most, 8) != 8);
	}
	for (int i = 0; i < 2; i++)
		await_state(pids[i], 'S');
	CHECK_EQ(read(fd, &v, 8), 8);
	CHECK_EQ(v, 1);
	while (done < 1 || done + waiting < 2) {
		done = waiting = 0;
		for (int i = 0; i < 2; i++) {
			char s = state_of(pids[i]);

			done += s == 'Z';
			waiting += s == 'S';
		}
	}
	CHECK_EQ(done, 1);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(read(fd, &v, 8), 8);
		CHECK_EQ(v, most);
	}
	for (int i = 0; i < 2; i++)
		expect_exit(pids[i], 0);
}

static long selecting(int n, uint64_t *in, uint64_t *out, uint64_t *except, struct timespec *ts)
{
	return syscall(SYS_pselect6, n, in, out, except, ts, NULL);
}

static void select_answers(void)
{
	struct timespec none = { 0, 0 };
	uint64_t in[16] = { 0 }, out[16] = { 0 }, except[16] = { 0 };

	CHECK_EQ(pipe(fds), 0);
	in[0] = 1 << fds[0];
	out[0] = 1 << fds[1];
	except[0] = 1 << fds[0];
	CHECK_EQ(selecting(fds[1] + 1, in, out, except, &none), 1);
	CHECK(!in[0] && out[0] == 1u << fds[1] && !except[0]);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	in[0] = 1 << fds[0];
	CHECK_EQ(selecting(fds[1] + 1, in, out, NULL, NULL), 2);
	in[0] = 1 << fds[0];
	CHECK_EQ(selecting(fds[0], in, NULL, NULL, &none), 0);	/* only descriptors below it */
	close(fds[1]);
	in[0] = except[0] = 1 << fds[0];
	CHECK_EQ(selecting(fds[0] + 1, in, NULL, except, NULL), 1);
	CHECK(in[0] && !except[0]);
	in[0] = 1 << fds[1];
	CHECK_ERRNO(selecting(fds[1] + 1, in, NULL, NULL, &none), EBADF);
	CHECK_ERRNO(selecting(-1, NULL, NULL, NULL, &none), EINVAL);
	CHECK_ERRNO(selecting(64, hidden(16), NULL, NULL, &none), EFAULT);
	none.tv_nsec = 1000000000;
	CHECK_ERRNO(selecting(0, NULL, NULL, NULL, &none), EINVAL);
}

/* A call that would fail at once need not be waited for: an error is no exception. */
static void select_finds_errors(void)
{
	static char page[PAGE];
	struct timespec none = { 0, 0 };
	uint64_t in[16] = { 0 }, out[16] = { 0 }, except[16] = { 0 };

	for (int is_full = 0; is_full < 2; is_full++) {
		CHECK_EQ(pipe2(fds, O_NONBLOCK), 0);
		while (is_full && write(fds[1], page, PAGE) == PAGE)
			;
		close(fds[0]);
		in[0] = out[0] = except[0] = 1 << fds[1];
		CHECK_EQ(selecting(fds[1] + 1, in, out, except, &none), 2);
		CHECK(in[0] && out[0] && !except[0]);
		close(fds[1]);
	}
}

static void select_waits(void)
{
	struct timespec ts = { 1000, 0 };
	uint64_t in[16] = { 0 };
	pid_t pid;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		await_state(getppid(), 'S');
		_exit(write(fds[1], "x", 1) != 1);
	}
	in[0] = 1 << fds[0];
	CHECK_EQ(selecting(fds[0] + 1, in, NULL, NULL, &ts), 1);
	CHECK(ts.tv_sec > 0 && ts.tv_sec < 1000);	/* the time left */
	expect_exit(pid, 0);
	ts = (struct timespec){ 0, 2000000 };
	CHECK_EQ(selecting(0, NULL, NULL, NULL, &ts), 0);
	CHECK(ts.tv_sec == 0 && ts.tv_nsec == 0);
}

static void closing_ranges(void)
{
	CHECK_EQ(dup2(1, 50), 50);
	CHECK_EQ(dup2(1, 60), 60);
	CHECK_EQ(dup2(1, 70), 70);
	CHECK_EQ(syscall(SYS_close_range, 50, 60, 4), 0);
	CHECK_EQ(fcntl(50, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(70, F_GETFD), 0);
	CHECK_EQ(syscall(SYS_close_range, 55, ~0u, 0), 0);
	CHECK_EQ(fcntl(50, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(fcntl(60, F_GETFD), EBADF);
	CHECK_ERRNO(fcntl(70, F_GETFD), EBADF);
	CHECK_ERRNO(syscall(SYS_close_range, 2, 1, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_close_range, 100, 101, 16), EINVAL);
}

static void access_flags(void)
{
	const char *path = temp_path("access");

	CHECK_EQ(symlink("/nowhere", path), 0);
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, path, F_OK, 0), ENOENT);
	CHECK_EQ(syscall(SYS_faccessat2, AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_EQ(syscall(SYS_faccessat2, AT_FDCWD, "/tmp", R_OK | W_OK | X_OK, AT_EACCESS), 0);
	CHECK_EQ(syscall(SYS_faccessat2, 1, "", F_OK, AT_EMPTY_PATH), 0);
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "/tmp", 8, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "/tmp", 0, 1), EINVAL);
	CHECK_EQ(unlink(path), 0);
}

static const struct test_case cases[] = {
	CASE(allocating), CASE(punching), CASE(every_kind_of_hole), CASE(advice),
	CASE(file_systems), CASE(sending), CASE(copying), CASE(counters), CASE(a_counter_wakes),
	CASE(a_counter_is_asked_again),
	CASE(select_answers), CASE(select_finds_errors), CASE(select_waits), CASE(closing_ranges),
	CASE(access_flags),
};

TEST_MAIN(cases)
