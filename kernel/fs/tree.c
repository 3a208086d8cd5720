/*
 * Changes of the tree of names: create, link, remove, rename; and truncation.
 *
 * Each walks to the directory of the last component and calls the file system with that directory
 * locked. Errors that do not depend on the file system are found here, with Linux's numbers; those
 * that depend on its entries (not empty, ...), in the file system.
 *
 * rename_lock keeps the shape of the tree: no directory changes its parent without it. So while it
 * is held, following the parents shows whether a directory is above another. Of two directories the
 * upper one is locked first, as everywhere else; if neither is above the other, the one at the
 * lower address.
 */
#include "base/string.h"
#include "errno.h"
#include "fs.h"
#include "process/cred.h"

struct mutex rename_lock = MUTEX_INIT(rename_lock);

/* Whether the last component is a name, not "/", "." or "..". */
static bool has_name(const struct walk *w)
{
	return w->len && !name_is_dot(w->name, w->len) && !name_is_dotdot(w->name, w->len);
}

/*
 * Finds an entry of a locked directory; *out is NULL if there is none. In /proc, where no name can
 * be made, that is an error at once.
 */
static int find_entry(const struct walk *w, struct inode **out) HOLDS(w->dir->lock)
{
	int err = w->dir->ops->lookup(w->dir, w->name, w->len, out);

	if (err)
		*out = NULL;
	return err == -ENOENT && w->dir->dev != DEV_PROC ? 0 : err;
}

/*
 * Whether the caller may give another name to @i: to a file of another user only if it is regular,
 * has no set-id bits, and the caller may read and write it. This is fs.protected_hardlinks, which
 * every distribution turns on.
 */
static bool may_be_linked(const struct inode *i)
{
	bool set_gid = (i->mode & (S_ISGID | 0010)) == (S_ISGID | 0010);

	if (inode_owned(i))
		return true;
	return inode_is(i, S_IFREG) && !(i->mode & S_ISUID) && !set_gid &&
	       !inode_permission(i, MAY_READ | MAY_WRITE);
}

/* Finds the error that forbids a new name at the end of @w. */
static int may_make(struct walk *w, const struct new_name *new) HOLDS(w->dir->lock)
{
	struct inode *there;
	u32 type = new->mode & S_IFMT;
	int err = find_entry(w, &there);

	if (err)
		return err;
	if (there) {
		inode_put(there);
		return -EEXIST;
	}
	if (w->slash && type != S_IFDIR)
		return -ENOENT;
	if (new->existing && new->existing->dev != w->dir->dev)
		return -EXDEV;
	if (new->existing && !may_be_linked(new->existing))
		return -EPERM;
	err = may_create(w->dir);
	if (err)
		return err;
	if ((type == S_IFCHR || type == S_IFBLK) && !capable(CAP_MKNOD))
		return -EPERM;
	if (!w->dir->ops->create || (new->existing && inode_is(new->existing, S_IFDIR)))
		return -EPERM;
	return 0;
}

static int make_walked(struct walk *w, const struct new_name *new, struct inode **out)
{
	int err;

	if (!has_name(w))
		return -EEXIST;
	if (w->len > NAME_MAX)
		return -ENAMETOOLONG;
	mutex_lock(&w->dir->lock);
	err = may_make(w, new);
	if (!err)
		err = w->dir->ops->create(w->dir, w->name, w->len, new, out);
	mutex_unlock(&w->dir->lock);
	return err;
}

int vfs_make(struct inode *at, const char *path, const struct new_name *new, struct inode **out)
{
	struct walk w;
	int err = walk_path(&w, at, path);

	if (err)
		return err;
	err = make_walked(&w, new, out);
	walk_end(&w);
	return err;
}

static int make(struct inode *at, const char *path, const struct new_name *new)
{
	struct inode *made;
	int err = vfs_make(at, path, new, &made);

	if (!err)
		inode_put(made);
	return err;
}

int vfs_create(struct inode *at, const char *path, u32 mode, u64 rdev)
{
	return make(at, path, &(struct new_name){ .mode = mode, .rdev = rdev });
}

