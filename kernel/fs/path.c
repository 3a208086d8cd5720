/*
 * Paths: from a name to an inode.
 *
 * A walk goes component by component. It holds a reference to the directory it has reached and,
 * during each lookup, that directory's lock; so paths may change under it, as on every Unix. A
 * symbolic link on the way is replaced by its text: the walk goes on in a buffer that holds the
 * link's target followed by the rest of the path.
 *
 * The caller must have the right to search each directory in which a name is looked up.
 *
 * A name with a slash behind it must be a directory; if it is a symbolic link it is followed,
 * whatever the caller asked for. An empty path is -ENOENT.
 */
#include "abi.h"
#include "base/printf.h"
#include "base/string.h"
#include "errno.h"
#include "fs.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sched/cpu.h"

struct inode *root_inode;

static const char *skip_slashes(const char *p)
{
	while (*p == '/')
		p++;
	return p;
}

void walk_end(struct walk *w)
{
	inode_put(w->dir);
	kfree(w->buf);
}

/* Splits off the next component. Returns true if it is the last. */
static bool walk_next(struct walk *w)
{
	const char *p = skip_slashes(w->rest);

	w->name = p;
	while (*p && *p != '/')
		p++;
	w->len = p - w->name;
	w->slash = *p == '/';
	w->rest = skip_slashes(p);
	return !*w->rest;
}

int lookup_one(struct inode *dir, const char *name, size_t len, struct inode **out)
{
	int err = 0;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	if (len == 0 || name_is_dot(name, len)) {
		*out = inode_get(dir);
		return 0;
	}
	mutex_lock(&dir->lock);
	if (name_is_dotdot(name, len))
		*out = inode_get(dir == current_process()->place->root ? dir : dir->parent);
	else
		err = dir->ops->lookup(dir, name, len, out);
	mutex_unlock(&dir->lock);
	return err;
}

/* --- RESOLVE_* -------------------------------------------------------------------------------- */

#define RESOLVE_SCOPED	(RESOLVE_BENEATH | RESOLVE_IN_ROOT)

/* Whether ".." has led to @dir outside of w->top: that may have been moved meanwhile. */
static bool has_left(struct walk *w, const struct inode *dir)
{
	bool above;

	mutex_lock(&rename_lock);
	above = inode_is_above(w->top, dir);
	mutex_unlock(&rename_lock);
	return !above;
}

static noinline int lookup_within(struct walk *w, struct inode **out)
{
	bool up = (w->resolve & RESOLVE_SCOPED) && name_is_dotdot(w->name, w->len);
	int err;

	if (up && inode_is_same(w->dir, w->top)) {
		*out = inode_get(w->dir);
		err = w->resolve & RESOLVE_BENEATH ? -EXDEV : 0;
	} else {
		err = lookup_one(w->dir, w->name, w->len, out);
		if (err)
			return err;
		if (((w->resolve & RESOLVE_NO_XDEV) && (*out)->dev != w->dir->dev) ||
		    (up && has_left(w, *out)))
			err = -EXDEV;
	}
	if (err)
		inode_put(*out);
	return err;
}

/* Looks up the current component; *out is referenced. */
static int walk_lookup(struct walk *w, struct inode **out)
{
	if (unlikely(w->resolve))
		return lookup_within(w, out);
	return lookup_one(w->dir, w->name, w->len, out);
}

/* Goes on at the caller's root: a path or a link begins with a slash. */
static int walk_to_root(struct walk *w)
{
	struct place *place = current_process()->place;
	struct inode *root;

	if (w->resolve & RESOLVE_BENEATH)
		return -EXDEV;
	if (w->resolve & RESOLVE_IN_ROOT)
		root = inode_get(w->top);
	else if (likely(!place->root))
		root = inode_get(root_inode);
	else
		root = place_dir(place, &place->root);
	if (w->dir && (w->resolve & RESOLVE_NO_XDEV) && w->dir->dev != root->dev) {
		inode_put(root);
		return -EXDEV;
	}
	inode_put(w->dir);
	w->dir = root;
	return 0;
}

/* Follows a link that has no text but inode_ops.follow; *to is referenced. */
static int walk_follow(struct walk *w, struct inode *link, struct inode **to)
{
	int err;

	if (w->resolve & (RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS))
		return -ELOOP;
	err = link->ops->follow(link, to);
	if (err)
		return err;
	if ((w->resolve & RESOLVE_SCOPED) ||
	    ((w->resolve & RESOLVE_NO_XDEV) && (*to)->dev != link->dev)) {
		inode_put(*to);
		return -EXDEV;
	}
	return 0;
}

