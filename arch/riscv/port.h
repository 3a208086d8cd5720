/*
 * Shared by the files of this port.
 */
#pragma once

#include "arch.h"
#include "dev/fdt.h"
#include "thread/thread.h"

/* entry.S, fpu.S */
void trap_entry(void);
void _start(void);
void fpu_save(struct fpu_state *fpu);
void fpu_restore(const struct fpu_state *fpu);

/* Where the C code of this port begins, called by entry.S. */
paddr_t mmu_boot(void);					/* at physical addresses */
noreturn void boot_main(u64 hwid, paddr_t dtb);
noreturn void secondary_main(struct cpu *c);
void trap_user(struct trapframe *tf);
void trap_kernel(struct trapframe *tf);

/* boot.c: the first stack of the boot hart; the guard page is not mapped. */
struct boot_stack {
	u8 guard[PAGE_SIZE];
	u8 stack[KSTACK_SIZE];
};

extern struct boot_stack boot_stack;

/* frame.c: derives from t->stack and t->stack_size what trap entry has to know. */
void thread_set_stack(struct thread *t);
void fpu_first_use(struct thread *t);			/* @t is the current thread */

/* Read and write the current thread's floating-point registers, for signal frames. */
void fpu_read(struct thread *t, struct fpu_state *out);
void fpu_write(struct thread *t, const struct fpu_state *in);

/* Where the image is linked, and its greatest size, by its page tables: four blocks of 2 MiB. */
#define IMAGE_BASE		0xffffffff80200000UL
#define IMAGE_MAX		0x800000UL

extern char __image_start[], __image_end[];
extern char __text_start[], __text_end[], __data_start[], __data_end[];
extern char __rodata_start[], __rodata_end[];

/* mmu.c */
#define DIRECT_MAX		(32UL << 30)		/* physical addresses that can be mapped */
bool kernel_maps(vaddr_t va, unsigned access);		/* in the kernel's page table, now */

/* trap.c: lets this hart take traps, and interrupts of other harts and devices. */
void traps_init(void);

/* smp.c */
void cpu_init_arch(struct cpu *c);			/* after cpu_prepare(), before @c runs */

/* timer.c, plic.c, power.c: from the device tree */
void timer_init(const struct fdt *f);
void plic_init(const struct fdt *f);
void plic_init_cpu(struct cpu *c);			/* on @c itself */
void plic_interrupt(struct cpu *c);
void power_init(const struct fdt *f);
