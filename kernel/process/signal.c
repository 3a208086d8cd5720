/*
 * Signals: sending, default actions, ignoring, blocking. Pending signals: pending.c; stopping:
 * stop.c; handlers: deliver.c.
 *
 * A signal is sent to a process or to one of its threads. Its fate, in this order:
 *
 *	blocked			pending, in the thread's set or the process's (also while ignored)
 *	process is stopped	pending until SIGCONT, except SIGKILL and ignored signals
 *	ignored			dropped: SIG_IGN, or the default action is to ignore it
 *	handled			pending; one thread is told, and calls the handler at its edge
 *	stop			every thread suspends itself on its way to user mode, until SIGCONT
 *	anything else		the process is killed with the signal as its status
 *
 * The sender takes the default action: no thread of the target has to run for it. Init (as on
 * Linux) ignores signals that would stop or end it, even SIGKILL; only its own faults kill it.
 *
 *  SIGNAL1  Masks, pending sets and actions change under p->lock, so a signal is never both left
 *           pending by its sender and overlooked by the thread that unblocks it. Processes that
 *           share their actions (CLONE_SIGHAND) have a copy each: a change is made under the tree
 *           lock and written to all copies before that is released.
 *  SIGNAL2  Sending SIGCONT cancels pending stop signals, and sending a stop signal a pending
 *           SIGCONT.
 *  SIGNAL3  For a pending signal that some thread does not block, one such thread has WORK_SIGNAL
 *           set. When that thread blocks the signal, no longer waits for it or ends, it tells
 *           another one.
 *
 * A signal may be sent in any context that may take the tree lock. That lock keeps the parent, to
 * which a stop is reported.
 */
#include "process/signal.h"

#include "base/panic.h"
#include "base/string.h"
#include "errno.h"
#include "fs/vfs.h"
#include "process/cred.h"
#include "sched/cpu.h"
#include "signal_impl.h"

#define HARMLESS	(SIGSET(SIGCHLD) | SIGSET(SIGURG) | SIGSET(SIGWINCH) | SIGSET(SIGCONT))
#define UNBLOCKABLE	(SIGSET(SIGKILL) | SIGSET(SIGSTOP))

/* --- Telling a thread ------------------------------------------------------------------------- */

void signal_tell(struct thread *t)
{
	struct runq *rq = thread_runq_lock_allowed(t);
	enum thread_state s = thread_state(t);

	/* Set before the state is read: a thread about to block tests it under this lock, WAIT2. */
	atomic_fetch_or(&t->work, WORK_SIGNAL);
	if (s == THREAD_RUNNING)
		sched_kick(rq);
	else if ((s == THREAD_BLOCKED || s == THREAD_SLEEPING) &&
		 (t->waiter->breaks & WORK_SIGNAL) && waiter_swap(t->waiter, WAIT_SIGNAL, 0))
		sched_make_ready(rq, t, "signalled");
	runq_unlock(rq);
}

/* Returns a thread that would take @sig now, the current one if it would; or NULL. */
static struct thread *find_taker(struct process *p, int sig) HOLDS(p->lock)
{
	struct thread *found = NULL;

	list_for_each(t, &p->threads, struct thread, process_node)
		if (!((t->sigmask & ~t->sigwait) & SIGSET(sig)) && !thread_is_dying(t) &&
		    (!found || t == current_thread()))
			found = t;
	return found;
}

static void tell_takers(struct process *p, u64 set) HOLDS(p->lock)
{
	for (set &= atomic_load(&p->sigpending); set; set &= set - 1) {
		struct thread *t = find_taker(p, __builtin_ctzl(set) + 1);

		if (t)
			signal_tell(t);
	}
}

void signal_pass_on(struct process *p)
{
	if (unlikely(atomic_load(&p->sigpending)))
		tell_takers(p, ~0UL);
}

/* --- Sending ---------------------------------------------------------------------------------- */

static bool ignored(struct process *p, int sig) HOLDS(p->lock)
{
	u64 handler = p->sigactions[sig - 1].handler;

	return handler == SIG_IGN || (handler == SIG_DFL && (SIGSET(sig) & HARMLESS));
}

bool signal_must_die(struct process *p, int sig)
{
	if (ignored(p, sig) || p == init_process)
		return false;
	if (!(SIGSET(sig) & STOPS))
		return true;
	if (sig == SIGSTOP || !process_group_is_orphaned(p->pgid))
		process_stop(p, sig);
	return false;
}

/* Makes the signal pending or takes its action except killing: true if @p must die. */
static bool act(struct process *p, struct thread *target, const struct signal_info *info,
		struct queued *kept, int *err) HOLDS(tree_lock) HOLDS(p->lock)
{
	int sig = info->signo;
	struct thread *taker = target ? target : find_taker(p, sig);
	bool blocked, waits;

