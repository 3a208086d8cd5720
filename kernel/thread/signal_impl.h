/*
 * What the files of signals share among themselves: pending.c (what is pending, and what it may
 * cost), signal.c (sending), stop.c (stopping and continuing), deliver.c (taking).
 */
#pragma once

#include "signal.h"

#define STOPS	(SIGSET(SIGSTOP) | SIGSET(SIGTSTP) | SIGSET(SIGTTIN) | SIGSET(SIGTTOU))

/* p->lock is held in all of these. */

/* -EAGAIN: a real-time signal that RLIMIT_SIGPENDING or memory has no room for. */
int signal_make_pending(struct process *p, struct thread *target, const struct signal_info *info);
void signal_forget_pending(struct process *p, u64 set);

/* Makes @t look at its edge, also if it waits and the wait may be broken off. */
void signal_tell(struct thread *t);

/* Stops every thread of @p, each at its edge; @sig is what the parent is told. */
void process_stop(struct process *p, int sig);

/* What sending @sig stops or continues, whatever becomes of the signal itself. */
void signal_stop_or_continue(struct process *p, int sig);

/* Tells @p's parent what p->stop_news says. tree_lock held, p->lock not. */
void signal_report_stop(struct process *p);
