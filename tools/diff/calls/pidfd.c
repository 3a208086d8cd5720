/* Processes by descriptors: pidfd_open, CLONE_PIDFD, waiting, polling, signals, descriptors. */
#include "diff.h"

#define NONBLOCK O_NONBLOCK

static int fd, status;
static siginfo_t info;

static pid_t alive(void)
{
	pid_t pid = child();

	if (!pid)
		for (;;)
			R(ppoll, NULL, 0, NULL, NULL, 8);
	await_blocked(pid);
	return pid;
}

static void ended_by(pid_t pid)
{
	Q(kill, pid, SIGKILL);
	await_state(pid, 'Z');
}

CASE(open_errors)
{
	T(pidfd_open, 0, 0);
	T(pidfd_open, -1, 0);
	T(pidfd_open, 0x7fffffff, 0);
	T(pidfd_open, getpid(), 1);
	T(pidfd_open, getpid(), O_CLOEXEC);
	T(pidfd_open, -1, 1);
	T(pidfd_open, 0x7fffffff, 1);
	T(pidfd_open, getpid(), 0);
	T(pidfd_open, getpid(), NONBLOCK);
}

CASE(flags_of_the_file)
{
	fd = Q(pidfd_open, getpid(), 0);
	T(fcntl, fd, F_GETFD);
	O(R(fcntl, fd, F_GETFL) & 3);
	T(read, fd, buf, 8);
	T(write, fd, buf, 8);
	T(lseek, fd, 1, SEEK_SET);
	fd = Q(pidfd_open, getpid(), NONBLOCK);
	O(R(fcntl, fd, F_GETFL) & 04003);
}

static long events(void)
{
	struct pollfd f = { fd, POLLIN, 0 };
	long n = R(ppoll, &f, 1, ts(0, 0), NULL, 8);

	return n > 0 ? f.revents & POLLIN : n;
}

CASE(poll)
{
	pid_t pid = alive();

	fd = Q(pidfd_open, pid, 0);
	V(events());
	Q(kill, pid, SIGSTOP);
	await_state(pid, 'T');
	V(events());
	ended_by(pid);
	V(events());
	reap(pid);
	V(events());
}

CASE(poll_waits)
{
	struct pollfd f = { 0, POLLIN, 0 };
	pid_t pid = alive(), other;

	f.fd = fd = Q(pidfd_open, pid, 0);
	other = getpid();
	if (!child()) {
		await_blocked(other);
		kill(pid, SIGTERM);
		end(0);
	}
	T(ppoll, &f, 1, NULL, NULL, 8);
	V(f.revents);
	W(reap(pid));
}

CASE(wait)
{
	pid_t pid = alive();

	fd = Q(pidfd_open, pid, 0);
	T(waitid, P_PIDFD, fd, &info, WEXITED | WNOHANG, NULL);
	V(info.si_pid);
	ended_by(pid);
	T(waitid, P_PIDFD, fd, &info, WEXITED | WNOWAIT, NULL);
	V(info.si_pid == pid);
	T(waitid, P_PIDFD, fd, &info, WEXITED, NULL);
	V(info.si_code);
	V(info.si_status);
	T(waitid, P_PIDFD, fd, &info, WEXITED, NULL);
}

CASE(wait_without_blocking)
{
	pid_t pid = alive();

	fd = Q(pidfd_open, pid, NONBLOCK);
	T(waitid, P_PIDFD, fd, &info, WEXITED, NULL);
	T(waitid, P_PIDFD, fd, &info, WEXITED | WNOHANG, NULL);
	ended_by(pid);
	T(waitid, P_PIDFD, fd, &info, WEXITED, NULL);
}

CASE(wait_errors)
{
	int other = file("f", "");

	fd = Q(pidfd_open, getpid(), 0);
	T(waitid, P_PIDFD, fd, &info, WEXITED, NULL);
	T(waitid, P_PIDFD, other, &info, WEXITED, NULL);
	T(waitid, P_PIDFD, 77, &info, WEXITED, NULL);
	T(waitid, P_PIDFD, -1, &info, WEXITED, NULL);
	T(waitid, P_PIDFD, -1, &info, 0, NULL);
	T(waitid, P_PIDFD, 77, BAD, WEXITED, NULL);
	T(waitid, P_PIDFD, fd, BAD, WEXITED, NULL);
}

