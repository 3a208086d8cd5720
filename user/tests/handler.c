/*
 * Signal handlers: when they run, on which stack, with which arguments, and what they must not
 * change.
 */
#include "handler.h"

static void runs_before_the_call_returns(void)
{
	struct sigaction old;

	handle(SIGUSR1, count, 0);
	CHECK_EQ(sigaction(SIGUSR1, NULL, &old), 0);
	CHECK(old.sa_handler == count);
	CHECK_EQ(raise(SIGUSR1), 0);
	CHECK(calls == 1 && calls_of[SIGUSR1] == 1);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	CHECK_EQ(calls, 2);
	block(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK_EQ(calls, 2);
	unblock(SIGUSR1);
	CHECK_EQ(calls, 3);		/* two signals merged into one */
}

static volatile sig_atomic_t depth, deepest, was_blocked;

static void nests(int sig)
{
	if (++depth > deepest)
		deepest = depth;
	was_blocked |= is_blocked(sig);
	if (calls++ == 0)
		raise(sig);
	depth--;
}

static void raises_the_other(int sig)
{
	if (sig == SIGUSR1)
		raise(SIGUSR2);
	nests(sig);
}

static void masks_itself_and_what_it_says(void)
{
	struct sigaction act = { .sa_handler = raises_the_other };

	handle(SIGUSR1, nests, 0);
	raise(SIGUSR1);
	CHECK(calls == 2 && deepest == 1 && was_blocked == 1);
	CHECK(!is_blocked(SIGUSR1));
	calls = deepest = was_blocked = 0;
	handle(SIGUSR1, nests, SA_NODEFER);
	raise(SIGUSR1);
	CHECK(calls == 2 && deepest == 2 && was_blocked == 0);
	calls = deepest = was_blocked = 0;
	calls = 1;
	handle(SIGUSR2, nests, 0);
	act.sa_mask = set_of(SIGUSR2);
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	CHECK(calls == 3 && deepest == 1 && !is_blocked(SIGUSR2));
}

static void once_if_it_wants(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		handle(SIGTERM, count, SA_RESETHAND);
		raise(SIGTERM);
		CHECK_EQ(calls, 1);
		raise(SIGTERM);
		_exit(1);
	}
	expect_signal(pid, SIGTERM);
}

static void says_who_and_why(void)
{
	siginfo_t info;
	pid_t pid;

	handle_info(SIGUSR1);
	handle_info(SIGCHLD);
	raise(SIGUSR1);
	info = info_of(SIGUSR1, 1);
	CHECK(info.si_code == SI_TKILL && info.si_pid == getpid());
	pid = fork();
	if (pid == 0)
		_exit(kill(getppid(), SIGUSR1) ? 1 : 7);
	info = info_of(SIGUSR1, 2);
	CHECK(info.si_code == SI_USER && info.si_pid == pid);
	info = info_of(SIGCHLD, 1);
	CHECK(info.si_code == CLD_EXITED && info.si_pid == pid && info.si_status == 7);
	expect_exit(pid, 7);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	kill(pid, SIGKILL);
	info = info_of(SIGCHLD, 2);
	CHECK(info.si_code == CLD_KILLED && info.si_status == SIGKILL);
	expect_signal(pid, SIGKILL);
}

static volatile char *page;

static void allow_writing(int sig, siginfo_t *info, void *context)
{
	note_info(sig, info, context);
	CHECK_EQ(mprotect((char *)page, 4096, PROT_READ | PROT_WRITE), 0);
}

/* The instruction is tried again when the handler returns. */
static void faults_can_be_mended(void)
{
	struct sigaction act = { .sa_sigaction = allow_writing, .sa_flags = SA_SIGINFO };

	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(sigaction(SIGSEGV, &act, NULL), 0);
	page[123] = 45;
	CHECK(page[123] == 45 && calls == 1);
	CHECK(infos[SIGSEGV].si_addr == page + 123 && infos[SIGSEGV].si_code == SEGV_ACCERR);
	CHECK_EQ(munmap((char *)page, 4096), 0);
	handle_info(SIGSEGV);
}

static void no_page(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	_exit(info->si_addr == hidden(8) && info->si_code == SEGV_MAPERR ? 5 : 6);
}

static void faults_say_where(void)
{
	struct sigaction act = { .sa_sigaction = no_page, .sa_flags = SA_SIGINFO };
	pid_t pid = fork();

	if (pid == 0) {
		CHECK_EQ(sigaction(SIGSEGV, &act, NULL), 0);
		*(volatile int *)hidden(8) = 1;
		_exit(1);
	}
	expect_exit(pid, 5);
}

