/*
 * Shared by every test program. A program is a list of cases; each runs in a child of its own, so
 * a case that crashes or leaves threads behind does not disturb the next.
 *
 *	ok fork.wait_any
 *	FAIL fork.exit_codes: fork.c:31: WEXITSTATUS(status) == i (7, expected 8)
 *
 * The output is the same on every system where the cases hold, so a run on Linux gives the expected
 * output of a run on Trellis. Where there is /proc/counters, which Trellis has, a case must also
 * leave every count of processes, pages, files and so on as it found it.
 *
 * Cases never sleep to let something happen: they wait until it has happened (await_state()), or
 * are right in any order of events. A case that hangs is ended by the program that runs the tests.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct test_case {
	const char *name;
	void (*fn)(void);
};

#define CASE(fn)	{ #fn, fn }

static const char *test_program, *test_case_name;

/* Prints with one write, so that lines of several processes and threads stay whole. */
static inline _Noreturn void test_fail(const char *file, int line, const char *fmt, ...)
{
	const char *slash = strrchr(file, '/');
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	dprintf(1, "FAIL %s.%s: %s:%d: %s\n", test_program, test_case_name,
		slash ? slash + 1 : file, line, why);
	_exit(2);
}

#define CHECK(cond) \
	((cond) ? (void)0 : test_fail(__FILE__, __LINE__, "%s (errno %d)", #cond, errno))

#define CHECK_EQ(got, expected) \
	test_check_eq(__FILE__, __LINE__, #got, (long)(got), (long)(expected))

/* Checks that the call fails with this error. */
#define CHECK_ERRNO(call, error) \
	do { \
		errno = 0; \
		CHECK_EQ((long)(call), -1); \
		CHECK_EQ(errno, error); \
	} while (0)

static inline void test_check_eq(const char *file, int line, const char *what, long got,
				 long expected)
{
	if (got != expected)
		test_fail(file, line, "%s is %ld, expected %ld (errno %d)", what, got, expected,
			  errno);
}

/* Returns a pointer that the compiler knows nothing about. */
static inline void *hidden(uintptr_t address)
{
	volatile uintptr_t a = address;

	return (void *)a;
}

/*
 * Returns a name in /tmp that no other run uses. It is valid until the eighth call after this one.
 */
static inline const char *temp_path(const char *name)
{
	static char paths[8][48];
	static int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "/tmp/%s.%d", name, getpid());
	return path;
}

static inline int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	CHECK_EQ(clock_gettime(clock, &ts), 0);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static inline struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ ns / 1000000000L, ns % 1000000000L };
}

static inline struct timespec in_ms(int ms, clockid_t clock)
{
	return timespec_of(now_ns(clock) + ms * 1000000L);
}

/* Starts a child that runs @fn and exits with 0. */
static inline pid_t spawn(void (*fn)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		fn();
		_exit(0);
	}
	return pid;
}

static inline int status_of(pid_t pid)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

static inline void expect_exit(pid_t pid, int code)
{
	int status = status_of(pid);

	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), code);
}

static inline void expect_signal(pid_t pid, int sig)
{
	int status = status_of(pid);

	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), sig);
}

/* Returns zeroed memory that the parent and its children share. */
static inline void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* Returns the letter that /proc has for a thread's state, or 0; a process is its first thread. */
static inline char state_of(pid_t id)
{
	char path[40], text[256] = "", *bracket;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", id);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	bracket = strrchr(text, ')');
	return bracket ? bracket[2] : 0;
}

/* Waits until @pid is blocked ('S'), dead but not waited for ('Z'), and so on. */
static inline void await_state(pid_t pid, char state)
{
	char s;

	while ((s = state_of(pid)) != state) {
		CHECK(s && s != 'Z');
		sched_yield();
	}
}

static inline pthread_t start_thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, fn, arg), 0);
	return t;
}

static inline void *join_thread(pthread_t t)
{
	void *result;

	CHECK_EQ(pthread_join(t, &result), 0);
	return result;
}

/* Runs @n threads at once, with arguments 0 to @n - 1, and waits until they end. */
static inline void run_threads(void *(*fn)(void *), int n)
{
	pthread_t t[32];

	for (long i = 0; i < n; i++)
		t[i] = start_thread(fn, (void *)i);
	for (int i = 0; i < n; i++)
		join_thread(t[i]);
}

