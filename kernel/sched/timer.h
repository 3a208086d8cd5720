/*
 * Timers call a function when their time has come. They are behind setitimer(), timer_create(),
 * timerfd and sleeping on a CPU clock. (A thread that only waits needs none: wait.h.)
 *
 * timer_lock guards them all and is the outermost lock of the order. `fire` is called with it held,
 * so with interrupts off, and may start its own timer again. After timer_stop(), which needs the
 * lock too, `fire` is not running and will not be called.
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
	struct process *process;	/* [const] its CPU time; the timer's owner keeps it alive */
	struct thread *thread;		/* [const] only this thread's CPU time, or NULL */
	void (*fire)(struct timer *t);	/* [const] */
	bool armed;
	u64 at;				/* when it fires, by its clock */
	u64 due;			/* the same in kernel time, while it is in the tree */
	struct rb_node node;		/* in the tree of timers that count real time, or */
	struct list_node cpu_node;	/* in process->cpu_timers */
};

extern struct spinlock timer_lock;

/* Returns the time of @t's clock, whose thread or process timer_lock or the caller keeps. */
u64 timer_now(const struct timer *t);

/* Arms @t, which may be armed already; a time that is past fires at once. timer_lock held. */
void timer_start(struct timer *t, u64 at);
void timer_stop(struct timer *t);

/* Returns @now + @ns, at most 2^63 - 1: as on Linux, anything later is never. */
static inline u64 timer_after(u64 now, u64 ns)
{
	return ns > (u64)S64_MAX - now ? (u64)S64_MAX : now + ns;
}

/* Returns the first @at + k * @interval, k > 0, after @now; *missed is k - 1. */
static inline u64 timer_next(u64 at, u64 interval, u64 now, u64 *missed)
{
	*missed = now > at ? (now - at) / interval : 0;
	return timer_after(at, (*missed + 1) * interval);
}

struct interval {			/* nanoseconds; value 0: off */
	u64 value, interval;
};

/* Fires the timers that are due; called in this CPU's timer interrupt. */
void timers_interrupt(u64 now);

/* Rearms the timers of TIMER_REALTIME after the wall clock was set. */
void timers_clock_set(void);