int vfs_symlink(struct inode *at, const char *path, const char *target)
{
	return make(at, path, &(struct new_name){ .mode = S_IFLNK | 0777, .target = target,
						  .target_len = strlen(target) });
}

int vfs_link(struct inode *at, const char *path, struct inode *inode)
{
	return make(at, path, &(struct new_name){ .existing = inode });
}

/* Returns the error of unlink("name/"), which is never possible. */
static int slash_error(struct walk *w)
{
	struct inode *there;
	int err = lookup_one(w->dir, w->name, w->len, &there);

	if (err)
		return err;
	err = inode_is(there, S_IFDIR) ? -EISDIR : -ENOTDIR;
	inode_put(there);
	return err;
}

static int unlink_walked(struct walk *w, bool is_dir)
{
	struct inode *victim = NULL;
	int err;

	if (!has_name(w)) {
		if (!is_dir)
			return -EISDIR;
		if (name_is_dot(w->name, w->len))
			return -EINVAL;
		return w->len ? -ENOTEMPTY : -EBUSY;	/* "..", "/" */
	}
	if (w->slash && !is_dir)
		return slash_error(w);
	if (w->len > NAME_MAX)
		return -ENAMETOOLONG;
	mutex_lock(&w->dir->lock);
	err = w->dir->ops->lookup(w->dir, w->name, w->len, &victim);
	if (!err)
		err = may_delete(w->dir, victim, is_dir);
	if (!err && !w->dir->ops->unlink)
		err = -EPERM;
	if (!err)
		err = w->dir->ops->unlink(w->dir, w->name, w->len, is_dir);
	mutex_unlock(&w->dir->lock);
	inode_put(victim);
	return err;
}

int vfs_unlink(struct inode *at, const char *path, bool is_dir)
{
	struct walk w;
	int err = walk_path(&w, at, path);

	if (err)
		return err;
	err = unlink_walked(&w, is_dir);
	walk_end(&w);
	return err;
}

int vfs_truncate(struct inode *i, off_t size)
{
	int err;

	if (inode_is(i, S_IFDIR))
		return -EISDIR;
	if (!inode_is(i, S_IFREG) || size < 0 || !i->ops->truncate)
		return -EINVAL;
	err = inode_get_write(i);
	if (err)
		return err;
	mutex_lock(&i->lock);
	err = file_may_grow(i, size);
	if (!err) {
		inode_drop_set_id(i);
		err = i->ops->truncate(i, size);
	}
	mutex_unlock(&i->lock);
	inode_put_write(i);
	return err;
}

bool inode_is_above(const struct inode *i, const struct inode *dir)
{
	while (!inode_is_same(dir, i) && dir != dir->parent)
		dir = dir->parent;
	return inode_is_same(dir, i);
}

static void lock_two(struct inode *a, struct inode *b)
	HOLDS(rename_lock) ACQUIRES(a->lock, b->lock) NO_LOCK_ANALYSIS("they may be one")
{
	if (a == b) {
		mutex_lock(&a->lock);
		return;
	}
	if (inode_is_above(b, a) || (!inode_is_above(a, b) && b < a)) {
		struct inode *first = b;

		b = a;
		a = first;
	}
	mutex_lock(&a->lock);
	mutex_lock(&b->lock);
}

static void unlock_two(struct inode *a, struct inode *b)
	RELEASES(a->lock, b->lock) NO_LOCK_ANALYSIS("they may be one")
{
	mutex_unlock(&a->lock);
	if (a != b)
		mutex_unlock(&b->lock);
}

/*
 * Checks the rights to rename @source: to take it out of the old directory, to add it to the new
 * one or to remove @target from there, and to change the ".." of a directory that moves.
 */
static int may_move(const struct walk *from, const struct walk *to, struct inode *source,
		    struct inode *target) HOLDS(from->dir->lock, to->dir->lock)
{
	bool is_dir = inode_is(source, S_IFDIR);
	int err = may_delete(from->dir, source, is_dir);