/* --- Symbolic links --------------------------------------------------------------------------- */

/* Goes on where @link, which has inode_ops.follow, leads: to a directory, as the path goes on. */
static int walk_jump(struct walk *w, struct inode *link)
{
	struct inode *to;
	int err = walk_follow(w, link, &to);

	if (err)
		return err;
	if (!inode_is(to, S_IFDIR)) {
		inode_put(to);
		return -ENOTDIR;
	}
	inode_put(w->dir);
	w->dir = to;
	return 0;
}

/* Replaces the current component, which is symbolic link @link, by the link's text. */
static int walk_link(struct walk *w, struct inode *link)
{
	size_t rest = strlen(w->rest);
	int n, err = 0;
	char *buf;

	if (++w->links > SYMLINK_MAX || (w->resolve & RESOLVE_NO_SYMLINKS))
		return -ELOOP;
	if (link->ops->follow)
		return walk_jump(w, link);
	buf = kmalloc(PATH_MAX);
	if (!buf)
		return -ENOMEM;
	n = link->ops->readlink(link, buf, PATH_MAX);
	if (n == 0 || n + 1 + rest + 1 > PATH_MAX)
		n = n < 0 ? n : n ? -ENAMETOOLONG : -ENOENT;
	if (n < 0) {
		kfree(buf);
		return n;
	}
	if (w->slash)
		buf[n++] = '/';
	memcpy(buf + n, w->rest, rest + 1);
	if (buf[0] == '/')
		err = walk_to_root(w);
	kfree(w->buf);
	w->buf = buf;
	w->rest = buf;
	return err;
}

/* Walks on until only the last component is left, in a directory that the caller may search. */
static int walk_to_last(struct walk *w)
{
	for (;;) {
		bool last = walk_next(w);
		int err = w->len ? inode_permission(w->dir, MAY_EXEC) : 0;
		struct inode *child;

		if (last || err)
			return err;
		err = walk_lookup(w, &child);
		if (err)
			return err;
		if (inode_is(child, S_IFDIR)) {
			inode_put(w->dir);
			w->dir = child;
			continue;
		}
		err = inode_is(child, S_IFLNK) ? walk_link(w, child) : -ENOTDIR;
		inode_put(child);
		if (err)
			return err;
	}
}

int walk_path_within(struct walk *w, struct inode *at, const char *path, u32 resolve)
{
	int err = 0;

	if (!*path)
		return -ENOENT;
	*w = (struct walk){ .rest = path, .resolve = resolve, .top = at };
	if (*path == '/' || !at)
		err = walk_to_root(w);
	else
		w->dir = inode_get(at);
	if (!err)
		err = inode_is(w->dir, S_IFDIR) ? walk_to_last(w) : -ENOTDIR;
	if (err)
		walk_end(w);
	return err;
}

int walk_path(struct walk *w, struct inode *at, const char *path)
{
	return walk_path_within(w, at, path, 0);
}

/* Looks up the last component; with O_CREAT makes it as a regular file if it is missing. */
static int open_last(struct walk *w, u32 flags, u32 mode, struct inode **out)
{
	struct new_name new = { .mode = S_IFREG | mode };
	struct inode *dir = w->dir;
	int err = walk_lookup(w, out);

	if (!(flags & O_CREAT) || (err && (err != -ENOENT || dir->dev == DEV_PROC)))
		return err;
	if (w->slash || w->len == 0) {
		if (!err)
			inode_put(*out);
		return -EISDIR;
	}
	if (err == -ENOENT) {
		mutex_lock(&dir->lock);
		err = may_create(dir);
		if (!err)
			err = dir->ops->create ? dir->ops->create(dir, w->name, w->len, &new, out)
					       : -EACCES;
		mutex_unlock(&dir->lock);
		w->created = !err;
		if (err != -EEXIST || (flags & O_EXCL))
			return err;
		return walk_lookup(w, out);	/* another thread has just made it */
	}
	if (!(flags & O_EXCL))
		return 0;
	inode_put(*out);
	return -EEXIST;
}

