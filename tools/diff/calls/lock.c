/* Locks on files: flock, record locks by process and by open file. */
#include "diff.h"

static struct linux_lock l;

static struct linux_lock *lock(short type, long start, long len)
{
	l = (struct linux_lock){ type, SEEK_SET, start, len, 0 };
	return &l;
}

static void show(void)
{
	say("type %d whence %d start %ld len %ld pid %s", l.type, l.whence, l.start, l.len,
	    l.pid == 0 ? "0" : l.pid == -1 ? "-1" : l.pid == getppid() ? "parent" : "other");
}

CASE(flock)
{
	int a = file("a", ""), b = Q(openat, AT_FDCWD, "a", O_RDONLY), c = Q(dup, a);

	T(flock, a, LOCK_EX);
	T(flock, b, LOCK_EX | LOCK_NB);
	T(flock, b, LOCK_SH | LOCK_NB);
	T(flock, c, LOCK_EX | LOCK_NB);
	T(flock, a, LOCK_SH);
	T(flock, b, LOCK_SH | LOCK_NB);
	T(flock, a, LOCK_EX | LOCK_NB);
	T(flock, a, LOCK_UN);
	T(flock, b, LOCK_EX | LOCK_NB);
	T(flock, a, LOCK_UN);
	T(flock, a, 0);
	T(flock, a, LOCK_SH | LOCK_EX);
	T(flock, a, 16);
	T(flock, a, LOCK_NB);
	T(flock, 77, 0);
	T(flock, 0, LOCK_EX);
}

CASE(flock_closed_last)
{
	int a = file("a", ""), b = Q(openat, AT_FDCWD, "a", O_RDONLY), c = Q(dup, a);

	Q(flock, a, LOCK_EX);
	Q(close, a);
	T(flock, b, LOCK_EX | LOCK_NB);
	Q(close, c);
	T(flock, b, LOCK_EX | LOCK_NB);
}

CASE(flock_waits)
{
	int a = file("a", ""), b = Q(openat, AT_FDCWD, "a", O_RDONLY);
	pid_t us = getpid();

	Q(flock, a, LOCK_EX);
	on(SIGUSR1, 0);
	poke(SIGUSR1);
	T(flock, b, LOCK_EX);
	if (!child()) {
		await_blocked(us);
		R(flock, a, LOCK_UN);
		end(0);
	}
	T(flock, b, LOCK_EX);
}

CASE(records)
{
	int fd = file("a", "0123456789");
	pid_t pid;

	T(fcntl, fd, F_SETLK, lock(F_WRLCK, 2, 3));
	T(fcntl, fd, F_GETLK, lock(F_WRLCK, 0, 0));
	show();
	pid = child();
	if (!pid) {
		T(fcntl, fd, F_GETLK, lock(F_WRLCK, 0, 0));
		show();
		T(fcntl, fd, F_SETLK, lock(F_RDLCK, 4, 1));
		T(fcntl, fd, F_SETLK, lock(F_WRLCK, 5, 0));
		T(fcntl, fd, F_SETLK, lock(F_WRLCK, 0, 2));
		T(fcntl, fd, F_GETLK, lock(F_RDLCK, 0, 2));
		show();
		end(0);
	}
	reap(pid);
	T(fcntl, fd, F_SETLK, lock(F_UNLCK, 3, 1));
	pid = child();
	if (!pid) {
		T(fcntl, fd, F_SETLK, lock(F_WRLCK, 3, 1));
		T(fcntl, fd, F_GETLK, lock(F_WRLCK, 3, 0));
		show();
		T(fcntl, fd, F_GETLK, lock(F_WRLCK, 0, 3));
		show();
		end(0);
	}
	reap(pid);
}

/* To unlock a place, or to lock it in another way, changes nothing elsewhere. */
CASE(records_apart)
{
	int fd = file("a", "0123456789");
	pid_t pid;

	Q(fcntl, fd, F_SETLK, lock(F_WRLCK, 0, 2));
	Q(fcntl, fd, F_SETLK, lock(F_WRLCK, 8, 2));
	T(fcntl, fd, F_SETLK, lock(F_UNLCK, 4, 2));
	T(fcntl, fd, F_SETLK, lock(F_RDLCK, 4, 1));
	pid = child();
	if (!pid) {
		for (long at = 0; at < 11; at++) {
			T(fcntl, fd, F_GETLK, lock(F_WRLCK, at, 1));
			show();
		}
		end(0);
	}
	reap(pid);
}

