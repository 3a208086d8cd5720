/*
 * Calls about processes that a descriptor names; kernel/process/pidfd.c has the files behind them.
 */
#include "process/cred.h"
#include "process/pidfd.h"
#include "process/signal.h"
#include "procfs/procfs.h"
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
/* A file of @p by its number there, referenced; NULL: there is none. */
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
	struct file *theirs;

	if (!p)
		return flags ? -EINVAL : -EBADF;
	if (!process_is_listed(p))
		return -ESRCH;
	if (!cred_may_inspect(p))
		return -EPERM;
	theirs = file_of(p, target);
	return theirs ? fd_install(theirs, 0, fd_limit(), true) : -EBADF;
}

/* --- Are things of two processes the same? ---------------------------------------------------- */

enum { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_IO, KCMP_SYSVSEM };

/* Addresses are told apart, but not told. */
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
		return order_of(a, b);
	case KCMP_IO:			/* nobody has any of these two */
	case KCMP_SYSVSEM:
		return 0;
	}
	return -EINVAL;
}

long sys_kcmp(pid_t pid, pid_t other_pid, int type, u64 what, u64 other)
{
	struct process *a = process_find_by_task(pid), *b = process_find_by_task(other_pid);
	long result = -ESRCH;

	if (a && b)
		result = cred_may_inspect(a) && cred_may_inspect(b)
				 ? compare(a, b, type, what, other)
				 : -EPERM;
	if (a)
		process_put(a);
	if (b)
		process_put(b);
	return result;
}
