/*
 * Timers that do something when their time has come: behind setitimer(), timer_create(), timerfd
 * and sleeping on a CPU clock. (A thread that only waits needs none: wait.h.)
 *
 * One lock guards them all, the outermost of the order. `fire` is called with it held and
 * interrupts off, and may start its own timer again. So after timer_stop() nothing is under way.
 */
#pragma once

#include "list.h"
#include "rbtree.h"
#include "spinlock.h"
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

/* The timer interrupt of this CPU. */
void timers_interrupt(u64 now);

/* The wall clock was set. */
void timers_clock_set(void);

/* --- A process's timers ----------------------------------------------------------------------- */

/* exec: POSIX timers go; the end of a process: all go. */
void process_timers_exec(struct process *p);
void process_timers_end(struct process *p);

/*
 * The current process has taken @info: if a timer sent it, it goes on, and *@info says how many
 * times it would have fired meanwhile. No lock held.
 */
void timers_signal_taken(struct signal_info *info);

/* @sig is not ignored any more: periodic timers that send it go on. No lock held. */
void timers_signal_wanted(int sig);

#define ITIMERS		3		/* ITIMER_REAL, _VIRTUAL, _PROF */

struct interval {			/* nanoseconds; value 0: off */
	u64 value, interval;
};

/* setitimer(), and getitimer() if @new is NULL. -ENOMEM. */
int itimer_set(int which, const struct interval *new, struct interval *old);

/* With timer_lock held: SIGALRM was taken. And when the process ends, without. */
void itimer_alarm_taken(struct process *p);
void itimers_end(struct process *p);

struct timer_notify {
	bool silent;			/* nothing is sent */
	int sig;
	u64 value;			/* that the signal carries, if has_value; or else the id */
	bool has_value;
	struct thread *thread;		/* that the signal is for; NULL: any */
};

/*
 * A POSIX timer of the current process on @clock, @process's or @thread's if that is a CPU clock.
 * Its id; -EAGAIN.
 */
long posix_timer_create(enum timer_clock clock, struct process *process, struct thread *thread,
			const struct timer_notify *notify);
int posix_timer_delete(int id);

/* @new NULL: only looks. -EINVAL: no such timer. */
int posix_timer_set(int id, bool absolute, const struct interval *new, struct interval *old);
long posix_timer_overrun(int id);

/* --- timerfd, fs/timerfd.c -------------------------------------------------------------------- */

struct file;
int timerfd_create(enum timer_clock clock, u32 flags, struct file **out);

/* @new NULL: only looks. -EINVAL: @f is another kind of file. */
int timerfd_set(struct file *f, bool absolute, const struct interval *new, struct interval *old);
