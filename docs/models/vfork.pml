/*
 * vfork(): a parent waits for a completion on its own stack until the child has done with its
 * memory.
 *
 * Abstracts	kernel/process/process.c: vfork_wait(); kernel/process/zombie.c: vfork_release();
 *		kernel/sync/completion.c: completion_wait(), complete().
 * Leaves out	everything else about the two processes; wait.pml shows that wait_block()
 *		may be taken for what it is here.
 *
 * The child calls vfork_release() when it execs and again in its teardown; the parent may be
 * killed.
 */
#include "lock.h"

bool lock;			/* child->lock */
bool vfork_done = true;		/* [lock to change] child->vfork_done is not NULL */
bool q;				/* the completion's lock */
bool waiting;			/* [q] the parent is in the queue, not yet woken */
bool done;			/* [q] completed while the parent did not wait */
bool killed;			/* the parent */

bool returned;			/* ghost: the parent's stack is another function's now */
bool stale;			/* ghost: the child touched a completion that is gone */

inline complete()
{
	stale = stale || returned;
	spin_lock(q);
	if
	:: waiting -> waiting = false
	:: else -> done = true
	fi;
	atomic { stale = stale || returned; spin_unlock(q) }
}

inline vfork_release()
{
	spin_lock(lock);
	if
	:: vfork_done ->
#ifndef BREAK_SILENT	/* clears its pointer without waking the parent */
		complete();
#endif
		vfork_done = false
	:: else
	fi;
	spin_unlock(lock)
}

proctype child()
{
	vfork_release();
	vfork_release()
}

/* vfork_wait() */
proctype parent()
{
	bool err;

	spin_lock(q);
	if
	:: !done ->
		atomic { waiting = true; spin_unlock(q) };	/* wait_block() */
		if
		:: atomic { !waiting && !q -> q = true }
		:: atomic { waiting && killed && !q -> q = true; waiting = false; err = true }
		fi
	:: else
	fi;
	err = err && !done;
	spin_unlock(q);
#ifndef BREAK_LOCK	/* does not wait for a child that is completing it */
	if
	:: err ->
		spin_lock(lock);
		atomic { vfork_done = false; spin_unlock(lock) }
	:: else
	fi;
#endif
	returned = true
}

proctype killing()
{
	if
	:: killed = true
	:: skip
	fi
}

init
{
	atomic { run parent(); run child(); run killing() }
}

/*
 * parent_goes_on: the parent returns from vfork() once the child has released it
 * test: fork exec
 * broken: BREAK_SILENT
 */
ltl parent_goes_on { <> returned }

/*
 * completion_there: the child does not touch the completion on its parent's stack after the parent
 * has left vfork()
 * test: fork
 * broken: BREAK_LOCK
 */
ltl completion_there { [] !stale }