	if (taker && !list_linked(&taker->process_node))
		taker = NULL;		/* a leader that has exited: the signal stays pending */
	blocked = !taker || (taker->sigmask & SIGSET(sig));
	signal_stop_or_continue(p, sig);
	waits = p->stopped && sig != SIGKILL && !ignored(p, sig);
	if (!blocked && !waits && !signal_has_handler(p, sig))
		return signal_must_die(p, sig);
	*err = signal_make_pending(p, target, info, kept);
	if (taker && !waits && (!blocked || (taker->sigwait & SIGSET(sig))))
		signal_tell(taker);
	return false;
}

int signal_send_locked(struct process *p, struct thread *target, const struct signal_info *info,
		       struct queued *kept)
{
	int err = 0;
	bool die = false;

	if (info->signo < 0 || info->signo > NSIG)
		return -EINVAL;
	if (p == &kernel_process)
		return -EPERM;
	if (info->signo == 0 || process_state(p) != PROCESS_ALIVE)
		return 0;
	spin_lock(&p->lock);
	if (target && target != p->leader && !list_linked(&target->process_node))
		err = -ESRCH;
	else
		die = act(p, target, info, kept, &err);
	spin_unlock(&p->lock);
	if (unlikely(atomic_load_explicit(&p->stop_news, memory_order_relaxed)))
		signal_report_stop(p);
	if (die)
		process_kill(p, STATUS_SIGNAL(info->signo));
	return err;
}

int signal_send_info(struct process *p, struct thread *target, const struct signal_info *info)
{
	int err;

	spin_lock(&tree_lock);
	err = signal_send_locked(p, target, info, NULL);
	spin_unlock(&tree_lock);
	return err;
}

void signal_send_kept(struct process *p, struct thread *target, struct queued *q)
{
	spin_lock(&tree_lock);
	signal_send_locked(p, target, &q->info, q);
	spin_unlock(&tree_lock);
}

/* Names the current process as the sender. */
static struct signal_info info_of(int sig, int code)
{
	return (struct signal_info){ .signo = sig, .code = code, .pid = current_process()->pid,
				     .uid = current_cred()->uid.real };
}

int signal_send_process(struct process *p, int sig)
{
	struct signal_info info = info_of(sig, SI_USER);

	return signal_send_info(p, NULL, &info);
}

void signal_send_process_locked(struct process *p, int sig)
{
	struct signal_info info = info_of(sig, SI_USER);

	signal_send_locked(p, NULL, &info, NULL);
}

void signal_send_kernel(struct process *p, int sig)
{
	struct signal_info info = { .signo = sig, .code = SI_KERNEL };

	signal_send_info(p, NULL, &info);
}

int signal_send_thread(struct thread *t, int sig, int code)
{
	struct signal_info info = info_of(sig, code);

	return signal_send_info(t->process, t, &info);
}

void signal_raise(int sig)
{
	signal_send_thread(current_thread(), sig, SI_USER);
}

int signal_may_send(struct process *p, int sig)
{
	struct process *self = current_process();
	struct cred *target = process_cred(p);
	bool may = p == self || cred_may_signal(target) || (sig == SIGCONT && p->sid == self->sid);

	cred_put(target);
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	return may ? 0 : -EPERM;
}

struct group_send {
	pid_t pgid;		/* -1: every process but init and the sender */
	bool ask;		/* check the caller's rights */
	struct signal_info info;
	int result;
};

static void send_if_member(struct process *p, void *arg) HOLDS(tree_lock)
{
	struct group_send *g = arg;
	bool other = p != init_process && p != current_process() && p != &kernel_process;
	int err;

	if (!(g->pgid == -1 ? other : p->pgid == g->pgid))
		return;
	err = g->ask ? signal_may_send(p, g->info.signo) : 0;
	if (!err)
		err = signal_send_locked(p, NULL, &g->info, NULL);
	if (g->pgid == -1 && err == -EPERM)	/* kill(-1) skips those it may not signal */
		err = 0;
	if (g->result)
		g->result = err;
}

void signal_send_group_locked(pid_t pgid, int sig)
{
	struct group_send g = { .pgid = pgid, .info = { .signo = sig, .code = SI_KERNEL } };

	process_for_each_locked(send_if_member, &g);
}

void signal_send_group(pid_t pgid, int sig)
{
	spin_lock(&tree_lock);
	signal_send_group_locked(pgid, sig);
	spin_unlock(&tree_lock);
}

int signal_kill_group(pid_t pgid, int sig)
{
	struct group_send g = { .pgid = pgid, .ask = true, .info = info_of(sig, SI_USER),
				.result = -ESRCH };

	process_for_each(send_if_member, &g);
	return g.result;
}

