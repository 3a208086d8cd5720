/*
 * The owners of files with O_ASYNC (fs/async.c), and the signals sent to them.
 *
 * The owner is kept as an id, together with the start time of its process, so that a later process
 * with the same id is not mistaken for it. A group has no start time: a later group with the same
 * id becomes the owner. The signal is sent with the rights of the process that set the owner.
 *
 * Lock: async_lock, and tree_lock inside.
 */
#include "errno.h"
#include "fs/fs.h"
#include "fs/poll.h"
#include "process/async.h"
#include "process/cred.h"
#include "process/process.h"
#include "process/signal.h"

/* These signals have codes of their own, with which POLL_IN would be confused. */
#define OWN_CODES	(SYNCHRONOUS | SIGSET(SIGCHLD))

/* --- Signalling the owner --------------------------------------------------------------------- */

/* Checks whether the process that set the owner may signal a process with @c; puts @c. */
static bool may_tell(const struct async *a, struct cred *c)
{
	const struct ids *uid = &c->uid;
	bool may = !a->euid || a->euid == uid->saved || a->euid == uid->real ||
		   a->uid == uid->saved || a->uid == uid->real;

	cred_put(c);
	return may;
}

/* Signals @p, or @t of its threads. A signal for which there is no room becomes SIGIO. */
static void tell(const struct async *a, int code, struct process *p, struct thread *t)
	HOLDS(tree_lock)
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

static void tell_member(struct process *p, void *arg) HOLDS(tree_lock)
{
	const struct news *n = arg;

	if (p->pgid == n->of->owner.id)
		tell(n->of, n->code, p, NULL);
}

/* Returns the process that the owner is or belongs to, referenced; NULL: it is gone. */
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

/* Signals the file's owner: @code is POLL_IN or POLL_OUT. */
static void tell_owner(const struct async *a, int code)
{
	struct news n = { .of = a, .code = code };

	assert_held(&async_lock);
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
		/* the id of a process's other threads names a thread but no process */
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
