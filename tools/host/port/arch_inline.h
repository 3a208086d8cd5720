/*
 * The host as a port: the inline part of arch.h. One thread on one CPU, without interrupts.
 */
#pragma once

#include "arch.h"

extern struct thread *host_thread;

static inline struct thread *arch_current(void)
{
	return host_thread;
}

static inline bool arch_irqs_enabled(void)
{
	return true;
}

static inline u64 arch_trap_pc(const struct trapframe *tf)
{
	return tf->pc;
}

static inline void arch_trap_set_pc(struct trapframe *tf, u64 pc)
{
	tf->pc = pc;
}

/* Time stands still. */
static inline u64 arch_clock_ns(void)
{
	return 0;
}

static inline void arch_mmu_load(paddr_t root)
{
	(void)root;
}

static inline void arch_tlb_flush_page(vaddr_t va)
{
	(void)va;
}

static inline void arch_tlb_flush_all(void)
{
}

/* --- Page table entries: present, leaf, and rights from bit 4 on ------------------------------ */

#define PTE_PRESENT	1UL
#define PTE_LEAF	2UL
#define PTE_PROT_SHIFT	4

static inline pte_t arch_pte_leaf(paddr_t pa, unsigned prot)
{
	return pa | PTE_PRESENT | PTE_LEAF | (pte_t)prot << PTE_PROT_SHIFT;
}

static inline pte_t arch_pte_table(paddr_t pa)
{
	return pa | PTE_PRESENT;
}

static inline bool arch_pte_present(pte_t pte)
{
	return pte & PTE_PRESENT;
}

static inline bool arch_pte_is_leaf(pte_t pte, unsigned level)
{
	return level == 0 || pte & PTE_LEAF;
}

static inline paddr_t arch_pte_pa(pte_t pte)
{
	return ALIGN_DOWN(pte, PAGE_SIZE);
}

static inline unsigned arch_pte_prot(pte_t pte)
{
	return pte >> PTE_PROT_SHIFT & 31;
}
