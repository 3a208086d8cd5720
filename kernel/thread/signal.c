/*
 * Signals: sending, default actions, ignoring, blocking. Handlers are in deliver.c.
 *
 * A signal is sent to a process or to one of its threads. What becomes of it, in this order:
 *
 *	blocked			pending, in the thread's set or the process's (also while ignored)
 *	ignored			gone: SIG_IGN, or a default action of ignoring
 *	handled			pending, and a thread is told, which calls the handler at its edge
 *	stop			every thread suspends itself on its way to user mode, until SIGCONT
 *	anything else		the process is killed with the signal as its status
 *
 * The default action is taken by the sender: nothing has to run in the target for it. Init (as on
 * Linux) ignores what would stop or end it, even SIGKILL; only its own faults kill it.
 *
 *  G1  Masks, pending sets and actions change under p->lock, so a signal is never both left pending
 *      by its sender and overlooked by the thread that unblocks it.
 *  G2  SIGCONT and the stop signals cancel each other's pending ones.
 *  G3  A pending signal that some thread does not block has one that was told: WORK_SIGNAL is set.
 *      Who can no longer take it (it blocks it now, or ends) tells another.
 *
 * Every send works in any context that may take the tree lock, which keeps the parent that is told
 * of a stop; tree_lock and p->lock are held wherever an action is taken.
 */
#include "signal.h"

#include "cpu.h"
#include "cred.h"
#include "errno.h"
#include "mm.h"
#include "panic.h"

#define HARMLESS	(SIGSET(SIGCHLD) | SIGSET(SIGURG) | SIGSET(SIGWINCH) | SIGSET(SIGCONT))
#define STOPS		(SIGSET(SIGSTOP) | SIGSET(SIGTSTP) | SIGSET(SIGTTIN) | SIGSET(SIGTTOU))
#define UNBLOCKABLE	(SIGSET(SIGKILL) | SIGSET(SIGSTOP))

/* What is known of a pending signal; one without is sent by nobody in particular. */
struct queued {
	struct list_node node;
	struct signal_info info;
};

static struct kmem_cache *queued_cache;

void signal_init(void)
{
	queued_cache = kmem_cache_create("signal", sizeof(struct queued), 0);
}

/* --- What is pending -------------------------------------------------------------------------- */

void signal_drop_infos(struct list_node *infos, u64 set)
{
	list_for_each_safe(q, infos, struct queued, node) {
		if (!(SIGSET(q->info.signo) & set))
			continue;
		list_remove(&q->node);
		kmem_cache_free(queued_cache, q);
	}
}

static void forget_pending(struct process *p, u64 set)
{
	atomic_fetch_and(&p->sigpending, ~set);
	signal_drop_infos(&p->siginfos, set);
	list_for_each(t, &p->threads, struct thread, process_node) {
		atomic_fetch_and(&t->sigpending, ~set);
		signal_drop_infos(&t->siginfos, set);
	}
}

/* Of most signals one is enough, and without memory it is known by its number alone. */
static int make_pending(_Atomic u64 *pending, struct list_node *infos,
			const struct signal_info *info)
{
	struct queued *q;

	if (info->signo < SIGRTMIN && (atomic_load(pending) & SIGSET(info->signo)))
		return 0;
	q = kmem_cache_alloc(queued_cache);
	if (!q && info->signo >= SIGRTMIN)
		return -EAGAIN;
	atomic_fetch_or(pending, SIGSET(info->signo));
	if (!q)
		return 0;
	q->info = *info;
	list_push_back(infos, &q->node);
	return 0;
}

/* Takes the lowest signal of *@pending that is in @set; 0: none. p->lock held. */
static int take_pending(_Atomic u64 *pending, struct list_node *infos, u64 set,
			struct signal_info *info)
{
	struct queued *first = NULL;
	bool more = false;
	int sig;

	set &= atomic_load(pending);
	if (!set)
		return 0;
	sig = __builtin_ctzl(set) + 1;
	list_for_each(q, infos, struct queued, node) {
		if (q->info.signo != sig)
			continue;
		more = first;
		if (more)
			break;
		first = q;
	}
	if (!more)
		atomic_fetch_and(pending, ~SIGSET(sig));
	*info = first ? first->info : (struct signal_info){ .signo = sig, .code = SI_USER };
	if (first) {
		list_remove(&first->node);
		kmem_cache_free(queued_cache, first);
	}
	return sig;
}

int signal_take_locked(struct thread *t, u64 set, struct signal_info *info)
{
	struct process *p = t->process;
	int sig = take_pending(&t->sigpending, &t->siginfos, set, info);

	return sig ? sig : take_pending(&p->sigpending, &p->siginfos, set, info);
}

int signal_take(u64 set, struct signal_info *info)
{
	struct thread *t = current_thread();
	int sig;

	spin_lock(&t->process->lock);
	sig = signal_take_locked(t, set, info);
	spin_unlock(&t->process->lock);
	return sig;
}

/* --- Who is told ------------------------------------------------------------------------------ */

