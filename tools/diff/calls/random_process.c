/*
 * Steps with signals and children. Most signals that are drawn have a handler that counts. A child
 * either has ended or waits for good: whoever makes it move waits until it has.
 */
#include "random.h"

#define CHILDREN 3

static pid_t children[CHILDREN]; /* 0: none */
static const int sigs[] = { SIGUSR1, SIGUSR2, SIGCHLD, SIGCONT, SIGWINCH, 34, 40 };

void process_prepare(void)
{
	for (size_t i = 0; i < NR_OF(sigs); i++)
		on(sigs[i], SA_RESTART | SA_NOCLDSTOP); /* a stop is told of at any time */
}

static void show_hits(void)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < NR_OF(sigs); i++)
		sum = sum * 16 + hits[sigs[i]] % 16;
	say("  handled %lx", sum);
}

static void do_kill(void)
{
	int sig = PICK(sigs);

	switch (below(3)) {
	case 0:
		answer(R(kill, getpid(), sig), "kill(getpid(), %d)", sig);
		break;
	case 1:
		answer(R(tkill, getpid(), sig), "tkill(gettid(), %d)", sig);
		break;
	default:
		answer(R(kill, getpid(), 0), "kill(getpid(), 0)");
	}
	show_hits();
}

static void do_mask(void)
{
	static const char *const hows[] = { "SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK" };
	int how = below(3);
	unsigned long set = 0, old = 0;

	for (size_t i = 0; i < NR_OF(sigs); i++)
		if (below(2))
			set |= 1UL << (sigs[i] - 1);
	answer(R(rt_sigprocmask, how, &set, &old, 8),
	       "rt_sigprocmask(%s, %#lx, &old, 8)", hows[how],
	       set);
	say("  old %lx", old);
	show_hits();
}

static void do_pending(void)
{
	unsigned long set = 0;

	answer(R(rt_sigpending, &set, 8), "rt_sigpending(&set, 8)");
	say("  set %lx", set);
}

static void do_action(void)
{
	int sig = PICK(sigs), which = below(8);

	if (which == 0)
		signal(sig, SIG_IGN);
	else if (which == 1 && (sig == SIGCONT || sig == SIGWINCH))
		signal(sig, SIG_DFL);
	else
		on(sig, (which & 1 ? SA_RESTART : SA_NODEFER) | SA_NOCLDSTOP);
	say("action of %d: %s", sig, which == 0 ? "SIG_IGN" : "another");
}

static void do_sigwait(void)
{
	unsigned long set = 0;
	siginfo_t info = { 0 };

	for (size_t i = 0; i < NR_OF(sigs); i++)
		if (below(2))
			set |= 1UL << (sigs[i] - 1);
	answer(R(rt_sigtimedwait, &set, &info, ts(0, 0), 8),
	       "rt_sigtimedwait(%#lx, &info, 0, 8)", set);
	say("  code %d", info.si_code);
}

/* Waits until @pid has ended (stopped, gone on), and leaves it to be found so. */
static void settle(pid_t pid, int what)
{
	siginfo_t info;

	while (R(waitid, P_PID, pid, &info, what | WNOWAIT, NULL) == -EINTR)
		;
}

/* Until /proc has one of @letters for @pid, or does not have it. */
static void await_one_of(pid_t pid, const char *letters)
{
	char s;

	while ((s = state_of(pid)) && !strchr(letters, s))
		sched_yield();
}

static void do_fork(void)
{
	unsigned i = below(CHILDREN), code = below(4), stays = below(2);
	pid_t pid;

	if (children[i]) {
		say("child %u is there", i);
		return;
	}
	pid = child();
	if (!pid) {
		while (stays)
			R(ppoll, NULL, 0, NULL, NULL, 8);
		end(code);
	}
	children[i] = pid;
	if (stays)
		await_blocked(pid);
	else
		settle(pid, WEXITED);
	say("child %u: %s %u", i, stays ? "waits" : "exits with", stays ? 0 : code);
	show_hits();
}

static void do_child_signal(void)
{
	static const int what[] = { SIGSTOP, SIGCONT, SIGKILL, 0 };
	unsigned i = below(CHILDREN);
	int sig = PICK(what);
	long r;

	if (!children[i]) {
		say("child %u is not there", i);
		return;
	}
	r = R(kill, children[i], sig);
	if (r == 0 && sig == SIGKILL)
		settle(children[i], WEXITED);
	else if (r == 0 && sig)
		await_one_of(children[i], sig == SIGSTOP ? "TZ" : "SZ");
	answer(r, "kill(child %u, %d)", i, sig);
}

static void do_wait(void)
{
	unsigned i = below(CHILDREN);
	int status = 0, options = below(8);
	long r, flags = WNOHANG | (options & 1 ? WUNTRACED : 0) | (options & 2 ? WCONTINUED : 0);

	if (!children[i]) {
		say("wait4(-1, WNOHANG) has nobody to ask for");
		return;
	}
	r = R(wait4, children[i], &status, flags, NULL);
	answer(r > 0 ? (long)i : r, "wait4(child %u, &status, %#lx, NULL)", i, flags);
	if (r > 0) {
		say_status("  status", status);
		if ((status & 0xff) != 0x7f && status != 0xffff)
			children[i] = 0;
	}
}

/* Any step, done by a copy of us that then ends. */
static void do_in_child(void)
{
	static int depth;
	pid_t pid;

	if (depth++) {
		depth--;
		return;
	}
	say("in a child:");
	pid = child();
	if (!pid) {
		memset(children, 0, sizeof(children));
		do_step();
		end(0);
	}
	W(reap(pid));
	show_hits();
	depth--;
}

const struct step process_steps[] = {
	{ "kill", do_kill, 6 },
	{ "mask", do_mask, 5 },
	{ "pending", do_pending, 2 },
	{ "action", do_action, 3 },
	{ "sigwait", do_sigwait, 3 },
	{ "fork", do_fork, 4 },
	{ "child", do_child_signal, 4 },
	{ "wait", do_wait, 4 },
	{ "in_child", do_in_child, 6 },
	END_OF_STEPS,
};
