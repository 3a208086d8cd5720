/*
 * The whole contract between the kernel and a port. Porting Trellis means implementing this header.
 *
 * A port provides, in arch/<arch>/:
 *	arch_types.h	struct arch_thread, struct arch_cpu, struct trapframe, constants
 *	arch_inline.h	the functions below marked [inline]
 *	abi.h		user-visible structures with a layout of their own (struct abi_stat, ...),
 *			and its column of abi/syscalls.def
 *	and everything else in .c and .S files.
 *
 * Each entry says who may call it. "Any" is any context, interrupts on or off.
 */
#pragma once

#include "types.h"

struct cpu;
struct thread;
struct trapframe;

/*
 * Constants of arch_types.h:
 *	ARCH_NAME		"riscv64", "x86_64", as uname() says it
 *	ARCH_HWID_NAME		what /proc/cpuinfo, as Linux has it, calls a CPU's hwid
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

/* In every spin loop; may give the CPU's turn away under emulation. [inline] */
static inline void arch_spin_hint(void);

/*
 * --- Who runs here. Any. -----------------------------------------------------------------------
 */

/* One instruction, so right under preemption and migration too. [inline] */
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
 * Saves what a call preserves on the current stack, and the stack pointer in prev->arch; loads
 * next's. Returns in @next. Interrupts off, prev's run queue lock held. Lab 02 (switch.S).
 */
void arch_switch(struct thread *prev, struct thread *next);

/*
 * State beside the stack: what traps need to find next's kernel stack, user TLS register,
 * floating-point and vector state of user threads. Called right before arch_switch().
 */
static inline void arch_switch_state(struct thread *prev, struct thread *next);	/* [inline] */

/*
 * --- User threads ------------------------------------------------------------------------------
 */

/* The user registers of @t, at the top of its kernel stack. [inline] */
static inline struct trapframe *arch_trapframe(struct thread *t);

/* All registers zero but pc and sp; clears floating-point state. For exec. */
void arch_user_init(struct thread *t, vaddr_t pc, vaddr_t sp);

/* @child starts where @parent (the current thread) entered the kernel, with result 0. For clone. */
void arch_user_clone(struct thread *child, struct thread *parent);
void arch_user_set_sp(struct thread *t, vaddr_t sp);
void arch_user_set_tls(struct thread *t, vaddr_t tls);

/* Enters user mode with @t's registers; the current thread's first way out. Interrupts on. */
noreturn void arch_user_enter(void);

/* System call number, arguments, result. [inline] */
static inline u64 arch_syscall_number(const struct trapframe *tf);
static inline u64 arch_syscall_arg(const struct trapframe *tf, unsigned i);	/* 0..5 */
static inline void arch_syscall_result(struct trapframe *tf, long result);

/* The system call that @tf has just made is made again, with @arg as its first argument. */
static inline void arch_syscall_restart(struct trapframe *tf, u64 arg);	/* [inline] */

/*
 * Signals, in Linux's layout. Enter: a frame below call->top with the registers of @tf, which then
 * enters the handler. Leave: the registers come back from the frame @tf->sp is at (rt_sigreturn),
 * *mask and *stack too, and *result is what a system call's result would overwrite. Both on the
 * current thread's own frame; 0 or -EFAULT. May block.
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

/* The caller's frame pointer, and what a frame holds, for backtraces. [inline] */
static inline u64 arch_frame_pointer(void);
static inline u64 arch_frame_return(u64 fp);	/* the return address in frame @fp */
static inline u64 arch_frame_next(u64 fp);	/* the caller's frame */

/*
 * Called by the port from its trap entry, on the kernel stack of the current thread;
 * with interrupts off, but for page faults, where they are as they were where the fault happened:
 *	irq_enter(), irq_exit(tf)	around timer_interrupt(tf), ipi_interrupt(), irq_dispatch()
 *	syscall_entry(tf)		a system call
 *	fault_user(tf, addr, access)	a page fault taken in user mode
 *	fault_kernel(tf, addr, access)	one taken in kernel mode
 *	exception_user(tf, sig, what)	any other fault of user code
 *	panic_trap(tf, ...)		anything else the kernel does to itself
 *	user_return_work(tf)		before going back to user mode, when t->work is not 0
 */
void syscall_entry(struct trapframe *tf);
void fault_user(struct trapframe *tf, vaddr_t addr, unsigned access);
void fault_kernel(struct trapframe *tf, vaddr_t addr, unsigned access);
void exception_user(struct trapframe *tf, int sig, const char *what);

