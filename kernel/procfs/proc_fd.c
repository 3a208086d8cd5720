/*
 * /proc/PID/fd: a process's open files, as symbolic links. A link leads to the file itself and not
 * to the path in its text, so it also leads to pipes and to removed files. /dev/fd leads here.
 *
 * A process's own threads may do everything here. For others, the directory has owner and mode, and
 * opening or reading a link takes the right to inspect the process.
 *
 * An inode's number is a mark, the process's id (or that of the thread in whose fd/ it is), and for
 * a link its descriptor + 1. A lookup makes the inode, which goes with its last reference.
 */
#include "base/printf.h"
#include "errno.h"
#include "fs/dev.h"
#include "fs/fdtable.h"
#include "fs/fs.h"
#include "mm/mm.h"
#include "proc.h"
#include "process/cred.h"
#include "process/process.h"
#include "sched/cpu.h"

#define MARK		BIT(61)
#define MARK_THREAD	BIT(60)		/* also set for a thread's */
#define FD_BITS		13	/* FD_MAX, and 1 more */

static const struct inode_ops dir_ops, link_ops;
static const struct file_ops dir_file_ops;

static pid_t ino_pid(const struct inode *i)
{
	return (i->ino & ~(MARK | MARK_THREAD)) >> FD_BITS;
}

static int ino_fd(const struct inode *i)
{
	return (int)(i->ino & (BIT(FD_BITS) - 1)) - 1;
}

u64 proc_fd_ino(pid_t id, bool of_thread)
{
	return MARK | (of_thread ? MARK_THREAD : 0) | (u64)id << FD_BITS;
}

static u64 link_ino(const struct inode *dir, int fd)
{
	return dir->ino | (u64)(fd + 1);
}

static int make_inode(u32 mode, u64 ino, struct inode **out)
{
	struct inode *i = kmalloc(sizeof(*i));

	if (!i)
		return -ENOMEM;
	inode_init(i, mode, (mode & S_IFMT) == S_IFDIR ? &dir_ops : &link_ops, &dir_file_ops);
	i->dev = DEV_PROC;
	i->fixed = FIXED_MODE;
	i->ino = ino;
	proc_set_owner(i, ino_pid(i));
	*out = i;
	return 0;
}

int proc_fd_dir(struct inode *parent, u64 ino, struct inode **out)
{
	int err = make_inode(S_IFDIR | 0500, ino, out);

	if (err)
		return err;
	(*out)->nlink = 2;
	(*out)->parent = inode_get(parent);
	return 0;
}

/* Returns the first file of @p at or above *@fd, referenced, and sets *@fd to its descriptor. */
static struct file *next_file(struct process *p, int *fd)
{
	struct fdtable *fds = process_get_fds(p);
	struct file *f = NULL;

	if (fds) {
		f = fdtable_next(fds, fd);
		fdtable_put(fds);
	}
	return f;
}

/* The same for the process to which @dir belongs. */
static struct file *file_in(const struct inode *dir, int *fd)
{
	struct process *p = process_find_by_task(ino_pid(dir));
	struct file *f = p ? next_file(p, fd) : NULL;

	if (p)
		process_put(p);
	return f;
}

/* Finds the file to which the link leads, referenced. */
static int link_file(const struct inode *link, struct file **out)
{
	struct process *p = process_find_by_task(ino_pid(link));
	int fd = ino_fd(link);
	struct file *f = p ? next_file(p, &fd) : NULL;
	int err = p && cred_may_inspect(p) ? 0 : -EACCES;

	if (p)
		process_put(p);
	if (f && (err || fd != ino_fd(link))) {
		file_put(f);
		f = NULL;
	}
	*out = f;
	return err || f ? err : -ENOENT;
}

/* A link's mode shows how the file was opened. */
static u32 link_mode(const struct file *f)
{
	bool place = f->flags & O_PATH, reads = file_reads(f), writes = file_writes(f);

	if (place || !(reads || writes))
		return S_IFLNK;
	return S_IFLNK | 0100 | (reads ? 0400 : 0) | (writes ? 0200 : 0);
}

static int fd_lookup(struct inode *dir, const char *name, size_t len, struct inode **out)
{
	int fd, at, err;
	struct file *f;

	if (!proc_number(name, len, &fd))
		return -ENOENT;
	at = fd;
	f = file_in(dir, &at);
	if (!f)
		return -ENOENT;
	err = at == fd ? make_inode(link_mode(f), link_ino(dir, fd), out) : -ENOENT;
	file_put(f);
	return err;
}

static int fd_readdir(struct inode *dir, off_t pos, dirent_fn emit, void *arg)
	HOLDS(dir->lock)
{
	int fd = MAX(pos - 2, 0);
	struct file *f;
	char name[12];

	if (!emit_dots(dir, pos, emit, arg))
		return 0;
	while ((f = file_in(dir, &fd))) {
		file_put(f);
		if (!emit(arg, name, snprintf(name, sizeof(name), "%d", fd),
			  link_ino(dir, fd), S_IFLNK, fd + 3))
			return 0;
		fd++;
	}
	return 0;
}

static int fd_follow(struct inode *link, struct inode **out)
{
	struct file *f;
	int err = link_file(link, &f);

	if (err)
		return err;
	*out = inode_get(f->inode);
	file_put(f);
	return 0;
}

/* Describes files with and without a path as Linux does. */
static int describe(const struct file *f, char *buf, size_t size)
{
	const char *device;
	int n;

	if (f->inode->dev == DEV_PIPES)
		return snprintf(buf, size, "pipe:[%lu]", f->inode->ino);
	if (f->ops->name)
		return snprintf(buf, size, "anon_inode:%s", f->ops->name);
	n = file_path(f, buf, size);
	device = n < 0 && inode_is(f->inode, S_IFCHR) ? dev_path(f->inode->rdev) : NULL;
	return device ? snprintf(buf, size, "%s", device) : n;
}

static int fd_readlink(struct inode *link, char *buf, size_t size)
{
	struct file *f;
	int n = link_file(link, &f);

	if (n)
		return n;
	n = describe(f, buf, size);
	file_put(f);
	return n;
}

static bool fd_allows(const struct inode *dir)
{
	struct process *p = process_find_by_task(ino_pid(dir));
	bool own = p == current_process();

	if (p)
		process_put(p);
	return own;
}

static void fd_release(struct inode *i)
{
	kfree(i);
}

static const struct inode_ops dir_ops = {
	.lookup = fd_lookup,
	.readdir = fd_readdir,
	.allows = fd_allows,
	.release = fd_release,
};

static const struct inode_ops link_ops = {
	.readlink = fd_readlink,
	.follow = fd_follow,
	.release = fd_release,
};
