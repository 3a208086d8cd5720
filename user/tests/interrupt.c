/*
 * Signals and waiting: calls that a signal ends or that go on, signals that queue and are waited
 * for, and the signals of children.
 */
#include <poll.h>
#include <semaphore.h>

#include "handler.h"

/* --- Calls that are interrupted --- */

/* Starts a child that signals us again and again when we are asleep, until it is killed. */
static pid_t pester(int sig)
{
	pid_t pid = fork(), parent = getppid();

	if (pid)
		return pid;
	parent = getppid();
	for (;;) {
		await_state(parent, 'S');
		kill(parent, sig);
	}
}

static void leave_alone(pid_t pid)
{
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	kill(pid, SIGKILL);
	expect_signal(pid, SIGKILL);
}

static void waits_are_broken_off(void)
{
	struct timespec hour = { 3600, 0 }, left = { 0, 0 };
	struct pollfd p = { .events = POLLIN };
	int fds[2], status;
	pid_t pid, idle;
	char c;

	CHECK_EQ(pipe(fds), 0);
	p.fd = fds[0];
	handle(SIGUSR1, count, 0);
	idle = fork();
	if (idle == 0)
		for (;;)
			pause();
	pid = pester(SIGUSR1);
	CHECK_ERRNO(read(fds[0], &c, 1), EINTR);
	CHECK_ERRNO(nanosleep(&hour, &left), EINTR);
	CHECK(left.tv_sec > 3000 && left.tv_sec <= 3600);
	CHECK_ERRNO(poll(&p, 1, -1), EINTR);
	CHECK_ERRNO(pause(), EINTR);
	CHECK_ERRNO(waitpid(idle, &status, 0), EINTR);
	CHECK(calls >= 5);
	leave_alone(pid);
	leave_alone(idle);
}

static int wake_fd;

static void write_one(int sig)
{
	count(sig);
	if (calls == 3)
		CHECK_EQ(write(wake_fd, "x", 1), 1);
}

static void or_go_on_if_asked(void)
{
	struct timespec hour = { 3600, 0 };
	int fds[2];
	pid_t pid;
	char c = 0;

	CHECK_EQ(pipe(fds), 0);
	wake_fd = fds[1];
	handle(SIGUSR1, write_one, SA_RESTART);
	pid = pester(SIGUSR1);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK(c == 'x' && calls >= 3);
	CHECK_ERRNO(nanosleep(&hour, NULL), EINTR);	/* nanosleep() is never restarted */
	leave_alone(pid);
}

static void *post_later(void *arg)
{
	while (calls < 3)
		sched_yield();
	sem_post(arg);
	return NULL;
}

static void locks_hold(void)
{
	sem_t sem;
	pthread_t t;
	pid_t pid;

	handle(SIGUSR1, count, SA_RESTART);
	CHECK_EQ(sem_init(&sem, 0, 0), 0);
	t = start_thread(post_later, &sem);
	pid = pester(SIGUSR1);
	while (sem_wait(&sem))
		CHECK_EQ(errno, EINTR);
	CHECK(calls >= 3);
	leave_alone(pid);
	join_thread(t);
}

static void suspend_waits_with_another_mask(void)
{
	sigset_t none;
	pid_t pid;

	sigemptyset(&none);
	handle(SIGUSR1, count, 0);
	block(SIGUSR1);
	raise(SIGUSR1);			/* it comes before the wait, and must still end it */
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK(calls == 1 && is_blocked(SIGUSR1));
	pid = pester(SIGUSR1);
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK(calls == 2 && is_blocked(SIGUSR1));
	leave_alone(pid);
}

/*
 * The process is stopped and continued while the call waits, and the call begins again; but the
 * memory with its mask is gone by then. The thread keeps the mask that it had before.
 */
