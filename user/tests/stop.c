/* Stopped and continued children: which process is notified, by which call, and how often. */
#include "proc.h"

/*
 * Starts a child that lives until it is killed. It blocks in the kernel, or computes. It has a
 * group of its own, whose parent is outside: in an orphaned group the keys' stop signals do
 * nothing.
 */
static pid_t start_child(bool busy)
{
	pid_t pid = fork();

	if (pid) {
		CHECK_EQ(setpgid(pid, pid), 0);
		return pid;
	}
	for (;;)
		if (!busy)
			pause();
}

static void end_child(pid_t pid)
{
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

static void stop_and_continue(pid_t pid, int sig)
{
	int status = 0;

	CHECK_EQ(waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED), 0);
	CHECK_EQ(kill(pid, sig), 0);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && !WIFEXITED(status) && !WIFSIGNALED(status));
	CHECK_EQ(WSTOPSIG(status), sig);
	CHECK_EQ(waitpid(pid, &status, WNOHANG | WUNTRACED), 0);	/* reported only once */
	await_state(pid, 'T');
	CHECK_EQ(kill(pid, SIGCONT), 0);
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
	CHECK_EQ(waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED), 0);
}

static void blocked_child(void)
{
	pid_t pid = start_child(false);

	await_state(pid, 'S');
	stop_and_continue(pid, SIGSTOP);
	stop_and_continue(pid, SIGTSTP);
	end_child(pid);
}

static void busy_child(void)
{
	pid_t pid = start_child(true);

	stop_and_continue(pid, SIGSTOP);
	stop_and_continue(pid, SIGTTIN);
	end_child(pid);
}

static void not_asked_not_told(void)
{
	pid_t pid = start_child(false);
	int status;

	CHECK_EQ(kill(pid, SIGSTOP), 0);
	await_state(pid, 'T');
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(waitpid(pid, &status, WNOHANG | WCONTINUED), 0);
	CHECK_EQ(waitpid(-1, &status, WUNTRACED), pid);		/* a later call reports it, too */
	CHECK(WIFSTOPPED(status));
	end_child(pid);						/* a stopped child dies, too */
}

static void by_waitid(void)
{
	pid_t pid = start_child(false);
	siginfo_t info = { .si_pid = 77 };

	CHECK_EQ(waitid(P_PID, pid, &info, WSTOPPED | WNOHANG), 0);
	CHECK_EQ(info.si_pid, 0);
	CHECK_EQ(kill(pid, SIGSTOP), 0);
	CHECK_EQ(waitid(P_PID, pid, &info, WSTOPPED | WNOWAIT), 0);
	CHECK_EQ(waitid(P_PID, pid, &info, WSTOPPED | WEXITED), 0);
	CHECK_EQ(info.si_signo, SIGCHLD);
	CHECK_EQ(info.si_code, CLD_STOPPED);
	CHECK_EQ(info.si_status, SIGSTOP);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(kill(pid, SIGCONT), 0);
	CHECK_EQ(waitid(P_ALL, 0, &info, WCONTINUED), 0);
	CHECK_EQ(info.si_code, CLD_CONTINUED);
	CHECK_EQ(info.si_status, SIGCONT);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	await_state(pid, 'Z');
	CHECK_ERRNO(waitid(P_PID, pid, &info, WSTOPPED), ECHILD);	/* no longer possible */
	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED), 0);
	CHECK_EQ(info.si_code, CLD_KILLED);
	CHECK_EQ(info.si_status, SIGKILL);
}

/* A parent that already waits is woken. */
static void wakes_the_parent(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		raise(SIGSTOP);
		_exit(5);
	}
	for (int status = 0; !WIFEXITED(status) || status == 0;) {
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		if (WIFSTOPPED(status)) {
			CHECK_EQ(kill(pid, SIGCONT), 0);
			continue;
		}
		CHECK(WIFEXITED(status));
		CHECK_EQ(WEXITSTATUS(status), 5);
	}
}

static void whole_group(void)
{
	pid_t pid[3];
	int status;

	for (int i = 0; i < 3; i++) {
		pid[i] = start_child(i == 1);
		CHECK_EQ(setpgid(pid[i], pid[0]), 0);
	}
	CHECK_EQ(kill(-pid[0], SIGSTOP), 0);
	for (int i = 0; i < 3; i++) {
		CHECK(waitpid(-pid[0], &status, WUNTRACED) > 0);
		CHECK(WIFSTOPPED(status));
	}
	CHECK_EQ(waitpid(-pid[0], &status, WUNTRACED | WNOHANG), 0);
	for (int i = 0; i < 3; i++)
		end_child(pid[i]);
}

/* STOP2: a thread that is stopped again on its way to the first stop counts for the second. */
static void stopped_again_at_once(void)
{
	pid_t pid = start_child(true);
	int status;

	for (int i = 0; i < 200; i++) {
		CHECK_EQ(kill(pid, SIGSTOP), 0);
		CHECK_EQ(kill(pid, SIGCONT), 0);
		CHECK_EQ(kill(pid, SIGSTOP), 0);
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK(WIFSTOPPED(status));
		CHECK_EQ(kill(pid, SIGCONT), 0);
		CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	}
	end_child(pid);
}

static void *leave(void *arg)
{
	return arg;
}

static atomic_bool *alone;

/* Two threads come and go; the first one stays. */
static void outlive_threads(void)
{
	for (int i = 0; i < 2; i++)
		join_thread(start_thread(leave, NULL));
	while (figure(read_file(getpid(), "status"), "Threads:") > 1)
		sched_yield();
	*alone = true;
	for (;;)
		pause();
}

/* STOP1: threads that left before the stop do not count. */
static void threads_have_left(void)
{
	pid_t pid;

	alone = shared_memory(sizeof(*alone));
	pid = spawn(outlive_threads);
	while (!*alone)
		sched_yield();
	await_state(pid, 'S');
	stop_and_continue(pid, SIGSTOP);
	end_child(pid);
}

static void sleep_a_while(void)
{
	struct timespec t = timespec_of(30000000);

	CHECK_EQ(nanosleep(&t, NULL), 0);
}

/* A call that begins again after a stop keeps its deadline, however often it is stopped. */
static void deadline_stays(void)
{
	pid_t pid = spawn(sleep_a_while);
	int status;
	char s;

	do {
		while ((s = state_of(pid)) != 'S' && s != 'Z')
			sched_yield();
		CHECK_EQ(kill(pid, SIGSTOP), 0);
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		if (WIFSTOPPED(status))
			CHECK_EQ(kill(pid, SIGCONT), 0);
	} while (WIFSTOPPED(status));
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

/* No process of the session could continue it: so only SIGSTOP stops it, which is never ignored. */
static void orphaned_groups_do_not_stop(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setsid();
		raise(SIGTSTP);
		raise(SIGTTIN);
		raise(SIGTTOU);
		raise(SIGSTOP);
		_exit(5);
	}
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK_EQ(kill(pid, SIGCONT), 0);
	expect_exit(pid, 5);
}

static const struct test_case cases[] = {
	CASE(blocked_child),
	CASE(busy_child),
	CASE(not_asked_not_told),
	CASE(by_waitid),
	CASE(wakes_the_parent),
	CASE(whole_group),
	CASE(stopped_again_at_once),
	CASE(threads_have_left),
	CASE(deadline_stays),
	CASE(orphaned_groups_do_not_stop),
};

TEST_MAIN(cases)
