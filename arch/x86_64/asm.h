/*
 * Shared by the port's assembly and C: offsets into structures (trap.c checks them), selectors,
 * vectors, control register bits, and the macros of .S files.
 */
#pragma once

/* struct cpu, which GS points at; struct thread; each with the port's part at its start */
#define CPU_CURRENT	0
#define CPU_USER_RSP	8
#define CPU_RSP0	24
#define THREAD_SP	0

/* struct trapframe */
#define TF_RBP		128
#define TF_CS		144

/* Selectors. SYSRET takes the user's from one base: data at +8, 64-bit code at +16. */
#define KERNEL_CS	0x08
#define KERNEL_DS	0x10
#define SYSRET_BASE	0x18
#define USER_DS		(0x20 | 3)
#define USER_CS		(0x28 | 3)
#define GDT_TSS		6			/* entry of CPU 0's TSS, two entries each */

/* Vectors. */
#define VEC_DEVICE	0x20			/* + global system interrupt number */
#define VEC_DEVICE_END	0x40
#define VEC_TIMER	0x40
#define VEC_IPI		0x41
#define VEC_SHOOTDOWN	0x42
#define VEC_SPURIOUS	0x4f
#define VEC_COUNT	0x50
#define VEC_SYSCALL	0x7f			/* no interrupt: marks a system call's frame */

#define IST_FATAL	1		/* the stack of double faults, NMIs, machine checks */

#define CR0_BOOT	0x80010033		/* PG WP NE ET MP PE */
#define CR4_PAE		0x20
#define CR4_FXSR	0x600			/* OSFXSR OSXMMEXCPT */
#define CR4_UMIP	0x800
#define CR4_OSXSAVE	0x40000
#define CR4_SMEP	0x100000
#define CR4_SMAP	0x200000

#define MSR_EFER	0xc0000080
#define EFER_SCE	0x001
#define EFER_LME	0x100
#define EFER_NXE	0x800
#define MSR_STAR	0xc0000081
#define MSR_LSTAR	0xc0000082
#define MSR_SFMASK	0xc0000084
#define MSR_FS_BASE	0xc0000100
#define MSR_GS_BASE	0xc0000101
#define MSR_KERNEL_GS	0xc0000102		/* the user's GS base while the kernel runs */

/* The image is linked at its physical address plus this. */
#define IMAGE_BASE	0xffffffff80000000

/* Where the code that other CPUs start with is copied to: a page below 1 MiB. */
#define TRAMPOLINE	0x8000

#ifdef __ASSEMBLER__

.macro FUNC name
	.globl	\name
	.type	\name, @function
	.balign	16
\name:
.endm

.macro END name
	.size	\name, . - \name
.endm

/* The instruction at \insn may fault on user memory: execution then goes on at \fixup. */
.macro MAY_FAULT insn, fixup
	.pushsection .extable, "a"
	.quad	\insn, \insn + 1, \fixup
	.popsection
.endm

/*
 * STAC lets the kernel touch user pages, CLAC forbids it again. They are no-ops, which cpu.c
 * replaces at boot by the instructions if the CPU has SMAP.
 */
.macro SMAP_SITE opcode
.Lsmap\@:
	.byte	0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.quad	.Lsmap\@
	.byte	0x0f, 0x01, \opcode
	.balign	8
	.popsection
.endm

.macro CLAC
	SMAP_SITE 0xca
.endm

.macro STAC
	SMAP_SITE 0xcb
.endm

/* Stands for a solution that is not written yet: prints which and stops. */
#define LAB_TODO(what)			\
	.pushsection .rodata, "a";	\
9:	.asciz	what;			\
	.popsection;			\
	movq	$9b, %rdi;		\
	call	lab_todo

#endif
