/* Fields of structures that choose, and those that are bits; sweep.h says how. */
#include "sweep.h"
#include "things.h"

struct how {
	uint64_t flags, mode, resolve;
};

CASE(open_how)
{
	static struct how how, making = { .flags = O_CREAT, .mode = 0644 };

	things();
	QUIETLY BITS_IN(openat2, how.flags, 64, d, "f", &how, sizeof(how));
	QUIETLY BITS_IN(openat2, how.flags, 64, d, "dir", &how, sizeof(how));
	QUIETLY BITS_IN(openat2, how.mode, 64, d, "f", &how, sizeof(how));
	QUIETLY BITS_IN(openat2, how.resolve, 64, d, "f", &how, sizeof(how));
	QUIETLY BITS_IN(openat2, how.resolve, 64, d, "l", &how, sizeof(how));
	QUIETLY BITS_IN(openat2, how.resolve, 64, d, "dir/..", &how, sizeof(how));
	QUIETLY BITS_IN(openat2, how.resolve, 64, d, "/proc/self/status", &how, sizeof(how));
	QUIETLY BITS_IN(openat2, making.mode, 64, d, "f", &making, sizeof(making));
	QUIETLY BITS_IN(openat2, making.resolve, 64, d, "f", &making, sizeof(making));
	QUIETLY NUMBERS(openat2, 3, 0, 40, d, "f", buf, 0);
}

CASE(ready)
{
	static struct pollfd p;
	int full_pipe[2], ended[2], unread[2];

	things();
	Q(pipe2, full_pipe, 0);
	full(full_pipe[1]);
	Q(pipe2, ended, 0);
	Q(close, ended[1]);
	Q(pipe2, unread, 0);
	Q(close, unread[0]);
	for (int i = 0; i < 12; i++) {
		p.fd = ((int[]){ f, r, w, full_pipe[0], full_pipe[1], ended[0], unread[1], d, 0,
				 Q(eventfd2, 0, 0), Q(eventfd2, 1, 0),
				 Q(timerfd_create, CLOCK_MONOTONIC, 0) })[i];
		say("%d", i);
		BITS_IN(ppoll, p.events, 16, &p, 1, TIME(0, 0), NULL, 8);
	}
	NUMBERS_IN(ppoll, p.fd, -4, 2, &p, 1, TIME(0, 0), NULL, 8);
	NUMBERS(ppoll, 4, -1, 20, &p, 1, TIME(0, 0), bits(0), 0);
}

CASE(locks)
{
	static struct linux_lock l = { .type = F_RDLCK, .len = 1 }, mine = { .type = F_RDLCK };
	static struct linux_owner owner;

	things();
	QUIETLY NUMBERS_IN(fcntl, l.type, -2, 10, f, F_SETLK, &l);
	QUIETLY NUMBERS_IN(fcntl, l.type, -2, 10, r, F_SETLK, &l);
	QUIETLY NUMBERS_IN(fcntl, l.type, -2, 10, f, F_GETLK, &l);
	QUIETLY NUMBERS_IN(fcntl, l.whence, -2, 10, f, F_SETLK, &l);
	QUIETLY NUMBERS_IN(fcntl, l.start, -3, 3, f, F_SETLK, &l);
	QUIETLY NUMBERS_IN(fcntl, l.len, -3, 3, f, F_SETLK, &l);
	QUIETLY BITS_IN(fcntl, l.start, 64, f, F_SETLK, &l);
	QUIETLY BITS_IN(fcntl, l.len, 64, f, F_SETLK, &l);
	QUIETLY BITS_IN(fcntl, mine.start, 64, f, F_GETLK, &mine);
	QUIETLY NUMBERS_IN(fcntl, mine.pid, -2, 2, f, F_OFD_SETLK, &mine);
	QUIETLY NUMBERS_IN(fcntl, mine.pid, -2, 2, f, F_OFD_GETLK, &mine);
	QUIETLY NUMBERS_IN(fcntl, owner.kind, -2, 6, f, F_SETOWN_EX, &owner);
}