CASE(wait_stopped)
{
	pid_t pid = alive();

	fd = Q(pidfd_open, pid, 0);
	Q(kill, pid, SIGSTOP);
	T(waitid, P_PIDFD, fd, &info, WSTOPPED, NULL);
	V(info.si_code);
	Q(kill, pid, SIGCONT);
	T(waitid, P_PIDFD, fd, &info, WCONTINUED, NULL);
	V(info.si_code);
	ended_by(pid);
}

CASE(send_signal)
{
	pid_t pid = alive();

	fd = Q(pidfd_open, pid, 0);
	T(pidfd_send_signal, fd, 0, NULL, 0);
	T(pidfd_send_signal, fd, 65, NULL, 0);
	T(pidfd_send_signal, fd, -1, NULL, 0);
	T(pidfd_send_signal, fd, SIGTERM, NULL, 1 << 20);
	T(pidfd_send_signal, fd, SIGTERM, BAD, 0);
	T(pidfd_send_signal, fd, SIGTERM, NULL, 0);
	await_state(pid, 'Z');
	T(pidfd_send_signal, fd, SIGTERM, NULL, 0);
	W(reap(pid));
	T(pidfd_send_signal, fd, 0, NULL, 0);
	T(pidfd_send_signal, fd, SIGTERM, NULL, 0);
}

CASE(send_info)
{
	pid_t pid = alive();
	siginfo_t send = { .si_signo = SIGUSR1 };
	int own = Q(pidfd_open, getpid(), 0);

	block(SIGUSR1);
	fd = Q(pidfd_open, pid, 0);
	send.si_code = SI_QUEUE;
	T(pidfd_send_signal, fd, SIGUSR2, &send, 0);
	send.si_code = 0;
	T(pidfd_send_signal, fd, SIGUSR1, &send, 0);
	send.si_code = SI_TKILL;
	T(pidfd_send_signal, fd, SIGUSR1, &send, 0);
	T(pidfd_send_signal, own, SIGUSR1, &send, 0);
	T(rt_sigtimedwait, bits(1 << (SIGUSR1 - 1)), &info, ts(0, 0), 8);
	V(info.si_code);
	T(pidfd_send_signal, own, SIGUSR1, NULL, 0);
	T(rt_sigtimedwait, bits(1 << (SIGUSR1 - 1)), &info, ts(0, 0), 8);
	V(info.si_code);
	V(info.si_pid == getpid());
	ended_by(pid);
}

CASE(send_errors)
{
	int other = file("f", "");

	T(pidfd_send_signal, 77, 0, NULL, 0);
	T(pidfd_send_signal, -1, 0, NULL, 0);
	T(pidfd_send_signal, other, 0, NULL, 0);
	T(pidfd_send_signal, 77, 0, BAD, 1 << 20);
	T(pidfd_send_signal, 77, 0, BAD, 0);
}

CASE(send_by_directory)
{
	pid_t pid = alive();
	char name[40];

	snprintf(name, sizeof(name), "/proc/%d", pid);
	fd = Q(openat, AT_FDCWD, name, O_RDONLY | O_DIRECTORY);
	T(pidfd_send_signal, fd, 0, NULL, 0);
	T(pidfd_send_signal, fd, SIGTERM, NULL, 1 << 20);
	T(pidfd_send_signal, Q(openat, AT_FDCWD, name, O_PATH), 0, NULL, 0);
	T(pidfd_send_signal, Q(openat, fd, "task", O_RDONLY), 0, NULL, 0);
	T(pidfd_send_signal, Q(openat, fd, "stat", O_RDONLY), 0, NULL, 0);
	T(pidfd_send_signal, Q(openat, AT_FDCWD, "/proc", O_RDONLY), 0, NULL, 0);
	T(waitid, P_PIDFD, fd, &info, WEXITED, NULL);
	T(pidfd_getfd, fd, 0, 0);
	T(pidfd_send_signal, fd, SIGTERM, NULL, 0);
	W(reap(pid));
	T(pidfd_send_signal, fd, 0, NULL, 0);
}

