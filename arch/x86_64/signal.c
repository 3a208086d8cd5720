/*
 * Signal frames, as Linux lays them out on x86_64.
 *
 * The handler is entered as by a call: on the stack is its return address, the program's restorer,
 * which calls rt_sigreturn() with the frame's second word on top. Floating-point registers lie above
 * the frame, in FXSAVE's format.
 */
#include "signal.h"

#include "cpu.h"
#include "errno.h"
#include "port.h"
#include "string.h"
#include "vm.h"

#define UC_SIGCONTEXT_SS	2u
#define UC_STRICT_RESTORE_SS	4u

/* Flags a program may set for itself: carry to overflow, trap, direction, resume, alignment. */
#define RFLAGS_USER		0x50dd5u
#define RFLAGS_NOT_IN_HANDLER	0x10500u	/* trap, direction, resume */

struct frame {
	u64 restorer;
	/* ucontext_t */
	u64 flags, link;
	struct sigstack stack;
	u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
	u64 rflags;
	u16 cs, gs, fs, ss;
	u64 error, vector, old_mask, cr2;
	vaddr_t fpu;
	u64 reserved[8];
	u64 mask;
	struct signal_info info;
	u8 info_rest[SIGINFO_SIZE - sizeof(struct signal_info)];
};

_Static_assert(offsetof(struct frame, r8) == 48 && offsetof(struct frame, info) == 312 &&
	       sizeof(struct frame) == 440, "rt_sigframe");

/* Each register that both have under the same name. */
#define REGISTERS(X)	X(r8) X(r9) X(r10) X(r11) X(r12) X(r13) X(r14) X(r15) X(rdi) X(rsi) X(rbp) \
			X(rbx) X(rdx) X(rax) X(rcx) X(rsp) X(rip) X(rflags)

int arch_signal_enter(struct trapframe *tf, const struct signal_call *call)
{
	vaddr_t fpu_at = ALIGN_DOWN(call->top - sizeof(struct fpu_state), 64);
	vaddr_t sp = ALIGN_DOWN(fpu_at - sizeof(struct frame), 16) - 8;
	struct fpu_state fpu;
	struct frame f;

	memset(&f, 0, sizeof(f));
	f.restorer = call->action.restorer;
	f.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	f.stack = call->stack;
#define X(r) f.r = tf->r;
	REGISTERS(X)
#undef X
	f.cs = tf->cs;
	f.ss = tf->ss;
	f.vector = tf->vector;
	f.cr2 = call->info->addr;
	f.fpu = fpu_at;
	f.mask = call->mask;
	f.info = *call->info;
	fpu_read(current_thread(), &fpu);
	if (copy_to_user(fpu_at, &fpu, sizeof(fpu)) || copy_to_user(sp, &f, sizeof(f)))
		return -EFAULT;
	fpu_write(current_thread(), NULL);
	tf->rip = MIN(call->action.handler, ARCH_USER_END);	/* E2 */
	tf->rsp = sp;
	tf->rflags &= ~(u64)RFLAGS_NOT_IN_HANDLER;
	tf->rdi = call->sig;
	tf->rsi = sp + offsetof(struct frame, info);
	tf->rdx = sp + offsetof(struct frame, flags);
	tf->rax = 0;
	return 0;
}

int arch_signal_leave(struct trapframe *tf, u64 *mask, struct sigstack *stack, long *result)
{
	u64 rflags = tf->rflags & ~(u64)RFLAGS_USER;
	struct fpu_state fpu;
	struct frame f;

	if (copy_from_user(&f, tf->rsp - sizeof(f.restorer), sizeof(f)) ||
	    (f.fpu && copy_from_user(&fpu, f.fpu, sizeof(fpu))))
		return -EFAULT;
#define X(r) tf->r = f.r;
	REGISTERS(X)
#undef X
	tf->rip = MIN(f.rip, ARCH_USER_END);			/* E2 */
	tf->rflags = rflags | (f.rflags & RFLAGS_USER);
	tf->vector = 0;		/* every register as it was: trap_syscall() */
	fpu_write(current_thread(), f.fpu ? &fpu : NULL);
	*mask = f.mask;
	*stack = f.stack;
	*result = (long)tf->rax;
	return 0;
}
