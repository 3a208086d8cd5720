/*
 * The place of a process in the tree of files: its working directory, its root, and its umask.
 * fork() copies it, clone(CLONE_FS) shares it.
 *
 * Lock: place->lock, for a few instructions; the reference to an old directory is put outside it.
 */
#include "fs/vfs.h"
#include "mm/mm.h"
#include "process/process.h"

struct place kernel_place = { .refs = 1, .lock = SPINLOCK_INIT(LOCK_OBJECT) };

struct place *place_copy(struct place *from)
{
	struct place *c = kmalloc(sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct place){ .refs = 1, .lock = SPINLOCK_INIT(LOCK_OBJECT) };
	spin_lock(&from->lock);
	c->cwd = from->cwd ? inode_get(from->cwd) : NULL;
	c->root = from->root ? inode_get(from->root) : NULL;
	c->umask = from->umask;
	spin_unlock(&from->lock);
	return c;
}

struct place *place_get(struct place *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void place_put(struct place *c)
{
	if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
		return;
	inode_put(c->cwd);
	inode_put(c->root);
	kfree(c);
}

struct inode *place_dir(struct place *c, struct inode **which)
{
	struct inode *dir;

	spin_lock(&c->lock);
	dir = inode_get(*which ? *which : root_inode);
	spin_unlock(&c->lock);
	return dir;
}

struct inode *place_change(struct place *c, struct inode **which, struct inode *dir)
{
	struct inode *old;

	spin_lock(&c->lock);
	old = *which;
	*which = dir;
	spin_unlock(&c->lock);
	return old;
}

struct place *process_get_place(struct process *p)
{
	struct place *c;

	spin_lock(&p->lock);
	c = p->place ? place_get(p->place) : NULL;
	spin_unlock(&p->lock);
	return c;
}
