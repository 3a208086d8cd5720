/*
 * x86_64: the inline part of arch.h, which includes this and says what each function promises.
 */
#pragma once

#include "arch.h"

#define RFLAGS_IF	0x200u

#define PTE_P		0x001ul
#define PTE_W		0x002ul
#define PTE_U		0x004ul
#define PTE_PWT		0x008ul
#define PTE_PCD		0x010ul
#define PTE_A		0x020ul
#define PTE_D		0x040ul
#define PTE_PS		0x080ul		/* a leaf above level 0 */
#define PTE_NX		(1ul << 63)
#define PTE_PA		0x000ffffffffff000ul

static inline u32 arch_irq_flag(void)
{
	u64 flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	return flags & RFLAGS_IF;
}

static inline bool arch_irqs_enabled(void)
{
	return arch_irq_flag();
}

static inline void arch_irqs_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void arch_irqs_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline u32 arch_irqs_save(void)
{
	u32 on = arch_irq_flag();

	arch_irqs_disable();
	return on;
}

/*
 * Under emulation `pause` ends the CPU's turn, which costs the host as much as some hundred
 * instructions. A long spin would slow everything down, so a few turns of a loop come first.
 */
static inline void arch_spin_hint(void)
{
	for (unsigned i = 0; i < 64; i++)
		__asm__ volatile("" : : : "memory");
	__asm__ volatile("pause" : : : "memory");
}

/*
 * Not volatile: code stays in the same thread even if it moves to another CPU, so the compiler may
 * keep the result.
 */
static inline struct thread *arch_current(void)
{
	struct thread *t;

	__asm__("movq %%gs:%c1, %0" : "=r"(t) : "i"(offsetof(struct arch_cpu, current)));
	return t;
}

void user_switch(struct thread *prev, struct thread *next);

static inline void arch_switch_state(struct thread *prev, struct thread *next)
{
	user_switch(prev, next);
}

static inline struct trapframe *arch_trapframe(struct thread *t)
{
	return ((struct arch_thread *)t)->frame;
}

static inline u64 arch_syscall_number(const struct trapframe *tf)
{
	return tf->error;
}

static inline u64 arch_syscall_arg(const struct trapframe *tf, unsigned i)
{
	switch (i) {
	case 0:
		return tf->rdi;
	case 1:
		return tf->rsi;
	case 2:
		return tf->rdx;
	case 3:
		return tf->r10;
	case 4:
		return tf->r8;
	default:
		return tf->r9;
	}
}

static inline void arch_syscall_result(struct trapframe *tf, long result)
{
	tf->rax = (u64)result;
}

static inline void arch_syscall_restart(struct trapframe *tf, u64 arg)
{
	tf->rdi = arg;
	tf->rax = tf->error;	/* its number */
	tf->rip -= 2;		/* back to the SYSCALL */
}

static inline u64 arch_trap_pc(const struct trapframe *tf)
{
	return tf->rip;
}

static inline void arch_trap_set_pc(struct trapframe *tf, u64 pc)
{
	tf->rip = pc;
}

static inline u64 arch_trap_sp(const struct trapframe *tf)
{
	return tf->rsp;
}

static inline u64 arch_trap_fp(const struct trapframe *tf)
{
	return tf->rbp;
}

static inline bool arch_trap_from_user(const struct trapframe *tf)
{
	return tf->cs & 3;
}

static inline u64 arch_frame_pointer(void)
{
	return (u64)__builtin_frame_address(0);
}

static inline u64 arch_frame_return(u64 fp)
{
	return ((const u64 *)fp)[1];
}

static inline u64 arch_frame_next(u64 fp)
{
	return ((const u64 *)fp)[0];
}

/*
 * Accessed and dirty are set from the start: the kernel never reads them, and the CPU need not
 * write them. No pages are global, so that a load of CR3 drops everything.
 */
static inline pte_t arch_pte_leaf(paddr_t pa, unsigned prot)
{
	pte_t pte = pa | PTE_P | PTE_A | PTE_D;

	if (prot & VM_WRITE)
		pte |= PTE_W;
	if (prot & VM_USER)
		pte |= PTE_U;
	if (prot & VM_DEVICE)
		pte |= PTE_PCD | PTE_PWT;
	if (!(prot & VM_EXEC))
		pte |= PTE_NX;
	return pte;
}

/* Entries of tables allow everything: the leaf alone decides the rights. */
static inline pte_t arch_pte_table(paddr_t pa)
{
	return pa | PTE_P | PTE_W | PTE_U | PTE_A;
}

static inline bool arch_pte_present(pte_t pte)
{
	return pte & PTE_P;
}

static inline bool arch_pte_is_leaf(pte_t pte, unsigned level)
{
	return level == 0 || (pte & PTE_PS);
}

static inline paddr_t arch_pte_pa(pte_t pte)
{
	return pte & PTE_PA;
}

static inline unsigned arch_pte_prot(pte_t pte)
{
	unsigned prot = VM_READ;

	if (pte & PTE_W)
		prot |= VM_WRITE;
	if (pte & PTE_U)
		prot |= VM_USER;
	if (pte & PTE_PCD)
		prot |= VM_DEVICE;
	if (!(pte & PTE_NX))
		prot |= VM_EXEC;
	return prot;
}

static inline void arch_tlb_flush_page(vaddr_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline void arch_tlb_flush_all(void)
{
	u64 root;

	__asm__ volatile("movq %%cr3, %0; movq %0, %%cr3" : "=r"(root) : : "memory");
}

static inline void arch_mmu_load(paddr_t root)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(root) : "memory");
}

extern u64 tsc_to_ns;		/* [const after boot] ns per tick, times 2^32; see timer.c */

static inline u64 arch_rdtsc(void)
{
	u32 lo, hi;

	/* The fence orders the reading after earlier loads, so clocks on two CPUs agree. */
	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

static inline u64 arch_clock_ns(void)
{
	return (u64)(((unsigned __int128)arch_rdtsc() * tsc_to_ns) >> 32);
}

static inline u8 arch_port_read8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void arch_port_write8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
