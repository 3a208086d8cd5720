/*
 * The words that cases of the differential suite are written in; README.md beside the folder says
 * how.
 *
 *	CASE(pipe_read_empty)
 *	{
 *		int p[2];
 *
 *		T(pipe2, p, O_NONBLOCK);
 *		T(read, p[0], buf, 1);
 *	}
 *
 * A case asks the kernel itself: calls go round the C library's functions. It says nothing that
 * differs from run to run: of process ids, addresses and times it prints what is true of them
 * (V(pid > 0)). It never sends a signal to -1, and never changes the machine's clock or name: it
 * runs as root on somebody's computer.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "linux.h"

#define PAGE 4096L

struct diff_case {
	const char *name, *file;
	int line;
	void (*run)(void);
};

/* Begins a case. Its pointer goes into a section of its own, which main.c walks. */
#define CASE(n) \
	static void run_##n(void); \
	static const struct diff_case case_##n = { #n, __FILE__, __LINE__, run_##n }; \
	static const struct diff_case *const listed_##n \
		__attribute__((section("diff_cases"), used)) = &case_##n; \
	static void run_##n(void)

/* --- Asking ------------------------------------------------------------------------------ */

#define LONGS_0()
#define LONGS_1(a)		    (long)(a)
#define LONGS_2(a, ...)		    (long)(a), LONGS_1(__VA_ARGS__)
#define LONGS_3(a, ...)		    (long)(a), LONGS_2(__VA_ARGS__)
#define LONGS_4(a, ...)		    (long)(a), LONGS_3(__VA_ARGS__)
#define LONGS_5(a, ...)		    (long)(a), LONGS_4(__VA_ARGS__)
#define LONGS_6(a, ...)		    (long)(a), LONGS_5(__VA_ARGS__)
#define LONGS_7(a, ...)		    (long)(a), LONGS_6(__VA_ARGS__)
#define LONGS_8(a, ...)		    (long)(a), LONGS_7(__VA_ARGS__)
#define LONGS_9(a, ...)		    (long)(a), LONGS_8(__VA_ARGS__)
#define LONGS_10(a, ...)		    (long)(a), LONGS_9(__VA_ARGS__)
#define LONGS_11(a, ...)		    (long)(a), LONGS_10(__VA_ARGS__)
#define LONGS_12(a, ...)		    (long)(a), LONGS_11(__VA_ARGS__)
#define LONGS_N(x, a, b, c, d, e, f, g, h, i, j, k, l, n, ...) LONGS_##n
#define LONGS_OF(...)		    \
	LONGS_N(x, ##__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

/* The call, and nothing printed: a number at or above 0, or a negative error. */
#define R(call, ...) ask(NR_##call, (const long[6]){ LONGS_OF(__VA_ARGS__)(__VA_ARGS__) })

/* The call and the answer as a line: the number, or the error's name. */
#define T(call, ...) tell(#call "(" #__VA_ARGS__ ")", R(call, ##__VA_ARGS__), 0)

/* The same where a number at or above 0 is only "ok": an id, an address. */
#define OK(call, ...) tell(#call "(" #__VA_ARGS__ ")", R(call, ##__VA_ARGS__), 1)

/* A step on the way, which works; if it does not, the case ends and says so. */
#define Q(call, ...) need(#call "(" #__VA_ARGS__ ")", R(call, ##__VA_ARGS__))

/* A value as a line: a number, in octal, a text, how a child ended. */
#define V(x) say("%s = %ld", #x, (long)(x))
#define O(x) say("%s = 0%lo", #x, (long)(x))
#define H(x) say("%s = %#lx", #x, (long)(x))
#define S(x) say("%s = \"%s\"", #x, (const char *)(x))
#define W(status) say_status(#status, status)

long ask(long number, const long a[6]);
long tell(const char *what, long result, int only_ok);
long need(const char *what, long result);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_status(const char *what, int status);
const char *error_name(long error);
const char *signal_name(int sig);

/* --- Things at hand ---------------------------------------------------------------------- */

extern char buf[8 * PAGE]; /* zeroed at the start of each case */
extern volatile uintptr_t nowhere;
#define BAD ((void *)nowhere) /* an address that is never mapped */

/* Arguments that would need braces, of which each lasts for eight more. */
struct timespec *ts(long sec, long nsec);
struct timeval *tv(long sec, long usec);
struct iovec *io(void *base, size_t length);		 /* one segment */
struct iovec *io2(void *a, size_t m, void *b, size_t n); /* two */
unsigned long *bits(unsigned long value);
int *num(int value);
struct rlimit *lim(rlim_t soft, rlim_t hard);

int file(const char *name, const char *text);	    /* makes it with @text; open, at offset 0 */
char *pages(size_t n, int protection, int flags);   /* anonymous memory */
char *edge(size_t n);				    /* @n bytes before memory that is not there */
void fill(int fd, size_t n);			    /* @n bytes 'x' into it */
void full(int pipe);				    /* until it takes no more */
int bytes_in(int pipe);
const char *rest(int pipe);			    /* all it has, as a text */

/* --- Other processes --------------------------------------------------------------------- */

pid_t child(void);		/* fork: 0 in the child */
void end(int code) __attribute__((noreturn));
int reap(pid_t pid);		/* waits; the status */
void await_blocked(pid_t pid);	/* until it sleeps in a call */
char state_of(pid_t pid);      /* in /proc; 0: no such process */
void await_state(pid_t pid, char state);
pid_t poke(int sig);		/* a child that sends @sig to us once we are blocked */
void on(int sig, int flags);	/* a handler that counts in hits[sig] */
void block(int sig);
extern volatile int hits[65];
