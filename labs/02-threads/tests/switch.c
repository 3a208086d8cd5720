/*
 * Lab 02, step 3: the switch keeps what a call keeps, and threads take turns.
 */
#include "sched/wait.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define ROUNDS		200
#define THREADS		3

/* arch/<arch>/test_registers.S wraps every switch and notes here a register that was not kept. */
extern struct {
	const char *name;
	u64 before, after;
} arch_switch_lost;

static _Atomic unsigned finished;

static int take_turns(void *arg)
{
	(void)arg;
	for (unsigned n = 0; n < ROUNDS; n++) {
		thread_yield();
		if (n % 16 == 0)
			thread_sleep(NSEC_PER_MSEC);	/* CPUs idle, and come back from that */
	}
	finished++;
	for (;;)		/* thread_exit() is written in step 4 */
		thread_yield();
	return 0;
}

KTEST(switch_registers, "switch.registers", "02.3", "P2.3")
{
	finished = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		struct thread *t = thread_create("turns", take_turns, NULL, PRIORITY_DEFAULT);

		REQUIRE(t, "P2.3", "no thread was made");
		thread_resume(t);
	}
	while (finished < THREADS)
		thread_yield();
	CHECK(!arch_switch_lost.name, "P2.3",
	      "a thread left with 0x%lx in %s and came back with 0x%lx", arch_switch_lost.before,
	      arch_switch_lost.name, arch_switch_lost.after);
}
