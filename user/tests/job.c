/* Job control and ids at their edges: the last thread to stop, orphaned groups, ids. */
#include "test.h"

#include <sys/ioctl.h>
#include <termios.h>

#ifndef TCSBRK
#define TCSBRK	0x5409			/* tcdrain() */
#endif

/* --- Stopping --- */

#define WRITERS	3

static _Atomic unsigned long *beats;

static void *beat(void *n)
{
	for (;;)
		atomic_fetch_add(&beats[(long)n], 1);
	return NULL;
}

static void beat_with_threads(void)
{
	for (long i = 1; i < WRITERS; i++)
		start_thread(beat, (void *)i);
	beat(0);
}

/*
 * When the parent is notified, no thread of the child moves: neither now nor after others have run.
 */
static void stopped_means_every_thread(void)
{
	unsigned long seen[WRITERS];
	int status;
	pid_t pid;

	beats = shared_memory(4096);
	pid = spawn(beat_with_threads);
	for (int round = 0; round < 6; round++) {
		for (int i = 0; i < WRITERS; i++) {
			unsigned long was = beats[i];

			while (beats[i] == was)
				sched_yield();
		}
		CHECK_EQ(kill(pid, SIGSTOP), 0);
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK(WIFSTOPPED(status));
		for (int i = 0; i < WRITERS; i++)
			seen[i] = beats[i];
		for (int i = 0; i < 50; i++)
			sched_yield();
		for (int i = 0; i < WRITERS; i++)
			CHECK_EQ(beats[i], seen[i]);
		CHECK_EQ(kill(pid, SIGCONT), 0);
		CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	}
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
}

/* STOP1: a thread that exits may be the last one that a stop waited for. */
static void *stop_and_leave(void *unused)
{
	kill(getpid(), SIGSTOP);
	return unused;
}

static void stop_in_a_thread(void)
{
	join_thread(start_thread(stop_and_leave, NULL));
	_exit(7);
}

static void a_thread_stops_them_all(void)
{
	pid_t pid = spawn(stop_in_a_thread);
	int status;

	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(kill(pid, SIGCONT), 0);
	expect_exit(pid, 7);
}

/* A stop interrupts a blocked call, which is then restarted with the time that it had left. */
static void calls_go_on_after_a_stop(void)
{
	int up[2], down[2], status;
	char c;
	pid_t pid;

	CHECK_EQ(pipe(up), 0);
	CHECK_EQ(pipe(down), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(write(up[1], "a", 1), 1);
		CHECK_EQ(read(down[0], &c, 1), 1);
		CHECK_EQ(nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL), 0);
		_exit(c);
	}
	CHECK_EQ(read(up[0], &c, 1), 1);
	for (int i = 0; i < 3; i++) {
		await_state(pid, 'S');
		CHECK_EQ(kill(pid, SIGSTOP), 0);
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		await_state(pid, 'T');
		CHECK_EQ(kill(pid, SIGCONT), 0);
		if (i == 1)
			CHECK_EQ(write(down[1], "\5", 1), 1);
	}
	expect_exit(pid, 5);
}

/* --- Orphaned groups --- */

static int teller;

/* However often it is stopped, a call ends at its first deadline: no stop gives it a new one. */
static void a_deadline_outlives_stops(void)
{
	int status = 0, up[2];
	char c;
	pid_t pid;

	CHECK_EQ(pipe(up), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(write(up[1], "a", 1), 1);
		_exit(nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL) == 0 ? 7 : 1);
	}
	CHECK_EQ(read(up[0], &c, 1), 1);
	for (int stops = 0; stops < 1000; stops++) {
		CHECK_EQ(kill(pid, SIGSTOP), 0);
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		if (WIFEXITED(status))
			break;
		CHECK_EQ(kill(pid, SIGCONT), 0);
		usleep(10000);
	}
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 7);
}

static sigset_t stop_signal;
static atomic_int both_wait, continued;

static void *keep_one_pending(void *unused)
{
	sigset_t pending;

	CHECK_EQ(pthread_kill(pthread_self(), SIGTSTP), 0);	/* blocked; for this thread alone */
	both_wait++;
	while (!continued)
		sched_yield();
	CHECK_EQ(sigpending(&pending), 0);
	CHECK(!sigismember(&pending, SIGTSTP));
	return unused;
}

/* SIGCONT takes the stop signals that are pending from all threads. */
static void continuing_forgets_stops(void)
{
	pthread_t t[2];

	sigemptyset(&stop_signal);
	sigaddset(&stop_signal, SIGTSTP);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &stop_signal, NULL), 0);
	for (int i = 0; i < 2; i++)
		t[i] = start_thread(keep_one_pending, NULL);
	while (both_wait < 2)
		sched_yield();
	CHECK_EQ(kill(getpid(), SIGCONT), 0);
	continued = 1;
	for (int i = 0; i < 2; i++)
		join_thread(t[i]);
}

