/*
 * A thread that is moved to another CPU between any two instructions notices nothing.
 */
#include "cpu.h"
#include "instrument.h"
#include "internal.h"
#include "ktest.h"
#include "thread.h"

#define STEPS	4000

static struct thread *moved;
static unsigned moves;

/* In the sweep's interrupt: the thread goes on elsewhere. */
static void move_it(void *unused)
{
	(void)unused;
	if (current_thread() != moved)
		return;
	moves++;
	sched_set_affinity(moved, BIT(!this_cpu()->id));
}

KTEST(sched_moved, "migrate.swept", "", "sched.migrate")
{
	bool hit = true;

	NEEDS_TWO_CPUS;
	moved = current_thread();
	sched_set_affinity(moved, BIT(0));
	moves = 0;
	sweep_action = move_it;
	for (unsigned step = 1; (hit || step < 50) && step < STEPS; step++) {
		sweep_begin(step);
		thread_yield();
		sweep_end();
		hit = sweep_hit();
		preempt_off();
		CHECK(moved->se.affinity & BIT(this_cpu()->id), "sched.migrate",
		      "step %u: it runs where it may not", step);
		preempt_on();
		CHECK(arch_irqs_enabled(), "sched.migrate", "step %u: interrupts stay off", step);
	}
	sweep_action = NULL;
	ktest_figure("moves", moves);
	sched_audit();
}
