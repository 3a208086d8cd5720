/*
 * Shared by the signal files: pending.c (pending signals and their limit), signal.c (sending),
 * stop.c (stopping and continuing), deliver.c (delivery).
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
	bool kept;			/* [const] a POSIX timer's, used again each time it fires */
	bool taken;			/* [process->lock] kept, and since taken by the process */
	struct signal_info info;
};

/*
 * The one entry that a POSIX timer sends each time it fires. timer_lock serializes all calls but
 * alloc (NULL: RLIMIT_SIGPENDING or memory has no room) and free.
 */
struct queued *signal_kept_alloc(struct process *p, const struct signal_info *info);
void signal_kept_free(struct queued *q);
void signal_send_kept(struct process *p, struct thread *target, struct queued *q);

/* Checks whether the entry was taken since it was last sent, and clears that mark. */
bool signal_kept_was_taken(struct process *p, struct queued *q);
bool signal_kept_is_idle(struct process *p, struct queued *q);	/* neither pending nor taken */
void signal_kept_unqueue(struct process *p, struct thread *target, struct queued *q);

/* Restarts the timer that sent @info, if one did: timer_lock comes before the locks of signals. */
static inline void signal_was_taken(struct signal_info *info)
{
	if (unlikely(info->code == SI_TIMER || info->signo == SIGALRM))
		timers_signal_taken(info);
}

/*
 * Makes a signal pending, by the entry @kept if that is not NULL. -EAGAIN: a real-time signal for
 * which RLIMIT_SIGPENDING or memory has no room.
 */
int signal_make_pending(struct process *p, struct thread *target, const struct signal_info *info,
			struct queued *kept) HOLDS(p->lock);
void signal_forget_pending(struct process *p, u64 set) HOLDS(p->lock);

/* Takes a signal of @set, pending for @t or its process; 0: there is none. p->lock held. */
int signal_take_locked(struct thread *t, u64 set, struct signal_info *info);

/*
 * Takes the action of an unblocked signal except killing: true if @p must die. tree_lock is held,
 * too, which keeps the process groups.
 */
bool signal_must_die(struct process *p, int sig) HOLDS(tree_lock) HOLDS(p->lock);

/* Sets WORK_SIGNAL for @t, so that it takes signals at its edge; ends its wait if that allows. */
void signal_tell(struct thread *t);

/* Stops every thread of @p, each at its edge. @sig is reported to the parent. */
void process_stop(struct process *p, int sig) HOLDS(p->lock);

/* Stops or continues @p as sending @sig does, whether or not the signal itself is ignored. */
void signal_stop_or_continue(struct process *p, int sig) HOLDS(p->lock);

/* Notes that @t stops or leaves; p->stop_news is set when the last one does. p->lock held. */
void signal_stop_counts_down(struct thread *t);

/* Reports p->stop_news to @p's parent. Takes p->lock. */
void signal_report_stop(struct process *p) HOLDS(tree_lock);
