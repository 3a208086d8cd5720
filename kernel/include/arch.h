/*
 * The whole contract between the kernel and a port: to port Trellis is to implement this header.
 *
 * A port provides, in arch/<arch>/:
 *	arch_types.h	struct arch_thread, struct arch_cpu, struct trapframe, constants
 *	arch_inline.h	the functions below marked [inline]
 *	abi.h		user-visible structures whose layout differs by port (struct abi_stat, ...),
 *			and its column of abi/syscalls.def
 *	and everything else in .c and .S files.
 *
 * Each function says in which context it may be called. "Any" is any context, interrupts on or off.
 */
#pragma once

#include "types.h"

struct cpu;
struct thread;
struct trapframe;

/*
 * Constants of arch_types.h:
 *	ARCH_NAME		"riscv64", "x86_64", as uname() says it
 *	ARCH_HWID_NAME		the name of a CPU's hwid in /proc/cpuinfo, as on Linux
 *	ARCH_USER_END		first address above user space
 *	ARCH_DIRECT_BASE	physical memory appears here, where arch_direct_map() has mapped it
 *	ARCH_VMAP_BASE, ARCH_VMAP_END	kernel addresses for stacks, devices and temporary mappings
 *	ARCH_PT_LEVELS		levels of 512 entries each; level 0 holds 4 KiB leaves
 *	ARCH_CACHE_LINE
 *	ARCH_ELF_MACHINE	e_machine of its programs
 */
#include "arch_types.h"

/* Protection and attributes of a mapping. */
#define VM_READ		1u
#define VM_WRITE	2u
#define VM_EXEC		4u
#define VM_USER		8u
#define VM_DEVICE	16u	/* uncached, strongly ordered */

/*
 * --- Interrupts on this CPU. Any. --------------------------------------------------------------
 */

static inline bool arch_irqs_enabled(void);		/* [inline] */
static inline void arch_irqs_enable(void);		/* [inline] */
static inline void arch_irqs_disable(void);		/* [inline] */
static inline u32 arch_irqs_save(void);		/* [inline] disables; not 0: they were on */

/*
 * Waits for an interrupt. Called with interrupts off; returns with them off after at least one has
 * been taken. No interrupt between the caller's last look and the wait is lost.
 */
void arch_idle_wait(void);

/* For every spin loop; under emulation it may end the CPU's turn. [inline] */
static inline void arch_spin_hint(void);

/*
 * --- The current thread. Any. ------------------------------------------------------------------
 */

/* Returns the current thread; one instruction, so that preemption cannot hit midway. [inline] */
static inline struct thread *arch_current(void);

/* Boot only: makes @t the current thread of CPU @c before the first switch. */
void arch_set_current(struct thread *t, struct cpu *c);

/*
 * --- Context switch ----------------------------------------------------------------------------
 */

/*
 * Builds the first frame on the new thread @t's stack (t->stack, t->stack_size), so that switching
 * to it enters thread_start() with interrupts off as sched_finish_switch() expects. Lab 02
 * (frame.c).
 */
void arch_thread_frame(struct thread *t);

/*
 * Saves the registers that a call preserves on the current stack, and the stack pointer in
 * prev->arch; then loads next's, so it returns in @next. Interrupts off, prev's run queue locked.
 * Lab 02 (switch.S).
 */
void arch_switch(struct thread *prev, struct thread *next);

/*
 * Switches the rest of the state: what traps need to find next's kernel stack, user TLS register,
 * floating-point and vector state of user threads. Called right before arch_switch().
 */
static inline void arch_switch_state(struct thread *prev, struct thread *next);	/* [inline] */

/*
 * --- User threads ------------------------------------------------------------------------------
 */

/* Returns the user registers of @t, at the top of its kernel stack. [inline] */
static inline struct trapframe *arch_trapframe(struct thread *t);

/* For exec: sets pc and sp, clears all other registers and floating-point state. */
void arch_user_init(struct thread *t, vaddr_t pc, vaddr_t sp);

