/* Handlers that count and note their calls, and masks: for the tests of signals. */
#pragma once

#include "test.h"

static volatile sig_atomic_t calls, calls_of[65];
static volatile siginfo_t infos[65];

static inline void count(int sig)
{
	calls++;
	calls_of[sig]++;
}

static inline void note_info(int sig, siginfo_t *info, void *context)
{
	CHECK(context);
	infos[sig] = *info;
	count(sig);
}

/* Sets @handler, which is of either kind, as @flags say. */
static inline void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = flags };

	sigemptyset(&act.sa_mask);
	CHECK_EQ(sigaction(sig, &act, NULL), 0);
}

static inline void handle_info(int sig)
{
	struct sigaction act = { .sa_sigaction = note_info, .sa_flags = SA_SIGINFO };

	sigemptyset(&act.sa_mask);
	CHECK_EQ(sigaction(sig, &act, NULL), 0);
}

static inline sigset_t set_of(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static inline void block(int sig)
{
	sigset_t set = set_of(sig);

	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
}

static inline void unblock(int sig)
{
	sigset_t set = set_of(sig);

	CHECK_EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

static inline bool is_blocked(int sig)
{
	sigset_t set;

	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &set), 0);
	return sigismember(&set, sig);
}

static inline siginfo_t info_of(int sig, int times)
{
	while (calls_of[sig] < times)
		sched_yield();
	return infos[sig];
}
