/*
 * System calls that name files: open, create, remove, rename, link.
 *
 * Each copies its names into the kernel first (struct user_path), so that nothing a user thread
 * does meanwhile can change them under the checks; then it is a call of the VFS.
 */
#include "sys.h"

#include "abi.h"

struct inode *cwd_get(void)
{
	struct process *p = current_process();
	struct inode *cwd;

	spin_lock(&p->lock);
	cwd = inode_get(p->cwd);
	spin_unlock(&p->lock);
	return cwd;
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

/* A string argument that may be as long as a path. */
static int copy_path(vaddr_t from, char **out)
{
	ssize_t len;

	*out = kmalloc(PATH_MAX);
	if (!*out)
		return -ENOMEM;
	len = copy_string_from_user(*out, from, PATH_MAX);
	return len < 0 ? len : 0;
}

/* An absolute path does not look at @dirfd, which may then be anything. */
int user_path_get(int dirfd, vaddr_t path, struct user_path *p)
{
	int err = copy_path(path, &p->name);

	p->at = NULL;
	if (err)
		return err;
	if (p->name[0] != '/' && dirfd != AT_FDCWD)
		return user_fd_inode(dirfd, &p->at);
	p->at = p->name[0] == '/' ? inode_get(root_inode) : cwd_get();
	return 0;
}

int user_path_inode(int dirfd, vaddr_t path, unsigned flags, struct inode **out)
{
	struct user_path p SCOPED(path);
	int err = user_path_get(dirfd, path, &p);

	*out = NULL;
	if (err)
		return err;
	if (p.name[0] || !(flags & AT_EMPTY_PATH))
		return path_lookup(p.at, p.name, flags & AT_SYMLINK_NOFOLLOW, out);
	*out = inode_get(p.at);
	return 0;
}

long sys_openat(int dirfd, vaddr_t path, u32 flags, u32 mode)
{
	struct process *proc = current_process();
	struct user_path p SCOPED(path);
	struct file *f;
	int err = user_path_get(dirfd, path, &p);

	if (!err)
		err = path_open(p.at, p.name, flags & ~O_LARGEFILE, mode & 07777 & ~proc->umask,
				&f);
	return err ? err : fd_install(f, 0, fd_limit(), flags & O_CLOEXEC);
}

long sys_mkdirat(int dirfd, vaddr_t path, u32 mode)
{
	struct user_path p SCOPED(path);
	int err = user_path_get(dirfd, path, &p);

	mode &= 01777 & ~current_process()->umask;
	return err ? err : vfs_create(p.at, p.name, S_IFDIR | mode, 0);
}

/* Directories are made otherwise; without a kind it is a regular file. */
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
	u32 kind = mode & S_IFMT ? mode & S_IFMT : S_IFREG;
	struct user_path p SCOPED(path) = { NULL, NULL };
	int err = may_mknod(kind);

	mode &= 07777 & ~current_process()->umask;
	if (!err)
		err = user_path_get(dirfd, path, &p);
	return err ? err : vfs_create(p.at, p.name, kind | mode, rdev);
}

long sys_unlinkat(int dirfd, vaddr_t path, u32 flags)
{
	struct user_path p SCOPED(path);
	int err = user_path_get(dirfd, path, &p);

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	return err ? err : vfs_unlink(p.at, p.name, flags & AT_REMOVEDIR);
}

long sys_renameat2(int from_fd, vaddr_t from, int to_fd, vaddr_t to, u32 flags)
{
	struct user_path a SCOPED(path), b SCOPED(path) = { NULL, NULL };
	int err = user_path_get(from_fd, from, &a);

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (!err)
		err = user_path_get(to_fd, to, &b);
	return err ? err : vfs_rename(a.at, a.name, b.at, b.name, flags);
}

long sys_linkat(int from_fd, vaddr_t from, int to_fd, vaddr_t to, u32 flags)
{
	unsigned follow = flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW;
	struct user_path p SCOPED(path) = { NULL, NULL };
	struct inode *inode SCOPED(inode);
	int err = user_path_inode(from_fd, from, flags | follow, &inode);

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!err)
		err = user_path_get(to_fd, to, &p);
	return err ? err : vfs_link(p.at, p.name, inode);
}

long sys_symlinkat(vaddr_t target, int dirfd, vaddr_t path)
{
	struct user_path p SCOPED(path) = { NULL, NULL };
	char *text SCOPED(kmem);
	int err = copy_path(target, &text);

	if (!err)
		err = *text ? user_path_get(dirfd, path, &p) : -ENOENT;
	return err ? err : vfs_symlink(p.at, p.name, text);
}

/* The link's text, cut off at @size and not terminated, as Linux gives it. */
long sys_readlinkat(int dirfd, vaddr_t path, vaddr_t buf, size_t size)
{
	struct inode *inode SCOPED(inode);
	char *text SCOPED(kmem) = kmalloc(PATH_MAX);
	long len = user_path_inode(dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &inode);

	if ((int)size <= 0)
		return -EINVAL;
	if (!text)
		return -ENOMEM;
	if (!len)
		len = inode_is(inode, S_IFLNK) ? inode->ops->readlink(inode, text, PATH_MAX)
					       : -EINVAL;
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
