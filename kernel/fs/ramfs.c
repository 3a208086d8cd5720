/*
 * The file system in memory: the tree of names. The contents of files are in ramfs_file.c.
 *
 * A directory has its entries in a red-black tree, to find them, and in a list by position, to list
 * them. Positions only grow, so a listing that goes on after changes skips nothing and repeats
 * nothing.
 *
 * Locks: every operation on a directory runs with its inode lock held; a child that is linked,
 * unlinked or moved is locked after it.
 *
 *  RAMFS1  An entry holds a reference to its inode, and a directory one to its parent. Any other
 *          inode holds one to the directory in which it was made, to which it was moved, or in
 *          which it lost its last name: /proc shows the path of a removed file.
 *  RAMFS2  nlink of a directory is 2 + its subdirectories, and 0 once it is removed: then nothing
 *          can be made in it any more.
 */
#include "ramfs.h"

#include "base/string.h"
#include "errno.h"
#include "fs/dev.h"
#include "mm/mm.h"

struct entry {
	struct rb_node node;		/* by_name */
	struct list_node link;		/* entries */
	off_t pos;
	struct inode *inode;		/* referenced */
	u8 len;
	char name[];			/* with a terminator */
};

static struct kmem_cache *inode_cache;
static const struct inode_ops ramfs_ops;
static const struct file_ops dir_file_ops;	/* a directory cannot be read or written */

/* --- Entries ---------------------------------------------------------------------------------- */

/* Any total order would do. Comparing lengths first makes most comparisons short. */
static int name_order(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len != b_len ? (a_len < b_len ? -1 : 1) : memcmp(a, b, a_len);
}

static bool entry_less(const struct rb_node *x, const struct rb_node *y)
{
	const struct entry *a = container_of(x, struct entry, node);
	const struct entry *b = container_of(y, struct entry, node);

	return name_order(a->name, a->len, b->name, b->len) < 0;
}

static struct entry *find(struct inode *dir, const char *name, size_t len)
{
	struct rb_node *n = to_ramfs(dir)->by_name.root;

	while (n) {
		struct entry *e = container_of(n, struct entry, node);
		int order = name_order(name, len, e->name, e->len);

		if (order == 0)
			return e;
		n = order < 0 ? n->left : n->right;
	}
	return NULL;
}

static struct entry *entry_alloc(const char *name, size_t len)
{
	struct entry *e = kzalloc(sizeof(*e) + len + 1);

	if (!e)
		return NULL;
	e->len = len;
	memcpy(e->name, name, len);
	return e;
}

/* Adds @e to @dir. It takes over a reference to @inode. Cannot fail. */
static void entry_insert(struct inode *dir, struct entry *e, struct inode *inode) HOLDS(dir->lock)
{
	struct ramfs_inode *d = to_ramfs(dir);

	e->inode = inode;
	e->pos = d->next_pos++;
	rb_insert(&d->by_name, &e->node, entry_less);
	list_push_back(&d->entries, &e->link);
	inode_touch(dir);
}

/* Takes @e out of @dir; the entry and its reference are the caller's then. */
static void entry_remove(struct inode *dir, struct entry *e) HOLDS(dir->lock)
{
	rb_remove(&to_ramfs(dir)->by_name, &e->node);
	list_remove(&e->link);
	inode_touch(dir);
}

/* Checks whether @name can be made in @dir, and allocates its entry. */
static int new_entry(struct inode *dir, const char *name, size_t len, struct entry **out)
{
	if (dir->nlink == 0)
		return -ENOENT;		/* RAMFS2 */
	if (find(dir, name, len))
		return -EEXIST;
	*out = entry_alloc(name, len);
	return *out ? 0 : -ENOMEM;
}

static void set_parent(struct inode *child, struct inode *dir)
{
	struct inode *old = child->parent;
	bool is_dir = inode_is(child, S_IFDIR);

	child->parent = inode_get(dir);
	dir->nlink += is_dir;
	if (old) {
		old->nlink -= is_dir;
		inode_put(old);		/* not the last: its entry or the caller keeps it */
	}
}

/* --- Operations ------------------------------------------------------------------------------- */

static int ramfs_lookup(struct inode *dir, const char *name, size_t len, struct inode **out)
{
	struct entry *e = find(dir, name, len);

	if (!e)
		return -ENOENT;
	*out = inode_get(e->inode);
	return 0;
}

static int set_target(struct ramfs_inode *r, const struct new_name *new)
{
	r->target = kmalloc(new->target_len + 1);
	if (!r->target)
		return -ENOMEM;
	memcpy(r->target, new->target, new->target_len);
	r->target[new->target_len] = '\0';
	r->inode.size = new->target_len;
	return 0;
}