/* An instruction that is none, and a breakpoint, after which a program would go on. */
#if defined(__x86_64__)
#define ILLEGAL		"ud2"
#define ILLEGAL_CODE	ILL_ILLOPN
#define BREAKPOINT	"int3"
#define BREAKPOINT_CODE	SI_KERNEL
#else
#define ILLEGAL		"unimp"
#define ILLEGAL_CODE	ILL_ILLOPC
#define BREAKPOINT	"ebreak"
#define BREAKPOINT_CODE	TRAP_BRKPT
#endif

extern char illegal_here[], breakpoint_here[];

static void exit_with_code(int sig, siginfo_t *info, void *context)
{
	void *at = sig == SIGILL ? illegal_here : breakpoint_here;

	(void)context;
	if (info->si_code == SI_KERNEL)
		at = NULL;
	_exit(info->si_addr == at ? info->si_code : 200);
}

static void exceptions_say_which_and_where(void)
{
	struct sigaction act = { .sa_sigaction = exit_with_code, .sa_flags = SA_SIGINFO };
	pid_t pid;

	CHECK(sigaction(SIGILL, &act, NULL) == 0 && sigaction(SIGTRAP, &act, NULL) == 0);
	pid = fork();
	if (pid == 0)
		__asm__ volatile("illegal_here: " ILLEGAL);
	expect_exit(pid, ILLEGAL_CODE);
	pid = fork();
	if (pid == 0)
		__asm__ volatile("breakpoint_here: " BREAKPOINT);
	expect_exit(pid, BREAKPOINT_CODE);
	signal(SIGILL, SIG_DFL);
	signal(SIGTRAP, SIG_DFL);
}

/* Registers, floating point too, are the same after a signal as before, wherever it comes. */
static void interrupted_code_notices_nothing(void)
{
	uint64_t x = 1, y = 1;
	double f = 1, g = 1;
	pid_t pid, self = getpid();

	handle(SIGUSR1, count, SA_RESTART);
	pid = fork();
	if (pid == 0) {
		while (kill(self, SIGUSR1) == 0)
			sched_yield();
		_exit(0);
	}
	while (calls < 50) {
		for (int k = 0; k < 1000; k++) {
			x = x * 6364136223846793005 + 1442695040888963407;
			f = f * 0.999 + 1.5;
		}
		for (int k = 0; k < 1000; k++) {
			y = y * 6364136223846793005 + 1442695040888963407;
			g = g * 0.999 + 1.5;
		}
		CHECK(x == y && f == g);
	}
	kill(pid, SIGKILL);
	expect_signal(pid, SIGKILL);
}

/* --- Stacks, threads, programs --- */

static char other_stack[32768] __attribute__((aligned(16)));
static volatile sig_atomic_t on_other_stack;

static void where(int sig)
{
	char here;
	stack_t s;

	on_other_stack = &here >= other_stack && &here < other_stack + sizeof(other_stack);
	CHECK_EQ(sigaltstack(NULL, &s), 0);
	CHECK_EQ(s.ss_flags, on_other_stack ? SS_ONSTACK : 0);
	if (on_other_stack)
		CHECK_ERRNO(sigaltstack(&s, NULL), EPERM);
	if (sig == SIGSEGV)
		_exit(9);
	count(sig);
}

static long recurse(long n)
{
	volatile char frame[1024];

	frame[n % 1024] = n;
	return n < 0 ? 0 : recurse(n + 1) + frame[n % 1024];
}

static void on_a_stack_of_their_own(void)
{
	stack_t s = { .ss_sp = other_stack, .ss_size = sizeof(other_stack) }, old;
	stack_t small = { .ss_sp = other_stack, .ss_size = 100 };
	struct rlimit limit = { 1 << 20, 1 << 20 };
	pid_t pid;

	CHECK_EQ(sigaltstack(NULL, &old), 0);
	CHECK_EQ(old.ss_flags, SS_DISABLE);
	CHECK_ERRNO(sigaltstack(&small, NULL), ENOMEM);
	CHECK_EQ(sigaltstack(&s, NULL), 0);
	handle(SIGUSR1, where, SA_ONSTACK);
	handle(SIGUSR2, where, 0);
	raise(SIGUSR1);
	CHECK(calls == 1 && on_other_stack);
	raise(SIGUSR2);
	CHECK(calls == 2 && !on_other_stack);
	pid = fork();
	if (pid == 0) {			/* the first stack has no room any more */
		setrlimit(RLIMIT_STACK, &limit);
		handle(SIGSEGV, where, SA_ONSTACK);
		_exit(recurse(1) != 0);
	}
	expect_exit(pid, 9);
}

/* If there is no room for the signal frame, the program ends. */
static void no_room_is_death(void)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	pid_t pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_STACK, &limit);
		handle(SIGSEGV, where, 0);
		_exit(recurse(1) != 0);
	}
	expect_signal(pid, SIGSEGV);
}