static void note_hangup(int sig)
{
	(void)sig;
	CHECK_EQ(write(teller, "h", 1), 1);
}

/* In a session of its own: starts a child that has a stopped child in a group of its own. */
static void leave_a_stopped_job(void)
{
	pid_t job;
	int status;

	setsid();
	job = fork();
	if (job == 0) {
		signal(SIGHUP, note_hangup);
		CHECK_EQ(setpgid(0, 0), 0);
		raise(SIGSTOP);
		CHECK_EQ(write(teller, "c", 1), 1);
		_exit(0);
	}
	CHECK_EQ(waitpid(job, &status, WUNTRACED), job);
	CHECK(WIFSTOPPED(status));
}

/* The same below a process that lives on: the stopped child moves to init. */
static void leave_through_a_child(void)
{
	setsid();
	if (fork() == 0) {
		leave_a_stopped_job();
		_exit(0);
	}
	CHECK(wait(NULL) > 0);
}

static void hang_up(void (*parent)(void))
{
	int end[2];
	char text[3] = "";

	CHECK_EQ(pipe(end), 0);
	teller = end[1];
	expect_exit(spawn(parent), 0);
	close(teller);
	CHECK_EQ(read(end[0], text, 1), 1);
	CHECK_EQ(read(end[0], text + 1, 1), 1);
	CHECK_EQ(strcmp(text, "hc"), 0);
	CHECK_EQ(read(end[0], text, 1), 0);
}

static void orphaned_stopped_jobs_are_hung_up(void)
{
	hang_up(leave_a_stopped_job);
	hang_up(leave_through_a_child);
}

/* --- Ids --- */

static void not_after_exec(void)
{
	int go[2], gone[2];
	char c;
	pid_t pid;

	CHECK_EQ(pipe(go), 0);
	CHECK_EQ(pipe2(gone, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(dup2(go[0], 0), 0);
		close(go[1]);
		execl("/bin/cat", "cat", NULL);
		_exit(1);
	}
	close(gone[1]);
	CHECK_EQ(read(gone[0], &c, 1), 0);	/* now it runs cat */
	CHECK_ERRNO(setpgid(pid, pid), EACCES);
	CHECK_ERRNO(setpgid(pid, 0), EACCES);
	close(go[1]);
	expect_exit(pid, 0);
}

static _Atomic pid_t other_tid;
static atomic_int other_may_end;

static void *other_thread(void *unused)
{
	other_tid = gettid();
	while (!other_may_end)
		sched_yield();
	return unused;
}

static void ids_of_threads(void)
{
	pthread_t t;
	struct rlimit limit;

	t = start_thread(other_thread, NULL);
	while (!other_tid)
		sched_yield();
	CHECK(other_tid != getpid());
	CHECK_EQ(kill(other_tid, 0), 0);
	CHECK_EQ(getpgid(other_tid), getpgrp());
	CHECK_EQ(getsid(other_tid), getsid(0));
	CHECK_EQ(getpriority(PRIO_PROCESS, other_tid), 0);
	CHECK_EQ(prlimit(other_tid, RLIMIT_CORE, NULL, &limit), 0);
	CHECK_ERRNO(setpgid(other_tid, 0), EINVAL);
	CHECK_ERRNO(waitpid(other_tid, NULL, WNOHANG), ECHILD);
	other_may_end = 1;
	join_thread(t);
}

/* Once wait() has returned, the child's id finds no process. */
static void waited_for_is_gone(void)
{
	struct sched_param param;
	struct timespec ts;
	cpu_set_t set;

	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		CHECK_EQ(waitpid(pid, NULL, 0), pid);
		CHECK_ERRNO(sched_getparam(pid, &param), ESRCH);
		CHECK_ERRNO(sched_getscheduler(pid), ESRCH);
		CHECK_ERRNO(sched_rr_get_interval(pid, &ts), ESRCH);
		CHECK_ERRNO(sched_getaffinity(pid, sizeof(set), &set), ESRCH);
		CHECK_ERRNO(getpriority(PRIO_PROCESS, pid), ESRCH);
		CHECK_ERRNO(kill(pid, 0), ESRCH);
		CHECK_ERRNO(tgkill(pid, pid, 0), ESRCH);
		CHECK_ERRNO(getpgid(pid), ESRCH);
	}
}

/* --- The terminal --- */

/*
 * The kernel sends SIGWINCH to the foreground group when the size changes, and only then. Checked
 * if the test has a terminal, as on Trellis.
 */
