/*
 * Pending signals: each thread and each process has a set of numbers and a queue of entries, which
 * hold what is known about a signal.
 *
 * A standard signal is pending once, however often it is sent. When memory or RLIMIT_SIGPENDING has
 * no room for an entry, it is pending by its number alone and delivered without a sender. A
 * real-time signal has an entry for each time it was sent; without room for one sigqueue() fails,
 * and kill() sets the number alone. All this is as on Linux.
 *
 * RLIMIT_SIGPENDING is the receiver's, and counts the entries of all processes of its user. p->lock
 * guards sets and queues.
 */
#include "errno.h"
#include "mm/mm.h"
#include "process/cred.h"
#include "signal_impl.h"

static struct kmem_cache *queued_cache;

void signal_init(void)
{
	queued_cache = kmem_cache_create("signal", sizeof(struct queued), 0);
}

u64 signal_queued(struct process *p)
{
	struct cred *c = process_cred(p);
	u64 n = atomic_load(user_signals(c->user));

	cred_put(c);
	return n;
}

static void queued_free(struct queued *q)
{
	atomic_fetch_sub(user_signals(q->cred->user), 1);
	cred_put(q->cred);
	kmem_cache_free(queued_cache, q);
}

static void unqueue(struct queued *q, bool taken)
{
	list_remove(&q->node);
	q->taken = taken && q->kept;
	if (!q->kept)
		queued_free(q);
}

/* NULL: no room. The limit does not hold for standard signals by kill() or the kernel. */
static struct queued *queued_alloc(const struct process *p, const struct signal_info *info)
	HOLDS(p->lock)
{
	bool unlimited = info->signo < SIGRTMIN && info->code >= 0;
	_Atomic u64 *count = user_signals(p->cred->user);
	struct queued *q = NULL;

	if (atomic_fetch_add(count, 1) < p->limits[RLIMIT_SIGPENDING].cur || unlimited)
		q = kmem_cache_alloc(queued_cache);
	if (!q)
		atomic_fetch_sub(count, 1);
	else
		*q = (struct queued){ .cred = cred_get(p->cred), .info = *info };
	return q;
}

void signal_drop_infos(struct list_node *infos, u64 set)
{
	list_for_each_safe(q, infos, struct queued, node)
		if (SIGSET(q->info.signo) & set)
			unqueue(q, false);
}

void signal_forget_pending(struct process *p, u64 set)
{
	if (DEBUG_BUILD)
		assert_held(&p->lock);
	atomic_fetch_and(&p->sigpending, ~set);
	signal_drop_infos(&p->siginfos, set);
	list_for_each(t, &p->threads, struct thread, process_node) {
		atomic_fetch_and(&t->sigpending, ~set);
		signal_drop_infos(&t->siginfos, set);
	}
}

int signal_make_pending(struct process *p, struct thread *target, const struct signal_info *info,
			struct queued *kept)
{
	_Atomic u64 *pending = target ? &target->sigpending : &p->sigpending;
	struct queued *q;

	if (!kept && info->signo < SIGRTMIN && (atomic_load(pending) & SIGSET(info->signo)))
		return 0;
	q = kept ? kept : queued_alloc(p, info);
	if (!q && info->signo >= SIGRTMIN && info->code != SI_USER)
		return -EAGAIN;
	atomic_fetch_or(pending, SIGSET(info->signo));
	if (q)
		list_push_back(target ? &target->siginfos : &p->siginfos, &q->node);
	wait_wake_all(&p->signalled, 0);
	return 0;
}

/* --- Kept entries, of POSIX timers ------------------------------------------------------------ */

struct queued *signal_kept_alloc(struct process *p, const struct signal_info *info)
{
	struct queued *q;

	spin_lock(&p->lock);
	q = queued_alloc(p, info);
	spin_unlock(&p->lock);
	if (q) {
		q->kept = true;
		list_init(&q->node);
	}
	return q;
}

void signal_kept_free(struct queued *q)
{
	assert(!list_linked(&q->node));
	queued_free(q);
}

bool signal_kept_was_taken(struct process *p, struct queued *q)
{
	bool taken;

	spin_lock(&p->lock);
	taken = q->taken;
	q->taken = false;
	spin_unlock(&p->lock);
	return taken;
}

bool signal_kept_is_idle(struct process *p, struct queued *q)
{
	bool idle;

	spin_lock(&p->lock);
	idle = !q->taken && !list_linked(&q->node);
	spin_unlock(&p->lock);
	return idle;
}

/* Takes the entry out of its queue. The signal stays pending if it has another entry. */
void signal_kept_unqueue(struct process *p, struct thread *target, struct queued *q)
{
	bool other = false;

	spin_lock(&p->lock);
	q->taken = false;
	if (list_linked(&q->node)) {
		list_remove(&q->node);
		list_for_each(o, target ? &target->siginfos : &p->siginfos, struct queued, node)
			other |= o->info.signo == q->info.signo;
		if (!other)
			atomic_fetch_and(target ? &target->sigpending : &p->sigpending,
					 ~SIGSET(q->info.signo));
	}
	spin_unlock(&p->lock);
}

/* --- Taking ----------------------------------------------------------------------------------- */

/* Takes the lowest signal of *@pending that is in @set; 0: none. */
static int take_pending(_Atomic u64 *pending, struct list_node *infos, u64 set,
			struct signal_info *info)
{
	struct queued *first = NULL;
	bool more = false;
	int sig;

	set &= atomic_load(pending);
	if (!set)
		return 0;
	/* faults come first: their handlers must see the registers of the fault */
	sig = __builtin_ctzl(set & SYNCHRONOUS ? set & SYNCHRONOUS : set) + 1;
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
	if (first)
		unqueue(first, true);
	return sig;
}

int signal_take_locked(struct thread *t, u64 set, struct signal_info *info)
{
	struct process *p = t->process;
	int sig;

	if (DEBUG_BUILD)
		assert_held(&p->lock);	/* SIGNAL1 */
	sig = take_pending(&t->sigpending, &t->siginfos, set, info);
	return sig ? sig : take_pending(&p->sigpending, &p->siginfos, set, info);
}

int signal_take(u64 set, struct signal_info *info)
{
	struct thread *t = current_thread();
	int sig;

	spin_lock(&t->process->lock);
	sig = signal_take_locked(t, set, info);
	spin_unlock(&t->process->lock);
	if (sig)
		signal_was_taken(info);
	return sig;
}
