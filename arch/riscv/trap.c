/*
 * Traps: all but system calls (entry.S has those) come here and go on to the kernel as an
 * interrupt, a page fault, an exception of user code, or a panic.
 *
 * trap_user() and trap_kernel() are entered and left with interrupts off, on the current thread's
 * kernel stack. Interrupts come on only around page faults, which may block, and only if they were
 * on in the interrupted code.
 */
#include "base/printf.h"
#include "port.h"
#include "process/signal.h"
#include "sched/cpu.h"
#include "test/instrument.h"

static const struct {
	const char *name;
	u8 signal;		/* for user code */
	u8 access;		/* VM_*: the access, if it is a page fault */
} causes[] = {
	[CAUSE_FETCH_MISALIGNED] = { "misaligned jump", SIGBUS, 0 },
	[CAUSE_FETCH_ACCESS] = { "jump outside of memory", SIGSEGV, 0 },
	[CAUSE_ILLEGAL] = { "illegal instruction", SIGILL, 0 },
	[CAUSE_BREAKPOINT] = { "breakpoint", SIGTRAP, 0 },
	[CAUSE_LOAD_MISALIGNED] = { "misaligned load", SIGBUS, 0 },
	[CAUSE_LOAD_ACCESS] = { "load outside of memory", SIGSEGV, 0 },
	[CAUSE_STORE_MISALIGNED] = { "misaligned store", SIGBUS, 0 },
	[CAUSE_STORE_ACCESS] = { "store outside of memory", SIGSEGV, 0 },
	[CAUSE_FETCH_PAGE] = { "jump to a page that may not be executed", SIGSEGV, VM_EXEC },
	[CAUSE_LOAD_PAGE] = { "load from a page that may not be read", SIGSEGV, VM_READ },
	[CAUSE_STORE_PAGE] = { "store to a page that may not be written", SIGSEGV, VM_WRITE },
};

static const char *cause_name(u64 cause)
{
	const char *name = cause < ARRAY_SIZE(causes) ? causes[cause].name : NULL;

	if (cause & CAUSE_INTERRUPT)
		return "interrupt";
	return name ? name : "unknown trap";
}

static unsigned page_fault_access(u64 cause)
{
	return cause < ARRAY_SIZE(causes) ? causes[cause].access : 0;
}

void traps_init(void)
{
	csr_write(sscratch, 0);
	csr_write(stvec, (u64)trap_entry);
	csr_clear(sstatus, SSTATUS_FS | SSTATUS_SUM);
	csr_write(scounteren, 7);	/* users read cycle, time and instret as on Linux */
	csr_write(sie, SIE_SOFT | SIE_EXTERNAL);
}

/* wfi also ends when an interrupt is pending that is still disabled, so none is missed. */
void arch_idle_wait(void)
{
	if (DEBUG_BUILD)
		assert_irqs_off();
	__asm__ volatile("wfi" : : : "memory");
	arch_irqs_enable();	/* pending interrupts are taken before the next instruction */
	arch_irqs_disable();
}

static void interrupt(struct trapframe *tf)
{
	/* LAB 01-boot: between irq_enter() and irq_exit(), quiet the source and call its handler */
	irq_enter();
	switch (tf->cause & ~CAUSE_INTERRUPT) {
	case IRQ_SOFT:
		csr_clear(sip, SIE_SOFT);	/* before its reason is read: none is missed */
		ipi_interrupt();
		break;
	case IRQ_TIMER:
		timer_interrupt(tf);
		break;
	case IRQ_EXTERNAL:
		plic_interrupt(this_cpu());
		break;
	}
	irq_exit(tf);
	/* END LAB */
}

