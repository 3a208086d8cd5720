/*
 * Names: from an inode to a path, the reverse of path.c. An inode knows its parent, the directory
 * that it is or was in, but not its name, which is searched for in the parent. If a file has
 * several names there, the first one found counts: the name by which it was opened is not kept.
 *
 * Locks: rename_lock, then one directory at a time.
 */
#include "base/string.h"
#include "errno.h"
#include "fs.h"
#include "process/process.h"
#include "sched/cpu.h"

/* The search for the name of a child in its parent, with the path found so far. */
struct name_search {
	struct inode *parent, *child;
	char *text;		/* the path so far; the name goes in front of it */
	size_t room;		/* bytes free there */
	int err;
};

/*
 * Whether the name leads to the child. The inode number alone does not decide: the directory of
 * another file system, with the same number, may be attached here.
 */
static bool leads_to_child(struct name_search *s, const char *name, size_t len)
{
	struct inode *i;
	bool same;

	assert(mutex_held(&s->parent->lock));
	if (s->parent->ops->lookup(s->parent, name, len, &i))
		return false;
	same = inode_is_same(i, s->child);
	inode_put(i);
	return same;
}

static int prepend(struct name_search *s, const char *name, size_t len)
{
	if (len + 1 > s->room)
		return -ENAMETOOLONG;
	s->text -= len + 1;
	s->room -= len + 1;
	s->text[0] = '/';
	memcpy(s->text + 1, name, len);
	return 0;
}

static bool match_name(void *arg, const char *name, size_t len, u64 ino, u32 mode, off_t next)
{
	struct name_search *s = arg;

	if (ino != s->child->ino || next <= 2 ||		/* "." and ".." */
	    !inode_is(s->child, mode & S_IFMT) || !leads_to_child(s, name, len))
		return true;
	s->err = prepend(s, name, len);
	return false;
}

/* Takes the last name of a child that is not in its parent, or has none. */
static int prepend_lost(struct name_search *s, bool *deleted)
{
	struct inode *i = s->child;
	const char *name;
	int err;

	mutex_lock(&i->lock);
	name = i->ops->lost_name ? i->ops->lost_name(i) : NULL;
	err = name ? prepend(s, name, strlen(name)) : -ENOENT;
	*deleted |= i->nlink == 0;
	mutex_unlock(&i->lock);
	return err;
}

/*
 * Builds the path of @child in @parent from the end of @buf backwards: the way from a directory
 * leads upward. rename_lock keeps every directory in its place meanwhile. A removed child gives
 * -ENOENT, or with @deleted the path with its last name. With @mark a path that does not begin at
 * the caller's root says so.
 */
static int path_in(struct inode *parent, struct inode *child, char *buf, size_t size, bool mark,
		   bool *deleted)
{
	struct name_search s = { .parent = parent, .child = child, .text = buf + size - 1,
				 .room = size - 1 };
	const struct inode *root = current_process()->place->root;

	if (size < 2)
		return -ENAMETOOLONG;
	*s.text = '\0';
	mutex_lock(&rename_lock);
	for (; s.child != root_inode && s.child != root && !s.err;
	     s.child = s.parent, s.parent = s.parent->parent) {
		s.err = -ENOENT;
		if (s.parent) {
			mutex_lock(&s.parent->lock);
			s.parent->ops->readdir(s.parent, 0, match_name, &s);
			mutex_unlock(&s.parent->lock);
		}
		if (s.err == -ENOENT && deleted)
			s.err = prepend_lost(&s, deleted);
		if (!s.parent)
			break;
	}
	mutex_unlock(&rename_lock);
	if (!s.err && !*s.text)
		s.err = prepend(&s, "", 0);
	if (!s.err && mark && root && s.child != root) {
		s.err = prepend(&s, "(unreachable)", sizeof("(unreachable)") - 1);
		s.text++;		/* without the slash in front */
	}
	if (s.err)
		return s.err;
	memmove(buf, s.text, buf + size - s.text);
	return 0;
}

int path_of(struct inode *dir, char *buf, size_t size)
{
	return path_in(dir->parent, dir, buf, size, true, NULL);
}

int inode_path(struct inode *i, char *buf, size_t size)
{
	static const char mark[] = " (deleted)";
	bool deleted = false;
	struct inode *dir;
	size_t n;
	int err;

	mutex_lock(&i->lock);
	dir = i->parent ? inode_get(i->parent) : NULL;
	mutex_unlock(&i->lock);
	err = path_in(dir, i, buf, size, false, &deleted);
	inode_put(dir);
	if (err)
		return err;
	n = strlen(buf);
	if (!deleted)
		return n;
	if (n + sizeof(mark) > size)
		return -ENAMETOOLONG;
	memcpy(buf + n, mark, sizeof(mark));
	return n + sizeof(mark) - 1;
}

/* Prefers a name in the directory in which the file was found. */
int file_path(const struct file *f, char *buf, size_t size)
{
	int err = f->dir ? path_in(f->dir, f->inode, buf, size, false, NULL) : -ENOENT;

	return err ? inode_path(f->inode, buf, size) : (int)strlen(buf);
}
