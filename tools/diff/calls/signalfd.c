/* Signals that are read from a file. */
#include "diff.h"

#define BIT(sig) (1UL << ((sig) - 1))

struct record {
	uint32_t signo;
	int32_t error, code;
	uint32_t pid, uid;
	int32_t fd;
	uint32_t tid, band, overrun, trapno;
	int32_t status, value;
	uint64_t pointer, utime, stime, addr;
	uint8_t rest[48];
};

static struct record r[4];
static int fd;

static void usr1(void)
{
	block(SIGUSR1);
	fd = Q(signalfd4, -1, bits(BIT(SIGUSR1)), 8, O_NONBLOCK);
}

static long events(void)
{
	struct pollfd f = { fd, POLLIN | POLLOUT, 0 };
	long n = R(ppoll, &f, 1, ts(0, 0), NULL, 8);

	return n > 0 ? f.revents : n;
}

CASE(errors)
{
	int other = file("f", "");

	T(signalfd4, -1, bits(0), 4, 0);
	T(signalfd4, -1, bits(0), 16, 0);
	T(signalfd4, -1, BAD, 8, 0);
	T(signalfd4, -1, BAD, 8, 1);
	T(signalfd4, -1, BAD, 4, 1);
	T(signalfd4, -1, bits(0), 8, 1);
	T(signalfd4, -2, bits(0), 8, 0);
	T(signalfd4, 77, bits(0), 8, 0);
	T(signalfd4, other, bits(0), 8, 0);
	T(signalfd4, 77, bits(0), 8, 1);
	T(signalfd4, -1, bits(0), 8, 0);
	T(signalfd4, -1, bits(BIT(SIGKILL) | BIT(SIGSTOP)), 8, O_CLOEXEC | O_NONBLOCK);
	T(fcntl, 5, F_GETFD);
	O(R(fcntl, 5, F_GETFL) & 04003);
	T(write, 4, r, 128);
}

CASE(read)
{
	usr1();
	T(read, fd, r, sizeof(r));
	T(read, fd, r, 127);
	T(read, fd, r, 0);
	Q(kill, getpid(), SIGUSR1);
	T(read, fd, r, 127);
	T(read, fd, r, sizeof(r));
	V(r[0].signo);
	V(r[0].code);
	V(r[0].pid == (uint32_t)getpid());
	V(r[0].uid);
	T(read, fd, r, sizeof(r));
}

/* A sender's pid, not an address, if a signal of a fault was sent. */
CASE(sent_faults)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS };

	fd = Q(signalfd4, -1, bits(~0UL), 8, O_NONBLOCK);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		block(signals[i]);
		Q(kill, getpid(), signals[i]);
		T(read, fd, r, sizeof(r[0]));
		V(r[0].signo);
		V(r[0].code);
		V(r[0].pid == (uint32_t)getpid());
		V(r[0].addr);
	}
}

CASE(read_several)
{
	usr1();
	block(34);
	Q(signalfd4, fd, bits(BIT(SIGUSR1) | BIT(34)), 8, 0);
	Q(kill, getpid(), 34);
	Q(kill, getpid(), SIGUSR1);
	Q(kill, getpid(), 34);
	T(read, fd, r, 2 * 128 + 100);
	V(r[0].signo);
	V(r[1].signo);
	T(read, fd, r, sizeof(r));
	V(r[0].signo);
}

CASE(bad_memory)
{
	usr1();
	Q(kill, getpid(), SIGUSR1);
	T(read, fd, BAD, 128);
	T(read, fd, r, 128);
}

CASE(poll)
{
	usr1();
	V(events());
	Q(kill, getpid(), SIGUSR2 * 0);
	V(events());
	Q(kill, getpid(), SIGUSR1);
	V(events());
	Q(signalfd4, fd, bits(BIT(SIGUSR2)), 8, 0);
	V(events());
	Q(signalfd4, fd, bits(BIT(SIGUSR1)), 8, 0);
	T(read, fd, r, 128);
	V(events());
}

CASE(poll_waits)
{
	struct pollfd f = { 0, POLLIN, 0 };

	usr1();
	f.fd = fd;
	poke(SIGUSR1);
	T(ppoll, &f, 1, NULL, NULL, 8);
	V(f.revents);
	T(read, fd, r, 128);
}

CASE(read_waits)
{
	block(SIGUSR1);
	fd = Q(signalfd4, -1, bits(BIT(SIGUSR1)), 8, 0);
	poke(SIGUSR1);
	T(read, fd, r, 256);
	V(r[0].signo);
}

CASE(read_interrupted)
{
	block(SIGUSR1);
	fd = Q(signalfd4, -1, bits(BIT(SIGUSR1)), 8, 0);
	on(SIGUSR2, 0);
	poke(SIGUSR2);
	T(read, fd, r, 128);
	V(hits[SIGUSR2]);
}

CASE(value)
{
	siginfo_t send = { 0 };

	block(34);
	fd = Q(signalfd4, -1, bits(BIT(34)), 8, O_NONBLOCK);
	send.si_code = SI_QUEUE;
	send.si_value.sival_int = -7;
	send.si_pid = 5;
	send.si_uid = 6;
	Q(rt_sigqueueinfo, getpid(), 34, &send);
	T(read, fd, r, 128);
	V(r[0].code);
	V(r[0].pid);
	V(r[0].uid);
	V(r[0].value);
	Q(tkill, getpid(), 34);
	T(read, fd, r, 128);
	V(r[0].code);
	V(r[0].value);
}

CASE(child)
{
	pid_t pid;

	block(SIGCHLD);
	fd = Q(signalfd4, -1, bits(BIT(SIGCHLD)), 8, 0);
	pid = child();
	if (!pid)
		end(9);
	T(read, fd, r, 128);
	V(r[0].signo);
	V(r[0].code);
	V(r[0].status);
	V(r[0].pid == (uint32_t)pid);
}

CASE(timer)
{
	struct linux_itimerspec t = { { 0, 0 }, { 0, 1 } };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	int id;

	block(SIGUSR1);
	fd = Q(signalfd4, -1, bits(BIT(SIGUSR1)), 8, 0);
	e.sigev_value.sival_int = 5;
	Q(timer_create, CLOCK_MONOTONIC, &e, &id);
	Q(timer_settime, id, 0, &t, NULL);
	T(read, fd, r, 128);
	V(r[0].code);
	V(r[0].tid);
	V(r[0].overrun);
	V(r[0].value);
}

CASE(ignored_is_not_read)
{
	usr1();
	signal(SIGUSR1, SIG_IGN);
	Q(kill, getpid(), SIGUSR1);
	V(events());
	T(read, fd, r, 128);
}

CASE(each_reader_its_own)
{
	pid_t pid;

	usr1();
	Q(kill, getpid(), SIGUSR1);
	pid = child();
	if (!pid) {
		T(read, fd, r, 128);
		V(events());
		kill(getpid(), SIGUSR1);
		T(read, fd, r, 128);
		V(r[0].pid == (uint32_t)getpid());
		end(0);
	}
	reap(pid);
	T(read, fd, r, 128);
}
