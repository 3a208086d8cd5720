/*
 * Credentials: sharing, changing, and the counts for each user. cred.h explains the idea; the
 * system calls are in kernel/abi/cred.c, the checks of files in kernel/fs/permission.c.
 *
 *  CRED1  A struct cred does not change while a thread's `cred` points to it. Only the thread
 *         itself moves the pointer, under its process's lock, under which others take references.
 *  CRED2  A process's `cred` is its first thread's (but for cred_use_real()), and stays the last
 *         one that this thread had.
 *  CRED3  A user's count of tasks is one for each process from creation until it is waited for
 *         (for its first thread and the zombie) and one for each other thread until it is freed.
 *         Kernel threads are not counted.
 */
#include "process/cred.h"

#include "base/list.h"
#include "base/string.h"
#include "errno.h"
#include "fs/vfs.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sched/cpu.h"

#define USER_BUCKETS	16

struct user {
	struct list_node node;		/* [users_lock] */
	u32 uid;			/* [const] */
	u32 refs;			/* [users_lock] */
	_Atomic u32 tasks;
	_Atomic u64 signals;		/* queued for processes of this user: pending.c */
	_Atomic u64 mqueues;		/* bytes of message queues: mqueue_name.c */
};

static _Atomic u32 all_tasks;		/* of all users */
static struct user root_user = { .node = LIST_INIT(root_user.node), .refs = 1 };
static struct spinlock users_lock = SPINLOCK_INIT(LOCK_USERS);
static struct list_node users[USER_BUCKETS];	/* [users_lock] all but root, by id */

struct cred kernel_cred = {
	.refs = 1,
	.permitted = CAPS_ALL,
	.effective = CAPS_ALL,
	.bounding = CAPS_ALL,
	.user = &root_user,
};

/* --- Users ------------------------------------------------------------------------------------ */

static struct user *find_user(u32 uid) HOLDS(users_lock)
{
	struct list_node *bucket = &users[uid % USER_BUCKETS];

	if (!bucket->next)
		list_init(bucket);
	list_for_each(u, bucket, struct user, node)
		if (u->uid == uid)
			return u;
	return uid ? NULL : &root_user;
}

/* Finds or makes the user @uid, referenced; NULL if memory is short. */
static struct user *user_get(u32 uid)
{
	struct user *new = kzalloc(sizeof(*new)), *u;

	spin_lock(&users_lock);
	u = find_user(uid);
	if (!u && new) {
		u = new;
		new = NULL;
		u->uid = uid;
		list_push_back(&users[uid % USER_BUCKETS], &u->node);
	}
	if (u)
		u->refs++;
	spin_unlock(&users_lock);
	kfree(new);
	return u;
}

static void user_put(struct user *u)
{
	bool last;

	spin_lock(&users_lock);
	last = --u->refs == 0;
	if (last)
		list_remove(&u->node);
	spin_unlock(&users_lock);
	if (last)
		kfree(u);
}

/* Adds one to *@count unless it is @max. */
static bool count_up(_Atomic u32 *count, u64 max)
{
	u32 n = atomic_load(count);

	do {
		if (n >= max)
			return false;
	} while (!atomic_compare_exchange_weak(count, &n, n + 1));
	return true;
}

static void count_down(_Atomic u32 *count)
{
	u32 before = atomic_fetch_sub(count, 1);

	assert(before > 0);
}

bool user_add_task(struct user *u, u64 max, u64 max_in_all)
{
	if (!count_up(&u->tasks, max))
		return false;
	if (count_up(&all_tasks, max_in_all))
		return true;
	count_down(&u->tasks);
	return false;
}

void user_end_task(struct user *u)
{
	count_down(&u->tasks);
	count_down(&all_tasks);
}

u32 user_tasks(const struct user *u)
{
	return atomic_load_explicit(&u->tasks, memory_order_relaxed);
}

u32 tasks_in_all(void)
{
	return atomic_load_explicit(&all_tasks, memory_order_relaxed);
}

_Atomic u64 *user_signals(struct user *u)
{
	return &u->signals;
}

