/*
 * Holds: two threads leave a process that is killed, and that two holders want to look into.
 *
 * Abstracts	kernel/process/hold.c: process_hold(), process_unhold(); kernel/thread/exit.c:
 *		process_thread_leaves(); kernel/process/zombie.c: process_teardown(), without the
 *		tree; kernel/process/kill.c: the swap of process_kill(); kernel/thread/reaper.c:
 *		reaper_add_process().
 * Leaves out	how the threads are told to die (kill.pml): here each may leave at any time.
 *
 * A holder is what kernel/procfs/proc_process.c does for /proc/PID: hold, use, unhold.
 */
#include "lock.h"

#define THREADS	2
#define HOLDERS	2

mtype = { ALIVE, DYING, ZOMBIE };

mtype life = ALIVE;
byte holds = THREADS;		/* [atomic] */
bool resources = true;		/* address space, descriptors */
chan reaper = [1] of { bit };	/* the process on the reaper's list */

byte users;			/* ghost: threads and holders that use the resources */
byte teardowns;			/* ghost */
bool late_hold;			/* ghost: a hold began after DYING and succeeded */
bool broken_use;		/* ghost: resources were gone while in use */

inline process_kill()
{
	atomic { life = (life == ALIVE -> DYING : life) }
}

inline process_teardown()
{
	teardowns++;
	process_kill();
	atomic { broken_use = broken_use || users; resources = false };	/* release_resources() */
	life = ZOMBIE
}

inline unhold(last)
{
#ifdef BREAK_LAST	/* decrements, then looks */
	holds--;
	last = (holds == 0)
#else
	atomic { holds--; last = (holds == 0) }
#endif
}

/* A compare-exchange that fails looks at everything again, as the loop does. */
inline process_hold(held)
{
	do
	:: before = holds;
#ifndef BREAK_REVIVE	/* holds a process that has lost its last hold */
		if
		:: before == 0 -> held = false; break
		:: else
		fi;
#endif
#ifndef BREAK_STATE	/* does not check whether the process is dying */
		if
		:: life != ALIVE -> held = false; break
		:: else
		fi;
#endif
#ifdef BREAK_ADD	/* adds, though the count may have changed since it was read */
		held = true;
		holds++;
		break
#else
		atomic {
			held = (holds == before);
			holds = (held -> before + 1 : holds)
		};
		if
		:: held -> break
		:: else
		fi
#endif
	od
}

/* process_thread_leaves() */
proctype thread()
{
	bool last;

	users--;
	unhold(last);
	if
	:: last -> process_teardown()
	:: else
	fi
}

proctype holder()
{
	bool held, last, late;
	byte before;

	late = (life != ALIVE);
	process_hold(held);
	late_hold = late_hold || (held && late);
	if
	:: held ->
		atomic { users++; broken_use = broken_use || !resources };
		atomic { broken_use = broken_use || !resources; users-- };
#ifdef BREAK_UNHOLD	/* leaves the teardown to another hold, though there may be none */
		holds--
#else
		unhold(last);
		if
		:: last -> reaper ! 1
		:: else
		fi
#endif
	:: else
	fi
}

proctype killing()
{
	if
	:: process_kill()
	:: skip
	fi
}

proctype reaping()
{
end:	do
	:: reaper ? 1 -> process_teardown()
	od
}

init
{
	atomic {
		users = THREADS;
		run thread();
		run thread();
		run holder();
		run holder();
		run killing();
		run reaping()
	}
}

/*
 * held_lives: the resources of a process are there as long as any hold on it
 * test: hold.delays
 * broken: BREAK_REVIVE BREAK_ADD
 */
ltl held_lives { [] !broken_use }

/*
 * dying_refuses: a hold that begins when the process is dying fails
 * test: hold.delays kill.no_new
 * broken: BREAK_STATE
 */
ltl dying_refuses { [] !late_hold }

/*
 * torn_once: the process is torn down once, whichever hold was the last (EXIT4)
 * test: hold.delays last.swept
 * broken: BREAK_LAST
 */
ltl torn_once { [] (teardowns <= 1) }

/*
 * torn_at_last: the process is torn down in the end
 * test: hold.delays
 * broken: BREAK_UNHOLD
 */
ltl torn_at_last { <> (life == ZOMBIE && teardowns == 1) }
