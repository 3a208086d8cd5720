/*
 * RISC-V: the inline part of arch.h, which includes this and says what each function promises.
 */
#pragma once

#include "arch.h"
#include "arch_types.h"
#include "csr.h"

/* --- Interrupts ------------------------------------------------------------------------------- */

static inline bool arch_irqs_enabled(void)
{
	return csr_read(sstatus) & SSTATUS_SIE;
}

static inline void arch_irqs_enable(void)
{
	csr_set(sstatus, SSTATUS_SIE);
}

static inline void arch_irqs_disable(void)
{
	csr_clear(sstatus, SSTATUS_SIE);
}

static inline u32 arch_irqs_save(void)
{
	u64 before;

	__asm__ volatile("csrrci %0, sstatus, %1" : "=r"(before) : "i"(SSTATUS_SIE) : "memory");
	return before & SSTATUS_SIE;
}

/*
 * `pause`, as a word, since assemblers want an extension for it; 1 to 32 of them, as the time says.
 * If each round of a loop took as long as the last, two CPUs could stay in step, and one find the
 * other's lock taken for ever: nothing in QEMU's machine breaks a rhythm that fits its turns.
 */
static inline void arch_spin_hint(void)
{
	u32 n = (u32)csr_read(time) * 0x9e3779b1 >> 27;

	do {
		__asm__ volatile(".word 0x0100000f" : : : "memory");
	} while (n--);
}

/*
 * tp holds the current thread whenever the kernel runs. As a register variable it needs no copy
 * that would have to be preserved across calls.
 */
register struct thread *tp_thread __asm__("tp");

static inline struct thread *arch_current(void)
{
	return tp_thread;
}

/* --- Trap frames ------------------------------------------------------------------------------ */

/* struct thread begins with its struct arch_thread. */
static inline struct trapframe *arch_trapframe(struct thread *t)
{
	return ((struct arch_thread *)t)->tf;
}

static inline u64 arch_syscall_number(const struct trapframe *tf)
{
	return tf->a[7];
}

static inline u64 arch_syscall_arg(const struct trapframe *tf, unsigned i)
{
	return tf->a[i];
}

static inline void arch_syscall_result(struct trapframe *tf, long result)
{
	tf->a[0] = (u64)result;
}

static inline void arch_syscall_restart(struct trapframe *tf, u64 arg)
{
	tf->a[0] = arg;
	tf->pc -= 4;		/* back to the ecall */
}

static inline u64 arch_trap_pc(const struct trapframe *tf)
{
	return tf->pc;
}

static inline void arch_trap_set_pc(struct trapframe *tf, u64 pc)
{
	tf->pc = pc;
}

static inline u64 arch_trap_sp(const struct trapframe *tf)
{
	return tf->sp;
}

static inline bool arch_trap_from_user(const struct trapframe *tf)
{
	return !(tf->status & SSTATUS_SPP);
}

static inline u64 arch_trap_fp(const struct trapframe *tf)
{
	return arch_trap_from_user(tf) ? tf->s[0] : tf->link_fp;
}

void fpu_switch(struct thread *prev, struct thread *next);

/* Most threads have no floating-point state; see frame.c. */
static inline void arch_switch_state(struct thread *prev, struct thread *next)
{
	if ((arch_trapframe(prev)->status | arch_trapframe(next)->status) & SSTATUS_FS)
		fpu_switch(prev, next);
}

/* A frame pointer is sp as it was before the call; below lie return address, then caller's fp. */
static inline u64 arch_frame_pointer(void)
{
	return (u64)__builtin_frame_address(0);
}

static inline u64 arch_frame_return(u64 fp)
{
	return ((u64 *)fp)[-1];
}

static inline u64 arch_frame_next(u64 fp)
{
	return ((u64 *)fp)[-2];
}

/* --- Page tables ------------------------------------------------------------------------------ */

#define PTE_VALID	0x01UL
#define PTE_READ	0x02UL
#define PTE_WRITE	0x04UL
#define PTE_EXEC	0x08UL
#define PTE_USER	0x10UL
#define PTE_GLOBAL	0x20UL
#define PTE_ACCESSED	0x40UL
#define PTE_DIRTY	0x80UL
#define PTE_LEAF	(PTE_READ | PTE_WRITE | PTE_EXEC)
#define PTE_PPN_SHIFT	10
#define PTE_PPN_MASK	0x003ffffffffffc00UL

/*
 * Accessed and dirty are set from the start: the kernel never reads them, and a CPU that does not
 * set them itself would fault. VM_DEVICE needs no bit: memory attributes belong to the address.
 */
static inline pte_t arch_pte_leaf(paddr_t pa, unsigned prot)
{
	pte_t pte = pa >> PAGE_SHIFT << PTE_PPN_SHIFT | PTE_VALID | PTE_ACCESSED | PTE_DIRTY;

	if (prot & VM_READ)
		pte |= PTE_READ;
	if (prot & VM_WRITE)
		pte |= PTE_READ | PTE_WRITE;	/* write without read is reserved */
	if (prot & VM_EXEC)
		pte |= PTE_EXEC;
	return pte | (prot & VM_USER ? PTE_USER : PTE_GLOBAL);
}

static inline pte_t arch_pte_table(paddr_t pa)
{
	return pa >> PAGE_SHIFT << PTE_PPN_SHIFT | PTE_VALID;
}

static inline bool arch_pte_present(pte_t pte)
{
	return pte & PTE_VALID;
}

static inline bool arch_pte_is_leaf(pte_t pte, unsigned level)
{
	return level == 0 || (pte & PTE_LEAF);
}

static inline paddr_t arch_pte_pa(pte_t pte)
{
	return (pte & PTE_PPN_MASK) >> PTE_PPN_SHIFT << PAGE_SHIFT;
}

static inline unsigned arch_pte_prot(pte_t pte)
{
	return (pte & PTE_READ ? VM_READ : 0) | (pte & PTE_WRITE ? VM_WRITE : 0) |
	       (pte & PTE_EXEC ? VM_EXEC : 0) | (pte & PTE_USER ? VM_USER : 0);
}

static inline void arch_tlb_flush_page(vaddr_t va)
{
	__asm__ volatile("sfence.vma %0, zero" : : "r"(va) : "memory");
}

static inline void arch_tlb_flush_all(void)
{
	__asm__ volatile("sfence.vma" : : : "memory");
}

/*
 * All spaces share address space number 0, so the TLB entries of the last user root must go. The
 * kernel's are global and stay: sfence.vma with a register other than x0 spares them.
 */
static inline void arch_mmu_load(paddr_t root)
{
	__asm__ volatile("csrw satp, %0\n\tsfence.vma zero, %1"
			 : : "r"(SATP_SV39 | root >> PAGE_SHIFT), "r"(0UL) : "memory");
}

/* --- I/O ports: this machine has none --------------------------------------------------------- */

static inline u8 arch_port_read8(u16 port)
{
	(void)port;
	return 0xff;
}

static inline void arch_port_write8(u16 port, u8 value)
{
	(void)port;
	(void)value;
}

/* --- Time ------------------------------------------------------------------------------------- */

extern u64 clock_mult;		/* [const after boot] ns per tick, 32 fraction bits; see timer.c */

static inline u64 arch_clock_ns(void)
{
	u64 ticks;

	__asm__ volatile("csrr %0, time" : "=r"(ticks));
	return (u64)(((unsigned __int128)ticks * clock_mult) >> 32);
}
