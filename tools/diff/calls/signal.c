/* Signals: actions, masks, sending, waiting, queues, what handlers are given. */
#include "diff.h"

#define BIT(sig) (1UL << ((sig) - 1))

static unsigned long set;
static siginfo_t info;

CASE(action_errors)
{
	struct kernel_sigaction a = { 0 }, old;

	T(rt_sigaction, SIGUSR1, NULL, NULL, 8);
	T(rt_sigaction, SIGUSR1, NULL, &old, 8);
	V(old.handler);
	T(rt_sigaction, 0, NULL, NULL, 8);
	T(rt_sigaction, 65, NULL, NULL, 8);
	T(rt_sigaction, -1, NULL, NULL, 8);
	T(rt_sigaction, SIGKILL, NULL, &old, 8);
	T(rt_sigaction, SIGKILL, &a, NULL, 8);
	T(rt_sigaction, SIGSTOP, &a, NULL, 8);
	T(rt_sigaction, SIGUSR1, &a, NULL, 4);
	T(rt_sigaction, SIGUSR1, &a, NULL, 128);
	T(rt_sigaction, SIGUSR1, BAD, NULL, 8);
	T(rt_sigaction, SIGUSR1, NULL, BAD, 8);
	T(rt_sigaction, 0, BAD, NULL, 8);
	T(rt_sigaction, SIGKILL, BAD, NULL, 8);
	T(rt_sigaction, 64, &a, NULL, 8);
}

CASE(action_read_back)
{
	struct kernel_sigaction a = { 0 }, old;

	a.handler = 1;
	a.flags = SA_RESTART | SA_NODEFER | SA_ONSTACK | SA_SIGINFO | SA_NOCLDSTOP | SA_NOCLDWAIT;
	a.mask = -1UL;
	T(rt_sigaction, SIGUSR1, &a, NULL, 8);
	T(rt_sigaction, SIGUSR1, NULL, &old, 8);
	H(old.handler);
	H(old.flags);
	H(old.mask);
	a.flags = 0x10000000000UL | SA_UNSUPPORTED | 0x80000;
	T(rt_sigaction, SIGUSR1, &a, NULL, 8);
	T(rt_sigaction, SIGUSR1, NULL, &old, 8);
	H(old.flags & 0xfbffffff);
}

CASE(mask)
{
	T(rt_sigprocmask, SIG_BLOCK, bits(BIT(SIGUSR1) | BIT(SIGKILL) | BIT(SIGSTOP)), NULL, 8);
	T(rt_sigprocmask, SIG_BLOCK, NULL, &set, 8);
	H(set);
	T(rt_sigprocmask, SIG_SETMASK, bits(-1UL), &set, 8);
	H(set);
	T(rt_sigprocmask, SIG_UNBLOCK, bits(BIT(SIGHUP)), NULL, 8);
	T(rt_sigprocmask, 99, NULL, &set, 8);
	H(set);
	T(rt_sigprocmask, 99, bits(0), NULL, 8);
	T(rt_sigprocmask, SIG_BLOCK, bits(0), NULL, 4);
	T(rt_sigprocmask, SIG_BLOCK, bits(0), NULL, 16);
	T(rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8);
	T(rt_sigprocmask, SIG_SETMASK, bits(0), BAD, 8);
	T(rt_sigprocmask, SIG_BLOCK, NULL, &set, 8);
	H(set);
	T(rt_sigprocmask, 99, BAD, NULL, 8);
}

CASE(pending)
{
	block(SIGUSR1);
	block(SIGCHLD);
	T(kill, getpid(), SIGUSR1);
	T(kill, getpid(), SIGCHLD);
	T(rt_sigpending, &set, 8);
	H(set);
	T(rt_sigpending, &set, 4);
	T(rt_sigpending, &set, 9);
	T(rt_sigpending, BAD, 8);
	signal(SIGUSR1, SIG_IGN);
	T(rt_sigpending, &set, 8);
	H(set);
	T(kill, getpid(), SIGUSR1);
	T(rt_sigpending, &set, 8);
	H(set);
}

