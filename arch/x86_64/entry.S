/*
 * Trap entry and exit: the exceptions and interrupts of the IDT, and SYSCALL.
 *
 * Each stores a struct trapframe on a kernel stack and calls C with it: interrupts off, GS at this
 * CPU's struct cpu, direction and access-control flags clear. From user mode the frame is at the
 * very top of the thread's kernel stack (rsp0 in the TSS); from kernel mode on the stack in use, so
 * traps nest.
 *
 *  XENTRY1  A trap finds the user's GS base if and only if the interrupted CS is the user's. Only
 *           the few instructions between SYSCALL or SYSRET and its swapgs break this. They run with
 *           interrupts off and touch only mapped memory; NMI, machine check and double fault, which
 *           can come all the same, have their own stack and check the GS base itself.
 *  XENTRY2  The rip that SYSRET or IRETQ takes to user mode is canonical, so neither faults: user.c
 *           and signal.c check what a program asks for, and the pc after a SYSCALL is at most
 *           ARCH_USER_END.
 *  XENTRY3  From the first pop on the way out interrupts stay off until the CPU itself turns them
 *           on.
 */
#include "asm.h"

	.text

/* Pushes registers in the order of struct trapframe, the highest address first. */
.macro PUSH_REGISTERS
	/* LAB 01-boot: push the registers of struct trapframe from rdi down to r15 */
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	/* END LAB */
.endm

/* Restores them, and drops vector and error code: rbp is next. */
.macro POP_REGISTERS
	/* LAB 01-boot: load the registers from the frame, and drop vector and error code */
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$16, %rsp
	/* END LAB */
.endm

/*
 * One stub for each vector, 16 bytes long. The CPU pushes an error code for some exceptions: rbp
 * takes its place, right below rip, and the code goes below that. For others a zero is pushed.
 */
	.globl	trap_stubs
	.balign	16
trap_stubs:
	.set	vector, 0
	.rept	VEC_COUNT
	.balign	16
	.if	vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
	xchgq	%rbp, (%rsp)
	pushq	%rbp
	.else
	pushq	%rbp
	pushq	$0
	.endif
	pushq	$vector
	.if	vector == 2 || vector == 8 || vector == 18
	jmp	trap_fatal_entry
	.else
	jmp	trap_entry
	.endif
	.set	vector, vector + 1
	.endr

FUNC trap_entry
	PUSH_REGISTERS
	/* LAB 01-boot: make the CPU's flags fit for C */
	CLAC
	cld
	/* END LAB */
	movq	%rsp, %rdi
	testb	$3, TF_CS(%rsp)
	jnz	trap_from_user
	/* LAB 01-boot: link the frame into the call chain, call trap(frame) */
	leaq	TF_RBP(%rsp), %rbp	/* the trap frame is a stack frame: see arch_types.h */
	call	trap
	/* END LAB */
.Ltrap_return:
	POP_REGISTERS
	popq	%rbp
	iretq
END trap_entry

/* A trap in user mode, the frame in rdi. From one swapgs to the other GS is this CPU's. */
FUNC trap_from_user
	swapgs
	/* LAB 01-boot: end call chains here, call trap(frame), and be ready to go back */
	xorl	%ebp, %ebp		/* backtraces end at user mode */
	call	trap
	swapgs
	/* END LAB */
	jmp	.Ltrap_return
END trap_from_user

/* NMI, machine check, double fault: on the IST stack, from anywhere, never to return (XENTRY1). */
FUNC trap_fatal_entry
	PUSH_REGISTERS
	CLAC
	cld
	movl	$MSR_GS_BASE, %ecx
	rdmsr
	testl	%edx, %edx		/* kernel addresses are negative */
	js	1f
	swapgs
1:	movq	%rsp, %rdi
	leaq	TF_RBP(%rsp), %rbp
	call	trap_fatal
END trap_fatal_entry

/* SYSCALL: rcx is the user's rip, r11 its rflags, rsp still the user's. */
FUNC syscall_entry_64
	swapgs
	movq	%rsp, %gs:CPU_USER_RSP
	movq	%gs:CPU_RSP0, %rsp
	/* LAB 01-boot: build the frame that a trap would have, call trap_syscall(frame), go back */
	pushq	$USER_DS
	pushq	%gs:CPU_USER_RSP
	pushq	%r11
	pushq	$USER_CS
	pushq	%rcx
	pushq	%rbp
	pushq	%rax			/* the call's number, which the result does not overwrite */
	pushq	$VEC_SYSCALL
	PUSH_REGISTERS
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	call	trap_syscall
	POP_REGISTERS
	popq	%rbp
	popq	%rcx			/* rip */
	addq	$8, %rsp
	popq	%r11			/* rflags */
	popq	%rsp
	swapgs
	sysretq
	/* END LAB */
END syscall_entry_64

/* void trap_leave(struct trapframe *tf): to user mode for the first time. Interrupts off. */
FUNC trap_leave
	movq	%rdi, %rsp
	swapgs
	POP_REGISTERS
	popq	%rbp
	iretq
END trap_leave

	.section .note.GNU-stack, "", @progbits
