/*
 * x86_64: the sixteen SSE registers, both halves of each; with AVX the upper halves of YMM0 to
 * YMM15 as well; and the rounding mode in MXCSR.
 */
#include <sys/syscall.h>

	.text

/* Runs the macro \op for each register with its number. */
	.macro	for_all op
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op	\n
	.endr
	.endm

/* Register n holds pattern + n in its low half and pattern - n in its high one. */
	.macro	fill n
	leaq	\n(%rbx), %rax
	movq	%rax, %xmm\n
	leaq	-\n(%rbx), %rax
	pinsrq_ \n
	testl	%ebp, %ebp
	jz	1f
	vinsertf128 $1, %xmm\n, %ymm\n, %ymm\n
1:
	.endm

/* Puts rax into the high half of register n, using only SSE2; the red zone is scratch. */
	.macro	pinsrq_ n
	movq	%rax, -16(%rsp)
	movhpd	-16(%rsp), %xmm\n
	.endm

	.macro	look n
	movupd	%xmm\n, -32(%rsp)
	leaq	\n(%rbx), %rax
	cmpq	%rax, -32(%rsp)
	jne	1f
	leaq	-\n(%rbx), %rax
	cmpq	%rax, -24(%rsp)
	jne	1f
	testl	%ebp, %ebp
	jz	2f
	vextractf128 $1, %ymm\n, -48(%rsp)
	cmpq	%rax, -40(%rsp)
	jne	1f
	leaq	\n(%rbx), %rax
	cmpq	%rax, -48(%rsp)
	je	2f
1:	incq	%r13
2:
	.endm

/*
 * Sets ebp to 1 if the CPU has AVX and the system saves its registers: CPUID's OSXSAVE and AVX,
 * XCR0.
 */
	.macro	look_for_avx
	movl	$1, %eax
	xorl	%ecx, %ecx
	cpuid
	xorl	%ebp, %ebp
	andl	$0x18000000, %ecx
	cmpl	$0x18000000, %ecx
	jne	1f
	xorl	%ecx, %ecx
	xgetbv
	andl	$6, %eax
	cmpl	$6, %eax
	sete	%bpl
1:
	.endm

/* long float_registers_changed(pattern rdi, turns rsi, yield rdx) */
	.globl	float_registers_changed
float_registers_changed:
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%rbp
	movq	%rdx, %r14
	look_for_avx
	movq	%rdi, %rbx
	movq	%rsi, %r12
	xorl	%r13d, %r13d
	for_all	fill
3:	testq	%r14, %r14
	jz	4f
	movl	$SYS_sched_yield, %eax
	syscall
4:	for_all	look
	decq	%r12
	jnz	3b
	movq	%r13, %rax
	popq	%rbp
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	ret

/* void float_set_rounding(towards_zero rdi): bits 13 and 14 of MXCSR, both set for towards zero. */
	.globl	float_set_rounding
float_set_rounding:
	stmxcsr	-8(%rsp)
	andl	$~0x6000, -8(%rsp)
	testq	%rdi, %rdi
	jz	1f
	orl	$0x6000, -8(%rsp)
1:	ldmxcsr	-8(%rsp)
	ret

	.section .note.GNU-stack, "", @progbits
