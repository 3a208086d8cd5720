/* Locks on files: whole ones and ranges, waiting, deadlock, and how they end. */
#include <sys/syscall.h>

#include "test.h"

#define SH	1
#define EX	2
#define NB	4
#define UN	8

static const char *path;
static int fd;

static int again(void)
{
	int other = open(path, O_RDWR);

	CHECK(other >= 0);
	return other;
}

static void set_up(void)
{
	path = temp_path("locks");
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "0123456789", 10), 10);
}

static long lock_file(int file, int op)
{
	return syscall(SYS_flock, file, op);
}

static int range(int file, int cmd, int type, off_t start, off_t len)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

	return fcntl(file, cmd, &l);
}

/* Checks which lock conflicts with a write lock of another process: "type start len". */
static void expect_locked(off_t start, off_t len, const char *expected)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct flock l = { .l_type = F_WRLCK, .l_start = start, .l_len = len };
		char text[64] = "free";

		CHECK_EQ(fcntl(fd, F_GETLK, &l), 0);
		if (l.l_type != F_UNLCK) {
			CHECK_EQ(l.l_pid, getppid());
			snprintf(text, sizeof(text), "%s %ld %ld",
				 l.l_type == F_WRLCK ? "write" : "read", (long)l.l_start,
				 (long)l.l_len);
		}
		if (strcmp(text, expected))
			test_fail(__FILE__, __LINE__, "%s, expected %s", text, expected);
		_exit(0);
	}
	expect_exit(pid, 0);
}

static void whole_files(void)
{
	int other;

	set_up();
	other = again();
	CHECK_EQ(lock_file(fd, SH), 0);
	CHECK_EQ(lock_file(other, SH | NB), 0);
	CHECK_ERRNO(lock_file(other, EX | NB), EAGAIN);	/* FILELOCK1 */
	CHECK_EQ(lock_file(fd, EX | NB), 0);	/* the other descriptor lost its lock by trying */
	CHECK_ERRNO(lock_file(other, SH | NB), EAGAIN);
	CHECK_EQ(lock_file(dup(fd), UN), 0);
	CHECK_EQ(lock_file(other, EX), 0);
	close(other);
	CHECK_EQ(lock_file(fd, EX | NB), 0);
	CHECK_ERRNO(lock_file(fd, SH | EX), EINVAL);
	CHECK_ERRNO(lock_file(fd, 0), EINVAL);
	CHECK_ERRNO(lock_file(-1, SH), EBADF);
	CHECK_ERRNO(lock_file(-1, 0), EINVAL);
	unlink(path);
}

static void whole_files_wait(void)
{
	pid_t pid;

	set_up();
	CHECK_EQ(lock_file(fd, EX), 0);
	pid = fork();
	if (pid == 0)
		_exit(lock_file(again(), EX) != 0);
	await_state(pid, 'S');
	CHECK_EQ(lock_file(fd, UN), 0);
	expect_exit(pid, 0);
	unlink(path);
}

static void inherited_file_locks(void)
{
	pid_t pid;

	set_up();
	CHECK_EQ(lock_file(fd, EX), 0);
	pid = fork();
	if (pid == 0)
		_exit(lock_file(fd, EX | NB) != 0);	/* the same open file */
	expect_exit(pid, 0);
	CHECK_ERRNO(lock_file(again(), EX | NB), EAGAIN);
	unlink(path);
}

static void ranges_split_and_merge(void)
{
	set_up();
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 10, 90), 0);
	expect_locked(0, 0, "write 10 90");
	expect_locked(0, 10, "free");
	CHECK_EQ(range(fd, F_SETLK, F_UNLCK, 40, 20), 0);
	expect_locked(0, 0, "write 10 30");
	expect_locked(40, 20, "free");
	expect_locked(50, 0, "write 60 40");
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 40, 20), 0);
	expect_locked(99, 1, "write 10 90");	/* FILELOCK2 */
	CHECK_EQ(range(fd, F_SETLK, F_RDLCK, 0, 20), 0);
	expect_locked(5, 1, "read 0 20");
	expect_locked(30, 1, "write 20 80");
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 100, 0), 0);
	expect_locked(1000, 1, "write 20 0");
	CHECK_EQ(range(fd, F_SETLK, F_UNLCK, 0, 0), 0);
	expect_locked(0, 0, "free");
	unlink(path);
}

