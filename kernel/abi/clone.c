/*
 * New threads and processes: clone(), and fork() and vfork() where a port has them.
 *
 * A thread shares everything with its creator. A process may share the memory (vfork(), and so
 * posix_spawn()), the descriptors, the actions of signals, and the working directory and root. Any
 * other set of flags is -EINVAL. Every step that can fail comes before thread_create_in() returns,
 * so a thread once created never has to be taken back.
 *
 * The new thread starts in user_thread_main(), on its own kernel stack and in its own address
 * space, and enters user mode with a copy of its creator's registers and result 0.
 *
 * vfork(): the child runs in its parent's address space until it execs or exits. Meanwhile the
 * parent waits for a completion on its own stack, at which child->vfork_done points. That pointer
 * is cleared under child->lock. So the completion outlives a child that is signalling it, and a
 * child whose parent was killed while it waited keeps no pointer to the parent's stack.
 */
#include "sys.h"

#include "abi.h"
#include "process/pidfd.h"
#include "sched/sched.h"
#include "sync/sync.h"
#include "thread/thread.h"

#define CLONE_EXIT_SIGNAL	0xffu
#define CLONE_FS		0x00000200u
#define CLONE_FILES		0x00000400u
#define CLONE_SIGHAND		0x00000800u
#define CLONE_PIDFD		0x00001000u
#define CLONE_PTRACE		0x00002000u
#define CLONE_PARENT		0x00008000u
#define CLONE_THREAD		0x00010000u
#define CLONE_SYSVSEM		0x00040000u
#define CLONE_SETTLS		0x00080000u
#define CLONE_PARENT_SETTID	0x00100000u
#define CLONE_CHILD_CLEARTID	0x00200000u
#define CLONE_DETACHED		0x00400000u
#define CLONE_UNTRACED		0x00800000u
#define CLONE_CHILD_SETTID	0x01000000u
#define CLONE_IO		0x80000000u
#define CLONE_CLEAR_SIGHAND	(1UL << 32)
#define CLONE_INTO_CGROUP	(1UL << 33)

/* The flags that make a thread, and those that may be added for a thread or a process. */
#define THREAD_FLAGS	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define TID_FLAGS	(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)
#define ODD_FLAGS	(CLONE_EXIT_SIGNAL | CLONE_SYSVSEM | CLONE_DETACHED | CLONE_PTRACE | \
		   CLONE_UNTRACED | CLONE_IO) /* no effect here */
#define EXTRA_FLAGS	(CLONE_SETTLS | CLONE_CLEAR_SIGHAND | CLONE_PIDFD | TID_FLAGS | ODD_FLAGS)

/* The flags of a process, in any combination, except that CLONE_SIGHAND needs CLONE_VM. */
#define PROCESS_FLAGS	(CLONE_VM | CLONE_VFORK | CLONE_PARENT | CLONE_FS | CLONE_FILES | \
		       CLONE_SIGHAND)

struct clone_args {
	u64 flags;
	u8 exit_signal;
	vaddr_t stack;			/* its top; 0: where the creator's stack pointer is */
	vaddr_t parent_tid, child_tid, tls;
	vaddr_t pidfd;			/* CLONE_PIDFD: where the descriptor's number goes */
};

/* The first function of a new user thread. It stores its id at @child_tid, unless that is NULL. */
static int user_thread_main(void *child_tid)
{
	struct thread *t = current_thread();
	struct process *p = t->process;

	if (child_tid)
		copy_to_user((vaddr_t)child_tid, &t->tid, sizeof(t->tid));
	spin_lock(&p->lock);
	if (p->stopped)		/* stopping the process skipped this thread: it had not started */
		thread_suspend(t);
	signal_pass_on(p);	/* signals that came before the process had a thread */
	spin_unlock(&p->lock);
	arch_user_enter();
}

