/*
 * Timers that do something when their time has come: behind setitimer(), timer_create(), timerfd
 * and sleeping on a CPU clock. (A thread that only waits needs none: wait.h.)
 *
 * One lock guards them all, the outermost of the order. `fire` is called with it held and
 * interrupts off, and may start its own timer again. So after timer_stop() nothing is under way.
 */
#pragma once

#include "base/list.h"
#include "base/rbtree.h"
#include "lock/spinlock.h"
#include "types.h"

struct process;
struct signal_info;
struct thread;

enum timer_clock {
	TIMER_MONOTONIC,
	TIMER_REALTIME,		/* moves when the wall clock is set */
	TIMER_CPU,		/* CPU time of a process or of a thread */
	TIMER_CPU_USER,		/* of that, in user mode */
};

struct timer {			/* [timer_lock] unless said */
	enum timer_clock clock;
	struct process *process;	/* [const] whose CPU time; kept by the timer's owner */
	struct thread *thread;		/* [const] only this one's, or NULL */
	void (*fire)(struct timer *t);	/* [const] */
	bool armed;
	u64 at;				/* when, by its clock */
	u64 due;			/* the same in kernel time, while it is in the tree */
	struct rb_node node;		/* in the tree of all that count real time, or */
	struct list_node cpu_node;	/* in process->cpu_timers */
};

extern struct spinlock timer_lock;

/* The time of @t's clock; timer_lock held for CPU clocks of others. */
u64 timer_now(const struct timer *t);

/* Arms @t, newly or again; a time that is past fires at once. timer_lock held. */
void timer_start(struct timer *t, u64 at);
void timer_stop(struct timer *t);

/* @ns from @now, as far as 63 bits go: as Linux does, later is never. */
static inline u64 timer_after(u64 now, u64 ns)
{
	return ns > (u64)S64_MAX - now ? (u64)S64_MAX : now + ns;
}

/* The next multiple of @interval after @at ahead of @now; *missed counts those between. */
static inline u64 timer_next(u64 at, u64 interval, u64 now, u64 *missed)
{
	*missed = now > at ? (now - at) / interval : 0;
	return timer_after(at, (*missed + 1) * interval);
}

struct interval {			/* nanoseconds; value 0: off */
	u64 value, interval;
};

/* The timer interrupt of this CPU. */
void timers_interrupt(u64 now);

/* The wall clock was set. */
void timers_clock_set(void);
