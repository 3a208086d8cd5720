/*
 * Signals: Linux's numbers and structures, sending, taking, and delivery.
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

#define SIGRTMIN	32		/* from here on each one sent is delivered: no merging */

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
#define BUS_ADRALN	1
#define BUS_ADRERR	2
#define ILL_ILLOPN	2
#define FPE_INTDIV	1
#define TRAP_BRKPT	1
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

/* How a timer or a message queue notifies a program. */
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
	u64 mask;			/* restored when the handler returns */
	struct sigstack stack;		/* as the frame records it */
	vaddr_t top;			/* the frame goes below this address */
};

/* --- Sending; signal 0 only asks whether it may be sent --------------------------------------- */

/* Sends @info->signo to @p, or to @target of its threads. 0, -ESRCH, -EPERM, -EAGAIN, -EINVAL. */
int signal_send_info(struct process *p, struct thread *target, const struct signal_info *info);

/* The same with tree_lock held. @kept is a POSIX timer's entry (signal_impl.h), or NULL. */
struct queued;
int signal_send_locked(struct process *p, struct thread *target, const struct signal_info *info,
		       struct queued *kept) HOLDS(tree_lock);

/* Send in the name of the current process. */
int signal_send_process(struct process *p, int sig);
int signal_send_thread(struct thread *t, int sig, int code);	/* SI_*: how it was sent */
void signal_send_process_locked(struct process *p, int sig) HOLDS(tree_lock);

/* Send in the name of the kernel (SI_KERNEL): a terminal, a timer or a limit has come to it. */
void signal_send_kernel(struct process *p, int sig);
void signal_send_group(pid_t pgid, int sig);
void signal_send_group_locked(pid_t pgid, int sig) HOLDS(tree_lock);

/* Sends to those that the caller may signal, for kill(). @pgid -1: all but init and the caller. */
int signal_kill_group(pid_t pgid, int sig);
int signal_may_send(struct process *p, int sig);	/* 0, -EPERM or -EINVAL */

/* Reports the end or the stop of @child to its @parent, also to one that is about to be that. */
void signal_child(struct process *child, struct process *parent, int code, int status)
	HOLDS(tree_lock);

/*
 * Stops the current process's group with @sig (SIGTTIN or SIGTTOU): a background process wants the
 * terminal. -EINTR: the system call starts again afterwards. -EIO: a stop would be of no use. 0:
 * the process may use the terminal all the same.
 */
int signal_stop_background(int sig);

/* --- Masks and actions ------------------------------------------------------------------------ */

/* Makes @mask the current thread's blocked set. Unblocked pending signals are taken at the edge. */
void signal_set_mask(u64 mask);

/*
 * Makes @mask the blocked set until the end of a system call that waits. signal_end_call() restores
 * the old mask, now or, if the call was interrupted, after the handler; and changes the result of
 * an interrupted call so that it does not start again after a handler.
 */
void signal_set_mask_for_call(u64 mask);
long signal_end_call(long result);

/*
 * The same for a call with a relative timeout that ends at @d. If it starts again it must not wait
 * for the whole timeout once more: signal_call_deadline() then gives @d back.
 */
long signal_end_timed_call(long result, struct deadline d);
struct deadline signal_call_deadline(struct deadline d);

/* Sets the current process's action. Drops pending signals that are now ignored. */
void signal_set_action(int sig, const struct sigaction_slot *action);

/* CLONE_SIGHAND: @child, which has not run, shares @p's actions until one of them execs. */
void signal_share_actions(struct process *p, struct process *child);

bool signal_shares_actions(struct process *a, struct process *b);

/* Copies the changed action of @p to the processes that share it. */
void signal_share_action(struct process *p, int sig) HOLDS(tree_lock);

/* Reset actions for a new process, and for exec; an ignored signal stays ignored. */
void signal_reset_actions(struct process *p);
void signal_forget_handlers(void);

/* --- Pending signals -------------------------------------------------------------------------- */

/* Returns the number of entries that count against RLIMIT_SIGPENDING of @p. */
u64 signal_queued(struct process *p);

/* Takes a pending signal of @set, for the current thread or its process; 0: there is none. */
int signal_take(u64 set, struct signal_info *info);

/*
 * Takes a pending signal of @set, for which it waits. -ETIMEDOUT; -EINTR: the thread is killed or
 * has another signal to take, even from before the call.
 */
int signal_wait(u64 set, struct deadline d, struct signal_info *info);

/*
 * Tells other threads of @p of the signals pending for the process: the thread that was told before
 * leaves or blocks them.
 */
void signal_pass_on(struct process *p) HOLDS(p->lock);

void signal_drop_infos(struct list_node *infos, u64 set);	/* frees the entries of @set */
void signal_init(void);

/* --- Delivery --------------------------------------------------------------------------------- */

/*
 * Acts on pending signals of the current thread and clears WORK_SIGNAL: makes @tf enter a handler,
 * or start an interrupted system call again. At the user edge, may block.
 */
void signal_deliver(struct trapframe *tf);

/* Notes that the current thread is about to stop, at the edge with WORK_SUSPEND set. See stop.c. */
void signal_note_stop(void);

/* Returns @t's stack for handlers as sigaltstack() describes it while @sp is in use. */
struct sigstack signal_stack_seen(const struct thread *t, vaddr_t sp);

/* Records a system call's result -EINTR or -ERESTART*, for the decision at the edge. */
long signal_interrupted(struct trapframe *tf, long result);

/* Sends @sig to the current thread; without a handler, or blocked, it kills the process. */
void signal_force(int sig, int code, vaddr_t addr);

/* The same for a fault of user code. Logs @what if the process dies of it. */
void signal_fault(struct trapframe *tf, int sig, int code, vaddr_t addr, const char *what);

static inline bool signal_has_handler(const struct process *p, int sig)
{
	return p->sigactions[sig - 1].handler > SIG_IGN;
}
