/*
 * Delivery: how a thread takes its signals on its way back to user mode.
 *
 * To call a handler, the port (arch_signal_enter()) puts a frame with the interrupted registers and
 * mask on the user stack, in Linux's layout; rt_sigreturn() restores them from it. With several
 * signals the frames stack up: the handler of the last frame runs first.
 *
 * A system call that a signal interrupts returns -EINTR, or -ERESTARTNOHAND where Linux does not
 * start it again after a handler. signal_interrupted() records this, and the argument that the
 * result overwrites. Once it is known here whether a handler runs, the call is set up to start
 * again or to return EINTR:
 *
 *				-EINTR		-ERESTARTNOHAND
 *	no handler after all	again		again
 *	handler, SA_RESTART	again		EINTR
 *	handler			EINTR		EINTR
 *
 * -ERESTARTAT is -ERESTARTNOHAND for a call with a relative timeout: started again, it keeps its
 * first deadline (t->restart_at).
 */
#include "base/printf.h"
#include "errno.h"
#include "mm/vm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "signal_impl.h"

long signal_interrupted(struct trapframe *tf, long result)
{
	struct thread *t = current_thread();

	if (t->restart == RESTART_OFF) {
		t->restart = RESTART_NONE;
		return result;
	}
	if (!(atomic_load(&t->work) & WORK_SIGNAL))
		return -EINTR;		/* dying */
	t->restart = RESTART_NO_HANDLER;
	if (result == -EINTR)
		t->restart = RESTART_MAY;
	else if (result == -ERESTARTAT)
		t->restart = RESTART_AT;
	t->restart_arg = arch_syscall_arg(tf, 0);
	return -EINTR;
}

static void settle_call(struct thread *t, struct trapframe *tf, bool again)
{
	if (t->restart != RESTART_NONE && again)
		arch_syscall_restart(tf, t->restart_arg);
	t->restarted = t->restart == RESTART_AT && again;
	t->restart = RESTART_NONE;
}

/* A stack with SS_AUTODISARM is never seen in use. */
struct sigstack signal_stack_seen(const struct thread *t, vaddr_t sp)
{
	struct sigstack s = t->sigstack;

	if (!s.size)
		s.flags |= SS_DISABLE;
	else if (!s.flags && sp > s.sp && sp - s.sp <= s.size)
		s.flags |= SS_ONSTACK;
	return s;
}

/* Returns the address below which the frame goes; *@seen is the handlers' stack, for the frame. */
static vaddr_t frame_top(struct thread *t, struct trapframe *tf, u64 flags, struct sigstack *seen)
{
	vaddr_t sp = arch_trap_sp(tf);

	*seen = signal_stack_seen(t, sp);
	if (seen->flags & SS_AUTODISARM)
		t->sigstack = (struct sigstack){ .size = 0 };
	if ((flags & SA_ONSTACK) && !(seen->flags & (SS_DISABLE | SS_ONSTACK)))
		return seen->sp + seen->size;
	return sp - ARCH_RED_ZONE;
}

/* Makes @tf enter the handler. If the frame cannot be written, that is a fault: SIGSEGV. */
static void call_handler(struct trapframe *tf, struct signal_call *call)
{
	struct thread *t = current_thread();
	u64 blocked = call->action.mask;

	settle_call(t, tf, t->restart == RESTART_MAY && (call->action.flags & SA_RESTART));
	call->mask = t->restore_sigmask ? t->sigmask_after : t->sigmask;
	t->restore_sigmask = false;
	call->top = frame_top(t, tf, call->action.flags, &call->stack);
	if (arch_signal_enter(tf, call)) {
		if (call->sig == SIGSEGV)
			process_kill(t->process, STATUS_SIGNAL(SIGSEGV));
		else
			signal_force(SIGSEGV, SI_KERNEL, 0);
		return;
	}
	if (!(call->action.flags & SA_NODEFER))
		blocked |= SIGSET(call->sig);
	signal_set_mask(t->sigmask | blocked);
}

enum next { NEXT_NONE, NEXT_MORE, NEXT_HANDLER, NEXT_DEATH };

/* Takes one signal, and its action unless that is to die or to call a handler. */
static enum next take_one(struct thread *t, struct signal_call *call, struct signal_info *info)
{
	struct process *p = t->process;
	struct sigaction_slot *action = p->sigactions;
	enum next next = NEXT_MORE;
	bool reset = false;

	spin_lock(&tree_lock);
	spin_lock(&p->lock);
	call->sig = signal_take_locked(t, ~t->sigmask, info);
	if (call->sig)
		action += call->sig - 1;
	if (!call->sig) {
		next = NEXT_NONE;
	} else if (signal_has_handler(p, call->sig)) {
		next = NEXT_HANDLER;
		call->action = *action;
		reset = action->flags & SA_RESETHAND;
		if (reset)
			action->handler = SIG_DFL;
	} else if (signal_must_die(p, call->sig)) {
		next = NEXT_DEATH;
	}
	spin_unlock(&p->lock);
	if (reset)
		signal_share_action(p, call->sig);
	if (unlikely(atomic_load_explicit(&p->stop_news, memory_order_relaxed)))
		signal_report_stop(p);
	spin_unlock(&tree_lock);
	if (call->sig)
		signal_was_taken(info);
	return next;
}

void signal_deliver(struct trapframe *tf)
{
	struct thread *t = current_thread();
	struct signal_info info;
	struct signal_call call = { .info = &info };
	enum next next;

	atomic_fetch_and(&t->work, ~WORK_SIGNAL);
	while ((next = take_one(t, &call, &info)) == NEXT_MORE || next == NEXT_HANDLER)
		if (next == NEXT_HANDLER)
			call_handler(tf, &call);
	if (next == NEXT_DEATH) {
		process_kill(t->process, STATUS_SIGNAL(call.sig));
		return;
	}
	settle_call(t, tf, true);
	if (t->restore_sigmask) {
		t->restore_sigmask = false;
		signal_set_mask(t->sigmask_after);
	}
}

/* --- Faults ----------------------------------------------------------------------------------- */

/* False: a fault's signal must kill, as it is blocked or has no handler and cannot wait. */
static bool can_handle(struct thread *t, int sig)
{
	struct process *p = t->process;
	bool can;

	spin_lock(&p->lock);
	can = signal_has_handler(p, sig) && !(t->sigmask & SIGSET(sig));
	spin_unlock(&p->lock);
	return can;
}

void signal_force(int sig, int code, vaddr_t addr)
{
	struct signal_info info = { .signo = sig, .code = code, .addr = addr };
	struct thread *t = current_thread();

	if (can_handle(t, sig))
		signal_send_info(t->process, t, &info);
	else
		process_kill(t->process, STATUS_SIGNAL(sig));
}

void signal_fault(struct trapframe *tf, int sig, int code, vaddr_t addr, const char *what)
{
	struct process *p = current_process();

	if (!can_handle(current_thread(), sig))
		kprintf("%s[%d]: %s at pc 0x%lx, sp 0x%lx: killed by signal %d\n", p->name, p->pid,
			what, arch_trap_pc(tf), arch_trap_sp(tf), sig);
	signal_force(sig, code, addr);
}
