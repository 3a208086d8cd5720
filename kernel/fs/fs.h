/*
 * Shared by the files of kernel/fs/ and by the file systems of other folders.
 */
#pragma once

#include "fs/vfs.h"

/* Makes @i a new inode with one reference, one link and the next inode number. */
void inode_init(struct inode *i, u32 mode, const struct inode_ops *ops,
		const struct file_ops *fops);
void inode_touch(struct inode *i) HOLDS(i->lock);	/* contents changed now */

/* Sets the owner of new inode @i, and what it inherits from @dir (or NULL); permission.c. */
void inode_init_owner(struct inode *i, const struct inode *dir);

/* Check whether the caller may add a name to @dir, or take @victim's out of it. 0 or an error. */
int may_create(const struct inode *dir) HOLDS(dir->lock);
int may_delete(const struct inode *dir, const struct inode *victim, bool is_dir) HOLDS(dir->lock);

static inline bool name_is_dot(const char *name, size_t len)
{
	return len == 1 && name[0] == '.';
}

static inline bool name_is_dotdot(const char *name, size_t len)
{
	return len == 2 && name[0] == '.' && name[1] == '.';
}

/* Lists "." and ".." at positions 0 and 1. Returns false when the caller should stop. */
bool emit_dots(struct inode *dir, off_t pos, dirent_fn emit, void *arg) HOLDS(dir->lock);

/*
 * A walk along a path: it has reached `dir`, and the next component starts at `rest`. After
 * walk_path() only the last component is left, in name and len; len 0 stands for `dir` itself.
 */
struct walk {
	struct inode *dir;	/* referenced */
	const char *rest;
	const char *name;
	size_t len;
	bool slash;		/* a slash follows the name */
	bool created;		/* the walk has made the file (O_CREAT) */
	char *buf;		/* holds rest after a symbolic link; or NULL */
	unsigned links;		/* followed so far: SYMLINK_MAX */
	u32 resolve;		/* RESOLVE_* */
	struct inode *top;	/* the start of the walk: the root of RESOLVE_IN_ROOT */
};

int walk_path(struct walk *w, struct inode *at, const char *path);
int walk_path_within(struct walk *w, struct inode *at, const char *path, u32 resolve);
void walk_end(struct walk *w);		/* after a walk_path() that succeeded */

/* Held while a directory changes its parent; see tree.c. The outermost lock. */
extern struct mutex rename_lock;

/* Whether both are the same file. /proc and /sys make an inode for each lookup. */
static inline bool inode_is_same(const struct inode *a, const struct inode *b)
{
	return a == b || (a->ino == b->ino && a->dev == b->dev);
}

/* Whether @i is @dir or a directory above it. */
bool inode_is_above(const struct inode *i, const struct inode *dir) HOLDS(rename_lock);

/* Looks up one name in @dir, also "." and ".."; *out is referenced. Takes dir->lock. */
int lookup_one(struct inode *dir, const char *name, size_t len, struct inode **out);

/* Puts the root of another file system into a ramfs directory, for good. */
int ramfs_attach(struct inode *dir, const char *name, struct inode *inode);

/* The offset of @pos in its page, and how many of the @n bytes at @pos are in that page. */
static inline size_t page_offset(u64 pos)
{
	return pos & (PAGE_SIZE - 1);
}

static inline size_t page_part(u64 pos, size_t n)
{
	return MIN(n, PAGE_SIZE - page_offset(pos));
}

/*
 * Apply the process's limit on the size of files (RLIMIT_FSIZE). file_room() returns how many of
 * @n > 0 bytes may be written at @pos, file_may_grow() 0 if @i may get this size; else -EFBIG, and
 * SIGXFSZ if it is the limit that forbids it.
 */
ssize_t file_room(off_t pos, size_t n);
int file_may_grow(const struct inode *i, off_t size);

/* Create the caches of objects. */
void file_init(void);
void ramfs_init(void);
