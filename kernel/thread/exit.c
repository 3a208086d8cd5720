/*
 * The two ends of a thread: where it starts, and how it leaves.
 *
 *	thread_start()		first code on a new stack; a thread whose function returns, exits
 *	thread_exit()		leaves the process, publishes its code, leaves the CPU for good
 *	thread_left()		runs on the next thread's stack: now nobody stands on t's any more
 *
 *  EXIT1  Nothing frees a thread or gives it to its joiner before thread_left(): until then it
 *         still runs on its stack, even if its state is DEAD.
 *  EXIT2  The exit code is stored before t->left is set, under the lock that a joiner takes.
 *  EXIT3  Either the joiner frees a thread, or the reaper if it is detached; never both.
 *  EXIT4  Exactly one thread of a process finds itself the last one out.
 */
#include "base/trace.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "thread/thread.h"

noreturn void thread_start(void)
{
	struct thread *t;
	int code;

	sched_finish_switch();
	t = current_thread();
	t->unwound = false;
	assert_may_block();
	/* LAB 02-threads: run the thread's function; returning from it is exiting */
	code = t->entry(t->arg);
	/* END LAB */
	thread_exit(code);
}

noreturn void thread_exit(int code)
{
	struct thread *t = current_thread();

	assert_may_block();
	reaper_note_leaving();
	trace(TRACE_LIFE, TRACE_EV_EXIT, code, t->process->pid);
	/* LAB 02-threads: publish the code, leave the process, leave the CPU for good */
	t->exit_code = code;
	process_thread_leaves(t);
	sched_exit();
	/* END LAB */
}

void process_thread_leaves(struct thread *t)
{
	struct process *p = t->process;

	process_forget_thread(t);
	/* LAB 02-threads: give up the thread's hold; exactly one is the last and tears down */
	if (atomic_fetch_sub(&p->holds, 1) == 1)
		process_teardown(p);
	/* END LAB */
}

void thread_left(struct thread *t)
{
	/* LAB 02-threads: tell the joiner that it has left, or hand it to the reaper */
	bool reap;

	spin_lock(&t->joiners.lock);
	t->left = true;
	reap = t->detached;
	wait_wake_all_locked(&t->joiners, 0);
	spin_unlock(&t->joiners.lock);
	if (reap)
		reaper_add_thread(t);
	/* END LAB */
	reaper_note_left();
}
