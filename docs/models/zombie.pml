/*
 * Zombies: a parent and its child end, in any order. The parent, the shell that started it and init
 * wait for them.
 *
 * Abstracts	kernel/process/zombie.c: become_zombie(), reparent_children(), tell_parent(),
 *		collect_zombie(), process_wait(); kernel/process/process.c: process_create(),
 *		process_put().
 * Leaves out	how a process gets from its kill to its teardown (kill.pml, hold.pml), waiting for
 *		one child or a group, WNOHANG and WNOWAIT, a parent that ignores SIGCHLD, and how
 *		waiting works: wait.pml shows that wait_block() may be taken for what it is here.
 *
 * The parent has two threads, each of which waits for the child or does not; in that wait it may be
 * killed. It is torn down when both have left. The shell waits for the parent and lives on, so only
 * reparent_children() can tell init of an orphan. Init waits for ever.
 */
#include "lock.h"

#define INIT	0
#define SHELL	1
#define PARENT	2
#define CHILD	3
#define NR	4

mtype = { ALIVE, ZOMBIE };

typedef process {
	mtype life;		/* [tree_lock] to become ZOMBIE */
	byte parent;		/* [tree_lock] */
	bool listed;		/* [tree_lock] on its parent's children */
	bool child_wait;	/* child_wait.lock */
	byte events;		/* [child_wait] child_events */
	byte sleepers;		/* [child_wait] in the queue, not yet woken */
	/* ghosts */
	byte reaped;
	bool gone;		/* its last reference was put */
};

process p[NR];
bool tree_lock;
byte threads = 2;		/* the parent's holds */
bool killed;			/* the parent */

inline tell_parent(i)
{
	atomic {
		!p[i].child_wait;
		p[i].events++;
		p[i].sleepers = 0
	}
}

/* tree_lock held. The parent's one child is the child. */
inline reparent_children()
{
	if
	:: p[CHILD].listed && p[CHILD].parent == PARENT ->
		p[CHILD].parent = INIT;
#ifndef BREAK_TELL	/* does not tell init of a child that is a zombie already */
		if
		:: p[CHILD].life == ZOMBIE -> tell_parent(INIT)
		:: else
		fi
#endif
	:: else
	fi
}

inline become_zombie(i)
{
#ifdef BREAK_ORDER	/* can be reaped before its children have another parent */
	spin_lock(tree_lock);
	p[i].life = ZOMBIE;
	tell_parent(p[i].parent);
	spin_unlock(tree_lock);
	spin_lock(tree_lock);
	if
	:: i == PARENT -> reparent_children()
	:: else
	fi;
#else
	spin_lock(tree_lock);
	if
	:: i == PARENT -> reparent_children()
	:: else
	fi;
	p[i].life = ZOMBIE;
	tell_parent(p[i].parent);
#endif
	spin_unlock(tree_lock)
}

/* One step of the walk over the children of @who: finds process @i if it is one, and a zombie. */
inline collect_zombie(i, who, found, any)
{
	if
	:: !found && p[i].listed && p[i].parent == who ->
		any = true;
		if
		:: p[i].life == ZOMBIE -> found = i
		:: else
		fi
	:: else
	fi
}

/* Waits for any child of @who. @found 0: there was none, or @who, the parent, was killed. */
inline process_wait(who, found, any, seen)
{
	do
	:: atomic { found = 0; any = false };
#ifndef BREAK_SEEN	/* reads the count after the look at the children */
		seen = p[who].events;
#endif
		spin_lock(tree_lock);
		atomic {
			any = (who == INIT);		/* init has the shell, too */
			collect_zombie(PARENT, who, found, any);
			collect_zombie(CHILD, who, found, any)
		};
#ifdef BREAK_COLLECT	/* releases the lock between finding a zombie and taking it out */
		spin_unlock(tree_lock);
		spin_lock(tree_lock);
#endif
		atomic {
			if
			:: found -> p[found].listed = false; p[found].reaped++
			:: else
			fi;
			spin_unlock(tree_lock)
		};
		if
		:: found -> p[found].gone = true; break		/* process_put() */
		:: !found && !any -> break			/* -ECHILD */
		:: else
		fi;
#ifdef BREAK_SEEN
		seen = p[who].events;
#endif
		spin_lock(p[who].child_wait);
		if
		:: p[who].events != seen -> spin_unlock(p[who].child_wait)
		:: else ->
			atomic { p[who].sleepers++; spin_unlock(p[who].child_wait) };
			if
			:: p[who].sleepers == 0
			:: who == PARENT && killed -> found = 0; break	/* -EINTR */
			fi
		fi
	od
}

/* A thread of the parent; the last one out tears down. */
proctype parent_thread()
{
	byte found;
	bool any, last;
	byte seen;

	if
	:: skip
	:: process_wait(PARENT, found, any, seen)
	fi;
	found = 0;
	any = false;
	seen = 0;
	atomic { threads--; last = (threads == 0) };
	if
	:: last -> become_zombie(PARENT)
	:: else
	fi
}

proctype child()
{
	become_zombie(CHILD)
}

proctype killing()
{
	if
	:: killed = true
	:: skip
	fi
}

/* Init and the shell. */
proctype waits_for_all(byte who)
{
	byte found;
	bool any;
	byte seen;

	do
	:: process_wait(who, found, any, seen);
		if
		:: !found -> break		/* -ECHILD */
		:: else
		fi
	od
}

init
{
	atomic {
		p[INIT].life = ALIVE;
		p[PARENT].life = ALIVE;
		p[SHELL].life = ALIVE;
		p[PARENT].parent = SHELL;
		p[PARENT].listed = true;
		p[CHILD].life = ALIVE;
		p[CHILD].parent = PARENT;
		p[CHILD].listed = true;
		run parent_thread();
		run parent_thread();
		run child();
		run killing();
		run waits_for_all(SHELL);
		run waits_for_all(INIT)
	}
}

/*
 * reaped_once: each zombie is waited for once, by its parent or by init (PROCESS4)
 * test: zombie.kept zombie.many
 * broken: BREAK_COLLECT
 */
ltl reaped_once { [] (p[PARENT].reaped <= 1 && p[CHILD].reaped <= 1) }

/*
 * parent_there: no process is freed before its children have another parent (PROCESS3)
 * test: orphan.alive orphan.zombie
 * broken: BREAK_ORDER
 */
ltl parent_there {
	[] (p[PARENT].gone -> p[CHILD].gone || p[CHILD].parent == INIT || !p[CHILD].listed)
}

/*
 * all_reaped: every process that ends is waited for in the end, orphans by init
 * test: orphan.announced zombie.many kill.crowd
 * broken: BREAK_TELL BREAK_SEEN
 */
ltl all_reaped { <> (p[PARENT].reaped && p[CHILD].reaped) }
