/*
 * Directories: listing, the working directory, the root.
 */
#include "sys.h"

#include "base/string.h"

/* Linux's struct linux_dirent64, followed by the name and its terminator. */
struct dirent64 {
	u64 ino;
	s64 next;		/* position of the following entry */
	u16 reclen;
	u8 type;
	char name[];
} __attribute__((packed));

/* The older struct linux_dirent: the type follows the name, as the last byte. */
struct dirent_old {
	u64 ino;
	s64 next;
	u16 reclen;
	char name[];
} __attribute__((packed));

/* Collects entries in kernel memory: no user page may be faulted in under a directory's lock. */
struct listing {
	char *buf;
	size_t size, used;
	off_t next;
	bool full;
	bool old;		/* as struct dirent_old */
};

static bool add_entry(void *arg, const char *name, size_t len, u64 ino, u32 mode, off_t next)
{
	struct listing *l = arg;
	size_t before = l->old ? sizeof(struct dirent_old) + 1 : sizeof(struct dirent64);
	size_t reclen = ALIGN_UP(before + len + 1, 8);
	struct dirent64 *d = (struct dirent64 *)(l->buf + l->used);
	u8 type = (mode & S_IFMT) >> 12;

	if (reclen > l->size - l->used) {
		l->full = true;
		return false;
	}
	memset(d, 0, reclen);
	d->ino = ino;
	d->next = next;
	d->reclen = reclen;
	if (l->old) {
		memcpy(((struct dirent_old *)d)->name, name, len);
		l->buf[l->used + reclen - 1] = type;
	} else {
		d->type = type;
		memcpy(d->name, name, len);
	}
	l->used += reclen;
	l->next = next;
	return true;
}

static long list_directory(struct file *f, struct listing *l) HOLDS(f->lock)
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

static long getdents(struct file *f, vaddr_t buf, size_t size, bool old)
{
	char *kbuf SCOPED(kmem) = kmalloc(PAGE_SIZE);
	struct listing l = { .buf = kbuf, .size = MIN(size, PAGE_SIZE), .old = old };
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
	if (n >= 0)
		file_accessed(f);
	return n;
}

long sys_getdents64(int fd, vaddr_t buf, size_t size)
{
	struct file *f SCOPED(file) = fd_get(fd);

	return f ? getdents(f, buf, size, false) : -EBADF;
}

long sys_getdents(int fd, vaddr_t buf, size_t size)
{
	struct file *f SCOPED(file) = fd_get(fd);

	return f ? getdents(f, buf, size, true) : -EBADF;
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

/* Makes @dir the caller's working directory or root, if it may be searched. */
static int set_place(bool root, struct inode *dir)
{
	struct place *place = current_process()->place;
	struct inode *old SCOPED(inode) = NULL;
	int err = inode_is(dir, S_IFDIR) ? inode_permission(dir, MAY_EXEC) : -ENOTDIR;

	if (!err && root && !capable(CAP_SYS_CHROOT))
		err = -EPERM;
	if (!err)
		old = place_change(place, root ? &place->root : &place->cwd, inode_get(dir));
	return err;
}

long sys_chdir(vaddr_t path)
{
	struct inode *dir SCOPED(inode);
	int err = user_path_inode(AT_FDCWD, path, 0, &dir);

	return err ? err : set_place(false, dir);
}

long sys_fchdir(int fd)
{
	struct inode *dir SCOPED(inode);
	int err = user_fd_inode(fd, &dir);

	return err ? err : set_place(false, dir);
}

/* From now on absolute paths begin at @path and `..` ends there. The working directory stays. */
long sys_chroot(vaddr_t path)
{
	struct inode *dir SCOPED(inode);
	int err = user_path_inode(AT_FDCWD, path, 0, &dir);

	return err ? err : set_place(true, dir);
}
