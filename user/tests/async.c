/*
 * Files that notify by a signal: which signals the writes of many CPUs send, owners that exit, and
 * the terminal's keys.
 */
#include <sys/stat.h>
#include <termios.h>

#include "test.h"

#define SIG	(SIGRTMIN + 3)

static int a[2];

static void listen_to(int fd, pid_t owner)
{
	CHECK_EQ(fcntl(fd, F_SETSIG, SIG), 0);
	CHECK_EQ(fcntl(fd, F_SETOWN, owner), 0);
	CHECK_EQ(fcntl(fd, F_SETFL, O_ASYNC), 0);
}

static sigset_t blocked(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	return set;
}

/* --- From many CPUs --- */

#define WRITERS	4
#define WRITES	300

static void *write_much(void *unused)
{
	(void)unused;
	for (int i = 0; i < WRITES; i++)
		CHECK_EQ(write(a[1], "x", 1), 1);
	return NULL;
}

/* Each write sends a real-time signal: none is lost, none is sent twice. */
static void each_write_tells_once(void)
{
	sigset_t set = blocked(SIG);
	struct timespec none = { 0, 0 };
	pthread_t t[WRITERS];
	siginfo_t info;

	CHECK_EQ(pipe(a), 0);
	listen_to(a[0], getpid());
	for (int i = 0; i < WRITERS; i++)
		t[i] = start_thread(write_much, NULL);
	for (int i = 0; i < WRITERS * WRITES; i++) {
		CHECK_EQ(sigwaitinfo(&set, &info), SIG);
		CHECK_EQ(info.si_code, POLL_IN);
		CHECK_EQ(info.si_fd, a[0]);
	}
	for (int i = 0; i < WRITERS; i++)
		join_thread(t[i]);
	CHECK_ERRNO(sigtimedwait(&set, &info, &none), EAGAIN);
}

static _Atomic bool over;

static void *write_until_over(void *unused)
{
	char c;

	(void)unused;
	while (!over) {
		CHECK_EQ(write(a[1], "x", 1), 1);
		CHECK_EQ(read(a[0], &c, 1), 1);
	}
	return NULL;
}

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

/* Whether a write finds its owner or finds it gone, only the owner is killed. */
static void owners_come_and_go(void)
{
	pthread_t writer;

	CHECK_EQ(pipe(a), 0);
	CHECK_EQ(fcntl(a[0], F_SETFL, O_ASYNC), 0);
	writer = start_thread(write_until_over, NULL);
	for (int i = 0; i < 16; i++) {
		pid_t pid = spawn(sleep_for_ever);

		if (i % 2)
			CHECK_EQ(setpgid(pid, 0), 0);
		CHECK_EQ(fcntl(a[0], F_SETOWN, i % 2 ? -pid : pid), 0);
		expect_signal(pid, SIGIO);
		CHECK_EQ(fcntl(a[0], F_GETOWN), 0);
	}
	over = true;
	join_thread(writer);
}

/* Files are opened, get an owner and are closed while another CPU writes. */
static void files_come_and_go(void)
{
	const char *name = temp_path("fifo");
	pthread_t writer;
	int fd;

	blocked(SIGIO);
	CHECK_EQ(mkfifo(name, 0600), 0);
	a[0] = a[1] = open(name, O_RDWR);
	CHECK(a[0] >= 0);
	writer = start_thread(write_until_over, NULL);
	for (int i = 0; i < 300; i++) {
		fd = open(name, O_RDWR);
		CHECK_EQ(fcntl(fd, F_SETOWN, getpid()), 0);
		CHECK_EQ(fcntl(fd, F_SETFL, O_ASYNC), 0);
		if (i % 3)
			CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
		CHECK_EQ(close(fd), 0);
	}
	over = true;
	join_thread(writer);
	CHECK_EQ(unlink(name), 0);
}

/* --- Of other users --- */

/*
 * Runs as a user with the ids @real and @saved: whether it is told by the owner that a process with
 * the ids @setter and @effective has set.
 */
