/*
 * System calls that name files: open, create, remove, rename, link.
 *
 * Each call copies its names into the kernel first (struct user_path), so that no user thread can
 * change a name after it has been checked. The rest is a call of the VFS.
 */
#include "sys.h"

#include "abi.h"

struct inode *cwd_get(void)
{
	struct place *place = current_process()->place;

	return place_dir(place, &place->cwd);
}

int user_fd_inode(int fd, struct inode **out)
{
	struct file *f SCOPED(file) = fd_get_any(fd);

	*out = f ? inode_get(f->inode) : NULL;
	return f ? 0 : -EBADF;
}

int user_file_inode(int fd, struct inode **out)
{
	struct file *f SCOPED(file) = fd_get(fd);

	*out = f ? inode_get(f->inode) : NULL;
	return f ? 0 : -EBADF;
}

/* Copies a string that may be as long as a path. The caller frees *out, also after an error. */
static int copy_path(vaddr_t from, char **out)
{
	ssize_t len;

	*out = kmalloc(PATH_MAX);
	if (!*out)
		return -ENOMEM;
	len = copy_string_from_user(*out, from, PATH_MAX);
	return len < 0 ? len : 0;
}

int user_name_get(vaddr_t path, unsigned flags, struct user_path *p)
{
	int err = copy_path(path, &p->name);

	p->at = NULL;
	return !err && !p->name[0] && !(flags & AT_EMPTY_PATH) ? -ENOENT : err;
}

/* Finds where a relative path begins. */
static int start_at(int dirfd, struct inode **at)
{
	if (dirfd != AT_FDCWD)
		return user_fd_inode(dirfd, at);
	*at = cwd_get();
	return 0;
}

int user_path_start(int dirfd, struct user_path *p)
{
	if (p->name[0] != '/')
		return start_at(dirfd, &p->at);
	p->at = inode_get(root_inode);
	return 0;
}

int user_path_get(int dirfd, vaddr_t path, unsigned flags, struct user_path *p)
{
	int err = user_name_get(path, flags, p);

	return err ? err : user_path_start(dirfd, p);
}

/* *@out: a reference, or NULL after an error. */
static int inode_of(const struct user_path *p, unsigned flags, struct inode **out)
{
	*out = NULL;
	if (p->name[0])
		return path_lookup(p->at, p->name, flags & AT_SYMLINK_NOFOLLOW, out);
	*out = inode_get(p->at);
	return 0;
}

int user_path_inode(int dirfd, vaddr_t path, unsigned flags, struct inode **out)
{
	struct user_path p SCOPED(path);
	int err = user_path_get(dirfd, path, flags, &p);

	*out = NULL;
	return err ? err : inode_of(&p, flags, out);
}

/* Checks open()'s flags; Linux does that before it looks at the path. */
static int check_open_flags(u32 flags)
{
	if (flags & O_PATH)
		return 0;
	if (flags & O_TMPFILE_ALONE)
		return (flags & (O_DIRECTORY | O_CREAT)) == O_DIRECTORY &&
				       (flags & O_ACCMODE) != O_RDONLY
			       ? 0
			       : -EINVAL;
	return (flags & O_DIRECTORY) && (flags & O_CREAT) ? -EINVAL : 0;
}

static long open_within(int dirfd, vaddr_t path, u32 flags, u32 mode, u32 resolve)
{
	struct user_path p SCOPED(path) = { NULL, NULL };
	struct file *f = NULL;
	int err = check_open_flags(flags), fd;

	if (!err)
		err = user_name_get(path, 0, &p);
	fd = err ? err : fd_reserve(0, fd_limit());
	if (fd < 0)
		return fd;
	mode &= 07777 & ~current_process()->place->umask;
	err = resolve & RESOLVE_IN_ROOT ? start_at(dirfd, &p.at) : user_path_start(dirfd, &p);
	if (!err)
		err = path_open_within(p.at, p.name, flags | O_LARGEFILE, mode, resolve, &f);
	fd_fill(fd, f, flags & O_CLOEXEC);
	return err ? err : fd;
}

long sys_openat(int dirfd, vaddr_t path, u32 flags, u32 mode)
{
	return open_within(dirfd, path, flags, mode, 0);
}

struct open_how {			/* Linux's */
	u64 flags, mode, resolve;
};

#define RESOLVE_CACHED	32u	/* without waiting for a disk */
#define RESOLVE_ALL	63u
#define OPEN_FLAGS	0x7fffc3u

