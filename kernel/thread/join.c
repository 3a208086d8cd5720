/*
 * Join and detach: which thread frees a thread that has ended.
 *
 * Joining waits until the thread has left its stack, takes its code and frees it. Detaching leaves
 * that to the reaper. Both meet thread_left() under t->joiners.lock, and the one that comes second
 * finishes the job:
 *
 *	detached	left		who frees it
 *	no		no		nobody yet
 *	no		yes		its joiner, when there is one
 *	yes		no -> yes	thread_left() hands it to the reaper
 *	no -> yes	yes		thread_detach() hands it to the reaper
 */
#include "base/trace.h"
#include "errno.h"
#include "process/process.h"
#include "sched/sched.h"
#include "thread/thread.h"

/* Waits until @t has left its stack. */
static int await_left(struct thread *t, struct deadline d) HOLDS(t->joiners.lock)
{
	int err = 0;

	/* LAB 02-threads: become the joiner, wait until it has left, give the place up */
	if (t->detached)
		return -ECHILD;
	if (t->joiner)
		return -EBUSY;
	t->joiner = current_thread();
	while (!t->left && !err)
		err = wait_block_locked(&t->joiners, d, 0);
	t->joiner = NULL;
	if (t->detached)
		return -ECHILD;
	/* END LAB */
	return err;
}

int thread_join(struct thread *t, int *code, struct deadline d)
{
	int err;

	if (t == current_thread())
		return -EDEADLK;
	thread_get(t);		/* a detach while we wait makes it the reaper's to free */
	spin_lock(&t->joiners.lock);
	err = await_left(t, d);
	if (!err)
		t->detached = true;	/* collected: a second join fails */
	spin_unlock(&t->joiners.lock);
	if (!err) {
		if (code)
			*code = t->exit_code;
		trace(TRACE_LIFE, TRACE_EV_JOIN, t->tid, t->exit_code);
		thread_free(t);
	}
	thread_put(t);
	return err;
}

int thread_detach(struct thread *t)
{
	bool reap;

	spin_lock(&t->joiners.lock);
	/* LAB 02-threads: make it the reaper's, now or when it leaves; send its joiner away */
	if (t->detached) {
		spin_unlock(&t->joiners.lock);
		return -ECHILD;
	}
	t->detached = true;
	reap = t->left;
	wait_wake_all_locked(&t->joiners, -ECHILD);
	/* END LAB */
	spin_unlock(&t->joiners.lock);
	if (reap)
		reaper_add_thread(t);
	return 0;
}
