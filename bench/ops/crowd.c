/*
 * Switches, wakes and sleeps in a crowd: their costs among 10, 100, 1,000 and 10,000 threads, and
 * under a policy with reservations also among threads that have reservations.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "bench.h"

#define STACK		16384ul
#define MOST		10000ul
#define CROWDS		5
#define WEIGHED		1000		/* the memory of this many is measured */
#define SWITCHES	5000
#define WAKES		2000
#define NAPS		200

struct attr {			/* sched_attr of sched_setattr(2) */
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static const unsigned crowds[CROWDS] = { 1, 10, 100, 1000, MOST };

/* Each thread waits on a word of its own, so that the waiters are spread over the hash table. */
static int words[MOST];

static _Atomic unsigned yields;	/* by threads that are preempted anywhere */
static _Atomic unsigned came;		/* threads that have run once: no first run is measured */

static void *yielding(void *arg)
{
	came++;
	for (;;) {
		yields++;
		sched_yield();
	}
	return arg;
}

static void *blocked(void *arg)
{
	came++;
	syscall(SYS_futex, arg, FUTEX_WAIT_PRIVATE, 0, NULL);
	return arg;
}

static void *sleeping(void *arg)
{
	struct timespec long_time = { .tv_sec = 100000 };

	came++;
	nanosleep(&long_time, NULL);
	return arg;
}

/*
 * --- Reservations: the crowd has late deadlines, the measured threads have early ones, so that
 * they run while the crowd is ready. All together reserve less than the CPU.
 * ------------------------------
 */

#define LATE_NS		4000000000ull
#define LATE_RUNTIME	2000000ull	/* a thousand of these fill half of the CPU */
#define EARLY_NS	500000000ull
#define EARLY_RUNTIME	75000000ull
#define RESET_ON_FORK	1

static int reserve(uint64_t runtime, uint64_t period)
{
	struct attr a = {
		.size = sizeof(a), .policy = SCHED_DEADLINE, .flags = RESET_ON_FORK,
		.runtime = runtime, .deadline = period, .period = period,
	};

	return syscall(SYS_sched_setattr, 0, &a, 0);
}

static void reserve_early(void)
{
	check(reserve(EARLY_RUNTIME, EARLY_NS), "an early reservation");
}

static int arrived;

static void *reserved(void *arg)
{
	check(reserve(LATE_RUNTIME, LATE_NS), "a late reservation");
	arrived = 1;
	syscall(SYS_futex, &arrived, FUTEX_WAKE_PRIVATE, 1);
	for (;;)
		;
	return arg;
}

/* A task with a reservation must not yield, which would give up its period. */
static void await_arrival(void)
{
	while (!arrived)
		syscall(SYS_futex, &arrived, FUTEX_WAIT_PRIVATE, 0, NULL);
	arrived = 0;
}

static unsigned gathered;

/* One mapping for all stacks: map_many() measures the cost of many mappings. */
static char *stacks(void)
{
	static char *all;

	if (!all)
		all = mmap(NULL, MOST * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	if (all == MAP_FAILED)
		err(1, "stacks");
	return all;
}

void gather(unsigned n, void *(*fn)(void *))
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	for (; gathered < n; gathered++) {
		int error;

		pthread_attr_setstack(&attr, stacks() + gathered * STACK, STACK);
		error = pthread_create(&t, &attr, fn, &words[gathered]);
		if (error)
			errx(1, "thread %u of %u: %s", gathered, n, strerror(error));
		if (fn == reserved)
			await_arrival();
	}
	/* all threads are where they stay */
	for (unsigned i = 0; i < 4 && fn != reserved; i++)
		sched_yield();
}

static uint64_t wake_early(unsigned n)
{
	uint64_t took;

	partner_begins = reserve_early;
	took = futex_wake(n);
	partner_begins = NULL;
	return took;
}

/* Under some policies others yield more often than we do, so each yield counts as a switch. */
static uint64_t switches(unsigned n)
{
	unsigned before = yields, done;
	uint64_t start = clock_now();

	do {
		yields++;
		sched_yield();
		done = yields - before;
	} while (done < n);
	return (clock_now() - start) * n / done;
}

struct crowd {
	const char *name;		/* what the crowd does */
	void *(*what)(void *);
	unsigned most;
	struct {
		const char *name;
		bench_fn fn;
		unsigned n;
	} ops[2];
};

static const struct crowd kinds[] = {
	{ "ready", yielding, 1000, { { "switch", switches, SWITCHES } } },
	{ "blocked", blocked, MOST, { { "wake", futex_wake, WAKES } } },
	{ "reserved", reserved, 1000, { { "wake", wake_early, WAKES } } },
	{ "sleeping", sleeping, MOST,
	  { { "sleep", sleep_wake, NAPS }, { "timed", futex_wake_timed, WAKES } } },
};

static void amid(const struct crowd *c, unsigned most)
{
	long before = 0;

	for (unsigned i = 0; i < CROWDS && crowds[i] <= most && crowds[i] <= c->most; i++) {
		if (crowds[i] == WEIGHED)
			before = meminfo("MemFree:");
		gather(crowds[i], c->what);
		while (came < gathered && c->what != reserved)
			sched_yield();
		if (crowds[i] == WEIGHED && c->what == blocked)
			printf("thread_kib %ld %u\n", before - meminfo("MemFree:"),
			       WEIGHED - crowds[i - 1]);
		for (unsigned o = 0; o < 2 && c->ops[o].name; o++)
			printf("%s_%s_%u %llu %u\n", c->ops[o].name, c->name, crowds[i],
			       (unsigned long long)c->ops[o].fn(c->ops[o].n), c->ops[o].n);
	}
}

/* Runs in a process of its own, so that the crowd ends with it. */
static void apart(void (*fn)(unsigned), unsigned arg)
{
	int status = 0;

	if (check(fork(), "fork") == 0) {
		fn(arg);
		_exit(0);
	}
	check(wait(&status), "wait");
	if (status)
		errx(1, "a crowd ended with status %x", (unsigned)status);
}

static unsigned most_wanted;

static void amid_kind(unsigned kind)
{
	gathered = 0;
	if (kinds[kind].what == reserved && reserve(EARLY_RUNTIME, EARLY_NS))
		return;			/* this policy has none */
	amid(&kinds[kind], most_wanted);
}

void crowd(unsigned most)
{
	most_wanted = most;
	for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		apart(amid_kind, k);
}
