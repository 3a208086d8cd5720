/*
 * vfork(): a parent waits on a queue on its own stack until the child has done with its memory.
 *
 * Abstracts	kernel/abi/clone.c: vfork_wait(), vfork_release().
 * Leaves out	everything else about the two processes; wait.pml shows that wait_block() may be
 *		taken for what it is here.
 *
 * The child calls vfork_release() when it execs and again in its teardown; the parent may be
 * killed.
 */
#include "lock.h"

bool lock;			/* child->lock */
bool vfork_done = true;		/* [lock to change] child->vfork_done is not NULL */
bool q;				/* the queue's lock */
bool waiting;			/* [q] the parent is in the queue, not yet woken */
bool killed;			/* the parent */

bool returned;			/* ghost: the parent's stack is another function's now */
bool stale;			/* ghost: the child touched a queue that had gone */

inline wait_queue_wake_all()
{
	stale = stale || returned;
	spin_lock(q);
	atomic { stale = stale || returned; waiting = false; spin_unlock(q) }
}

inline vfork_release()
{
	spin_lock(lock);
	if
	:: vfork_done ->
#ifdef BREAK_ORDER	/* wakes a parent that then sees no reason to go on */
		wait_queue_wake_all();
		vfork_done = false
#else
		vfork_done = false;
		wait_queue_wake_all()
#endif
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
	do
	:: vfork_done && !err ->
		atomic { waiting = true; spin_unlock(q) };	/* wait_block() */
		if
		:: atomic { !waiting && !q -> q = true }
		:: atomic { waiting && killed && !q -> q = true; waiting = false; err = true }
		fi
	:: else -> break
	od;
	spin_unlock(q);
#ifndef BREAK_LOCK	/* does not wait for a child that is about to wake it */
	spin_lock(lock);
	atomic { vfork_done = false; spin_unlock(lock) };
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
 * broken: BREAK_ORDER
 */
ltl parent_goes_on { <> returned }

/*
 * queue_there: the child does not touch the queue on its parent's stack after the parent has left
 * vfork()
 * test: fork
 * broken: BREAK_LOCK
 */
ltl queue_there { [] !stale }
