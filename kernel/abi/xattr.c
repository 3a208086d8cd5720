/*
 * Extended attributes, which no file has. As on a Linux file system without them, none can be set
 * or removed, lists are empty, and bad arguments are reported all the same.
 */
#include "sys.h"

#define XATTR_NAME_MAX	255
#define XATTR_SIZE_MAX	65536u
#define XATTR_FLAGS	3u		/* XATTR_CREATE, XATTR_REPLACE */

static int check_path(vaddr_t path, u32 flags)
{
	struct inode *inode SCOPED(inode);

	return user_path_inode(AT_FDCWD, path, flags, &inode);
}

static int check_file(int fd)
{
	struct inode *inode SCOPED(inode);

	return user_file_inode(fd, &inode);
}

/* Returns the error for an attribute of this name; @err is the error about the file, or 0. */
static int refuse(int err, vaddr_t from)
{
	char name[XATTR_NAME_MAX + 1];
	ssize_t len;

	if (err)
		return err;
	len = copy_string_from_user(name, from, sizeof(name));
	if (len == 0 || len == -ENAMETOOLONG)
		return -ERANGE;
	return len < 0 ? len : -EOPNOTSUPP;
}

static int refuse_value(int err, vaddr_t name, size_t size, u32 flags)
{
	if (!err && flags & ~XATTR_FLAGS)
		return -EINVAL;
	err = refuse(err, name);
	return err == -EOPNOTSUPP && size > XATTR_SIZE_MAX ? -E2BIG : err;
}

long sys_setxattr(vaddr_t path, vaddr_t name, vaddr_t value, size_t size, u32 flags)
{
	(void)value;
	return refuse_value(check_path(path, 0), name, size, flags);
}

long sys_lsetxattr(vaddr_t path, vaddr_t name, vaddr_t value, size_t size, u32 flags)
{
	(void)value;
	return refuse_value(check_path(path, AT_SYMLINK_NOFOLLOW), name, size, flags);
}

long sys_fsetxattr(int fd, vaddr_t name, vaddr_t value, size_t size, u32 flags)
{
	(void)value;
	return refuse_value(check_file(fd), name, size, flags);
}

/* syscalls.def makes removexattr() and its variants calls of these. */
long sys_getxattr(vaddr_t path, vaddr_t name)
{
	return refuse(check_path(path, 0), name);
}

long sys_lgetxattr(vaddr_t path, vaddr_t name)
{
	return refuse(check_path(path, AT_SYMLINK_NOFOLLOW), name);
}

long sys_fgetxattr(int fd, vaddr_t name)
{
	return refuse(check_file(fd), name);
}

long sys_listxattr(vaddr_t path)
{
	return check_path(path, 0);
}

long sys_llistxattr(vaddr_t path)
{
	return check_path(path, AT_SYMLINK_NOFOLLOW);
}

long sys_flistxattr(int fd)
{
	return check_file(fd);
}
