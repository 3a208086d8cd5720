/*
 * Scheduling classes, parameters and niceness. Only some policies have reservations: with the
 * others the calls return EINVAL.
 */
#include <sys/resource.h>
#include <sys/syscall.h>

#include "test.h"

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

#define VER0		48
#define RESET_ON_FORK	0x40000000

static int set_class(pid_t pid, int class, int priority)
{
	struct sched_param param = { priority };

	return sched_setscheduler(pid, class, &param);
}

static void bounds(void)
{
	static const int normal[] = { SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE };

	for (unsigned i = 0; i < sizeof(normal) / sizeof(normal[0]); i++) {
		CHECK_EQ(sched_get_priority_min(normal[i]), 0);
		CHECK_EQ(sched_get_priority_max(normal[i]), 0);
	}
	CHECK_EQ(sched_get_priority_min(SCHED_FIFO), 1);
	CHECK_EQ(sched_get_priority_max(SCHED_RR), 99);
	CHECK_ERRNO(sched_get_priority_max(4), EINVAL);
	CHECK_ERRNO(sched_get_priority_min(-1), EINVAL);
}

static void wrong_arguments(void)
{
	struct sched_param param = { 0 };

	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	CHECK_ERRNO(sched_getscheduler(-1), EINVAL);
	CHECK_ERRNO(sched_getscheduler(1 << 22), ESRCH);
	CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, NULL), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, 4, &param), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, 1000, &param), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, 0x3fffffff, &param), EINVAL);
	CHECK_ERRNO(sched_setscheduler(0, -1, &param), EINVAL);
	CHECK_ERRNO(sched_setscheduler(1 << 22, SCHED_OTHER, &param), ESRCH);
	CHECK_ERRNO(set_class(0, SCHED_OTHER, 1), EINVAL);
	CHECK_ERRNO(set_class(0, SCHED_FIFO, 0), EINVAL);
	CHECK_ERRNO(set_class(0, SCHED_RR, 100), EINVAL);
	CHECK_ERRNO(set_class(0, SCHED_DEADLINE, 0), EINVAL);
	CHECK_ERRNO(sched_getparam(0, NULL), EINVAL);
	CHECK_EQ(sched_getparam(0, &param), 0);
	CHECK_EQ(param.sched_priority, 0);
	param.sched_priority = 5;
	CHECK_ERRNO(sched_setparam(0, &param), EINVAL);
}

static void normal_classes(void)
{
	CHECK_EQ(set_class(0, SCHED_BATCH, 0), 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);
	CHECK_EQ(set_class(0, SCHED_IDLE, 0), 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_IDLE);
	CHECK_EQ(set_class(0, SCHED_OTHER | RESET_ON_FORK, 0), 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER | RESET_ON_FORK);
}

enum { CHANGES = 1000 };

static struct rusage at_end;

static void *change_often(void *unused)
{
	for (int i = 0; i < CHANGES; i++)
		CHECK_EQ(set_class(0, i % 2 ? SCHED_OTHER : SCHED_BATCH, 0), 0);
	CHECK_EQ(getrusage(RUSAGE_THREAD, &at_end), 0);
	return unused;
}

/* A thread that keeps its CPU has not been preempted. It counts the same when it is gone. */
static void changes_are_no_switches(void)
{
	struct rusage before, after;

	CHECK_EQ(getrusage(RUSAGE_SELF, &before), 0);
	join_thread(start_thread(change_often, NULL));
	CHECK_EQ(getrusage(RUSAGE_SELF, &after), 0);
	CHECK(after.ru_nivcsw - before.ru_nivcsw < at_end.ru_nivcsw + CHANGES / 2);
}

static void compute_for_100_ms(void)
{
	while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < 100000000)
		;
}

/* Two processes that share a CPU preempt each other, and their parent is told how often. */
static void preemptions_of_children(void)
{
	struct rusage before, after;
	cpu_set_t all, one;
	pid_t first, other;
	int cpu = 0;

	CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &before), 0);
	first = spawn(compute_for_100_ms);
	other = spawn(compute_for_100_ms);
	expect_exit(first, 0);
	expect_exit(other, 0);
	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &after), 0);
	CHECK(after.ru_nivcsw > before.ru_nivcsw);
}