CASE(kill_errors)
{
	pid_t gone = child();

	if (!gone)
		end(0);
	reap(gone);
	T(kill, gone, 0);
	T(kill, gone, SIGTERM);
	T(kill, getpid(), 0);
	T(kill, getpid(), 65);
	T(kill, getpid(), -1);
	T(kill, gone, 65);
	T(kill, 0x7fffffff, 0);
	T(kill, -0x7fffffff, 0);
	T(kill, 0x80000000, 0);
	T(kill, 0, 0);
	T(kill, -getpid(), 0);
	T(tkill, getpid(), 0);
	T(tkill, gone, 0);
	T(tkill, 0, 0);
	T(tkill, -1, 0);
	T(tkill, getpid(), 65);
	T(tgkill, getpid(), getpid(), 0);
	T(tgkill, getpid(), gone, 0);
	T(tgkill, gone, getpid(), 0);
	T(tgkill, 0, getpid(), 0);
	T(tgkill, getpid(), 0, 0);
	T(tgkill, -1, getpid(), 0);
}

CASE(kill_zombie)
{
	pid_t pid = child();

	if (!pid)
		end(0);
	await_state(pid, 'Z');
	T(kill, pid, 0);
	T(kill, pid, SIGTERM);
	W(reap(pid));
}

CASE(default_ends)
{
	static const int sigs[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE,
		SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU,
		SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS, 32, 34, 64,
	};

	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		pid_t pid = child();

		if (!pid) {
			R(kill, getpid(), sigs[i]);
			end(0);
		}
		W(reap(pid));
	}
}

CASE(default_ignores)
{
	static const int sigs[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH };

	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++)
		T(kill, getpid(), sigs[i]);
}

CASE(handler_and_mask)
{
	on(SIGUSR1, 0);
	T(kill, getpid(), SIGUSR1);
	V(hits[SIGUSR1]);
	block(SIGUSR1);
	T(kill, getpid(), SIGUSR1);
	T(kill, getpid(), SIGUSR1);
	V(hits[SIGUSR1]);
	T(rt_sigprocmask, SIG_SETMASK, bits(0), NULL, 8);
	V(hits[SIGUSR1]);
}

CASE(handler_reset)
{
	struct kernel_sigaction old;

	on(SIGUSR1, SA_RESETHAND);
	T(kill, getpid(), SIGUSR1);
	V(hits[SIGUSR1]);
	T(rt_sigaction, SIGUSR1, NULL, &old, 8);
	V(old.handler);
	T(kill, getpid(), SIGUSR1);
}

static unsigned long seen_mask[3];

static void note_mask(int sig)
{
	R(rt_sigprocmask, SIG_BLOCK, NULL, &seen_mask[sig == SIGUSR2], 8);
}

CASE(mask_in_handler)
{
	struct sigaction a = { .sa_handler = note_mask };

	sigaddset(&a.sa_mask, SIGHUP);
	sigaction(SIGUSR1, &a, NULL);
	a.sa_flags = SA_NODEFER;
	sigaction(SIGUSR2, &a, NULL);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR2);
	H(seen_mask[0]);
	H(seen_mask[1]);
	T(rt_sigprocmask, SIG_BLOCK, NULL, &set, 8);
	H(set);
}

static char order[128];

static void note_order(int sig)
{
	snprintf(order + strlen(order), sizeof(order) - strlen(order), " %d", sig);
}

CASE(order_of_delivery)
{
	static const int sigs[] = { 40, SIGUSR2, 36, SIGSEGV, SIGHUP, 35, SIGTERM };

	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		struct sigaction a = { .sa_handler = note_order };

		sigfillset(&a.sa_mask);
		sigaction(sigs[i], &a, NULL);
		block(sigs[i]);
		kill(getpid(), sigs[i]);
	}
	T(rt_sigprocmask, SIG_SETMASK, bits(0), NULL, 8);
	S(order);
}

