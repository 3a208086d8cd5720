/* After fork memory is shared until one side writes, and no process may notice. */
#include "test.h"

#define PAGE	4096UL
#define PAGES	64

static volatile long global = 1;
static char *area;

static void fill(char value)
{
	if (!area)
		area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	CHECK(area != MAP_FAILED);
	for (int i = 0; i < PAGES; i++)
		memset(area + i * PAGE, value + i, PAGE);
}

static bool is_filled(char value)
{
	for (int i = 0; i < PAGES; i++)
		for (size_t k = 0; k < PAGE; k += 256)
			if (area[i * PAGE + k] != (char)(value + i))
				return false;
	return true;
}

static void child_writes_parent_keeps(void)
{
	volatile long local = 5;
	pid_t pid;

	fill(10);
	pid = fork();
	if (pid == 0) {
		CHECK(is_filled(10) && global == 1 && local == 5);
		fill(90);
		global = local = 2;
		_exit(is_filled(90) ? 0 : 1);
	}
	expect_exit(pid, 0);
	CHECK(is_filled(10) && global == 1 && local == 5);
}

static void parent_writes_child_keeps(void)
{
	int fds[2];
	pid_t pid;
	char c;

	fill(10);
	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(read(fds[0], &c, 1), 1);	/* the parent has written by now */
		_exit(is_filled(10) && global == 1 ? 0 : 1);
	}
	fill(50);
	global = 3;
	CHECK_EQ(write(fds[1], "x", 1), 1);
	expect_exit(pid, 0);
	CHECK(is_filled(50) && global == 3);
}

/* The last process that has a page may write in place, and must not disturb any other. */
static void after_the_child_is_gone(void)
{
	fill(10);
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(is_filled(10 + i) ? 0 : 1);
		expect_exit(pid, 0);
		fill(11 + i);
	}
}

static void several_generations(void)
{
	fill(0);
	for (int depth = 1; depth <= 6; depth++) {
		pid_t pid = fork();

		if (pid > 0) {
			int status = status_of(pid);

			CHECK(is_filled(depth - 1));
			if (depth == 1) {
				CHECK_EQ(status, 0);
				return;
			}
			_exit(WEXITSTATUS(status));
		}
		CHECK(is_filled(depth - 1));
		fill(depth);
	}
	_exit(0);
}

static void many_children_at_once(void)
{
	enum { CHILDREN = 12 };

	fill(1);
	for (int i = 0; i < CHILDREN; i++) {
		if (fork())
			continue;
		for (int round = 0; round < 10; round++) {
			fill(i * 7 + round);
			sched_yield();
			CHECK(is_filled(i * 7 + round));
		}
		_exit(0);
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status;

		CHECK(wait(&status) > 0);
		CHECK_EQ(status, 0);
	}
	CHECK(is_filled(1));
}

/* A write by the kernel for us is a write, too. */
static void system_calls_write(void)
{
	int fds[2];
	pid_t pid;

	fill(10);
	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(write(fds[1], "hello", 5), 5);
		CHECK_EQ(read(fds[0], area + 3 * PAGE - 2, 5), 5);	/* across two pages */
		_exit(memcmp(area + 3 * PAGE - 2, "hello", 5) != 0);
	}
	expect_exit(pid, 0);
	CHECK(is_filled(10));
	CHECK_EQ(area[3 * PAGE - 2], 10 + 2);
	CHECK_EQ(area[3 * PAGE + 2], 10 + 3);
}

static void shared_stays_shared(void)
{
	volatile long *shared = shared_memory(PAGE);
	pid_t pid = fork();

	if (pid == 0) {
		if (fork() == 0) {
			shared[0] = 11;
			_exit(0);
		}
		wait(NULL);
		shared[1] = shared[0] + 1;
		_exit(0);
	}
	expect_exit(pid, 0);
	CHECK(shared[0] == 11 && shared[1] == 12);
}

