/* Processes and threads: making them, and handing the CPU from one to another. */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "bench.h"

/* Both processes yield all the time, so each of our yields is two switches. */
uint64_t yield_pair(unsigned n)
{
	pid_t other = check(fork(), "fork");
	uint64_t start;

	if (other == 0)
		for (;;)
			sched_yield();
	for (unsigned i = 0; i < 10; i++)
		sched_yield();
	start = clock_now();
	for (unsigned i = 0; i < n; i++)
		sched_yield();
	start = clock_now() - start;
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	return start;
}

uint64_t fork_exit_wait(unsigned n)
{
	uint64_t start = clock_now();

	for (unsigned i = 0; i < n; i++) {
		if (check(fork(), "fork") == 0)
			_exit(0);
		check(wait(NULL), "wait");
	}
	return clock_now() - start;
}

uint64_t fork_exec_wait(unsigned n)
{
	uint64_t start = clock_now();

	for (unsigned i = 0; i < n; i++) {
		if (check(fork(), "fork") == 0) {
			execl("/bench/nothing", "nothing", NULL);
			_exit(1);
		}
		check(wait(NULL), "wait");
	}
	return clock_now() - start;
}

static void *nothing(void *arg)
{
	return arg;
}

uint64_t thread_create_join(unsigned n)
{
	uint64_t start = clock_now();

	for (unsigned i = 0; i < n; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL))
			errx(1, "thread");
	}
	return clock_now() - start;
}

/*
 * --- A wake-up by futex: the turn goes back and forth between two threads. ----------------------
 */

static _Atomic int turn;
static bool timed;			/* the waits have a timeout, far away */

static void pass_turn(int from, int to)
{
	struct timespec far = { .tv_sec = 1000 };

	while (turn != from)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, to, timed ? &far : NULL);
	turn = to;
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1);
}

void (*partner_begins)(void);

static void *partner(void *arg)
{
	if (partner_begins)
		partner_begins();
	for (unsigned i = 0; i < *(unsigned *)arg; i++)
		pass_turn(1, 0);
	return NULL;
}

/* One operation: a wake, the switch, and the wait of the woken thread. */
uint64_t futex_wake(unsigned n)
{
	unsigned rounds = n / 2, all = rounds + 1;
	uint64_t start;
	pthread_t t;

	if (pthread_create(&t, NULL, partner, &all))
		errx(1, "thread");
	pass_turn(0, 1);		/* the other thread has started */
	start = clock_now();
	for (unsigned i = 0; i < rounds; i++)
		pass_turn(0, 1);
	start = clock_now() - start;
	pthread_join(t, NULL);
	return start;
}

/* The same with a timer that is armed and cancelled. */
uint64_t futex_wake_timed(unsigned n)
{
	uint64_t took;

	timed = true;
	took = futex_wake(n);
	timed = false;
	return took;
}

/*
 * --- A sleep, while another thread uses the CPU: the cost is the work that this thread loses. ----
 */

#define NAP_NS		50000
#define CALIBRATION	20000
#define CALIBRATIONS	8

static volatile int stop;
static volatile uint64_t work_done;

static __attribute__((noinline)) void work(uint64_t rounds)
{
	for (; rounds && !stop; rounds--)
		work_done++;
}

static void *worker(void *arg)
{
	work(UINT64_MAX);
	return arg;
}

/*
 * The cost of a round. It always takes the same number of instructions, so the least of several
 * measurements, one without an interrupt, is exact.
 */
static uint64_t round_cost(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < CALIBRATIONS; i++) {
		uint64_t start = clock_now(), took;

		work(CALIBRATION);
		took = clock_now() - start;
		if (took < least)
			least = took;
	}
	return (least + CALIBRATION / 2) / CALIBRATION;
}

uint64_t sleep_wake(unsigned n)
{
	struct timespec nap = { .tv_nsec = NAP_NS };
	uint64_t start, before, round, total;
	pthread_t t;

	stop = 0;
	round = round_cost();
	if (pthread_create(&t, NULL, worker, NULL))
		errx(1, "thread");
	sched_yield();			/* the worker works */
	before = work_done;		/* only the worker may change it */
	start = clock_now();
	for (unsigned i = 0; i < n; i++)
		nanosleep(&nap, NULL);
	total = clock_now() - start - (work_done - before) * round;
	stop = 1;
	pthread_join(t, NULL);
	return total;
}
