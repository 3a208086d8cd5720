/* Switches, wakes and sleeps in a crowd: they must not cost more for being many. */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "bench.h"

static int gate;

static void *yielding(void *arg)
{
	for (;;)
		sched_yield();
	return arg;
}

static void *blocked(void *arg)
{
	syscall(SYS_futex, &gate, FUTEX_WAIT, 0, NULL);
	return arg;
}

static void *sleeping(void *arg)
{
	struct timespec long_time = { .tv_sec = 100000 };

	nanosleep(&long_time, NULL);
	return arg;
}

static void gather(unsigned n, void *(*fn)(void *))
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	for (unsigned i = 0; i < n; i++)
		if (pthread_create(&t, &attr, fn, NULL))
			errx(1, "thread %u of %u", i, n);
	for (unsigned i = 0; i < 4; i++)	/* all have got to where they stay */
		sched_yield();
}

/* What @fn says @n operations take in a process of @crowd more threads that do @what. */
static uint64_t amid(unsigned crowd, void *(*what)(void *), bench_fn fn, unsigned n)
{
	uint64_t took = 0;
	int fds[2];

	check(pipe(fds), "pipe");
	if (check(fork(), "fork") == 0) {
		gather(crowd, what);
		took = fn(n);
		check(write(fds[1], &took, sizeof(took)), "write");
		_exit(0);
	}
	check(read(fds[0], &took, sizeof(took)), "read");
	check(wait(NULL), "wait");
	close(fds[0]);
	close(fds[1]);
	return took;
}

/* One yield of ours is a switch of everybody. */
static uint64_t rounds(unsigned n)
{
	uint64_t start = clock_now();

	for (unsigned i = 0; i < n; i++)
		sched_yield();
	return clock_now() - start;
}

#define CROWD(n)								\
	uint64_t switch_##n(unsigned ops)					\
	{									\
		return amid((n) - 1, yielding, rounds, ops / (n));		\
	}									\
	uint64_t wake_blocked_##n(unsigned ops)					\
	{									\
		return amid(n, blocked, futex_wake, ops);			\
	}									\
	uint64_t sleep_sleeping_##n(unsigned ops)				\
	{									\
		return amid(n, sleeping, sleep_wake, ops);			\
	}

CROWD(10)
CROWD(100)
CROWD(1000)
