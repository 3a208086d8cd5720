/*
 * Stopping and continuing a process by signals.
 *
 * A stop asks every thread to suspend itself at its edge. A thread that waits is woken, stops at
 * the edge, and once continued makes its system call again. The stop is reported to the parent only
 * when the last thread has stopped: from then on no thread of the child runs user code.
 *
 *  STOP1  p->stopping is the number of threads with t->stop_pending set. Each clears it at its
 *         edge, or leaves the process; the thread that brings the count to 0 reports the stop.
 *         SIGCONT clears them all.
 *  STOP2  A thread with stop_pending does not suspend itself (sched_suspend_self()): it must pass
 *         through signal_note_stop() first.
 *
 * Locks: p->lock; tree_lock for the report to the parent.
 */
#include "errno.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "signal_impl.h"

/* Passes over threads that have not started yet: they look at p->stopped when they do. */
void process_stop(struct process *p, int sig)
{
	if (p->stopped)
		return;
	p->stopped = true;
	p->stop_signal = sig;
	list_for_each(t, &p->threads, struct thread, process_node) {
		t->stop_pending = true;
		if (thread_suspend(t) == -ESRCH || thread_state(t) == THREAD_SUSPENDED) {
			t->stop_pending = false;
		} else {
			p->stopping++;
			signal_tell(t);
		}
	}
	if (!p->stopping)
		p->stop_news = CLD_STOPPED;
}

/* If some threads had not stopped yet, the parent's SIGCHLD is for the stop, not sent so far. */
static void process_continue(struct process *p) HOLDS(p->lock)
{
	if (!p->stopped)
		return;
	p->stop_news = p->stopping ? CLD_STOPPED : CLD_CONTINUED;
	p->stop_report = STATUS_CONTINUED;
	p->stopped = false;
	p->stopping = 0;
	list_for_each(t, &p->threads, struct thread, process_node) {
		t->stop_pending = false;
		atomic_fetch_or(&t->work, WORK_SIGNAL);	/* signals sent while it was stopped */
		if (!t->embryo)
			thread_resume(t);
	}
}

void signal_stop_or_continue(struct process *p, int sig)
{
	if (SIGSET(sig) & STOPS)
		signal_forget_pending(p, SIGSET(SIGCONT));
	if (sig == SIGCONT) {
		signal_forget_pending(p, STOPS);
		process_continue(p);
	}
}

void signal_report_stop(struct process *p)
{
	int code;

	assert_held(&tree_lock);
	spin_lock(&p->lock);
	code = p->stop_news;
	p->stop_news = 0;
	if (code && p->stopped)
		p->stop_report = STATUS_STOPPED(p->stop_signal);
	spin_unlock(&p->lock);
	if (!code)
		return;
	process_tell_parent(p);
	signal_child(p, p->parent, code, code == CLD_STOPPED ? p->stop_signal : SIGCONT);
}

void signal_stop_counts_down(struct thread *t)
{
	struct process *p = t->process;

	assert_held(&p->lock);
	if (likely(!t->stop_pending))
		return;
	t->stop_pending = false;
	if (--p->stopping == 0)
		p->stop_news = CLD_STOPPED;
}

void signal_note_stop(void)
{
	struct thread *t = current_thread();

	spin_lock(&tree_lock);
	spin_lock(&t->process->lock);
	signal_stop_counts_down(t);
	spin_unlock(&t->process->lock);
	if (atomic_load_explicit(&t->process->stop_news, memory_order_relaxed))
		signal_report_stop(t->process);
	spin_unlock(&tree_lock);
}

int signal_stop_background(int sig)
{
	struct thread *t = current_thread();
	struct process *p = t->process;
	bool orphaned, deaf;

	spin_lock(&tree_lock);
	orphaned = process_group_is_orphaned(p->pgid);
	deaf = (t->sigmask & SIGSET(sig)) || p->sigactions[sig - 1].handler == SIG_IGN;
	spin_unlock(&tree_lock);
	if (deaf && sig == SIGTTOU)
		return 0;
	if (orphaned || deaf)
		return -EIO;
	signal_send_group(p->pgid, sig);
	atomic_fetch_or(&t->work, WORK_SIGNAL);		/* the edge starts the call again */
	return -EINTR;
}