static void suspend_whose_mask_is_gone(void)
{
	const char *path = temp_path("mask");
	int fd = open(path, O_RDWR | O_CREAT, 0600), status;
	sigset_t *none;
	pid_t pid;

	CHECK(fd >= 0);
	unlink(path);
	CHECK_EQ(ftruncate(fd, sizeof(*none)), 0);
	none = mmap(NULL, sizeof(*none), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(none != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		handle(SIGUSR1, count, 0);
		block(SIGUSR1);
		CHECK_ERRNO(sigsuspend(none), EFAULT);
		CHECK(is_blocked(SIGUSR1));
		unblock(SIGUSR1);
		block(SIGUSR2);
		raise(SIGUSR1);
		CHECK(calls == 1 && is_blocked(SIGUSR2) && !is_blocked(SIGUSR1));
		_exit(7);
	}
	await_state(pid, 'S');
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(ftruncate(fd, 0), 0);
	kill(pid, SIGCONT);
	expect_exit(pid, 7);
	close(fd);
}

/* --- Queues --- */

static int order[8];

static void note_value(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	CHECK(info->si_code == SI_QUEUE && info->si_pid == getpid());
	order[calls++] = info->si_int;
}

static void real_time_ones_queue(void)
{
	struct sigaction act = { .sa_sigaction = note_value, .sa_flags = SA_SIGINFO };

	CHECK_EQ(sigaction(SIGRTMIN + 1, &act, NULL), 0);
	block(SIGRTMIN + 1);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = i * i }), 0);
	unblock(SIGRTMIN + 1);
	CHECK_EQ(calls, 5);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(order[i], i * i);
}

static void taken_without_a_handler(void)
{
	struct timespec none = { 0, 0 }, hour = { 3600, 0 };
	sigset_t set = set_of(SIGUSR1);
	siginfo_t info;
	pid_t pid;
	int sig;

	block(SIGUSR1);
	CHECK_ERRNO(sigtimedwait(&set, &info, &none), EAGAIN);
	raise(SIGUSR1);
	CHECK_EQ(sigtimedwait(&set, &info, &none), SIGUSR1);
	CHECK_EQ(info.si_signo, SIGUSR1);
	pid = pester(SIGUSR1);
	CHECK_EQ(sigtimedwait(&set, &info, &hour), SIGUSR1);
	CHECK_EQ(info.si_pid, pid);
	CHECK(sigwait(&set, &sig) == 0 && sig == SIGUSR1);
	leave_alone(pid);
	handle(SIGUSR2, count, 0);
	pid = pester(SIGUSR2);
	CHECK_ERRNO(sigtimedwait(&set, &info, &hour), EINTR);
	leave_alone(pid);
	sigtimedwait(&set, &info, &none);
}

/* --- Children --- */

static void children_are_told_of(void)
{
	siginfo_t info;
	pid_t pid;

	handle(SIGCHLD, count, SA_NOCLDSTOP);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	await_state(pid, 'T');
	CHECK_EQ(calls, 0);
	handle_info(SIGCHLD);
	kill(pid, SIGCONT);
	CHECK_EQ(info_of(SIGCHLD, 1).si_code, CLD_CONTINUED);
	kill(pid, SIGSTOP);
	info = info_of(SIGCHLD, 2);
	CHECK(info.si_code == CLD_STOPPED && info.si_status == SIGSTOP);
	kill(pid, SIGKILL);
	info_of(SIGCHLD, 3);
	expect_signal(pid, SIGKILL);
	handle(SIGCHLD, count, SA_NOCLDWAIT);
	pid = spawn(test_nothing);
	CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
}

/* SIGCONT runs its handler in the process that it continues; a signal sent meanwhile waits. */
static void stopped_and_continued(void)
{
	int *told = shared_memory(sizeof(*told)), status;
	pid_t pid = fork();

	if (pid == 0) {
		handle(SIGCONT, count, 0);
		handle(SIGUSR1, count, 0);
		*told = 1;
		while (calls < 2)
			sched_yield();
		_exit(calls);
	}
	while (!__atomic_load_n(told, __ATOMIC_SEQ_CST))
		sched_yield();
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	kill(pid, SIGUSR1);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	await_state(pid, 'T');
	kill(pid, SIGCONT);
	expect_exit(pid, 2);
}

static const struct test_case cases[] = {
	CASE(waits_are_broken_off),
	CASE(or_go_on_if_asked),
	CASE(locks_hold),
	CASE(suspend_waits_with_another_mask),
	CASE(suspend_whose_mask_is_gone),
	CASE(real_time_ones_queue),
	CASE(taken_without_a_handler),
	CASE(children_are_told_of),
	CASE(stopped_and_continued),
};

TEST_MAIN(cases)
