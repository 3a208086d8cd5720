/* Clocks, timers, futexes, queues and polls with every two arguments; pairs.h says how. */
#include "pairs.h"

#define CPU_CLOCK(pid) (~(unsigned)(pid) << 3 | 2) /* of a process, by its id */
struct zone {
	int west, dst;
};

#define SPEC(...)  AT(struct linux_itimerspec, __VA_ARGS__)
#define EVENT(...) AT(struct linux_sigevent, __VA_ARGS__)

CASE(clocks)
{
	PAIRS(clock_gettime,
	      A(0, 1, 4, 7, 10, 11, 12, 99, -1, CPU_CLOCK(getpid()), CPU_CLOCK(0x7ffffff)),
	      A(buf, BAD));
	PAIRS(clock_getres,
	      A(0, 1, 4, 7, 10, 11, 12, 99, -1, CPU_CLOCK(getpid()), CPU_CLOCK(0x7ffffff)),
	      A(buf, NULL, BAD));
	PAIRS(clock_settime, A(1, 4, 7, 99), A(TIME(0, 0), TIME(-1, 0), TIME(0, -1), BAD));
	PAIRS(clock_settime, A(CPU_CLOCK(getpid())), A(TIME(0, 0), TIME(-1, 0)));
	PAIRS(clock_nanosleep, A(0, 1, 2, 3, 4, 5, 7, 10, 99), A(0, 1, 2, -1),
	      A(TIME(0, 0), TIME(-1, 0), TIME(0, -1), TIME(0, 1000000000), BAD),
	      A(NULL, buf, BAD));
	PAIRS(gettimeofday, A(buf, NULL, BAD), A(NULL, buf, BAD));
	PAIRS(settimeofday, A(NULL, tv(0, -1), tv(0, 2000000), BAD),
	      A(NULL, AT(struct zone, -901), AT(struct zone, 901), BAD));
}

#define ASK_CLOCKS(...)									\
	do {										\
		PAIRS(clock_gettime, A(__VA_ARGS__), A(buf));				\
		PAIRS(clock_getres, A(__VA_ARGS__), A(buf));				\
		PAIRS(clock_settime, A(__VA_ARGS__), A(TIME(-1, 0)));			\
		PAIRS(clock_adjtime, A(__VA_ARGS__), A(buf, BAD));			\
		PAIRS(clock_nanosleep, A(__VA_ARGS__), A(0), A(TIME(0, 0)), A(NULL));	\
		PAIRS(timer_create, A(__VA_ARGS__), A(EVENT(.notify = 1)), A(buf));	\
		PAIRS(timerfd_create, A(__VA_ARGS__), A(0, 1));				\
	} while (0)

/* The numbers below 0 are clocks of processes, threads and files, by their lowest three bits. */
CASE(clock_numbers)
{
	ASK_CLOCKS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
	ASK_CLOCKS(-1, -2, -3, -4, -5, -6, -7, -8, -9, -13, -17);
}

CASE(timers)
{
	int t = Q(timerfd_create, 1, 0), f = file("f", ""), id;

	Q(timer_create, 1, EVENT(.notify = 1), &id);
	PAIRS(getitimer, A(0, 1, 2, 3, -1), A(buf, NULL, BAD));
	PAIRS(setitimer, A(0, 1, 2, 3, -1),
	      A(AT(struct linux_itimerval, { 0, 0 }), AT(struct linux_itimerval, { 0, 1000000 }),
		AT(struct linux_itimerval, { -1, 0 }, { 100, 0 }),
		AT(struct linux_itimerval, { 0, 0 }, { 0, -1 }), NULL, BAD),
	      A(NULL, buf, BAD));
	PAIRS(timerfd_create, A(0, 1, 2, 7, 8, 9, 4, 99, -1), A(0, O_NONBLOCK, O_CLOEXEC, 1, -1));
	PAIRS(timerfd_settime, A(t, 77, f, -1), A(0, 1, 2, 3, 4, -1),
	      A(SPEC({ 0, 0 }), SPEC({ 0, -1 }), SPEC({ 0, 0 }, { -1, 0 }),
		SPEC({ 0, 0 }, { 0, 1000000000 }), BAD),
	      A(NULL, buf, BAD));
	PAIRS(timerfd_gettime, A(t, 77, f), A(buf, BAD));
	PAIRS(timer_create, A(0, 1, 2, 3, 7, 4, 5, 99),
	      A(EVENT(.notify = 1), EVENT(.signo = 10), EVENT(.signo = 65), EVENT(.notify = 9),
		EVENT(.signo = 10, .notify = 4),
		EVENT(.notify = 4, .signo = 10, .tid = 0x7ffffff0), NULL, BAD),
	      A(buf, BAD));
	PAIRS(timer_settime, A(id, 99, -1), A(0, 1, 2, -1),
	      A(SPEC({ 0, 0 }), SPEC({ 0, -1 }), SPEC({ 0, 0 }, { -1, 0 }),
		SPEC({ 0, 0 }, { 0, 1000000000 }), NULL, BAD),
	      A(NULL, buf, BAD));
	PAIRS(timer_gettime, A(id, 99, -1), A(buf, BAD));
	PAIRS(timer_getoverrun, A(id, 99, -1));
	PAIRS(timer_delete, A(id, 99, -1));
}