/*
 * --- User memory. May fault, and so may block unless interrupts or preemption are off. ---------
 */

/*
 * The instructions that may touch user memory, and where each goes on after a fault that cannot be
 * mended: the port's assembly puts an entry into section .extable for each.
 */
struct extable_entry {
	u64 from, to;			/* instructions in [from, to) */
	u64 fixup;
};

extern const struct extable_entry __extable_start[], __extable_end[];

/*
 * Copies @n bytes where one side is user memory that the caller has range-checked. Returns how many
 * were not copied. A fault that cannot be mended ends the copy; nothing else happens.
 */
size_t arch_copy_user(void *dst, const void *src, size_t n);
size_t arch_clear_user(void *dst, size_t n);

/* Atomically: if *p == old, *p = new. *seen gets what was there. 0 or -EFAULT. */
int arch_user_cmpxchg32(u32 *p, u32 old, u32 new, u32 *seen);

/*
 * And memcpy(), memset() of string.h. memcpy() goes from the lowest address upwards, all loads of a
 * step before its stores: memmove() uses it for overlapping moves to lower addresses.
 */

/*
 * --- Page tables (kernel/mm/walk.c walks, the port knows the bits) ------------------------------
 */

/*
 * On every port the hardware ignores an entry whose bit 0 is clear: the rest of it is the kernel's.
 */
static inline pte_t arch_pte_leaf(paddr_t pa, unsigned prot);	/* [inline] */
static inline pte_t arch_pte_table(paddr_t pa);			/* [inline] */
static inline bool arch_pte_present(pte_t pte);			/* [inline] */
static inline bool arch_pte_is_leaf(pte_t pte, unsigned level);	/* [inline] */
static inline paddr_t arch_pte_pa(pte_t pte);			/* [inline] */
static inline unsigned arch_pte_prot(pte_t pte);		/* [inline] */

/* The kernel's own root, and a new user root that shares the kernel's half. */
paddr_t arch_kernel_root(void);
void arch_root_init(void *root);

/* Loads @root on this CPU. Interrupts off. */
static inline void arch_mmu_load(paddr_t root);		/* [inline] */

/*
 * Makes [pa, pa + 2 MiB) readable and writable at ARCH_DIRECT_BASE + pa. Boot or page lock held.
 * Harmless if it is already. At boot also for the registers of an MMIO console.
 */
void arch_direct_map(paddr_t pa);

/* Physical address of something in the kernel image. */
paddr_t arch_image_pa(const void *p);

/* This CPU only. Any. [inline] */
static inline void arch_tlb_flush_page(vaddr_t va);
static inline void arch_tlb_flush_all(void);

/*
 * Drops translations of [start, end) on the other CPUs @cpus, by tlb_flush_here() there or an
 * equivalent, and returns when all have. Preemption off, interrupts on, no spin lock held: whoever
 * waits serves others' requests.
 */
void arch_tlb_shootdown(u32 cpus, vaddr_t start, vaddr_t end);

/*
 * --- Time, interrupt controller, other CPUs, power ----------------------------------------------
 */

static inline u64 arch_clock_ns(void); /* [inline] monotonic, the same on every CPU. Any. */

/* One-shot timer of this CPU at arch_clock_ns() == @ns, at once if past. Interrupts off. */
void arch_timer_set(u64 ns);
void arch_timer_stop(void);

void arch_ipi(struct cpu *target);		/* any; delivery calls ipi_interrupt() there */
void arch_irq_unmask(unsigned irq); /* a device line, for this CPU and every other one */

/* I/O ports, which only some machines have: elsewhere reads give 0xff, writes nothing. [inline] */
static inline u8 arch_port_read8(u16 port);
static inline void arch_port_write8(u16 port, u8 value);

/*
 * Boot, on the boot CPU, interrupts off, after the allocators are up: starts @c, which has been
 * prepared and ends in cpu_main(). False: it does not start, and never will.
 */
bool arch_cpu_start(struct cpu *c);

/* Boot: CPU @hwid will not be used, and from now on never holds up the others. */
void arch_cpu_spare(u64 hwid);

enum machine_end { MACHINE_OFF, MACHINE_REBOOT, MACHINE_PANICKED };

/* Any. MACHINE_OFF and MACHINE_PANICKED tell the emulator 33 and 35 as its exit status. */
noreturn void arch_machine_end(enum machine_end how);

#include "arch_inline.h"

static inline struct thread *current_thread(void)
{
	return arch_current();
}