	if (!err)
		err = target ? may_delete(to->dir, target, is_dir) : may_create(to->dir);
	if (!err && !from->dir->ops->rename)
		err = -EPERM;
	if (!err && is_dir && from->dir != to->dir)
		err = inode_permission(source, MAY_WRITE);
	return err;
}

/* Checks the rights to exchange the two: to remove each, and to change a directory's "..". */
static int may_swap(const struct walk *from, const struct walk *to, struct inode *source,
		    struct inode *target) HOLDS(from->dir->lock, to->dir->lock)
{
	int err = may_delete(from->dir, source, inode_is(source, S_IFDIR));

	if (!err)
		err = may_delete(to->dir, target, inode_is(target, S_IFDIR));
	if (!err && !from->dir->ops->exchange)
		err = -EPERM;
	if (!err && from->dir != to->dir && inode_is(source, S_IFDIR))
		err = inode_permission(source, MAY_WRITE);
	if (!err && from->dir != to->dir && inode_is(target, S_IFDIR))
		err = inode_permission(target, MAY_WRITE);
	return err;
}

/* Checks whether @source may take the place of @target (NULL: there is nothing yet). */
static int may_rename(const struct walk *from, const struct walk *to, struct inode *source,
		      struct inode *target, unsigned flags)
	HOLDS(rename_lock, from->dir->lock, to->dir->lock)
{
	int err;

	if (target && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (inode_is_above(source, to->dir))
		return -EINVAL;			/* into itself */
	if (target && inode_is_above(target, from->dir))
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (flags & RENAME_EXCHANGE) {
		if (to->slash && !inode_is(target, S_IFDIR))
			return -ENOTDIR;
		if (from->slash && !inode_is(source, S_IFDIR))
			return -ENOTDIR;
	} else if (!inode_is(source, S_IFDIR) && (from->slash || to->slash)) {
		return -ENOTDIR;
	}
	if (target && inode_is_same(source, target))
		return 0;			/* two names of one file: the caller does nothing */
	if (flags & RENAME_EXCHANGE)
		err = may_swap(from, to, source, target);
	else
		err = may_move(from, to, source, target);
	if (err)
		return err;
	if (source->dev != from->dir->dev || (target && target->dev != to->dir->dev))
		return -EBUSY;			/* another file system is attached there */
	return 0;
}

static int rename_locked(const struct walk *from, const struct walk *to, unsigned flags)
	HOLDS(rename_lock, from->dir->lock, to->dir->lock)
{
	struct inode *source = NULL, *target = NULL;
	int err = find_entry(from, &source);

	if (!err && !source)
		err = -ENOENT;
	if (!err)
		err = find_entry(to, &target);
	if (!err && !target && (flags & RENAME_EXCHANGE))
		err = -ENOENT;
	if (!err)
		err = may_rename(from, to, source, target, flags);
	if (!err && !(target && inode_is_same(source, target)))
		err = (flags & RENAME_EXCHANGE ? from->dir->ops->exchange : from->dir->ops->rename)(
			from->dir, from->name, from->len, to->dir, to->name, to->len);
	inode_put(source);
	inode_put(target);
	return err;
}

static int rename_walked(const struct walk *from, const struct walk *to, unsigned flags)
{
	int err;

	if (from->dir->dev != to->dir->dev)
		return -EXDEV;
	if (!has_name(from) || !has_name(to))
		return -EBUSY;
	if (from->len > NAME_MAX || to->len > NAME_MAX)
		return -ENAMETOOLONG;
	mutex_lock(&rename_lock);
	lock_two(from->dir, to->dir);
	err = rename_locked(from, to, flags);
	unlock_two(from->dir, to->dir);
	mutex_unlock(&rename_lock);
	return err;
}

int vfs_rename(struct inode *from_at, const char *from, struct inode *to_at, const char *to,
	       unsigned flags)
{
	struct walk a, b;
	int err = walk_path(&a, from_at, from);

	if (err)
		return err;
	err = walk_path(&b, to_at, to);
	if (!err) {
		err = rename_walked(&a, &b, flags);
		walk_end(&b);
	}
	walk_end(&a);
	return err;
}
