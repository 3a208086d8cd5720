/*
 * void __wrap_arch_switch(struct thread *prev, struct thread *next): rdi, rsi
 *
 * In test kernels the linker puts this in front of arch_switch(). Every register that a call
 * preserves gets a value that only this thread has; one that comes back with another value is noted
 * in arch_switch_lost. Without this, a register that a switch forgets would only be noticed if the
 * compiler happens to use it in a function that ends in a switch.
 *
 * It also makes arch_switch() a function in which a thread can be parked (instrument.h).
 */
#include "asm.h"

	.text
/* Notes \reg if it came back with another value than that in rcx. */
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
	pushq	%rsi
	subq	$8, %rsp
	movq	$__real_arch_switch, %rdi
	call	__cyg_profile_func_enter
	addq	$8, %rsp
	popq	%rsi
	movq	(%rsp), %rdi
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

/*
 * u64 test_registers_keep(u64 value, u64 turns): every register but rsp gets a value of its own; 0
 * if after @turns all still have it, else the number of one that has not.
 */
FUNC test_registers_keep
	.irp r, rbp, rbx, r12, r13, r14, r15
	pushq	%\r
	.endr
	.set	nr, 1
	.irp r, rax, rcx, rdx, r8, r9, r10, r11, rbp, rbx, r12, r13, r14, r15
	leaq	nr(%rdi), %\r
	.set	nr, nr + 1
	.endr
1:	decq	%rsi
	jnz	1b
	.irp r, rax, rcx, rdx, r8, r9, r10, r11, rbp, rbx, r12, r13, r14, r15
	incq	%rsi
	subq	%rdi, %\r
	cmpq	%rsi, %\r
	jne	2f
	.endr
	xorl	%esi, %esi
2:	movq	%rsi, %rax
	.irp r, r15, r14, r13, r12, rbx, rbp
	popq	%\r
	.endr
	ret
END test_registers_keep

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
