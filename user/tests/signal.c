/* Signals as far as they have default actions, can be ignored and can be blocked. */
#include <sys/syscall.h>

#include "test.h"

static void raise_and_stay(int sig)
{
	raise(sig);
	_exit(50);
}

static void default_is_death(void)
{
	static const int sigs[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1,
		SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF,
		SIGSYS
	};

	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		pid_t pid = fork();

		if (pid == 0)
			raise_and_stay(sigs[i]);
		expect_signal(pid, sigs[i]);
	}
}

static void default_is_nothing(void)
{
	static const int sigs[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT };

	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		pid_t pid = fork();

		if (pid == 0)
			raise_and_stay(sigs[i]);
		expect_exit(pid, 50);
	}
}

static void ignored(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(signal(SIGTERM, SIG_IGN) == SIG_DFL);
		raise(SIGTERM);
		CHECK(signal(SIGTERM, SIG_DFL) == SIG_IGN);
		raise_and_stay(SIGTERM);
	}
	expect_signal(pid, SIGTERM);
}

static void kill_cannot_be_ignored(void)
{
	sigset_t all;
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL);
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		raise_and_stay(SIGKILL);
	}
	expect_signal(pid, SIGKILL);
}

static void bad_numbers(void)
{
	CHECK_ERRNO(kill(getpid(), 65), EINVAL);
	CHECK_ERRNO(kill(getpid(), -1), EINVAL);
	CHECK_ERRNO(kill(1 << 22, SIGTERM), ESRCH);
	CHECK_EQ(kill(getpid(), 0), 0);
	CHECK(signal(65, SIG_IGN) == SIG_ERR && errno == EINVAL);
}

static void blocked_stays_pending(void)
{
	sigset_t set, pending;
	pid_t pid = fork();

	if (pid == 0) {
		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
		raise(SIGUSR1);
		CHECK_EQ(sigpending(&pending), 0);
		CHECK(sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGUSR2));
		CHECK_EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
		_exit(1);
	}
	expect_signal(pid, SIGUSR1);
}

static void ignoring_discards_pending(void)
{
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	CHECK_EQ(sigpending(&pending), 0);
	CHECK(!sigismember(&pending, SIGUSR1));
	signal(SIGUSR1, SIG_DFL);
	CHECK_EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

/* SIGNAL2 */
static void stop_and_continue_cancel_each_other(void)
{
	static const int order[] = { SIGTSTP, SIGCONT, SIGTSTP, SIGCONT };
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(kill(getpid(), order[i]), 0);
		CHECK_EQ(sigpending(&pending), 0);
		CHECK_EQ(sigismember(&pending, SIGTSTP), order[i] == SIGTSTP);
		CHECK_EQ(sigismember(&pending, SIGCONT), order[i] == SIGCONT);
	}
	CHECK_EQ(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

static void mask_set_and_read_back(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	CHECK_EQ(sigprocmask(SIG_SETMASK, &set, &old), 0);
	CHECK(!sigismember(&old, SIGUSR1));
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &old), 0);
	CHECK(sigismember(&old, SIGUSR1) && sigismember(&old, SIGTERM));
	CHECK(!sigismember(&old, SIGHUP));
	sigfillset(&set);
	CHECK_EQ(sigprocmask(SIG_SETMASK, &set, NULL), 0);
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &old), 0);
	CHECK(!sigismember(&old, SIGKILL) && !sigismember(&old, SIGSTOP));
	CHECK_ERRNO(sigprocmask(77, &set, NULL), EINVAL);
}

static void fork_inherits_dispositions_not_pending(void)
{
	sigset_t set, pending;
	pid_t pid;

	signal(SIGTERM, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	raise(SIGUSR1);
	pid = fork();
	if (pid == 0) {
		raise(SIGTERM);
		CHECK_EQ(sigpending(&pending), 0);
		CHECK(!sigismember(&pending, SIGUSR1));
		CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &set), 0);
		CHECK(sigismember(&set, SIGUSR1));
		_exit(4);
	}
	expect_exit(pid, 4);
}

static void bad_memory(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		*(int *)hidden(8) = 1;
		_exit(1);
	}
	expect_signal(pid, SIGSEGV);
	pid = fork();
	if (pid == 0) {
		((void (*)(void))hidden(16))();
		_exit(1);
	}
	expect_signal(pid, SIGSEGV);
}

