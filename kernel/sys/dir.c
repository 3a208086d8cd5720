/*
 * Directories: listing, and the working directory.
 */
#include "sys.h"

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

/* Takes over the reference to @dir, and gives the caller that to the one before. */
static int set_cwd(struct inode **dir)
{
	struct process *p = current_process();
	struct inode *old;

	if (!inode_is(*dir, S_IFDIR))
		return -ENOTDIR;
	spin_lock(&p->lock);
	old = p->cwd;
	p->cwd = *dir;
	spin_unlock(&p->lock);
	*dir = old;
	return 0;
}

long sys_chdir(vaddr_t path)
{
	struct inode *dir SCOPED(inode);
	int err = user_path_inode(AT_FDCWD, path, 0, &dir);

	return err ? err : set_cwd(&dir);
}

long sys_fchdir(int fd)
{
	struct inode *dir SCOPED(inode);
	int err = user_fd_inode(fd, &dir);

	return err ? err : set_cwd(&dir);
}
