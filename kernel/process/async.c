/*
 * The owners of files with O_ASYNC (fs/async.c), and the signals that tell them.
 *
 * The owner is kept as a number; the time at which its process began tells it from a later one of
 * that number. A group has no such mark: a later group of the same number takes its place. The
 * signal is sent with the rights that its owner was named with.
 *
 * Lock: async_lock, and tree_lock inside.
 */
#include "errno.h"
#include "fs/fs.h"
#include "process/async.h"
#include "process/cred.h"
#include "process/process.h"
#include "process/signal.h"

/* These have codes of their own, so POLL_IN would be taken for one of them. */
#define OWN_CODES	(SYNCHRONOUS | SIGSET(SIGCHLD))

/* --- Telling ---------------------------------------------------------------------------------- */

static bool may_tell(const struct async *a, struct cred *c)
{
	const struct ids *uid = &c->uid;
	bool may = !a->euid || a->euid == uid->saved || a->euid == uid->real ||
		   a->uid == uid->saved || a->uid == uid->real;

	cred_put(c);
	return may;
}

/* To @p, or to @t of its threads. A signal that finds no room becomes SIGIO. tree_lock held. */
static void tell(const struct async *a, int code, struct process *p, struct thread *t)
{
	static const u32 bands[] = { [POLL_IN] = POLLIN | POLLRDNORM,
				     [POLL_OUT] = POLLOUT | POLLWRNORM | POLLWRBAND };
	struct signal_info info = { .signo = atomic_load(&a->sig), .code = code,
				    .band = bands[code], .value = a->fd };

	if (!may_tell(a, t ? thread_cred(t) : process_cred(p)))
		return;
	if (info.signo && (SIGSET(info.signo) & OWN_CODES))
		info.code = SI_SIGIO;
	if (info.signo && signal_send_locked(p, t, &info, NULL) == 0)
		return;
	info = (struct signal_info){ .signo = SIGIO, .code = SI_KERNEL };
	signal_send_locked(p, t, &info, NULL);
}

struct news {
	const struct async *of;
	int code;
};

static void tell_member(struct process *p, void *arg)
{
	const struct news *n = arg;

	if (p->pgid == n->of->owner.id)
		tell(n->of, n->code, p, NULL);
}

/* The process that the owner is or belongs to, referenced. NULL: it is gone. */
static struct process *owner_process(const struct async *a)
{
	struct process *p = process_find_by_task(a->owner.id);

	if (!p || p->start_ns == a->born)
		return p;
	process_put(p);
	return NULL;
}

static void tell_task(const struct async *a, int code)
{
	bool one = a->owner.kind == OWNER_THREAD;
	struct process *p = owner_process(a);
	struct thread *t = one ? thread_find(a->owner.id) : NULL;

	if (p && (!one || (t && t->process == p))) {
		spin_lock(&tree_lock);
		tell(a, code, p, t);
		spin_unlock(&tree_lock);
	}
	if (t)
		thread_put(t);
	if (p)
		process_put(p);
}

/* The file's news @code for its owner. async_lock held. */
static void tell_owner(const struct async *a, int code)
{
	struct news n = { .of = a, .code = code };

	if (a->owner.kind == OWNER_GROUP)
		process_for_each(tell_member, &n);
	else
		tell_task(a, code);
}

/* --- Setting ---------------------------------------------------------------------------------- */

static bool group_exists(pid_t id)
{
	bool exists;

	spin_lock(&tree_lock);
	exists = process_group_exists(id, -1);
	spin_unlock(&tree_lock);
	return exists;
}

int async_set_owner(struct file *f, struct file_owner o, bool force)
{
	const struct ids *uid = &current_cred()->uid;
	struct process *p = process_find_by_task(o.id);
	u64 born = p ? p->start_ns : 0;

	if (p)
		process_put(p);
	else if (o.id && !group_exists(o.id))
		return -ESRCH;
	spin_lock(&async_lock);
	if (force || !f->async.owner.id) {
		f->async.owner = o;
		f->async.tell = tell_owner;
		f->async.born = born;
		f->async.uid = uid->real;
		f->async.euid = uid->effective;
	}
	spin_unlock(&async_lock);
	return 0;
}

struct file_owner async_owner(struct file *f)
{
	struct process *p;
	struct async a;
	bool there;

	spin_lock(&async_lock);
	a = f->async;
	spin_unlock(&async_lock);
	if (a.owner.kind == OWNER_GROUP) {
		there = group_exists(a.owner.id);
	} else {
		p = owner_process(&a);
		/* a thread that is no process's first one is no process */
		there = p && (a.owner.kind == OWNER_THREAD || p->pid == a.owner.id);
		if (p)
			process_put(p);
	}
	if (!there)
		a.owner.id = 0;
	return a.owner;
}

void async_turn(struct file *f, int fd, bool on)
{
	if (async_list(f, fd, on) && on && f->ops->owner)
		(void)async_set_owner(f, f->ops->owner(), false);
}
