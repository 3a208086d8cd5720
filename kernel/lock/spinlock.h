/*
 * Spin locks: for sections of a few dozen instructions, never held across anything that may block.
 *
 * Holding one keeps interrupts off on this CPU, so interrupt handlers may take the same locks, and
 * the holder is never preempted. The depth of "interrupts off" belongs to the thread, not to the
 * CPU: it is kept across a context switch. Interrupts come back on with the last release, and only
 * if they were on before the first acquire.
 *
 * Order: every lock belongs to a class, and classes have ranks. A CPU acquires locks in strictly
 * rising rank; only spin_lock_nested() may take a second lock of one class, where something else
 * orders the two. Debug builds check this at every acquire (kernel/lock/lockcheck.c).
 */
#pragma once

#include "arch.h"
#include "base/panic.h"
#include "config.h"
#include "lock/lock_analysis.h"
#include "lock/lockcheck.h"
#include "types.h"

/* The lock order, outermost first: rank and name, for the checker, the docs and GDB. */
#define LOCK_CLASSES(X) \
	X(LOCK_TIMER,	"timers")		/* firing sends signals */ \
	X(LOCK_ASYNC,	"files that signal")	/* O_ASYNC files and their owners */ \
	X(LOCK_TREE,	"process tree")		/* parents, children, ids, zombies */ \
	X(LOCK_PROCESS,	"process")		/* a process's threads */ \
	X(LOCK_OBJECT,	"object")		/* the state of an object with a wait queue */ \
	X(LOCK_PI,	"who waits for whom")	/* mutexes and PI futexes: pi.h */ \
	X(LOCK_WAITQ,	"wait queue") \
	X(LOCK_SLEEPQ,	"sleep queue") \
	X(LOCK_RUNQ,	"run queue") \
	X(LOCK_USERS,	"users")		/* their table and counts of references */ \
	X(LOCK_INODE,	"inode")		/* short inode fields */ \
	X(LOCK_SLAB,	"slab") \
	X(LOCK_KVM,	"kernel page table")	/* takes pages for its tables */ \
	X(LOCK_PAGE,	"page allocator") \
	X(LOCK_UART,	"uart")			/* the innermost: anything may print */

#define X(id, name) id,
enum lock_class { LOCK_CLASSES(X) LOCK_CLASS_COUNT };
#undef X

struct thread;

struct LOCKABLE("spin lock") spinlock {
	_Atomic u32 locked;		/* 0 or 1 */
	u8 class;			/* [const] enum lock_class */
	struct thread *holder;		/* [self] for assert_held() and reports */
};

#define SPINLOCK_INIT(cls)	{ .class = (cls) }

void spin_init(struct spinlock *l, enum lock_class class);

/* Any context. Not recursive: a thread that acquires a lock it holds panics. */
void spin_lock(struct spinlock *l) ACQUIRES(*l);
void spin_unlock(struct spinlock *l) RELEASES(*l);
bool spin_trylock(struct spinlock *l) TRY_ACQUIRES(true, *l);

/* For a second lock of the same class; the caller's comment says what orders the two. */
void spin_lock_nested(struct spinlock *l) ACQUIRES(*l);

/* Whether the current thread holds @l. */
static inline bool spin_held(const struct spinlock *l)
{
	return l->holder == current_thread();
}

/*
 * Turn interrupts off and on again; pairs nest. A pair may enclose a context switch: the depth
 * belongs to the thread. The outermost irq_on() serves a pending reschedule request.
 */
void irq_off(void);
void irq_on(void);

/* Keep the thread on its CPU, so that per-CPU data stays its own; interrupts stay as they are. */
void preempt_off(void);
void preempt_on(void);

#define assert_held(l)		assert(spin_held(l))

/*
 * Gives @l, which stays locked, to @next: the run queue's lock, across a switch. Only debug builds
 * check the holder, as thread_set_state() has just checked it.
 */
static inline void spin_transfer(struct spinlock *l, struct thread *next)
{
	if (DEBUG_BUILD) {
		assert_held(l);
		lockcheck_transfer(l, next);
	}
	l->holder = next;
}

#define assert_irqs_off()	assert(!arch_irqs_enabled())

/*
 * Gives the CPU to another thread, at interrupt exit and in irq_on() and preempt_on(). A hook:
 * sched/preempt.c.
 */
void sched_preempt(void);

/* Panics unless the caller may block: interrupts on, preemption on, no spin lock held. */
void assert_may_block(void);
