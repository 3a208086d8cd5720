/*
 * Traps in C: what each vector means, and which function handles it. entry.S calls these on the
 * thread's kernel stack with interrupts off, and they return with interrupts off.
 *
 * System calls and page faults run with interrupts on, if they were on before the trap:
 * syscall_entry() and page_fault() turn them on. Everything else runs with them off.
 */
#include "sched/cpu.h"

#include "arch.h"
#include "base/panic.h"
#include "base/printf.h"
#include "port.h"
#include "process/process.h"
#include "process/signal.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "thread/thread.h"

_Static_assert(offsetof(struct cpu, arch) == 0 && offsetof(struct thread, arch) == 0, "asm.h");
_Static_assert(offsetof(struct arch_cpu, current) == CPU_CURRENT, "asm.h");
_Static_assert(offsetof(struct arch_cpu, user_rsp) == CPU_USER_RSP, "asm.h");
_Static_assert(offsetof(struct arch_cpu, tss.rsp0) == CPU_RSP0, "asm.h");
_Static_assert(offsetof(struct arch_thread, sp) == THREAD_SP, "asm.h");
_Static_assert(offsetof(struct trapframe, rbp) == TF_RBP, "asm.h");
_Static_assert(offsetof(struct trapframe, cs) == TF_CS, "asm.h");
_Static_assert(sizeof(struct trapframe) % 16 == 0, "alignment");
_Static_assert(sizeof(struct fpu_state) % 64 == 0, "alignment");

enum { DOUBLE_FAULT = 8, PAGE_FAULT = 14 };

#define FAULT_WRITE	2u
#define FAULT_RESERVED	8u		/* a reserved bit is set in a page table entry */
#define FAULT_FETCH	16u

static const struct {
	const char *name;
	int signal;
	int code;			/* Linux's */
} exceptions[VEC_DEVICE] = {
	[0] = { "division error", SIGFPE, FPE_INTDIV },
	[1] = { "debug trap", SIGTRAP, TRAP_BRKPT },
	[2] = { "non-maskable interrupt", 0, 0 },
	[3] = { "breakpoint", SIGTRAP, SI_KERNEL },
	[4] = { "overflow trap", SIGSEGV, SI_KERNEL },
	[5] = { "bound range exceeded", SIGSEGV, SI_KERNEL },
	[6] = { "illegal instruction", SIGILL, ILL_ILLOPN },
	[7] = { "no floating-point unit", SIGFPE, FPE_INTDIV },
	[8] = { "double fault", 0, 0 },
	[10] = { "invalid task state segment", SIGSEGV, SI_KERNEL },
	[11] = { "segment not present", SIGBUS, SI_KERNEL },
	[12] = { "stack segment fault", SIGBUS, SI_KERNEL },
	[13] = { "general protection fault", SIGSEGV, SI_KERNEL },
	[14] = { "page fault", SIGSEGV, SI_KERNEL },
	[16] = { "floating-point error", SIGFPE, FPE_INTDIV },
	[17] = { "misaligned access", SIGBUS, BUS_ADRALN },
	[18] = { "machine check", 0, 0 },
	[19] = { "SIMD floating-point error", SIGFPE, FPE_INTDIV },
	[20] = { "virtualization exception", SIGSEGV, SI_KERNEL },
	[21] = { "control protection fault", SIGSEGV, SI_KERNEL },
};

static const char *exception_name(u64 vector)
{
	const char *name = vector < VEC_DEVICE ? exceptions[vector].name : NULL;

	return name ? name : "unknown exception";
}

static u64 fault_address(void)
{
	u64 addr;

	__asm__ volatile("movq %%cr2, %0" : "=r"(addr));
	return addr;
}

static unsigned fault_access(u64 error)
{
	if (error & FAULT_FETCH)
		return VM_EXEC;
	return error & FAULT_WRITE ? VM_WRITE : VM_READ;
}

/*
 * Completes a frame around the return address on top of the stack: a call to an invalid address has
 * made none, and a backtrace would miss the caller. The word below is unused: the CPU skips it to
 * align its own frame.
 */
static void link_caller(struct trapframe *tf)
{
	u64 *frame = (u64 *)tf->rsp - 1;

	frame[0] = tf->rbp;
	tf->rbp = (u64)frame;
}

