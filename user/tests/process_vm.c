/* The memory of another process, read and written by process_vm_readv() and process_vm_writev(). */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "test.h"

#define PAGE	4096UL

#ifndef PR_SET_DUMPABLE
#define PR_SET_DUMPABLE	4
#endif

static long call(bool write, pid_t pid, struct iovec *own, long n_own, struct iovec *other,
		 long n_other, long flags)
{
	return syscall(write ? SYS_process_vm_writev : SYS_process_vm_readv, pid, own, n_own, other,
		       n_other, flags);
}

static volatile int *step;

/* Starts a child that has @p filled with 'c', until step 2. */
static pid_t child_with(char *p)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	memset(p, 'c', 2 * PAGE);
	*step = 1;
	while (*step != 2)
		sched_yield();
	_exit(p[10] == 'w' && p[PAGE] == 'c' ? 0 : 1);
}

static void there_and_back(void)
{
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char got[20] = "", word[] = "wwwww";
	struct iovec own[2] = { { got, 3 }, { got + 5, 5 } };
	struct iovec other[2] = { { p + PAGE - 2, 4 }, { p, 4 } };
	pid_t pid;

	step = shared_memory(PAGE);
	CHECK_EQ(munmap(p + 2 * PAGE, PAGE), 0);
	pid = child_with(p);
	while (*step != 1)
		sched_yield();
	CHECK_EQ(p[0], 0);
	CHECK_EQ(call(false, pid, own, 2, other, 2, 0), 8);
	CHECK_EQ(memcmp(got, "ccc\0\0ccccc", 10), 0);
	own[0] = (struct iovec){ word, 5 };
	other[0] = (struct iovec){ p + 10, 5 };
	CHECK_EQ(call(true, pid, own, 1, other, 1, 0), 5);
	CHECK_EQ(p[10], 0);
	/* The call copies as far as memory is mapped; if the first byte is not, it is an error. */
	own[0] = (struct iovec){ got, 20 };
	other[0] = (struct iovec){ p + 2 * PAGE - 7, 20 };
	CHECK_EQ(call(false, pid, own, 1, other, 1, 0), 7);
	other[0] = (struct iovec){ p + 2 * PAGE, 20 };
	CHECK_ERRNO(call(false, pid, own, 1, other, 1, 0), EFAULT);
	CHECK_ERRNO(call(false, pid, own, 1, other, 1, 1), EINVAL);
	CHECK_ERRNO(call(false, pid, own, 2000, other, 1, 0), EINVAL);
	CHECK_ERRNO(call(false, pid, own, 1, other, 2000, 0), EINVAL);
	CHECK_ERRNO(call(false, pid, own, 1, hidden(16), 1, 0), EFAULT);
	CHECK_EQ(call(false, pid, own, 0, other, 1, 0), 0);
	CHECK_EQ(call(false, pid, own, 1, other, 0, 0), 0);
	*step = 2;
	expect_exit(pid, 0);
	CHECK_ERRNO(call(false, pid, own, 1, other, 1, 0), ESRCH);
}

/* A write changes the other process's own copy, and only where it may write itself. */
static void writes_as_the_process_would(void)
{
	static const int protections[] = { PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE };
	char word = 'w', got = 0, *p[3];
	pid_t pid;

	step = shared_memory(PAGE);
	for (int i = 0; i < 3; i++) {
		p[i] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		p[i][0] = 'p';
		CHECK_EQ(mprotect(p[i], PAGE, protections[i]), 0);
	}
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	for (int i = 0; i < 3; i++) {
		struct iovec own = { &word, 1 }, back = { &got, 1 }, other = { p[i], 1 };

		CHECK_EQ(call(true, pid, &own, 1, &other, 1, 0), i ? -1 : 1);
		CHECK_EQ(call(false, pid, &back, 1, &other, 1, 0), i < 2 ? 1 : -1);
		CHECK_EQ(got, i ? 'p' : 'w');
		CHECK_EQ(mprotect(p[i], PAGE, PROT_READ), 0);
		CHECK_EQ(p[i][0], 'p');
	}
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

/* A stack grows for its own process's accesses alone: within that process's limit, not ours. */
static void below_the_stack(void)
{
	char here = 'x', *below = (char *)((unsigned long)&here & -PAGE) - 256 * PAGE;
	struct iovec own = { &here, 1 }, other = { below, 1 };
	struct rlimit limit;
	pid_t pid;

	step = shared_memory(PAGE);
	*step = 0;
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK_EQ(getrlimit(RLIMIT_STACK, &limit), 0);
		limit.rlim_cur = 64 * PAGE;
		CHECK_EQ(setrlimit(RLIMIT_STACK, &limit), 0);
		*step = 1;
		while (*step != 2)
			sched_yield();
		CHECK_EQ(getrlimit(RLIMIT_STACK, &limit), 0);
		limit.rlim_cur = 512 * PAGE;
		CHECK_EQ(setrlimit(RLIMIT_STACK, &limit), 0);
		_exit(*below);		/* grows now */
	}
	while (*step != 1)
		sched_yield();
	CHECK_ERRNO(call(false, pid, &own, 1, &other, 1, 0), EFAULT);
	CHECK_ERRNO(call(true, pid, &own, 1, &other, 1, 0), EFAULT);
	CHECK_ERRNO(call(true, getpid(), &own, 1, &other, 1, 0), EFAULT);
	*step = 2;
	expect_exit(pid, 0);
}

