/* A file's attributes. */
#pragma once

#include <bits/stat.h>
#include <sys/types.h>

#define st_atime	st_atim.tv_sec
#define st_mtime	st_mtim.tv_sec
#define st_ctime	st_ctim.tv_sec

#define S_IFMT		0170000
#define S_IFSOCK	0140000
#define S_IFLNK		0120000
#define S_IFREG		0100000
#define S_IFBLK		0060000
#define S_IFDIR		0040000
#define S_IFCHR		0020000
#define S_IFIFO		0010000
#define S_ISUID		04000
#define S_ISGID		02000
#define S_ISVTX		01000
#define S_IRWXU		0700
#define S_IRUSR		0400
#define S_IWUSR		0200
#define S_IXUSR		0100
#define S_IRWXG		0070
#define S_IRGRP		0040
#define S_IWGRP		0020
#define S_IXGRP		0010
#define S_IRWXO		0007
#define S_IROTH		0004
#define S_IWOTH		0002
#define S_IXOTH		0001

#define S_ISBLK(mode)	(((mode) & S_IFMT) == S_IFBLK)
#define S_ISCHR(mode)	(((mode) & S_IFMT) == S_IFCHR)
#define S_ISDIR(mode)	(((mode) & S_IFMT) == S_IFDIR)
#define S_ISFIFO(mode)	(((mode) & S_IFMT) == S_IFIFO)
#define S_ISLNK(mode)	(((mode) & S_IFMT) == S_IFLNK)
#define S_ISREG(mode)	(((mode) & S_IFMT) == S_IFREG)
#define S_ISSOCK(mode)	(((mode) & S_IFMT) == S_IFSOCK)

#define UTIME_NOW	0x3fffffff
#define UTIME_OMIT	0x3ffffffe

int chmod(const char *path, mode_t mode);
int fchmod(int fd, mode_t mode);
int fstat(int fd, struct stat *st);
int fstatat(int dir, const char *path, struct stat *st, int flags);
int futimens(int fd, const struct timespec times[2]);
int lstat(const char *path, struct stat *st);
int mkdir(const char *path, mode_t mode);
int mkdirat(int dir, const char *path, mode_t mode);
int mkfifo(const char *path, mode_t mode);
int mknod(const char *path, mode_t mode, dev_t dev);
int stat(const char *path, struct stat *st);
mode_t umask(mode_t mask);
int utimensat(int dir, const char *path, const struct timespec times[2], int flags);
