/*
 * Exit, join and detach: a thread ends while two others join it and a third detaches it.
 *
 * Abstracts	kernel/thread/exit.c: thread_exit(), thread_left(); kernel/thread/join.c:
 *		await_left(), thread_join(), thread_detach(); kernel/thread/reaper.c: hand_over(),
 *		reap_thread(); kernel/thread/thread.c: thread_put(), thread_free();
 *		kernel/sched/sched.c: sched_exit(), sched_finish_switch(); of kernel/process/kill.c
 *		the victim that is DEAD without having run again.
 * Leaves out	the thread's process (kill.pml, hold.pml), and how waiting works: wait.pml shows
 *		that wait_block() may be taken for what it is here, one step from waiting to woken.
 *
 * Each of the three others has a reference of its own, as thread_find() gives it. The first joiner
 * has a deadline. Ghosts come last.
 */
#include "lock.h"

#define NR		2		/* joiners */
#define CODE		7
#define EBUSY		16
#define ECHILD		10
#define ETIMEDOUT	110

bool rq;			/* the lock of the run queue that it leaves */
bool dead;			/* [rq] state is DEAD */
byte refs = 4;			/* the table's, and one for each that may join or detach */
bool joiners;			/* t->joiners.lock */
bool joiner, detached, left;	/* [joiners] */
byte exit_code;
bool waiting[NR];		/* [joiners] in the queue, not yet woken */
byte woken_with[NR];		/* [joiners] status of the wake-up */
chan reaper = [2] of { bit };	/* the reaper's list */

bool on_stack = true;		/* ghost: a CPU stands on its stack */
bool freed;			/* ghost: stack and table entry given back */
bool freed_early, freed_twice, used_after_free;	/* ghosts */
byte delivered;			/* ghost: joins that returned 0 */
bool wrong_code;		/* ghost */
byte finished;			/* ghost: joins and detaches that returned */

#define touch()	used_after_free = used_after_free || refs == 0

inline thread_put()
{
	atomic { touch(); refs-- }
}

inline thread_free()
{
	atomic {
		assert(dead);
		freed_twice = freed_twice || freed;
		freed_early = freed_early || on_stack;
		freed = true
	};
	thread_put()
}

inline wait_wake_all(status)
{
	atomic {
		woken_with[0] = (waiting[0] -> status : woken_with[0]);
		woken_with[1] = (waiting[1] -> status : woken_with[1]);
		waiting[0] = false;
		waiting[1] = false
	}
}

inline reaper_add_thread()
{
	atomic { assert(nfull(reaper)); reaper ! 1 }
}

inline thread_left()
{
#ifdef BREAK_LATE_LOOK	/* reads `detached` before it has the lock */
	reap = detached;
#endif
	spin_lock(joiners);
	left = true;
#ifndef BREAK_LATE_LOOK
	reap = detached;
#endif
#ifndef BREAK_TELL	/* does not wake its joiners */
	wait_wake_all(0);
#endif
	spin_unlock(joiners);
	if
	:: reap -> reaper_add_thread()
	:: else
	fi
}

/* The thread, from thread_exit() on, and the one that its CPU switches to. */
proctype exiting()
{
	bool reap;

	if
	:: skip
	:: goto killed
	fi;
#ifndef BREAK_PUBLISH	/* says that it has left before it writes its code */
	exit_code = CODE;
#endif
#ifdef BREAK_LEAVE	/* says that it has left while it still has to switch away */
	atomic { !rq -> rq = true; dead = true };
	thread_left();
	atomic { on_stack = false; spin_unlock(rq) };
	goto gone;
#endif
	atomic { !rq -> rq = true; dead = true };	/* sched_exit(): schedule() */
	on_stack = false;				/* arch_switch() */
	spin_unlock(rq);				/* sched_finish_switch() */
	thread_left();
#ifdef BREAK_PUBLISH
	exit_code = CODE;
#endif
	goto gone;

killed:	/* thread_kill() of a READY thread without kernel work in hand: the code stays as it was */
	atomic { !rq -> dead = true; on_stack = false; exit_code = CODE };
	reaper ! 0;
gone:	skip
}