static void page_fault(struct trapframe *tf)
{
	vaddr_t addr = fault_address();		/* before another fault can overwrite it */
	unsigned access = fault_access(tf->error);

	if (tf->error & FAULT_RESERVED)
		panic_trap(tf, "bad page table entry for %p", (void *)addr);
	if (tf->rflags & RFLAGS_IF)
		arch_irqs_enable();
	if (arch_trap_from_user(tf)) {
		fault_user(tf, addr, access);
	} else {
		if (access == VM_EXEC)
			link_caller(tf);
		fault_kernel(tf, addr, access);
	}
	arch_irqs_disable();
}

static void exception(struct trapframe *tf)
{
	int sig = exceptions[tf->vector].signal, code = exceptions[tf->vector].code;

	if (arch_trap_from_user(tf))
		exception_user(tf, sig ? sig : SIGSEGV, sig ? code : SI_KERNEL,
			       exception_name(tf->vector));
	else if (!TEST_BUILD || !trap_expected(tf))
		panic_trap(tf, "%s, error code %lx", exception_name(tf->vector), tf->error);
}

static void interrupt(struct trapframe *tf)
{
	if (tf->vector == VEC_SPURIOUS)
		return;				/* the LAPIC wants no end of interrupt */
	/* LAB 01-boot: between irq_enter() and irq_exit(), call the handler, tell the LAPIC */
	irq_enter();
	if (tf->vector == VEC_TIMER)
		timer_interrupt(tf);
	else if (tf->vector == VEC_IPI)
		ipi_interrupt();
	else if (tf->vector == VEC_SHOOTDOWN)
		shootdown_serve();
	else
		irq_dispatch(tf->vector - VEC_DEVICE);
	lapic_eoi();				/* before irq_exit(), which may switch away */
	irq_exit(tf);
	/* END LAB */
}

static void return_to_user(struct trapframe *tf)
{
	if (unlikely(atomic_load_explicit(&current_thread()->work, memory_order_relaxed)))
		user_return_work(tf);
	if (DEBUG_BUILD) {
		assert(msr_read(MSR_GS_BASE) == (u64)this_cpu());		/* XENTRY1 */
		assert((s64)(tf->rip << 16) >> 16 == (s64)tf->rip);		/* XENTRY2 */
		assert_irqs_off();						/* XENTRY3 */
	}
}

void trap(struct trapframe *tf)
{
	if (tf->vector >= VEC_DEVICE)
		interrupt(tf);
	else if (tf->vector == PAGE_FAULT)
		page_fault(tf);
	else
		exception(tf);
	if (arch_trap_from_user(tf))
		return_to_user(tf);
}

void trap_syscall(struct trapframe *tf)
{
	syscall_entry(tf);
	return_to_user(tf);
	if (unlikely(tf->vector != VEC_SYSCALL))
		trap_leave(tf);		/* SYSRET would overwrite rcx and r11 */
}

noreturn void arch_user_enter(void)
{
	struct trapframe *tf = arch_trapframe(current_thread());

	arch_irqs_disable();
	return_to_user(tf);
	trap_leave(tf);
}

/*
 * On a full stack there is no room for the frame of the page fault, so the CPU raises a double
 * fault, which has its own stack.
 */
noreturn void trap_fatal(struct trapframe *tf)
{
	const struct thread *t = current_thread();
	u64 low = (u64)t->stack, guard = low - PAGE_SIZE;
	bool overflow = fault_address() - guard < PAGE_SIZE || tf->rsp - guard <= PAGE_SIZE;

	if (tf->vector == DOUBLE_FAULT && overflow)
		panic_trap(tf, "kernel stack overflow in thread %s: sp %lx, stack %lx to %lx",
			   t->name, tf->rsp, low, low + t->stack_size);
	panic_trap(tf, "%s", exception_name(tf->vector));
}

static void print4(const char *names, u64 a, u64 b, u64 c, u64 d)
{
	kprintf("  %.3s %016lx  %.3s %016lx  %.3s %016lx  %.3s %016lx\n", names, a, names + 4, b,
		names + 8, c, names + 12, d);
}

void arch_print_registers(const struct trapframe *tf)
{
	print4("rip rsp rbp flg", tf->rip, tf->rsp, tf->rbp, tf->rflags);
	print4("rax rbx rcx rdx", tf->rax, tf->rbx, tf->rcx, tf->rdx);
	print4("rsi rdi r8  r9 ", tf->rsi, tf->rdi, tf->r8, tf->r9);
	print4("r10 r11 r12 r13", tf->r10, tf->r11, tf->r12, tf->r13);
	print4("r14 r15 cr2 cs ", tf->r14, tf->r15, fault_address(), tf->cs);
	if (tf->vector < VEC_DEVICE)
		kprintf("  trap %lu (%s), error code %lx\n", tf->vector, exception_name(tf->vector),
			tf->error);
}