static void where_ranges_begin(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -4, .l_len = 2 };

	set_up();
	CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
	expect_locked(0, 0, "write 6 2");
	l = (struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_CUR, .l_start = -2, .l_len = -2 };
	CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
	expect_locked(0, 0, "free");
	l = (struct flock){ .l_type = F_WRLCK, .l_whence = 3 };
	CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EINVAL);
	CHECK_ERRNO(range(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL);
	CHECK_ERRNO(range(fd, F_SETLK, F_WRLCK, 3, -4), EINVAL);
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 3, -3), 0);
	expect_locked(3, 0, "free");
	expect_locked(0, 0, "write 0 3");
	CHECK_EQ(range(fd, F_SETLK, F_UNLCK, 3, -2), 0);
	expect_locked(0, 0, "write 0 1");
	CHECK_EQ(range(fd, F_SETLK, F_UNLCK, 1, -1), 0);
	expect_locked(0, 0, "free");
	CHECK_ERRNO(range(fd, F_SETLK, F_WRLCK, INT64_MAX, 2), EOVERFLOW);
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, INT64_MAX, 1), 0);
	CHECK_ERRNO(range(fd, F_SETLK, 7, 0, 1), EINVAL);
	CHECK_ERRNO(range(fd, F_GETLK, F_UNLCK, 0, 1), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_SETLK, hidden(16)), EFAULT);
	CHECK_ERRNO(fcntl(-1, F_SETLK, hidden(16)), EBADF);
	CHECK_ERRNO(range(open(path, O_RDONLY), F_SETLK, F_WRLCK, 0, 1), EBADF);
	CHECK_ERRNO(range(open(path, O_WRONLY), F_SETLK, F_RDLCK, 0, 1), EBADF);
	unlink(path);
}

static void ranges_exclude_and_wait(void)
{
	pid_t pid;

	set_up();
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_ERRNO(range(fd, F_SETLK, F_WRLCK, 5, 1), EAGAIN);
		CHECK_ERRNO(range(fd, F_SETLK, F_RDLCK, 5, 1), EAGAIN);
		CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 10, 1), 0);
		_exit(range(fd, F_SETLKW, F_WRLCK, 0, 10) != 0);
	}
	await_state(pid, 'S');
	CHECK_EQ(range(fd, F_SETLK, F_UNLCK, 0, 10), 0);
	expect_exit(pid, 0);
	expect_locked(0, 0, "free");		/* the child's lock went with it */
	unlink(path);
}

static int range_for_process(int file, int type)
{
	return range(file, F_SETLKW, type, 2, 5);
}

static int range_for_open_file(int file, int type)
{
	return range(file, F_OFD_SETLKW, type, 2, 5);
}

static int whole_file(int file, int type)
{
	return lock_file(file, type == F_RDLCK ? SH : EX);
}

/* A lock for writing that becomes one for reading lets in those who wait to read. */
static void weaker_locks_let_others_in(void)
{
	int (*const kinds[])(int file, int type) = {
		range_for_process, range_for_open_file, whole_file,
	};

	for (int i = 0; i < 3; i++) {
		pid_t pid;

		set_up();
		CHECK_EQ(kinds[i](fd, F_WRLCK), 0);
		pid = fork();
		if (pid == 0)
			_exit(kinds[i](again(), F_RDLCK) != 0);
		await_state(pid, 'S');
		CHECK_EQ(kinds[i](fd, F_RDLCK), 0);
		expect_exit(pid, 0);
		close(fd);
		unlink(path);
	}
}

static void any_close_drops_them(void)
{
	set_up();
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	expect_locked(0, 0, "write 0 10");
	close(again());
	expect_locked(0, 0, "free");
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 0, 10), 0);
	CHECK_EQ(dup2(fd, 40), 40);
	CHECK_EQ(dup2(1, 40), 40);
	expect_locked(0, 0, "free");
	unlink(path);
}

/* A program that is executed keeps the locks, but not those of a file that exec closes. */
static void exec_closes(void)
{
	char *argv[] = { "locks", "pause", NULL };

	for (int closed = 0; closed < 2; closed++) {
		pid_t pid;
		int up[2];
		char c;

		set_up();
		CHECK_EQ(pipe2(up, O_CLOEXEC), 0);
		pid = fork();
		if (pid == 0) {
			CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 0, 5), 0);
			CHECK_EQ(fcntl(fd, F_SETFD, closed ? FD_CLOEXEC : 0), 0);
			execv("/proc/self/exe", argv);
			_exit(97);
		}
		close(up[1]);
		CHECK_EQ(read(up[0], &c, 1), 0);	/* exec is done */
		CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 0, 5), closed ? 0 : -1);
		CHECK_EQ(kill(pid, SIGKILL), 0);
		expect_signal(pid, SIGKILL);
		CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 0, 5), 0);
		unlink(path);
	}
}

