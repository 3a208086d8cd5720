/*
 * The first frame of a new thread: what arch_switch() pops when it switches to it for the first
 * time.
 *
 * A kernel stack, from its top down:
 *
 *	struct fpu_state	floating-point registers of user mode, while off the CPU
 *	struct trapframe	the user registers (arch.frame points here)
 *	...			kernel frames
 *
 * A kernel thread has the upper two as well: it may become a user thread (the first process does).
 */
#include "thread/thread.h"

#include "arch.h"
#include "port.h"

/* In the order of switch.S. */
struct switch_frame {
	u64 r15, r14, r13, r12, rbx, rbp;
	void (*ret)(void);		/* where arch_switch() returns to */
	u64 caller;			/* the return address of that function: none */
};

void arch_thread_frame(struct thread *t)
{
	u64 top = ALIGN_DOWN((u64)t->stack + t->stack_size, 64) - sizeof(struct fpu_state);

	t->arch.frame = (struct trapframe *)top - 1;
	/* LAB 02-threads: build the frame that makes a first switch to t enter thread_start() */
	struct switch_frame *f = (struct switch_frame *)t->arch.frame - 1;

	*f = (struct switch_frame){ .ret = thread_start };
	t->arch.sp = (u64)f;
	/* END LAB */
}
