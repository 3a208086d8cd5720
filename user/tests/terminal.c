/*
 * The terminal: who may take it and set its foreground group, what a flush drops, and reads that
 * end by time. Checked if the test has a terminal, as on Trellis.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "test.h"

/* The terminal of this session, or -1. A process in the background may set it, too. */
static int terminal(void)
{
	CHECK(signal(SIGTTOU, SIG_IGN) != SIG_ERR);
	return open("/dev/tty", O_RDWR);
}

/* Runs @check in a child with a session of its own. */
static void apart(void (*check)(int fd), int fd)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (!pid) {
		CHECK_EQ(setsid(), getpid());
		check(fd);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

/* --- The foreground group --- */

static void stranger_sets_group(int fd)
{
	CHECK_ERRNO(tcgetpgrp(fd), ENOTTY);
	CHECK_ERRNO(tcsetpgrp(fd, getpid()), ENOTTY);
	CHECK_ERRNO(tcsetpgrp(fd, 0), ENOTTY);
	CHECK_ERRNO(tcsetpgrp(fd, -1), EINVAL);
	CHECK_ERRNO(ioctl(fd, TIOCSPGRP, 1), EFAULT);
}

/* It is set to a group or a process of this session, and to no other. */
static void group_must_be_here(void)
{
	int fd = terminal();
	pid_t was = tcgetpgrp(fd), alone, here, there;

	if (fd < 0)
		return;
	CHECK_ERRNO(tcsetpgrp(fd, -1), EINVAL);
	CHECK_ERRNO(tcsetpgrp(fd, 0), ESRCH);
	here = fork();
	if (!here) {
		setpgid(0, 0);
		pause();
	}
	setpgid(here, here);
	there = fork();
	if (!there) {
		setsid();
		kill(here, SIGKILL);
		pause();
	}
	alone = fork();
	if (!alone)
		pause();
	CHECK_EQ(tcsetpgrp(fd, alone), 0);	/* it leads no group, and might yet */
	CHECK_EQ(tcgetpgrp(fd), alone);
	CHECK_EQ(kill(alone, SIGKILL), 0);
	CHECK_EQ(waitpid(alone, NULL, 0), alone);
	CHECK_ERRNO(tcsetpgrp(fd, alone), ESRCH);
	CHECK_EQ(tcsetpgrp(fd, here), 0);
	CHECK_EQ(tcgetpgrp(fd), here);
	CHECK_EQ(waitpid(here, NULL, 0), here);		/* the other one has its session now */
	CHECK_ERRNO(tcsetpgrp(fd, there), EPERM);
	CHECK_ERRNO(tcsetpgrp(fd, here), ESRCH);
	CHECK_EQ(tcsetpgrp(fd, was), 0);
	CHECK_EQ(kill(there, SIGKILL), 0);
	CHECK_EQ(waitpid(there, NULL, 0), there);
	apart(stranger_sets_group, fd);
	CHECK_EQ(tcgetpgrp(fd), was);
}

/* --- The owner --- */

static void nobody_takes(int fd)
{
	if (!getuid())
		CHECK_EQ(setuid(1001), 0);
	CHECK_ERRNO(ioctl(fd, TIOCSCTTY, 0), EPERM);
	CHECK_ERRNO(ioctl(fd, TIOCSCTTY, 1), EPERM);
	CHECK_ERRNO(tcgetpgrp(fd), ENOTTY);
}

/* A living session keeps its terminal, whatever the number says, except against root. */
static void ordinary_user_takes_none(void)
{
	int fd = terminal();
	pid_t session, now;

	if (fd < 0)
		return;
	CHECK_EQ(ioctl(fd, TIOCGSID, &session), 0);
	apart(nobody_takes, fd);
	CHECK_EQ(ioctl(fd, TIOCGSID, &now), 0);
	CHECK_EQ(now, session);
}

/* --- Flushes, and reads that end --- */

/* None of them is tried here: they would drop what other tests have printed. */
static void flush_knows_three_numbers(void)
{
	int fd = terminal();

	if (fd < 0)
		return;
	CHECK_ERRNO(tcflush(fd, TCIOFLUSH + 1), EINVAL);
	CHECK_ERRNO(tcflush(fd, -1), EINVAL);
	CHECK_ERRNO(ioctl(fd, TCFLSH, 1UL << 32), EINVAL);
}

static int waiting(int fd)
{
	int n;

	CHECK_EQ(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

static void set_keys(struct termios *t, int min, int tenths)
{
	t->c_cc[VMIN] = min;
	t->c_cc[VTIME] = tenths;
	CHECK_EQ(tcsetattr(0, TCSANOW, t), 0);
}

/* Whether poll() promises something to a read that asks for @min bytes. */
static int promised(struct termios *t, int min, int tenths)
{
	struct pollfd p = { .events = POLLIN };

	set_keys(t, min, tenths);
	return poll(&p, 1, 0);
}

/* For a person, or tools/tests/test_terminal.py: KEYS=1 /tests/terminal keys. */
static void keys(void)
{
	struct termios was, raw;
	char buf[10];

	if (!getenv("KEYS"))
		return;
	CHECK_EQ(tcgetattr(0, &was), 0);
	raw = was;
	raw.c_lflag &= ~(ICANON | ECHO);
	set_keys(&raw, 5, 10);
	dprintf(1, "type four keys\n");
	dprintf(1, "%zd came in time\n", read(0, buf, sizeof(buf)));
	dprintf(1, "type five keys\n");
	dprintf(1, "%zd are enough\n", read(0, buf, sizeof(buf)));
	dprintf(1, "type two keys\n");
	while (waiting(0) < 2)
		sched_yield();
	CHECK_EQ(promised(&raw, 3, 0), 0);
	CHECK_EQ(promised(&raw, 2, 0), 1);
	CHECK_EQ(promised(&raw, 0, 0), 1);
	CHECK_EQ(promised(&raw, 3, 1), 1);
	CHECK_EQ(tcflush(0, TCOFLUSH), 0);
	dprintf(1, "%d are kept\n", waiting(0));
	CHECK_EQ(tcflush(0, TCIFLUSH), 0);
	dprintf(1, "%d are left\n", waiting(0));
	CHECK_EQ(tcsetattr(0, TCSANOW, &was), 0);
}

static const struct test_case cases[] = {
	CASE(group_must_be_here),
	CASE(ordinary_user_takes_none),
	CASE(flush_knows_three_numbers),
	CASE(keys),
};

TEST_MAIN(cases)
