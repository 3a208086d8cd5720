/*
 * A mutex: three threads lock and unlock it; one gives up waiting when it likes.
 *
 * Abstracts	kernel/sync/mutex.c: all of it but creation and destruction.
 * Leaves out	how waiting works: wait.pml shows that wait_block() may be taken for what it is
 *		here. Claiming a waiter is one step, leaving the queue afterwards another.
 *
 * Threads are numbered from 1, so that 0 is nobody, as in the mutex word.
 */
#include "lock.h"

#define NR	3
#define GIVES_UP 1		/* locks with a deadline, or is killed: mutex_lock_timed() */

mtype = { NONE, ARMED, EVENT, TIMEOUT };

byte owner;			/* [atomic] the word without its lowest bit */
bool contended;			/* [atomic] MUTEX_CONTENDED, the lowest bit of the same word */
bool q;				/* m->q.lock */
chan links = [NR] of { byte };	/* [q] m->q.links, in order of arrival */
byte nr;			/* [q] m->q.nr */
mtype why[NR + 1] = NONE;	/* each thread's waiter */

bool inside[NR + 1];		/* ghost: between lock and unlock */
byte ended;			/* ghost: threads that are through */

/* mutex_trylock(), take_free(): compare-exchange 0 -> @me */
inline take(me, mark, taken)
{
	atomic {
		taken = (owner == 0 && !contended);
		if
		:: taken -> owner = me; contended = mark
		:: else
		fi
	}
}

inline mark_contended(marked)
{
#ifdef BREAK_MARK	/* looks, then marks */
	marked = (owner != 0 || contended);
	if
	:: marked -> contended = true
	:: else
	fi
#else
	atomic {
		marked = (owner != 0 || contended);
		if
		:: marked -> contended = true
		:: else
		fi
	}
#endif
}

inline wait_block(me, err)
{
	atomic { why[me] = ARMED; links ! me; nr++; spin_unlock(q) };
	if
	:: why[me] != ARMED
	:: atomic { me == GIVES_UP && why[me] == ARMED -> why[me] = TIMEOUT }
	fi;
	atomic {
		!q -> q = true;
		if
		:: links ?? [eval(me)] -> links ?? eval(me)
		:: else
		fi;
		nr--;
		err = (why[me] == TIMEOUT);
		why[me] = NONE
	}
}

inline lock_slow(me, done, err)
{
	spin_lock(q);
	do
	:: take(me, nr > 0, done);
		if
		:: done -> break
		:: else
		fi;
#ifdef BREAK_SLEEP	/* waits without a mark */
		done = true;
#else
		mark_contended(done);
#endif
		if
		:: done -> wait_block(me, err); break
		:: else
		fi
	od;
	spin_unlock(q)
}

inline hand_over(w, done)
{
	done = false;
	do
	:: !done && nempty(links) ->
		links ? w;
#ifdef BREAK_CLAIM	/* does not ask whether it was the one to wake it */
		atomic { why[w] = (why[w] == ARMED -> EVENT : why[w]); done = true };
#else
		atomic {
			done = (why[w] == ARMED);
			why[w] = (done -> EVENT : why[w])
		};
#endif
		if
		:: done ->
#ifdef BREAK_BEHIND	/* forgets those behind it */
			atomic { owner = w; contended = false }
#else
			atomic { owner = w; contended = (nr > 1) }
#endif
		:: else
		fi
	:: !done && empty(links) -> atomic { owner = 0; contended = false }; break
	:: done -> break
	od;
	w = 0
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
		spin_lock(q);
		atomic { owner = 0; contended = false };
		hand_over(w, done);
		spin_unlock(q)
#else
		assert(owner == me);
		spin_lock(q);
		hand_over(w, done);
		spin_unlock(q)
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
		take(me, false, done);
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
 * inside_owns: whoever's lock returned 0 owns the mutex, handed over or not, until it unlocks (M2)
 * test: mutex.hand_over mutex.storm
 * broken: BREAK_FREE
 */
ltl inside_owns {
	[] ((inside[1] -> owner == 1) && (inside[2] -> owner == 2) && (inside[3] -> owner == 3))
}

/*
 * marked: while somebody waits and nobody has the queue's lock, the word says so (M1)
 * test: mutex.hand_over mutex.gives_up
 * broken: BREAK_BEHIND BREAK_SLEEP
 */
ltl marked { [] (armed && !q -> contended) }

/*
 * all_through: no thread waits for ever: an unlock hands over to exactly one that still waits
 * test: mutex.hand_over mutex.storm
 * broken: BREAK_CLAIM BREAK_BEHIND BREAK_MARK
 */
ltl all_through { <> (ended == 3) }