/* Sharing must neither make memory writable that was not, nor the reverse. */
static void protection_survives(void)
{
	pid_t pid;

	fill(10);
	CHECK_EQ(mprotect(area, PAGE, PROT_READ), 0);
	pid = fork();
	if (pid == 0) {
		area[PAGE] = 1;
		area[0] = 1;
		_exit(0);
	}
	expect_signal(pid, SIGSEGV);
	CHECK_EQ(mprotect(area, PAGE, PROT_READ | PROT_WRITE), 0);
	pid = fork();
	if (pid == 0) {
		area[0] = 1;
		_exit(0);
	}
	expect_exit(pid, 0);
	CHECK(is_filled(10));
	pid = fork();
	if (pid == 0) {
		*(volatile char *)hidden((uintptr_t)&fill) = 1;
		_exit(0);
	}
	expect_signal(pid, SIGSEGV);
}

/* Untouched memory shares one page of zeroes until it is written. */
static void zeroes_are_shared_too(void)
{
	char *p = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK(p != MAP_FAILED);
	for (int i = 0; i < 16; i += 2)
		CHECK_EQ(p[i * PAGE], 0);
	pid = fork();
	if (pid == 0) {
		memset(p, 1, 16 * PAGE);
		_exit(0);
	}
	expect_exit(pid, 0);
	for (size_t i = 0; i < 16 * PAGE; i += 64)
		CHECK_EQ(p[i], 0);
}

/*
 * Threads write while another forks: each child sees every long whole, and the values of one
 * moment.
 */
static volatile bool stop;

static void *count_in_pages(void *arg)
{
	volatile long *p = (volatile long *)(area + (long)arg * PAGE);

	for (long n = 1; !stop; n++) {
		p[0] = p[100] = n;
		if (n % 256 == 0)
			sched_yield();
	}
	return NULL;
}

static void fork_while_threads_write(void)
{
	pthread_t t[3];

	fill(0);
	memset(area, 0, 4 * PAGE);
	for (long i = 0; i < 3; i++)
		t[i] = start_thread(count_in_pages, (void *)i);
	for (int i = 0; i < 25; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			for (int k = 0; k < 3; k++) {
				volatile long *p = (volatile long *)(area + k * PAGE);
				long difference = p[100] - p[0];

				CHECK(difference == 0 || difference == 1 || difference == -1);
				p[0] = -1;
			}
			_exit(0);
		}
		expect_exit(pid, 0);
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		join_thread(t[i]);
	for (int i = 0; i < 3; i++)
		CHECK(*(long *)(area + i * PAGE) >= 0);
}

static volatile int *wanted, *seen;

/* Only looks, and again and again, so that its CPU knows the page well. */
static void *look(void *rounds)
{
	for (int i = 1; i <= (int)(long)rounds; i++) {
		for (int looks = 1; *wanted != i; looks++)
			if (looks % 4096 == 0)
				sched_yield();	/* the others may have no CPU but this one */
		*seen = i;
	}
	return NULL;
}

/* The page that a thread gets as it writes after fork is the page of all threads of its process. */
static void threads_see_the_copy(void)
{
	enum { ROUNDS = 20 };
	pthread_t t;

	wanted = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(wanted != MAP_FAILED);
	seen = shared_memory(PAGE);
	*wanted = 0;
	t = start_thread(look, (void *)ROUNDS);
	for (int i = 1; i <= ROUNDS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause();
		await_state(pid, 'S');
		*wanted = i;
		while (*seen != i)
			sched_yield();
		CHECK_EQ(kill(pid, SIGKILL), 0);
		expect_signal(pid, SIGKILL);
	}
	join_thread(t);
}

static const struct test_case cases[] = {
	CASE(child_writes_parent_keeps),
	CASE(parent_writes_child_keeps),
	CASE(after_the_child_is_gone),
	CASE(several_generations),
	CASE(many_children_at_once),
	CASE(system_calls_write),
	CASE(shared_stays_shared),
	CASE(protection_survives),
	CASE(zeroes_are_shared_too),
	CASE(fork_while_threads_write),
	CASE(threads_see_the_copy),
};

TEST_MAIN(cases)
