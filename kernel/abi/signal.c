/*
 * Signal system calls. Signals themselves are in kernel/process/signal.c and deliver.c.
 */
#include "sys.h"

#include "abi.h"
#include "base/string.h"
#include "process/signalfd.h"
#include "process/timers.h"

#define MIN_SIGSTACK	2048

int signal_set_get(vaddr_t from, size_t size, u64 *set)
{
	return size == sizeof(*set) ? copy_from_user(set, from, size) : -EINVAL;
}

int signal_set_for_call(vaddr_t from, size_t size)
{
	u64 set;
	int err = from ? signal_set_get(from, size, &set) : 0;

	if (from && !err)
		signal_set_mask_for_call(set);
	return err;
}

/* @info NULL: as kill() sends it. */
static int kill_process(pid_t pid, int sig, const struct signal_info *info)
{
	struct process *p SCOPED(process) = process_find_by_task(pid);
	int err = p ? signal_may_send(p, sig) : -ESRCH;

	if (err)
		return err;
	return info ? signal_send_info(p, NULL, info) : signal_send_process(p, sig);
}

long sys_kill(pid_t pid, int sig)
{
	if (pid > 0)
		return kill_process(pid, sig, NULL);
	if (pid == S32_MIN)
		return -ESRCH;
	return signal_kill_group(pid == -1 ? -1 : pid ? -pid : current_process()->pgid, sig);
}

/* @pid 0: whatever process @tid belongs to. @info NULL: as tkill() sends it. */
static long kill_thread(pid_t pid, tid_t tid, int sig, const struct signal_info *info)
{
	struct thread *t SCOPED(thread) = thread_find(tid);
	int err;

	if (!t || t->process == &kernel_process || (pid && t->process->pid != pid))
		return -ESRCH;
	err = signal_may_send(t->process, sig);
	if (err)
		return err;
	return info ? signal_send_info(t->process, t, info) : signal_send_thread(t, sig, SI_TKILL);
}

long sys_tkill(tid_t tid, int sig)
{
	return tid <= 0 ? -EINVAL : kill_thread(0, tid, sig, NULL);
}

long sys_tgkill(pid_t pid, tid_t tid, int sig)
{
	return pid <= 0 || tid <= 0 ? -EINVAL : kill_thread(pid, tid, sig, NULL);
}

/* Maps a page with the code that handlers return to, if the kernel provides it on this port. */
static int map_trampoline(struct addr_space *as)
{
	static const u32 code[] = ABI_TRAMPOLINE_CODE;
	struct map_request req = {
		.addr = ABI_TRAMPOLINE, .size = PAGE_SIZE, .prot = VM_READ | VM_EXEC,
		.fixed = true, .noreplace = true,
	};
	struct page *page;
	vaddr_t at;
	int err = ABI_TRAMPOLINE ? as_map(as, &req, &at) : -EEXIST;

	if (err)
		return err == -EEXIST ? 0 : err;
	page = as_pin_page(as, ABI_TRAMPOLINE, VM_EXEC, &err);
	if (!page) {
		as_unmap(as, ABI_TRAMPOLINE, PAGE_SIZE);
		return err;
	}
	memcpy(page_to_virt(page), code, sizeof(code));
	page_put(page);
	return 0;
}

/* Unknown flags are dropped: a program finds out by reading the action back. */
#define ACTION_FLAGS	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_RESTORER | SA_ONSTACK | \
		      SA_RESTART | SA_NODEFER | SA_RESETHAND)

static int set_action(int sig, struct abi_sigaction *action)
{
	struct sigaction_slot slot;
	int err;

	if (sig == SIGKILL || sig == SIGSTOP)
		return -EINVAL;
	err = action->handler > SIG_IGN ? map_trampoline(current_process()->as) : 0;
	if (err)
		return err;
	slot = (struct sigaction_slot){
		.handler = action->handler, .flags = action->flags & ACTION_FLAGS,
		.mask = action->mask & ~(SIGSET(SIGKILL) | SIGSET(SIGSTOP)),
		.restorer = abi_restorer(action) ? *abi_restorer(action) : 0,
	};
	signal_set_action(sig, &slot);
	if (slot.handler != SIG_IGN)
		timers_signal_wanted(sig);
	return 0;
}

