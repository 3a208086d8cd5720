/*
 * Killing: threads one by one, or a whole process.
 *
 * kill_once() swaps the process from ALIVE to DYING, once; the winner's status stands (PROCESS1).
 * Then every thread is asked to die. How it ends depends on its state:
 *
 *	RUNNING		gets the flag, and an IPI if it is on another CPU: it sees the flag on its
 *			way out of the kernel
 *	BLOCKED,
 *	SLEEPING	its wait is claimed as KILLED; it unwinds with -EINTR and sees the flag
 *	READY,
 *	SUSPENDED	without kernel work in hand it is DEAD at once and never runs again;
 *			otherwise it unwinds first
 *
 * A thread never dies in the middle of kernel work: it may hold locks, references, pages. It tests
 * its flag at every block, after others can find its waiter, so no kill is missed in between; and
 * before every return to user mode.
 *
 * Lock order: process -> run queue. A thread joins a process under p->lock and only while it is
 * ALIVE, so the walk here sees every thread that will ever have to die (PROCESS2).
 */
#include "base/trace.h"
#include "errno.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/thread_state.h"

/* True if @t is DEAD now and the reaper must free it. */
static bool kill_where_it_is(struct runq *rq, struct thread *t)
{
	enum thread_state s = thread_state(t);

	assert_held(&rq->lock);
	if (t->embryo)
		/* its creator will call thread_resume(), which finds that it must die */
		return false;
	/* LAB 06-kill: make the thread die soon, whatever it is doing */
	switch (s) {
	case THREAD_RUNNING:
		sched_kick(rq);
		return false;
	case THREAD_BLOCKED:
	case THREAD_SLEEPING:
		if ((t->waiter->breaks & WORK_KILL) && waiter_swap(t->waiter, WAIT_KILLED, 0))
			sched_make_ready(rq, t, "killed");
		return false;
	case THREAD_READY:
		if (!t->unwound)
			return false;
		sched_remove(rq, t);
		thread_set_state(t, THREAD_DEAD, "killed before it ran again");
		return true;
	case THREAD_SUSPENDED:
		if (!t->unwound) {
			sched_make_ready(rq, t, "killed");
			return false;
		}
		thread_set_state(t, THREAD_DEAD, "killed while suspended");
		return true;
	case THREAD_DEAD:
		return false;
	}
	/* END LAB */
	return false;
}

/* For the trace: the state, and TOLD_AT_REST if the thread must not run again. */
static u64 state_when_told(struct runq *rq, struct thread *t)
{
	enum thread_state s = thread_state(t);

	assert_held(&rq->lock);
	return s | (t->unwound && (s == THREAD_READY || s == THREAD_SUSPENDED) ? TOLD_AT_REST : 0);
}

void thread_kill(struct thread *t)
{
	struct runq *rq = thread_runq_lock_allowed(t);
	bool unrun;

	trace(TRACE_LIFE, TRACE_EV_KILLTHREAD, t->tid, state_when_told(rq, t));
	/* LAB 06-kill: mark it, kill it where it is, unlock; the reaper gets it if it is DEAD */
	/* Set before the state is read: a thread about to block tests it under this lock, WAIT2. */
	atomic_fetch_or(&t->work, WORK_KILL);
	unrun = kill_where_it_is(rq, t);
	runq_unlock(rq);
	if (unrun)
		reaper_add_thread(t);
	/* END LAB */
}

static int kill_once(struct process *p, int status)
{
	/* LAB 06-kill: end the process once; the first status stands; then kill its threads */
	u64 alive = LIFE(PROCESS_ALIVE, 0);

	if (!atomic_compare_exchange_strong(&p->life, &alive, LIFE(PROCESS_DYING, status)))
		return -EALREADY;
	spin_lock(&p->lock);
	list_for_each(t, &p->threads, struct thread, process_node)
		thread_kill(t);
	spin_unlock(&p->lock);
	return 0;
	/* END LAB */
}

int process_kill(struct process *p, int status)
{
	int err;

	trace(TRACE_LIFE, TRACE_EV_KILL, p->pid, status);
	err = kill_once(p, status);
	if (!err)
		trace(TRACE_LIFE, TRACE_EV_KILLED, p->pid, status);
	return err;
}

noreturn void process_exit(int status)
{
	process_kill(current_process(), status);
	thread_exit(0);
}

int process_kill_siblings(void)
{
	struct thread *self = current_thread();
	struct process *p = self->process;
	int err = 0;

	spin_lock(&p->lock);
	if (p->execing || process_state(p) != PROCESS_ALIVE) {
		spin_unlock(&p->lock);
		return -EINTR;
	}
	p->execing = self;	/* no new thread joins from here on */
	list_for_each(t, &p->threads, struct thread, process_node)
		if (t != self)
			thread_kill(t);
	spin_unlock(&p->lock);

	spin_lock(&p->thread_gone.lock);
	while (atomic_load_explicit(&p->nr_threads, memory_order_acquire) > 1 && !err)
		err = wait_block_locked(&p->thread_gone, DEADLINE_NEVER, WAIT_KILL_ONLY);
	spin_unlock(&p->thread_gone.lock);
	spin_lock(&p->lock);
	p->execing = NULL;
	spin_unlock(&p->lock);
	if (!err)
		thread_take_id(self);
	return err;
}
