/*
 * The calls that x86_64 still numbers beside the ones that replaced them. RISC-V's table has none
 * of these; each is its successor with a fixed argument.
 */
#include "sys.h"

#include "errno.h"
#include "syscall.h"
#include "vfs.h"
#include "wait.h"

long sys_open(vaddr_t path, u32 flags, u32 mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

long sys_creat(vaddr_t path, u32 mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long sys_stat(vaddr_t path, vaddr_t out)
{
	return sys_newfstatat(AT_FDCWD, path, out, 0);
}

long sys_lstat(vaddr_t path, vaddr_t out)
{
	return sys_newfstatat(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW);
}

long sys_access(vaddr_t path, u32 mode)
{
	return sys_faccessat(AT_FDCWD, path, mode);
}

long sys_pipe(vaddr_t out)
{
	return sys_pipe2(out, 0);
}

/* Waits for a signal that kills. */
long sys_pause(void)
{
	return thread_sleep_until(DEADLINE_NEVER);
}

/* Unlike dup3(), it lets a descriptor be duplicated onto itself. */
long sys_dup2(int fd, int to)
{
	struct file *f;

	if (fd != to)
		return sys_dup3(fd, to, 0);
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	file_put(f);
	return to;
}

long sys_mkdir(vaddr_t path, u32 mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

long sys_rmdir(vaddr_t path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

long sys_unlink(vaddr_t path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

long sys_rename(vaddr_t from, vaddr_t to)
{
	return sys_renameat(AT_FDCWD, from, AT_FDCWD, to);
}

long sys_link(vaddr_t from, vaddr_t to)
{
	return sys_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

long sys_symlink(vaddr_t target, vaddr_t path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

long sys_readlink(vaddr_t path, vaddr_t buf, size_t size)
{
	return sys_readlinkat(AT_FDCWD, path, buf, size);
}

long sys_chmod(vaddr_t path, u32 mode)
{
	return sys_fchmodat(AT_FDCWD, path, mode);
}
