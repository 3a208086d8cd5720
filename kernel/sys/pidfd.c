/*
 * Calls about processes that a descriptor names; kernel/fs/pidfd.c has the files behind them.
 */
#include "cred.h"
#include "signal.h"
#include "sys.h"

long sys_pidfd_open(pid_t pid, u32 flags)
{
	struct process *p;
	struct file *f;
	int err;

	if ((flags & ~O_NONBLOCK) || pid <= 0)
		return -EINVAL;
	p = process_find_by_task(pid);
	if (!p)
		return -ESRCH;
	err = p->pid == pid ? pidfd_create(p, flags, &f) : -EINVAL;	/* a thread's */
	process_put(p);
	return err ? err : fd_install(f, 0, fd_limit(), true);
}

/* As the sender says, who may not pretend to others to be the kernel or kill(). */
static int get_info(vaddr_t in, int sig, const struct process *p, struct signal_info *info)
{
	if (copy_from_user(info, in, sizeof(*info)))
		return -EFAULT;
	if (info->signo != sig)
		return -EINVAL;
	return p != current_process() && (info->code >= 0 || info->code == SI_TKILL) ? -EPERM : 0;
}

static int send(struct process *p, int sig, vaddr_t in)
{
	struct signal_info info;
	int err = in ? get_info(in, sig, p, &info) : 0;

	if (err)
		return err;
	if (!process_is_listed(p))
		return -ESRCH;
	err = signal_may_send(p, sig);
	if (err)
		return err;
	return in ? signal_send_info(p, NULL, &info) : signal_send_process(p, sig);
}

/* A directory /proc/PID will do, too: it is older than pidfd_open(). */
long sys_pidfd_send_signal(int fd, int sig, vaddr_t in, u32 flags)
{
	struct file *f SCOPED(file) = flags ? NULL : fd_get(fd);
	struct process *p = f ? pidfd_process(f) : NULL;
	pid_t pid = f ? proc_directory_of(f) : 0;
	int err;

	if (!p && !pid)
		return flags ? -EINVAL : -EBADF;
	p = p ? process_get(p) : process_find(pid);
	if (!p)
		return -ESRCH;
	err = send(p, sig, in);
	process_put(p);
	return err;
}

/* The file behind another process's descriptor. */
long sys_pidfd_getfd(int fd, int target, u32 flags)
{
	struct file *f SCOPED(file) = flags ? NULL : fd_get(fd);
	struct process *p = f ? pidfd_process(f) : NULL;
	struct fdtable *fds;
	struct file *theirs;
	int at = target;

	if (!p)
		return flags ? -EINVAL : -EBADF;
	if (!process_is_listed(p))
		return -ESRCH;
	if (!cred_may_inspect(p))
		return -EPERM;
	fds = process_get_fds(p);
	if (!fds)
		return -EBADF;		/* it has ended */
	theirs = target >= 0 ? fdtable_next(fds, &at) : NULL;
	fdtable_put(fds);
	if (theirs && at == target)
		return fd_install(theirs, 0, fd_limit(), true);
	if (theirs)
		file_put(theirs);
	return -EBADF;
}