/* Makes @t look at its edge, also if it waits and the wait may be broken off. p->lock held. */
static void tell(struct thread *t)
{
	struct runq *rq = thread_runq_lock_allowed(t);
	enum thread_state s = thread_state(t);

	/* Before the state is looked at: a thread about to block tests it under this lock (W2). */
	atomic_fetch_or(&t->work, WORK_SIGNAL);
	if (s == THREAD_RUNNING)
		sched_kick(rq);
	else if ((s == THREAD_BLOCKED || s == THREAD_SLEEPING) &&
		 (t->waiter->breaks & WORK_SIGNAL) && waiter_swap(t->waiter, WAIT_SIGNAL, 0))
		sched_make_ready(rq, t, "signalled");
	runq_unlock(rq);
}

/* A thread that would take @sig now: the caller if it is one, or else the first. p->lock held. */
static struct thread *find_taker(struct process *p, int sig)
{
	struct thread *found = NULL;

	list_for_each(t, &p->threads, struct thread, process_node)
		if (!((t->sigmask & ~t->sigwait) & SIGSET(sig)) && !thread_is_dying(t) &&
		    (!found || t == current_thread()))
			found = t;
	return found;
}

static void tell_takers(struct process *p, u64 set)
{
	for (set &= atomic_load(&p->sigpending); set; set &= set - 1) {
		struct thread *t = find_taker(p, __builtin_ctzl(set) + 1);

		if (t)
			tell(t);
	}
}

void signal_pass_on(struct process *p)
{
	if (unlikely(atomic_load(&p->sigpending)))
		tell_takers(p, ~0UL);
}

/* --- Sending ---------------------------------------------------------------------------------- */

static bool ignored(struct process *p, int sig)
{
	u64 handler = p->sigactions[sig - 1].handler;

	return handler == SIG_IGN || (handler == SIG_DFL && (SIGSET(sig) & HARMLESS));
}

/* A thread that has not been started yet looks at p->stopped when it is. */
static void stop_threads(struct process *p, int sig)
{
	if (!p->stopped)
		p->stop_report = STATUS_STOPPED(sig);
	p->stopped = true;
	list_for_each(t, &p->threads, struct thread, process_node)
		thread_suspend(t);
}

static void continue_threads(struct process *p)
{
	if (!p->stopped)
		return;
	p->stopped = false;
	p->stop_report = STATUS_CONTINUED;
	list_for_each(t, &p->threads, struct thread, process_node)
		if (!t->embryo)
			thread_resume(t);
}

/* Takes the action of an unblocked signal, short of killing: true if @p must die. p->lock held. */
bool signal_must_die(struct process *p, int sig)
{
	if (ignored(p, sig) || p == init_process)
		return false;
	if (!(SIGSET(sig) & STOPS))
		return true;
	if (sig == SIGSTOP || !process_group_is_orphaned(p->pgid))
		stop_threads(p, sig);
	return false;
}

int signal_stop_background(int sig)
{
	struct thread *t = current_thread();
	struct process *p = t->process;
	bool orphaned, deaf;

	spin_lock(&tree_lock);
	orphaned = process_group_is_orphaned(p->pgid);
	deaf = (t->sigmask & SIGSET(sig)) || p->sigactions[sig - 1].handler == SIG_IGN;
	spin_unlock(&tree_lock);
	if (deaf && sig == SIGTTOU)
		return 0;
	if (orphaned || deaf)
		return -EIO;
	signal_send_group(p->pgid, sig);
	atomic_fetch_or(&t->work, WORK_SIGNAL);		/* the edge starts the call again */
	return -EINTR;
}

/* What stops and continues does so whatever becomes of the signal itself. p->lock held. */
static void stops_and_continues(struct process *p, int sig)
{
	if (SIGSET(sig) & STOPS)
		forget_pending(p, SIGSET(SIGCONT));
	if (sig == SIGCONT) {
		forget_pending(p, STOPS);
		continue_threads(p);
	}
}

/* p->lock held. True: @p must die. */
static bool act(struct process *p, struct thread *target, const struct signal_info *info, int *err)
{
	int sig = info->signo;
	struct thread *taker = target ? target : find_taker(p, sig);
	bool blocked = !taker || (taker->sigmask & SIGSET(sig));

	stops_and_continues(p, sig);
	if (!blocked && !signal_has_handler(p, sig))
		return signal_must_die(p, sig);
	if (target)
		*err = make_pending(&target->sigpending, &target->siginfos, info);
	else
		*err = make_pending(&p->sigpending, &p->siginfos, info);
	if (taker && (!blocked || (taker->sigwait & SIGSET(sig))))
		tell(taker);
	return false;
}

void signal_report_stop(struct process *p, int before)
{
	if (p->stop_report == before || !p->stop_report)
		return;
	process_report_stop(p);
	if (p->stop_report == STATUS_CONTINUED)
		signal_child(p, CLD_CONTINUED, SIGCONT);
	else
		signal_child(p, CLD_STOPPED, p->stop_report >> 8);
}