CASE(get_descriptor)
{
	pid_t pid;
	int p[2];

	Q(pipe2, p, 0);
	Q(dup3, p[1], 20, 0);
	pid = alive();
	Q(close, p[0]);
	fd = Q(pidfd_open, pid, 0);
	T(pidfd_getfd, fd, 19, 0);		/* not the next one that is open */
	T(pidfd_getfd, fd, 21, 0);
	T(kcmp, getpid(), pid, 0, 20, 20);
	T(kcmp, getpid(), pid, 0, 20, 19);
	T(kcmp, pid, getpid(), 0, 19, 20);
	T(pidfd_getfd, fd, p[0], 1);
	T(pidfd_getfd, fd, 99, 0);
	T(pidfd_getfd, fd, -1, 0);
	T(pidfd_getfd, 77, 0, 0);
	T(pidfd_getfd, p[1], 0, 0);
	T(pidfd_getfd, 77, 0, 1);
	T(pidfd_getfd, fd, p[0], 0);
	T(fcntl, p[0], F_GETFD);
	T(write, p[1], "x", 1);
	T(read, p[0], buf, 1);
	ended_by(pid);
	reap(pid);
	T(pidfd_getfd, fd, 0, 0);
}

CASE(clone)
{
	int got = -5;
	long pid = R(clone, SIGCHLD | CLONE_PIDFD, 0, &got, 0, 0);

	if (!pid)
		end(7);
	V(got);
	T(fcntl, got, F_GETFD);
	T(waitid, P_PIDFD, got, &info, WEXITED, NULL);
	V(info.si_status);
}

CASE(clone_errors)
{
	int got;

	T(clone, SIGCHLD | CLONE_PIDFD | CLONE_PARENT_SETTID, 0, &got, 0, 0);
	T(clone, SIGCHLD | CLONE_PIDFD | 0x400000, 0, &got, 0, 0);
	T(clone, SIGCHLD | CLONE_PIDFD, 0, BAD, 0, 0);
	T(openat, AT_FDCWD, ".", O_RDONLY);
	T(wait4, -1, &status, 0, NULL);
}

CASE(clone3)
{
	int got = -5, tid = 0;
	struct linux_clone_args a = { .flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
				      .exit_signal = SIGCHLD };
	long pid;

	a.pidfd = (uintptr_t)&got;
	a.parent_tid = (uintptr_t)&tid;
	pid = R(clone3, &a, sizeof(a));
	if (!pid)
		end(8);
	V(got);
	V(tid == pid);
	T(waitid, P_PIDFD, got, &info, WEXITED, NULL);
	V(info.si_status);
	a.flags = CLONE_PIDFD;
	a.pidfd = 0;
	T(clone3, &a, sizeof(a));
}

/* --- What two processes share ------------------------------------------------------------ */

enum { OF_FILE, OF_VM, OF_FILES, OF_FS, OF_SIGHAND, OF_IO, OF_SYSVSEM, OF_EPOLL };

/* As the same or not: which of two is before the other is nobody's business. */
static void compare(pid_t pid, int type, int ours, int other)
{
	long r = R(kcmp, getpid(), pid, type, ours, other);

	say("%d: %s", type, r < 0 ? error_name(-r) : r ? "different" : "the same");
}

CASE(compare_with_itself)
{
	int copy = Q(dup, 0), again = Q(openat, AT_FDCWD, "/dev/null", O_RDWR);

	for (int type = OF_VM; type <= OF_SYSVSEM; type++)
		compare(getpid(), type, 0, 0);
	compare(getpid(), OF_FILE, 0, 0);
	compare(getpid(), OF_FILE, 0, copy);
	compare(getpid(), OF_FILE, 0, again);
	compare(getpid(), OF_FILE, 0, 77);
	compare(getpid(), OF_FILE, 77, 0);
	compare(getpid(), OF_FILE, -1, 0);
	compare(getpid(), 8, 0, 0);
	compare(getpid(), -1, 0, 0);
	compare(0x7fffffff, OF_VM, 0, 0);
	compare(0, OF_VM, 0, 0);
	compare(-1, OF_VM, 0, 0);
	V(R(kcmp, getpid(), getpid(), OF_FILE, 0, again) +
	  R(kcmp, getpid(), getpid(), OF_FILE, again, 0));
}

CASE(compare_with_a_child)
{
	pid_t pid = child();

	if (!pid)
		for (;;)
			pause();
	for (int type = OF_VM; type <= OF_SYSVSEM; type++)
		compare(pid, type, 0, 0);
	compare(pid, OF_FILE, 0, 0);
	compare(pid, OF_FILE, 0, 1);
	Q(kill, pid, SIGKILL);
	reap(pid);
	compare(pid, OF_VM, 0, 0);
}

CASE(compare_of_a_user)
{
	pid_t pid = child();

	if (!pid)
		for (;;)
			pause();
	Q(setuid, 5);
	compare(pid, OF_VM, 0, 0);
	compare(getpid(), OF_FILE, 0, 0);
	compare(pid, 8, 0, 0);
}
