/*
 * The context switch: a call that returns in another thread.
 *
 * Only the registers that a C function must preserve for its caller need saving: the caller has
 * saved the rest. They go on the thread's own stack, below the return address, in the order of
 * frame.c's struct switch_frame; the stack pointer goes into the thread.
 */
#include "asm.h"

	.text

/* void arch_switch(struct thread *prev, struct thread *next): rdi, rsi */
FUNC arch_switch
	/* LAB 02-threads: save prev's registers and stack pointer, become next and return there */
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, THREAD_SP(%rdi)
	movq	THREAD_SP(%rsi), %rsp
	movq	%rsi, %gs:CPU_CURRENT
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	/* END LAB */
END arch_switch

	.section .note.GNU-stack, "", @progbits