/* The signal of a fault kills even if it is ignored or blocked. */
static void faults_cannot_be_ignored(void)
{
	sigset_t set;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_IGN);
		*(int *)hidden(8) = 1;
		_exit(1);
	}
	expect_signal(pid, SIGSEGV);
	pid = fork();
	if (pid == 0) {
		sigfillset(&set);
		sigprocmask(SIG_BLOCK, &set, NULL);
		*(int *)hidden(8) = 1;
		_exit(1);
	}
	expect_signal(pid, SIGSEGV);
}

static void access_nothing(int how)
{
	if (how == 0)
		*(volatile int *)hidden(8) = 1;
	else if (how == 1)
		(void)*(volatile int *)hidden(8);
	else
		((void (*)(void))hidden(8))();
}

/* Trellis's log tells what ended a process; Linux's has other words for it. */
static void faults_are_told(void)
{
	static const char *const words[] = { "writing to", "reading", "executing" };
	static char log[1 << 16];
	char line[80];

	if (access("/proc/counters", F_OK))
		return;
	for (int how = 0; how < 3; how++) {
		pid_t pid = fork();
		long n;

		if (pid == 0)
			access_nothing(how);
		expect_signal(pid, SIGSEGV);
		n = syscall(SYS_syslog, 3, log, sizeof(log) - 1);	/* 3: read all */
		CHECK(n > 0);
		log[n] = 0;
		snprintf(line, sizeof(line), "[%d]: page fault: %s 0x8 (nothing is mapped there)",
			 pid, words[how]);
		CHECK(strstr(log, line));
	}
}

/* The compiler's trap is an illegal instruction on one port and a breakpoint on the other. */
static void traps(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		__builtin_trap();
	status = status_of(pid);
	CHECK(WIFSIGNALED(status));
	CHECK(WTERMSIG(status) == SIGILL || WTERMSIG(status) == SIGTRAP);
}

static void abort_is_abort(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGABRT, SIG_IGN);
		abort();
	}
	expect_signal(pid, SIGABRT);
}

static void *wait_for_signals(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void one_thread_takes_all_with_it(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < 5; i++)
			start_thread(wait_for_signals, NULL);
		raise(SIGUSR2);		/* goes to this thread */
		_exit(1);
	}
	expect_signal(pid, SIGUSR2);
}

static void signal_to_a_thread(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pthread_t t = start_thread(wait_for_signals, NULL);

		CHECK_EQ(pthread_kill(t, SIGHUP), 0);
		for (;;)
			pause();
	}
	expect_signal(pid, SIGHUP);
}

static volatile long went_down;		/* bit 10 of the flags, on x86_64 */

static void note_direction(int sig)
{
	(void)sig;
#ifdef __x86_64__
	__asm__ volatile("pushfq; popq %0" : "=r"(went_down));
	went_down &= 1 << 10;
#endif
}

/* A handler begins as every function does: string instructions go up (x86-64 ABI 3.2.1). */
static void handlers_go_up(void)
{
	long err = SYS_kill;

	CHECK(signal(SIGUSR1, note_direction) != SIG_ERR);
	went_down = -1;
#ifdef __x86_64__
	__asm__ volatile("std; syscall; cld"
			 : "+a"(err)
			 : "D"(getpid()), "S"(SIGUSR1)
			 : "rcx", "r11", "memory");
#else
	went_down = 0;
	err = kill(getpid(), SIGUSR1);
#endif
	CHECK_EQ(err, 0);
	CHECK_EQ(went_down, 0);
}

static const struct test_case cases[] = {
	CASE(default_is_death),
	CASE(default_is_nothing),
	CASE(ignored),
	CASE(kill_cannot_be_ignored),
	CASE(bad_numbers),
	CASE(blocked_stays_pending),
	CASE(ignoring_discards_pending),
	CASE(stop_and_continue_cancel_each_other),
	CASE(mask_set_and_read_back),
	CASE(fork_inherits_dispositions_not_pending),
	CASE(bad_memory),
	CASE(faults_cannot_be_ignored),
	CASE(faults_are_told),
	CASE(traps),
	CASE(abort_is_abort),
	CASE(one_thread_takes_all_with_it),
	CASE(signal_to_a_thread),
	CASE(handlers_go_up),
};

TEST_MAIN(cases)
