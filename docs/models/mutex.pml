/*
 * A mutex: three threads lock and unlock it; one gives up waiting when it likes.
 *
 * Abstracts	kernel/sync/mutex.c: all of it but creation and destruction; of kernel/sync/pi.c who
 *		waits and who is next.
 * Leaves out	how waiting works: wait.pml shows that waiter_block() may be taken for what it is
 *		here. Claiming a waiter is one step, leaving the waiters afterwards another. All are
 *		equally urgent.
 *
 * Threads are numbered from 1, so that 0 is nobody, as in the mutex word.
 */
#include "lock.h"

#define NR	3
#define GIVES_UP 1		/* locks with a deadline, or is killed: mutex_lock_timed() */

mtype = { NONE, ARMED, EVENT, TIMEOUT };

byte owner;			/* [atomic] the word without its lowest bit */
bool contended;			/* [atomic] MUTEX_CONTENDED, the lowest bit of the same word */
bool pi;				/* pi_lock */
chan waiters = [NR] of { byte };	/* [pi] m->pi.waiters, in order of arrival */
mtype why[NR + 1] = NONE;	/* each thread's waiter */

bool inside[NR + 1];		/* ghost: between lock and unlock */
byte ended;			/* ghost: threads that are through */

/* try_free(): compare-exchange 0 -> @me */
inline try_free(me, taken)
{
	atomic {
		taken = (owner == 0 && !contended);
		if
		:: taken -> owner = me
		:: else
		fi
	}
}

inline take_or_mark(me, taken)
{
#ifdef BREAK_MARK	/* looks, then takes or marks */
	taken = (owner == 0 && !contended);
	if
	:: taken -> owner = me
	:: else -> contended = true
	fi
#else
	atomic {
		taken = (owner == 0 && !contended);
		if
		:: taken -> owner = me
#ifndef BREAK_SLEEP	/* waits without a mark */
		:: else -> contended = true
#else
		:: else
#endif
		fi
	}
#endif
}

/* pi_lock held; on the way out it looks once more at a mutex that has come free. */
inline wait_for(me, taken, err)
{
	atomic { why[me] = ARMED; waiters ! me; spin_unlock(pi) };
	if
	:: why[me] != ARMED
	:: atomic { me == GIVES_UP && why[me] == ARMED -> why[me] = TIMEOUT }
	fi;
	atomic { !pi -> pi = true; err = (why[me] == TIMEOUT); why[me] = NONE };
	if
	:: atomic { waiters ?? [eval(me)] -> waiters ?? eval(me) };
		try_free(me, taken);
		err = !taken
	:: else
	fi
}

inline lock_slow(me, done, err)
{
	spin_lock(pi);
	take_or_mark(me, done);
	if
	:: !done -> wait_for(me, done, err)
	:: else
	fi;
	spin_unlock(pi)
}

/* pi_lock held, so what only changes under it may be gone through in one step. */
inline hand_over(w, done)
{
	atomic {
		byte n = len(waiters), next = 0;

		do
		:: n == 0 -> break
		:: else ->
			n--;
			waiters ? w;
			if
#ifdef BREAK_CLAIM	/* does not ask whether it was the one to wake it */
			:: next == 0 ->
				next = w;
				why[w] = (why[w] == ARMED -> EVENT : why[w])
#else
			:: next == 0 && why[w] == ARMED -> next = w; why[w] = EVENT
#endif
			:: else -> waiters ! w
			fi
		od;
		w = next
	};
#ifdef BREAK_BEHIND	/* forgets those behind it */
	atomic { owner = w; contended = false; w = 0 }
#else
	atomic { owner = w; contended = (w != 0 && nempty(waiters)); w = 0 }
#endif
}

inline mutex_unlock(me, w, done)
{
	atomic {
		done = (owner == me && !contended);
		if
		:: done -> owner = 0
		:: else
		fi
	};
	if
	:: !done ->
#ifdef BREAK_FREE	/* frees it and wakes the first one, instead of handing it over */
		spin_lock(pi);
		atomic { owner = 0; contended = false };
		hand_over(w, done);
		spin_unlock(pi)
#else
		assert(owner == me);
		spin_lock(pi);
		hand_over(w, done);
		spin_unlock(pi)
#endif
	:: else
	fi
}

proctype thread(byte me)
{
	byte rounds = 2, w;
	bool done, err;

	do
	:: rounds == 0 -> break
	:: else ->
		rounds--;
		err = false;
		try_free(me, done);
		if
		:: !done -> lock_slow(me, done, err)
		:: else
		fi;
		if
		:: !err ->
			inside[me] = true;
			inside[me] = false;
			mutex_unlock(me, w, done)
		:: else
		fi;
		done = false
	od;
	ended++
}

init
{
	atomic { run thread(1); run thread(2); run thread(3) }
}

#define armed		(why[1] == ARMED || why[2] == ARMED || why[3] == ARMED)

/*
 * one_inside: at most one thread is between lock and unlock
 * test: mutex.storm
 * broken: BREAK_FREE
 */
ltl one_inside { [] (inside[1] + inside[2] + inside[3] <= 1) }

/*
 * inside_owns: a thread whose lock returned 0 owns the mutex until it unlocks, handed over or not
 * (MUTEX2)
 * test: mutex.hand_over mutex.storm
 * broken: BREAK_FREE
 */
ltl inside_owns {
	[] ((inside[1] -> owner == 1) && (inside[2] -> owner == 2) && (inside[3] -> owner == 3))
}

/*
 * marked: while somebody waits and nobody has pi_lock, the word says so (MUTEX1)
 * test: mutex.hand_over mutex.gives_up
 * broken: BREAK_BEHIND BREAK_SLEEP
 */
ltl marked { [] (armed && !pi -> contended) }

/*
 * all_through: no thread waits for ever: an unlock hands over to exactly one that still waits
 * test: mutex.hand_over mutex.storm
 * broken: BREAK_CLAIM BREAK_BEHIND BREAK_MARK
 */
ltl all_through { <> (ended == 3) }