/* All operations with all faults. The word is 0, and nobody waits. */
CASE(futex)
{
	unsigned *word = (unsigned *)pages(1, PROT_READ | PROT_WRITE, MAP_SHARED);
	struct timespec *none = TIME(0, 0), *bad = TIME(0, -1);

	PAIRS(futex, A(word, (char *)word + 1, BAD, NULL, -4),
	      A(FUTEX_WAIT, 9, 13, 9 | 256, 20, 14), A(1, 0), A(none, bad, BAD), A(0), A(-1, 0));
	PAIRS(futex, A(word, (char *)word + 1, BAD, NULL, -4),
	      A(FUTEX_WAKE, 10, 128 + 1, 128 + 10, 1 | 256), A(1, 0, -1), A(0), A(0), A(-1, 0));
	PAIRS(futex, A(word, (char *)word + 1, BAD), A(3, 4, 5, 12), A(1, 0, -1), A(1, 0, -1),
	      A(word + 1, word, (char *)word + 1, BAD, NULL), A(0, 1, 5 << 28, 6 << 24));
	PAIRS(futex, A(word, (char *)word + 1, BAD, NULL), A(8, 6, 13), A(0), A(NULL, bad, BAD),
	      A(0), A(0));
	PAIRS(futex, A(word, BAD, NULL), A(7, 0 | 256, 1 | 256, 6 | 256), A(1), A(none), A(0),
	      A(0));
	PAIRS(futex, A(word), A(11, 11 | 256), A(1), A(none, bad, BAD),
	      A(word + 1, word, (char *)word + 1, BAD), A(0));
}

CASE(queues)
{
	int q = Q(mq_open, "pairs", O_RDWR | O_CREAT | O_NONBLOCK, 0600, NULL), f = file("f", "");
	int ro = Q(mq_open, "pairs", O_RDONLY | O_NONBLOCK, 0, NULL);
	struct mq {
		long flags, maxmsg, msgsize, curmsgs, spare[4];
	};
	static char text[9000], longest[300];

	memset(longest, 'x', sizeof(longest) - 1);
	drop_cap(SYS_RESOURCE);
	PAIRS(mq_open, A("pairs", "pairs-gone", "", "a/b", ".", longest, BAD),
	      A(O_RDWR, 3, O_CREAT | O_EXCL, O_RDWR | O_CREAT, O_RDONLY), A(0600, -1),
	      A(NULL, BAD));
	PAIRS(mq_open, A("pairs-new"), A(O_CREAT | O_EXCL), A(0600),
	      A(AT(struct mq, 0, 0, 1), AT(struct mq, 0, 1, 0), AT(struct mq, 0, -1, 1),
		AT(struct mq, 0, 65537, 1), AT(struct mq, 0, 11, 1), AT(struct mq, 0, 1, 8193),
		AT(struct mq, 0, 1, 16777217), BAD));
	PAIRS(mq_unlink, A("pairs-new", "pairs-gone", "", "a/b", longest, BAD));
	PAIRS(mq_timedsend, A(q, 77, f, ro), A(text, BAD), A(1, 0, 8193, -1),
	      A(0, 32767, 32768, -1), A(NULL, TIME(0, 0), TIME(-1, 0), TIME(0, -1), BAD));
	PAIRS(mq_timedreceive, A(q, 77, f, ro), A(text, BAD), A(8192, 0, 8191, -1),
	      A(NULL, buf, BAD), A(NULL, TIME(0, 0), TIME(-1, 0), TIME(0, -1), BAD));
	PAIRS(mq_getsetattr, A(q, 77, f),
	      A(NULL, AT(struct mq, 0), AT(struct mq, O_NONBLOCK), AT(struct mq, 1), BAD),
	      A(buf, NULL, BAD));
	PAIRS(mq_notify, A(q, 77, f),
	      A(NULL, EVENT(.notify = 1), EVENT(.signo = 10), EVENT(.signo = 65),
		EVENT(.notify = 9), BAD));
	Q(mq_unlink, "pairs");
	R(mq_unlink, "pairs-new");
}

CASE(polls)
{
	int f = file("f", "");
	struct pollfd *ready = AT(struct pollfd, f, POLLIN),
		      *wrong = AT(struct pollfd, 77, POLLIN);

	PAIRS(ppoll, A(ready, wrong, BAD, NULL), A(1, 0, 1025, -1),
	      A(TIME(0, 0), TIME(-1, 0), TIME(0, -1), BAD), A(NULL, bits(0), BAD), A(8, 0, 16));
	PAIRS(pselect6, A(4, 0, -1, 1025), A(bits(8), bits(0), NULL, BAD), A(NULL, bits(8), BAD),
	      A(NULL, bits(8), BAD), A(TIME(0, 0), TIME(-1, 0), TIME(0, -1), BAD), A(NULL, BAD));
}
