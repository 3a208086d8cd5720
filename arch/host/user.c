/*
 * User mode, as far as the kernel can tell: a thread that has left the kernel by its edge, and that
 * only an interrupt or a system call brings back.
 *
 * User code of a scenario is the code between host_user_enter() and host_user_leave(). It runs with
 * interrupts on, and one that is taken there goes through the edge on its way back, as the trap
 * return of every port does. So a kill can find the thread before it enters user mode, in it, or
 * after it; and where the kill is seen, user code ends for good.
 */
#include "user.h"

#include "port.h"

#include "process/process.h"
#include "process/signal.h"
#include "sched/sched.h"
#include "thread/thread.h"

static void set_from_user(struct trapframe *tf, bool from_user)
{
	tf->from_user = from_user;
	explore_stored(tf, sizeof(*tf));
}

void host_user_return(struct trapframe *tf)
{
	if (!tf->from_user)
		return;
	set_from_user(tf, false);	/* at the edge the thread may take interrupts, or end */
	user_return_work(tf);
	set_from_user(tf, true);
}

static void enter(void)
{
	struct trapframe *tf = arch_trapframe(current_thread());

	arch_irqs_disable();
	set_from_user(tf, true);
	host_user_return(tf);
	arch_irqs_enable();
}

void host_user_enter(void)
{
	enter();
	explore_point();
}

void host_user_leave(void)
{
	set_from_user(arch_trapframe(current_thread()), false);
}

/* A handler is a function of the scenario, and runs to its end before the thread goes on. */
int arch_signal_enter(struct trapframe *tf, const struct signal_call *call)
{
	(void)tf;
	((void (*)(int sig))call->action.handler)(call->sig);
	return 0;
}

_Noreturn void host_user_loop(void)
{
	enter();
	for (;;)
		explore_user_loop();
}
