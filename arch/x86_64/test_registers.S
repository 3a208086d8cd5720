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

/*
 * u64 test_trap(u64 value, u64 after[]): a breakpoint while register number i of test_registers[]
 * has the value @value + i, string instructions go down, and user memory is open. Stores in @after
 * what they have when execution goes on at test_trap_resume.
 */
#define NUMBERED	rcx, rdx, rsi, rdi, rbp, rbx, r8, r9, r10, r11, r12, r13, r14, r15, rax
#define NR		15
#define DF_AC		0x40400

FUNC test_trap
	.irp r, rbp, rbx, r12, r13, r14, r15, rsi
	pushq	%\r
	.endr
	/* The frame must say this: see test_words[]. */
	leaq	test_trap_resume(%rip), %rax
	movq	%rax, expected(%rip)
	movq	%rsp, expected + 8(%rip)
	pushfq
	orq	$DF_AC, (%rsp)
	popfq
	movq	%rdi, %rax
	.set	nr, 0
	.irp r, NUMBERED
	leaq	nr(%rax), %\r
	.set	nr, nr + 1
	.endr
	int3
	.globl	test_trap_resume
test_trap_resume:
	.irp r, NUMBERED
	pushq	%\r
	.endr
	pushfq
	andq	$~DF_AC, (%rsp)
	popfq
	movq	8 * NR(%rsp), %rsi
	.set	nr, 0
	.rept	NR
	movq	8 * (NR - 1 - nr)(%rsp), %rax
	movq	%rax, 8 * nr(%rsi)
	.set	nr, nr + 1
	.endr
	addq	$8 * (NR + 1), %rsp
	.irp r, r15, r14, r13, r12, rbx, rbp
	popq	%\r
	.endr
	ret
END test_trap

/* void test_trap_called(void): a breakpoint in a function with a frame; goes on behind it. */
FUNC test_trap_called
	pushq	%rbp
	movq	%rsp, %rbp
	int3
	.globl	test_trap_called_resume
test_trap_called_resume:
	popq	%rbp
	ret
END test_trap_called

/* noreturn void test_trap_with_sp(u64 sp): a breakpoint while the stack pointer is @sp. */
FUNC test_trap_with_sp
	movq	%rdi, %rsp
	int3
END test_trap_with_sp

/* u64 test_flags(void): 0, unless the CPU is in a state in which no C code may run. */
FUNC test_flags
	pushfq
	popq	%rax
	andq	$DF_AC, %rax
	ret
END test_flags

/*
 * A user program of one page, for labs/01-boot/tests/user.c. It gives all registers values of their
 * own: while it is interrupted, touches a fresh page, and makes a system call. Its exit code is 0
 * if all were kept, else 1 + the register's number + 32 * the part. At its stack pointer it finds
 * the first value, and the address of the page.
 */
.macro NUMBER_USER
	movq	(%rsp), %rax
	.set	nr, 0
	.irp r, NUMBERED
	leaq	nr(%rax), %\r
	.set	nr, nr + 1
	.endr
.endm

/* Compares all registers but numbers \but, \and and \also, in part \part. */
.macro COMPARE_USER part, but, and, also
	.set	nr, 0
	.irp r, NUMBERED
	movq	%\r, 16 + 8 * nr(%rsp)
	.set	nr, nr + 1
	.endr
	movq	(%rsp), %rax
	.set	nr, 0
	.rept	NR
	.if	nr != \but && nr != \and && nr != \also
	movl	$(1 + nr + 32 * \part), %edi
	leaq	nr(%rax), %rcx
	cmpq	%rcx, 16 + 8 * nr(%rsp)
	jne	test_user_exit
	.endif
	.set	nr, nr + 1
	.endr
.endm

FUNC test_user
	NUMBER_USER
	pushfq
	orq	$DF_AC, (%rsp)			/* AC stays to the end */
	popfq
	movl	$100000, %eax
1:	decl	%eax
	jnz	1b
	COMPARE_USER 0, 14, 14, 14
	movl	$32, %edi			/* the flags are no register with a number */
	pushfq
	cld
	popq	%rax
	andl	$DF_AC, %eax
	cmpl	$DF_AC, %eax
	jne	test_user_exit
	NUMBER_USER
	movq	8(%rsp), %rcx
	movq	%rcx, (%rcx)
	COMPARE_USER 1, 0, 0, 0
	NUMBER_USER
	movl	$39, %eax			/* getpid() */
	std
	syscall
	COMPARE_USER 2, 14, 0, 9		/* the call itself changes rax, rcx and r11 */
	movl	$96, %edi
	pushfq
	cld
	popq	%rax
	andl	$DF_AC, %eax
	cmpl	$DF_AC, %eax
	jne	test_user_exit
	xorl	%edi, %edi
test_user_exit:
	movl	$231, %eax			/* exit_group() */
	syscall
	jmp	test_user_exit
	.globl	test_user_break, test_user_broken, test_user_end
test_user_break:
	int3
test_user_broken:				/* the CPU tells the address behind it */
	jmp	test_user_exit
test_user_end:
END test_user

/* struct test_word[]: name, place in struct trapframe, and where the expected value is. */
.macro WORD name, offset, expected=0
	.pushsection .rodata.str, "a"
9:	.string	"\name"
	.popsection
	.quad	9b, \offset, \expected
.endm

	.section .data.rel.ro, "aw"
	.globl	test_registers, test_words, test_frame_pointer, test_forged_frame
test_frame_pointer:
	.quad	4				/* rbp's number */
test_forged_frame:				/* where the words of a frame are registers */
	.quad	56
test_registers:
	WORD	rcx, 80
	WORD	rdx, 88
	WORD	rsi, 96
	WORD	rdi, 104
	WORD	rbp, TF_RBP
	WORD	rbx, 32
	WORD	r8, 64
	WORD	r9, 56
	WORD	r10, 48
	WORD	r11, 40
	WORD	r12, 24
	WORD	r13, 16
	WORD	r14, 8
	WORD	r15, 0
	WORD	rax, 72
	.quad	0
test_words:
	WORD	rip, TF_RBP + 8, expected
	WORD	rsp, TF_CS + 16, expected + 8
	.quad	0

	.section .rodata
	.irp r, rbp, rbx, r12, r13, r14, r15
name_\r:
	.string	"\r"
	.endr

	.bss
	.balign	8
expected:
	.zero	16
	.globl	arch_switch_lost
arch_switch_lost:
	.zero	24

	.section .note.GNU-stack, "", @progbits
