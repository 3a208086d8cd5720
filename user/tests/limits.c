/* Limits: the most that a process may have. Reaching a limit must be an error and not its end. */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "test.h"

static void lower(int which, rlim_t to)
{
	struct rlimit limit;

	CHECK_EQ(getrlimit(which, &limit), 0);
	limit.rlim_cur = to;
	CHECK_EQ(setrlimit(which, &limit), 0);
	CHECK_EQ(getrlimit(which, &limit), 0);
	CHECK_EQ(limit.rlim_cur, to);
}

static void get_and_set(void)
{
	struct rlimit limit, old;

	for (int which = RLIMIT_CPU; which <= RLIMIT_AS; which++) {
		CHECK_EQ(getrlimit(which, &limit), 0);
		CHECK(limit.rlim_cur <= limit.rlim_max);
	}
	CHECK_ERRNO(getrlimit(99, &limit), EINVAL);
	limit = (struct rlimit){ 100, 50 };
	CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EINVAL);
	limit = (struct rlimit){ 80, 100 };
	CHECK_EQ(prlimit(0, RLIMIT_NOFILE, &limit, &old), 0);
	CHECK_EQ(prlimit(0, RLIMIT_NOFILE, NULL, &limit), 0);
	CHECK(limit.rlim_cur == 80 && limit.rlim_max == 100);
}

static void children_inherit(void)
{
	struct rlimit limit;
	pid_t pid;

	lower(RLIMIT_NOFILE, 77);
	pid = fork();
	if (pid == 0)
		_exit(getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur != 77);
	expect_exit(pid, 0);
}

/* Linux does not apply this limit to the superuser: become another user there. */
static void become_nobody(void)
{
	syscall(SYS_setuid, 65534);
}

static void processes(void)
{
	int made = 0, fds[2];
	char c;

	CHECK_EQ(pipe(fds), 0);
	become_nobody();
	lower(RLIMIT_NPROC, 12);
	for (;; made++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			close(fds[1]);
			_exit(read(fds[0], &c, 1));
		}
		CHECK(made < 12);
	}
	CHECK_EQ(errno, EAGAIN);
	close(fds[1]);
	for (int i = 0; i < made; i++)
		CHECK(wait(NULL) > 0);
	expect_exit(spawn(test_nothing), 0);		/* there is room again */
}

static void *wait_at_pipe(void *arg)
{
	char c;

	CHECK_EQ(read(*(int *)arg, &c, 1), 0);
	return NULL;
}

/* Threads count like processes. */
static void threads(void)
{
	pthread_t t[20];
	int made = 0, fds[2], r;

	CHECK_EQ(pipe(fds), 0);
	become_nobody();
	lower(RLIMIT_NPROC, 12);
	while ((r = pthread_create(&t[made], NULL, wait_at_pipe, &fds[0])) == 0)
		CHECK(++made < 20);
	CHECK_EQ(r, EAGAIN);
	close(fds[1]);
	for (int i = 0; i < made; i++)
		join_thread(t[i]);
	join_thread(start_thread(wait_at_pipe, &fds[0]));
}

#define LONELY	54321			/* a user without other processes */

/* Becomes that user with room for two processes, and returns whether there is room for a child. */
static void fork_as_lonely(void)
{
	pid_t pid;

	syscall(SYS_setuid, LONELY);
	lower(RLIMIT_NPROC, 2);
	pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		_exit(errno == EAGAIN ? 1 : 2);
	expect_exit(pid, 0);
}

#ifndef PR_SET_KEEPCAPS
#define PR_SET_KEEPCAPS	8
#endif
#define SYS_ADMIN	21
#define SYS_RESOURCE	24
#define LAST_CAP	40

/* As a user with no other right than @cap, and no room; exits with 2 if the caller lacks it too. */
static void fork_with(int cap)
{
	struct {
		unsigned version;
		int pid;
	} header = { 0x20080522, 0 };
	struct {
		unsigned effective, permitted, inheritable;
	} c[2] = { 0 };
	pid_t pid;

	c[cap / 32].effective = c[cap / 32].permitted = 1u << cap % 32;
	CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
	CHECK_EQ(setresuid(LONELY, LONELY, LONELY), 0);
	if (syscall(SYS_capset, &header, c))
		_exit(2);
	lower(RLIMIT_NPROC, 1);
	pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		_exit(errno == EAGAIN ? 1 : 3);
	expect_exit(pid, 0);
	_exit(0);
}