/* Unlike open(), openat2() refuses bits that it does not know or would not use. */
static int check_how(const struct open_how *how)
{
	bool makes = how->flags & (O_CREAT | O_TMPFILE_ALONE);
	u64 of_path = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	if ((how->flags & ~(u64)OPEN_FLAGS) || (how->resolve & ~(u64)RESOLVE_ALL) ||
	    (how->mode & ~(makes ? 07777UL : 0UL)) ||
	    ((how->flags & O_PATH) && (how->flags & ~of_path)) ||
	    (how->resolve & RESOLVE_BENEATH && how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	return how->resolve & RESOLVE_CACHED && (makes || how->flags & O_TRUNC) ? -EAGAIN : 0;
}

long sys_openat2(int dirfd, vaddr_t path, vaddr_t in, size_t size)
{
	struct open_how how;
	int err = size < sizeof(how) ? -EINVAL : copy_struct_from_user(&how, sizeof(how), in, size);

	if (!err)
		err = check_how(&how);
	how.resolve &= ~(u64)RESOLVE_CACHED;
	return err ? err : open_within(dirfd, path, how.flags, how.mode, how.resolve);
}

/* Checks its arguments and refuses: no file system here has handles. */
long sys_name_to_handle_at(int dirfd, vaddr_t path, vaddr_t handle, vaddr_t mount, u32 flags)
{
	unsigned follow = flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW;
	struct inode *inode SCOPED(inode);
	int err = user_path_inode(dirfd, path, flags | follow, &inode);

	(void)handle;
	(void)mount;
	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return err ? err : -EOPNOTSUPP;
}

long sys_mkdirat(int dirfd, vaddr_t path, u32 mode)
{
	struct user_path p SCOPED(path);
	int err = user_path_get(dirfd, path, 0, &p);

	mode &= 01777 & ~current_process()->place->umask;
	return err ? err : vfs_create(p.at, p.name, S_IFDIR | mode, 0);
}

/* Directories are made by mkdir() only. */
static int may_mknod(u32 kind)
{
	switch (kind) {
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	case S_IFDIR:
		return -EPERM;
	}
	return -EINVAL;
}

long sys_mknodat(int dirfd, vaddr_t path, u32 mode, u32 rdev)
{
	u32 kind = mode & S_IFMT ? mode & S_IFMT : S_IFREG;	/* the default: a regular file */
	struct user_path p SCOPED(path) = { NULL, NULL };
	int err = may_mknod(kind);

	mode &= 07777 & ~current_process()->place->umask;
	if (!err)
		err = user_path_get(dirfd, path, 0, &p);
	return err ? err : vfs_create(p.at, p.name, kind | mode, rdev);
}

long sys_unlinkat(int dirfd, vaddr_t path, u32 flags)
{
	struct user_path p SCOPED(path);
	int err = user_path_get(dirfd, path, 0, &p);

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	return err ? err : vfs_unlink(p.at, p.name, flags & AT_REMOVEDIR);
}

long sys_renameat2(int from_fd, vaddr_t from, int to_fd, vaddr_t to, u32 flags)
{
	struct user_path a SCOPED(path), b SCOPED(path) = { NULL, NULL };
	int err = user_path_get(from_fd, from, 0, &a);

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (!err)
		err = user_path_get(to_fd, to, 0, &b);
	return err ? err : vfs_rename(a.at, a.name, b.at, b.name, flags);
}

/*
 * As user_path_start() of a path that may be empty. An open file gets a name only from one who has
 * opened it, or may search all; so the file that is asked about is the one that the path starts at.
 */
static int start_to_link(int fd, struct user_path *p)
{
	struct file *f SCOPED(file) = NULL;

	if (fd == AT_FDCWD || p->name[0] == '/')
		return user_path_start(fd, p);
	f = fd_get_any(fd);
	if (!f)
		return -EBADF;
	if (f->opener != current_cred()->uid.fs && !capable(CAP_DAC_READ_SEARCH))
		return -ENOENT;
	p->at = inode_get(f->inode);
	return 0;
}

long sys_linkat(int from_fd, vaddr_t from, int to_fd, vaddr_t to, u32 flags)
{
	unsigned follow = flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW;
	struct user_path a SCOPED(path) = { NULL, NULL }, b SCOPED(path) = { NULL, NULL };
	struct inode *inode SCOPED(inode) = NULL;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = user_name_get(from, flags, &a);
	if (!err && flags & AT_EMPTY_PATH)
		err = start_to_link(from_fd, &a);
	else if (!err)
		err = user_path_start(from_fd, &a);
	if (!err)
		err = inode_of(&a, follow, &inode);
	if (!err)
		err = user_path_get(to_fd, to, 0, &b);
	return err ? err : vfs_link(b.at, b.name, inode);
}

long sys_symlinkat(vaddr_t target, int dirfd, vaddr_t path)
{
	struct user_path p SCOPED(path) = { NULL, NULL };
	char *text SCOPED(kmem);
	int err = copy_path(target, &text);

	if (!err)
		err = *text ? user_path_get(dirfd, path, 0, &p) : -ENOENT;
	return err ? err : vfs_symlink(p.at, p.name, text);
}

/* Copies the link's text as Linux does: cut off at @size and without a terminator. */
long sys_readlinkat(int dirfd, vaddr_t path, vaddr_t buf, size_t size)
{
	struct inode *inode SCOPED(inode) = NULL;
	char *text SCOPED(kmem) = kmalloc(PATH_MAX);
	char first = 0;
	long len;

	if ((int)size <= 0)
		return -EINVAL;
	if (!text)
		return -ENOMEM;
	len = user_path_inode(dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &inode);
	if (!len && inode_is(inode, S_IFLNK))
		len = inode->ops->readlink(inode, text, PATH_MAX);
	else if (!len)
		len = copy_from_user(&first, path, 1) || first ? -EINVAL : -ENOENT;
	if (len > 0) {
		len = MIN((size_t)len, size);
		if (copy_to_user(buf, text, len))
			return -EFAULT;
	}
	return len;
}

long sys_truncate(vaddr_t path, off_t size)
{
	struct inode *inode SCOPED(inode);
	int err = user_path_inode(AT_FDCWD, path, 0, &inode);

	if (size < 0)
		return -EINVAL;
	if (!err && inode_is(inode, S_IFREG))
		err = inode_permission(inode, MAY_WRITE);
	return err ? err : vfs_truncate(inode, size);
}
