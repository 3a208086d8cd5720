/*
 * System calls that name files: open, create, remove, rename, link.
 *
 * Each copies its names into the kernel first (struct user_path), so that nothing a user thread
 * does meanwhile can change them under the checks; then it is a call of the VFS.
 */
#include "sys.h"

#include "abi.h"
#include "cpu.h"
#include "errno.h"
#include "mm.h"
#include "process.h"
#include "syscall.h"
#include "vfs.h"
#include "vm.h"

struct inode *cwd_get(void)
{
	struct process *p = current_process();
	struct inode *cwd;

	spin_lock(&p->lock);
	cwd = inode_get(p->cwd);
	spin_unlock(&p->lock);
	return cwd;
}

/* Where relative paths of *at() calls start. */
static int dirfd_inode(int dirfd, struct inode **out)
{
	struct file *f;

	if (dirfd == AT_FDCWD) {
		*out = cwd_get();
		return 0;
	}
	f = fd_get(dirfd);
	if (!f)
		return -EBADF;
	*out = inode_get(f->inode);
	file_put(f);
	return 0;
}

/* An absolute path does not look at @dirfd, which may then be anything. */
int user_path_get(int dirfd, vaddr_t path, struct user_path *p)
{
	ssize_t len;
	int err = 0;

	p->name = kmalloc(PATH_MAX);
	if (!p->name)
		return -ENOMEM;
	len = copy_string_from_user(p->name, path, PATH_MAX);
	if (len < 0)
		err = len;
	else if (p->name[0] == '/')
		p->at = inode_get(root_inode);
	else
		err = dirfd_inode(dirfd, &p->at);
	if (err)
		kfree(p->name);
	return err;
}

void user_path_put(struct user_path *p)
{
	inode_put(p->at);
	kfree(p->name);
}

int user_path_inode(int dirfd, vaddr_t path, unsigned flags, struct inode **out)
{
	struct user_path p;
	int err = user_path_get(dirfd, path, &p);

	if (err)
		return err;
	if (!p.name[0] && (flags & AT_EMPTY_PATH))
		*out = inode_get(p.at);
	else
		err = path_lookup(p.at, p.name, flags & AT_SYMLINK_NOFOLLOW, out);
	user_path_put(&p);
	return err;
}

long sys_openat(int dirfd, vaddr_t path, u32 flags, u32 mode)
{
	struct process *proc = current_process();
	struct user_path p;
	struct file *f;
	int err = user_path_get(dirfd, path, &p);

	if (err)
		return err;
	err = path_open(p.at, p.name, flags & ~O_LARGEFILE, mode & 07777 & ~proc->umask, &f);
	user_path_put(&p);
	if (err)
		return err;
	return fd_install(f, 0, proc->limits[RLIMIT_NOFILE].cur, flags & O_CLOEXEC);
}

long sys_mkdirat(int dirfd, vaddr_t path, u32 mode)
{
	struct user_path p;
	int err = user_path_get(dirfd, path, &p);

	if (err)
		return err;
	err = vfs_create(p.at, p.name, S_IFDIR | (mode & 01777 & ~current_process()->umask), 0);
	user_path_put(&p);
	return err;
}

long sys_unlinkat(int dirfd, vaddr_t path, u32 flags)
{
	struct user_path p;
	int err;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	err = user_path_get(dirfd, path, &p);
	if (err)
		return err;
	err = vfs_unlink(p.at, p.name, flags & AT_REMOVEDIR);
	user_path_put(&p);
	return err;
}

long sys_renameat2(int from_fd, vaddr_t from, int to_fd, vaddr_t to, u32 flags)
{
	struct user_path a, b;
	int err;

	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	err = user_path_get(from_fd, from, &a);
	if (err)
		return err;
	err = user_path_get(to_fd, to, &b);
	if (err)
		goto out_from;
	err = vfs_rename(a.at, a.name, b.at, b.name, flags);
	user_path_put(&b);
out_from:
	user_path_put(&a);
	return err;
}

long sys_renameat(int from_fd, vaddr_t from, int to_fd, vaddr_t to)
{
	return sys_renameat2(from_fd, from, to_fd, to, 0);
}

long sys_linkat(int from_fd, vaddr_t from, int to_fd, vaddr_t to, u32 flags)
{
	struct inode *inode;
	struct user_path p;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!(flags & AT_SYMLINK_FOLLOW))
		flags |= AT_SYMLINK_NOFOLLOW;
	err = user_path_inode(from_fd, from, flags, &inode);
	if (err)
		return err;
	err = user_path_get(to_fd, to, &p);
	if (err)
		goto out_inode;
	err = vfs_link(p.at, p.name, inode);
	user_path_put(&p);
out_inode:
	inode_put(inode);
	return err;
}

long sys_symlinkat(vaddr_t target, int dirfd, vaddr_t path)
{
	char *text = kmalloc(PATH_MAX);
	struct user_path p;
	ssize_t len;
	int err;

	if (!text)
		return -ENOMEM;
	len = copy_string_from_user(text, target, PATH_MAX);
	err = len < 0 ? len : len == 0 ? -ENOENT : user_path_get(dirfd, path, &p);
	if (err)
		goto out_text;
	err = vfs_symlink(p.at, p.name, text);
	user_path_put(&p);
out_text:
	kfree(text);
	return err;
}

/* The link's text, cut off at @size and not terminated, as Linux gives it. */
static long read_link(struct inode *inode, vaddr_t buf, size_t size)
{
	char *text;
	long len;

	if ((inode->mode & S_IFMT) != S_IFLNK || !inode->ops->readlink)
		return -EINVAL;
	text = kmalloc(PATH_MAX);
	if (!text)
		return -ENOMEM;
	len = inode->ops->readlink(inode, text, PATH_MAX);
	if (len > 0) {
		len = MIN((size_t)len, size);
		if (copy_to_user(buf, text, len))
			len = -EFAULT;
	}
	kfree(text);
	return len;
}

long sys_readlinkat(int dirfd, vaddr_t path, vaddr_t buf, size_t size)
{
	struct inode *inode;
	long result;

	if ((int)size <= 0)
		return -EINVAL;
	result = user_path_inode(dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &inode);
	if (result)
		return result;
	result = read_link(inode, buf, size);
	inode_put(inode);
	return result;
}

long sys_truncate(vaddr_t path, off_t size)
{
	struct inode *inode;
	int err = size < 0 ? -EINVAL : user_path_inode(AT_FDCWD, path, 0, &inode);

	if (err)
		return err;
	err = vfs_truncate(inode, size);
	inode_put(inode);
	return err;
}