/* Makes the inode that @new describes, in no directory yet. *out is its only reference. */
static int make_node(const struct new_name *new, struct inode **out)
{
	struct ramfs_inode *r = kmem_cache_zalloc(inode_cache);
	u32 type = new->mode & S_IFMT;
	int err = 0;

	if (!r)
		return -ENOMEM;
	inode_init(&r->inode, new->mode, &ramfs_ops, NULL);
	if (type == S_IFDIR) {
		r->inode.fops = &dir_file_ops;
		r->inode.nlink = 2;
		r->next_pos = 2;		/* after "." and ".." */
		list_init(&r->entries);
	} else if (type == S_IFREG) {
		r->inode.fops = &ramfs_file_ops;
		ramfs_file_init(r);
	} else if (type == S_IFLNK) {
		err = set_target(r, new);
	} else if (type == S_IFIFO) {
		r->inode.fops = &pipe_file_ops;
	} else if (type != S_IFSOCK) {		/* a device; block devices have no driver */
		r->inode.rdev = new->rdev;
		r->inode.fops = type == S_IFCHR ? dev_file_ops(new->rdev) : NULL;
	}
	*out = &r->inode;
	if (err)
		inode_put(&r->inode);
	return err;
}

/* Counts one more name of @i, and takes the reference for it. */
static int add_link(struct inode *i)
{
	int err = -ENOENT;		/* removed since the caller found it */

	mutex_lock(&i->lock);
	if (i->nlink || i->linkable) {
		i->nlink++;
		i->linkable = false;
		inode_changed(i);
		inode_get(i);
		err = 0;
	}
	mutex_unlock(&i->lock);
	return err;
}

static int ramfs_create(struct inode *dir, const char *name, size_t len, const struct new_name *new,
			struct inode **out) HOLDS(dir->lock)
{
	struct inode *i = new->existing;
	struct entry *e;
	int err;

	err = new_entry(dir, name, len, &e);
	if (err)
		return err;
	err = i ? add_link(i) : make_node(new, &i);
	if (err) {
		kfree(e);
		return err;
	}
	if (!new->existing) {
		inode_init_owner(i, dir);
		set_parent(i, dir);
	}
	entry_insert(dir, e, i);
	*out = inode_get(i);
	return 0;
}

/* Finds the error that forbids removing @e from @dir, as a directory or as something else. */
static int may_remove(const struct inode *dir, const struct entry *e, bool is_dir)
{
	struct inode *i = e->inode;

	if (i->ops != dir->ops)
		return -EBUSY;		/* attached */
	if (is_dir && !inode_is(i, S_IFDIR))
		return -ENOTDIR;
	if (!is_dir && inode_is(i, S_IFDIR))
		return -EISDIR;
	return is_dir && !list_empty(&to_ramfs(i)->entries) ? -ENOTEMPTY : 0;
}

/* Keeps @e, the last name of @i, for /proc to show. */
static void keep_last(struct inode *i, struct inode *dir, struct entry *e) HOLDS(i->lock)
{
	struct ramfs_inode *r = to_ramfs(i);

	if (dir && i->parent != dir)
		set_parent(i, dir);
	kfree(r->last);
	r->last = e;
}

/* Takes @e out of @dir, as a directory or as something else. */
static int remove(struct inode *dir, struct entry *e, bool is_dir) HOLDS(dir->lock)
{
	struct inode *i = e->inode;
	int err;

	mutex_lock(&i->lock);
	err = may_remove(dir, e, is_dir);
	if (err) {
		mutex_unlock(&i->lock);
		return err;
	}
	if (is_dir) {
		i->nlink = 0;		/* RAMFS2; the reference to the parent stays, for ".." */
		i->parent->nlink--;
	} else {
		i->nlink--;
	}
	inode_changed(i);
	entry_remove(dir, e);
	if (!i->nlink)
		keep_last(i, dir, e);
	else
		kfree(e);
	mutex_unlock(&i->lock);
	inode_put(i);
	return 0;
}

static int ramfs_unlink(struct inode *dir, const char *name, size_t len, bool is_dir)
	HOLDS(dir->lock)
{
	struct entry *e = find(dir, name, len);

	return e ? remove(dir, e, is_dir) : -ENOENT;
}

/* A name of @i, maybe not its only one, has moved from @from to @dir. */
static void name_moved(struct inode *i, struct inode *from, struct inode *dir)
{
	mutex_lock(&i->lock);
	inode_changed(i);
	if (i->parent == from && from != dir)
		set_parent(i, dir);
	mutex_unlock(&i->lock);
}