static _Thread_local volatile sig_atomic_t mine;
static _Atomic int ready, seen;

static void count_mine(int sig)
{
	(void)sig;
	mine++;
	seen++;
}

static void *spin_until_signalled(void *arg)
{
	if (arg)
		unblock(SIGUSR1);
	ready++;
	while (!seen)
		sched_yield();
	return (void *)(long)mine;
}

static void in_the_thread_they_are_for(void)
{
	pthread_t t[3];
	long got[3];

	handle(SIGUSR1, count_mine, 0);
	block(SIGUSR1);
	for (int i = 0; i < 3; i++)
		t[i] = start_thread(spin_until_signalled, i == 1 ? t : NULL);
	while (ready < 3)
		sched_yield();
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);		/* only one thread does not block it */
	for (int i = 0; i < 3; i++)
		got[i] = (long)join_thread(t[i]);
	CHECK(got[0] == 0 && got[1] == 1 && got[2] == 0 && mine == 0);
	ready = seen = 0;
	for (int i = 0; i < 3; i++)
		t[i] = start_thread(spin_until_signalled, (void *)1);
	while (ready < 3)
		sched_yield();
	CHECK_EQ(pthread_kill(t[2], SIGUSR1), 0);
	for (int i = 0; i < 3; i++)
		got[i] = (long)join_thread(t[i]);
	CHECK(got[0] == 0 && got[1] == 0 && got[2] == 1);
}

static void fork_keeps_them_and_exec_does_not(void)
{
	pid_t pid;

	handle(SIGUSR1, count, 0);
	signal(SIGUSR2, SIG_IGN);
	pid = fork();
	if (pid == 0) {
		raise(SIGUSR1);
		_exit(calls == 1 ? 3 : 4);
	}
	expect_exit(pid, 3);
	pid = fork();
	if (pid == 0) {
		execlp("sh", "sh", "-c", "kill -USR2 $$; kill -USR1 $$; exit 1", NULL);
		_exit(99);
	}
	expect_signal(pid, SIGUSR1);
}

static char alternate[32768];

/* In a vfork() child, whose memory is the parent's too. */
static _Noreturn void die_with_a_handler_to_call(void)
{
	struct sigaction action = { .sa_handler = where, .sa_flags = SA_ONSTACK };
	stack_t s = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGHUP);
	sigaddset(&both, SIGUSR1);
	sigaltstack(&s, NULL);
	sigaction(SIGUSR1, &action, NULL);
	sigprocmask(SIG_BLOCK, &both, NULL);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGHUP);
	sigprocmask(SIG_UNBLOCK, &both, NULL);
	_exit(1);
}

/* The lowest signal kills. After that nothing is written for the handler of another. */
static void none_after_the_deadly_one(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		die_with_a_handler_to_call();
	expect_signal(pid, SIGHUP);
	for (size_t i = 0; i < sizeof(alternate); i++)
		CHECK_EQ(alternate[i], 0);
}

static atomic_int sent, taken;

static void note_taken(int sig)
{
	(void)sig;
	taken = 1;
}

/* Returns how often it has looked after the signal was sent, until its handler ran. */
static void *look_until_taken(void *unused)
{
	long looks = 0;

	(void)unused;
	while (!taken)
		looks += sent;
	return (void *)looks;
}

/*
 * A signal interrupts a thread that computes on another CPU: it is not left for the thread's next
 * interrupt, which may be the tick. Looks are counted, so that a slow machine makes no difference.
 */
static void reach_one_that_computes_at_once(void)
{
	enum { ROUNDS = 20, MOST_LOOKS = 100000 };
	long looks = 0;

	signal(SIGUSR1, note_taken);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t begun = now_ns(CLOCK_MONOTONIC);
		pthread_t t;

		sent = taken = 0;
		t = start_thread(look_until_taken, NULL);
		while (now_ns(CLOCK_MONOTONIC) < begun + 500000)
			;
		CHECK_EQ(pthread_kill(t, SIGUSR1), 0);
		sent = 1;
		looks += (long)join_thread(t);
	}
	CHECK(looks < (long)ROUNDS * MOST_LOOKS);
}

static const struct test_case cases[] = {
	CASE(runs_before_the_call_returns),
	CASE(masks_itself_and_what_it_says),
	CASE(once_if_it_wants),
	CASE(says_who_and_why),
	CASE(faults_can_be_mended),
	CASE(faults_say_where),
	CASE(exceptions_say_which_and_where),
	CASE(interrupted_code_notices_nothing),
	CASE(on_a_stack_of_their_own),
	CASE(no_room_is_death),
	CASE(in_the_thread_they_are_for),
	CASE(none_after_the_deadly_one),
	CASE(reach_one_that_computes_at_once),
	CASE(fork_keeps_them_and_exec_does_not),
};

TEST_MAIN(cases)