CASE(real_time_queue)
{
	on(34, 0);
	block(34);
	for (int i = 0; i < 5; i++)
		Q(kill, getpid(), 34);
	T(rt_sigprocmask, SIG_SETMASK, bits(0), NULL, 8);
	V(hits[34]);
}

CASE(queue_values)
{
	siginfo_t send = { 0 };

	block(34);
	send.si_code = SI_QUEUE;
	send.si_value.sival_int = 7;
	T(rt_sigqueueinfo, getpid(), 34, &send);
	send.si_value.sival_int = 8;
	T(rt_sigqueueinfo, getpid(), 34, &send);
	T(rt_sigtimedwait, bits(BIT(34)), &info, NULL, 8);
	V(info.si_signo);
	V(info.si_code);
	V(info.si_value.sival_int);
	T(rt_sigtimedwait, bits(BIT(34)), &info, NULL, 8);
	V(info.si_value.sival_int);
	T(rt_sigqueueinfo, getpid(), 65, &send);
	T(rt_sigqueueinfo, getpid(), 0, &send);
	T(rt_sigqueueinfo, 0x7fffffff, 34, &send);
	T(rt_sigqueueinfo, getpid(), 34, BAD);
	send.si_code = 0;
	T(rt_sigqueueinfo, getpid(), SIGCHLD, &send);
	T(rt_sigqueueinfo, getppid(), 0, &send);
	send.si_code = SI_TKILL;
	T(rt_sigqueueinfo, getppid(), 0, &send);
	T(rt_tgsigqueueinfo, getpid(), getpid(), 0, &send);
}

CASE(queue_limit)
{
	int n = 0;

	Q(prlimit64, 0, RLIMIT_SIGPENDING, lim(5, 5), NULL);
	block(34);
	block(SIGUSR1);
	while (n < 100 && R(kill, getpid(), 34) == 0)
		n++;
	V(n);
	T(kill, getpid(), 34);
	T(kill, getpid(), SIGUSR1);
	T(rt_sigpending, &set, 8);
	H(set);
}

CASE(info_of_kill)
{
	block(SIGUSR1);
	Q(kill, getpid(), SIGUSR1);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1)), &info, ts(0, 0), 8);
	V(info.si_code);
	V(info.si_pid == getpid());
	V(info.si_uid);
	Q(tkill, getpid(), SIGUSR1);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1)), &info, ts(0, 0), 8);
	V(info.si_code);
}

CASE(timedwait)
{
	block(SIGUSR1);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1)), &info, ts(0, 0), 8);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1)), &info, ts(0, 1000), 8);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1)), &info, ts(-1, 0), 8);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1)), &info, ts(0, 1000000000), 8);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1)), &info, ts(0, 0), 4);
	T(rt_sigtimedwait, BAD, &info, ts(0, 0), 8);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1)), &info, BAD, 8);
	Q(kill, getpid(), SIGUSR1);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1)), BAD, ts(0, 0), 8);
	T(rt_sigpending, &set, 8);
	H(set);
	Q(kill, getpid(), SIGUSR1);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1) | BIT(SIGKILL)), NULL, NULL, 8);
	on(SIGUSR2, 0);
	poke(SIGUSR2);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1)), &info, NULL, 8);
	poke(SIGUSR1);
	T(rt_sigtimedwait, bits(BIT(SIGUSR1)), &info, NULL, 8);
}

CASE(suspend)
{
	on(SIGUSR1, 0);
	block(SIGUSR1);
	Q(kill, getpid(), SIGUSR1);
	T(rt_sigsuspend, bits(0), 8);
	V(hits[SIGUSR1]);
	T(rt_sigprocmask, SIG_BLOCK, NULL, &set, 8);
	H(set);
	T(rt_sigsuspend, bits(0), 4);
	T(rt_sigsuspend, BAD, 8);
	poke(SIGUSR1);
	T(rt_sigsuspend, bits(0), 8);
	V(hits[SIGUSR1]);
}

