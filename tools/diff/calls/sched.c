/* Scheduling: classes, priorities, niceness, affinity, slices. */
#include "diff.h"

#include <pthread.h>

static int p;
static struct linux_sched_attr a;

CASE(ranges)
{
	for (int i = -1; i < 7; i++) {
		V(i);
		T(sched_get_priority_min, i);
		T(sched_get_priority_max, i);
	}
}

CASE(classes)
{
	T(sched_getscheduler, 0);
	T(sched_setscheduler, 0, SCHED_FIFO, num(10));
	T(sched_getscheduler, 0);
	T(sched_getparam, 0, &p);
	V(p);
	T(sched_setscheduler, 0, SCHED_RR, num(99));
	T(sched_setscheduler, 0, SCHED_RR, num(100));
	T(sched_setscheduler, 0, SCHED_RR, num(0));
	T(sched_setscheduler, 0, SCHED_FIFO, num(-1));
	T(sched_setparam, 0, num(50));
	T(sched_getparam, 0, &p);
	V(p);
	T(sched_setparam, 0, num(0));
	T(sched_setscheduler, 0, SCHED_OTHER, num(1));
	T(sched_setscheduler, 0, SCHED_OTHER, num(0));
	T(sched_setparam, 0, num(1));
	T(sched_setparam, 0, num(0));
	T(sched_setscheduler, 0, SCHED_BATCH, num(0));
	T(sched_getscheduler, 0);
	T(sched_setscheduler, 0, SCHED_IDLE, num(0));
	T(sched_getscheduler, 0);
	T(sched_setscheduler, 0, SCHED_IDLE, num(1));
}

CASE(errors)
{
	T(sched_setscheduler, 0, 4, num(0));
	T(sched_setscheduler, 0, 9, num(0));
	T(sched_setscheduler, 0, -1, num(0));
	T(sched_setscheduler, 0, SCHED_DEADLINE, num(0));
	T(sched_setscheduler, 0, SCHED_OTHER, BAD);
	T(sched_setscheduler, 0, SCHED_OTHER, NULL);
	T(sched_setscheduler, -1, SCHED_OTHER, num(0));
	T(sched_setscheduler, 0x7fffffff, SCHED_OTHER, num(0));
	T(sched_setscheduler, 0x7fffffff, 99, num(0));
	T(sched_getscheduler, -1);
	T(sched_getscheduler, 0x7fffffff);
	T(sched_getparam, 0, BAD);
	T(sched_getparam, 0, NULL);
	T(sched_getparam, -1, &p);
	T(sched_getparam, 0x7fffffff, &p);
	T(sched_setparam, -1, num(0));
	T(sched_setparam, 0, NULL);
	T(sched_setparam, 0, BAD);
}

CASE(of_a_reaped_child)
{
	pid_t pid = child();

	if (!pid)
		end(0);
	reap(pid);
	T(sched_getscheduler, pid);
	T(sched_getparam, pid, &p);
	T(sched_setparam, pid, num(0));
	T(sched_setscheduler, pid, SCHED_OTHER, num(0));
	T(sched_rr_get_interval, pid, buf);
	T(sched_getaffinity, pid, 8, buf);
	T(sched_setaffinity, pid, 8, bits(1));
	T(sched_getattr, pid, &a, sizeof(a), 0);
	T(getpriority, PRIO_PROCESS, pid);
	T(setpriority, PRIO_PROCESS, pid, 0);
	T(tkill, pid, 0);
	T(tgkill, pid, pid, 0);
	T(kill, pid, 0);
	T(getpgid, pid);
	T(getsid, pid);
	T(prlimit64, pid, RLIMIT_CPU, NULL, buf);
}

/* Its first thread has exited, and nobody has waited for the process yet. */
static void ask_about(pid_t pid)
{
	T(sched_getscheduler, pid);
	T(sched_getparam, pid, &p);
	V(p);
	T(sched_setparam, pid, num(0));
	T(sched_setscheduler, pid, SCHED_FIFO, num(3));
	T(sched_getscheduler, pid);
	T(sched_setscheduler, pid, SCHED_BATCH, num(0));
	T(sched_rr_get_interval, pid, buf);
	T(sched_getaffinity, pid, 1, buf);
	V(R(sched_getaffinity, pid, 512, buf) > 0);
	T(sched_setaffinity, pid, 8, bits(1));
	V(R(sched_getaffinity, pid, 512, buf) > 0 && buf[0] == 1);
	T(sched_setattr, pid, &a, 0);
	T(sched_getattr, pid, &a, sizeof(a), 0);
	V(a.policy);
	T(setpriority, PRIO_PROCESS, pid, 5);
	T(getpriority, PRIO_PROCESS, pid);
	T(tkill, pid, 0);
	T(tgkill, pid, pid, 0);
	T(tgkill, pid, pid, SIGTERM);
	T(tgkill, pid, pid, SIGKILL);
	T(tgkill, getppid(), pid, 0);
	T(kill, pid, 0);
	T(prlimit64, pid, RLIMIT_CPU, NULL, buf);
}