CASE(timers)
{
	static struct linux_sigevent event = { .signo = SIGUSR1 };
	static struct linux_sigevent thread = { .signo = SIGUSR1, .notify = 4 };
	static struct linux_itimerspec t;
	static struct linux_itimerval v;
	int fd = Q(timerfd_create, CLOCK_MONOTONIC, 0);

	NUMBERS_IN(timer_create, event.notify, -2, 10, CLOCK_MONOTONIC, &event, buf);
	NUMBERS_IN(timer_create, event.signo, -2, 70, CLOCK_MONOTONIC, &event, buf);
	NUMBERS_IN(timer_create, thread.signo, -2, 70, CLOCK_MONOTONIC, &thread, buf);
	NUMBERS_IN(timer_create, thread.tid, -2, 0, CLOCK_MONOTONIC, &thread, buf);
	Q(rt_sigprocmask, SIG_BLOCK, bits(1UL << (SIGALRM - 1)), NULL, 8);
	BITS_IN(timerfd_settime, t.value.tv_sec, 64, fd, 0, &t, NULL);
	BITS_IN(timerfd_settime, t.value.tv_nsec, 64, fd, 0, &t, NULL);
	BITS_IN(timerfd_settime, t.interval.tv_nsec, 64, fd, 0, &t, NULL);
	BITS(timerfd_settime, 1, 32, fd, 0, &t, NULL);
	BITS_IN(setitimer, v.value.tv_sec, 64, 0, &v, NULL);
	BITS_IN(setitimer, v.value.tv_usec, 64, 0, &v, NULL);
	BITS_IN(setitimer, v.interval.tv_usec, 64, 0, &v, NULL);
	BITS_IN(clock_nanosleep, t.value.tv_nsec, 64, 1, 1, &t.value, NULL);
}

CASE(times)
{
	static struct timespec t[2];

	things();
	BITS_IN(utimensat, t[0].tv_nsec, 64, d, "f", t, 0);
	BITS_IN(utimensat, t[1].tv_nsec, 64, d, "f", t, 0);
	BITS_IN(utimensat, t[1].tv_sec, 64, d, "f", t, 0);
	NUMBERS_IN(utimensat, t[1].tv_nsec, 0x3ffffffd, 0x40000001, d, "f", t, 0);
	NUMBERS_IN(utimensat, t[1].tv_nsec, 999999998, 1000000001, d, "f", t, 0);
}

CASE(scheduling)
{
	static struct linux_sched_attr a = { .size = 48 }, rt = { .size = 48, .policy = 1,
								  .priority = 1 };
	static struct linux_sched_attr clamped = { .size = 56 };
	static int priority;

	ONE_BY_ONE NUMBERS_IN(sched_setattr, a.size, -1, 60, 0, &a, 0);
	ONE_BY_ONE NUMBERS_IN(sched_setattr, a.policy, -2, 6, 0, &a, 0);
	ONE_BY_ONE BITS_IN(sched_setattr, a.flags, 28, 0, &a, 0);
	ONE_BY_ONE NUMBERS_IN(sched_setattr, a.nice, -25, 25, 0, &a, 0);
	ONE_BY_ONE NUMBERS_IN(sched_setattr, a.priority, -1, 2, 0, &a, 0);
	ONE_BY_ONE NUMBERS_IN(sched_setattr, rt.priority, -1, 101, 0, &rt, 0);
	ONE_BY_ONE NUMBERS_IN(sched_setattr, rt.policy, -2, 6, 0, &rt, 0);
	ONE_BY_ONE BITS_IN(sched_setattr, rt.flags, 28, 0, &rt, 0);
	ONE_BY_ONE BITS_IN(sched_setattr, clamped.flags, 28, 0, &clamped, 0);
	ONE_BY_ONE NUMBERS_IN(sched_setscheduler, priority, -1, 101, 0, SCHED_RR, &priority);
	Q(sched_setscheduler, 0, SCHED_RR, num(1));
	ONE_BY_ONE BITS_IN(sched_setattr, a.flags, 28, 0, &a, 0);
	ONE_BY_ONE BITS_IN(sched_setattr, rt.flags, 28, 0, &rt, 0);
	ONE_BY_ONE NUMBERS_IN(sched_setparam, priority, -1, 101, 0, &priority);
}