/* Creates the thread with its registers, suspended. */
static int create_thread(struct process *p, const struct clone_args *a, struct thread **out)
{
	struct thread *self = current_thread(), *t;
	vaddr_t set_tid = a->flags & CLONE_CHILD_SETTID ? a->child_tid : 0;
	struct sched_params params = self->se.params;
	int err = policy_params_of_child(&params);

	if (!err)
		err = thread_create_in(p, self->name, user_thread_main, (void *)set_tid,
				       PRIORITY_DEFAULT, &t);
	if (err)
		return err;
	arch_user_clone(t, self);
	if (a->stack)
		arch_user_set_sp(t, a->stack);
	if (a->flags & CLONE_SETTLS)
		arch_user_set_tls(t, a->tls);
	if (a->flags & CLONE_CHILD_CLEARTID)
		t->clear_tid = a->child_tid;
	if ((a->flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM)
		t->sigstack = self->sigstack;
	t->ioprio = self->ioprio;
	t->timer_slack = t->timer_slack_default = self->timer_slack;
	if (params.class != SCHED_OTHER || params.nice)
		sched_set_params(t, &params);
	if (t->affinity != self->affinity)
		sched_set_affinity(t, self->affinity);
	if (a->flags & CLONE_PARENT_SETTID)
		copy_to_user(a->parent_tid, &t->tid, sizeof(t->tid));
	*out = t;
	return 0;
}

/* Reads the id before the thread may run: afterwards the thread may already be gone. */
static tid_t start(struct thread *t)
{
	tid_t tid = t->tid;

	thread_resume(t);
	return tid;
}

/* --- Processes -------------------------------------------------------------------------------- */

static int copy_resources(struct process *parent, struct process *child, u64 flags)
{
	int err = 0;

	if (flags & CLONE_FS) {
		place_put(child->place);
		child->place = place_get(parent->place);
	}
	if (flags & CLONE_FILES)
		child->fds = fdtable_get(parent->fds);
	else
		err = fdtable_clone(parent->fds, &child->fds);
	if (err)
		return err;
	if (flags & CLONE_VM) {
		child->as = as_get(parent->as);
		return 0;
	}
	return as_fork(parent->as, &child->as);
}

/* For CLONE_PIDFD. Returns the descriptor, or an error. */
static int install_pidfd(struct process *child, vaddr_t out)
{
	struct file *f;
	s32 fd = pidfd_create(child, 0, &f);

	if (!fd)
		fd = fd_install(f, 0, fd_limit(), true);
	if (fd >= 0 && copy_to_user(out, &fd, sizeof(fd))) {
		fd_close(fd);
		return -EFAULT;
	}
	return fd;
}

static long clone_process(const struct clone_args *a)
{
	struct process *child;
	struct completion done;
	struct thread *t;
	pid_t pid;
	int err = process_create(current_process(), &child), pidfd = -1;

	if (err)
		return err;
	if (a->flags & CLONE_CLEAR_SIGHAND)
		signal_reset_actions(child);
	err = copy_resources(current_process(), child, a->flags);
	if (!err && (a->flags & CLONE_PIDFD))
		pidfd = err = install_pidfd(child, a->pidfd);
	if (err >= 0)
		err = create_thread(child, a, &t);
	if (err) {
		if (pidfd >= 0)
			fd_close(pidfd);
		process_abandon(child);
		return err;
	}
	child->exit_signal = a->exit_signal;
	if (a->flags & CLONE_SIGHAND)
		signal_share_actions(current_process(), child);
	if (a->flags & CLONE_PARENT) {
		child->exit_signal = current_process()->exit_signal;
		process_make_sibling(child);
	}
	if (!(a->flags & CLONE_VFORK))
		return start(t);
	completion_init(&done);
	child->vfork_done = &done;
	process_get(child);
	pid = start(t);
	vfork_wait(child, &done);
	process_put(child);
	return pid;
}

/* --- The calls -------------------------------------------------------------------------------- */

static long do_clone(const struct clone_args *a)
{
	u64 kind = a->flags & ~(u64)EXTRA_FLAGS;
	struct thread *t;
	int err;

	if (kind != THREAD_FLAGS && (kind & ~(u64)PROCESS_FLAGS))
		return -EINVAL;
	if ((kind & CLONE_SIGHAND) && !(kind & CLONE_VM))
		return -EINVAL;
	if ((a->flags & CLONE_PIDFD) && (a->flags & (CLONE_DETACHED | CLONE_THREAD)))
		return -EINVAL;
	if ((kind & CLONE_PARENT) && current_process() == init_process)
		return -EINVAL;
	if (kind != THREAD_FLAGS)
		return clone_process(a);
	err = create_thread(current_process(), a, &t);
	return err ? err : start(t);
}

long sys_clone(u64 flags, vaddr_t stack, vaddr_t parent_tid, u64 a3, u64 a4)
{
	struct clone_args a = { .flags = (u32)flags, .exit_signal = flags & CLONE_EXIT_SIGNAL,
				.stack = stack, .parent_tid = parent_tid, .pidfd = parent_tid };

	if ((flags & CLONE_PIDFD) && (flags & CLONE_PARENT_SETTID))
		return -EINVAL;		/* they would go to the same place */
	abi_clone_args(a3, a4, &a.tls, &a.child_tid);
	return do_clone(&a);
}

/* --- clone3() --------------------------------------------------------------------------------- */

struct clone3_args {			/* Linux's */
	u64 flags, pidfd, child_tid, parent_tid, exit_signal;
	u64 stack, stack_size, tls;
	u64 set_tid, set_tid_size;	/* ids that the caller chooses: always refused */
	u64 cgroup;
};

#define CLONE3_SIZE_MIN		64
#define SET_TID_MAX		32	/* an id for each of so many nested namespaces */

/* Makes Linux's checks, in Linux's order. */
static int clone3_check(const struct clone3_args *a)
{
	bool alone = a->flags & (CLONE_THREAD | CLONE_PARENT);

	if (a->set_tid_size > SET_TID_MAX || !a->set_tid != !a->set_tid_size)
		return -EINVAL;
	if (a->exit_signal > NSIG || ((a->flags & CLONE_INTO_CGROUP) && a->cgroup > S32_MAX))
		return -EINVAL;
	if (a->flags & ~(u64)(U32_MAX | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP))
		return -EINVAL;
	if ((a->flags & (CLONE_DETACHED | CLONE_EXIT_SIGNAL)) || (alone && a->exit_signal))
		return -EINVAL;		/* one bit is a time namespace's, which there is not */
	if ((a->flags & CLONE_SIGHAND) && (a->flags & CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if (!a->stack != !a->stack_size || a->stack + a->stack_size < a->stack)
		return -EINVAL;
	if (a->set_tid)
		return -EPERM;
	return a->flags & CLONE_INTO_CGROUP ? -EBADF : 0;
}

long sys_clone3(vaddr_t in, size_t size)
{
	struct clone3_args a;
	int err = size < CLONE3_SIZE_MIN ? -EINVAL : copy_struct_from_user(&a, sizeof(a), in, size);

	if (!err)
		err = clone3_check(&a);
	if (err)
		return err;
	return do_clone(&(struct clone_args){
		.flags = a.flags, .exit_signal = a.exit_signal,
		.stack = a.stack + a.stack_size, .parent_tid = a.parent_tid,
		.child_tid = a.child_tid, .tls = a.tls, .pidfd = a.pidfd });
}
