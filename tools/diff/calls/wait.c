/* Children: how they end, stop and go on, and what the parent is told. */
#include "diff.h"

static int status;
static siginfo_t info;

static void forget(void)
{
	memset(&info, 0, sizeof(info));
	status = -1;
}

static pid_t ended(int code)
{
	pid_t pid = child();

	if (!pid)
		end(code);
	await_state(pid, 'Z');
	return pid;
}

static pid_t waiting(void)
{
	pid_t pid = child();

	if (!pid)
		for (;;)
			R(ppoll, NULL, 0, NULL, NULL, 8);
	await_blocked(pid);
	return pid;
}

static void show(const char *what)
{
	say("%s: signo %d code %d status %d", what, info.si_signo, info.si_code, info.si_status);
}

CASE(none)
{
	T(wait4, -1, &status, 0, NULL);
	T(wait4, -1, &status, WNOHANG, NULL);
	T(wait4, 0, &status, 0, NULL);
	T(wait4, getpid(), &status, 0, NULL);
	T(wait4, 1, &status, 0, NULL);
	T(wait4, -getpid(), &status, 0, NULL);
	T(wait4, 0x80000000, &status, 0, NULL);
	T(wait4, -1, &status, 0x100, NULL);
	T(wait4, -1, BAD, 0, BAD);
	T(waitid, P_ALL, 0, &info, WEXITED, NULL);
	T(waitid, P_ALL, 0, &info, 0, NULL);
	T(waitid, P_PID, 0, &info, WEXITED, NULL);
	T(waitid, P_PID, -1, &info, WEXITED, NULL);
	T(waitid, P_PGID, -1, &info, WEXITED, NULL);
	T(waitid, P_PGID, 0, &info, WEXITED, NULL);
	T(waitid, P_PIDFD, 77, &info, WEXITED, NULL);
	T(waitid, 9, 1, &info, WEXITED, NULL);
	T(waitid, P_ALL, 0, &info, WEXITED | 0x100, NULL);
}

CASE(exit_codes)
{
	W(reap(ended(0)));
	W(reap(ended(255)));
	W(reap(ended(256)));
	W(reap(ended(-1)));
	W(reap(ended(0x1234)));
}

CASE(not_yet)
{
	pid_t pid = waiting();

	forget();
	T(wait4, pid, &status, WNOHANG, NULL);
	V(status);
	T(waitid, P_PID, pid, &info, WEXITED | WNOHANG, NULL);
	show("info");
	T(wait4, pid, BAD, WNOHANG, NULL);
	Q(kill, pid, SIGKILL);
	V(R(wait4, pid, &status, 0, NULL) == pid);
	W(status);
}

CASE(waitid_exit)
{
	pid_t pid = ended(7);

	forget();
	T(waitid, P_PID, pid, &info, WEXITED | WNOWAIT, NULL);
	show("info");
	V(info.si_pid == pid);
	V(info.si_uid);
	T(waitid, P_PID, pid, &info, WSTOPPED | WNOHANG, NULL);
	T(waitid, P_PID, pid, BAD, WEXITED | WNOWAIT, NULL);
	T(waitid, P_PID, pid, NULL, WEXITED, NULL);
	T(waitid, P_PID, pid, NULL, WEXITED, NULL);
}

CASE(waitid_killed)
{
	pid_t pid = waiting();

	forget();
	Q(kill, pid, SIGTERM);
	T(waitid, P_ALL, 0, &info, WEXITED, NULL);
	show("info");
}

CASE(waitid_aborted)
{
	pid_t pid = waiting();

	forget();
	Q(kill, pid, SIGABRT);
	T(waitid, P_ALL, 0, &info, WEXITED, NULL);
	show("info");
}

CASE(bad_status_address)
{
	pid_t pid = ended(7);

	T(wait4, pid, BAD, 0, NULL);
	T(wait4, pid, &status, 0, NULL);
	pid = ended(8);
	T(wait4, pid, &status, 0, BAD);
	T(wait4, pid, &status, 0, NULL);
}

CASE(stopped)
{
	pid_t pid = waiting();

	Q(kill, pid, SIGSTOP);
	V(R(wait4, pid, &status, WUNTRACED, NULL) == pid);
	W(status);
	T(wait4, pid, &status, WUNTRACED | WNOHANG, NULL);
	Q(kill, pid, SIGCONT);
	V(R(wait4, pid, &status, WCONTINUED, NULL) == pid);
	W(status);
	T(wait4, pid, &status, WCONTINUED | WNOHANG, NULL);
	Q(kill, pid, SIGKILL);
	W(reap(pid));
}

