/*
 * x86_64: the port's data of each CPU and thread, the trap frame, and constants.
 *
 * Assembly depends on some of these layouts: asm.h has the offsets, and trap.c checks them.
 */
#pragma once

#include "types.h"

#define ARCH_NAME		"x86_64"
#define ARCH_HWID_NAME		"apicid\t\t"
#define ARCH_ELF_MACHINE	62
#define ARCH_RED_ZONE		128
#define ARCH_CACHE_LINE		64
#define ARCH_PT_LEVELS		4

/*
 * The last page of the lower half stays empty: the address right behind user memory is canonical,
 * and so is the pc after every SYSCALL (XENTRY2 in entry.S).
 */
#define ARCH_USER_END		0x00007ffffffff000UL
#define ARCH_DIRECT_BASE	0xffff800000000000UL
#define ARCH_VMAP_BASE		0xffffc00000000000UL
#define ARCH_VMAP_END		0xffffc08000000000UL	/* one top-level entry, 512 GiB */

struct thread;

/*
 * The registers of interrupted code, lowest address first. rbp lies right below rip, as in a stack
 * frame, so that a backtrace walks through the frame of a kernel trap.
 */
struct trapframe {
	u64 r15, r14, r13, r12, rbx;
	u64 r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 vector;
	u64 error;			/* the CPU's error code; the number of a system call */
	u64 rbp;
	u64 rip, cs, rflags, rsp, ss;
};

/* First member of struct thread. */
struct arch_thread {
	u64 sp;				/* [rq->lock] of a thread that is not running */
	struct trapframe *frame;	/* [const] user registers; struct fpu_state lies above */
	u64 fs_base, gs_base;		/* [self] of user mode */
	bool user;			/* [self] has user registers to save at a switch */
};

/* The task state segment, where the CPU finds stacks. */
struct tss {
	u32 reserved0;
	u64 rsp0;			/* for traps and system calls from user mode */
	u64 rsp1, rsp2, reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iomap;
} __attribute__((packed));

/*
 * First member of struct cpu; GS points at it whenever the kernel runs. Aligned so that the TSS
 * does not cross a page.
 */
struct arch_cpu {
	struct thread *current;		/* [self] */
	u64 user_rsp;			/* [self] scratch of the system call entry */
	u32 pad;			/* aligns tss.rsp0 */
	struct tss tss;
} __attribute__((aligned(128)));
