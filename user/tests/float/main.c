/*
 * Floating-point registers belong to threads: after any switch, migration, system call, fork or
 * fault, a thread finds in all of them what it left (RFRAME1).
 *
 * regs.S, one for each machine, fills every register with its own pattern, spins a while with
 * or without system calls, and checks that all patterns are still there.
 */
#include "../test.h"

/*
 * Returns how many registers had changed after @turns turns, each of which calls sched_yield() if
 * @yield.
 */
long float_registers_changed(unsigned long pattern, long turns, long yield);

/* The control register's rounding mode: 0 to nearest, 1 towards zero. */
void float_set_rounding(long towards_zero);

static void alone(void)
{
	CHECK_EQ(float_registers_changed(0x1234567890abcdef, 1000, 0), 0);
	CHECK_EQ(float_registers_changed(0xfedcba0987654321, 1000, 1), 0);
}

static void *keep_registers(void *arg)
{
	unsigned long pattern = (long)arg * 0x0101010101010101;

	for (int i = 0; i < 10; i++)
		CHECK_EQ(float_registers_changed(pattern + i, 300, (i + (long)arg) % 2), 0);
	return NULL;
}

static void many_threads(void)
{
	pthread_t t[12];

	for (long i = 0; i < 12; i++)
		t[i] = start_thread(keep_registers, (void *)(i + 1));
	for (int i = 0; i < 12; i++)
		join_thread(t[i]);
}

static void many_processes(void)
{
	int status;

	for (long i = 0; i < 6; i++) {
		if (fork())
			continue;
		keep_registers((void *)(i + 40));
		_exit(0);
	}
	while (wait(&status) > 0)
		CHECK_EQ(status, 0);
}

/* Moves from CPU to CPU meanwhile, if there are several. */
static void *wander(void *arg)
{
	cpu_set_t all, one;

	CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	for (int round = 0; round < 5; round++) {
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
			if (!CPU_ISSET(cpu, &all))
				continue;
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
			CHECK_EQ(float_registers_changed((long)arg * 0x1111111111111111, 50, 1), 0);
		}
	}
	return NULL;
}

static void migration(void)
{
	pthread_t t[4];

	for (long i = 0; i < 4; i++)
		t[i] = start_thread(wander, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		join_thread(t[i]);
}

/* Integrates x^2 by the rectangle rule: all threads must get exactly the same bits. */
static double integrate(int steps)
{
	volatile double sum = 0;

	for (int i = 0; i < steps; i++) {
		double x = (i + 0.5) / steps;

		sum += x * x / steps;
		if (i % 500 == 0)
			sched_yield();
	}
	return sum;
}

static void *same_result(void *arg)
{
	double *expected = arg;

	for (int i = 0; i < 4; i++)
		CHECK(integrate(3000) == *expected);
	return NULL;
}

static void same_bits_everywhere(void)
{
	double expected = integrate(3000);
	pthread_t t[6];

	CHECK(expected > 0.3333 && expected < 0.3334);
	for (int i = 0; i < 6; i++)
		t[i] = start_thread(same_result, &expected);
	for (int i = 0; i < 6; i++)
		join_thread(t[i]);
}

static double third(void)
{
	volatile double one = 1, three = 3;

	return one / three * 2;
}

static void *round_towards_zero(void *arg)
{
	volatile double one = 1, ten = 10;
	double nearest = one / ten, cut;

	float_set_rounding(1);
	for (int i = 0; i < 300; i++) {
		sched_yield();
		cut = one / ten;
		CHECK(cut < nearest);
	}
	float_set_rounding(0);
	return arg;
}

/* Each thread has its own control register, too. */
static void rounding_mode(void)
{
	double usual = third();
	volatile double one = 1, ten = 10;
	double nearest = one / ten;
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		t[i] = start_thread(round_towards_zero, NULL);
	for (int i = 0; i < 300; i++) {
		sched_yield();
		CHECK(one / ten == nearest && third() == usual);
	}
	for (int i = 0; i < 3; i++)
		join_thread(t[i]);
}

/* A forked child starts with the parent's registers. */
static void fork_copies(void)
{
	volatile double a = 1.25, b = 2.5;
	double sum = a + b;
	pid_t pid = fork();

	if (pid == 0)
		_exit(sum == 3.75 && a * b == 3.125 ? 0 : 1);
	CHECK(sum == 3.75);
	expect_exit(pid, 0);
}

/* A handler has registers of its own, and does not change the program's. */
static atomic_int nr_handled, stop;

static void clobber(int sig)
{
	(void)sig;
	if (float_registers_changed(0x5555aaaa5555aaaa, 3, 1))
		_exit(3);
	nr_handled++;
}

static void *interrupt_often(void *arg)
{
	while (!stop) {
		int before = nr_handled;

		CHECK_EQ(pthread_kill(*(pthread_t *)arg, SIGUSR1), 0);
		while (nr_handled == before && !stop)
			sched_yield();
	}
	return NULL;
}

static void signals(void)
{
	pthread_t self = pthread_self(), t;

	signal(SIGUSR1, clobber);
	t = start_thread(interrupt_often, &self);
	while (nr_handled < 100)
		CHECK_EQ(float_registers_changed(0x0123456789abcdef, 50, nr_handled % 2), 0);
	stop = 1;
	join_thread(t);
}

static const struct test_case cases[] = {
	CASE(alone),
	CASE(many_threads),
	CASE(many_processes),
	CASE(migration),
	CASE(same_bits_everywhere),
	CASE(rounding_mode),
	CASE(fork_copies),
	CASE(signals),
};

TEST_MAIN(cases)