_Atomic u64 *user_mqueues(struct user *u)
{
	return &u->mqueues;
}

/* --- Sharing and changing --------------------------------------------------------------------- */

void cred_put(struct cred *c)
{
	if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
		return;
	user_put(c->user);
	kfree(c);
}

struct cred *process_cred(struct process *p)
{
	struct cred *c;

	spin_lock(&p->lock);
	c = cred_get(p->cred);
	spin_unlock(&p->lock);
	return c;
}

u32 process_uid(struct process *p)
{
	u32 uid;

	spin_lock(&p->lock);
	uid = p->cred->uid.real;
	spin_unlock(&p->lock);
	return uid;
}

struct cred *thread_cred(struct thread *t)
{
	struct cred *c;

	spin_lock(&t->process->lock);
	c = cred_get(t->cred);
	spin_unlock(&t->process->lock);
	return c;
}

struct cred *cred_copy(u32 nr_groups)
{
	const struct cred *old = current_cred();
	u32 kept = MIN(nr_groups, old->nr_groups);
	struct cred *new = kmalloc(sizeof(*new) + nr_groups * sizeof(u32));

	if (!new)
		return NULL;
	memcpy(new, old, sizeof(*new));
	memcpy(new->groups, old->groups, kept * sizeof(u32));
	new->refs = 1;
	new->nr_groups = nr_groups;
	spin_lock(&users_lock);
	new->user->refs++;
	spin_unlock(&users_lock);
	return new;
}

/* Makes @new the caller's credentials; returns the old ones with the thread's reference. */
static struct cred *cred_swap(struct cred *new)
{
	struct thread *t = current_thread();
	struct cred *old = t->cred;

	spin_lock(&t->process->lock);
	t->cred = new;
	spin_unlock(&t->process->lock);
	return old;
}

int cred_find_user(struct cred *new)
{
	struct user *u = user_get(new->uid.real);

	if (!u)
		return -EAGAIN;
	user_put(new->user);
	new->user = u;
	return 0;
}

/* True if @new gives rights beyond @old: the old user must then not look into the process. */
static bool shields(const struct cred *new, const struct cred *old)
{
	return new->uid.effective != old->uid.effective || new->uid.fs != old->uid.fs ||
	       new->gid.effective != old->gid.effective || new->gid.fs != old->gid.fs ||
	       (new->permitted & ~old->permitted);
}

void cred_commit(struct cred *new)
{
	struct thread *t = current_thread();
	struct process *p = t->process;
	struct cred *old = t->cred, *old_of_process = NULL;

	assert(new->user->uid == new->uid.real);
	if (new->user != old->user) {
		atomic_fetch_add(&new->user->tasks, 1);
		atomic_fetch_sub(&old->user->tasks, 1);
	}
	spin_lock(&p->lock);
	if (shields(new, old)) {
		p->dumpable = 0;
		p->parent_death_signal = 0;
	}
	t->cred = new;
	if (t->tid == p->pid) {
		old_of_process = p->cred;
		p->cred = cred_get(new);	/* CRED2 */
	}
	spin_unlock(&p->lock);
	if (old_of_process)
		cred_put(old_of_process);
	cred_put(old);
}

int cred_use_real(struct cred **saved)
{
	struct cred *old = current_thread()->cred, *new;
	bool fixed = old->securebits & SECURE_NO_FIXUP;
	u64 effective = fixed ? old->effective : old->uid.real ? 0 : old->permitted;

	*saved = NULL;
	if (old->uid.fs == old->uid.real && old->gid.fs == old->gid.real &&
	    old->effective == effective)
		return 0;
	new = cred_copy(old->nr_groups);
	if (!new)
		return -ENOMEM;
	new->uid.fs = old->uid.real;
	new->gid.fs = old->gid.real;
	new->effective = effective;
	*saved = cred_swap(new);
	return 0;
}

void cred_restore(struct cred *saved)
{
	if (saved)
		cred_put(cred_swap(saved));
}

/* --- Rules ------------------------------------------------------------------------------------ */

