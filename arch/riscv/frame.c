/*
 * The port's part of a thread: its first frame, its user registers, its floating-point state.
 *
 * A kernel stack, from its top down: struct fpu_state, struct trapframe (both used by user
 * threads only), then the frames of calls. Floating point is off (sstatus.FS in the trapframe)
 * until a thread first uses it; that traps, and trap_user() turns it on with zeroed registers.
 *
 * RFRAME1  A running thread's floating-point registers are in the CPU if its tf->status has
 *          FS_DIRTY, in the CPU and in memory if FS_CLEAN; with FS_OFF it has none.
 * RFRAME2  A thread that is off its CPU is never FS_DIRTY: arch_switch_state() has saved its
 *          registers. So it may go on on any CPU.
 *
 * The kernel itself uses no floating point, so traps leave the registers alone.
 */
#include "base/string.h"
#include "port.h"
#include "sched/cpu.h"
#include "thread/thread.h"

/* The registers that arch_switch() pops; asm.h has the offsets. */
struct switch_frame {
	u64 ra;
	u64 s[12];
	u64 unused;
};

/* A kernel trap needs this much stack for its frame and handler, or the stack has overflowed. */
#define STACK_ROOM	(sizeof(struct trapframe) + 768)

static struct fpu_state *fpu_of(struct thread *t)
{
	return (struct fpu_state *)(t->arch.tf + 1);
}

static u64 fpu_status(struct thread *t)
{
	return t->arch.tf->status & SSTATUS_FS;
}

static void fpu_set_status(struct thread *t, u64 fs)
{
	t->arch.tf->status = (t->arch.tf->status & ~(u64)SSTATUS_FS) | fs;
}

void thread_set_stack(struct thread *t)
{
	u64 top = ALIGN_DOWN((u64)t->stack + t->stack_size, 16);

	t->arch.tf = (struct trapframe *)(top - sizeof(struct fpu_state)) - 1;
	t->arch.tf->status = SSTATUS_FS_OFF;
	t->arch.stack_low = (u64)t->stack + STACK_ROOM;
	t->arch.stack_high = top;
}

void arch_thread_frame(struct thread *t)
{
	thread_set_stack(t);
	/* LAB 02-threads: build the frame that makes a first switch to t enter thread_start() */
	struct switch_frame *f = (struct switch_frame *)t->arch.tf - 1;

	memset(f, 0, sizeof(*f));
	f->ra = (u64)thread_start;
	t->arch.sp = (u64)f;
	/* END LAB */
}

void arch_set_current(struct thread *t, struct cpu *c)
{
	t->cpu = c;
	__asm__ volatile("mv tp, %0" : : "r"(t) : "memory");
}

static void save_if_dirty(struct thread *t)
{
	if (fpu_status(t) == SSTATUS_FS_DIRTY) {
		fpu_save(fpu_of(t));
		fpu_set_status(t, SSTATUS_FS_CLEAN);
	}
}

void fpu_switch(struct thread *prev, struct thread *next)
{
	assert(fpu_status(next) != SSTATUS_FS_DIRTY);	/* RFRAME2 */
	save_if_dirty(prev);
	if (fpu_status(next) != SSTATUS_FS_OFF)
		fpu_restore(fpu_of(next));
}

void fpu_first_use(struct thread *t)
{
	memset(fpu_of(t), 0, sizeof(struct fpu_state));
	fpu_restore(fpu_of(t));
	fpu_set_status(t, SSTATUS_FS_CLEAN);
}

void fpu_read(struct thread *t, struct fpu_state *out)
{
	memset(out, 0, sizeof(*out));
	save_if_dirty(t);
	if (fpu_status(t) != SSTATUS_FS_OFF)
		*out = *fpu_of(t);
}

void fpu_write(struct thread *t, const struct fpu_state *in)
{
	irq_off();			/* no switch between memory and registers: RFRAME1 */
	*fpu_of(t) = *in;
	fpu_restore(fpu_of(t));
	fpu_set_status(t, SSTATUS_FS_CLEAN);
	irq_on();
}

void arch_user_init(struct thread *t, vaddr_t pc, vaddr_t sp)
{
	*t->arch.tf = (struct trapframe){
		.pc = pc,
		.sp = sp,
		.status = (csr_read(sstatus) & SSTATUS_UXL) | SSTATUS_SPIE | SSTATUS_FS_OFF,
	};
}

void arch_user_clone(struct thread *child, struct thread *parent)
{
	save_if_dirty(parent);
	*child->arch.tf = *parent->arch.tf;
	if (fpu_status(parent) != SSTATUS_FS_OFF)
		*fpu_of(child) = *fpu_of(parent);
	arch_syscall_result(child->arch.tf, 0);
}

void arch_user_set_sp(struct thread *t, vaddr_t sp)
{
	t->arch.tf->sp = sp;
}

void arch_user_set_tls(struct thread *t, vaddr_t tls)
{
	t->arch.tf->tp = tls;
}
