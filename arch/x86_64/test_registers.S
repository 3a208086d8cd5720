/*
 * void __wrap_arch_switch(struct thread *prev, struct thread *next): rdi, rsi
 *
 * In test kernels the linker puts this in front of arch_switch(). Every register that a call
 * preserves goes in with a value that only this thread has; one that comes back with another is
 * noted in arch_switch_lost. Without this a forgotten register hurts or not, as the compiler
 * happens to use it in the functions that end in a switch.
 */
#include "asm.h"

	.text
/* @reg came back with another value than rcx: notes it. */
.macro EXPECT reg
	cmpq	%\reg, %rcx
	je	1f
	movq	%rcx, arch_switch_lost + 8(%rip)
	movq	%\reg, arch_switch_lost + 16(%rip)
	leaq	name_\reg(%rip), %rax
	movq	%rax, arch_switch_lost(%rip)
1:
.endm

FUNC __wrap_arch_switch
	.irp r, rbp, rbx, r12, r13, r14, r15, rdi
	pushq	%\r
	.endr
	/* rbp points into the thread's own stack: it has such a value already. */
	movq	%rdi, %rax
	.irp r, rbx, r12, r13, r14, r15
	movq	%rax, %\r
	incq	%rax
	.endr
	call	__real_arch_switch
	movq	48(%rsp), %rcx
	EXPECT	rbp
	popq	%rcx
	.irp r, rbx, r12, r13, r14, r15
	EXPECT	\r
	incq	%rcx
	.endr
	.irp r, r15, r14, r13, r12, rbx, rbp
	popq	%\r
	.endr
	ret
END __wrap_arch_switch

	.section .rodata
	.irp r, rbp, rbx, r12, r13, r14, r15
name_\r:
	.string	"\r"
	.endr

	.bss
	.balign	8
	.globl	arch_switch_lost
arch_switch_lost:
	.zero	24

	.section .note.GNU-stack, "", @progbits