/* A user without privileges lowers its niceness as far as a limit allows: not at all. */
static void niceness_of_a_user(void)
{
	CHECK_EQ(setuid(65534), 0);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) - 1), EACCES);
	CHECK_ERRNO(set_class(0, SCHED_FIFO, 1), EPERM);
}

static void niceness(void)
{
	pid_t pid;

	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_EQ(getpriority(PRIO_PROCESS, getpid()), 5);
	pid = fork();
	if (pid == 0)
		_exit(getpriority(PRIO_PROCESS, 0));
	expect_exit(pid, 5);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 1000), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
	CHECK_ERRNO(setpriority(3, 0, 0), EINVAL);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 1 << 22, 0), ESRCH);
	CHECK_ERRNO(setpriority(PRIO_PGRP, 1 << 22, 0), ESRCH);
}

/* The lowest niceness of a group counts; setting it changes all of them. */
static void niceness_of_a_group(void)
{
	int fds[2], own = getpriority(PRIO_PROCESS, 0);	/* not 0 under nice(1) */
	pid_t pid;
	char c;

	CHECK_EQ(setpgid(0, 0), 0);
	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		CHECK_EQ(setpriority(PRIO_PROCESS, 0, own + 7), 0);
		CHECK_EQ(read(fds[0], &c, 1), 0);
		_exit(getpriority(PRIO_PROCESS, 0));
	}
	while (getpriority(PRIO_PROCESS, pid) != own + 7)
		sched_yield();
	CHECK_EQ(getpriority(PRIO_PGRP, 0), own);
	CHECK_EQ(setpriority(PRIO_PGRP, getpgrp(), 19), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, pid), 19);
	close(fds[1]);
	expect_exit(pid, 19);
}

static void reset_on_fork(void)
{
	pid_t pid;

	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 3), 0);
	CHECK_EQ(set_class(0, SCHED_BATCH | RESET_ON_FORK, 0), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(sched_getscheduler(0), SCHED_BATCH);	/* the reset flag is cleared */
		_exit(getpriority(PRIO_PROCESS, 0));
	}
	expect_exit(pid, 3);
}

static void real_time(void)
{
	struct sched_param param;
	struct timespec ts;
	pid_t pid;

	CHECK_EQ(set_class(0, SCHED_RR, 20), 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_RR);
	CHECK_EQ(sched_rr_get_interval(0, &ts), 0);
	CHECK(ts.tv_sec > 0 || ts.tv_nsec > 0);
	param.sched_priority = 30;
	CHECK_EQ(sched_setparam(0, &param), 0);
	CHECK_EQ(sched_getparam(0, &param), 0);
	CHECK_EQ(param.sched_priority, 30);
	CHECK_EQ(set_class(0, SCHED_FIFO | RESET_ON_FORK, 99), 0);
	CHECK_EQ(sched_rr_get_interval(0, &ts), 0);
	CHECK(ts.tv_sec == 0 && ts.tv_nsec == 0);
	pid = fork();
	if (pid == 0)
		_exit(sched_getscheduler(0));
	expect_exit(pid, SCHED_OTHER);
	CHECK_EQ(set_class(0, SCHED_OTHER, 0), 0);
}

static long set_attr(struct attr *a)
{
	return syscall(SYS_sched_setattr, 0, a, 0);
}

static void attributes(void)
{
	struct attr a = { .size = VER0, .policy = SCHED_BATCH, .nice = 4 }, b;
	char more[128] = { 0 };

	CHECK_EQ(set_attr(&a), 0);
	CHECK_EQ(syscall(SYS_sched_getattr, 0, &b, sizeof(b), 0), 0);
	CHECK_EQ(b.policy, SCHED_BATCH);
	CHECK_EQ(b.nice, 4);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 4);
	CHECK_EQ(set_class(0, SCHED_RR, 7), 0);
	CHECK_EQ(syscall(SYS_sched_getattr, 0, &b, sizeof(b), 0), 0);
	CHECK_EQ(b.nice, 0);			/* kept, but without effect now */
	CHECK_EQ(b.priority, 7);
	CHECK_EQ(set_class(0, SCHED_BATCH, 0), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 4);
	CHECK_ERRNO(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &b, VER0 - 1, 0), EINVAL);
	a.size = VER0 - 1;
	CHECK_ERRNO(set_attr(&a), E2BIG);
	a.size = sizeof(more);
	memcpy(more, &a, sizeof(a));
	CHECK_EQ(set_attr((struct attr *)more), 0);
	more[100] = 1;
	CHECK_ERRNO(set_attr((struct attr *)more), E2BIG);
	a.size = VER0;
	a.flags = 1UL << 40;
	CHECK_ERRNO(set_attr(&a), EINVAL);
}