static void expect_told(int setter, int effective, int real, int saved, bool told)
{
	pid_t pid = fork();
	sigset_t pending;

	if (pid == 0) {
		blocked(SIG);
		CHECK_EQ(pipe(a), 0);
		pid = fork();
		if (pid == 0) {
			CHECK_EQ(setresuid(setter, effective, 70), 0);
			listen_to(a[0], getppid());
			_exit(0);
		}
		expect_exit(pid, 0);
		CHECK_EQ(setresuid(real, 71, saved), 0);
		CHECK_EQ(write(a[1], "x", 1), 1);
		CHECK_EQ(sigpending(&pending), 0);
		_exit(sigismember(&pending, SIG));
	}
	expect_exit(pid, told);
}

/* The signal is sent with the rights that the process had which set the owner. */
static void only_where_it_may(void)
{
	expect_told(10, 11, 20, 21, false);
	expect_told(10, 11, 10, 21, true);
	expect_told(10, 11, 20, 10, true);
	expect_told(10, 11, 11, 21, true);
	expect_told(10, 11, 20, 11, true);
	expect_told(10, 0, 20, 21, true);
	expect_told(0, 11, 20, 21, false);
}

/* --- The terminal --- */

/*
 * The terminal's foreground group is the owner until another is set; without a foreground group it
 * is the caller.
 */
static void terminal_has_an_owner(void)
{
	int fd = open("/proc/self/fd/1", O_RDWR | O_NOCTTY), flags = fcntl(fd, F_GETFL);
	pid_t group = tcgetpgrp(fd);

	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_SETFL, flags | O_ASYNC), 0);
	CHECK_EQ(fcntl(fd, F_GETFL), flags | O_ASYNC);
	CHECK_EQ(fcntl(fd, F_GETOWN), group > 0 ? -group : getpid());
	CHECK_EQ(fcntl(fd, F_SETFL, flags), 0);
	CHECK_EQ(fcntl(fd, F_SETOWN, getppid()), 0);
	CHECK_EQ(fcntl(fd, F_SETFL, flags | O_ASYNC), 0);
	CHECK_EQ(fcntl(fd, F_GETOWN), getppid());
}

static void expect_key(int fd, const char *what)
{
	sigset_t set = blocked(SIG);
	char line[16];
	siginfo_t info;

	printf("type %s\n", what);
	CHECK_EQ(sigwaitinfo(&set, &info), SIG);
	CHECK_EQ(info.si_code, POLL_IN);
	CHECK_EQ(info.si_fd, fd);
	printf("told of %ld bytes\n", (long)read(fd, line, sizeof(line)));
}

static void expect_room(int fd)
{
	sigset_t set = blocked(SIG);
	char dots[1024];
	siginfo_t info;

	memset(dots, '.', sizeof(dots));
	CHECK_EQ(fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK), 0);
	while (write(fd, dots, sizeof(dots)) > 0)
		;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(sigwaitinfo(&set, &info), SIG);
	CHECK_EQ(info.si_code, POLL_OUT);
	printf("\ntold of room\n");
}

/* For a person, or tools/tests/test_terminal.py: KEYS=1 /tests/async keys. */
static void keys(void)
{
	struct termios was, raw;
	int fd;

	if (!getenv("KEYS"))
		return;
	blocked(SIG);
	fd = open("/dev/tty", O_RDWR);
	CHECK_EQ(tcgetattr(fd, &was), 0);
	raw = was;
	raw.c_lflag &= ~(ICANON | ECHO);
	listen_to(fd, getpid());
	expect_key(fd, "a line");
	CHECK_EQ(tcsetattr(fd, TCSANOW, &raw), 0);
	expect_key(fd, "a key");
	CHECK_EQ(tcsetattr(fd, TCSANOW, &was), 0);
	expect_room(fd);
}

static const struct test_case cases[] = {
	CASE(each_write_tells_once),
	CASE(owners_come_and_go),
	CASE(files_come_and_go),
	CASE(only_where_it_may),
	CASE(terminal_has_an_owner),
	CASE(keys),
};

TEST_MAIN(cases)
