/*
 * Signals without handlers: default actions, ignoring, blocking.
 *
 * A signal is sent to a process or to one of its threads. What becomes of it, in this order:
 *
 *	blocked			pending, in the thread's set or the process's (also while ignored)
 *	ignored			gone: SIG_IGN, or a default action of ignoring
 *	stop			every thread suspends itself on its way to user mode, until SIGCONT
 *	anything else		the process is killed with the signal as its status
 *
 * The default action is taken by the sender: nothing has to run in the target for it. Init (as on
 * Linux) ignores what would stop or end it, even SIGKILL; only its own faults kill it.
 *
 *  G1  Masks, pending sets and actions change under p->lock, so a signal is never both left pending
 *      by its sender and overlooked by the thread that unblocks it.
 *  G2  SIGCONT and the stop signals cancel each other's pending ones.
 *
 * Every send works in any context that may take the tree lock, which keeps the parent that is told
 * of a stop; tree_lock and p->lock are held wherever an action is taken. A handler function cannot
 * be installed (rt_sigaction() says -ENOSYS), so `handler` is SIG_DFL or SIG_IGN here.
 */
#include "signal.h"

#include "cpu.h"
#include "errno.h"
#include "printf.h"

#define HARMLESS	(SIGSET(SIGCHLD) | SIGSET(SIGURG) | SIGSET(SIGWINCH) | SIGSET(SIGCONT))
#define STOPS		(SIGSET(SIGSTOP) | SIGSET(SIGTSTP) | SIGSET(SIGTTIN) | SIGSET(SIGTTOU))
#define UNBLOCKABLE	(SIGSET(SIGKILL) | SIGSET(SIGSTOP))

static bool ignored(struct process *p, int sig)
{
	u64 handler = p->sigactions[sig - 1].handler;

	return handler == SIG_IGN || (handler == SIG_DFL && (SIGSET(sig) & HARMLESS));
}

/* A thread that has not been started yet looks at p->stopped when it is. */
static void stop_threads(struct process *p, int sig)
{
	if (!p->stopped)
		process_report_stop(p, STATUS_STOPPED(sig));
	p->stopped = true;
	list_for_each(t, &p->threads, struct thread, process_node)
		thread_suspend(t);
}

static void continue_threads(struct process *p)
{
	if (!p->stopped)
		return;
	p->stopped = false;
	process_report_stop(p, STATUS_CONTINUED);
	list_for_each(t, &p->threads, struct thread, process_node)
		if (!t->embryo)
			thread_resume(t);
}

static void forget_pending(struct process *p, u64 set)
{
	atomic_fetch_and(&p->sigpending, ~set);
	list_for_each(t, &p->threads, struct thread, process_node)
		atomic_fetch_and(&t->sigpending, ~set);
}

/* True if nobody would take the signal now. p->lock held. */
static bool blocked(struct process *p, struct thread *target, int sig)
{
	if (target)
		return target->sigmask & SIGSET(sig);
	list_for_each(t, &p->threads, struct thread, process_node)
		if (!(t->sigmask & SIGSET(sig)))
			return false;
	return true;
}

/* Takes the action of an unblocked signal, short of killing: true if @p must die. p->lock held. */
static bool must_die(struct process *p, int sig)
{
	if (ignored(p, sig) || p == init_process)
		return false;
	if (SIGSET(sig) & STOPS) {
		stop_threads(p, sig);
		return false;
	}
	return true;
}

/* @target NULL: any thread of @p will do. tree_lock held. */
static int send(struct process *p, struct thread *target, int sig)
{
	bool die = false;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (p == &kernel_process)
		return -EPERM;
	if (sig == 0)
		return 0;
	spin_lock(&p->lock);
	if (target && !list_linked(&target->process_node)) {
		spin_unlock(&p->lock);
		return -ESRCH;
	}
	if (SIGSET(sig) & STOPS)
		forget_pending(p, SIGSET(SIGCONT));
	if (sig == SIGCONT) {
		forget_pending(p, STOPS);
		continue_threads(p);
	}
	if (blocked(p, target, sig))
		atomic_fetch_or(target ? &target->sigpending : &p->sigpending, SIGSET(sig));
	else
		die = must_die(p, sig);
	spin_unlock(&p->lock);
	if (die)
		process_kill(p, STATUS_SIGNAL(sig));
	return 0;
}

static int send_alone(struct process *p, struct thread *target, int sig)
{
	int err;

	spin_lock(&tree_lock);
	err = send(p, target, sig);
	spin_unlock(&tree_lock);
	return err;
}

int signal_send_process(struct process *p, int sig)
{
	return send_alone(p, NULL, sig);
}

int signal_send_thread(struct thread *t, int sig)
{
	return send_alone(t->process, t, sig);
}

struct group_send {
	pid_t pgid;		/* -1: everybody but init and the sender */
	int sig;
	int result;
};

static void send_if_member(struct process *p, void *arg)
{
	struct group_send *g = arg;
	bool other = p != init_process && p != current_process() && p != &kernel_process;

	if (g->pgid == -1 ? other : p->pgid == g->pgid)
		g->result = send(p, NULL, g->sig);
}

int signal_send_group(pid_t pgid, int sig)
{
	struct group_send g = { .pgid = pgid, .sig = sig, .result = -ESRCH };

	process_for_each(send_if_member, &g);
	return g.result;
}

bool signal_pending(struct thread *t)
{
	return (atomic_load(&t->sigpending) | atomic_load(&t->process->sigpending)) & ~t->sigmask;
}

/* Takes the lowest signal of *@pending that @mask lets through; 0: none. p->lock held. */
static int take_pending(_Atomic u64 *pending, u64 mask)
{
	u64 set = atomic_load(pending) & ~mask;

	for (int sig = 1; set && sig <= NSIG; sig++)
		if (set & SIGSET(sig)) {
			atomic_fetch_and(pending, ~SIGSET(sig));
			return sig;
		}
	return 0;
}

void signal_deliver(void)
{
	struct thread *t = current_thread();
	struct process *p = t->process;
	bool die = false;
	int sig = 0;

	atomic_fetch_and(&t->work, ~WORK_SIGNAL);
	spin_lock(&tree_lock);
	spin_lock(&p->lock);
	while (!die && ((sig = take_pending(&t->sigpending, t->sigmask)) ||
			(sig = take_pending(&p->sigpending, t->sigmask))))
		die = must_die(p, sig);
	spin_unlock(&p->lock);
	spin_unlock(&tree_lock);
	if (die)
		process_kill(p, STATUS_SIGNAL(sig));
}

void signal_set_mask(u64 mask)
{
	struct thread *t = current_thread();

	spin_lock(&t->process->lock);
	t->sigmask = mask & ~UNBLOCKABLE;
	spin_unlock(&t->process->lock);
	if (signal_pending(t))
		signal_deliver();
}

void signal_set_action(int sig, const struct sigaction_slot *action)
{
	struct process *p = current_process();

	spin_lock(&p->lock);
	p->sigactions[sig - 1] = *action;
	if (ignored(p, sig))
		forget_pending(p, SIGSET(sig));
	spin_unlock(&p->lock);
}

/* A fault of user code: not to be blocked, ignored or survived. */
void exception_user(struct trapframe *tf, int sig, const char *what)
{
	struct process *p = current_process();

	kprintf("%s[%d]: %s at pc 0x%lx, sp 0x%lx: killed by signal %d\n", p->name, p->pid, what,
		arch_trap_pc(tf), arch_trap_sp(tf), sig);
	process_kill(p, STATUS_SIGNAL(sig));
}
