/*
 * How late a real-time thread runs: it sleeps until a moment, again and again, while other
 * processes make the kernel do all kinds of work. The time from that moment until the thread runs
 * in user mode is measured, in nanoseconds.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "bench.h"

#define NAPS		4000
#define NAP_MIN_NS	20000
#define NAP_SPREAD_NS	65536		/* wide enough to end at any point of the others' work */
#define SECOND		1000000000ll

static void processes(void)
{
	fork_exec_wait(5);
	fork_exit_wait(10);
}

static void memory(void)
{
	page_touch(500);
	munmap_page(500);
}

static void pipes(void)
{
	pipe_rtt(50);
	pipe_byte(16 * 4096);
}

static void files(void)
{
	create_unlink(20);
	open_close(20);
	write_mib(1);
}

static void threads(void)
{
	thread_create_join(10);
	futex_wake(100);
	futex_wake_timed(100);
}

static void (*const loads[])(void) = { processes, memory, pipes, files, threads };

#define NR_LOADS	(sizeof(loads) / sizeof(loads[0]))

static pid_t begin_load(void (*load)(void))
{
	pid_t child = check(fork(), "fork");

	if (child == 0)
		for (;;)
			load();
	return child;
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static long long nap(long long until)
{
	struct timespec t = { .tv_sec = until / SECOND, .tv_nsec = until % SECOND };

	if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		errx(1, "clock_nanosleep");
	return now() - until;
}

static uint32_t random_number(void)
{
	static uint32_t x = 1;

	x ^= x << 13;		/* Marsaglia's xorshift */
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/* Prints the worst and the mean lateness of many naps. */
void latency(void)
{
	struct sched_param highest = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };
	long long worst = 0, sum = 0;
	pid_t children[NR_LOADS];

	for (unsigned i = 0; i < NR_LOADS; i++)
		children[i] = begin_load(loads[i]);
	check(sched_setscheduler(0, SCHED_FIFO, &highest), "SCHED_FIFO");
	nap(now() + SECOND / 10);
	mark_begin();
	for (unsigned i = 0; i < NAPS; i++) {
		long long late = nap(now() + NAP_MIN_NS + random_number() % NAP_SPREAD_NS);

		sum += late;
		if (late > worst)
			worst = late;
	}
	mark_end();
	for (unsigned i = 0; i < NR_LOADS; i++)
		kill(children[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	printf("latency_worst %lld 1\nlatency_mean %lld %u\n", worst, sum, NAPS);
}
