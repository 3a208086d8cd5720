/*
 * Suspend and resume.
 *
 * A thread in the middle of work in the kernel may hold locks, so it is not stopped at once: it is
 * marked WORK_SUSPEND and stops at its next safe point. A READY thread without such work is taken
 * off its run queue at once.
 */
#include "errno.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/thread_state.h"

int thread_resume(struct thread *t)
{
	struct runq *rq = thread_runq_lock_allowed(t);
	bool unborn = t->embryo && thread_is_dying(t);
	u32 before = atomic_fetch_and(&t->work, ~WORK_SUSPEND);
	int err = 0;

	t->embryo = false;
	if (unborn)
		thread_set_state(t, THREAD_DEAD, "killed before it was started");
	if (thread_is_dying(t) || thread_state(t) == THREAD_DEAD)
		err = -ESRCH;
	else if (thread_state(t) == THREAD_SUSPENDED)
		sched_make_ready(rq, t, "resumed");
	else if (!(before & WORK_SUSPEND))
		err = -EALREADY;
	runq_unlock(rq);
	if (unborn)
		reaper_add_thread(t);
	return err;
}

int thread_suspend(struct thread *t)
{
	struct runq *rq = thread_runq_lock_allowed(t);	/* if READY, @t is in its queue now */
	enum thread_state s = thread_state(t);
	int err = 0;

	if (thread_is_dying(t) || s == THREAD_DEAD) {
		err = -ESRCH;
	} else if (s == THREAD_SUSPENDED) {
		err = -EALREADY;
	} else if (s == THREAD_READY && t->unwound) {
		sched_remove(rq, t);
		thread_set_state(t, THREAD_SUSPENDED, "suspended");
	} else {
		atomic_fetch_or(&t->work, WORK_SUSPEND);
		if (s == THREAD_RUNNING)
			sched_kick(rq);
	}
	runq_unlock(rq);
	return err;
}