/* The line of its /proc/PID/status (or of its thread of the same id) that begins with @name. */
static void status_line(pid_t pid, const char *of, const char *name)
{
	static char text[4 * PAGE];
	char path[64], *line;
	long fd, n;

	snprintf(path, sizeof(path), of, pid, pid);
	fd = R(openat, AT_FDCWD, path, O_RDONLY, 0);
	n = fd < 0 ? fd : R(read, fd, text, sizeof(text) - 1);
	if (n < 0) {
		say("%s: %s", of, error_name(-n));
		return;
	}
	R(close, fd);
	text[n] = '\0';
	line = strstr(text, name);
	say("%s: %.*s", of, line ? (int)strcspn(line, "\n") : 4, line ? line : "none");
}

static void ask_proc(pid_t pid)
{
	char path[64];

	status_line(pid, "/proc/%d/status", "State:");
	status_line(pid, "/proc/%d/status", "Threads:");
	status_line(pid, "/proc/%d/task/%d/status", "State:");
	snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, pid);
	T(faccessat, AT_FDCWD, path, F_OK);
}

CASE(of_a_zombie)
{
	pid_t pid = child();

	if (!pid)
		end(0);
	await_state(pid, 'Z');
	ask_about(pid);
	ask_proc(pid);
	V(R(getpgid, pid) == getpgrp());
	V(R(getsid, pid) == getpid());
	reap(pid);
	T(sched_getscheduler, pid);
	T(tkill, pid, 0);
}

/* Its group and its user's processes have it, too. */
CASE(of_a_group_of_a_zombie)
{
	pid_t pid = child();

	if (!pid) {
		Q(setpgid, 0, 0);
		Q(setpriority, PRIO_PROCESS, 0, 3);
		end(0);
	}
	await_state(pid, 'Z');
	T(getpriority, PRIO_PGRP, pid);
	T(setpriority, PRIO_PGRP, pid, 4);
	T(getpriority, PRIO_PROCESS, pid);
	reap(pid);
	T(getpriority, PRIO_PGRP, pid);
}

static void *outlive(void *unused)
{
	pid_t pid = getpid();

	(void)unused;
	await_state(pid, 'Z');
	ask_about(pid);
	ask_proc(pid);
	T(kill, pid, SIGCONT);
	end(7);
}

CASE(of_a_first_thread_that_left)
{
	pid_t pid = child();
	pthread_t other;

	if (!pid) {
		pthread_create(&other, NULL, outlive, NULL);
		R(exit, 0);
	}
	W(reap(pid));
}

CASE(reset_on_fork)
{
	pid_t pid;

	T(sched_setscheduler, 0, SCHED_FIFO | SCHED_RESET_ON_FORK, num(10));
	H(R(sched_getscheduler, 0));
	pid = child();
	if (!pid) {
		T(sched_getscheduler, 0);
		end(0);
	}
	reap(pid);
}

CASE(inherited)
{
	pid_t pid;

	Q(sched_setscheduler, 0, SCHED_BATCH, num(0));
	Q(setpriority, PRIO_PROCESS, 0, 7);
	pid = child();
	if (!pid) {
		T(sched_getscheduler, 0);
		T(getpriority, PRIO_PROCESS, 0);
		end(0);
	}
	reap(pid);
}

CASE(attributes)
{
	T(sched_getattr, 0, &a, sizeof(a), 0);
	V(a.size);
	V(a.policy);
	V(a.nice);
	V(a.priority);
	T(sched_getattr, 0, &a, 48, 0);
	V(a.size);
	T(sched_getattr, 0, &a, 47, 0);
	T(sched_getattr, 0, buf, 200, 0);
	T(sched_getattr, 0, buf, 4097, 0);
	T(sched_getattr, 0, &a, 48, 1);
	T(sched_getattr, 0, BAD, 48, 0);
	T(sched_getattr, -1, &a, 48, 0);
	T(sched_getattr, 0x7fffffff, &a, 48, 0);
	memset(&a, 0, sizeof(a));
	a.size = 48;
	a.nice = 5;
	T(sched_setattr, 0, &a, 0);
	T(getpriority, PRIO_PROCESS, 0);
	T(sched_setattr, 0, &a, 1);
	a.policy = SCHED_FIFO;
	T(sched_setattr, 0, &a, 0);
	a.priority = 5;
	T(sched_setattr, 0, &a, 0);
	T(sched_getscheduler, 0);
	a.policy = SCHED_OTHER;
	T(sched_setattr, 0, &a, 0);
	a.priority = 0;
	a.flags = 0x1000;
	T(sched_setattr, 0, &a, 0);
	a.flags = 0;
	a.size = 47;
	T(sched_setattr, 0, &a, 0);
	V(a.size);
	a.size = 0;
	T(sched_setattr, 0, &a, 0);
	a.nice = 100;
	T(sched_setattr, 0, &a, 0);
	T(getpriority, PRIO_PROCESS, 0);
	T(sched_setattr, 0, NULL, 0);
	T(sched_setattr, 0, BAD, 0);
	T(sched_setattr, -1, &a, 0);
}

