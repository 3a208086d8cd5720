/*
 * User threads: their registers at the top of the kernel stack, floating point, thread-local
 * storage.
 *
 * Floating-point registers are saved and loaded at every switch from and to a user thread; kernel
 * code uses none. While a user thread is current its values are in the CPU, and the copy above its
 * trap frame is out of date. So interrupts are off while either of the two is changed.
 */
#include "thread/thread.h"

#include "abi/syscall.h"
#include "arch.h"
#include "base/string.h"
#include "errno.h"
#include "lock/spinlock.h"
#include "mm/vm.h"
#include "port.h"
#include "sched/cpu.h"

#define RFLAGS_FIXED	2u		/* a bit that is always one */
#define FCW_DEFAULT	0x37fu		/* x87: extended precision, no exceptions */
#define MXCSR_DEFAULT	0x1f80u
#define MXCSR_KNOWN	0xffbfu		/* the bits of a CPU whose mxcsr_mask is 0 */

static struct fpu_state *fpu_state(const struct thread *t)
{
	return (struct fpu_state *)(t->arch.frame + 1);
}

/*
 * FXSAVE and FXRSTOR differ from XSAVE and XRSTOR in one bit of their last byte, which use_xsave()
 * sets. XSAVE and XRSTOR save and load the components in edx:eax.
 */
#define XSAVE_SITE(instruction)					\
	"1:\t" instruction " (%[f])\n\t"				\
	".pushsection .xsave_sites, \"a\"\n\t"			\
	".quad 1b\n\t"						\
	".popsection"

static inline void fpu_save(struct fpu_state *f)
{
	__asm__ volatile(XSAVE_SITE("fxsave64")
			 : "+m"(*f) : [f] "SDc"(f), "a"(FPU_X87_SSE | FPU_AVX), "d"(0));
}

static inline void fpu_load(const struct fpu_state *f)
{
	__asm__ volatile(XSAVE_SITE("fxrstor64")
			 : : "m"(*f), [f] "SDc"(f), "a"(FPU_X87_SSE | FPU_AVX), "d"(0));
}

/* Sets the fields that the CPU does not write. */
static void fpu_prepare(struct fpu_state *f)
{
	memset(&f->magic1, 0, offsetof(struct fpu_state, avx) - offsetof(struct fpu_state, magic1));
	if (!cpu_has_xsave)
		return;
	f->magic1 = FPU_MAGIC1;
	f->total_size = FPU_TOTAL_SIZE;
	f->components = FPU_X87_SSE | FPU_AVX;
	f->xsave_size = FPU_XSAVE_SIZE;
	f->magic2 = FPU_MAGIC2;
}

/* Sets initial values. With XSAVE a header with nothing in use stands for all but MXCSR. */
static void fpu_init(struct fpu_state *f)
{
	if (!cpu_has_xsave)
		memset(f, 0, FPU_FXSAVE_SIZE);
	f->fcw = FCW_DEFAULT;
	f->mxcsr = MXCSR_DEFAULT;
	f->in_use = 0;
}

/* Loads the state that @t needs in user mode. */
static void load_user_state(struct cpu *c, struct thread *t)
{
	if (DEBUG_BUILD)
		assert_irqs_off();
	c->arch.tss.rsp0 = (u64)(t->arch.frame + 1);
	fpu_load(fpu_state(t));
	msr_write(MSR_FS_BASE, t->arch.fs_base);
	msr_write(MSR_KERNEL_GS, t->arch.gs_base);
}

/* The kernel does not change these registers, so a later save writes the same values. */
const struct fpu_state *fpu_saved(struct thread *t)
{
	irq_off();
	fpu_save(fpu_state(t));
	irq_on();
	return fpu_state(t);
}

/* Checks whether @in has the part that XSAVE adds: a program may have changed or cut the frame. */
static bool is_whole(const struct fpu_state *in)
{
	return cpu_has_xsave && in->magic1 == FPU_MAGIC1 && in->magic2 == FPU_MAGIC2 &&
	       in->xsave_size == FPU_XSAVE_SIZE && in->total_size == FPU_TOTAL_SIZE;
}

