/*
 * The host as a port, for the explorer: the inline part of arch.h. Which virtual CPU runs is known
 * in cpu.c alone, so most of these call functions there.
 */
#pragma once

#include "arch.h"

bool host_irqs_enabled(void);
void host_irqs_enable(void);
u32 host_irqs_save(void);
void host_spin(void);
struct thread *host_current(void);
u64 host_now(void);

static inline bool arch_irqs_enabled(void)
{
	return host_irqs_enabled();
}

static inline void arch_irqs_enable(void)
{
	host_irqs_enable();
}

static inline void arch_irqs_disable(void)
{
	(void)host_irqs_save();
}

static inline u32 arch_irqs_save(void)
{
	return host_irqs_save();
}

/* A page table entry: the rights, VM_*, from bit 2 on; bit 1 is the kernel's own (PTE_PARKED). */
#define HOST_PTE_VALID		1UL
#define HOST_PTE_LEAF		(1UL << 7)
#define HOST_PTE_PROT_SHIFT	2

static inline pte_t arch_pte_leaf(paddr_t pa, unsigned prot)
{
	return pa | HOST_PTE_VALID | HOST_PTE_LEAF | prot << HOST_PTE_PROT_SHIFT;
}

static inline pte_t arch_pte_table(paddr_t pa)
{
	return pa | HOST_PTE_VALID;
}

static inline bool arch_pte_present(pte_t pte)
{
	return pte & HOST_PTE_VALID;
}

static inline bool arch_pte_is_leaf(pte_t pte, unsigned level)
{
	return level == 0 || pte & HOST_PTE_LEAF;
}

static inline paddr_t arch_pte_pa(pte_t pte)
{
	return pte & -PAGE_SIZE;
}

static inline unsigned arch_pte_prot(pte_t pte)
{
	return pte >> HOST_PTE_PROT_SHIFT & (VM_READ | VM_WRITE | VM_EXEC | VM_USER);
}

static inline void arch_mmu_load(paddr_t root)
{
	(void)root;
}

void host_tlb_flush_page(vaddr_t va);
void host_tlb_flush_all(void);

static inline void arch_tlb_flush_page(vaddr_t va)
{
	host_tlb_flush_page(va);
}

static inline void arch_tlb_flush_all(void)
{
	host_tlb_flush_all();
}

static inline void arch_spin_hint(void)
{
	host_spin();
}

static inline struct thread *arch_current(void)
{
	return host_current();
}

static inline void arch_switch_state(struct thread *prev, struct thread *next)
{
	(void)prev;
	(void)next;
}

static inline struct trapframe *arch_trapframe(struct thread *t)
{
	return &((struct arch_thread *)t)->frame;	/* its first field: thread.h */
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
	(void)tf;
	return 0;			/* handlers need no user stack: user.c */
}

/* User code here makes no system call that a signal could start again. */
static inline u64 arch_syscall_arg(const struct trapframe *tf, unsigned i)
{
	(void)tf;
	(void)i;
	return 0;
}

static inline void arch_syscall_restart(struct trapframe *tf, u64 arg)
{
	(void)tf;
	(void)arg;
}

static inline bool arch_trap_from_user(const struct trapframe *tf)
{
	return tf && tf->from_user;
}

static inline u64 arch_clock_ns(void)
{
	return host_now();
}
