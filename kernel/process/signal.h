/*
 * Signals: Linux's numbers and structures, and what the system calls and the ports need beyond
 * signal_send_*() of process.h.
 */
#pragma once

#include "process/process.h"
#include "types.h"

#define SIGHUP		1
#define SIGINT		2
#define SIGQUIT		3
#define SIGILL		4
#define SIGTRAP		5
#define SIGABRT		6
#define SIGBUS		7
#define SIGFPE		8
#define SIGKILL		9
#define SIGUSR1		10
#define SIGSEGV		11
#define SIGUSR2		12
#define SIGPIPE		13
#define SIGALRM		14
#define SIGTERM		15
#define SIGCHLD		17
#define SIGCONT		18
#define SIGSTOP		19
#define SIGTSTP		20
#define SIGTTIN		21
#define SIGTTOU		22
#define SIGURG		23
#define SIGXCPU		24
#define SIGVTALRM	26
#define SIGPROF		27
#define SIGXFSZ		25
#define SIGWINCH	28
#define SIGIO		29
#define SIGSYS		31

/* sigaction_slot.handler */
#define SIG_DFL		0
#define SIG_IGN		1

#define SYNCHRONOUS	(SIGSET(SIGSEGV) | SIGSET(SIGBUS) | SIGSET(SIGILL) | SIGSET(SIGTRAP) | \
		     SIGSET(SIGFPE) | SIGSET(SIGSYS))

#define SIGRTMIN	32		/* from here on every single one sent is delivered */

/* sigaction_slot.flags */
#define SA_NOCLDSTOP	0x00000001u
#define SA_NOCLDWAIT	0x00000002u
#define SA_SIGINFO	0x00000004u
#define SA_RESTORER	0x04000000u
#define SA_ONSTACK	0x08000000u
#define SA_RESTART	0x10000000u
#define SA_NODEFER	0x40000000u
#define SA_RESETHAND	0x80000000u

/* signal_info.code */
#define SI_USER		0
#define SI_KERNEL	0x80
#define SI_QUEUE	(-1)
#define SI_TIMER	(-2)
#define SI_MESGQ	(-3)
#define SI_SIGIO	(-5)
#define SI_TKILL	(-6)
#define SEGV_MAPERR	1
#define SEGV_ACCERR	2
#define BUS_ADRERR	2
#define CLD_EXITED	1
#define CLD_KILLED	2
#define CLD_STOPPED	5
#define CLD_CONTINUED	6
#define POLL_IN		1
#define POLL_OUT	2
#define NSIGPOLL	6

/* The used part of Linux's siginfo_t, which has zeros up to SIGINFO_SIZE behind it. */
struct signal_info {
	s32 signo, error, code, pad;
	union {
		struct {
			pid_t pid;	/* of the sender, or the child */
			u32 uid;
		};
		vaddr_t addr;		/* of a fault */
		s64 band;		/* of a file: POLL* */
	};
	u64 value;			/* a child's status, a file's number, sigqueue()'s */
};

#define SIGINFO_SIZE	128

/* How a program wants to be told of a timer or a message. */
#define SIGEV_SIGNAL	0
#define SIGEV_NONE	1
#define SIGEV_THREAD	2
#define SIGEV_THREAD_ID	4

struct sigevent {		/* Linux's, 64 bytes */
	u64 value;
	s32 sig, notify;
	pid_t tid;
	u8 unused[44];
};

_Static_assert(sizeof(struct sigevent) == 64, "sigevent");

#define SS_ONSTACK	1
#define SS_DISABLE	2
#define SS_AUTODISARM	((s32)0x80000000)	/* off while a handler runs on it */

struct trapframe;

/* Everything a port needs to make a signal frame: see arch_signal_enter(). */
struct signal_call {
	int sig;
	const struct signal_info *info;
	struct sigaction_slot action;
	u64 mask;			/* to come back to */
	struct sigstack stack;		/* as the frame tells of it */
	vaddr_t top;			/* the frame goes below */
};

/* Sends @info->signo to @p, or to @target of its threads. 0, -ESRCH, -EPERM, -EAGAIN, -EINVAL. */
int signal_send_info(struct process *p, struct thread *target, const struct signal_info *info);

/* The same with tree_lock held; @kept NULL, but for a POSIX timer's entry: see signal_impl.h. */
struct queued;
int signal_send_locked(struct process *p, struct thread *target, const struct signal_info *info,
		       struct queued *kept);

/* The current thread's blocked set becomes @mask; what it no longer blocks is seen at the edge. */
void signal_set_mask(u64 mask);

/*
 * The same for the time of a system call that waits. signal_end_call() ends it: puts the old mask
 * back now or, if the call was interrupted, behind the handler; and says that such a call does not
 * start again.
 */
void signal_set_mask_for_call(u64 mask);
long signal_end_call(long result);

/*
 * The same for a call that waits for so long from now, which is until @d: started again it shall
 * not wait for all of it anew. It gets @d back from signal_call_deadline().
 */
long signal_end_timed_call(long result, struct deadline d);
struct deadline signal_call_deadline(struct deadline d);

/* Drops a pending signal that is now ignored. */
void signal_set_action(int sig, const struct sigaction_slot *action);

/* CLONE_SIGHAND: @child, which has not run, shares @p's actions until one of them execs. */
void signal_share_actions(struct process *p, struct process *child);
void signal_share_action(struct process *p, int sig);	/* @p's has changed. tree_lock held */

/* For deliver.c; p->lock held, and tree_lock for the last. */
int signal_take_locked(struct thread *t, u64 set, struct signal_info *info);
bool signal_must_die(struct process *p, int sig);

/*
 * The current process, in the background, wants the terminal: its group gets @sig (SIGTTIN or
 * SIGTTOU) and the call is interrupted, -EINTR. -EIO if that would be of no use; 0: it may do it
 * all the same.
 */
int signal_stop_background(int sig);

/* At the edge, WORK_SUSPEND set: the current thread is about to stop. See stop.c. */
void signal_note_stop(void);

/* @t stops or leaves: if it was the last one to stop, p->stop_news says so. p->lock held. */
void signal_stop_counts_down(struct thread *t);

/* Entries in queues that count against RLIMIT_SIGPENDING of @p. */
u64 signal_queued(struct process *p);

/* Takes a pending signal of @set, for the current thread or its process; 0: there is none. */
int signal_take(u64 set, struct signal_info *info);

/* Waits until a signal of @set is pending, or one that is not blocked. -EINTR, -ETIMEDOUT. */
int signal_wait(u64 set, struct deadline d);

/* @t's stack for handlers, its flags as sigaltstack() tells of them when @sp is in use. */
struct sigstack signal_stack_seen(const struct thread *t, vaddr_t sp);

/* A system call's result was -EINTR or -ERESTART*: what to make of it is seen at the edge. */
long signal_interrupted(struct trapframe *tf, long result);

/* A frame was no good: the process dies of @sig, or its handler for it runs. */
void signal_force(int sig, int code, vaddr_t addr);

/* The same for a fault of user code, which the log tells of if nobody handles it. */
void signal_fault(struct trapframe *tf, int sig, int code, vaddr_t addr, const char *what);

static inline bool signal_has_handler(const struct process *p, int sig)
{
	return p->sigactions[sig - 1].handler > SIG_IGN;
}
