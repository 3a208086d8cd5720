/*
 * The timers of a process: setitimer() and timer_create(), which send signals.
 */
#pragma once

#include "sched/timer.h"

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
