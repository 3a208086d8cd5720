/*
 * Checks the offsets that assembly uses (asm.h) against the C structures. Generates no code.
 */
#include "asm.h"
#include "port.h"
#include "sched/cpu.h"
#include "thread/thread.h"

#define OFFSET(constant, type, member) \
	_Static_assert((constant) == offsetof(struct type, member), #constant " in asm.h is wrong")

OFFSET(THREAD_TF, thread, arch.tf);
OFFSET(THREAD_SP, thread, arch.sp);
OFFSET(THREAD_STACK_LOW, thread, arch.stack_low);
OFFSET(THREAD_STACK_HIGH, thread, arch.stack_high);
OFFSET(THREAD_SCRATCH, thread, arch.scratch);
OFFSET(THREAD_WORK, thread, work);
OFFSET(THREAD_CPU, thread, cpu);

OFFSET(CPU_EMERGENCY, cpu, arch.emergency);
OFFSET(CPU_IDLE, cpu, arch.idle);
OFFSET(CPU_START_SP, cpu, arch.start_sp);

OFFSET(TF_RA, trapframe, ra);
OFFSET(TF_SP, trapframe, sp);
OFFSET(TF_GP, trapframe, gp);
OFFSET(TF_TP, trapframe, tp);
OFFSET(TF_T(6), trapframe, t[6]);
OFFSET(TF_A(7), trapframe, a[7]);
OFFSET(TF_S(11), trapframe, s[11]);
OFFSET(TF_STATUS, trapframe, status);
OFFSET(TF_CAUSE, trapframe, cause);
OFFSET(TF_VALUE, trapframe, value);
OFFSET(TF_PC, trapframe, pc);

_Static_assert(TF_SIZE == sizeof(struct trapframe) && TF_SIZE % 16 == 0, "TF_SIZE");
_Static_assert(TF_RA == 0, "entry.S stores to the frame's first word");
_Static_assert(TF_PC == TF_SIZE - 8 && offsetof(struct trapframe, link_fp) == TF_SIZE - 16,
	       "a trap frame ends like the frame of a call");
_Static_assert(BOOT_STACK_SIZE == sizeof(struct boot_stack), "BOOT_STACK_SIZE");
_Static_assert(FPU_SIZE == sizeof(struct fpu_state) && FPU_SIZE % 16 == 0, "FPU_SIZE");
