/*
 * Shared by the files of signals: pending.c (what is pending, and what it may
 * cost), signal.c (sending), stop.c (stopping and continuing), deliver.c (taking).
 */
#pragma once

#include "process/signal.h"
#include "process/timers.h"
#include "sched/timer.h"

#define STOPS	(SIGSET(SIGSTOP) | SIGSET(SIGTSTP) | SIGSET(SIGTTIN) | SIGSET(SIGTTOU))

/* A pending signal. */
struct queued {
	struct list_node node;		/* [process->lock] */
	struct cred *cred;		/* [const] whose user it is counted for; referenced */
	bool kept;			/* [const] a POSIX timer's, sent again and again */
	bool taken;			/* [process->lock] kept, and taken out of the queue */
	struct signal_info info;
};

/*
 * Entries of POSIX timers (timer_lock held): NULL if RLIMIT_SIGPENDING or memory has no room; sent;
 * was it taken since then; neither pending nor taken; out of the queue, whatever it was.
 */
struct queued *signal_kept_alloc(struct process *p, const struct signal_info *info);
void signal_kept_free(struct queued *q);
void signal_send_kept(struct process *p, struct thread *target, struct queued *q);
bool signal_kept_was_taken(struct process *p, struct queued *q);
bool signal_kept_is_idle(struct process *p, struct queued *q);
void signal_kept_unqueue(struct process *p, struct thread *target, struct queued *q);

/* No lock held: a timer may have to be told. */
static inline void signal_was_taken(struct signal_info *info)
{
	if (unlikely(info->code == SI_TIMER || info->signo == SIGALRM))
		timers_signal_taken(info);
}

/* p->lock is held in all of these. */

/*
 * -EAGAIN: a real-time signal that RLIMIT_SIGPENDING or memory has no room for. @kept is the entry
 * to use, or NULL.
 */
int signal_make_pending(struct process *p, struct thread *target, const struct signal_info *info,
			struct queued *kept);
void signal_forget_pending(struct process *p, u64 set);

/* Makes @t look at its edge, also if it waits and the wait may be broken off. */
void signal_tell(struct thread *t);

/* Stops every thread of @p, each at its edge; @sig is what the parent is told. */
void process_stop(struct process *p, int sig);

/* Stops or continues what sending @sig does, whatever becomes of the signal itself. */
void signal_stop_or_continue(struct process *p, int sig);

/* Tells @p's parent what p->stop_news says. tree_lock held, p->lock not. */
void signal_report_stop(struct process *p);
