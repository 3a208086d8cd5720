/* fork, wait and exit: which process gets which status, and when. */
#include <sys/syscall.h>

#include "test.h"

static void returns_twice(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		_exit(getppid() == parent && getpid() != parent ? 7 : 8);
	CHECK(pid > 0 && pid != parent);
	expect_exit(pid, 7);
}

static void exit_codes(void)
{
	for (int code = 0; code < 256; code += 15) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(code);
		expect_exit(pid, code);
	}
}

static void only_low_byte_of_code(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0x1234);
	expect_exit(pid, 0x34);
}

static void wait_any_gets_each_once(void)
{
	bool seen[20] = { false };
	int status, code;

	for (int i = 0; i < 20; i++)
		if (fork() == 0)
			_exit(i);
	for (int i = 0; i < 20; i++) {
		CHECK(wait(&status) > 0);
		code = WEXITSTATUS(status);
		CHECK(code < 20 && !seen[code]);
		seen[code] = true;
	}
	CHECK_ERRNO(wait(&status), ECHILD);
}

static void wait_for_one_of_several(void)
{
	pid_t pids[5];

	for (int i = 0; i < 5; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(i);
	}
	for (int i = 4; i >= 0; i--)
		expect_exit(pids[i], i);
}

static void nohang(void)
{
	int fds[2], status;
	pid_t pid;
	char c;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &c, 1) == 0 ? 5 : 6);
	}
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(waitpid(-1, &status, WNOHANG), 0);
	close(fds[1]);
	expect_exit(pid, 5);
	CHECK_ERRNO(waitpid(pid, &status, WNOHANG), ECHILD);
}

static void not_my_child(void)
{
	volatile pid_t *shared = shared_memory(4096);
	pid_t grandchild, pid = fork();
	int status;

	if (pid == 0) {
		grandchild = fork();
		if (grandchild)
			*shared = grandchild;
		for (;;)
			pause();
	}
	while (!(grandchild = *shared))
		sched_yield();
	CHECK_ERRNO(waitpid(grandchild, &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(getpid(), &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(1 << 22, &status, 0), ECHILD);
	CHECK_EQ(kill(grandchild, SIGKILL), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

static void bad_options(void)
{
	int status;

	CHECK_ERRNO(waitpid(-1, &status, 0x7000), EINVAL);
}

static void zombie_until_waited_for(void)
{
	siginfo_t info = { 0 };
	pid_t pid = fork();

	if (pid == 0)
		_exit(42);
	await_state(pid, 'Z');
	CHECK_EQ(kill(pid, 0), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);	/* too late to have an effect */

	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_status, 42);
	expect_exit(pid, 42);
	CHECK_ERRNO(kill(pid, 0), ESRCH);
}

static void waitid_of_killed(void)
{
	siginfo_t info = { 0 };
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	CHECK_EQ(kill(pid, SIGTERM), 0);
	CHECK_EQ(waitid(P_ALL, 0, &info, WEXITED), 0);
	CHECK_EQ(info.si_signo, SIGCHLD);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_code, CLD_KILLED);
	CHECK_EQ(info.si_status, SIGTERM);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
}

static long microseconds(struct timeval t)
{
	return t.tv_sec * 1000000 + t.tv_usec;
}

static void usage_is_that_of_the_child(void)
{
	siginfo_t info;
	struct rusage usage;
	int status;
	long us;
	pid_t pid = fork();

	if (pid == 0) {
		int64_t end = now_ns(CLOCK_PROCESS_CPUTIME_ID) + 10000000;

		while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
			;
		_exit(0);
	}
	for (int i = 0; i < 2; i++) {			/* looking at it counts nothing */
		CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
		CHECK_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
		CHECK_EQ(microseconds(usage.ru_utime) + microseconds(usage.ru_stime), 0);
	}
	memset(&usage, 0xff, sizeof(usage));
	CHECK_EQ(wait4(pid, &status, 0, &usage), pid);
	CHECK_EQ(status, 0);
	us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
	CHECK(us >= 9000 && us < 100000000);
	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
	CHECK_EQ(microseconds(usage.ru_utime) + microseconds(usage.ru_stime), us);
}

static void chain_of_generations(void)
{
	int depth = 0;

	while (depth < 20) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid > 0) {
			int code = WEXITSTATUS(status_of(pid));

			_exit(depth == 0 ? code != 20 : code);
		}
		depth++;
	}
	_exit(depth);
}