void trap_user(struct trapframe *tf)
{
	unsigned access = page_fault_access(tf->cause);

	if (tf->cause & CAUSE_INTERRUPT) {
		interrupt(tf);
	} else if (access) {
		arch_irqs_enable();
		fault_user(tf, tf->value, access);
		arch_irqs_disable();
	} else if (tf->cause == CAUSE_ILLEGAL && (tf->status & SSTATUS_FS) == SSTATUS_FS_OFF) {
		/* If this was not because floating point is off, it traps once more. */
		fpu_first_use(current_thread());
	} else {
		int signal = tf->cause < ARRAY_SIZE(causes) ? causes[tf->cause].signal : 0;

		/* ILL_ILLOPC, TRAP_BRKPT, BUS_ADRALN */
		exception_user(tf, signal ? signal : SIGILL, 1, cause_name(tf->cause));
	}
}

/*
 * A CPU may remember that an address was not mapped. So after a fault on a kernel mapping that has
 * just been made the access is simply repeated; fault_kernel() deals with all others.
 */
static void kernel_fault(struct trapframe *tf, unsigned access)
{
	if (tf->value >= ARCH_VMAP_BASE) {
		arch_tlb_flush_page(tf->value);
		if (kernel_maps(tf->value, access))
			return;
	}
	if (tf->status & SSTATUS_SPIE)
		arch_irqs_enable();
	fault_kernel(tf, tf->value, access);
	arch_irqs_disable();
}

/*
 * Makes the end of @tf a frame that leads to the interrupted function. A backtrace would miss the
 * caller of code that still has its return address in ra, so that needs a frame in between: a leaf
 * function (the compiler stores only its caller's frame pointer, where the return address belongs)
 * and a jump to an invalid address.
 */
static void link_frames(struct trapframe *tf, const struct thread *t)
{
	u64 low = (u64)t->stack, high = low + t->stack_size, fp = tf->s[0];
	u64 saved = fp >= low + 16 && fp <= high && IS_ALIGNED(fp, 8) ? arch_frame_return(fp) : 0;
	bool leaf = saved >= low && saved <= high;

	tf->link_fp = fp;
	if (leaf || tf->cause == CAUSE_FETCH_PAGE) {
		tf->leaf_fp = leaf ? saved : fp;
		tf->leaf_ra = tf->ra;
		tf->link_fp = (u64)(&tf->leaf_ra + 1);
	}
}

/* The frame is on the emergency stack, as there was no room for it on the thread's. */
static noreturn void stack_overflow(struct trapframe *tf, struct thread *t)
{
	t->arch.stack_low = 0;		/* from here on, any stack will do */
	t->arch.stack_high = ~0UL;
	panic_trap(tf, "kernel stack overflow in thread %s: sp %lx, stack %lx to %lx", t->name,
		   tf->sp, (u64)t->stack, (u64)t->stack + t->stack_size);
}

void trap_kernel(struct trapframe *tf)
{
	struct thread *t = current_thread();
	unsigned access = page_fault_access(tf->cause);

	link_frames(tf, t);
	if (unlikely((u64)tf == thread_cpu(t)->arch.emergency))
		stack_overflow(tf, t);
	if (tf->cause & CAUSE_INTERRUPT)
		interrupt(tf);
	else if (access)
		kernel_fault(tf, access);
	else if (!TEST_BUILD || !trap_expected(tf))
		panic_trap(tf, "%s, address %lx", cause_name(tf->cause), tf->value);
}

void arch_print_registers(const struct trapframe *tf)
{
	static const struct {
		const char *name;
		unsigned nr;
	} groups[] = { { "a", 8 }, { "t", 7 }, { "s", 12 } };
	const u64 *values[] = { tf->a, tf->t, tf->s };

	kprintf("  pc  %016lx ra  %016lx sp  %016lx gp  %016lx", tf->pc, tf->ra, tf->sp, tf->gp);
	for (unsigned g = 0; g < ARRAY_SIZE(groups); g++)
		for (unsigned i = 0; i < groups[g].nr; i++)
			kprintf("%s%s%-2u %016lx", i % 4 ? " " : "\n  ", groups[g].name, i,
				values[g][i]);
	kprintf("\n  tp  %016lx status %lx, cause %lx (%s), value %lx\n", tf->tp, tf->status,
		tf->cause, cause_name(tf->cause), tf->value);
}