void signal_child(struct process *child, struct process *parent, int code, int status)
{
	bool stop = code == CLD_STOPPED || code == CLD_CONTINUED;
	struct signal_info info = {
		.signo = stop ? SIGCHLD : child->exit_signal, .code = code, .pid = child->pid,
		.value = (u32)status, .uid = process_uid(child),
	};

	if (!stop || !(parent->sigactions[SIGCHLD - 1].flags & SA_NOCLDSTOP))
		signal_send_locked(parent, NULL, &info, NULL);
}

/* --- Masks and actions ------------------------------------------------------------------------ */

void signal_set_mask(u64 mask)
{
	struct thread *t = current_thread();
	struct process *p = t->process;
	u64 blocked;

	spin_lock(&p->lock);
	mask &= ~UNBLOCKABLE;
	blocked = mask & ~t->sigmask;
	t->sigmask = mask;
	tell_takers(p, blocked);		/* SIGNAL3: this thread no longer takes them */
	if ((atomic_load(&t->sigpending) | atomic_load(&p->sigpending)) & ~mask)
		atomic_fetch_or(&t->work, WORK_SIGNAL);
	spin_unlock(&p->lock);
}

void signal_set_mask_for_call(u64 mask)
{
	struct thread *t = current_thread();

	t->sigmask_after = t->sigmask;
	t->restore_sigmask = true;
	signal_set_mask(mask);
}

long signal_end_call(long result)
{
	struct thread *t = current_thread();

	if (t->restore_sigmask && result != -EINTR && result != -ERESTARTNOHAND) {
		t->restore_sigmask = false;
		signal_set_mask(t->sigmask_after);
	}
	return result == -EINTR ? -ERESTARTNOHAND : result;
}

long signal_end_timed_call(long result, struct deadline d)
{
	result = signal_end_call(result);
	if (result != -ERESTARTNOHAND)
		return result;
	current_thread()->restart_at = d;
	return -ERESTARTAT;
}

struct deadline signal_call_deadline(struct deadline d)
{
	struct thread *t = current_thread();

	if (!t->restarted)
		return d;
	t->restarted = false;
	return t->restart_at;
}

void signal_share_action(struct process *p, int sig)
{
	assert_held(&tree_lock);
	list_for_each(mate, &p->action_mates, struct process, action_mates) {
		spin_lock(&mate->lock);
		mate->sigactions[sig - 1] = p->sigactions[sig - 1];
		spin_unlock(&mate->lock);
	}
}

void signal_share_actions(struct process *p, struct process *child)
{
	spin_lock(&tree_lock);
	spin_lock(&child->lock);
	memcpy(child->sigactions, p->sigactions, sizeof(p->sigactions));
	spin_unlock(&child->lock);
	list_push_back(&p->action_mates, &child->action_mates);
	spin_unlock(&tree_lock);
}

bool signal_shares_actions(struct process *a, struct process *b)
{
	bool shares = a == b;

	spin_lock(&tree_lock);
	list_for_each(mate, &a->action_mates, struct process, action_mates)
		shares |= mate == b;
	spin_unlock(&tree_lock);
	return shares;
}

void signal_set_action(int sig, const struct sigaction_slot *action)
{
	struct process *p = current_process();

	spin_lock(&tree_lock);
	spin_lock(&p->lock);
	p->sigactions[sig - 1] = *action;
	if (ignored(p, sig))
		signal_forget_pending(p, SIGSET(sig));
	spin_unlock(&p->lock);
	signal_share_action(p, sig);
	spin_unlock(&tree_lock);
}

void signal_reset_actions(struct process *p)
{
	for (struct sigaction_slot *s = p->sigactions; s < p->sigactions + NSIG; s++)
		*s = (struct sigaction_slot){ .handler = s->handler == SIG_IGN };
}

void signal_forget_handlers(void)
{
	struct process *p = current_process();

	spin_lock(&tree_lock);
	list_remove(&p->action_mates);
	spin_lock(&p->lock);
	signal_reset_actions(p);
	spin_unlock(&p->lock);
	spin_unlock(&tree_lock);
	current_thread()->sigstack = (struct sigstack){ .size = 0 };
}

int signal_wait(u64 set, struct deadline d, struct signal_info *info)
{
	struct thread *t = current_thread();
	struct process *p = t->process;
	int sig, err = 0;

	spin_lock(&p->lock);
	sig = signal_take_locked(t, set, info);
	t->sigwait = sig ? 0 : set;
	spin_unlock(&p->lock);
	if (!sig) {
		err = thread_sleep_until(d);
		spin_lock(&p->lock);
		t->sigwait = 0;
		sig = signal_take_locked(t, set, info);
		tell_takers(p, set);	/* SIGNAL3: it may have been told of more than it took */
		spin_unlock(&p->lock);
	}
	if (sig)
		signal_was_taken(info);
	else if (!err)
		err = -ETIMEDOUT;
	return sig ? sig : err;
}
