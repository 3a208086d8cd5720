/* Files by name, mostly through the *at() calls, and reading directories. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libc.h"

int stat(const char *path, struct stat *st)
{
	return fstatat(AT_FDCWD, path, st, 0);
}

int lstat(const char *path, struct stat *st)
{
	return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

int faccessat(int dir, const char *path, int mode, int flags)
{
	return call6(SYS_faccessat2, dir, (long)path, mode, flags, 0, 0);
}

int access(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, 0);
}

int chmod(const char *path, mode_t mode)
{
	return call(SYS_fchmodat, AT_FDCWD, (long)path, mode);
}

int chown(const char *path, uid_t uid, gid_t gid)
{
	return fchownat(AT_FDCWD, path, uid, gid, 0);
}

int lchown(const char *path, uid_t uid, gid_t gid)
{
	return fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int mknod(const char *path, mode_t mode, dev_t dev)
{
	return call6(SYS_mknodat, AT_FDCWD, (long)path, mode, dev, 0, 0);
}

int mkfifo(const char *path, mode_t mode)
{
	return mknod(path, mode | S_IFIFO, 0);
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
	int r = unlink(path);

	return r && errno == EISDIR ? rmdir(path) : r;
}

int rename(const char *from, const char *to)
{
	return call6(SYS_renameat2, AT_FDCWD, (long)from, AT_FDCWD, (long)to, 0, 0);
}

int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int symlink(const char *target, const char *path)
{
	return symlinkat(target, AT_FDCWD, path);
}

ssize_t readlink(const char *path, char *buf, size_t size)
{
	return readlinkat(AT_FDCWD, path, buf, size);
}

int futimens(int fd, const struct timespec times[2])
{
	return utimensat(fd, NULL, times, 0);
}

char *getcwd(char *buf, size_t size)
{
	char *own = NULL;

	if (!buf) {
		size = size ? size : 4096;
		buf = own = malloc(size);
	}
	if (!buf || call(SYS_getcwd, (long)buf, size, 0) < 0) {
		free(own);
		return NULL;
	}
	return buf;
}

/*
 * A directory stream: the buffer holds the answer of one getdents64(), of which pos .. end has not
 * been returned yet.
 */
struct __dir {
	int fd;
	unsigned pos, end;
	char buf[2048] __attribute__((aligned(8)));
};

DIR *fdopendir(int fd)
{
	DIR *d = malloc(sizeof(*d));

	if (d) {
		d->fd = fd;
		d->pos = d->end = 0;
	}
	return d;
}

DIR *opendir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

struct dirent *readdir(DIR *d)
{
	struct dirent *e;
	long n;

	if (d->pos == d->end) {
		n = call(SYS_getdents64, d->fd, (long)d->buf, sizeof(d->buf));
		if (n <= 0)
			return NULL;
		d->pos = 0;
		d->end = n;
	}
	e = (struct dirent *)(d->buf + d->pos);
	d->pos += e->d_reclen;
	return e;
}

void rewinddir(DIR *d)
{
	lseek(d->fd, 0, SEEK_SET);
	d->pos = d->end = 0;
}

int closedir(DIR *d)
{
	int fd = d->fd;

	free(d);
	return close(fd);
}

int dirfd(DIR *d)
{
	return d->fd;
}
