/*
 * Killing: a process with two threads, and two killers, each with a status of its own.
 *
 * Abstracts	kernel/process/kill.c: process_kill(), thread_kill(), kill_where_it_is(),
 *		process_exit(); kernel/process/edge.c: user_return_work(); kernel/thread/exit.c:
 *		thread_exit(), process_thread_leaves(); kernel/thread/thread.c: join_process();
 *		kernel/thread/suspend.c: thread_resume(); kernel/sched/sched.c: sched_block(),
 *		sched_suspend_self(), sched_exit(); kernel/thread/reaper.c: reap_thread();
 *		kernel/process/zombie.c: process_teardown().
 * Leaves out	other threads on the CPUs (a READY thread is picked at any time), moving to another
 *		CPU, resuming a thread that suspended itself, exec, and how a wait is claimed
 *		(wait.pml): the first to have the run queue's lock makes the thread READY.
 *
 * Thread 0 makes thread 1. Both then go between user and kernel mode; in the kernel they wait,
 * suspend themselves, lose the CPU, exit, or do nothing. In user mode a thread may compute for
 * ever: only an interrupt gets it out. Both killers run on CPUs other than the victims'.
 */
#include "lock.h"

#define NR		2
#define EXITED		1		/* statuses */
#define KILLED_BY_0	2
#define KILLED_BY_1	3

mtype = { ALIVE, DYING, ZOMBIE };
mtype = { UNBORN, SUSPENDED, READY, RUNNING, BLOCKED, DEAD };

mtype life = ALIVE;		/* p->life: one word of state and status */
byte status;
bool p_lock;
byte holds = 1;			/* [atomic] */

typedef thread {
	bool listed;		/* [p_lock] on p->threads */
	bool rq;		/* its run queue's lock */
	mtype state;		/* [rq] */
	bool embryo;		/* [rq] */
	bool unwound;		/* [rq] */
	bool work_kill;		/* WORK_KILL in t->work */
	bool ipi;		/* an interrupt waits for the thread's CPU to take it */
	/* ghosts */
	bool in_user;
	bool told;		/* thread_kill() of it has returned */
	bool finished;		/* killed while it had no kernel work in hand */
};

thread t[NR];
chan reaper = [NR] of { byte };	/* threads that were killed without running again */

byte wins;			/* ghost: process_kill()s that returned 0 */
byte first;			/* ghost: the status of the first */
bool walked;			/* ghost: the killer has been through p->threads */
bool revived;			/* ghost: a finished thread was picked */
byte teardowns;			/* ghost */

inline process_swap(new_status, won)
{
	atomic {
		won = (life == ALIVE);
#ifdef BREAK_SWAP	/* looks, then writes */
	};
	atomic {
#endif
		if
		:: won ->
			life = DYING;
			status = new_status;
			first = (wins == 0 -> new_status : first);
			wins++
		:: else
		fi
	}
}

/* @kick: the victim's CPU is not the killer's own. */
inline thread_kill(i, kick)
{
	atomic { !t[i].rq -> t[i].rq = true; t[i].work_kill = true };
	atomic {
		if
		:: t[i].embryo		/* thread_resume() will see to it */
#ifndef BREAK_IPI	/* sends no interrupt: the victim will look some day */
		:: !t[i].embryo && t[i].state == RUNNING -> t[i].ipi = t[i].ipi || kick
#endif
#ifndef BREAK_BLOCKED	/* leaves the victim blocked until its event comes */
		:: !t[i].embryo && t[i].state == BLOCKED -> t[i].state = READY
#endif
#ifndef BREAK_READY	/* lets the victim run once more, as it will look */
		:: !t[i].embryo && t[i].state == READY && t[i].unwound ->
			t[i].state = DEAD;
			reaper ! i
#endif
		:: !t[i].embryo && t[i].state == SUSPENDED && t[i].unwound ->
			t[i].state = DEAD;
			reaper ! i
		:: else
		fi;
		/* for never_again: it had no kernel work in hand, whatever was done above */
		t[i].finished = !t[i].embryo && t[i].unwound && t[i].state != RUNNING;
		t[i].told = true;
		spin_unlock(t[i].rq)
	}
}

inline process_kill(new_status, me, won)
{
	process_swap(new_status, won);
	if
	:: won ->
		spin_lock(p_lock);
		if
		:: t[0].listed -> thread_kill(0, me != 0)
		:: else
		fi;
		if
		:: t[1].listed -> thread_kill(1, me != 1)
		:: else
		fi;
		atomic { walked = true; spin_unlock(p_lock) }
	:: else
	fi
}

inline process_teardown(won)
{
	teardowns++;
	process_swap(EXITED, won);		/* process_kill(), with no thread left */
	life = ZOMBIE				/* become_zombie(): zombie.pml */
}

inline process_thread_leaves(i, won)
{
	atomic { !p_lock -> t[i].listed = false };
#ifdef BREAK_LAST	/* decrements, then looks */
	holds--;
	won = (holds == 0);
#else
	atomic { holds--; won = (holds == 0) };
#endif
	if
	:: won -> process_teardown(won)
	:: else
	fi
}

/* schedule() after the state has been set; goes on when the thread has been picked again. */
inline off_cpu(i)
{
	atomic {
		t[i].state == READY && !t[i].rq ->
		t[i].state = RUNNING;
		revived = revived || t[i].finished
	}
}