/* vfs_rename() has made its checks. */
static int ramfs_rename(struct inode *from, const char *old, size_t old_len, struct inode *to,
			const char *new, size_t new_len) HOLDS(rename_lock, from->lock, to->lock)
{
	struct entry *e = find(from, old, old_len), *target = find(to, new, new_len), *renamed;
	struct inode *moved = e->inode;
	int err;

	if (to->nlink == 0)
		return -ENOENT;
	renamed = entry_alloc(new, new_len);
	if (!renamed)
		return -ENOMEM;
	err = target ? remove(to, target, inode_is(moved, S_IFDIR)) : 0;
	if (err) {
		kfree(renamed);
		return err;
	}
	entry_remove(from, e);
	kfree(e);
	entry_insert(to, renamed, moved);
	name_moved(moved, from, to);
	return 0;
}

/* Exchanges the inodes of two names, which both exist. vfs_rename() has made its checks. */
static int ramfs_exchange(struct inode *from, const char *old, size_t old_len, struct inode *to,
			  const char *new, size_t new_len)
	HOLDS(rename_lock, from->lock, to->lock)
{
	struct entry *a = find(from, old, old_len), *b = find(to, new, new_len);
	struct inode *moved = a->inode;

	a->inode = b->inode;
	b->inode = moved;
	name_moved(a->inode, to, from);
	name_moved(b->inode, from, to);
	inode_touch(from);
	inode_touch(to);
	return 0;
}

static int ramfs_readdir(struct inode *dir, off_t pos, dirent_fn emit, void *arg)
	HOLDS(dir->lock)
{
	if (!emit_dots(dir, pos, emit, arg))
		return 0;
	list_for_each(e, &to_ramfs(dir)->entries, struct entry, link) {
		struct inode *i = e->inode;

		if (e->pos >= pos && !emit(arg, e->name, e->len, i->ino, i->mode, e->pos + 1))
			break;
	}
	return 0;
}

static int ramfs_readlink(struct inode *i, char *buf, size_t size)
{
	size_t n = MIN(size, i->size);

	memcpy(buf, to_ramfs(i)->target, n);
	return n;
}

static const char *ramfs_lost_name(struct inode *i)
{
	const struct entry *last = to_ramfs(i)->last;

	return last ? last->name : NULL;
}

static void ramfs_release(struct inode *i)
{
	struct ramfs_inode *r = to_ramfs(i);

	if (inode_is(i, S_IFREG))
		ramfs_file_release(r);
	else if (inode_is(i, S_IFLNK))
		kfree(r->target);
	else if (inode_is(i, S_IFDIR))
		assert(list_empty(&r->entries));
	kfree(r->last);
	kmem_cache_free(inode_cache, r);
}

static const struct inode_ops ramfs_ops = {
	.lookup = ramfs_lookup,
	.create = ramfs_create,
	.unlink = ramfs_unlink,
	.rename = ramfs_rename,
	.exchange = ramfs_exchange,
	.readdir = ramfs_readdir,
	.readlink = ramfs_readlink,
	.truncate = ramfs_truncate,
	.lost_name = ramfs_lost_name,
	.seek = ramfs_seek,
	.allocate = ramfs_allocate,
	.punch = ramfs_punch,
	.get_page = ramfs_get_page,
	.release = ramfs_release,
};

int ramfs_attach(struct inode *dir, const char *name, struct inode *inode)
{
	struct entry *e;
	int err;

	mutex_lock(&dir->lock);
	err = new_entry(dir, name, strlen(name), &e);
	if (!err) {
		set_parent(inode, dir);
		entry_insert(dir, e, inode_get(inode));
	}
	mutex_unlock(&dir->lock);
	return err;
}

struct inode *ramfs_create_root(void)
{
	struct inode *i;

	if (make_node(&(struct new_name){ .mode = S_IFDIR | 0755 }, &i))
		return NULL;
	return i->parent = i;
}

struct inode *ramfs_create_anon(u64 size)
{
	struct inode *i;

	if (make_node(&(struct new_name){ .mode = S_IFREG | 0600 }, &i))
		return NULL;
	inode_init_owner(i, NULL);
	i->dev = DEV_SHARED;
	i->nlink = 0;
	i->size = size;
	return i;
}

int ramfs_name_anon(struct inode *i, struct inode *dir, const char *name)
{
	struct entry *e = entry_alloc(name, strlen(name));

	if (!e)
		return -ENOMEM;
	mutex_lock(&i->lock);
	keep_last(i, dir, e);
	mutex_unlock(&i->lock);
	return 0;
}

void ramfs_init(void)
{
	inode_cache = kmem_cache_create("ramfs_inode", sizeof(struct ramfs_inode), 0);
}
