/*
 * Directories: listing, the working directory, the root.
 */
#include "sys.h"

#include "cred.h"
#include "string.h"

/* Linux's struct linux_dirent64, followed by the name and its terminator. */
struct dirent64 {
	u64 ino;
	s64 next;		/* where the following entry is */
	u16 reclen;
	u8 type;
	char name[];
} __attribute__((packed));

/* Entries are collected in the kernel: no user page may be faulted in under a directory's lock. */
struct listing {
	char *buf;
	size_t size, used;
	off_t next;
	bool full;
};

static bool add_entry(void *arg, const char *name, size_t len, u64 ino, u32 mode, off_t next)
{
	struct listing *l = arg;
	size_t reclen = ALIGN_UP(sizeof(struct dirent64) + len + 1, 8);
	struct dirent64 *d = (struct dirent64 *)(l->buf + l->used);

	if (reclen > l->size - l->used) {
		l->full = true;
		return false;
	}
	memset(d, 0, reclen);
	d->ino = ino;
	d->next = next;
	d->reclen = reclen;
	d->type = (mode & S_IFMT) >> 12;
	memcpy(d->name, name, len);
	l->used += reclen;
	l->next = next;
	return true;
}

/* f->lock held. */
static long list_directory(struct file *f, struct listing *l)
{
	struct inode *dir = f->inode;
	int err;

	l->next = f->offset;
	mutex_lock(&dir->lock);
	err = dir->nlink ? dir->ops->readdir(dir, f->offset, add_entry, l) : -ENOENT;
	mutex_unlock(&dir->lock);
	if (err < 0)
		return err;
	return l->full && !l->used ? -EINVAL : (long)l->used;
}

static long getdents(struct file *f, vaddr_t buf, size_t size)
{
	char *kbuf SCOPED(kmem) = kmalloc(PAGE_SIZE);
	struct listing l = { .buf = kbuf, .size = MIN(size, PAGE_SIZE) };
	long n;

	if (!kbuf)
		return -ENOMEM;
	if (!inode_is(f->inode, S_IFDIR))
		return -ENOTDIR;
	mutex_lock(&f->lock);
	n = list_directory(f, &l);
	if (n > 0 && copy_to_user(buf, l.buf, n))
		n = -EFAULT;
	if (n >= 0)
		f->offset = l.next;
	mutex_unlock(&f->lock);
	return n;
}

long sys_getdents64(int fd, vaddr_t buf, size_t size)
{
	struct file *f SCOPED(file) = fd_get(fd);

	return f ? getdents(f, buf, size) : -EBADF;
}

/* The result counts the terminator. */
long sys_getcwd(vaddr_t buf, size_t size)
{
	struct inode *cwd SCOPED(inode) = cwd_get();
	char *path SCOPED(kmem) = kmalloc(PATH_MAX);
	long len = path ? path_of(cwd, path, PATH_MAX) : -ENOMEM;

	if (len < 0)
		return len;
	len = strlen(path) + 1;
	if ((size_t)len > size)
		return -ERANGE;
	return copy_to_user(buf, path, len) ? -EFAULT : len;
}

/* Takes over the reference to @dir, and gives the caller that to the one before, or NULL. */
static int set_place(struct inode **place, struct inode **dir)
{
	struct process *p = current_process();
	struct inode *old;

	spin_lock(&p->lock);
	old = *place;
	*place = *dir;
	spin_unlock(&p->lock);
	*dir = old;
	return 0;
}

/* A directory that may be searched; chdir() asks for no more. */
static int may_enter(const struct inode *dir)
{
	return inode_is(dir, S_IFDIR) ? inode_permission(dir, MAY_EXEC) : -ENOTDIR;
}

long sys_chdir(vaddr_t path)
{
	struct inode *dir SCOPED(inode);
	int err = user_path_inode(AT_FDCWD, path, 0, &dir);

	if (!err)
		err = may_enter(dir);
	return err ? err : set_place(&current_process()->cwd, &dir);
}

long sys_fchdir(int fd)
{
	struct inode *dir SCOPED(inode);
	int err = user_fd_inode(fd, &dir);

	if (!err)
		err = may_enter(dir);
	return err ? err : set_place(&current_process()->cwd, &dir);
}

/* Where its absolute paths begin from now on, and `..` ends. The working directory stays. */
long sys_chroot(vaddr_t path)
{
	struct inode *dir SCOPED(inode);
	int err = user_path_inode(AT_FDCWD, path, 0, &dir);

	if (!err)
		err = may_enter(dir);
	if (!err && !capable(CAP_SYS_CHROOT))
		err = -EPERM;
	return err ? err : set_place(&current_process()->root, &dir);
}