inline create_thread(joined)
{
	spin_lock(p_lock);
	joined = (life == ALIVE);
#ifdef BREAK_JOIN	/* lets the lock go between the look and the entry */
	spin_unlock(p_lock);
	spin_lock(p_lock);
#endif
	if
	:: joined ->
		atomic {
			t[1].state = SUSPENDED;
			t[1].embryo = true;
			t[1].unwound = true;
			t[1].listed = true;
			holds++;
			spin_unlock(p_lock)
		};
		run thread_main(1);
		atomic {				/* thread_resume() */
			!t[1].rq;
			t[1].embryo = false;
			if
			:: t[1].work_kill -> t[1].state = DEAD; reaper ! 1
			:: else -> t[1].state = READY
			fi
		}
	:: else -> spin_unlock(p_lock)
	fi
}

proctype thread_main(byte i)
{
	bool won, made, event;

	if
	:: i == 0		/* has been running all along */
	:: else ->
		if
		:: off_cpu(i)
		:: t[i].state == DEAD -> goto gone
		fi;
		t[i].unwound = false
	fi;
edge:	/* user_return_work(), interrupts off */
	if
	:: t[i].work_kill -> goto exits
	:: else
	fi;
	if
	:: goto user
	:: t[i].unwound = true;		/* WORK_RESCHED: sched_preempt() */
		atomic { !t[i].rq -> t[i].state = READY }
	:: t[i].unwound = true;		/* WORK_SUSPEND: sched_suspend_self() */
		atomic {
			!t[i].rq;
#ifdef BREAK_SUSPEND	/* does not look at its flag under the lock */
			t[i].state = SUSPENDED
#else
			t[i].state = (t[i].work_kill -> RUNNING : SUSPENDED)
#endif
		}
	fi;
	if
	:: t[i].state == RUNNING
	:: off_cpu(i)
	:: t[i].state == DEAD -> goto gone
	fi;
	t[i].unwound = false;
	goto edge;

user:
#ifdef BREAK_EDGE	/* interrupts on between the look and the way back */
	t[i].ipi = false;
#endif
	t[i].in_user = true;
	if
	:: skip				/* a system call */
	:: t[i].ipi			/* computes */
	fi;
	t[i].in_user = false;

	/* In the kernel an interrupt comes at any time, and changes nothing here. */
	t[i].ipi = false;
	if
	:: event = true			/* the event that it may wait for comes, or does not */
	:: event = false
	fi;
	if
	:: skip
	:: atomic { i == 0 && !made -> made = true }; create_thread(won)
	:: goto exits
	:: process_kill(EXITED, i, won); goto exits		/* process_exit() */
	:: atomic {						/* sched_block() */
			!t[i].rq;
#ifdef BREAK_TEST	/* does not look at its flag under the lock */
			t[i].state = BLOCKED
#else
			t[i].state = (t[i].work_kill -> RUNNING : BLOCKED)
#endif
		};
		if
		:: t[i].state == RUNNING
		:: off_cpu(i)
		:: atomic { event && t[i].state == BLOCKED && !t[i].rq -> t[i].state = READY };
			off_cpu(i)
		fi
	fi;
	event = false;
	goto edge;

exits:	process_thread_leaves(i, won);
	atomic { !t[i].rq -> t[i].state = DEAD };		/* sched_exit() */
gone:	skip
}

proctype killing(byte new_status)
{
	bool won;

	if
	:: skip
	:: goto done
	fi;
	process_kill(new_status, NR, won);
done:	skip
}

proctype reaping()
{
	byte i;
	bool won;

end:	do
	:: reaper ? i -> process_thread_leaves(i, won); i = 0; won = false
	od
}

init
{
	atomic {
		t[0].state = RUNNING;
		t[0].listed = true;
		t[1].state = UNBORN;
		run thread_main(0);
		run killing(KILLED_BY_0);
		run killing(KILLED_BY_1);
		run reaping()
	}
}

#define gone(i)		(t[i].state == DEAD || t[i].state == UNBORN)

/*
 * first_status: one killer wins, and the status is that killer's (PROCESS1)
 * test: kill.first kill.status kill.swept_kill
 * broken: BREAK_SWAP
 */
ltl first_status { [] (wins <= 1 && (life == ZOMBIE -> status == first)) }

/*
 * nobody_new: after the walk every thread of the process has been told to die (PROCESS2)
 * test: kill.no_new kill.swept_new
 * broken: BREAK_JOIN
 */
ltl nobody_new {
	[] (walked -> (t[0].listed -> t[0].work_kill) && (t[1].listed -> t[1].work_kill))
}

/*
 * out_of_user: a killed thread that is in user mode has an interrupt coming (PROCESS2)
 * test: killspin
 * broken: BREAK_IPI BREAK_EDGE
 */
ltl out_of_user {
	[] ((t[0].told && t[0].in_user -> t[0].ipi) && (t[1].told && t[1].in_user -> t[1].ipi))
}

/*
 * never_again: a thread that is killed with no kernel work in hand is never picked again
 * test: kill.unrun
 * broken: BREAK_READY
 */
ltl never_again { [] !revived }

/*
 * all_end: every thread of a killed process dies and the process becomes a zombie
 * test: kill.blocked kill.crowd kill.after_claim kill.swept_mark
 * broken: BREAK_BLOCKED BREAK_TEST BREAK_SUSPEND
 */
ltl all_end { [] (life == DYING -> <> (life == ZOMBIE && gone(0) && gone(1))) }

/*
 * last_out: the process is torn down once, when no thread of it is left (EXIT4)
 * test: last.ends last.swept exit.many
 * broken: BREAK_LAST
 */
ltl last_out {
	[] (teardowns <= 1 &&
	    (teardowns -> !t[0].listed && !t[1].listed && !t[0].in_user && !t[1].in_user))
}