/* For clone: @child starts where @parent, the current thread, made the call, with result 0. */
void arch_user_clone(struct thread *child, struct thread *parent);
void arch_user_set_sp(struct thread *t, vaddr_t sp);
void arch_user_set_tls(struct thread *t, vaddr_t tls);

/* Enters user mode with the current thread's user registers, for the first time. */
noreturn void arch_user_enter(void);

/* System call number, arguments, result. [inline] */
static inline u64 arch_syscall_number(const struct trapframe *tf);
static inline u64 arch_syscall_arg(const struct trapframe *tf, unsigned i);	/* 0..5 */
static inline void arch_syscall_result(struct trapframe *tf, long result);

/* Makes the program repeat the system call of @tf, with @arg as its first argument. */
static inline void arch_syscall_restart(struct trapframe *tf, u64 arg);	/* [inline] */

/*
 * Signals, in Linux's layout. Enter writes a frame with the registers of @tf below call->top, and
 * changes @tf to enter the handler. Leave (rt_sigreturn) takes the registers, *mask and *stack back
 * from the frame at the user's stack pointer; *result is the register that the system call's result
 * would overwrite. @tf is the current thread's own. Both return 0 or -EFAULT, and may block.
 *	ARCH_RED_ZONE		bytes below the stack pointer that a program may use
 */
struct signal_call;
struct sigstack;
int arch_signal_enter(struct trapframe *tf, const struct signal_call *call);
int arch_signal_leave(struct trapframe *tf, u64 *mask, struct sigstack *stack, long *result);

static inline u64 arch_trap_pc(const struct trapframe *tf);	/* [inline] */
static inline void arch_trap_set_pc(struct trapframe *tf, u64 pc);	/* [inline] */
static inline u64 arch_trap_sp(const struct trapframe *tf);	/* [inline] */
static inline u64 arch_trap_fp(const struct trapframe *tf);	/* [inline] frame pointer */
static inline bool arch_trap_from_user(const struct trapframe *tf);	/* [inline] */

/* Panic: prints the registers of @tf. */
void arch_print_registers(const struct trapframe *tf);

/* For backtraces: the caller's frame pointer, and the two words of a frame. [inline] */
static inline u64 arch_frame_pointer(void);
static inline u64 arch_frame_return(u64 fp);	/* the return address in frame @fp */
static inline u64 arch_frame_next(u64 fp);	/* the caller's frame */

/*
 * The port's trap entry calls these, on the kernel stack of the current thread. Interrupts are off,
 * except in page faults, where they are as they were before the fault:
 *	irq_enter(), irq_exit(tf)	around timer_interrupt(tf), ipi_interrupt(), irq_dispatch()
 *	syscall_entry(tf)		a system call
 *	fault_user(tf, addr, access)	a page fault taken in user mode
 *	fault_kernel(tf, addr, access)	one taken in kernel mode
 *	exception_user(tf, sig, code, what)	any other fault of user code
 *	panic_trap(tf, ...)		anything else the kernel does to itself
 *	user_return_work(tf)		before going back to user mode, when t->work is not 0
 */
void syscall_entry(struct trapframe *tf);
void fault_user(struct trapframe *tf, vaddr_t addr, unsigned access);
void fault_kernel(struct trapframe *tf, vaddr_t addr, unsigned access);
void exception_user(struct trapframe *tf, int sig, int code, const char *what);

/*
 * --- User memory. May fault, and so may block unless interrupts or preemption are off. ---------
 */

/*
 * The instructions that may touch user memory, and where execution goes on after a fault that
 * cannot be resolved: the port's assembly puts an entry for each into section .extable.
 */
struct extable_entry {
	u64 from, to;			/* instructions in [from, to) */
	u64 fixup;
};

extern const struct extable_entry __extable_start[], __extable_end[];

/*
 * Copies @n bytes where one side is user memory, whose range the caller has checked. Returns how
 * many were not copied: a fault that cannot be resolved ends the copy, and nothing else happens.
 */