/*
 * Which of several errors is returned, and classes far out of range; the same under every policy.
 */
static void wrong_attributes(void)
{
	struct attr a = { .size = VER0 }, b;
	struct timespec ts;
	struct sched_param param;
	void *nowhere = hidden(64);

	CHECK_ERRNO(sched_setscheduler(0, SCHED_OTHER, nowhere), EFAULT);
	CHECK_ERRNO(sched_setscheduler(-1, SCHED_OTHER, &(struct sched_param){ 0 }), EINVAL);
	CHECK_ERRNO(sched_setparam(1 << 22, nowhere), EFAULT);
	CHECK_ERRNO(sched_setparam(0, NULL), EINVAL);
	CHECK_ERRNO(sched_getparam(1 << 22, nowhere), ESRCH);
	CHECK_ERRNO(sched_getparam(-1, &param), EINVAL);
	CHECK_ERRNO(sched_getparam(0, nowhere), EFAULT);
	CHECK_ERRNO(sched_rr_get_interval(-1, &ts), EINVAL);
	CHECK_ERRNO(sched_rr_get_interval(1 << 22, &ts), ESRCH);
	CHECK_ERRNO(sched_rr_get_interval(0, nowhere), EFAULT);
	CHECK_ERRNO(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setattr, -1, &a, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_setattr, 1 << 22, nowhere, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_sched_setattr, 1 << 22, &a, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 1 << 22, &b, VER0, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, nowhere, VER0, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &b, VER0, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_sched_getattr, 0, &b, 5000, 0), EINVAL);
	for (uint32_t class = 8; class; class *= 2) {
		a.policy = class;
		CHECK_ERRNO(set_attr(&a), EINVAL);
		CHECK_ERRNO(sched_get_priority_min(class), EINVAL);
	}
	a.policy = SCHED_OTHER;
	a.priority = 1;
	CHECK_ERRNO(set_attr(&a), EINVAL);
	a.priority = 0;
	a.nice = 100;
	CHECK_EQ(set_attr(&a), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 19);
	a.nice = 19;
	a.flags = 8;				/* keep the class */
	a.policy = 77;
	CHECK_EQ(set_attr(&a), 0);
	a.policy = 1u << 31;
	CHECK_ERRNO(set_attr(&a), EINVAL);
	a.policy = SCHED_OTHER;
	for (a.flags = 2; a.flags <= 4; a.flags *= 2)	/* without effect here */
		CHECK_EQ(set_attr(&a), 0);
	CHECK_EQ(nice(100), 19);
	CHECK_ERRNO(setpriority(-1, 0, 0), EINVAL);
	CHECK_ERRNO(getpriority(PRIO_PROCESS, -1), ESRCH);
	CHECK_ERRNO(getpriority(PRIO_USER, 99999), ESRCH);
}

static void bad_reservations(void)
{
	static const uint64_t bad[][3] = {
		{ 0, 10000000, 10000000 }, { 1000000, 0, 10000000 },
		{ 1000000, 20000000, 10000000 }, { 3000000, 2000000, 10000000 },
		{ 100, 10000000, 10000000 },
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct attr a = { .size = VER0, .policy = SCHED_DEADLINE, .runtime = bad[i][0],
				  .deadline = bad[i][1], .period = bad[i][2] };

		CHECK_EQ(set_attr(&a), -1);
		CHECK(errno == EINVAL || errno == EPERM);
	}
}

static struct attr six_of_ten_ms = { .size = VER0, .policy = SCHED_DEADLINE, .runtime = 6000000,
				     .deadline = 10000000, .period = 10000000 };