CASE(stopped_waitid)
{
	pid_t pid = waiting();

	forget();
	Q(kill, pid, SIGTSTP);
	Q(kill, pid, SIGSTOP);
	T(waitid, P_PID, pid, &info, WSTOPPED | WNOWAIT, NULL);
	show("info");
	T(waitid, P_PID, pid, &info, WSTOPPED, NULL);
	T(waitid, P_PID, pid, &info, WSTOPPED | WNOHANG, NULL);
	Q(kill, pid, SIGCONT);
	T(waitid, P_PID, pid, &info, WCONTINUED, NULL);
	show("info");
	Q(kill, pid, SIGKILL);
	W(reap(pid));
}

CASE(stopped_then_killed)
{
	pid_t pid = waiting();

	Q(kill, pid, SIGSTOP);
	await_state(pid, 'T');
	Q(kill, pid, SIGTERM);
	Q(kill, pid, SIGKILL);
	await_state(pid, 'Z');
	V(R(wait4, pid, &status, WUNTRACED | WCONTINUED, NULL) == pid);
	W(status);
}

CASE(continued_not_stopped)
{
	pid_t pid = waiting();

	Q(kill, pid, SIGCONT);
	T(wait4, pid, &status, WCONTINUED | WNOHANG, NULL);
	Q(kill, pid, SIGKILL);
	W(reap(pid));
}

CASE(child_signal)
{
	pid_t pid;

	block(SIGCHLD);
	pid = ended(3);
	forget();
	T(rt_sigtimedwait, bits(1UL << (SIGCHLD - 1)), &info, ts(5, 0), 8);
	show("info");
	V(info.si_pid == pid);
	W(reap(pid));
	pid = waiting();
	Q(kill, pid, SIGSTOP);
	T(rt_sigtimedwait, bits(1UL << (SIGCHLD - 1)), &info, ts(5, 0), 8);
	show("info");
	Q(kill, pid, SIGCONT);
	T(rt_sigtimedwait, bits(1UL << (SIGCHLD - 1)), &info, ts(5, 0), 8);
	show("info");
	Q(kill, pid, SIGKILL);
	T(rt_sigtimedwait, bits(1UL << (SIGCHLD - 1)), &info, ts(5, 0), 8);
	show("info");
	W(reap(pid));
}

CASE(no_stop_signal)
{
	unsigned long set;
	pid_t pid;

	on(SIGCHLD, SA_NOCLDSTOP);
	block(SIGCHLD);
	pid = waiting();
	Q(kill, pid, SIGSTOP);
	await_state(pid, 'T');
	T(rt_sigpending, &set, 8);
	H(set);
	Q(kill, pid, SIGKILL);
	Q(waitid, P_PID, pid, NULL, WEXITED | WNOWAIT, NULL);	/* the signal is sent by then */
	T(rt_sigpending, &set, 8);
	H(set);
}

CASE(ignored_children_are_not_kept)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = child();
	if (!pid)
		end(1);
	T(wait4, pid, &status, 0, NULL);
	pid = child();
	if (!pid)
		end(1);
	T(wait4, -1, &status, 0, NULL);
}

/* Only those that end with SIGCHLD are not kept. */
CASE(ignored_with_another_signal)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = Q(clone, 0, 0, 0, 0, 0);
	if (!pid)
		end(4);
	V(R(wait4, pid, &status, __WCLONE, NULL) == pid);
	W(status);
}

CASE(no_wait_flag)
{
	pid_t pid;

	on(SIGCHLD, SA_NOCLDWAIT | SA_RESTART);
	pid = child();
	if (!pid)
		end(1);
	T(wait4, pid, &status, 0, NULL);
	V(hits[SIGCHLD]);
}

CASE(by_group)
{
	pid_t pid = waiting(), other = waiting();

	T(setpgid, pid, 0);
	T(setpgid, other, pid);
	T(wait4, 0, &status, WNOHANG, NULL);
	Q(kill, -pid, SIGTERM);
	V(R(wait4, -pid, &status, 0, NULL) > 0);
	V(R(waitid, P_PGID, pid, &info, WEXITED, NULL));
	T(wait4, -pid, &status, 0, NULL);
}

CASE(clone_without_signal)
{
	pid_t pid = Q(clone, 0, 0, 0, 0, 0);

	if (!pid)
		end(4);
	T(wait4, pid, &status, 0, NULL);
	T(wait4, -1, &status, 0, NULL);
	V(R(wait4, -1, &status, __WALL, NULL) == pid);
	W(status);
	block(SIGUSR1);
	pid = Q(clone, SIGUSR1, 0, 0, 0, 0);
	if (!pid)
		end(5);
	T(wait4, -1, &status, 0, NULL);
}

