/* Files that tell by a signal: O_ASYNC, what pipes tell, F_SETSIG. */
#include "async.h"

int p[2];

static struct linux_poll_info info;

void block_all(void)
{
	Q(rt_sigprocmask, SIG_BLOCK, bits(-1UL), NULL, 8);
}

/* The signal that was taken: of a file, of the kernel, or sent by somebody. */
static void say_info(const char *after)
{
	const char *name = signal_name(info.signo);

	if (info.code == -5 || (info.code > 0 && info.code <= 6))
		say("%s: %s, code %d, band %#lx, fd %d", after, name, info.code, info.band,
		    info.fd);
	else if (info.code == 0x80)
		say("%s: %s of the kernel, zeros %d", after, name, !info.band && !info.fd);
	else
		say("%s: %s, code %d", after, name, info.code);
}

void told(const char *after)
{
	int n = 0;

	while (R(rt_sigtimedwait, bits(-1UL), &info, ts(0, 0), 8) > 0) {
		if (info.signo == SIGCHLD && info.code > 0)
			continue;
		say_info(after);
		n++;
	}
	if (!n)
		say("%s: nothing", after);
}

void listen_to(int fd, int sig)
{
	Q(fcntl, fd, F_SETOWN, getpid());
	Q(fcntl, fd, F_SETSIG, sig);
	Q(fcntl, fd, F_SETFL, R(fcntl, fd, F_GETFL) | O_ASYNC);
}

void make_pipe(void)
{
	Q(pipe2, p, O_NONBLOCK);
	block_all();
}

/* --- What is told, of pipes -------------------------------------------------------------- */

CASE(reader_is_told)
{
	make_pipe();
	listen_to(p[0], 40);
	told("at first");
	T(write, p[1], "abc", 3);
	told("write");
	T(write, p[1], "abc", 3);
	T(write, p[1], "abc", 3);
	told("two writes");
	T(write, p[1], "", 0);
	told("write of nothing");
	T(write, p[1], BAD, 3);
	told("write from nowhere");
	T(read, p[0], buf, 3);
	told("read");
	full(p[1]);
	told("until full");
	T(write, p[1], "abc", 3);
	told("full");
	T(writev, p[1], io2("a", 1, "b", 1), 2);
	told("vector");
	Q(close, p[1]);
	told("close");
	T(read, p[0], buf, 3);
	told("read at the end");
}

CASE(writer_is_told)
{
	make_pipe();
	listen_to(p[1], 40);
	T(read, p[0], buf, 3);
	told("read of nothing");
	T(write, p[1], "abc", 3);
	told("write");
	T(read, p[0], buf, 1);
	told("read");
	T(read, p[0], buf, 0);
	told("read of no bytes");
	T(read, p[0], BAD, 1);
	told("read to nowhere");
	T(fcntl, p[1], F_SETPIPE_SZ, 8 * PAGE);
	told("another size");
	Q(close, p[0]);
	told("close");
	T(write, p[1], "abc", 3);
	told("write to nobody");
}

CASE(large_write)
{
	pid_t pid;

	make_pipe();
	listen_to(p[0], 40);
	Q(fcntl, p[1], F_SETPIPE_SZ, PAGE);
	T(write, p[1], buf, 3 * PAGE);
	told("does not wait");
	Q(read, p[0], buf, 2 * PAGE);
	told("read");
	Q(fcntl, p[1], F_SETFL, 0);
	pid = child();
	if (!pid)
		end(R(write, p[1], buf, 2 * PAGE) == 2 * PAGE ? 0 : 1);
	await_blocked(pid);
	told("waits");
	Q(read, p[0], buf, PAGE);
	W(reap(pid));
	told("the rest");
}

CASE(splice)
{
	int q[2], fd = file("f", "0123456789");

	make_pipe();
	Q(pipe2, q, O_NONBLOCK);
	listen_to(p[0], 40);
	listen_to(p[1], 41);
	listen_to(q[0], 42);
	listen_to(q[1], 43);
	T(splice, fd, NULL, p[1], NULL, 4, 0);
	told("from a file");
	T(splice, p[0], NULL, q[1], NULL, 1, 0);
	told("a part to a pipe");
	T(tee, p[0], q[1], 4, 0);
	told("tee");
	T(splice, p[0], NULL, q[1], NULL, 4, 0);
	told("all to a pipe");
	T(splice, q[0], NULL, fd, NULL, 2, 0);
	told("to a file");
	T(vmsplice, q[0], io(buf, 1), 1, 0);
	told("a part to memory");
	T(vmsplice, q[1], io2("a", 1, "b", 1), 2, 0);
	told("from memory");
	T(sendfile, p[1], fd, bits(0), 4);
	told("sendfile");
	full(q[1]);
	told("until full");
	T(splice, p[0], NULL, q[1], NULL, 4, 0);
	told("to a full pipe");
}

