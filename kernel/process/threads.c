/*
 * Threads as members of a process: how they enter it and what goes when they leave.
 *
 * kernel/thread makes and ends threads, and knows no more of a process than its counts. It calls
 * the functions here as hooks: process_adopt(), process_forget_thread(), thread_release().
 *
 * Each user thread is counted as a task of its user before it is made (CRED3), except the leader,
 * for which its process is counted.
 */
#include "config.h"
#include "errno.h"
#include "lock/lockcheck.h"
#include "process/cred.h"
#include "process/futex.h"
#include "process/process.h"
#include "process/signal_impl.h"
#include "sched/cpu.h"
#include "sched/sched.h"

/* --- In --------------------------------------------------------------------------------------- */

/* Checks whether thread @tid is counted as a task, apart from its process. */
static bool is_counted(const struct process *p, tid_t tid)
{
	return p != &kernel_process && tid != p->pid;
}

int thread_create_in(struct process *p, const char *name, thread_fn entry, void *arg, int priority,
		     struct thread **out)
{
	tid_t tid = p->leader ? 0 : p->pid;
	int err = is_counted(p, tid) ? task_begin() : 0;
	struct thread *t;

	if (err)
		return err;
	t = thread_alloc(name, entry, arg, priority);
	if (!t) {
		if (is_counted(p, tid))
			user_end_task(current_cred()->user);
		return -ENOMEM;
	}
	t->tid = tid;
	t->detached = p != &kernel_process;	/* user threads are joined in user space */
	t->embryo = t->detached;		/* and have registers to be set first */
	t->sigmask = current_thread()->sigmask;	/* before a signal can find it */
	err = thread_setup(t, p, NULL, 0);
	if (!err)
		*out = t;
	return err;
}

int process_adopt(struct thread *t)
{
	struct process *p = t->process;
	int err = -ESRCH;

	spin_lock(&p->lock);
	if (process_state(p) == PROCESS_ALIVE && !p->execing) {
		list_push_back(&p->threads, &t->process_node);
		p->nr_threads++;
		atomic_fetch_add(&p->holds, 1);
		if (!p->leader && p != &kernel_process)
			p->leader = thread_get(t);	/* not read before it runs */
		err = 0;
	}
	spin_unlock(&p->lock);
	return err;
}

void thread_take_id(struct thread *t)
{
	struct process *p = t->process;
	struct cred *old;

	if (t == p->leader)
		return;
	spin_lock(&tree_lock);
	process_forget_leader(p);
	thread_change_id(t, p->pid);
	p->leader = thread_get(t);
	spin_lock(&p->lock);
	old = p->cred;
	p->cred = cred_get(t->cred);		/* CRED2, and its task is the process's (CRED3) */
	spin_unlock(&p->lock);
	user_end_task(old->user);
	spin_unlock(&tree_lock);
	cred_put(old);
}

/* --- Out -------------------------------------------------------------------------------------- */

/* Reports the stop: all threads that are left have stopped. */
static noinline void report_stop(struct process *p)
{
	spin_lock(&tree_lock);
	signal_report_stop(p);
	spin_unlock(&tree_lock);
}

void process_forget_thread(struct thread *t)
{
	struct process *p = t->process;

	sched_release(t);
	if (t->as)
		futex_thread_exit(t);
	if (DEBUG_BUILD && t == current_thread())
		lockcheck_none_held("exits");
	if (t != p->leader && p != &kernel_process)
		thread_forget_id(t);	/* the leader's goes with the process */
	spin_lock(&p->lock);
	if (t == current_thread())	/* under the lock: the process's time must not step back */
		sched_charge(false);
	atomic_fetch_add(&p->dead_run_ns, t->stats.run_ns);	/* before its parent may ask */
	atomic_fetch_add(&p->dead_user_ns, t->stats.user_ns);
	p->dead_switches += t->stats.switches_in;
	p->dead_preempted += t->stats.preempted - t->stats.picked_again;
	list_remove(&t->process_node);
	/* Pairs with the loads of threads that ask whether they are alone: they see our work. */
	atomic_fetch_sub_explicit(&p->nr_threads, 1, memory_order_release);
	signal_pass_on(p);
	signal_stop_counts_down(t);
	spin_unlock(&p->lock);
	if (unlikely(atomic_load_explicit(&p->stop_news, memory_order_relaxed)))
		report_stop(p);
	wait_wake_all(&p->thread_gone, 0);
}

void thread_release(struct thread *t)
{
	t->magic = 0;
	signal_drop_infos(&t->siginfos, ~0UL);
	if (is_counted(t->process, t->tid))
		user_end_task(t->cred->user);
	cred_put(t->cred);
	/* not earlier: a thread found by its id must still have its process */
	process_put(t->process);
	thread_free_struct(t);
}

/* --- By id ------------------------------------------------------------------------------------ */

int thread_set_state_by_id(tid_t tid, enum thread_state state)
{
	struct thread *t = thread_find(tid);
	int err;

	if (!t)
		return -ESRCH;
	switch (state) {
	case THREAD_READY:
		err = thread_resume(t);
		break;
	case THREAD_SUSPENDED:
		err = thread_suspend(t);
		break;
	case THREAD_DEAD:
		err = thread_is_dying(t) ? -ESRCH : 0;
		if (!err)
			thread_kill(t);
		break;
	default:
		err = -EINVAL;
	}
	thread_put(t);
	return err;
}