static void deadlock(void)
{
	pid_t pid;
	int ready[2];
	char c;

	set_up();
	CHECK_EQ(pipe(ready), 0);
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 1, 1), 0);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		_exit(range(fd, F_SETLKW, F_WRLCK, 0, 1) != 0);
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	await_state(pid, 'S');
	CHECK_ERRNO(range(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	CHECK_EQ(range(fd, F_SETLK, F_UNLCK, 0, 1), 0);
	expect_exit(pid, 0);
	CHECK_EQ(range(fd, F_SETLKW, F_WRLCK, 1, 1), 0);
	unlink(path);
}

/* Starts a child that locks the byte @held, and then waits for @len bytes from @start on. */
static pid_t waiter(off_t held, off_t start, off_t len)
{
	int ready[2];
	pid_t pid;
	char c;

	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(range(fd, F_SETLK, F_WRLCK, held, 1), 0);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		if (range(fd, F_SETLKW, F_WRLCK, start, len) == 0)
			_exit(0);
		CHECK_EQ(errno, EDEADLK);
		_exit(1);
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	await_state(pid, 'S');
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* A waiter whose lock becomes free finds another one in its way, and only that closes a cycle. */
static void deadlock_while_waiting(void)
{
	pid_t a, b;

	set_up();
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	a = waiter(10, 0, 2);
	b = waiter(1, 10, 1);
	CHECK_EQ(range(fd, F_SETLK, F_UNLCK, 0, 1), 0);
	/* Either of them is told, and ends: that lets the other one go on. */
	CHECK_EQ(WEXITSTATUS(status_of(a)) + WEXITSTATUS(status_of(b)), 1);
	unlink(path);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void waiting_is_interrupted(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pid_t parent = getpid(), pid;
	int other;

	set_up();
	other = again();
	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	CHECK_EQ(lock_file(other, EX), 0);
	pid = fork();
	if (pid == 0) {
		await_state(parent, 'S');
		_exit(kill(parent, SIGUSR1));
	}
	CHECK_ERRNO(lock_file(fd, EX), EINTR);
	expect_exit(pid, 0);
	unlink(path);
}

static void of_open_files(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_start = 0, .l_len = 5 };
	int other;

	set_up();
	other = again();
	CHECK_EQ(fcntl(fd, F_OFD_SETLK, &l), 0);
	CHECK_ERRNO(fcntl(other, F_OFD_SETLK, &l), EAGAIN);
	CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EAGAIN);	/* even within one process */
	CHECK_EQ(fcntl(other, F_OFD_GETLK, &l), 0);
	CHECK_EQ(l.l_pid, -1);
	CHECK_EQ(l.l_len, 5);
	l.l_pid = 1;
	CHECK_ERRNO(fcntl(fd, F_OFD_SETLK, &l), EINVAL);
	l.l_pid = 0;
	close(again());				/* does not affect the lock */
	CHECK_ERRNO(fcntl(other, F_OFD_SETLK, &l), EAGAIN);
	close(fd);
	CHECK_EQ(fcntl(other, F_OFD_SETLK, &l), 0);
	unlink(path);
}

static void listed(void)
{
	char text[8192] = "", line[80];
	int proc;

	set_up();
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 3, 4), 0);
	CHECK_EQ(lock_file(fd, SH), 0);
	proc = open("/proc/locks", O_RDONLY);
	CHECK(read(proc, text, sizeof(text) - 1) > 0);
	snprintf(line, sizeof(line), ": POSIX  ADVISORY  WRITE %d ", getpid());
	CHECK(strstr(text, line));
	snprintf(line, sizeof(line), ": FLOCK  ADVISORY  READ %d ", getpid());
	CHECK(strstr(text, line));
	CHECK(strstr(text, " 3 6\n") && strstr(text, " 0 EOF\n"));
	unlink(path);
}

/* A lock that somebody waits for follows the one that is in its way, and has its number. */
static void waiting_is_listed(void)
{
	char text[8192] = "", line[80], *held, *waits;
	pid_t pid;
	int proc;

	set_up();
	CHECK_EQ(lock_file(fd, SH), 0);
	CHECK_EQ(range(fd, F_SETLK, F_WRLCK, 3, 4), 0);
	pid = fork();
	if (pid == 0)
		_exit(range(fd, F_SETLKW, F_WRLCK, 5, 1));
	await_state(pid, 'S');
	proc = open("/proc/locks", O_RDONLY);
	CHECK(read(proc, text, sizeof(text) - 1) > 0);
	snprintf(line, sizeof(line), ": -> POSIX  ADVISORY  WRITE %d ", pid);
	waits = strstr(text, line);
	CHECK(waits);
	snprintf(line, sizeof(line), ": POSIX  ADVISORY  WRITE %d ", getpid());
	held = strstr(text, line);
	CHECK(held && held < waits && strchr(strchr(held, '\n') + 1, '\n') > waits);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	unlink(path);
}

static const struct test_case cases[] = {
	CASE(whole_files), CASE(whole_files_wait), CASE(inherited_file_locks),
	CASE(ranges_split_and_merge), CASE(where_ranges_begin), CASE(ranges_exclude_and_wait),
	CASE(weaker_locks_let_others_in), CASE(any_close_drops_them), CASE(exec_closes),
	CASE(deadlock), CASE(deadlock_while_waiting),
	CASE(waiting_is_interrupted), CASE(of_open_files), CASE(listed),
	CASE(waiting_is_listed),
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "pause"))
		pause();
	return test_main(argc, argv, cases, sizeof(cases) / sizeof(*cases));
}