CASE(interrupted_read)
{
	pid_t pid;

	Q(pipe2, p, 0);
	Q(fcntl, p[1], F_SETOWN, getpid());
	Q(fcntl, p[1], F_SETSIG, 40);
	Q(fcntl, p[1], F_SETFL, O_ASYNC);
	block(40);
	on(SIGUSR1, 0);
	pid = poke(SIGUSR1);
	T(read, p[0], buf, 1);
	reap(pid);
	told("interrupted");
}

CASE(first_of_two_readers_closes)
{
	int other, second;

	block_all();
	R(mknodat, AT_FDCWD, "p", S_IFIFO | 0600, 0);
	p[0] = Q(openat, AT_FDCWD, "p", O_RDONLY | O_NONBLOCK);
	other = Q(openat, AT_FDCWD, "p", O_RDONLY | O_NONBLOCK);
	listen_to(p[0], 40);
	p[1] = Q(openat, AT_FDCWD, "p", O_WRONLY | O_NONBLOCK);
	told("opened");
	second = Q(openat, AT_FDCWD, "p", O_WRONLY | O_NONBLOCK);
	Q(close, second);
	told("one of two writers has gone");
	Q(close, p[1]);
	told("no writer");
	Q(close, other);
	told("one of two readers has gone");
}

CASE(both_ways)
{
	block_all();
	R(mknodat, AT_FDCWD, "p", S_IFIFO | 0600, 0);
	p[0] = Q(openat, AT_FDCWD, "p", O_RDWR | O_NONBLOCK);
	listen_to(p[0], 40);
	T(write, p[0], "abc", 3);
	told("write");
	T(read, p[0], buf, 3);
	told("read");
	p[1] = Q(openat, AT_FDCWD, "p", O_WRONLY | O_NONBLOCK);
	Q(close, p[1]);
	told("a writer comes and goes");
	p[1] = Q(openat, AT_FDCWD, "p", O_RDONLY | O_NONBLOCK);
	listen_to(p[1], 41);
	T(write, p[0], "abc", 3);
	told("two files");
	Q(close, p[0]);
	told("the other closes");
}

CASE(opened_with_the_flag)
{
	int f = Q(openat, AT_FDCWD, "f", O_RDWR | O_CREAT | O_ASYNC, 0600);

	block_all();
	O(R(fcntl, f, F_GETFL) & ~O_LARGEFILE_RAW);
	T(ioctl, f, FIOASYNC, num(1));
	T(ioctl, f, FIOASYNC, num(0));
	T(fcntl, f, F_SETFL, 0);
	O(R(fcntl, f, F_GETFL) & ~O_LARGEFILE_RAW);
	R(mknodat, AT_FDCWD, "p", S_IFIFO | 0600, 0);
	p[0] = Q(openat, AT_FDCWD, "p", O_RDWR | O_NONBLOCK | O_ASYNC);
	Q(fcntl, p[0], F_SETOWN, getpid());
	O(R(fcntl, p[0], F_GETFL) & ~O_LARGEFILE_RAW);
	T(write, p[0], "x", 1);
	told("opened with it");
	T(fcntl, p[0], F_SETFL, O_NONBLOCK | O_ASYNC);
	T(write, p[0], "x", 1);
	told("set again");
	T(fcntl, p[0], F_SETFL, O_NONBLOCK);
	T(fcntl, p[0], F_SETFL, O_NONBLOCK | O_ASYNC);
	T(write, p[0], "x", 1);
	told("off and on");
	T(pipe2, p, O_ASYNC);
}

CASE(by_ioctl)
{
	make_pipe();
	Q(fcntl, p[0], F_SETOWN, getpid());
	Q(fcntl, p[0], F_SETSIG, 40);
	T(ioctl, p[0], FIOASYNC, num(7));
	O(R(fcntl, p[0], F_GETFL) & ~O_LARGEFILE_RAW);
	T(write, p[1], "x", 1);
	told("on");
	T(ioctl, 5, FIOASYNC, num(1));
	Q(dup3, p[0], 9, 0);
	T(ioctl, 9, FIOASYNC, num(1));
	T(write, p[1], "x", 1);
	told("on again, by another descriptor");
	T(ioctl, 9, FIOASYNC, num(0));
	T(write, p[1], "x", 1);
	told("off");
	T(ioctl, 9, FIOASYNC, num(1));
	T(write, p[1], "x", 1);
	told("on once more");
}