static void many_in_a_row(void)
{
	for (int i = 0; i < 300; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(i & 0x7f);
		expect_exit(pid, i & 0x7f);
	}
}

static void many_at_once(void)
{
	int fds[2], sum = 0, status;
	char c;

	CHECK_EQ(pipe(fds), 0);
	for (int i = 0; i < 60; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			close(fds[1]);
			_exit(read(fds[0], &c, 1) == 0 ? 1 : 0);
		}
	}
	close(fds[1]);
	for (int i = 0; i < 60; i++) {
		CHECK(wait(&status) > 0);
		sum += WEXITSTATUS(status);
	}
	CHECK_EQ(sum, 60);
}

static void vfork_waits_for_the_child(void)
{
	static volatile int value;	/* the vfork() child runs in our memory */
	pid_t pid = vfork();

	if (pid == 0) {
		value = 1;
		_exit(3);
	}
	CHECK(pid > 0);
	CHECK_EQ(value, 1);
	expect_exit(pid, 3);
}

/* The end of the child is told to the parent's memory, as it is the child's too. */
static void vfork_child_clears_its_word(void)
{
	static volatile int word = 1;
	pid_t pid = vfork();

	if (pid == 0) {
		syscall(SYS_set_tid_address, &word);
		_exit(0);
	}
	CHECK(pid > 0);
	CHECK_EQ(word, 0);
	expect_exit(pid, 0);
}

/* The child goes on, in memory that was its parent's. */
static void vforking_parent_is_killed(void)
{
	int told[2], gate[2];
	pid_t parent, child = 0;
	char c;

	CHECK(pipe(told) == 0 && pipe(gate) == 0);
	parent = fork();
	CHECK(parent >= 0);
	if (parent == 0) {
		close(gate[1]);
		if (vfork() == 0) {
			child = getpid();
			if (write(told[1], &child, sizeof(child)) > 0)
				_exit((int)read(gate[0], &c, 1));
		}
		_exit(1);
	}
	close(told[1]);
	CHECK_EQ(read(told[0], &child, sizeof(child)), (ssize_t)sizeof(child));
	CHECK_EQ(kill(parent, SIGKILL), 0);
	expect_signal(parent, SIGKILL);
	CHECK_EQ(kill(child, 0), 0);
	close(gate[1]);
	CHECK_EQ(read(told[0], &c, 1), 0);	/* it has ended */
	close(told[0]);
	close(gate[0]);
}

/* Two threads wait for two children: each child goes to one of them. */
static void *wait_for_one(void *arg)
{
	int status = 0;

	(void)arg;
	CHECK(wait(&status) > 0);
	return (void *)(long)WEXITSTATUS(status);
}

static void threads_share_children(void)
{
	pthread_t a, b;
	long sum;

	for (int i = 1; i <= 2; i++)
		if (fork() == 0)
			_exit(i);
	a = start_thread(wait_for_one, NULL);
	b = start_thread(wait_for_one, NULL);
	sum = (long)join_thread(a) + (long)join_thread(b);
	CHECK_EQ(sum, 3);
}

static const struct test_case cases[] = {
	CASE(returns_twice),
	CASE(exit_codes),
	CASE(only_low_byte_of_code),
	CASE(wait_any_gets_each_once),
	CASE(wait_for_one_of_several),
	CASE(nohang),
	CASE(not_my_child),
	CASE(bad_options),
	CASE(zombie_until_waited_for),
	CASE(waitid_of_killed),
	CASE(usage_is_that_of_the_child),
	CASE(chain_of_generations),
	CASE(many_in_a_row),
	CASE(many_at_once),
	CASE(vfork_waits_for_the_child),
	CASE(vfork_child_clears_its_word),
	CASE(vforking_parent_is_killed),
	CASE(threads_share_children),
};

TEST_MAIN(cases)
