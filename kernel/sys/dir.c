/*
 * Directories: listing, and the working directory.
 */
#include "sys.h"

#include "cpu.h"
#include "errno.h"
#include "mm.h"
#include "process.h"
#include "string.h"
#include "syscall.h"
#include "vfs.h"
#include "vm.h"

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
	struct listing l = { .size = MIN(size, PAGE_SIZE) };
	long n;

	if (!f->inode->ops->readdir)
		return -ENOTDIR;
	l.buf = kmalloc(l.size);
	if (!l.buf)
		return -ENOMEM;
	mutex_lock(&f->lock);
	n = list_directory(f, &l);
	if (n > 0 && copy_to_user(buf, l.buf, n))
		n = -EFAULT;
	if (n >= 0)
		f->offset = l.next;
	mutex_unlock(&f->lock);
	kfree(l.buf);
	return n;
}

long sys_getdents64(int fd, vaddr_t buf, size_t size)
{
	struct file *f = fd_get(fd);
	long n;

	if (!f)
		return -EBADF;
	n = getdents(f, buf, size);
	file_put(f);
	return n;
}

/* The result counts the terminator. */
long sys_getcwd(vaddr_t buf, size_t size)
{
	struct inode *cwd = cwd_get();
	char *path = kmalloc(PATH_MAX);
	long len = -ENOMEM;

	if (!path)
		goto out;
	len = path_of(cwd, path, PATH_MAX);
	if (len < 0)
		goto out;
	len = strlen(path) + 1;
	if ((size_t)len > size)
		len = -ERANGE;
	else if (copy_to_user(buf, path, len))
		len = -EFAULT;
out:
	kfree(path);
	inode_put(cwd);
	return len;
}

/* Takes over the reference to @dir. */
static int set_cwd(struct inode *dir)
{
	struct process *p = current_process();
	struct inode *old = dir;
	int err = -ENOTDIR;

	if ((dir->mode & S_IFMT) == S_IFDIR) {
		spin_lock(&p->lock);
		old = p->cwd;
		p->cwd = dir;
		spin_unlock(&p->lock);
		err = 0;
	}
	inode_put(old);
	return err;
}

long sys_chdir(vaddr_t path)
{
	struct inode *dir;
	int err = user_path_inode(AT_FDCWD, path, 0, &dir);

	return err ? err : set_cwd(dir);
}

long sys_fchdir(int fd)
{
	struct file *f = fd_get(fd);
	struct inode *dir;

	if (!f)
		return -EBADF;
	dir = inode_get(f->inode);
	file_put(f);
	return set_cwd(dir);
}
