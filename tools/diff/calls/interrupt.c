/*
 * Each call that blocks, disturbed by a signal: one with a handler, one whose handler has
 * SA_RESTART (the call goes on, or says EINTR), and a stop with SIGCONT.
 */
#include "diff.h"

static int p[2], q[2];
static int fd;
static unsigned *word;
static pid_t kid;

static void no_more(void)
{
	Q(pipe2, p, 0);
}

static void no_room(void)
{
	Q(pipe2, p, 0);
	full(p[1]);
}

static void counter(void)
{
	fd = Q(eventfd2, 0, 0);
}

static void full_counter(void)
{
	unsigned long n = -2UL;

	fd = Q(eventfd2, 0, 0);
	Q(write, fd, &n, 8);
}

static void timer(void)
{
	fd = Q(timerfd_create, CLOCK_MONOTONIC, 0);
}

static void fifo(void)
{
	Q(mknodat, AT_FDCWD, "fifo", S_IFIFO | 0600, 0);
}

static void no_one(void)
{
	word = (unsigned *)pages(1, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static void alive(void)
{
	kid = child();
	if (!kid)
		for (;;)
			R(ppoll, NULL, 0, NULL, NULL, 8);
	await_blocked(kid);
}

/* Another process holds a lock of each kind on the file, until it is killed. */
static void locked(void)
{
	struct linux_lock l = { .type = F_WRLCK };

	fd = file("f", "x");
	kid = child();
	if (!kid) {
		int other = Q(openat, AT_FDCWD, "f", O_RDWR);

		Q(flock, other, 2);
		Q(fcntl, other, F_SETLK, &l);
		for (;;)
			R(ppoll, NULL, 0, NULL, NULL, 8);
	}
	await_blocked(kid);
}

static void data(void)
{
	no_room();
	fd = file("f", "some data");
	Q(lseek, fd, 0, SEEK_SET);
}

/* Bytes, and no room for them in the other pipe. */
static void no_room_beside(void)
{
	no_room();
	Q(pipe2, q, 0);
	Q(write, q[1], "abc", 3);
}

static void no_more_of_two(void)
{
	no_more();
	Q(pipe2, q, 0);
	fd = file("f", "");
}

static void nothing(void)
{
}

static void waited(void)
{
	block(SIGHUP);
}

/*
 * Until @pid has taken a signal that was sent to it: before, Linux's wait4() may look blocked once
 * more, as it first says that it sleeps and then sees the signal.
 */
static void await_taken(pid_t pid, int sig)
{
	char path[40], text[4096];
	const char *pending;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	do {
		int status = open(path, O_RDONLY);
		ssize_t n = read(status, text, sizeof(text) - 1);

		close(status);
		text[n > 0 ? n : 0] = 0;
		pending = strstr(text, "ShdPnd:\t");
		sched_yield();
	} while (pending && strtoul(pending + 8, NULL, 16) & 1UL << (sig - 1));
}

/* Disturbs us once we are blocked, and ends the call by SIGUSR2 once it blocks again. */
static pid_t disturber(int stop)
{
	pid_t us = getpid(), pid = child();

	if (pid)
		return pid;
	await_blocked(us);
	if (stop) {
		kill(us, SIGSTOP);
		await_state(us, 'T');
		kill(us, SIGCONT);
	} else {
		kill(us, SIGUSR1);
		await_taken(us, SIGUSR1);
	}
	await_blocked(us);
	kill(us, SIGUSR2);
	end(0);
}

static void told(const char *what, long result, pid_t by)
{
	int first = hits[SIGUSR1], second = hits[SIGUSR2];

	tell(what, result, 0);
	say("disturbed: %d, ended: %d", first, second);
	R(kill, by, SIGKILL);
	R(wait4, by, NULL, 0, NULL);
	if (kid)
		R(kill, kid, SIGKILL);
}

#define DISTURBED(name, prepare, flags, stop, call, ...) \
	CASE(name) \
	{ \
		pid_t by; \
\
		prepare(); \
		on(SIGUSR1, flags); \
		on(SIGUSR2, 0); \
		by = disturber(stop); \
		told(#call, R(call, __VA_ARGS__), by); \
	}

#define BLOCKS(name, prepare, ...) \
	DISTURBED(name, prepare, 0, 0, __VA_ARGS__) \
	DISTURBED(name##_restart, prepare, SA_RESTART, 0, __VA_ARGS__) \
	DISTURBED(name##_stopped, prepare, 0, 1, __VA_ARGS__)

BLOCKS(read_pipe, no_more, read, p[0], buf, 1)
BLOCKS(readv_pipe, no_more, readv, p[0], io(buf, 1), 1)
BLOCKS(write_pipe, no_room, write, p[1], buf, PAGE)
BLOCKS(read_counter, counter, read, fd, buf, 8)
BLOCKS(write_counter, full_counter, write, fd, (unsigned long[]){ 1 }, 8)
BLOCKS(read_timer, timer, read, fd, buf, 8)
BLOCKS(open_fifo, fifo, openat, AT_FDCWD, "fifo", O_RDONLY)
BLOCKS(wait4, alive, wait4, kid, NULL, 0, NULL)
BLOCKS(waitid, alive, waitid, P_PID, kid, NULL, WEXITED, NULL)
BLOCKS(ppoll, nothing, ppoll, NULL, 0, NULL, NULL, 8)
BLOCKS(ppoll_timed, nothing, ppoll, NULL, 0, ts(10000, 0), NULL, 8)
BLOCKS(pselect, nothing, pselect6, 0, NULL, NULL, NULL, NULL, NULL)
BLOCKS(futex, no_one, futex, word, FUTEX_WAIT, 0, NULL, NULL, 0)
BLOCKS(futex_timed, no_one, futex, word, FUTEX_WAIT, 0, ts(10000, 0), NULL, 0)
BLOCKS(futex_until, no_one, futex, word, FUTEX_WAIT_BITSET, 0, ts(1000000, 0), NULL, -1)
BLOCKS(nanosleep, nothing, nanosleep, ts(10000, 0), NULL)
BLOCKS(nanosleep_until, nothing, clock_nanosleep, CLOCK_MONOTONIC, 1, ts(10000000, 0), NULL)
BLOCKS(sigtimedwait, waited, rt_sigtimedwait, bits(1), NULL, ts(10000, 0), 8)
BLOCKS(sigsuspend, nothing, rt_sigsuspend, bits(0), 8)
BLOCKS(flock, locked, flock, fd, 2)
BLOCKS(setlkw, locked, fcntl, fd, F_SETLKW, &(struct linux_lock){ .type = F_WRLCK })
BLOCKS(sendfile, data, sendfile, p[1], fd, NULL, 5)
BLOCKS(splice_to_full, data, splice, fd, NULL, p[1], NULL, 5, 0)
BLOCKS(splice_from_empty, no_more_of_two, splice, p[0], NULL, fd, NULL, 5, 0)
BLOCKS(splice_both_empty, no_more_of_two, splice, p[0], NULL, q[1], NULL, 5, 0)
BLOCKS(splice_both_full, no_room_beside, splice, q[0], NULL, p[1], NULL, 5, 0)
BLOCKS(tee_empty, no_more_of_two, tee, p[0], q[1], 5, 0)
BLOCKS(tee_full, no_room_beside, tee, q[0], p[1], 5, 0)
BLOCKS(vmsplice_to_full, no_room, vmsplice, p[1], io(buf, 5), 1, 0)
BLOCKS(vmsplice_from_empty, no_more, vmsplice, p[0], io(buf, 5), 1, 0)
