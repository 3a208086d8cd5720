/*
 * RISC-V: constants, and the structures of the port that the kernel embeds or passes on.
 *
 * Virtual memory (Sv39):
 *	0 .. 2^38			user
 *	0xffffffc0_00000000 (4 GiB)	stacks, devices, temporary mappings
 *	0xffffffd0_00000000 (32 GiB)	physical memory, mapped as it is needed
 *	0xffffffff_80200000		the kernel's image, see kernel.ld
 */
#pragma once

#include "types.h"

#define ARCH_NAME		"riscv64"
#define ARCH_HWID_NAME		"hart\t\t"
#define ARCH_USER_END		0x0000004000000000UL
#define ARCH_VMAP_BASE		0xffffffc000000000UL
#define ARCH_VMAP_END		0xffffffc100000000UL
#define ARCH_DIRECT_BASE	0xffffffd000000000UL
#define ARCH_PT_LEVELS		3
#define ARCH_RED_ZONE		0
#define ARCH_CACHE_LINE		64
#define ARCH_ELF_MACHINE	243

/*
 * Registers of interrupted code, as trap entry stores them (asm.h has the offsets). The frame of
 * a kernel trap ends like the frame of a call, with a saved frame pointer and a return address,
 * so that a backtrace walks through it; link_frames() in trap.c explains leaf_*.
 */
struct trapframe {
	u64 ra, sp, gp, tp;
	u64 t[7], a[8], s[12];
	u64 status;		/* sstatus: mode, interrupt enable and FPU state to go back to */
	u64 cause;		/* scause */
	u64 value;		/* stval; not set for system calls */
	u64 leaf_fp, leaf_ra;
	u64 link_fp, pc;
};

/* Floating-point registers of a user thread; valid while tf->status has FS_CLEAN. */
struct fpu_state {
	u64 f[32];
	u64 fcsr;
	u64 unused;
};

/* First in struct thread. At the top of a kernel stack is the fpu_state, below it the trapframe. */
struct arch_thread {
	struct trapframe *tf;		/* [const] user registers while in the kernel */
	u64 sp;				/* [rq->lock] stack pointer while switched away */
	u64 stack_low, stack_high;	/* [const] where a kernel trap must find sp */
	u64 scratch;			/* [self] trap entry: a register until it has a stack */
};

/* First in struct cpu. */
struct arch_cpu {
	u64 emergency;			/* [const] where a trap frame goes if the stack is full */
	struct thread *idle;		/* [const] the first thread of a hart that starts */
	u64 start_sp;			/* [const] and its stack pointer */
	u64 plic_context;		/* [const] this hart's supervisor context at the PLIC */
};