static void terminal_is_resized(void)
{
	int fd = open("/dev/tty", O_RDWR);
	struct timespec now = { 0, 0 };
	struct winsize was, size;
	sigset_t set;
	siginfo_t info;

	if (fd < 0 || tcgetpgrp(fd) != getpgrp())
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	CHECK_EQ(ioctl(fd, TIOCGWINSZ, &was), 0);
	size = was;
	size.ws_xpixel++;
	CHECK_EQ(ioctl(fd, TIOCSWINSZ, &size), 0);
	CHECK_EQ(sigtimedwait(&set, &info, &now), SIGWINCH);
	CHECK_EQ(info.si_code, SI_KERNEL);
	CHECK_EQ(ioctl(fd, TIOCSWINSZ, &size), 0);
	CHECK_ERRNO(sigtimedwait(&set, &info, &now), EAGAIN);
	CHECK_EQ(ioctl(fd, TIOCSWINSZ, &was), 0);
	CHECK_EQ(sigtimedwait(&set, &info, &now), SIGWINCH);
	close(fd);
}

static void read_in_background(void)
{
	char c;

	CHECK_EQ(setpgid(0, 0), 0);
	CHECK_ERRNO(read(teller, &c, 1), EIO);
}

static void read_blocking_the_stop(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTIN);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	read_in_background();
}

/* A read in the background stops the job; if the signal is blocked, it fails. */
static void background_reads_stop(void)
{
	int status;
	pid_t pid;

	teller = open("/dev/tty", O_RDWR);
	if (teller < 0 || tcgetpgrp(teller) != getpgrp())
		return;
	pid = spawn(read_in_background);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(WSTOPSIG(status), SIGTTIN);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
	expect_exit(spawn(read_blocking_the_stop), 0);
}

/* Nobody could continue an orphaned group that has stopped, so its reads fail instead. */
static void orphaned_reads_fail(void)
{
	volatile int *got = shared_memory(4096);
	pid_t pid;
	char c;

	teller = open("/dev/tty", O_RDWR);
	if (teller < 0 || tcgetpgrp(teller) != getpgrp())
		return;
	pid = fork();
	if (pid == 0) {
		pid_t parent = getpid();

		if (fork())
			_exit(0);
		CHECK_EQ(setpgid(0, 0), 0);
		while (getppid() == parent)
			sched_yield();
		got[1] = getpid();
		got[0] = read(teller, &c, 1) < 0 ? errno : -1;
		_exit(0);
	}
	expect_exit(pid, 0);
	while (!got[0])
		sched_yield();
	CHECK_EQ(got[0], EIO);
	while (kill(got[1], 0) == 0)
		sched_yield();
}

static bool writes;

/* Sets the terminal's settings to what they are, or writes nothing to it. */
static void touch_in_background(void)
{
	struct termios t;

	CHECK_EQ(setpgid(0, 0), 0);
	CHECK_EQ(tcgetattr(teller, &t), 0);
	if (writes)
		CHECK_EQ(write(teller, "", 0), 0);
	else
		CHECK_EQ(tcsetattr(teller, TCSANOW, &t), 0);
}

static void touch_ignoring_the_stop(void)
{
	signal(SIGTTOU, SIG_IGN);
	touch_in_background();
}

static void expect_stop_in_background(void)
{
	pid_t pid = spawn(touch_in_background);
	int status;

	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	expect_signal(pid, SIGKILL);
	expect_exit(spawn(touch_ignoring_the_stop), 0);
}

/* In the background a job may not set the terminal, or with TOSTOP write, unless it is deaf. */
static void background_changes_stop(void)
{
	struct termios was, t;

	teller = open("/dev/tty", O_RDWR);
	if (teller < 0 || tcgetpgrp(teller) != getpgrp())
		return;
	writes = false;
	expect_stop_in_background();
	CHECK_EQ(ioctl(teller, TCSBRK, 1), 0);
	CHECK_EQ(tcgetattr(teller, &was), 0);
	t = was;
	t.c_lflag &= ~TOSTOP;
	CHECK_EQ(tcsetattr(teller, TCSANOW, &t), 0);
	writes = true;
	expect_exit(spawn(touch_in_background), 0);
	t.c_lflag |= TOSTOP;
	CHECK_EQ(tcsetattr(teller, TCSANOW, &t), 0);
	expect_stop_in_background();
	CHECK_EQ(tcsetattr(teller, TCSANOW, &was), 0);
}

static const struct test_case cases[] = {
	CASE(stopped_means_every_thread),
	CASE(a_thread_stops_them_all),
	CASE(calls_go_on_after_a_stop),
	CASE(a_deadline_outlives_stops),
	CASE(continuing_forgets_stops),
	CASE(orphaned_stopped_jobs_are_hung_up),
	CASE(not_after_exec),
	CASE(ids_of_threads),
	CASE(waited_for_is_gone),
	CASE(terminal_is_resized),
	CASE(background_reads_stop),
	CASE(orphaned_reads_fail),
	CASE(background_changes_stop),
};

TEST_MAIN(cases)