CASE(niceness)
{
	T(getpriority, PRIO_PROCESS, 0);
	T(setpriority, PRIO_PROCESS, 0, 5);
	T(getpriority, PRIO_PROCESS, 0);
	T(setpriority, PRIO_PROCESS, 0, 100);
	T(getpriority, PRIO_PROCESS, 0);
	T(setpriority, PRIO_PROCESS, 0, -100);
	T(getpriority, PRIO_PROCESS, 0);
	T(setpriority, PRIO_PGRP, 0, 3);
	T(getpriority, PRIO_PGRP, 0);
	T(getpriority, PRIO_PGRP, 0x7fffffff);
	T(getpriority, PRIO_PROCESS, -1);
	T(getpriority, PRIO_PROCESS, 0x7fffffff);
	T(getpriority, 3, 0);
	T(getpriority, -1, 0);
	T(setpriority, 3, 0, 0);
	T(setpriority, PRIO_PROCESS, 0x7fffffff, 0);
	T(getpriority, PRIO_USER, 12345);
}

CASE(affinity)
{
	unsigned long mask[16];
	long n = R(sched_getaffinity, 0, sizeof(mask), mask);

	V(n > 0 && n % 8 == 0);
	V(mask[0] & 1);
	T(sched_getaffinity, 0, 0, mask);
	T(sched_getaffinity, 0, 7, mask);
	T(sched_getaffinity, 0, 12, mask);
	T(sched_getaffinity, 0, 128, BAD);
	T(sched_getaffinity, -1, 128, mask);
	T(sched_getaffinity, 0x7fffffff, 128, mask);
	T(sched_setaffinity, 0, 8, bits(1));
	Q(sched_getaffinity, 0, 128, mask);
	H(mask[0]);
	T(sched_setaffinity, 0, 8, bits(0));
	T(sched_setaffinity, 0, 0, bits(1));
	T(sched_setaffinity, 0, 8, bits(1UL << 63));
	T(sched_setaffinity, 0, 8, BAD);
	T(sched_setaffinity, 0, 1, bits(1));
	T(sched_setaffinity, -1, 8, bits(1));
	T(sched_setaffinity, 0x7fffffff, 8, bits(1));
	T(sched_setaffinity, 0, 8, bits(-1UL));
}

CASE(affinity_inherited)
{
	unsigned long mask[16] = { 0 };
	pid_t pid;

	Q(sched_setaffinity, 0, 8, bits(1));
	pid = child();
	if (!pid) {
		R(sched_getaffinity, 0, sizeof(mask), mask);
		H(mask[0]);
		end(0);
	}
	reap(pid);
}

CASE(slice)
{
	struct timespec t = { 9, 9 };

	T(sched_rr_get_interval, 0, &t);
	V(t.tv_sec);
	T(sched_rr_get_interval, -1, &t);
	T(sched_rr_get_interval, 0x7fffffff, &t);
	T(sched_rr_get_interval, 0, BAD);
	Q(sched_setscheduler, 0, SCHED_FIFO, num(1));
	T(sched_rr_get_interval, 0, &t);
	V(t.tv_sec);
	V(t.tv_nsec);
	T(sched_yield);
}

/* A class above 13 bits that are a level. */
#define IO(class, level) ((class) << 13 | (level))

static void try_io(int priority)
{
	V(priority);
	T(ioprio_set, 1, 0, priority);
	T(ioprio_get, 1, 0);
	T(ioprio_get, 2, 0);
}

CASE(input_output)
{
	try_io(IO(0, 0));
	try_io(IO(0, 1));
	try_io(IO(1, 3));
	try_io(IO(2, 7));
	try_io(IO(3, 0));
	try_io(IO(4, 0));
	try_io(IO(7, 0));
	T(ioprio_get, 0, 0);
	T(ioprio_get, 4, 0);
	T(ioprio_get, 1, 0x7fffffff);
	T(ioprio_set, 0, 0, IO(2, 0));
	T(ioprio_set, 0, 0, IO(7, 0));
	T(ioprio_set, 1, 0x7fffffff, IO(2, 0));
}

/* Without one of its own it depends on the scheduling, when it is asked of a group. */
CASE(input_output_by_scheduling)
{
	Q(setpriority, PRIO_PROCESS, 0, 12);
	T(ioprio_get, 1, 0);
	T(ioprio_get, 2, 0);
	Q(sched_setscheduler, 0, SCHED_FIFO, num(1));
	T(ioprio_get, 2, 0);
	Q(sched_setscheduler, 0, SCHED_IDLE, num(0));
	T(ioprio_get, 2, 0);
}

CASE(input_output_unprivileged)
{
	pid_t pid;

	Q(ioprio_set, 1, 0, IO(2, 1));
	pid = child();
	if (!pid) {
		T(ioprio_get, 1, 0);
		Q(setresuid, 65533, 65533, 65533);
		T(ioprio_set, 1, 0, IO(1, 0));
		T(ioprio_set, 1, getppid(), IO(2, 5));
		T(ioprio_set, 1, 0, IO(2, 2));
		T(ioprio_set, 3, 0, IO(2, 3));
		T(ioprio_get, 3, 65533);
		end(0);
	}
	Q(wait4, pid, NULL, 0, NULL);
	T(ioprio_get, 1, 0);
}