long sys_rt_sigaction(int sig, vaddr_t new, vaddr_t old, size_t set_size)
{
	struct process *p = current_process();
	struct sigaction_slot slot;
	struct abi_sigaction was, action;
	int err = 0;

	if (set_size != sizeof(u64))
		return -EINVAL;
	if (new && copy_from_user(&action, new, sizeof(action)))
		return -EFAULT;
	if (sig < 1 || sig > NSIG)
		return -EINVAL;
	spin_lock(&p->lock);
	slot = p->sigactions[sig - 1];
	spin_unlock(&p->lock);
	was = (struct abi_sigaction){ .handler = slot.handler, .flags = slot.flags,
				      .mask = slot.mask };
	if (abi_restorer(&was))
		*abi_restorer(&was) = slot.restorer;
	if (new)
		err = set_action(sig, &action);
	if (err)
		return err;
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
		if (how == SIG_BLOCK)
			set = was | set;
		else if (how == SIG_UNBLOCK)
			set = was & ~set;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		signal_set_mask(set);
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

/* --- Handlers --------------------------------------------------------------------------------- */

static int check_stack(const struct sigstack *new)
{
	s32 mode = new->flags & ~SS_AUTODISARM;

	if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
		return -EINVAL;
	return mode != SS_DISABLE && new->size < MIN_SIGSTACK ? -ENOMEM : 0;
}

/* Keeps only the flag SS_AUTODISARM: signal_stack_seen() works out the others. */
static void set_stack(struct thread *t, const struct sigstack *new)
{
	t->sigstack = *new;
	if ((new->flags & ~SS_AUTODISARM) == SS_DISABLE)
		t->sigstack = (struct sigstack){ .size = 0 };
	t->sigstack.flags = new->flags & SS_AUTODISARM;
}

/* The stack cannot be changed while a handler runs on it. */
long sys_sigaltstack(vaddr_t in, vaddr_t out)
{
	struct thread *t = current_thread();
	vaddr_t sp = arch_trap_sp(arch_trapframe(t));
	struct sigstack was = signal_stack_seen(t, sp), new;
	bool in_use = was.flags & SS_ONSTACK;
	int err;

	if (in) {
		if (copy_from_user(&new, in, sizeof(new)))
			return -EFAULT;
		err = in_use ? -EPERM : check_stack(&new);
		if (err)
			return err;
		set_stack(t, &new);
	}
	return out ? copy_to_user(out, &was, sizeof(was)) : 0;
}

/* Restores all registers, so the result is the one that the interrupted program had. */
long sys_rt_sigreturn(void)
{
	struct thread *t = current_thread();
	struct sigstack stack;
	long result;
	u64 mask;

	if (arch_signal_leave(arch_trapframe(t), &mask, &stack, &result)) {
		signal_force(SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	if (!check_stack(&stack))
		set_stack(t, &stack);
	signal_set_mask(mask);
	if (result == -EINTR || result <= -ERESTARTNOHAND)
		t->restart = RESTART_OFF;
	return result;
}

/* --- Waiting and queueing --------------------------------------------------------------------- */

long sys_rt_sigsuspend(vaddr_t in, size_t set_size)
{
	u64 mask;
	int err = signal_set_get(in, set_size, &mask);

	if (err)
		return err;
	signal_set_mask_for_call(mask);
	return signal_end_call(thread_sleep_until(DEADLINE_NEVER));
}

long sys_rt_sigtimedwait(vaddr_t in, vaddr_t out, vaddr_t timeout, size_t set_size)
{
	struct signal_info info;
	struct deadline d;
	u64 set;
	int sig, err = signal_set_get(in, set_size, &set);

	if (!err)
		err = deadline_get(timeout, CLOCK_MONOTONIC, false, &d);
	if (err)
		return err;
	set &= ~(SIGSET(SIGKILL) | SIGSET(SIGSTOP));
	sig = signal_wait(set, d, &info);
	if (sig == -EINTR)
		current_thread()->restart = RESTART_OFF;	/* never restarted */
	if (sig < 0)
		return sig == -ETIMEDOUT ? -EAGAIN : -EINTR;
	if (out && (clear_user(out, SIGINFO_SIZE) || copy_to_user(out, &info, sizeof(info))))
		return -EFAULT;
	return sig;
}

/* Copies the sender's siginfo. To other processes it may not look like the kernel's or kill()'s. */
static int get_info(vaddr_t in, int sig, pid_t to, struct signal_info *info)
{
	if (copy_from_user(info, in, sizeof(*info)))
		return -EFAULT;
	info->signo = sig;
	return (info->code >= 0 || info->code == SI_TKILL) && to != current_thread()->tid ? -EPERM
											  : 0;
}

long sys_rt_sigqueueinfo(pid_t pid, int sig, vaddr_t in)
{
	struct signal_info info;
	int err = get_info(in, sig, pid, &info);

	return err ? err : kill_process(pid, sig, &info);
}

long sys_rt_tgsigqueueinfo(pid_t pid, tid_t tid, int sig, vaddr_t in)
{
	struct signal_info info;
	int err;

	if (copy_from_user(&info, in, sizeof(info)))
		return -EFAULT;
	if (pid <= 0 || tid <= 0)
		return -EINVAL;
	err = get_info(in, sig, tid, &info);
	return err ? err : kill_thread(pid, tid, sig, &info);
}

/* Makes a new file if @fd is -1, else changes the set of signals that file @fd reports. */
long sys_signalfd4(int fd, vaddr_t in, size_t set_size, u32 flags)
{
	struct file *f SCOPED(file) = NULL;
	u64 set;
	int err = signal_set_get(in, set_size, &set);

	if (err)
		return err;
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	set &= ~(SIGSET(SIGKILL) | SIGSET(SIGSTOP));
	if (fd == -1) {
		err = signalfd_create(set, flags & O_NONBLOCK, &f);
		return err ? err : fd_install(file_get(f), 0, fd_limit(), flags & O_CLOEXEC);
	}
	f = fd_get(fd);
	err = f ? signalfd_set(f, set) : -EBADF;
	return err ? err : fd;
}
