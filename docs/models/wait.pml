/*
 * Waiting: two threads wait on one queue; a waker, a timer interrupt and a killer end their waits.
 *
 * Abstracts	kernel/sched/wait.c: waiter_init(), waiter_swap(), waiter_claim(), wait_block(),
 *		wait_wake_one(); kernel/sched/sleep.c: sleepq_arm(), sleepq_cancel(),
 *		sleepq_expire(); kernel/sched/sched.c: sched_block(), sched_wake(),
 *		sched_make_ready(); kernel/process/kill.c: thread_kill(); as caller
 *		kernel/sync/semaphore.c: semaphore_wait(), semaphore_post().
 * Leaves out	moving to another CPU (each thread has a run queue lock of its own), which thread
 *		is picked and when, the clock (a deadline may come at any time), status words,
 *		shared waiters, several queues at once, destroying the queue.
 *
 * Thread 0 waits twice, the first time with a deadline; its two waits lie at the same address, on
 * its stack. Thread 1 waits once, without one. Ghosts, which only properties look at, come last.
 */
#include "lock.h"

#define NR	2

mtype = { ARMED, EVENT, TIMEOUT, KILLED };
mtype = { RUNNING, READY, BLOCKED };

typedef thread {
	bool rq;		/* its run queue's lock */
	mtype state;		/* [rq] */
	bool waiter;		/* [rq] t->waiter is not NULL */
	bool dying;		/* WORK_KILL in t->work */
	mtype why;		/* of its waiter */
	bool timer;		/* [sq] its waiter is in the sleep queue */
	/* ghosts */
	bit serial;		/* which wait the waiter is for */
	bool waits;		/* the waiter exists */
	byte claims;		/* how many claimed this wait */
	bool promised;		/* a waker counts this wait as woken */
	bool over;
};

thread t[NR];
bool q, sq;			/* locks of the wait queue and the sleep queue */
chan links = [NR] of { byte };	/* [q] q->links, in order of arrival */
byte count;			/* [q] the semaphore's */

bool stale;			/* ghost: a claimer touched a waiter whose wait was over */
bool eaten;			/* ghost: a wait that counts as woken did not return its event */

/* A claimer found thread @i's waiter when its serial was @s, and uses the pointer now. */
#define touch(i, s)	stale = stale || !t[i].waits || t[i].serial != s

inline waiter_swap(i, reason, won)
{
#ifdef BREAK_CLAIM	/* looks, then writes */
	won = (t[i].why == ARMED);
	if
	:: won -> atomic { t[i].why = reason; t[i].claims++ }
	:: else
	fi
#else
	atomic {
		won = (t[i].why == ARMED);
		if
		:: won -> t[i].why = reason; t[i].claims++
		:: else
		fi
	}
#endif
}

/* rq held. */
inline sched_make_ready(i)
{
	assert(t[i].state == BLOCKED);
	t[i].waiter = false;
	t[i].state = READY
}

inline sched_wake(i)
{
	atomic {
		!t[i].rq;
		if
		:: t[i].waiter -> sched_make_ready(i)
		:: else		/* it has not blocked yet and will see the claim */
		fi
	}
}

inline waiter_claim(i, s, reason, won)
{
	touch(i, s);
	waiter_swap(i, reason, won);
	if
	:: won -> sched_wake(i)
	:: else
	fi
}

inline sched_block(i)
{
#ifdef BREAK_FLAG	/* looks at its flag before it has the lock */
	if
	:: t[i].dying -> waiter_swap(i, KILLED, won)
	:: else
	fi;
#endif
#ifdef BREAK_TEST	/* looks at `why` without the lock that its waker takes */
	armed = (t[i].why == ARMED);
#endif
	spin_lock(t[i].rq);
#ifndef BREAK_FLAG
	if
	:: t[i].dying -> waiter_swap(i, KILLED, won)
	:: else
	fi;
#endif
#ifndef BREAK_TEST
	armed = (t[i].why == ARMED);
#endif
	if
	:: !armed -> spin_unlock(t[i].rq)
	:: else ->
		/* schedule(): off the CPU */
		atomic { t[i].waiter = true; t[i].state = BLOCKED; spin_unlock(t[i].rq) };
		atomic { t[i].state == READY && !t[i].rq -> t[i].state = RUNNING }
	fi
}