/* A process that is not to be dumped is closed to its own user, too. */
static void not_of_the_undumpable(void)
{
	char here = 'x';
	struct iovec own = { &here, 1 };
	pid_t pid;

	step = shared_memory(PAGE);
	CHECK_EQ(setresgid(1000, 1000, 1000), 0);
	CHECK_EQ(setresuid(1000, 1000, 1000), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
		*step = 1;
		while (*step != 2)
			sched_yield();
		CHECK_EQ(prctl(PR_SET_DUMPABLE, 0), 0);
		*step = 3;
		while (*step != 4)
			sched_yield();
		_exit(0);
	}
	while (*step != 1)
		sched_yield();
	CHECK_EQ(call(false, pid, &own, 1, &own, 1, 0), 1);
	*step = 2;
	while (*step != 3)
		sched_yield();
	CHECK_ERRNO(call(false, pid, &own, 1, &own, 1, 0), EPERM);
	*step = 4;
	expect_exit(pid, 0);
}

enum { REAL, EFFECTIVE, SAVED, GROUPS, IDS = 6 };

/* Starts a process of user and group 1000, but for the id @odd, that waits until step 2. */
static pid_t child_with_odd_id(int odd)
{
	gid_t g[3] = { 1000, 1000, 1000 };
	uid_t u[3] = { 1000, 1000, 1000 };
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	if (odd < IDS)
		(odd < GROUPS ? u : g)[odd % GROUPS] = 1001;
	CHECK_EQ(setresgid(g[REAL], g[EFFECTIVE], g[SAVED]), 0);
	CHECK_EQ(setresuid(u[REAL], u[EFFECTIVE], u[SAVED]), 0);
	CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
	*step = 1;
	while (*step != 2)
		sched_yield();
	_exit(0);
}

/* As user and group 1000. */
static void look_into(pid_t pid, bool may)
{
	char here = 'x', path[40], folder[100];
	struct iovec own = { &here, 1 };

	CHECK_EQ(setresgid(1000, 1000, 1000), 0);
	CHECK_EQ(setresuid(1000, 1000, 1000), 0);
	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	if (may) {
		CHECK_EQ(call(false, pid, &own, 1, &own, 1, 0), 1);
		CHECK(readlink(path, folder, sizeof(folder)) > 0);
	} else {
		CHECK_ERRNO(call(false, pid, &own, 1, &own, 1, 0), EPERM);
		CHECK_ERRNO(readlink(path, folder, sizeof(folder)), EACCES);
	}
	_exit(0);
}

/* Each of a process's six ids has to be the caller's, for its memory and its links in /proc. */
static void not_of_another_id(void)
{
	step = shared_memory(PAGE);
	for (int odd = REAL; odd <= IDS; odd++) {
		pid_t pid, caller;

		*step = 0;
		pid = child_with_odd_id(odd);
		while (*step != 1)
			sched_yield();
		caller = fork();
		if (caller == 0)
			look_into(pid, odd == IDS);
		expect_exit(caller, 0);
		*step = 2;
		expect_exit(pid, 0);
	}
}

/* Reads @me, a number of its process, through the number of this thread. */
static void *read_by_thread(void *me)
{
	int got = 0;
	struct iovec own = { &got, sizeof(got) }, other = { me, sizeof(got) };

	CHECK(gettid() != getpid());
	CHECK_EQ(call(false, gettid(), &own, 1, &other, 1, 0), (long)sizeof(got));
	CHECK_EQ(got, 77);
	return NULL;
}

static void by_the_number_of_a_thread(void)
{
	int me = 77;

	join_thread(start_thread(read_by_thread, &me));
}

static const struct test_case cases[] = {
	CASE(there_and_back),
	CASE(writes_as_the_process_would),
	CASE(below_the_stack),
	CASE(not_of_the_undumpable),
	CASE(not_of_another_id),
	CASE(by_the_number_of_a_thread),
};

TEST_MAIN(cases)
