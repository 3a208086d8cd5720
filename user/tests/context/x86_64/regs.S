/* x86_64: the general registers but rsp, in the order of ucontext_t, and the flags. */
	.text

/* Runs the macro \op for each register that only has a value, with its number. */
	.macro	for_most op
	\op	0, r8
	\op	1, r9
	\op	2, r10
	\op	3, r11
	\op	4, r12
	\op	5, r13
	\op	6, r14
	\op	7, r15
	\op	8, rdi
	\op	9, rsi
	\op	10, rbp
	\op	12, rdx
	\op	14, rcx
	.endm

	.macro	fill n, register
	.ifnc	\register, rdi
	.ifnc	\register, rsi
	leaq	\n(%rbx), %\register
	.endif
	.endif
	.endm

	.macro	store n, register
	movq	%\register, 8 * \n(%rax)
	.endm

	.macro	kept op1, op2, op3, op4, op5, op6, op
	.irp	r, \op1, \op2, \op3, \op4, \op5, \op6
	\op	%\r
	.endr
	.endm

/* void context_run(value rdi, after rsi, way edx, nr rcx, pid r8, sig r9) */
	.globl	context_run, context_after
context_run:
	kept	rbx, rbp, r12, r13, r14, r15, pushq
	pushq	%rsi
	movq	%rdi, %rbx
	movq	%r8, %rdi
	movq	%r9, %rsi
	movq	%rcx, %rax
	testl	%edx, %edx
	for_most fill			/* leaq leaves the flags alone */
	jnz	1f
	syscall
	jmp	context_after
1:	ud2
context_after:
	movq	%rax, -24(%rsp)		/* in the red zone */
	movq	(%rsp), %rax
	for_most store
	movq	%rbx, 8 * 11(%rax)
	pushfq
	popq	8 * 15(%rax)
	movq	-24(%rsp), %rcx
	movq	%rcx, 8 * 13(%rax)
	popq	%rsi
	kept	r15, r14, r13, r12, rbp, rbx, popq
	ret

/* long context_step(nr rdi): with the trap flag set from the second popfq on, up to the last. */
	.globl	context_step
context_step:
	movq	%rdi, %rax
	pushfq
	pushfq
	orq	$0x100, (%rsp)
	popfq
	syscall
	nop
	nop
	popfq
	movl	$3, %eax
	ret

	.section .rodata
	.globl	context_registers, context_pc, context_flags, context_flags_to_change
	.balign	8
context_flags_to_change:
	.quad	0x8d5			/* OF SF ZF AF PF CF */
context_registers:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
	.short	40 + 8 * \n
	.endr
	.short	0
context_pc:
	.short	40 + 8 * 16
context_flags:
	.short	40 + 8 * 17

	.section .note.GNU-stack, "", @progbits