CASE(records_shared)
{
	int fd = file("a", "");
	pid_t pid;

	T(fcntl, fd, F_SETLK, lock(F_RDLCK, 0, 10));
	pid = child();
	if (!pid) {
		T(fcntl, fd, F_SETLK, lock(F_RDLCK, 5, 10));
		T(fcntl, fd, F_SETLK, lock(F_WRLCK, 10, 10));
		T(fcntl, fd, F_SETLK, lock(F_WRLCK, 9, 1));
		end(0);
	}
	reap(pid);
}

/* The answer counts from the beginning, from wherever the question did. */
CASE(records_asked_for)
{
	int fd = file("a", "0123456789");
	pid_t pid;

	Q(fcntl, fd, F_SETLK, lock(F_WRLCK, 5, 2));
	Q(lseek, fd, 3, SEEK_SET);
	pid = child();
	if (!pid) {
		for (int i = 0; i < 6; i++) {
			lock(F_RDLCK, i / 3 ? 2 : -2, 0)->whence = i % 3;
			T(fcntl, fd, F_GETLK, &l);
			show();
			lock(F_RDLCK, i / 3 ? 2 : -2, 0)->whence = i % 3;
			T(fcntl, fd, F_OFD_GETLK, &l);
			show();
		}
		end(0);
	}
	reap(pid);
}

CASE(records_errors)
{
	int fd = file("a", "0123456789"), r = Q(openat, AT_FDCWD, "a", O_RDONLY);

	T(fcntl, r, F_SETLK, lock(F_WRLCK, 0, 1));
	T(fcntl, r, F_SETLK, lock(F_RDLCK, 0, 1));
	T(fcntl, fd, F_SETLK, lock(3, 0, 1));
	T(fcntl, fd, F_GETLK, lock(F_UNLCK, 0, 1));
	T(fcntl, fd, F_SETLK, lock(F_WRLCK, -1, 1));
	T(fcntl, fd, F_SETLK, lock(F_WRLCK, 0, -1));
	T(fcntl, fd, F_SETLK, lock(F_WRLCK, 5, -3));
	T(fcntl, fd, F_SETLK, lock(F_WRLCK, 0x7fffffffffffffff, 2));
	lock(F_WRLCK, 0, 1)->whence = 7;
	T(fcntl, fd, F_SETLK, &l);
	lock(F_WRLCK, -2, 1)->whence = SEEK_END;
	T(fcntl, fd, F_SETLK, &l);
	T(fcntl, fd, F_SETLK, BAD);
	T(fcntl, fd, F_GETLK, BAD);
	T(fcntl, 77, F_SETLK, BAD);
	T(fcntl, fd, F_OFD_SETLK, lock(F_WRLCK, 0, 1));
	lock(F_WRLCK, 0, 1)->pid = 5;
	T(fcntl, fd, F_OFD_SETLK, &l);
}

CASE(records_go_at_close)
{
	int fd = file("a", ""), again, p[2];
	pid_t pid;

	Q(pipe2, p, 0);
	Q(fcntl, fd, F_SETLK, lock(F_WRLCK, 0, 0));
	pid = child();
	if (!pid) {
		T(fcntl, fd, F_SETLK, lock(F_WRLCK, 0, 0));
		R(read, p[0], buf, 1);
		T(fcntl, fd, F_SETLK, lock(F_WRLCK, 0, 0));
		end(0);
	}
	await_blocked(pid);
	again = Q(openat, AT_FDCWD, "a", O_RDONLY);
	Q(close, again);
	R(write, p[1], "x", 1);
	reap(pid);
}

CASE(records_wait)
{
	int fd = file("a", "");
	pid_t pid;

	Q(fcntl, fd, F_SETLK, lock(F_WRLCK, 0, 0));
	pid = child();
	if (!pid) {
		T(fcntl, fd, F_SETLKW, lock(F_WRLCK, 3, 1));
		end(0);
	}
	await_blocked(pid);
	Q(fcntl, fd, F_SETLK, lock(F_UNLCK, 0, 0));
	W(reap(pid));
}

