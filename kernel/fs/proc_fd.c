/*
 * /proc/PID/fd: a process's open files, as symbolic links that lead to the files themselves and
 * not to where their text does: also to pipes, and to what has been removed. /dev/fd is one way
 * here.
 *
 * An inode's number is a mark, the process's id, and for a link its descriptor + 1. Each is made by
 * a lookup and goes with its last reference.
 */
#include "dev.h"
#include "errno.h"
#include "fs.h"
#include "mm.h"
#include "printf.h"
#include "proc.h"
#include "process.h"
#include "string.h"

#define MARK		BIT(61)
#define FD_BITS		13	/* FD_MAX, and 1 more */

static const struct inode_ops dir_ops, link_ops;
static const struct file_ops dir_file_ops;

static pid_t ino_pid(const struct inode *i)
{
	return (i->ino & ~MARK) >> FD_BITS;
}

static int ino_fd(const struct inode *i)
{
	return (int)(i->ino & (BIT(FD_BITS) - 1)) - 1;
}

static u64 make_ino(pid_t pid, int fd)
{
	return MARK | (u64)pid << FD_BITS | (u64)(fd + 1);
}

u64 proc_fd_ino(pid_t pid)
{
	return make_ino(pid, -1);
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
	*out = i;
	return 0;
}

int proc_fd_dir(struct inode *parent, pid_t pid, struct inode **out)
{
	int err = make_inode(S_IFDIR | 0500, make_ino(pid, -1), out);

	if (err)
		return err;
	(*out)->nlink = 2;
	(*out)->parent = inode_get(parent);
	return 0;
}

/* The first file of the process at or above *@fd, referenced, and where it is; NULL: none. */
static struct file *file_from(pid_t pid, int *fd)
{
	struct process *p = process_find_by_task(pid);
	struct file *f = NULL;
	struct fdtable *fds;

	if (!p)
		return NULL;
	fds = process_get_fds(p);
	if (fds) {
		f = fdtable_next(fds, fd);
		fdtable_put(fds);
	}
	process_put(p);
	return f;
}

static struct file *link_file(const struct inode *link)
{
	int fd = ino_fd(link);
	struct file *f = file_from(ino_pid(link), &fd);

	if (f && fd != ino_fd(link)) {
		file_put(f);
		return NULL;
	}
	return f;
}

static int fd_lookup(struct inode *dir, const char *name, size_t len, struct inode **out)
{
	int fd = 0, at;
	struct file *f;

	if (len > 4 || (len > 1 && name[0] == '0'))
		return -ENOENT;
	for (size_t i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -ENOENT;
		fd = fd * 10 + name[i] - '0';
	}
	at = fd;
	f = file_from(ino_pid(dir), &at);
	if (f)
		file_put(f);
	return f && at == fd ? make_inode(S_IFLNK | 0700, make_ino(ino_pid(dir), fd), out)
			     : -ENOENT;
}

static int fd_readdir(struct inode *dir, off_t pos, dirent_fn emit, void *arg)
{
	int fd = MAX(pos - 2, 0);
	struct file *f;
	char name[12];

	if (!emit_dots(dir, pos, emit, arg))
		return 0;
	while ((f = file_from(ino_pid(dir), &fd))) {
		file_put(f);
		if (!emit(arg, name, snprintf(name, sizeof(name), "%d", fd),
			  make_ino(ino_pid(dir), fd), S_IFLNK, fd + 3))
			return 0;
		fd++;
	}
	return 0;
}

static int fd_follow(struct inode *link, struct inode **out)
{
	struct file *f = link_file(link);

	if (!f)
		return -ENOENT;
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
	struct file *f = link_file(link);
	int n;

	if (!f)
		return -ENOENT;
	n = describe(f, buf, size);
	file_put(f);
	return n;
}

static void fd_release(struct inode *i)
{
	kfree(i);
}

static const struct inode_ops dir_ops = {
	.lookup = fd_lookup,
	.readdir = fd_readdir,
	.release = fd_release,
};

static const struct inode_ops link_ops = {
	.readlink = fd_readlink,
	.follow = fd_follow,
	.release = fd_release,
};