CASE(clone_wclone)
{
	pid_t pid = Q(clone, 0, 0, 0, 0, 0);

	if (!pid)
		end(4);
	V(R(wait4, pid, &status, __WCLONE, NULL) == pid);
	W(status);
	pid = ended(5);
	T(wait4, pid, &status, __WCLONE, NULL);
	W(reap(pid));
}

CASE(interrupted)
{
	pid_t pid = waiting();

	on(SIGUSR1, 0);
	Q(prctl, PR_SET_NAME, "diff");
	if (!child()) {
		await_blocked(getppid());
		kill(getppid(), SIGUSR1);
		end(0);
	}
	T(wait4, pid, &status, 0, NULL);
	V(hits[SIGUSR1]);
	Q(kill, pid, SIGKILL);
	W(reap(pid));
}

/* The stop itself ends the wait, before the signal that tells of it does. */
CASE(stop_ends_the_wait)
{
	pid_t pid;

	on(SIGCHLD, 0);
	Q(prctl, PR_SET_NAME, "diff");
	pid = child();
	if (!pid) {
		await_blocked(getppid());
		R(kill, getpid(), SIGSTOP);
		end(0);
	}
	V(R(wait4, pid, &status, WUNTRACED, NULL) == pid);
	W(status);
	V(hits[SIGCHLD]);
	Q(kill, pid, SIGKILL);
	W(reap(pid));
}

CASE(usage_of_children)
{
	struct rusage u;
	pid_t pid = ended(0);

	V(R(wait4, pid, &status, 0, &u) == pid);
	V(u.ru_maxrss > 0);
	V(u.ru_utime.tv_sec);
	T(getrusage, RUSAGE_CHILDREN, &u);
	V(u.ru_maxrss > 0);
	T(getrusage, RUSAGE_SELF, &u);
	T(getrusage, RUSAGE_THREAD, &u);
	T(getrusage, 5, &u);
	T(getrusage, RUSAGE_SELF, BAD);
}

CASE(orphan_has_another_parent)
{
	int p[2];
	char c = 0;
	pid_t pid;

	Q(pipe2, p, 0);
	pid = child();
	if (!pid) {
		pid_t parent = getpid();

		if (!child()) {
			while (getppid() == parent)
				sched_yield();
			c = getppid() > 0;
			R(write, p[1], &c, 1);
			end(0);
		}
		end(0);
	}
	reap(pid);
	T(read, p[0], &c, 1);
	V(c);
	T(wait4, -1, &status, 0, NULL);
}

CASE(subreaper)
{
	int on_off = 9;
	pid_t pid;

	T(prctl, PR_GET_CHILD_SUBREAPER, &on_off);
	V(on_off);
	T(prctl, PR_SET_CHILD_SUBREAPER, 1);
	pid = child();
	if (!pid) {
		if (!child())
			end(6);
		end(0);
	}
	reap(pid);
	V(R(wait4, -1, &status, 0, NULL) > 0);
	W(status);
}

CASE(orphaned_group_is_told)
{
	int p[2];
	pid_t pid;

	Q(pipe2, p, 0);
	pid = child();
	if (!pid) {
		pid_t stopped = child();

		if (!stopped) {
			R(setpgid, 0, 0);
			on(SIGHUP, 0);
			on(SIGCONT, 0);
			R(kill, getpid(), SIGSTOP);
			while (!hits[SIGHUP] || !hits[SIGCONT])
				sched_yield();
			R(write, p[1], "told", 4);
			end(0);
		}
		await_state(stopped, 'T');
		end(0);
	}
	reap(pid);
	Q(close, p[1]);
	T(read, p[0], buf, 10);
	S(buf);
}

CASE(death_of_parent)
{
	int sig = 9, p[2];
	pid_t pid;

	T(prctl, PR_GET_PDEATHSIG, &sig);
	V(sig);
	T(prctl, PR_SET_PDEATHSIG, 65);
	T(prctl, PR_SET_PDEATHSIG, -1);
	Q(pipe2, p, 0);
	pid = child();
	if (!pid) {
		pid = child();
		if (!pid) {
			on(SIGUSR1, 0);
			R(prctl, PR_SET_PDEATHSIG, SIGUSR1);
			R(write, p[1], "r", 1);
			while (!hits[SIGUSR1])
				sched_yield();
			R(write, p[1], "told", 4);
			end(0);
		}
		R(read, p[0], buf, 1);
		end(0);
	}
	reap(pid);
	Q(close, p[1]);
	T(read, p[0], buf, 10);
	S(buf);
}