static bool any_root(const struct ids *uid)
{
	return !uid->real || !uid->effective || !uid->saved;
}

void cred_fix_capabilities(struct cred *new, const struct cred *old)
{
	if (new->securebits & SECURE_NO_FIXUP)
		return;
	if (any_root(&old->uid) && !any_root(&new->uid)) {
		if (!(new->securebits & SECURE_KEEP_CAPS))
			new->permitted = new->effective = 0;
		new->ambient = 0;
	}
	if (!old->uid.effective && new->uid.effective)
		new->effective = 0;
	if (old->uid.effective && !new->uid.effective)
		new->effective = new->permitted;
}

/*
 * Sets the capabilities for a new program: root's, if an id is 0, and the ambient ones. Programs
 * have no capabilities of their own here.
 */
static void take_capabilities(struct cred *new, bool changed)
{
	bool root_counts = !(new->securebits & SECURE_NOROOT);

	if (changed)
		new->ambient = 0;
	new->permitted = new->ambient;
	if (root_counts && (!new->uid.real || !new->uid.effective))
		new->permitted |= new->bounding | new->inheritable;
	new->effective = root_counts && !new->uid.effective ? new->permitted : new->ambient;
}

struct cred *cred_for_exec(const struct inode *program, bool *secure)
{
	const struct cred *old = current_cred();
	struct cred *new = cred_copy(old->nr_groups);
	bool changed;

	if (!new)
		return NULL;
	if (!new->no_new_privs && (program->mode & S_ISUID))
		new->uid.effective = program->uid;
	/* Set-group-id without the right to execute means something else: mandatory locks. */
	if (!new->no_new_privs && (program->mode & (S_ISGID | 0010)) == (S_ISGID | 0010))
		new->gid.effective = program->gid;
	changed = new->uid.effective != old->uid.effective ||
		  !cred_in_group(old, new->gid.effective);
	new->uid.saved = new->uid.fs = new->uid.effective;
	new->gid.saved = new->gid.fs = new->gid.effective;
	take_capabilities(new, changed);
	new->securebits &= ~SECURE_KEEP_CAPS;
	*secure = changed || new->uid.effective != old->uid.real ||
		  new->gid.effective != old->gid.real;
	return new;
}

/* Allows kill() with CAP_KILL, and to the user who runs the process or (set-user-id) started it. */
bool cred_may_signal(const struct cred *target)
{
	const struct ids *mine = &current_cred()->uid;

	return mine->effective == target->uid.saved || mine->effective == target->uid.real ||
	       mine->real == target->uid.saved || mine->real == target->uid.real ||
	       capable(CAP_KILL);
}

/* Allows the caller to change @target's class, niceness and affinity, but not to raise them. */
bool cred_may_schedule(const struct cred *target)
{
	u32 mine = current_cred()->uid.effective;

	return mine == target->uid.effective || mine == target->uid.real || capable(CAP_SYS_NICE);
}

/* Allows the caller to read and change limits of processes whose ids are all its own. */
bool cred_may_limit(const struct cred *target)
{
	const struct cred *c = current_cred();
	u32 uid = c->uid.real, gid = c->gid.real;

	return (uid == target->uid.real && uid == target->uid.effective &&
		uid == target->uid.saved && gid == target->gid.real &&
		gid == target->gid.effective && gid == target->gid.saved) ||
	       capable(CAP_SYS_RESOURCE);
}

/* Allows the caller to look into @p's memory; Linux asks the same for ptrace(). */
bool cred_may_inspect(struct process *p)
{
	const struct cred *c = current_cred();
	struct cred *target;
	bool same;

	if (p == current_process() || capable(CAP_SYS_PTRACE))
		return true;
	target = process_cred(p);
	same = c->uid.fs == target->uid.real && c->uid.fs == target->uid.effective &&
	       c->uid.fs == target->uid.saved && c->gid.fs == target->gid.real &&
	       c->gid.fs == target->gid.effective && c->gid.fs == target->gid.saved;
	cred_put(target);
	return same && p->dumpable == 1;
}
