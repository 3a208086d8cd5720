/*
 * The timers of a process: setitimer() and timer_create(), which send signals.
 */
#pragma once

#include "sched/timer.h"

/* Deletes the POSIX timers, for exec; all timers, at the end of a process. */
void process_timers_exec(struct process *p);
void process_timers_end(struct process *p);

/*
 * Restarts the timer that sent @info, if one did, now that the current process has taken the
 * signal, and writes the overrun count to @info. Takes timer_lock.
 */
void timers_signal_taken(struct signal_info *info);

/* Restarts the periodic timers that send @sig, which is no longer ignored. Takes timer_lock. */
void timers_signal_wanted(int sig);

#define ITIMERS		3		/* ITIMER_REAL, _VIRTUAL, _PROF */

/* setitimer(), and getitimer() if @new is NULL. -ENOMEM. */
int itimer_set(int which, const struct interval *new, struct interval *old);

/* Restarts ITIMER_REAL after its SIGALRM was taken. */
void itimer_alarm_taken(struct process *p) HOLDS(timer_lock);
void itimers_end(struct process *p);

struct timer_notify {
	bool silent;			/* nothing is sent */
	int sig;
	u64 value;			/* carried by the signal */
	bool has_value;			/* false: the signal carries the timer's id */
	struct thread *thread;		/* gets the signal; NULL: any thread */
};

/*
 * Creates a POSIX timer of the current process on @clock; if that is a CPU clock, on @process's or
 * @thread's. Returns its id, or -EAGAIN.
 */
long posix_timer_create(enum timer_clock clock, struct process *process, struct thread *thread,
			const struct timer_notify *notify);
int posix_timer_delete(int id);

/* Sets a timer, or only reads it if @new is NULL. -EINVAL: no such timer. */
int posix_timer_set(int id, bool absolute, const struct interval *new, struct interval *old);
long posix_timer_overrun(int id);
