/*
 * Signal frames, as Linux lays them out on riscv64.
 *
 * The handler finds the frame at sp, siginfo at its start, and returns to the trampoline page (the
 * vDSO's part on Linux), which calls rt_sigreturn() with sp at the frame again.
 */
#include "process/signal.h"

#include "abi.h"
#include "base/string.h"
#include "errno.h"
#include "mm/vm.h"
#include "port.h"
#include "sched/cpu.h"

#define NR_REGISTERS	32

struct frame {
	struct signal_info info;
	u8 info_rest[SIGINFO_SIZE - sizeof(struct signal_info)];
	/* ucontext_t */
	u64 flags, link;
	struct sigstack stack;
	u64 mask;
	u8 mask_rest[120 + 8];			/* and what aligns the rest */
	u64 registers[NR_REGISTERS];
	u64 f[32];
	u32 fcsr, unused[3];
	u8 more_of_f[256];			/* room for registers twice as wide */
};

_Static_assert(offsetof(struct frame, registers) == 304 && sizeof(struct frame) == 1088,
	       "rt_sigframe");

/* Offsets in the trap frame of the registers in Linux's order. */
#define T(i)	offsetof(struct trapframe, t[i])
#define A(i)	offsetof(struct trapframe, a[i])
#define S(i)	offsetof(struct trapframe, s[i])

static const u16 order[NR_REGISTERS] = {
	offsetof(struct trapframe, pc), offsetof(struct trapframe, ra),
	offsetof(struct trapframe, sp), offsetof(struct trapframe, gp),
	offsetof(struct trapframe, tp), T(0), T(1), T(2), S(0), S(1),
	A(0), A(1), A(2), A(3), A(4), A(5), A(6), A(7),
	S(2), S(3), S(4), S(5), S(6), S(7), S(8), S(9), S(10), S(11), T(3), T(4), T(5), T(6),
};

static u64 *saved(struct trapframe *tf, unsigned i)
{
	return (u64 *)((char *)tf + order[i]);
}

int arch_signal_enter(struct trapframe *tf, const struct signal_call *call)
{
	vaddr_t sp = ALIGN_DOWN(call->top - sizeof(struct frame), 16);
	struct fpu_state fpu;
	struct frame f;

	memset(&f, 0, sizeof(f));
	f.info = *call->info;
	f.stack = call->stack;
	f.mask = call->mask;
	for (unsigned i = 0; i < NR_REGISTERS; i++)
		f.registers[i] = *saved(tf, i);
	fpu_read(current_thread(), &fpu);
	memcpy(f.f, fpu.f, sizeof(f.f));
	f.fcsr = fpu.fcsr;
	if (copy_to_user(sp, &f, sizeof(f)))
		return -EFAULT;
	tf->pc = call->action.handler;
	tf->ra = ABI_TRAMPOLINE;
	tf->sp = sp;
	tf->a[0] = call->sig;
	tf->a[1] = sp;
	tf->a[2] = sp + offsetof(struct frame, flags);
	return 0;
}

int arch_signal_leave(struct trapframe *tf, u64 *mask, struct sigstack *stack, long *result)
{
	struct fpu_state fpu;
	struct frame f;

	if (copy_from_user(&f, tf->sp, sizeof(f)))
		return -EFAULT;
	for (unsigned i = 0; i < NR_REGISTERS; i++)
		*saved(tf, i) = f.registers[i];
	memcpy(fpu.f, f.f, sizeof(f.f));
	fpu.fcsr = f.fcsr & 0xff;
	fpu_write(current_thread(), &fpu);
	*mask = f.mask;
	*stack = f.stack;
	*result = (long)tf->a[0];
	return 0;
}
