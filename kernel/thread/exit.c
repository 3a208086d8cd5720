/*
 * The two ends of a thread: where it starts, and how it leaves.
 *
 *	thread_start()		first code on a new stack; a thread whose function returns, exits
 *	thread_exit()		leaves the process, publishes its code, leaves the CPU for good
 *	thread_left()		runs on the next thread's stack: now nobody stands on t's any more
 *
 *  E1  Nothing frees or hands out a thread before thread_left(): until then it still runs on its
 *      stack, however dead it looks.
 *  E2  Its exit code is published before t->left is, under the same lock that a joiner takes.
 *  E3  Exactly one party collects it: the joiner, or the reaper if it is detached.
 *  E4  Exactly one thread of a process finds itself the last one out.
 */
#include "config.h"
#include "cpu.h"
#include "futex.h"
#include "lockcheck.h"
#include "process.h"
#include "sched.h"
#include "signal_impl.h"
#include "thread.h"
#include "trace.h"
#include "vm.h"

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
	/* LAB 02-threads: publish the code, leave the process, leave the CPU for good */
	t->exit_code = code;
	trace(TRACE_LIFE, TRACE_EV_EXIT, code, t->process->pid);
	process_thread_leaves(t);
	sched_exit();
	/* END LAB */
}

/*
 * From here on the thread runs on the kernel's page table, so that the last one out can free its
 * own.
 */
static void drop_address_space(struct thread *t)
{
	futex_thread_exit(t);
	if (t != current_thread())
		return;			/* it was killed and never ran again: this is the reaper */
	irq_off();
	t->as = NULL;
	as_switch(NULL);
	irq_on();
}

/* The threads that are left have all stopped. */
static noinline void report_stop(struct process *p)
{
	spin_lock(&tree_lock);
	signal_report_stop(p);
	spin_unlock(&tree_lock);
}

void process_thread_leaves(struct thread *t)
{
	struct process *p = t->process;

	sched_release(t);
	if (t->as)
		drop_address_space(t);
	if (t == current_thread()) {
		if (DEBUG_BUILD)
			lockcheck_none_held("exits");
		sched_charge(false);
	}
	if (t != p->leader && p != &kernel_process)
		thread_forget_id(t);	/* the leader's goes with the process */
	spin_lock(&p->lock);
	atomic_fetch_add(&p->dead_run_ns, t->stats.run_ns);	/* before its parent may ask */
	atomic_fetch_add(&p->dead_user_ns, t->stats.user_ns);
	p->dead_switches += t->stats.switches_in;
	p->dead_preempted += t->stats.preempted - t->stats.picked_again;
	list_remove(&t->process_node);
	p->nr_threads--;
	signal_pass_on(p);
	signal_stop_counts_down(t);
	spin_unlock(&p->lock);
	if (unlikely(p->stop_news))
		report_stop(p);
	wait_queue_wake_all(&p->thread_gone, 0);
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
	trace(TRACE_LIFE, TRACE_EV_LEFT, t->tid, (u64)t->stack);
	t->left = true;
	reap = t->detached;
	wait_wake_all(&t->joiners, 0);
	spin_unlock(&t->joiners.lock);
	if (reap)
		reaper_add_thread(t);
	/* END LAB */
	reaper_note_left();
}