/* @target NULL: any thread of @p will do. tree_lock held. */
static int send(struct process *p, struct thread *target, const struct signal_info *info)
{
	int before = p->stop_report, err = 0;
	bool die = false;

	if (info->signo < 0 || info->signo > NSIG)
		return -EINVAL;
	if (p == &kernel_process)
		return -EPERM;
	if (info->signo == 0 || process_state(p) != PROCESS_ALIVE)
		return 0;
	spin_lock(&p->lock);
	if (target && !list_linked(&target->process_node))
		err = -ESRCH;
	else
		die = act(p, target, info, &err);
	spin_unlock(&p->lock);
	signal_report_stop(p, before);
	if (die)
		process_kill(p, STATUS_SIGNAL(info->signo));
	return err;
}

int signal_send_info(struct process *p, struct thread *target, const struct signal_info *info)
{
	int err;

	spin_lock(&tree_lock);
	err = send(p, target, info);
	spin_unlock(&tree_lock);
	return err;
}

/* By the current process; what comes from an interrupt is the kernel's own. */
static struct signal_info info_of(int sig, int code)
{
	if (!arch_irqs_enabled())
		return (struct signal_info){ .signo = sig, .code = SI_KERNEL };
	return (struct signal_info){ .signo = sig, .code = code, .pid = current_process()->pid,
				     .uid = current_cred()->uid.real };
}

int signal_send_process(struct process *p, int sig)
{
	struct signal_info info = info_of(sig, SI_USER);

	return signal_send_info(p, NULL, &info);
}

int signal_send_thread(struct thread *t, int sig)
{
	struct signal_info info = info_of(sig, SI_TKILL);

	return signal_send_info(t->process, t, &info);
}

int signal_may_send(struct process *p, int sig)
{
	struct process *self = current_process();
	struct cred *target = process_cred(p);
	bool may = p == self || cred_may_signal(target) || (sig == SIGCONT && p->sid == self->sid);

	cred_put(target);
	return may ? 0 : -EPERM;
}

struct group_send {
	pid_t pgid;		/* -1: everybody but init and the sender */
	bool ask;		/* whether the caller may; else the kernel sends */
	struct signal_info info;
	int result;
};

static void send_if_member(struct process *p, void *arg)
{
	struct group_send *g = arg;
	bool other = p != init_process && p != current_process() && p != &kernel_process;
	int err;

	if (!(g->pgid == -1 ? other : p->pgid == g->pgid))
		return;
	err = g->ask ? signal_may_send(p, g->info.signo) : 0;
	if (!err)
		err = send(p, NULL, &g->info);
	if (g->pgid == -1 && err == -EPERM)	/* not meant, then */
		err = 0;
	if (g->result)
		g->result = err;
}

int signal_send_group(pid_t pgid, int sig)
{
	struct group_send g = { .pgid = pgid, .info = info_of(sig, SI_USER), .result = -ESRCH };

	process_for_each(send_if_member, &g);
	return g.result;
}

int signal_kill_group(pid_t pgid, int sig)
{
	struct group_send g = { .pgid = pgid, .ask = true, .info = info_of(sig, SI_USER),
				.result = -ESRCH };

	process_for_each(send_if_member, &g);
	return g.result;
}

void signal_child(struct process *child, int code, int status)
{
	struct signal_info info = {
		.signo = SIGCHLD, .code = code, .pid = child->pid, .value = (u32)status,
		.uid = process_uid(child),
	};
	struct process *parent = child->parent;
	bool stop = code == CLD_STOPPED || code == CLD_CONTINUED;

	if (!stop || !(parent->sigactions[SIGCHLD - 1].flags & SA_NOCLDSTOP))
		send(parent, NULL, &info);
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
	tell_takers(p, blocked);		/* G3: not us any more */
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

void signal_set_action(int sig, const struct sigaction_slot *action)
{
	struct process *p = current_process();

	spin_lock(&p->lock);
	p->sigactions[sig - 1] = *action;
	if (ignored(p, sig))
		forget_pending(p, SIGSET(sig));
	spin_unlock(&p->lock);
}

void signal_forget_handlers(void)
{
	struct process *p = current_process();

	spin_lock(&p->lock);
	for (int sig = 1; sig <= NSIG; sig++)
		if (signal_has_handler(p, sig))
			p->sigactions[sig - 1] = (struct sigaction_slot){ .handler = SIG_DFL };
	spin_unlock(&p->lock);
	current_thread()->sigstack = (struct sigstack){ .size = 0 };
}

int signal_wait(u64 set, struct deadline d)
{
	struct thread *t = current_thread();
	int err;

	spin_lock(&t->process->lock);
	t->sigwait = set;
	if ((atomic_load(&t->sigpending) | atomic_load(&t->process->sigpending)) & set)
		atomic_fetch_or(&t->work, WORK_SIGNAL);
	spin_unlock(&t->process->lock);
	err = thread_sleep_until(d);
	spin_lock(&t->process->lock);
	t->sigwait = 0;
	spin_unlock(&t->process->lock);
	return err ? err : -ETIMEDOUT;
}