CASE(altstack)
{
	stack_t s = { .ss_sp = buf, .ss_size = 2 * PAGE }, old;

	T(sigaltstack, NULL, &old);
	V(old.ss_flags);
	V(old.ss_size);
	T(sigaltstack, &s, NULL);
	T(sigaltstack, NULL, &old);
	V(old.ss_flags);
	V(old.ss_sp == buf);
	V(old.ss_size);
	s.ss_size = 2047;
	T(sigaltstack, &s, NULL);
	s.ss_flags = 3;
	s.ss_size = PAGE * 2;
	T(sigaltstack, &s, NULL);
	s.ss_flags = 4;
	T(sigaltstack, &s, NULL);
	s.ss_flags = SS_ONSTACK;
	T(sigaltstack, &s, &old);
	s.ss_flags = SS_AUTODISARM;
	T(sigaltstack, &s, &old);
	T(sigaltstack, NULL, &old);
	H(old.ss_flags);
	s.ss_flags = SS_DISABLE;
	s.ss_size = 0;
	T(sigaltstack, &s, NULL);
	T(sigaltstack, NULL, &old);
	V(old.ss_flags);
	V(old.ss_sp == NULL);
	T(sigaltstack, BAD, NULL);
	T(sigaltstack, NULL, BAD);
}

static stack_t seen_stack;
static int on_stack;
static long change;

static void look_at_stack(int sig)
{
	stack_t other = { .ss_sp = buf, .ss_size = 4 * PAGE };

	(void)sig;
	on_stack = (char *)&other >= buf && (char *)&other < buf + sizeof(buf);
	R(sigaltstack, NULL, &seen_stack);
	change = R(sigaltstack, &other, NULL);
}

CASE(altstack_in_use)
{
	stack_t s = { .ss_sp = buf, .ss_size = sizeof(buf) };
	struct sigaction a = { .sa_handler = look_at_stack, .sa_flags = SA_ONSTACK };

	Q(sigaltstack, &s, NULL);
	sigaction(SIGUSR1, &a, NULL);
	kill(getpid(), SIGUSR1);
	V(on_stack);
	V(seen_stack.ss_flags);
	V(change == -EPERM);
}

CASE(stop_discards_continue)
{
	block(SIGCONT);
	block(SIGTSTP);
	Q(kill, getpid(), SIGTSTP);
	Q(kill, getpid(), SIGCONT);
	T(rt_sigpending, &set, 8);
	H(set);
	Q(kill, getpid(), SIGTSTP);
	T(rt_sigpending, &set, 8);
	H(set);
}

CASE(orphaned_group_does_not_stop)
{
	on(SIGCONT, 0);
	T(kill, getpid(), SIGTSTP);
	T(kill, getpid(), SIGTTIN);
	T(kill, getpid(), SIGTTOU);
	V(hits[SIGCONT]);
}

CASE(exec_keeps_ignored)
{
	struct kernel_sigaction old;
	pid_t pid;

	signal(SIGUSR1, SIG_IGN);
	on(SIGUSR2, 0);
	pid = child();
	if (!pid) {
		T(rt_sigaction, SIGUSR1, NULL, &old, 8);
		V(old.handler);
		T(rt_sigaction, SIGUSR2, NULL, &old, 8);
		V(old.handler > 1);
		T(rt_sigpending, &set, 8);
		H(set);
		end(0);
	}
	reap(pid);
}

CASE(pending_not_inherited)
{
	pid_t pid;

	block(SIGUSR1);
	Q(kill, getpid(), SIGUSR1);
	pid = child();
	if (!pid) {
		T(rt_sigpending, &set, 8);
		H(set);
		T(rt_sigprocmask, SIG_BLOCK, NULL, &set, 8);
		H(set);
		end(0);
	}
	reap(pid);
}