/* Two capabilities lift the limit. */
static void for_whom_it_holds(void)
{
	for (int cap = 0; cap <= LAST_CAP; cap++) {
		bool lifts = cap == SYS_ADMIN || cap == SYS_RESOURCE;
		pid_t pid = fork();
		int status;

		if (pid == 0)
			fork_with(cap);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		if (status != 2 << 8)
			CHECK(status == (lifts ? 0 : 1 << 8));
	}
}

/* Processes that became the same user one by one are counted together. */
static void of_one_user_together(void)
{
	int ready[2];
	char c;
	pid_t pid;

	expect_exit(spawn(fork_as_lonely), 0);
	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		syscall(SYS_setuid, LONELY);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	expect_exit(spawn(fork_as_lonely), 1);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
	expect_exit(spawn(fork_as_lonely), 0);
}

static void *exec_as_lonely(void *unused)
{
	CHECK_EQ(syscall(SYS_setresuid, LONELY, LONELY, LONELY), 0);	/* of this thread alone */
	execl("/bin/cat", "cat", NULL);
	test_fail(__FILE__, __LINE__, "cat does not start (errno %d)", errno);
	return unused;
}

/* A process that a thread takes over is one task, and one of the thread's user. */
static void exec_from_a_thread(uid_t first)
{
	int in[2], out[2];
	pid_t pid;
	char c;

	CHECK_EQ(pipe2(in, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(dup2(in[0], 0), 0);
		CHECK_EQ(dup2(out[1], 1), 1);
		CHECK_EQ(syscall(SYS_setresuid, first, first, first), 0);
		start_thread(exec_as_lonely, NULL);
		for (;;)
			pause();
	}
	CHECK_EQ(write(in[1], "x", 1), 1);
	CHECK_EQ(read(out[0], &c, 1), 1);		/* now it runs cat */
	expect_exit(spawn(fork_as_lonely), 1);
	close(in[1]);
	expect_exit(pid, 0);
	expect_exit(spawn(fork_as_lonely), 0);
}

static void threads_that_exec(void)
{
	exec_from_a_thread(LONELY);
	exec_from_a_thread(0);
}

/* A process that becomes another user is not counted for the one that it was. */
static void leaves_its_user(void)
{
	int ready[2];
	char c;
	pid_t pid;

	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {			/* somebody always is that user, so the count is kept */
		CHECK_EQ(setresuid(LONELY, -1, -1), 0);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(setresuid(LONELY, -1, -1), 0);
		CHECK_EQ(setresuid(LONELY + 1, -1, -1), 0);
	}
	CHECK_EQ(setresuid(LONELY, LONELY, LONELY), 0);
	lower(RLIMIT_NPROC, 3);
	expect_exit(spawn(test_nothing), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

/* Whether a process of user and group 20 may read the limits of one with these ids. */
static void expect_limits_of(const uid_t uid[3], const gid_t gid[3], bool may)
{
	pid_t target, asker;
	int ready[2];
	char c;

	CHECK_EQ(pipe(ready), 0);
	target = fork();
	if (target == 0) {
		CHECK_EQ(setresgid(gid[0], gid[1], gid[2]), 0);
		CHECK_EQ(setresuid(uid[0], uid[1], uid[2]), 0);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	asker = fork();
	if (asker == 0) {
		struct rlimit limit;

		CHECK_EQ(setresgid(20, 20, 20), 0);
		CHECK_EQ(setresuid(20, 20, 20), 0);
		_exit(prlimit(target, RLIMIT_CORE, NULL, &limit) ? errno : 0);
	}
	expect_exit(asker, may ? 0 : EPERM);
	CHECK_EQ(kill(target, SIGKILL), 0);
	expect_signal(target, SIGKILL);
	CHECK_EQ(close(ready[0]), 0);
	CHECK_EQ(close(ready[1]), 0);
}

/* Each of the other's ids must be one's own. */
static void of_others(void)
{
	static const unsigned own[3] = { 20, 20, 20 };

	expect_limits_of(own, own, true);
	for (int i = 0; i < 3; i++) {
		unsigned ids[3] = { 20, 20, 20 };

		ids[i] = 21;
		expect_limits_of(ids, own, false);
		expect_limits_of(own, ids, false);
	}
}

static void fork_bomb(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		become_nobody();
		lower(RLIMIT_NPROC, 20);
		for (int i = 0; i < 200; i++)
			if (fork() < 0)
				sched_yield();
		for (;;)
			if (wait(NULL) < 0 && errno == ECHILD)
				_exit(0);
	}
	expect_exit(pid, 0);
	expect_exit(spawn(test_nothing), 0);
}

/* A fork bomb never ends by itself, and waits for none of its children. One kill ends its group. */
static void bomb_is_killed_by_group(void)
{
	int *full = shared_memory(sizeof(*full));
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		become_nobody();
		lower(RLIMIT_NPROC, 40);
		for (;;)
			if (fork() < 0) {
				__atomic_store_n(full, 1, __ATOMIC_SEQ_CST);
				sched_yield();
			}
	}
	while (!__atomic_load_n(full, __ATOMIC_SEQ_CST))
		sched_yield();
	CHECK_EQ(kill(-pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
	while (kill(-pid, 0) == 0)	/* until init has reaped them */
		sched_yield();
	CHECK_EQ(errno, ESRCH);
	expect_exit(spawn(test_nothing), 0);
}

static long us_of_children(void)
{
	struct rusage ru;

	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &ru), 0);
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 + ru.ru_utime.tv_usec +
	       ru.ru_stime.tv_usec;
}

/* CPU time has a soft limit, which sends SIGXCPU, and a hard one, which kills. */
static void cpu_time(void)
{
	/* Far apart: a CPU that stands still for a second would reach both at once. */
	const struct rlimit asks = { 1, 1000 }, limit = { 1, 2 };
	pid_t pid = fork();

	if (pid == 0) {
		CHECK_EQ(setrlimit(RLIMIT_CPU, &asks), 0);
		for (;;)
			;
	}
	expect_signal(pid, SIGXCPU);
	CHECK(us_of_children() >= 500000);	/* Linux counts ticks: up to a tenth less */
	pid = fork();
	if (pid == 0) {
		signal(SIGXCPU, SIG_IGN);
		CHECK_EQ(setrlimit(RLIMIT_CPU, &limit), 0);
		for (;;)
			;
	}
	expect_signal(pid, SIGKILL);
	CHECK(us_of_children() >= 2000000);
}

/*
 * OOM1: only the process that has taken the most memory dies, and one that needs a single page then
 * gets it. Runs only on Trellis: another system's memory is not ours to use up.
 */
static void memory_ends_the_offender(void)
{
	const size_t size = 1L << 36, step = 1 << 20;
	int *begun = shared_memory(sizeof(*begun));
	pid_t hog, modest;

	if (access("/proc/counters", F_OK))
		return;
	hog = fork();
	if (hog == 0) {
		char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		CHECK(p != MAP_FAILED);
		for (size_t at = 0; at < size; at += step) {
			memset(p + at, 1, step);
			__atomic_store_n(begun, at / step, __ATOMIC_SEQ_CST);
		}
		_exit(3);
	}
	modest = fork();
	if (modest == 0) {
		char *p = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		for (int i = 0; i < 64; i++) {
			while (state_of(hog) != 'Z' && *begun < 2 * i)
				sched_yield();
			p[i * 4096] = 1;
		}
		_exit(4);
	}
	expect_exit(modest, 4);
	expect_signal(hog, SIGKILL);
	expect_exit(spawn(test_nothing), 0);
}

static void address_space(void)
{
	char *p;

	lower(RLIMIT_AS, 64 << 20);
	p = mmap(NULL, 128 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p == MAP_FAILED && errno == ENOMEM);
	p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK(sbrk(128 << 20) == (void *)-1 && errno == ENOMEM);
	CHECK_EQ(munmap(p, 16 << 20), 0);
}

static long recurse(long depth)
{
	volatile char frame[512];

	frame[depth % 512] = depth;	/* varies, so that the whole stack is needed */
	return depth ? recurse(depth - 1) + (frame[depth % 512] == (char)depth) : 0;
}

/* A program that is started under the limit gets a stack of that size. */
static void stack(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		lower(RLIMIT_STACK, 1 << 20);
		recurse(10000);
		_exit(0);
	}
	expect_signal(pid, SIGSEGV);
}

static void none_above_its_hard_limit(void)
{
	for (int i = 0; i < 16; i++) {		/* all that Linux has */
		struct rlimit l;

		CHECK_EQ(getrlimit(i, &l), 0);
		CHECK(l.rlim_cur <= l.rlim_max);
	}
}

static const struct test_case cases[] = {
	CASE(none_above_its_hard_limit),
	CASE(get_and_set),
	CASE(children_inherit),
	CASE(processes),
	CASE(threads),
	CASE(for_whom_it_holds),
	CASE(of_one_user_together),
	CASE(threads_that_exec),
	CASE(leaves_its_user),
	CASE(of_others),
	CASE(fork_bomb),
	CASE(bomb_is_killed_by_group),
	CASE(cpu_time),
	CASE(memory_ends_the_offender),
	CASE(address_space),
	CASE(stack),
};

TEST_MAIN(cases)