size_t arch_copy_user(void *dst, const void *src, size_t n);
size_t arch_clear_user(void *dst, size_t n);

/* Atomically stores @new in *@p if that was @old, and what it was in *@seen. 0 or -EFAULT. */
int arch_user_cmpxchg32(u32 *p, u32 old, u32 new, u32 *seen);

/*
 * The port also defines memcpy() and memset() of string.h. memcpy() goes from the lowest address
 * up, and in each step loads before it stores: memmove() uses it to move bytes to lower addresses.
 */

/*
 * --- Page tables (kernel/mm/walk.c walks, the port knows the bits) ------------------------------
 */

/* On every port the hardware ignores an entry whose bit 0 is clear: the kernel may use the rest. */
static inline pte_t arch_pte_leaf(paddr_t pa, unsigned prot);	/* [inline] */
static inline pte_t arch_pte_table(paddr_t pa);			/* [inline] */
static inline bool arch_pte_present(pte_t pte);			/* [inline] */
static inline bool arch_pte_is_leaf(pte_t pte, unsigned level);	/* [inline] */
static inline paddr_t arch_pte_pa(pte_t pte);			/* [inline] */
static inline unsigned arch_pte_prot(pte_t pte);		/* [inline] */

/* Returns the kernel's own root. */
paddr_t arch_kernel_root(void);

/* Makes @root a user root that shares the kernel's half. */
void arch_root_init(void *root);

/* Loads @root on this CPU. Interrupts off. */
static inline void arch_mmu_load(paddr_t root);		/* [inline] */

/*
 * Makes [pa, pa + 2 MiB) readable and writable at ARCH_DIRECT_BASE + pa, if it is not yet. At boot,
 * also for the registers of an MMIO console; later with the page lock held.
 */
void arch_direct_map(paddr_t pa);

/* Returns the physical address of an object in the kernel's image. */
paddr_t arch_image_pa(const void *p);

/* This CPU only. Any. [inline] */
static inline void arch_tlb_flush_page(vaddr_t va);
static inline void arch_tlb_flush_all(void);

/*
 * Drops translations of [start, end) on the other CPUs @cpus, by tlb_flush_here() there or an
 * equivalent, and returns when all have done so. Preemption off, interrupts on, no spin lock held:
 * a CPU that waits must serve the requests of others.
 */
void arch_tlb_shootdown(u32 cpus, vaddr_t start, vaddr_t end);

/*
 * --- Time, interrupt controller, other CPUs, power ----------------------------------------------
 */

static inline u64 arch_clock_ns(void); /* [inline] monotonic, the same on every CPU. Any. */

/* Sets this CPU's one-shot timer to arch_clock_ns() == @ns, or at once if past. Interrupts off. */
void arch_timer_set(u64 ns);
void arch_timer_stop(void);

void arch_ipi(struct cpu *target);		/* any; makes ipi_interrupt() run on @target */
void arch_irq_unmask(unsigned irq);		/* boot: a device line */

/* I/O ports. Where the machine has none, reads return 0xff and writes do nothing. [inline] */
static inline u8 arch_port_read8(u16 port);
static inline void arch_port_write8(u16 port, u8 value);

/*
 * Starts @c, prepared by cpu_prepare(), which ends in cpu_main(). At boot, on the boot CPU, with
 * interrupts off, after the allocators are set up. Returns false if @c does not start and never
 * will.
 */
bool arch_cpu_start(struct cpu *c);

/* Boot: CPU @hwid will not be used; makes sure that it never delays the others. */
void arch_cpu_spare(u64 hwid);

enum machine_end { MACHINE_OFF, MACHINE_REBOOT, MACHINE_PANICKED };

/* Ends the machine; with MACHINE_OFF and MACHINE_PANICKED the emulator's status is 33, 35. Any. */
noreturn void arch_machine_end(enum machine_end how);

#include "arch_inline.h"

static inline struct thread *current_thread(void)
{
	return arch_current();
}
