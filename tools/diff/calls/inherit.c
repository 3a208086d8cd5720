/* A child's inheritance: what it gets, what is shared with it, and what is its own. */
#include "diff.h"

CASE(umask)
{
	Q(umask, 027);
	if (!child()) {
		T(umask, 0);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(umask, 0);
}

CASE(descriptors)
{
	Q(dup3, 0, 9, O_CLOEXEC);
	if (!child()) {
		T(fcntl, 9, F_GETFD);
		T(close, 9);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(fcntl, 9, F_GETFD);
}

CASE(status_flags_are_shared)
{
	Q(dup3, 0, 9, 0);
	if (!child()) {
		T(fcntl, 9, F_SETFL, O_APPEND);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	O(R(fcntl, 9, F_GETFL) & O_APPEND);
}

CASE(descriptor_flags_are_not)
{
	Q(dup3, 0, 9, 0);
	if (!child()) {
		T(fcntl, 9, F_SETFD, 1);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(fcntl, 9, F_GETFD);
}

CASE(folder)
{
	Q(mkdirat, AT_FDCWD, "d", 0755);
	if (!child()) {
		T(chdir, "d");
		T(faccessat, AT_FDCWD, "d", F_OK);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(faccessat, AT_FDCWD, "d", F_OK);
}

CASE(mask)
{
	block(SIGUSR1);
	if (!child()) {
		unsigned long set;

		T(rt_sigprocmask, SIG_BLOCK, NULL, &set, 8);
		H(set);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
}

CASE(actions)
{
	on(SIGUSR1, 0);
	if (!child()) {
		T(kill, getpid(), SIGUSR1);
		V(hits[SIGUSR1]);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	V(hits[SIGUSR1]);
}

CASE(alternate_stack)
{
	stack_t s = { .ss_sp = buf, .ss_size = 2 * PAGE };

	Q(sigaltstack, &s, NULL);
	if (!child()) {
		T(sigaltstack, NULL, &s);
		V(s.ss_size);
		V(s.ss_flags);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
}

CASE(niceness)
{
	Q(setpriority, PRIO_PROCESS, 0, 3);
	if (!child()) {
		T(getpriority, PRIO_PROCESS, 0);
		T(setpriority, PRIO_PROCESS, 0, 9);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(getpriority, PRIO_PROCESS, 0);
}

CASE(name)
{
	char name[16];

	Q(prctl, PR_SET_NAME, "parent");
	if (!child()) {
		T(prctl, PR_GET_NAME, name);
		S(name);
		T(prctl, PR_SET_NAME, "child");
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(prctl, PR_GET_NAME, name);
	S(name);
}

CASE(no_new_privileges)
{
	Q(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!child()) {
		T(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
}

CASE(death_signal)
{
	int sig;

	Q(prctl, PR_SET_PDEATHSIG, SIGUSR1);
	if (!child()) {
		T(prctl, PR_GET_PDEATHSIG, &sig);
		V(sig);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	T(prctl, PR_GET_PDEATHSIG, &sig);
	V(sig);
}

CASE(heap)
{
	long b = R(brk, 0);

	Q(brk, b + PAGE);
	if (!child()) {
		V(R(brk, 0) - b);
		V(R(brk, b + 4 * PAGE) - b);
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	V(R(brk, 0) - b);
}

CASE(session)
{
	if (!child()) {
		V(R(getsid, 0) == getppid());
		V(R(getpgid, 0) == getppid());
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
}

CASE(group_changes)
{
	pid_t group = getpgrp();

	if (!child()) {
		R(setpgid, 0, 0);
		V(getpgrp() == getpid());
		end(0);
	}
	Q(wait4, -1, NULL, 0, NULL);
	V(getpgrp() == group);
}