/* Returns how many of many processes get a reservation while they all live. Leaves zombies. */
static int admitted(void)
{
	enum { CHILDREN = 64 };
	int n = 0, fds[2], decided[2];
	siginfo_t info;
	pid_t pids[CHILDREN];
	char c;

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(pipe(decided), 0);
	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			int error = set_attr(&six_of_ten_ms) ? errno : 0;

			CHECK(error == 0 || error == EBUSY);
			close(fds[1]);
			CHECK_EQ(write(decided[1], "x", 1), 1);
			CHECK_EQ(read(fds[0], &c, 1), 0);
			_exit(error == 0);
		}
	}
	for (int i = 0; i < CHILDREN; i++)
		CHECK_EQ(read(decided[0], &c, 1), 1);
	close(fds[1]);
	for (int i = 0; i < CHILDREN; i++) {
		CHECK_EQ(waitid(P_PID, pids[i], &info, WEXITED | WNOWAIT), 0);
		n += info.si_status;
	}
	close(fds[0]);
	close(decided[0]);
	close(decided[1]);
	CHECK(n > 0 && n < CHILDREN);
	return n;
}

static void *count_without_main_thread(void *expected)
{
	await_state(getpid(), 'Z');
	_exit(admitted() == *(int *)expected ? 0 : 1);
}

/* Zombies have given their reservations back, and so has a main thread that others outlive. */
static void reservations(void)
{
	static int n;
	pid_t pid;

	if (set_attr(&six_of_ten_ms)) {
		CHECK(errno == EINVAL || errno == EPERM);
		return;
	}
	CHECK_EQ(sched_getscheduler(0), SCHED_DEADLINE);
	CHECK_ERRNO(fork(), EAGAIN);
	sched_yield();			/* waits for the next period */
	CHECK_EQ(set_class(0, SCHED_OTHER, 0), 0);
	n = admitted();
	CHECK_EQ(admitted(), n);
	pid = fork();
	if (pid == 0) {
		start_thread(count_without_main_thread, &n);
		CHECK_EQ(set_attr(&six_of_ten_ms), 0);
		syscall(SYS_exit, 0);
	}
	expect_exit(pid, 0);
	while (wait(NULL) > 0)
		;
}

static int limit(int resource, unsigned long value)
{
	struct rlimit r = { value, value };

	return setrlimit(resource, &r);
}

/* The limits allow some changes without privileges. */
static void within_limits(void)
{
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, -2), 0);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, -3), EACCES);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), -2);
	CHECK_ERRNO(set_class(0, SCHED_FIFO, 11), EPERM);
	CHECK_EQ(set_class(0, SCHED_RR, 10), 0);
	CHECK_EQ(set_class(0, SCHED_FIFO, 4), 0);
	CHECK_EQ(set_class(0, SCHED_IDLE, 0), 0);
	CHECK_EQ(set_class(0, SCHED_OTHER, 0), 0);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 3), 0);
}

/* A user without privileges may do less, and only to its own processes. */
static void without_privileges(void)
{
	bool raised = !limit(RLIMIT_NICE, 22) && !limit(RLIMIT_RTPRIO, 10);	/* nice -2 */
	cpu_set_t set;

	CHECK_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	CHECK_EQ(setuid(65534), 0);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 3), 0);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, getppid(), 5), EPERM);
	CHECK_ERRNO(sched_setaffinity(getppid(), sizeof(set), &set), EPERM);
	CHECK_ERRNO(set_class(getppid(), SCHED_BATCH, 0), EPERM);
	if (raised)
		within_limits();
	CHECK_EQ(limit(RLIMIT_NICE, 0), 0);
	CHECK_EQ(limit(RLIMIT_RTPRIO, 0), 0);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, 2), EACCES);
	CHECK_ERRNO(setpriority(PRIO_USER, 0, -10), EACCES);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 3);
	CHECK_ERRNO(set_class(0, SCHED_FIFO, 1), EPERM);
	CHECK_EQ(set_class(0, SCHED_BATCH | RESET_ON_FORK, 0), 0);
	CHECK_ERRNO(set_class(0, SCHED_OTHER, 0), EPERM);
	CHECK_EQ(set_class(0, SCHED_IDLE | RESET_ON_FORK, 0), 0);
	CHECK_ERRNO(set_class(0, SCHED_OTHER | RESET_ON_FORK, 0), EPERM);
}

static const struct test_case cases[] = {
	CASE(bounds),
	CASE(wrong_arguments),
	CASE(normal_classes),
	CASE(changes_are_no_switches),
	CASE(preemptions_of_children),
	CASE(niceness),
	CASE(niceness_of_a_user),
	CASE(niceness_of_a_group),
	CASE(reset_on_fork),
	CASE(real_time),
	CASE(attributes),
	CASE(wrong_attributes),
	CASE(without_privileges),
	CASE(bad_reservations),
	CASE(reservations),
};

TEST_MAIN(cases)
