/*
 * Signal frames, as Linux lays them out on x86_64.
 *
 * The handler is entered as if called: its return address on the stack is the program's restorer,
 * which calls rt_sigreturn() with rsp at the frame's second word. Floating-point registers lie
 * above the frame, in the kernel's own format (port.h).
 */
#include "process/signal.h"

#include "base/string.h"
#include "errno.h"
#include "mm/vm.h"
#include "port.h"
#include "sched/cpu.h"

#define UC_FP_XSTATE		1u
#define UC_SIGCONTEXT_SS	2u
#define UC_STRICT_RESTORE_SS	4u

/* Flags that a program may set: the arithmetic ones, trap, direction, resume, alignment. */
#define RFLAGS_USER		0x50dd5u
#define RFLAGS_NOT_IN_HANDLER	0x10500u	/* trap, direction, resume */

#define NR_REGISTERS		18

struct frame {
	u64 restorer;
	/* ucontext_t */
	u64 flags, link;
	struct sigstack stack;
	u64 registers[NR_REGISTERS];
	u16 cs, gs, fs, ss;
	u64 error, vector, old_mask, cr2;
	vaddr_t fpu;
	u64 reserved[8];
	u64 mask;
	struct signal_info info;
	u8 info_rest[SIGINFO_SIZE - sizeof(struct signal_info)];
};

_Static_assert(offsetof(struct frame, registers) == 48, "rt_sigframe");
_Static_assert(offsetof(struct frame, info) == 312, "rt_sigframe");
_Static_assert(sizeof(struct frame) == 440, "rt_sigframe");

/* Offsets in the trap frame of the registers in Linux's order. */
#define AT(name)	offsetof(struct trapframe, name)

static const u16 order[NR_REGISTERS] = {
	AT(r8),	 AT(r9),  AT(r10), AT(r11), AT(r12), AT(r13), AT(r14), AT(r15), AT(rdi),
	AT(rsi), AT(rbp), AT(rbx), AT(rdx), AT(rax), AT(rcx), AT(rsp), AT(rip), AT(rflags),
};

static u64 *saved(struct trapframe *tf, unsigned i)
{
	return (u64 *)((char *)tf + order[i]);
}

/* AVX registers are copied only if they are in use, which is rare. */
static int write_fpu(vaddr_t at, const struct fpu_state *fpu)
{
	const vaddr_t avx = at + offsetof(struct fpu_state, avx);
	const vaddr_t magic2 = at + offsetof(struct fpu_state, magic2);

	if (!cpu_has_xsave)
		return copy_to_user(at, fpu, FPU_FXSAVE_SIZE);
	if (fpu->in_use & FPU_AVX)
		return copy_to_user(at, fpu, FPU_TOTAL_SIZE);
	if (copy_to_user(at, fpu, avx - at))
		return -EFAULT;
	return copy_to_user(magic2, &fpu->magic2, sizeof(fpu->magic2));
}

int arch_signal_enter(struct trapframe *tf, const struct signal_call *call)
{
	size_t fpu_size = cpu_has_xsave ? FPU_TOTAL_SIZE : FPU_FXSAVE_SIZE;
	vaddr_t fpu_at = ALIGN_DOWN(call->top - fpu_size, 64);
	vaddr_t sp = ALIGN_DOWN(fpu_at - sizeof(struct frame), 16) - 8;
	struct frame f;

	memset(&f, 0, sizeof(f));
	f.restorer = call->action.restorer;
	f.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (cpu_has_xsave ? UC_FP_XSTATE : 0);
	f.stack = call->stack;
	for (unsigned i = 0; i < NR_REGISTERS; i++)
		f.registers[i] = *saved(tf, i);
	f.cs = tf->cs;
	f.ss = tf->ss;
	f.vector = tf->vector;
	f.cr2 = call->info->addr;
	f.fpu = fpu_at;
	f.mask = call->mask;
	f.info = *call->info;
	if (write_fpu(fpu_at, fpu_saved(current_thread())) ||
	    copy_to_user(sp, &f, sizeof(f)))
		return -EFAULT;
	fpu_write(current_thread(), NULL);
	tf->rip = MIN(call->action.handler, ARCH_USER_END);	/* XENTRY2 */
	tf->rsp = sp;
	tf->rflags &= ~(u64)RFLAGS_NOT_IN_HANDLER;
	tf->rdi = call->sig;
	tf->rsi = sp + offsetof(struct frame, info);
	tf->rdx = sp + offsetof(struct frame, flags);
	tf->rax = 0;
	return 0;
}

/* Reads what XSAVE adds only if the first part says that it is there. */
static int read_fpu(struct fpu_state *fpu, vaddr_t at)
{
	const vaddr_t avx = at + offsetof(struct fpu_state, avx);
	const vaddr_t magic2 = at + offsetof(struct fpu_state, magic2);

	if (!cpu_has_xsave || copy_from_user(fpu, at, avx - at)) {
		fpu->magic1 = 0;
		return copy_from_user(fpu, at, offsetof(struct fpu_state, magic1));
	}
	if (fpu->magic1 != FPU_MAGIC1)
		return 0;
	if (copy_from_user(&fpu->magic2, magic2, sizeof(fpu->magic2)))
		return -EFAULT;
	return fpu->in_use & FPU_AVX ? copy_from_user(fpu->avx, avx, sizeof(fpu->avx)) : 0;
}

int arch_signal_leave(struct trapframe *tf, u64 *mask, struct sigstack *stack, long *result)
{
	u64 rflags = tf->rflags & ~(u64)RFLAGS_USER;
	struct fpu_state fpu;
	struct frame f;

	if (copy_from_user(&f, tf->rsp - sizeof(f.restorer), sizeof(f)) ||
	    (f.fpu && read_fpu(&fpu, f.fpu)))
		return -EFAULT;
	for (unsigned i = 0; i < NR_REGISTERS; i++)
		*saved(tf, i) = f.registers[i];
	tf->rip = MIN(tf->rip, ARCH_USER_END);			/* XENTRY2 */
	tf->rflags = rflags | (tf->rflags & RFLAGS_USER);
	tf->vector = 0;		/* makes trap_syscall() restore rcx and r11, too */
	fpu_write(current_thread(), f.fpu ? &fpu : NULL);
	*mask = f.mask;
	*stack = f.stack;
	*result = (long)tf->rax;
	return 0;
}