/* q held, before and after. */
inline wait_block(i, timed, err)
{
	atomic {
		t[i].why = ARMED;
		t[i].serial = 1 - t[i].serial;
		t[i].waits = true;
		t[i].claims = 0
	};
	atomic { links ! i; spin_unlock(q) };
	if
	:: timed -> atomic { !sq -> t[i].timer = true }		/* sleepq_arm() */
	:: else
	fi;
	sched_block(i);
	if
	:: timed -> atomic { !sq -> t[i].timer = false }	/* sleepq_cancel() */
	:: else
	fi;
	atomic {
		!q -> q = true;
		if
		:: links ?? [eval(i)] -> links ?? eval(i)
		:: else
		fi;
		err = t[i].why;
		eaten = eaten || (t[i].promised && err != EVENT);
		t[i].promised = false;
		t[i].waits = false;
		won = false;
		armed = false
	}
}

/* semaphore_wait() */
proctype waiting(byte i; byte rounds)
{
	mtype err;
	bool won, armed, timed = (rounds == 2);

	do
	:: rounds == 0 -> break
	:: else ->
		atomic { !q -> q = true; rounds--; err = EVENT };
		do
		:: count == 0 && err == EVENT -> wait_block(i, timed, err)
		:: else -> break
		od;
		atomic {
			if
			:: count -> count--
			:: else
			fi;
			spin_unlock(q);
			timed = false;
			err = EVENT
		}
	od;
	t[i].over = true
}

/* semaphore_post(), up to twice: wait_wake_one() is its inner loop. */
proctype posting()
{
	byte posts, i;
	bit s;
	bool won;

	do
	:: posts == 2 -> break
	:: break
	:: posts < 2 ->
		atomic { !q -> q = true; posts++; count++ };
		do
		:: atomic { links ? i -> s = t[i].serial };
			waiter_claim(i, s, EVENT, won);
			if
			:: won -> t[i].promised = true; break
			:: else
			fi
		:: empty(links) -> break
		od;
		atomic { spin_unlock(q); i = 0; s = 0; won = false }
	od
}

/* sleepq_expire(), when the deadline of thread 0 has come. */
proctype timer_interrupt()
{
	bit s;
	bool won;

end:	do
	:: atomic { t[0].timer && !sq -> sq = true; t[0].timer = false; s = t[0].serial };
#ifdef BREAK_EXPIRY	/* releases the sleep queue before it has claimed the waiter */
		spin_unlock(sq);
		waiter_claim(0, s, TIMEOUT, won)
#else
		waiter_claim(0, s, TIMEOUT, won);
		spin_unlock(sq)
#endif
		;
		atomic { s = 0; won = false }
	od
}

/* thread_kill() of either thread, or of none. */
proctype killing()
{
	byte i;
	bool won;

	if
	:: i = 0
	:: i = 1
	:: goto done
	fi;
	atomic { !t[i].rq -> t[i].rq = true; t[i].dying = true };
	if
	:: t[i].state == BLOCKED ->
		waiter_swap(i, KILLED, won);
		if
		:: won -> sched_make_ready(i)
		:: else			/* its waker is on its way to make it ready */
		fi
	:: else				/* it looks before it blocks */
	fi;
	atomic { spin_unlock(t[i].rq); i = 0; won = false };
done:	skip
}

init
{
	atomic {
		t[0].state = RUNNING;
		t[1].state = RUNNING;
		run waiting(0, 2);
		run waiting(1, 1);
		run posting();
		run timer_interrupt();
		run killing()
	}
}

/*
 * one_waker: of all that try to end a wait, exactly one does (WAIT1)
 * test: wait.both wait.contested wait.storm wait.swept
 * broken: BREAK_CLAIM
 */
ltl one_waker { [] (t[0].claims <= 1 && t[1].claims <= 1) }

/*
 * event_arrives: a wait that a waker counts as woken returns its event, no other reason (WAIT1)
 * test: wait.both wait.head_cancelled
 * broken: BREAK_CLAIM
 */
ltl event_arrives { [] !eaten }

/*
 * no_lost_wakeup: no thread stays blocked while what it waits for is there (WAIT2)
 * test: wait.parked wait.swept wait.head_cancelled
 * broken: BREAK_TEST
 */
ltl no_lost_wakeup { [] <> (count == 0 || (t[0].state != BLOCKED && t[1].state != BLOCKED)) }

/*
 * no_lost_kill: a killed thread stops waiting, whatever it was doing when it was killed (WAIT2)
 * test: wait.killed kill.swept_wait kill.swept_sleep
 * broken: BREAK_FLAG
 */
ltl no_lost_kill { [] ((t[0].dying -> <> t[0].over) && (t[1].dying -> <> t[1].over)) }

/*
 * no_stale_claim: no claimer touches a waiter after its wait has returned; so a late timeout never
 * hits the next wait (WAIT3)
 * test: wait.held_expiry wait.held_waker
 * broken: BREAK_EXPIRY
 */
ltl no_stale_claim { [] !stale }