CASE(signals)
{
	static struct kernel_sigaction sa;
	static stack_t s = { .ss_sp = buf, .ss_size = 16384 };

	ONE_BY_ONE BITS_IN(rt_sigaction, sa.flags, 64, SIGUSR1, &sa, NULL, 8);
	ONE_BY_ONE BITS_IN(rt_sigaction, sa.mask, 64, SIGUSR1, &sa, NULL, 8);
	ONE_BY_ONE NUMBERS_IN(rt_sigaction, sa.handler, -2, 3, SIGUSR1, &sa, NULL, 8);
	ONE_BY_ONE NUMBERS(rt_sigaction, 0, -1, 66, 0, &sa, NULL, 8);
	ONE_BY_ONE NUMBERS(rt_sigaction, 3, 0, 20, SIGUSR1, &sa, NULL, 0);
	ONE_BY_ONE NUMBERS_IN(sigaltstack, s.ss_flags, -2, 8, &s, NULL);
	ONE_BY_ONE BITS_IN(sigaltstack, s.ss_flags, 32, &s, NULL);
	ONE_BY_ONE BITS_IN(sigaltstack, s.ss_size, 64, &s, NULL);
}

CASE(capabilities)
{
	static struct {
		unsigned version;
		int pid;
	} head = { 0x20080522, 0 };
	static unsigned sets[2][3];

	BITS_IN(capget, head.version, 32, &head, sets);
	NUMBERS_IN(capget, head.version, 0x20080520, 0x20080524, &head, sets);
	NUMBERS_IN(capget, head.pid, -2, 0, &head, sets);
	Q(prctl, PR_CAPBSET_DROP, SYS_RESOURCE);
	drop_cap(SYS_RESOURCE);
	for (int i = 0; i < 6; i++) {
		unsigned *word = &sets[i / 3][i % 3];

		say("%d", i);
		ONE_BY_ONE BITS_IN(capset, *word, 32, &head, sets);
	}
}

CASE(queues)
{
	static struct {
		long flags, maxmsg, msgsize, curmsgs, pad[4];
	} a = { 0, 1, 1, 0, { 0 } };
	static struct linux_sigevent event = { .signo = SIGUSR1 };
	int q = Q(mq_open, "diff_fields", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &a);

	event.value = (unsigned long)buf;
	ONE_BY_ONE NUMBERS_IN(mq_notify, event.notify, -2, 6, q, &event);
	event.value = 0;
	ONE_BY_ONE NUMBERS_IN(mq_notify, event.notify, -2, 6, q, &event);
	ONE_BY_ONE NUMBERS_IN(mq_notify, event.signo, -2, 70, q, &event);
	NUMBERS(mq_timedsend, 2, 0, 4, q, "abc", 0, 0, NULL);
	BITS(mq_timedsend, 3, 64, q, "a", 1, 0, NULL);
	BITS(mq_timedreceive, 2, 64, q, buf, 0, NULL, NULL);
	BITS_IN(mq_getsetattr, a.flags, 64, q, &a, NULL);
	BITS_IN(mq_getsetattr, a.maxmsg, 64, q, &a, NULL);
	Q(mq_unlink, "diff_fields");
}

CASE(limits)
{
	static struct rlimit l;

	drop_cap(SYS_RESOURCE);
	Q(prlimit64, 0, RLIMIT_NOFILE, lim(100, 1000), NULL);
	Q(prlimit64, 0, RLIMIT_STACK, lim(1UL << 20, 1UL << 22), NULL);
	ONE_BY_ONE BITS_IN(prlimit64, l.rlim_max, 64, 0, RLIMIT_NOFILE, &l, NULL);
	ONE_BY_ONE BITS_IN(prlimit64, l.rlim_cur, 64, 0, RLIMIT_NOFILE, &l, NULL);
	ONE_BY_ONE BITS_IN(prlimit64, l.rlim_max, 64, 0, RLIMIT_STACK, &l, NULL);
}
