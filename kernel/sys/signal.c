/*
 * Signal system calls. What signals do is in kernel/thread/signal.c.
 *
 * A handler function cannot be installed yet: rt_sigaction() refuses it with -ENOSYS, counted, and
 * says nothing it cannot keep. SIG_DFL and SIG_IGN work, and so do blocking and pending.
 */
#include "signal.h"

#include "abi.h"
#include "counters.h"
#include "sys.h"

static int kill_process(pid_t pid, int sig)
{
	struct process *p = process_find(pid);
	int err;

	if (!p)
		return -ESRCH;
	err = signal_send_process(p, sig);
	process_put(p);
	return err;
}

long sys_kill(pid_t pid, int sig)
{
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (pid > 0)
		return kill_process(pid, sig);
	if (pid == INT32_MIN)
		return -ESRCH;
	return signal_send_group(pid == -1 ? -1 : pid ? -pid : current_process()->pgid, sig);
}

/* @pid 0: whatever process @tid belongs to. */
static long kill_thread(pid_t pid, tid_t tid, int sig)
{
	struct thread *t = thread_find(tid);
	int err = -ESRCH;

	if (!t)
		return -ESRCH;
	if (t->process != &kernel_process && (!pid || t->process->pid == pid))
		err = signal_send_thread(t, sig);
	thread_put(t);
	return err;
}

long sys_tkill(tid_t tid, int sig)
{
	return tid <= 0 ? -EINVAL : kill_thread(0, tid, sig);
}

long sys_tgkill(pid_t pid, tid_t tid, int sig)
{
	return pid <= 0 || tid <= 0 ? -EINVAL : kill_thread(pid, tid, sig);
}

static int set_action(int sig, vaddr_t new)
{
	struct sigaction_slot slot = { .handler = SIG_DFL };
	struct abi_sigaction action;

	if (copy_from_user(&action, new, sizeof(action)))
		return -EFAULT;
	if (sig == SIGKILL || sig == SIGSTOP)
		return -EINVAL;
	if (action.handler != SIG_DFL && action.handler != SIG_IGN) {
		event_count(EVENT_ENOSYS);
		return -ENOSYS;
	}
	slot.handler = action.handler;
	slot.flags = action.flags;
	slot.mask = action.mask;
	signal_set_action(sig, &slot);
	return 0;
}

long sys_rt_sigaction(int sig, vaddr_t new, vaddr_t old, size_t set_size)
{
	struct sigaction_slot *slot;
	struct abi_sigaction was = { .handler = SIG_DFL };

	if (sig < 1 || sig > NSIG || set_size != sizeof(u64))
		return -EINVAL;
	slot = &current_process()->sigactions[sig - 1];
	was.handler = slot->handler;
	was.flags = slot->flags;
	was.mask = slot->mask;
	if (new) {
		int err = set_action(sig, new);

		if (err)
			return err;
	}
	return old ? copy_to_user(old, &was, sizeof(was)) : 0;
}

#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2

long sys_rt_sigprocmask(int how, vaddr_t new, vaddr_t old, size_t set_size)
{
	u64 was = current_thread()->sigmask, set;

	if (set_size != sizeof(u64))
		return -EINVAL;
	if (new) {
		if (copy_from_user(&set, new, sizeof(set)))
			return -EFAULT;
		switch (how) {
		case SIG_BLOCK:
			signal_set_mask(was | set);
			break;
		case SIG_UNBLOCK:
			signal_set_mask(was & ~set);
			break;
		case SIG_SETMASK:
			signal_set_mask(set);
			break;
		default:
			return -EINVAL;
		}
	}
	return old ? copy_to_user(old, &was, sizeof(was)) : 0;
}

long sys_rt_sigpending(vaddr_t out, size_t set_size)
{
	struct thread *t = current_thread();
	u64 set = atomic_load(&t->sigpending) | atomic_load(&t->process->sigpending);

	if (set_size > sizeof(set))
		return -EINVAL;
	set &= t->sigmask;
	return copy_to_user(out, &set, set_size);
}