/* Resolves the last component, which walk_path() has left; flags are open()'s. */
static int walk_all(struct walk *w, u32 flags, u32 mode, struct inode **out)
{
	struct inode *i, *to;
	int err;

	for (;;) {
		err = open_last(w, flags, mode, &i);
		if (err)
			return err;
		if (!inode_is(i, S_IFLNK) || ((flags & O_NOFOLLOW) && !w->slash))
			break;
		if (i->ops->follow) {
			err = walk_follow(w, i, &to);
			inode_put(i);
			if (err)
				return err;
			i = to;
			break;
		}
		err = walk_link(w, i);
		inode_put(i);
		if (!err)
			err = walk_to_last(w);
		if (err)
			return err;
	}
	if (w->slash && !inode_is(i, S_IFDIR)) {
		inode_put(i);
		return -ENOTDIR;
	}
	*out = i;
	return 0;
}

int path_lookup(struct inode *at, const char *path, bool nofollow, struct inode **out)
{
	struct walk w;
	int err = walk_path(&w, at, path);

	if (err)
		return err;
	err = walk_all(&w, nofollow ? O_NOFOLLOW : 0, 0, out);
	walk_end(&w);
	return err;
}

/* Checks whether open() may open inode @i, which it has not made itself. */
static int may_open(const struct inode *i, u32 flags)
{
	/* By access mode. The fourth, for ioctl() alone, needs both rights and gives neither. */
	static const u8 masks[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
				    MAY_READ | MAY_WRITE };
	unsigned mask = masks[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
	bool dir = inode_is(i, S_IFDIR);
	int err;

	if (dir && (flags & O_CREAT))
		return -EISDIR;
	if (!dir && (flags & O_DIRECTORY))
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (inode_is(i, S_IFLNK))
		return -ELOOP;
	if (i->dev == DEV_ANON)
		return -ENXIO;			/* /proc/self/fd leads there */
	if (dir && (mask & MAY_WRITE))
		return -EISDIR;
	err = inode_permission(i, mask);
	if (err)
		return err;
	if ((flags & O_NOATIME) && !inode_owned(i))
		return -EPERM;
	return (flags & O_DIRECT) && !inode_is_ordinary(i) && i->dev != DEV_SHARED ? -EINVAL : 0;
}

/* O_TMPFILE: makes a file without a name in directory *inode, and puts it in *inode instead. */
static int make_unnamed(struct inode **inode, u32 flags, u32 mode)
{
	struct inode *dir = *inode, *i;
	int err = inode_is(dir, S_IFDIR) ? inode_permission(dir, MAY_WRITE | MAY_EXEC) : -ENOTDIR;
	char name[24];

	if (!err && dir->dev != DEV_ROOT)
		err = -EOPNOTSUPP;
	if (err)
		return err;
	i = ramfs_create_anon(0);
	if (!i)
		return -ENOMEM;
	i->mode = S_IFREG | mode;
	i->dev = DEV_ROOT;
	inode_init_owner(i, dir);
	i->linkable = !(flags & O_EXCL);
	snprintf(name, sizeof(name), "#%lu", i->ino);
	err = ramfs_name_anon(i, dir, name);
	if (err) {
		inode_put(i);
		return err;
	}
	inode_put(dir);
	*inode = i;
	return 0;
}

static int open_walked(struct walk *w, u32 flags, u32 mode, struct file **out)
{
	struct inode *i;
	int err = walk_all(w, flags & O_TMPFILE_ALONE ? flags & ~O_EXCL : flags, mode, &i);

	if (err)
		return err;
	if (flags & O_TMPFILE_ALONE) {
		err = make_unnamed(&i, flags, mode);
	} else if (!w->created) {
		err = may_open(i, flags);
		if (!err && (flags & O_TRUNC) && inode_is(i, S_IFREG))
			err = vfs_truncate(i, 0);
	}
	if (!err)
		err = file_open_inode(i, flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY), out);
	if (!err && !inode_is(i, S_IFDIR))
		(*out)->dir = inode_get(w->dir);
	inode_put(i);
	return err;
}

int path_open(struct inode *at, const char *path, u32 flags, u32 mode, struct file **out)
{
	return path_open_within(at, path, flags, mode, 0, out);
}

int path_open_within(struct inode *at, const char *path, u32 flags, u32 mode, u32 resolve,
		     struct file **out)
{
	struct walk w;
	int err = walk_path_within(&w, at, path, resolve);

	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if (err)
		return err;
	err = open_walked(&w, flags, mode, out);
	walk_end(&w);
	return err;
}