CASE(records_deadlock)
{
	int fd = file("a", "");
	pid_t pid;

	Q(fcntl, fd, F_SETLK, lock(F_WRLCK, 0, 1));
	pid = child();
	if (!pid) {
		R(fcntl, fd, F_SETLK, lock(F_WRLCK, 1, 1));
		R(fcntl, fd, F_SETLKW, lock(F_WRLCK, 0, 1));
		end(0);
	}
	await_blocked(pid);
	T(fcntl, fd, F_SETLKW, lock(F_WRLCK, 1, 1));
}

CASE(open_file_locks)
{
	int a = file("a", ""), b = Q(openat, AT_FDCWD, "a", O_RDWR);

	T(fcntl, a, F_OFD_SETLK, lock(F_WRLCK, 0, 5));
	T(fcntl, b, F_OFD_SETLK, lock(F_WRLCK, 4, 1));
	T(fcntl, b, F_OFD_GETLK, lock(F_WRLCK, 0, 0));
	show();
	T(fcntl, b, F_GETLK, lock(F_RDLCK, 0, 0));
	show();
	T(fcntl, b, F_SETLK, lock(F_RDLCK, 0, 1));
	Q(close, a);
	T(fcntl, b, F_OFD_SETLK, lock(F_WRLCK, 4, 1));
}

/* An open file may have a flock and locks on ranges: neither changes the other. */
CASE(open_file_and_flock)
{
	static const int types[] = { F_RDLCK, F_WRLCK };
	static const int flocks[] = { LOCK_SH, LOCK_EX };

	for (int i = 0; i < 8; i++) {
		int a = file("a", ""), b = Q(openat, AT_FDCWD, "a", O_RDWR);

		V(i);
		if (i & 4)
			T(flock, a, flocks[i & 1]);
		T(fcntl, a, F_OFD_SETLK, lock(types[i >> 1 & 1], 0, 10));
		if (!(i & 4))
			T(flock, a, flocks[i & 1]);
		T(fcntl, b, F_OFD_SETLK, lock(F_WRLCK, 100, 10));
		T(fcntl, b, F_OFD_SETLK, lock(F_RDLCK, 0, 10));
		T(flock, b, LOCK_SH | LOCK_NB);
		if (i & 4)
			T(flock, a, LOCK_UN);
		else
			T(fcntl, a, F_OFD_SETLK, lock(F_UNLCK, 0, 0));
		T(fcntl, b, F_OFD_SETLK, lock(F_WRLCK, 0, 10));
		T(flock, b, LOCK_EX | LOCK_NB);
		Q(close, a);
		Q(close, b);
	}
}

/* F_UNLCK asks which locks the open file itself has. */
CASE(open_file_asks_for_its_own)
{
	int a = file("a", ""), b = Q(openat, AT_FDCWD, "a", O_RDWR);

	Q(fcntl, a, F_OFD_SETLK, lock(F_WRLCK, 5, 10));
	Q(fcntl, a, F_OFD_SETLK, lock(F_RDLCK, 40, 1));
	Q(fcntl, a, F_SETLK, lock(F_RDLCK, 60, 1));
	for (int i = 0; i < 5; i++) {
		T(fcntl, i < 4 ? a : b, F_OFD_GETLK, lock(F_UNLCK, 20 * i, i < 4 ? 20 : 0));
		show();
	}
}

/* It has no offset, whatever was opened and closed before. */
CASE(from_the_offset_of_a_fifo)
{
	int one, two, writer;

	Q(mknodat, AT_FDCWD, "f", S_IFIFO | 0600, 0);
	one = Q(openat, AT_FDCWD, "f", O_RDONLY | O_NONBLOCK);
	writer = Q(openat, AT_FDCWD, "f", O_WRONLY);
	Q(close, writer);
	two = Q(openat, AT_FDCWD, "f", O_RDONLY | O_NONBLOCK);
	lock(F_RDLCK, 3, 1)->whence = SEEK_CUR;
	T(fcntl, two, F_OFD_SETLK, &l);
	T(fcntl, one, F_OFD_GETLK, lock(F_WRLCK, 0, 0));
	show();
}