/* --- Signals ----------------------------------------------------------------------------- */

CASE(each_signal)
{
	static const int sigs[] = {
		0, SIGHUP, SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGUSR1, SIGSEGV, SIGPIPE, SIGCHLD,
		SIGCONT, SIGTSTP, SIGURG, SIGIO, SIGPWR, SIGSYS, 32, 33, 34, 64,
	};

	make_pipe();
	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		listen_to(p[0], sigs[i]);
		listen_to(p[1], sigs[i]);
		Q(write, p[1], "x", 1);
		Q(write, p[1], "x", 1);
		Q(read, p[0], buf, 2);
		told(signal_name(sigs[i]));
	}
}

CASE(default_actions)
{
	static const int sigs[] = { 0, SIGIO, SIGUSR1, SIGKILL, SIGURG, 40 };

	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++) {
		pid_t pid = child();

		if (!pid) {
			Q(pipe2, p, O_NONBLOCK);
			listen_to(p[0], sigs[i]);
			R(write, p[1], "x", 1);
			end(0);
		}
		W(reap(pid));
	}
}

static siginfo_t handed;

static void note(int sig, siginfo_t *i, void *context)
{
	(void)context;
	hits[sig]++;
	handed = *i;
}

CASE(handler)
{
	struct sigaction a = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };

	Q(pipe2, p, O_NONBLOCK);
	sigaction(SIGIO, &a, NULL);
	sigaction(40, &a, NULL);
	listen_to(p[0], SIGIO);
	T(write, p[1], "x", 1);
	V(hits[SIGIO]);
	memcpy(&info, &handed, sizeof(info));
	V(info.signo);
	V(info.code);
	H(info.band);
	V(info.fd);
	listen_to(p[1], 40);
	T(read, p[0], buf, 1);
	V(hits[40]);
	memcpy(&info, &handed, sizeof(info));
	V(info.code);
	H(info.band);
	V(info.fd);
	listen_to(p[0], 0);
	T(write, p[1], "x", 1);
	V(hits[SIGIO]);
	memcpy(&info, &handed, sizeof(info));
	H(info.code);
}

CASE(no_room_for_the_signal)
{
	make_pipe();
	listen_to(p[0], 40);
	Q(prlimit64, 0, RLIMIT_SIGPENDING, lim(0, 0), NULL);
	T(write, p[1], "x", 1);
	told("real-time");
	listen_to(p[0], SIGUSR1);
	T(write, p[1], "x", 1);
	told("standard");
	T(kill, getpid(), SIGIO);
	listen_to(p[0], 40);
	T(write, p[1], "x", 1);
	told("pending already");
}

CASE(read_from_a_signalfd)
{
	struct {
		uint32_t signo;
		int32_t error, code;
		uint32_t pid, uid;
		int32_t fd;
		uint32_t tid, band;
	} r[4] = { 0 };
	char record[128 * 4];
	int fd;

	make_pipe();
	fd = Q(signalfd4, -1, bits(-1UL), 8, O_NONBLOCK);
	listen_to(p[0], 40);
	Q(write, p[1], "x", 1);
	listen_to(p[0], SIGCHLD);
	Q(write, p[1], "x", 1);
	listen_to(p[0], 0);
	Q(write, p[1], "x", 1);
	T(read, fd, record, sizeof(record));
	for (int i = 0; i < 3; i++) {
		memcpy(&r[i], record + 128 * i, sizeof(r[i]));
		say("%d: code %d, pid %d, uid %d, fd %d, band %#x", r[i].signo, r[i].code, r[i].pid,
		    r[i].uid, r[i].fd, r[i].band);
	}
}

/* --- Leases, which files there can be none on -------------------------------------------- */

CASE(lease_errors)
{
	make_pipe();
	T(fcntl, p[0], F_SETLEASE, F_RDLCK);
	T(fcntl, p[0], F_SETLEASE, F_WRLCK);
	T(fcntl, p[0], F_SETLEASE, F_UNLCK);
	T(fcntl, p[0], F_SETLEASE, 9);
	T(fcntl, 0, F_SETLEASE, F_RDLCK);
	T(fcntl, Q(openat, AT_FDCWD, ".", O_RDONLY), F_SETLEASE, F_RDLCK);
	T(fcntl, p[0], F_GETLEASE);
}