/* --- Running the cases --- */

static char test_counters[2][2048];

/*
 * The counts of objects come first in /proc/counters. Not among them are `pages`, which also counts
 * the kernel's spare stacks, and events, which only grow.
 */
#define TEST_ALL_COUNTS "\npages "

/* Reads /proc/counters as text, up to the line that begins with @end. "" on other systems. */
static inline void test_read_counters(char *text, const char *end)
{
	int fd = open("/proc/counters", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(test_counters[0]) - 1);
	char *rest;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	rest = strstr(text, end);
	if (rest)
		*rest = 0;
}

/* Prints the first line that differs: which count, and what it is now. */
static inline void test_report_leak(const char *before, const char *after)
{
	size_t i = 0, line = 0;

	for (; before[i] && before[i] == after[i]; i++)
		if (before[i] == '\n')
			line = i + 1;
	printf("FAIL %s.%s: left behind: %.*s, before it was %.*s\n", test_program, test_case_name,
	       (int)strcspn(after + line, "\n"), after + line,
	       (int)strcspn(before + line, "\n"), before + line);
}

/* Orphans, and whatever else other processes reap, may take some turns. */
static inline bool test_leaks(const char *end)
{
	for (int turn = 0; turn < 500; turn++) {
		test_read_counters(test_counters[1], end);
		if (!strcmp(test_counters[0], test_counters[1]))
			return false;
		sched_yield();
	}
	return true;
}

static inline bool test_run_case(const struct test_case *c)
{
	int status;
	bool leaks;

	test_case_name = c->name;
	test_read_counters(test_counters[0], TEST_ALL_COUNTS);
	status = status_of(spawn(c->fn));
	leaks = test_leaks(TEST_ALL_COUNTS);
	if (leaks) {
		test_report_leak(test_counters[0], test_counters[1]);
		return false;
	}
	if (status == 0) {
		printf("ok %s.%s\n", test_program, c->name);
		return true;
	}
	if (WIFSIGNALED(status))
		printf("FAIL %s.%s: ended by signal %d\n", test_program, c->name, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 2)	/* status 2: the case has said why */
		printf("FAIL %s.%s: exit status %d\n", test_program, c->name, WEXITSTATUS(status));
	return false;
}

static inline void test_nothing(void)
{
}

/*
 * Makes the counts ready to be compared. The process that forked us copies some of its pages before
 * it waits for us, which may be later if its CPU is busy. And every page that running a case takes
 * is touched, as the first case would seem to leave them behind: so the first time only the counts
 * before those of pages must come back, the second time all.
 */
static inline void test_settle(void)
{
	static const char *const ends[] = { "\nuser_pages ", TEST_ALL_COUNTS };

	usleep(20000);
	for (int i = 0; i < 2; i++) {
		test_read_counters(test_counters[0], ends[i]);
		status_of(spawn(test_nothing));
		test_leaks(ends[i]);
		sched_yield();			/* test_leaks() may or may not yield */
	}
}

/*
 * Started as process 1 (by the grader), we become the parent of orphans: reap them while a child
 * runs the cases.
 */
static inline void test_become_child_of_init(void)
{
	pid_t pid = fork(), gone;
	int status;

	if (pid == 0)
		return;
	while ((gone = wait(&status)) > 0)
		if (gone == pid)
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	_exit(1);
}

/* Runs the cases that the arguments name, or all. */
static inline int test_main(int argc, char **argv, const struct test_case *cases, size_t n)
{
	const char *slash = strrchr(argv[0], '/');
	bool good = true, wanted;

	test_program = slash ? slash + 1 : argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getpid() == 1)
		test_become_child_of_init();
	test_settle();
	for (size_t i = 0; i < n; i++) {
		wanted = argc < 2;
		for (int k = 1; k < argc; k++)
			wanted |= !strcmp(argv[k], cases[i].name);
		if (wanted)
			good &= test_run_case(&cases[i]);
	}
	return good ? 0 : 1;
}

#define TEST_MAIN(cases) \
	int main(int argc, char **argv) \
	{ \
		return test_main(argc, argv, cases, sizeof(cases) / sizeof(*(cases))); \
	}
