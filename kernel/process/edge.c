/*
 * The edge between kernel and user mode: the work of a thread before it returns to user mode.
 *
 * Here the thread has no kernel work in hand: no lock, no reference, nothing half done. So here it
 * may die, be suspended, or lose the CPU as `unwound`, in which case a killer need not run it
 * again.
 */
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "thread/thread.h"

void user_return_work(struct trapframe *tf)
{
	struct thread *t = current_thread();
	u32 work;

	assert_irqs_off();
	while ((work = atomic_load(&t->work))) {
		if (work & WORK_KILL) {
			arch_irqs_enable();
			thread_exit(0);
		}
		if (work & WORK_SUSPEND) {
			signal_note_stop();
			t->unwound = true;
			sched_suspend_self();
			t->unwound = false;
		}
		if (work & WORK_SIGNAL) {
			arch_irqs_enable();
			signal_deliver(tf);
			arch_irqs_disable();
		}
		if (work & WORK_RESCHED) {
			t->unwound = true;
			sched_preempt();
			t->unwound = false;
		}
	}
}