/* Clears every bit that the CPU would refuse to load. */
void fpu_write(struct thread *t, const struct fpu_state *in)
{
	struct fpu_state *f = fpu_state(t);

	irq_off();			/* no switch between memory and registers */
	fpu_save(f);			/* for mxcsr_mask, the bits that this CPU knows */
	if (in) {
		u32 known = f->mxcsr_mask ? f->mxcsr_mask : MXCSR_KNOWN;
		bool whole = is_whole(in);

		memcpy(f, in, offsetof(struct fpu_state, magic1));
		f->mxcsr &= known;
		f->in_use = FPU_X87_SSE | (whole ? in->in_use & FPU_AVX : 0);
		if (f->in_use & FPU_AVX)
			memcpy(f->avx, in->avx, sizeof(f->avx));
	} else {
		fpu_init(f);
	}
	fpu_load(f);
	irq_on();
}

static bool is_current(struct thread *t)
{
	return t == current_thread();
}

void user_switch(struct thread *prev, struct thread *next)
{
	if (prev->arch.user)
		fpu_save(fpu_state(prev));
	if (next->arch.user)
		load_user_state(this_cpu(), next);
}

/* XENTRY2: an address that is not canonical becomes ARCH_USER_END, where user code faults. */
void arch_user_init(struct thread *t, vaddr_t pc, vaddr_t sp)
{
	irq_off();
	*t->arch.frame = (struct trapframe){
		.rip = MIN(pc, ARCH_USER_END), .cs = USER_CS, .rsp = sp, .ss = USER_DS,
		.rflags = RFLAGS_FIXED | RFLAGS_IF,
	};
	fpu_prepare(fpu_state(t));
	fpu_init(fpu_state(t));
	t->arch.fs_base = 0;
	t->arch.gs_base = 0;
	t->arch.user = true;
	if (is_current(t))
		load_user_state(this_cpu(), t);
	irq_on();
}

void arch_user_clone(struct thread *child, struct thread *parent)
{
	assert(is_current(parent) && !child->arch.user);
	*child->arch.frame = *parent->arch.frame;
	child->arch.frame->rax = 0;
	fpu_prepare(fpu_state(child));
	fpu_save(fpu_state(child));
	child->arch.fs_base = parent->arch.fs_base;
	child->arch.gs_base = parent->arch.gs_base;
	child->arch.user = true;
}

void arch_user_set_sp(struct thread *t, vaddr_t sp)
{
	t->arch.frame->rsp = sp;
}

/* The CPU would refuse an address that is not canonical: ARCH_USER_END only faults when used. */
void arch_user_set_tls(struct thread *t, vaddr_t tls)
{
	irq_off();
	t->arch.fs_base = MIN(tls, ARCH_USER_END);
	if (is_current(t))
		msr_write(MSR_FS_BASE, t->arch.fs_base);
	irq_on();
}

static void user_set_gs(vaddr_t base)
{
	irq_off();
	current_thread()->arch.gs_base = base;
	msr_write(MSR_KERNEL_GS, base);
	irq_on();
}

#define ARCH_SET_GS	0x1001
#define ARCH_SET_FS	0x1002
#define ARCH_GET_FS	0x1003
#define ARCH_GET_GS	0x1004

/* Sets and gets the bases of FS and GS: a system call that only this port has. */
long sys_arch_prctl(int option, u64 arg)
{
	const struct arch_thread *own = &current_thread()->arch;
	bool gs = option == ARCH_SET_GS || option == ARCH_GET_GS;
	u64 base;

	switch (option) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (arg >= ARCH_USER_END)
			return -EPERM;
		if (gs)
			user_set_gs(arg);
		else
			arch_user_set_tls(current_thread(), arg);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		base = gs ? own->gs_base : own->fs_base;
		return copy_to_user(arg, &base, sizeof(base));
	default:
		return -EINVAL;
	}
}
