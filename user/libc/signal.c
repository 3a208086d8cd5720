/*
 * Signals.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "libc.h"

int killpg(pid_t group, int sig)
{
	return kill(group ? -group : 0, sig);
}

int raise(int sig)
{
	return call(SYS_tgkill, getpid(), gettid(), sig);
}

/* Waits with ppoll() for nothing: riscv64 has no system call of this name. */
int pause(void)
{
	return ppoll(NULL, 0, NULL, NULL);
}

int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct kernel_sigaction new, was = { 0 };

	if (act) {
		new.handler = act->sa_sigaction;
		new.flags = act->sa_flags;
		new.mask = act->sa_mask;
		set_restorer(&new);
	}
	if (call6(SYS_rt_sigaction, sig, (long)(act ? &new : NULL), (long)&was, sizeof(sigset_t),
		  0, 0) < 0)
		return -1;
	if (old) {
		old->sa_sigaction = was.handler;
		old->sa_flags = was.flags;
		old->sa_mask = was.mask;
	}
	return 0;
}

sighandler_t signal(int sig, sighandler_t handler)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;

	return sigaction(sig, &act, &old) ? SIG_ERR : old.sa_handler;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return call6(SYS_rt_sigprocmask, how, (long)set, (long)old, sizeof(*set), 0, 0);
}

int sigpending(sigset_t *set)
{
	return call(SYS_rt_sigpending, (long)set, sizeof(*set), 0);
}

int sigsuspend(const sigset_t *mask)
{
	return call(SYS_rt_sigsuspend, (long)mask, sizeof(*mask), 0);
}

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	return call6(SYS_rt_sigtimedwait, (long)set, (long)info, (long)timeout, sizeof(*set), 0, 0);
}

int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	return sigtimedwait(set, info, NULL);
}

int sigwait(const sigset_t *set, int *sig)
{
	int r;

	do
		r = sigtimedwait(set, NULL, NULL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno;
	*sig = r;
	return 0;
}

int sigqueue(pid_t pid, int sig, const union sigval value)
{
	siginfo_t info = { .si_signo = sig, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value = value;
	return call(SYS_rt_sigqueueinfo, pid, sig, (long)&info);
}

int sigemptyset(sigset_t *set)
{
	*set = 0;
	return 0;
}

int sigfillset(sigset_t *set)
{
	*set = -1UL;
	return 0;
}

int sigaddset(sigset_t *set, int sig)
{
	*set |= 1UL << (sig - 1);
	return 0;
}

int sigdelset(sigset_t *set, int sig)
{
	*set &= ~(1UL << (sig - 1));
	return 0;
}

int sigismember(const sigset_t *set, int sig)
{
	return *set >> (sig - 1) & 1;
}
