/*
 * Giving way on a CPU that is forbidden now: from requeue() until it is moved, a thread is READY on
 * no run queue (SCHED2). The first CPU that locks its run queue meanwhile queues it.
 *
 * Abstracts	kernel/sched/affinity.c: thread_runq_lock_allowed(), sched_set_affinity();
 *		kernel/sched/sched.c: requeue(), thread_runq_lock(), sched_finish_switch(),
 *		sched_remove(), runq_enqueue();
 *		kernel/thread/suspend.c: thread_suspend().
 * Leaves out	picking: the model ends when the thread has been queued or suspended.
 *
 * The thread was pinned to CPU 1 while it ran on CPU 0, and gives way on its way to user mode.
 */
#include "lock.h"

#define CPUS	2

mtype = { READY, RUNNING, SUSPENDED };

bool rq[CPUS];			/* locks of the run queues */
mtype state = RUNNING;		/* [rq of cpu] */
byte cpu;			/* [both rq, to change] t->cpu */
bool allowed[CPUS];		/* [rq of cpu] t->se.affinity */
bool queued;			/* [rq of cpu] entity_queued(&t->se) */
byte nr_ready[CPUS];		/* [rq] */

bool miscounted;		/* ghost: a thread was removed that was on no queue */

/* rq of @c held. */
inline runq_enqueue(on)
{
	atomic { assert(!queued); queued = true; nr_ready[on]++ }
}

inline sched_remove(on)
{
	atomic { miscounted = miscounted || !queued; queued = false; nr_ready[on]-- }
}

inline thread_runq_lock(c)
{
	do
	:: c = cpu;
		spin_lock(rq[c]);
		if
		:: c == cpu -> break
		:: else -> spin_unlock(rq[c])
		fi
	od
}

inline thread_runq_lock_allowed(c)
{
	do
	:: thread_runq_lock(c);
		if
		:: allowed[c] || state == RUNNING ->
#ifndef BREAK_KEPT	/* forgets that a thread that may stay after all is on no queue */
			if
			:: state == READY && !queued -> runq_enqueue(c)
			:: else
			fi;
#endif
			break
		:: else ->
			if
			:: atomic { !rq[1 - c] -> rq[1 - c] = true };
				if
				:: queued -> sched_remove(c)
				:: else
				fi;
				cpu = 1 - c;
				if
				:: state == READY -> runq_enqueue(1 - c)
				:: else
				fi;
				spin_unlock(rq[c]);
				c = 1 - c;
				break
			:: else -> spin_unlock(rq[c])
			fi
		fi
	od
}

/* The thread in sched_preempt(), and the one that its CPU switches to. */
proctype giving_way()
{
	byte c;

	spin_lock(rq[0]);
	state = READY;
	if
	:: allowed[0] -> runq_enqueue(0); spin_unlock(rq[0])
	:: else ->
		spin_unlock(rq[0]);		/* sched_finish_switch() */
		thread_runq_lock_allowed(c);
		spin_unlock(rq[c])
	fi
}

/* sched_set_affinity() to all CPUs, or nothing. */
proctype allowing()
{
	byte c;

	if
	:: skip
	:: goto done
	fi;
	thread_runq_lock(c);
	allowed[0] = true;
	spin_unlock(rq[c]);
	thread_runq_lock_allowed(c);
	spin_unlock(rq[c]);
done:	skip
}

/* thread_suspend() of a thread that is unwound, or nothing. */
proctype suspending()
{
	byte c;

	if
	:: skip
	:: goto done
	fi;
#ifdef BREAK_SUSPEND	/* expects a READY thread on a queue */
	thread_runq_lock(c);
#else
	thread_runq_lock_allowed(c);
#endif
	if
	:: state == READY -> sched_remove(c); state = SUSPENDED
	:: else
	fi;
	spin_unlock(rq[c]);
done:	skip
}

init
{
	atomic {
		allowed[1] = true;
		run giving_way();
		run allowing();
		run suspending()
	}
}

/*
 * ready_is_queued: a READY thread is on a run queue in the end, however its mask changes (SCHED2)
 * test: migrate.swept migrate.told
 * broken: BREAK_KEPT
 */
ltl ready_is_queued { <> (queued || state == SUSPENDED) }

/*
 * counted: only a thread that is on a run queue is taken off it (SCHED2)
 * test: migrate.told sched.shrinks
 * broken: BREAK_SUSPEND
 */
ltl counted { [] !miscounted }
