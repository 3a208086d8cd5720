/* Scheduling as a program sees it: progress, affinity, yielding. */
#include "test.h"

enum { MAX_CPUS = 64 };

static int usable_cpus(int *cpus)
{
	cpu_set_t set;
	int n = 0;

	CHECK_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE && n < MAX_CPUS; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[n++] = cpu;
	CHECK(n > 0);
	return n;
}

static void set_affinity(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
}

static void affinity_is_kept(void)
{
	int cpus[MAX_CPUS], n = usable_cpus(cpus);

	for (int round = 0; round < 20; round++) {
		set_affinity(cpus[round % n]);
		CHECK_EQ(sched_getcpu(), cpus[round % n]);	/* on return it has moved already */
		for (int i = 0; i < 20; i++) {
			sched_yield();
			CHECK_EQ(sched_getcpu(), cpus[round % n]);
		}
	}
}

static void affinity_reads_back(void)
{
	int cpus[MAX_CPUS], n = usable_cpus(cpus);
	cpu_set_t set;

	set_affinity(cpus[n - 1]);
	CHECK_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	CHECK_EQ(CPU_COUNT(&set), 1);
	CHECK(CPU_ISSET(cpus[n - 1], &set));
	CPU_ZERO(&set);
	CHECK_ERRNO(sched_setaffinity(0, sizeof(set), &set), EINVAL);
	CPU_SET(CPU_SETSIZE - 1, &set);				/* no machine has that many CPUs */
	CHECK_ERRNO(sched_setaffinity(0, sizeof(set), &set), EINVAL);
	CHECK_ERRNO(sched_setaffinity(1 << 22, sizeof(set), &set), ESRCH);
}

static void children_inherit_affinity(void)
{
	int cpus[MAX_CPUS], n = usable_cpus(cpus), one[MAX_CPUS];
	pid_t pid;

	set_affinity(cpus[n - 1]);
	pid = fork();
	if (pid == 0)
		_exit(usable_cpus(one) != 1 || one[0] != cpus[n - 1] || sched_getcpu() != one[0]);
	expect_exit(pid, 0);
}

/* Moves another process, which spins, and checks that it stays where it is put. */
static void affinity_of_another(void)
{
	volatile int *where = shared_memory(4096);
	int cpus[MAX_CPUS], n = usable_cpus(cpus);
	cpu_set_t set;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			*where = sched_getcpu() + 1;
	for (int i = 0; i < 6; i++) {
		CPU_ZERO(&set);
		CPU_SET(cpus[i % n], &set);
		CHECK_EQ(sched_setaffinity(pid, sizeof(set), &set), 0);
		*where = 0;
		while (!*where)
			sched_yield();
		*where = 0;		/* discard a CPU number read before the move */
		while (!*where)
			sched_yield();
		CHECK_EQ(*where - 1, cpus[i % n]);
	}
	kill(pid, SIGKILL);
	expect_signal(pid, SIGKILL);
}

/* More spinners than CPUs: each makes progress. */
static void everybody_gets_on(void)
{
	enum { SPINNERS = 8 };
	volatile long *count = shared_memory(SPINNERS * 64);
	pid_t pids[SPINNERS];

	for (int i = 0; i < SPINNERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			for (;;)
				count[i * 8]++;
	}
	for (int i = 0; i < SPINNERS; i++)
		while (count[i * 8] < 1000)
			sched_yield();
	for (int i = 0; i < SPINNERS; i++) {
		kill(pids[i], SIGKILL);
		expect_signal(pids[i], SIGKILL);
	}
}

/* Two processes on one CPU: sched_yield() lets the other one run. */
static void yielding_lets_others_run(void)
{
	volatile long *turns = shared_memory(4096);
	int cpus[MAX_CPUS];
	pid_t pid;

	usable_cpus(cpus);
	set_affinity(cpus[0]);
	pid = fork();
	if (pid == 0)
		for (;;) {
			turns[0]++;
			sched_yield();
		}
	while (turns[0] < 100)
		sched_yield();
	kill(pid, SIGKILL);
	expect_signal(pid, SIGKILL);
}

/* A sleeper that wakes up runs soon, even if others never give up their CPUs. */
static void sleepers_beat_spinners(void)
{
	enum { SPINNERS = 4 };
	struct timespec ms = { 0, 1000000 };
	pid_t pids[SPINNERS];
	int64_t start;

	for (int i = 0; i < SPINNERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			for (;;)
				;
	}
	start = now_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(nanosleep(&ms, NULL), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start < 10000000000);
	for (int i = 0; i < SPINNERS; i++) {
		kill(pids[i], SIGKILL);
		expect_signal(pids[i], SIGKILL);
	}
}

/* Threads on several CPUs see each other's writes, in the order that atomics promise. */
static atomic_long flag, data;

static void *answer(void *arg)
{
	for (long i = 1; i <= 300; i++) {
		while (atomic_load_explicit(&flag, memory_order_acquire) != 2 * i - 1)
			sched_yield();
		CHECK_EQ(atomic_load_explicit(&data, memory_order_relaxed), i);
		atomic_store_explicit(&data, -i, memory_order_relaxed);
		atomic_store_explicit(&flag, 2 * i, memory_order_release);
	}
	return arg;
}

static void writes_become_visible(void)
{
	pthread_t t = start_thread(answer, NULL);

	for (long i = 1; i <= 300; i++) {
		atomic_store_explicit(&data, i, memory_order_relaxed);
		atomic_store_explicit(&flag, 2 * i - 1, memory_order_release);
		while (atomic_load_explicit(&flag, memory_order_acquire) != 2 * i)
			sched_yield();
		CHECK_EQ(atomic_load_explicit(&data, memory_order_relaxed), -i);
	}
	join_thread(t);
}

static const struct test_case cases[] = {
	CASE(affinity_is_kept),
	CASE(affinity_reads_back),
	CASE(children_inherit_affinity),
	CASE(affinity_of_another),
	CASE(everybody_gets_on),
	CASE(yielding_lets_others_run),
	CASE(sleepers_beat_spinners),
	CASE(writes_become_visible),
};

TEST_MAIN(cases)