/* reaper_main(). An entry of 0 is a thread that has to leave its process first. */
proctype reaping()
{
	bit unlinked;
	bool joinable;

end:	do
	:: reaper ? unlinked ->
		touch();
		if
		:: !unlinked ->			/* killed unrun: process_thread_leaves(), then */
			spin_lock(joiners);
			left = true;
			joinable = !detached;
			wait_wake_all(0);
			spin_unlock(joiners);
			if
			:: !joinable -> thread_free()
			:: else
			fi
		:: else -> thread_free()
		fi
	od
}

inline await_left(i, timed, err)
{
	if
	:: detached -> err = ECHILD
	:: !detached && joiner -> err = EBUSY
	:: else ->
		joiner = true;
		do
#ifdef BREAK_WAIT	/* waits only until the thread is dead, not until it has left its stack */
		:: dead -> break
		:: else -> skip
#else
		:: left || err -> break
		:: !left && !err ->			/* wait_block() */
			atomic { waiting[i] = true; woken_with[i] = 0; spin_unlock(joiners) };
			if
			:: atomic { !waiting[i] && !joiners -> joiners = true; err = woken_with[i] }
			:: atomic {
				timed && waiting[i] && !joiners -> joiners = true;
				waiting[i] = false;
				err = ETIMEDOUT
			   }
			fi
#endif
		od;
		joiner = false;
		if
		:: detached -> err = ECHILD
		:: !detached && left -> err = 0
		:: else
		fi
	fi
}

proctype joining(byte i; bool timed)
{
	byte err;

	spin_lock(joiners);
	await_left(i, timed, err);
	if
#ifndef BREAK_COLLECT	/* does not note that the thread is collected */
	:: !err -> detached = true
#endif
	:: else
	fi;
	spin_unlock(joiners);
	if
	:: !err ->
		atomic {
			touch();
			wrong_code = wrong_code || exit_code != CODE;
			delivered++
		};
		thread_free()
	:: else
	fi;
	atomic { touch(); refs--; finished++ }
}

/* thread_detach(), or nothing. */
proctype detaching()
{
	bool reap;

	if
	:: skip
	:: goto done
	fi;
	spin_lock(joiners);
	if
	:: detached -> spin_unlock(joiners)
	:: else ->
		detached = true;
		reap = left;
		wait_wake_all(ECHILD);
		spin_unlock(joiners);
#ifndef BREAK_DETACH	/* forgets a thread that has left already */
		if
		:: reap -> reaper_add_thread()
		:: else
		fi
#endif
	fi;
done:	atomic { touch(); refs--; finished++ }
}

init
{
	atomic {
		run exiting();
		run joining(0, true);
		run joining(1, false);
		run detaching();
		run reaping()
	}
}

/*
 * code_once: at most one join returns the code, and it is the thread's (EXIT2, EXIT3)
 * test: join.two join.dead join.living join.swept
 * broken: BREAK_COLLECT BREAK_PUBLISH
 */
ltl code_once { [] (delivered <= 1 && !wrong_code) }

/*
 * left_first: the thread is not freed before it has left its stack for good (EXIT1)
 * test: join.not_early
 * broken: BREAK_LEAVE BREAK_WAIT
 */
ltl left_first { [] !freed_early }

/*
 * freed_once: the thread is freed once, by its joiner or by the reaper, and not touched afterwards
 * (EXIT3)
 * test: join.errors detach.swept
 * broken: BREAK_COLLECT
 */
ltl freed_once { [] (!freed_twice && !used_after_free) }

/*
 * freed_at_last: a thread that is collected or detached is freed in the end (EXIT3)
 * test: detach.reaped detach.swept kill.unrun
 * broken: BREAK_DETACH BREAK_LATE_LOOK
 */
ltl freed_at_last { [] (detached -> <> (freed && refs == 0)) }

/*
 * all_return: every join and detach returns, whichever comes first
 * test: join.living join.timed join.errors
 * broken: BREAK_TELL
 */
ltl all_return { <> (finished == 3) }
