/*
 * For assembly: offsets into C structures (layout.c checks them) and macros.
 */
#pragma once

#include "csr.h"

/* struct thread, struct arch_thread at its start */
#define THREAD_TF		0
#define THREAD_SP		8
#define THREAD_STACK_LOW	16
#define THREAD_STACK_HIGH	24
#define THREAD_SCRATCH		32
#define THREAD_WORK		88
#define THREAD_CPU		96

/* struct cpu, struct arch_cpu at its start */
#define CPU_EMERGENCY		0
#define CPU_IDLE		8
#define CPU_START_SP		16

/* struct trapframe */
#define TF_RA			0
#define TF_SP			8
#define TF_GP			16
#define TF_TP			24
#define TF_T(i)			(32 + 8 * (i))
#define TF_A(i)			(88 + 8 * (i))
#define TF_S(i)			(152 + 8 * (i))
#define TF_STATUS		248
#define TF_CAUSE		256
#define TF_VALUE		264
#define TF_PC			296
#define TF_SIZE			304
#define FPU_SIZE		272

/* The frame that arch_switch() leaves on the stack of a thread that is off its CPU. */
#define SWITCH_RA		0
#define SWITCH_S(i)		(8 + 8 * (i))
#define SWITCH_SIZE		112

/* struct boot_stack: a guard page, then a stack; the idle thread has its two structures on top. */
#define BOOT_STACK_SIZE		(5 * 4096)
#define BOOT_STACK_TOP		(BOOT_STACK_SIZE - FPU_SIZE - TF_SIZE)

/* Virtual minus physical address of everything in the kernel's image. */
#define IMAGE_OFFSET		0xffffffff00000000

#ifdef __ASSEMBLER__

	.option norelax		/* not every linker can */

.macro FUNC name
	.globl	\name
	.type	\name, @function
	.balign	4
\name:
.endm

.macro END name
	.size	\name, . - \name
.endm

/* Stands for a solution that is not written yet: prints which and stops. */
#define LAB_TODO(what)			\
	.pushsection .rodata, "a";	\
9:	.asciz	what;			\
	.popsection;			\
	lla	a0, 9b;			\
	call	lab_todo

#endif
