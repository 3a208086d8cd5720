/*
 * Processes as system calls see them: exit and wait, ids, groups and sessions.
 *
 * Groups and sessions are [tree_lock]. Changing them gives a process other ids, but leaves the
 * shape of the tree of processes alone.
 */
#include "sys.h"

#include "process/pidfd.h"

/* --- Exit and wait ---------------------------------------------------------------------------- */

long sys_exit(int code)
{
	thread_exit(code & 0xff);
}

long sys_exit_group(int code)
{
	process_exit(STATUS_EXIT(code));
}

#define WAIT_KINDS	(WALL | WCLONE | WNOTHREAD)

long sys_wait4(pid_t which, vaddr_t status, int options, vaddr_t usage)
{
	struct wait_result res;
	int err;

	if ((u32)options & ~(WNOHANG | WUNTRACED | WCONTINUED | WAIT_KINDS))
		return -EINVAL;
	if (which == S32_MIN)
		return -ESRCH;
	err = process_wait(which, options | WEXITED, &res);
	if (err || !res.pid)
		return err;
	if (status && copy_to_user(status, &res.status, sizeof(res.status)))
		return -EFAULT;
	err = usage ? usage_put(usage, &res.used) : 0;
	return err ? err : res.pid;
}

#define P_ALL		0
#define P_PID		1
#define P_PGID		2
#define P_PIDFD		3

/* Waits for the child of pidfd @fd. With O_NONBLOCK it does not block, but returns -EAGAIN. */
static int wait_pidfd(int fd, int options, struct wait_result *res)
{
	struct file *f SCOPED(file) = fd >= 0 ? fd_get(fd) : NULL;
	struct process *p = f ? pidfd_process(f) : NULL;
	bool nonblock = f && (f->flags & O_NONBLOCK);
	int err;

	if (!p)
		return fd < 0 ? -EINVAL : -EBADF;
	if (!process_is_listed(p))
		return -ECHILD;
	err = process_wait(p->pid, options | (nonblock ? WNOHANG : 0), res);
	return !err && !res->pid && nonblock && !(options & WNOHANG) ? -EAGAIN : err;
}

/* The part of Linux's siginfo_t that waitid() writes. */
struct child_info {
	s32 signo, error, code, pad;
	pid_t pid;
	u32 uid;
	s32 status;
};

static struct child_info child_info_of(const struct wait_result *res)
{
	struct child_info ci = { .signo = SIGCHLD, .code = CLD_EXITED, .pid = res->pid,
				 .uid = res->uid, .status = res->status >> 8 };
	int sig = res->status & 0x7f;

	if (!res->pid)
		return (struct child_info){ .signo = 0 };
	if (res->status == STATUS_CONTINUED) {
		ci.code = CLD_CONTINUED;
		ci.status = SIGCONT;
	} else if (sig == 0x7f) {
		ci.code = CLD_STOPPED;
	} else if (sig) {
		ci.code = CLD_KILLED;
		ci.status = sig;
	}
	return ci;
}

static int wait_child(int type, pid_t id, int options, struct wait_result *res)
{
	if (((u32)options & ~(WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | WAIT_KINDS)) ||
	    !(options & (WEXITED | WUNTRACED | WCONTINUED)))
		return -EINVAL;
	switch (type) {
	case P_ALL:
		return process_wait(-1, options, res);
	case P_PID:
		return id > 0 ? process_wait(id, options, res) : -EINVAL;
	case P_PGID:
		return id >= 0 ? process_wait(-id, options | WGROUP, res) : -EINVAL;
	case P_PIDFD:
		return wait_pidfd(id, options, res);
	default:
		return -EINVAL;
	}
}

/* Writes all fields of @info, but not its padding; after an error they are zero, as on Linux. */
long sys_waitid(int type, pid_t id, vaddr_t info, int options, vaddr_t usage)
{
	struct wait_result res = { .pid = 0 };
	int err = wait_child(type, id, options, &res);
	struct child_info ci = child_info_of(&res);
	size_t rest = offsetof(struct child_info, pid);

	if (res.pid && usage && usage_put(usage, &res.used))
		return -EFAULT;
	if (info && (copy_to_user(info, &ci, offsetof(struct child_info, pad)) ||
		     copy_to_user(info + rest, &ci.pid, sizeof(ci) - rest)))
		return -EFAULT;
	return err;
}

/* --- Ids -------------------------------------------------------------------------------------- */

long sys_getpid(void)
{
	return current_process()->pid;
}

long sys_getppid(void)
{
	return atomic_load_explicit(&current_process()->ppid, memory_order_relaxed);
}

/* Returns the group or session of process @pid; 0 is the caller. */
static long id_of(pid_t pid, bool session)
{
	struct process *p SCOPED(process) = pid ? process_find_by_task(pid)
						: process_get(current_process());
	long id;

	if (!p)
		return -ESRCH;
	spin_lock(&tree_lock);
	id = session ? p->sid : p->pgid;
	spin_unlock(&tree_lock);
	return id;
}

long sys_getpgid(pid_t pid)
{
	return id_of(pid, false);
}

long sys_getsid(pid_t pid)
{
	return id_of(pid, true);
}

/*
 * Checks whether @p may change its group: it must be the caller, or a child of the caller that has
 * not called exec yet. The checks have Linux's order.
 */
static int may_regroup(const struct process *p) HOLDS(tree_lock)
{
	const struct process *self = current_process();

	if (p->parent == self && p->sid != self->sid)
		return -EPERM;
	if (p->parent == self && p->execed)
		return -EACCES;
	if (p->parent != self && p != self)
		return -ESRCH;
	return p->sid == p->pid ? -EPERM : 0;
}

/* A process starts a group of its own, or joins one of its session. */
static int set_pgid(struct process *p, pid_t pgid)
{
	int err;

	spin_lock(&tree_lock);
	err = may_regroup(p);
	if (!err && pgid != p->pid && !process_group_exists(pgid, current_process()->sid))
		err = -EPERM;
	if (!err)
		p->pgid = pgid;
	spin_unlock(&tree_lock);
	return err;
}

long sys_setpgid(pid_t pid, pid_t pgid)
{
	struct process *p SCOPED(process) = NULL;

	pid = pid ? pid : current_process()->pid;
	pgid = pgid ? pgid : pid;
	if (pgid < 0)
		return -EINVAL;
	p = process_find_by_task(pid);
	if (!p)
		return -ESRCH;
	if (p->pid != pid)		/* another thread's id */
		return -EINVAL;
	return set_pgid(p, pgid);
}

long sys_setsid(void)
{
	struct process *p = current_process();
	long id = -EPERM;

	spin_lock(&tree_lock);
	if (!process_group_exists(p->pid, -1))
		id = p->sid = p->pgid = p->pid;
	spin_unlock(&tree_lock);
	return id;
}

long sys_personality(u32 persona)
{
	struct process *p = current_process();
	u32 was = p->personality;

	if (persona != ~0u)
		p->personality = persona;
	return was;
}
