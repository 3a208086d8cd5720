/*
 * Calls about processes that a descriptor names; kernel/process/pidfd.c has the files behind them.
 */
#include "sys.h"

#include "process/pidfd.h"
#include "procfs/procfs.h"

long sys_pidfd_open(pid_t pid, u32 flags)
{
	struct process *p SCOPED(process) = NULL;
	struct file *f;
	int err;

	if ((flags & ~O_NONBLOCK) || pid <= 0)
		return -EINVAL;
	p = process_find_by_task(pid);
	if (!p)
		return -ESRCH;
	if (p->pid != pid)		/* another thread's id */
		return -EINVAL;
	err = pidfd_create(p, flags, &f);
	return err ? err : fd_install(f, 0, fd_limit(), true);
}

/* @in 0: as kill() sends it. Only to itself may a process pretend to be the kernel or kill(). */
static int send(struct process *p, int sig, vaddr_t in)
{
	struct signal_info info;
	int err;

	if (in) {
		if (copy_from_user(&info, in, sizeof(info)))
			return -EFAULT;
		if (info.signo != sig)
			return -EINVAL;
		if (p != current_process() && (info.code >= 0 || info.code == SI_TKILL))
			return -EPERM;
	}
	if (!process_is_listed(p))
		return -ESRCH;
	err = signal_may_send(p, sig);
	if (err)
		return err;
	return in ? signal_send_info(p, NULL, &info) : signal_send_process(p, sig);
}

/* @fd may also be a directory /proc/PID: Linux allowed that before it had pidfd_open(). */
long sys_pidfd_send_signal(int fd, int sig, vaddr_t in, u32 flags)
{
	struct file *f SCOPED(file) = flags ? NULL : fd_get(fd);
	struct process *named = f ? pidfd_process(f) : NULL, *p SCOPED(process) = NULL;
	pid_t pid = f ? proc_directory_of(f) : 0;

	if (!named && !pid)
		return flags ? -EINVAL : -EBADF;
	p = named ? process_get(named) : process_find(pid);
	return p ? send(p, sig, in) : -ESRCH;
}

/* Returns a reference to the file behind @p's descriptor @fd, or NULL. */
static struct file *file_of(struct process *p, int fd)
{
	struct fdtable *fds = process_get_fds(p);
	struct file *f = NULL;
	int at = fd;

	if (!fds)
		return NULL;		/* it has ended */
	f = fd >= 0 ? fdtable_next(fds, &at) : NULL;
	fdtable_put(fds);
	if (f && at != fd) {
		file_put(f);
		f = NULL;
	}
	return f;
}

long sys_pidfd_getfd(int fd, int target, u32 flags)
{
	struct file *f SCOPED(file) = flags ? NULL : fd_get(fd);
	struct process *p = f ? pidfd_process(f) : NULL;
	struct file *theirs SCOPED(file) = NULL;

	if (!p)
		return flags ? -EINVAL : -EBADF;
	if (!process_is_listed(p))
		return -ESRCH;
	theirs = file_of(p, target);
	if (!cred_may_inspect(p))	/* asked with the file in hand, as in process_vm.c */
		return -EPERM;
	return theirs ? fd_install(file_get(theirs), 0, fd_limit(), true) : -EBADF;
}

/* --- Comparing what two processes have -------------------------------------------------------- */

enum { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_IO, KCMP_SYSVSEM };

/* Gives two kernel objects an order without revealing their addresses. */
static long order_of(const void *a, const void *b)
{
	return a == b ? 0 : (vaddr_t)a < (vaddr_t)b ? 1 : 2;
}

static long compare(struct process *a, struct process *b, int type, int fd, int other)
{
	struct file *f SCOPED(file) = NULL, *g SCOPED(file) = NULL;

	switch (type) {
	case KCMP_FILE:
		f = file_of(a, fd);
		g = f ? file_of(b, other) : NULL;
		return g ? order_of(f, g) : -EBADF;
	case KCMP_VM:
		return order_of(a->as, b->as);
	case KCMP_FILES:
		return order_of(a->fds, b->fds);
	case KCMP_FS:
		return order_of(a->place, b->place);
	case KCMP_SIGHAND:
		return signal_shares_actions(a, b) ? 0 : order_of(a, b);
	case KCMP_IO:			/* no process has any of these two */
	case KCMP_SYSVSEM:
		return 0;
	}
	return -EINVAL;
}

long sys_kcmp(pid_t pid, pid_t other_pid, int type, u64 what, u64 other)
{
	struct process *a SCOPED(process) = process_find_by_task(pid);
	struct process *b SCOPED(process) = process_find_by_task(other_pid);

	if (!a || !b)
		return -ESRCH;
	if (!cred_may_inspect(a) || !cred_may_inspect(b))
		return -EPERM;
	return compare(a, b, type, what, other);
}
