/*
 * void __wrap_arch_switch(struct thread *prev, struct thread *next)
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
/* Checks that register s\number, with value \is, has the value in t0. */
.macro EXPECT number, is
	li	t1, \number
	mv	t2, \is
	bne	t0, t2, lost
.endm

FUNC __wrap_arch_switch
	addi	sp, sp, -128
	sd	ra, 0(sp)
	sd	a0, 8(sp)
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	sd	s\i, 16 + 8 * \i(sp)
	.endr
	sd	a1, 112(sp)
	la	a0, __real_arch_switch
	call	__cyg_profile_func_enter
	ld	a0, 8(sp)
	ld	a1, 112(sp)
	/* s0 points into the thread's own stack: it has such a value already. */
	.irp i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	addi	s\i, a0, \i
	.endr
	call	__real_arch_switch
	ld	t0, 16(sp)
	EXPECT	0, s0
	ld	a0, 8(sp)
	.irp i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	addi	t0, a0, \i
	EXPECT	\i, s\i
	.endr
restore:
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	ld	s\i, 16 + 8 * \i(sp)
	.endr
	ld	ra, 0(sp)
	addi	sp, sp, 128
	ret
lost:
	la	t3, arch_switch_lost
	la	t4, names
	slli	t1, t1, 2
	add	t4, t4, t1
	sd	t0, 8(t3)
	sd	t2, 16(t3)
	sd	t4, 0(t3)
	j	restore
END __wrap_arch_switch

/*
 * u64 test_registers_keep(u64 value, u64 turns): every register but sp and tp gets a value of its
 * own; 0 if after @turns all still have it, else the number of one that has not.
 */
FUNC test_registers_keep
	addi	sp, sp, -112
	sd	ra, 0(sp)
	sd	gp, 8(sp)
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	sd	s\i, 16 + 8 * \i(sp)
	.endr
	.set	nr, 1
	.irp r, ra, gp, t0, t1, t2, t3, t4, t5, t6, a2, a3, a4, a5, a6, a7
	addi	\r, a0, nr
	.set	nr, nr + 1
	.endr
	.irp r, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
	addi	\r, a0, nr
	.set	nr, nr + 1
	.endr
1:	addi	a1, a1, -1
	bnez	a1, 1b
	.irp r, ra, gp, t0, t1, t2, t3, t4, t5, t6, a2, a3, a4, a5, a6, a7
	addi	a1, a1, 1
	sub	\r, \r, a0
	bne	\r, a1, 2f
	.endr
	.irp r, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
	addi	a1, a1, 1
	sub	\r, \r, a0
	bne	\r, a1, 2f
	.endr
	li	a1, 0
2:	mv	a0, a1
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	ld	s\i, 16 + 8 * \i(sp)
	.endr
	ld	ra, 0(sp)
	ld	gp, 8(sp)
	addi	sp, sp, 112
	ret
END test_registers_keep

/*
 * u64 test_trap(u64 value, u64 after[]): a breakpoint while register number i of test_registers[]
 * has the value @value + i, and user memory is open. Stores in @after what they have when execution
 * goes on at test_trap_resume.
 */
#define NUMBERED	ra, gp, t1, t2, t3, t4, t5, t6, a0, a1, a2, a3, a4, a5, a6, a7,		\
			s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t0
#define NR		29

FUNC test_trap
	addi	sp, sp, -(120 + 8 * NR)
	sd	ra, 0(sp)
	sd	gp, 8(sp)
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	sd	s\i, 16 + 8 * \i(sp)
	.endr
	sd	a1, 112(sp)
	li	t0, SSTATUS_SUM
	csrs	sstatus, t0
	/* The frame must say this: see test_words[]. */
	la	t1, expected
	la	t0, test_trap_at
	sd	t0, 0(t1)
	sd	sp, 8(t1)
	li	t0, CAUSE_BREAKPOINT
	sd	t0, 16(t1)
	csrr	t0, sstatus
	li	t2, SSTATUS_SPIE
	not	t2, t2
	and	t0, t0, t2
	li	t2, SSTATUS_SPP
	or	t0, t0, t2
	sd	t0, 24(t1)
	sd	tp, 32(t1)
	mv	t0, a0
	.set	nr, 0
	.irp r, NUMBERED
	addi	\r, t0, nr
	.set	nr, nr + 1
	.endr
	.option	push
	.option	norvc
test_trap_at:
	ebreak
	.option	pop
	.globl	test_trap_resume
test_trap_resume:
	.set	nr, 0
	.irp r, NUMBERED
	sd	\r, 120 + 8 * nr(sp)
	.set	nr, nr + 1
	.endr
	li	t0, SSTATUS_SUM
	csrc	sstatus, t0
	ld	a1, 112(sp)
	.set	nr, 0
	.rept	NR
	ld	t0, 120 + 8 * nr(sp)
	sd	t0, 8 * nr(a1)
	.set	nr, nr + 1
	.endr
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	ld	s\i, 16 + 8 * \i(sp)
	.endr
	ld	ra, 0(sp)
	ld	gp, 8(sp)
	addi	sp, sp, 120 + 8 * NR
	ret
END test_trap

/* void test_trap_called(void): a breakpoint in a function with a frame; goes on behind it. */
FUNC test_trap_called
	addi	sp, sp, -16
	sd	ra, 8(sp)
	sd	s0, 0(sp)
	addi	s0, sp, 16
	.option	push
	.option	norvc
	ebreak
	.option	pop
	.globl	test_trap_called_resume
test_trap_called_resume:
	ld	ra, 8(sp)
	ld	s0, 0(sp)
	addi	sp, sp, 16
	ret
END test_trap_called

/* noreturn void test_trap_with_sp(u64 sp): a breakpoint while the stack pointer is @sp. */
FUNC test_trap_with_sp
	mv	sp, a0
	ebreak
END test_trap_with_sp

/* u64 test_flags(void): 0, unless the CPU is in a state in which no C code may run. */
FUNC test_flags
	csrr	a0, sstatus
	li	t0, SSTATUS_SUM
	and	a0, a0, t0
	ret
END test_flags

/*
 * A user program of one page, for labs/01-boot/tests/user.c. It gives all registers values of their
 * own: while it is interrupted, touches a fresh page, and makes a system call. Its exit code is 0
 * if all were kept, else 1 + the register's number + 32 * the part. At its stack pointer it finds
 * the first value, and the address of the page.
 */
#define NUMBERED_USER	ra, gp, t1, t2, t3, t4, t5, t6, a0, a1, a2, a3, a4, a5, a6, a7,		\
			s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, tp, t0

.macro NUMBER_USER
	ld	t0, 0(sp)
	.set	nr, 0
	.irp r, NUMBERED_USER
	addi	\r, t0, nr
	.set	nr, nr + 1
	.endr
.endm

/* Compares all registers but numbers \but and \and, in part \part. */
.macro COMPARE_USER part, but, and
	.set	nr, 0
	.irp r, NUMBERED_USER
	sd	\r, 16 + 8 * nr(sp)
	.set	nr, nr + 1
	.endr
	ld	t0, 0(sp)
	.set	nr, 0
	.rept	30
	.if	nr != \but && nr != \and
	li	a0, 1 + nr + 32 * \part
	addi	t1, t0, nr
	ld	t2, 16 + 8 * nr(sp)
	bne	t1, t2, test_user_exit
	.endif
	.set	nr, nr + 1
	.endr
.endm

FUNC test_user
	NUMBER_USER
	li	a0, 100000
1:	addi	a0, a0, -1
	bnez	a0, 1b
	COMPARE_USER 0, 8, 8
	NUMBER_USER
	ld	a1, 8(sp)
	sd	a1, 0(a1)
	COMPARE_USER 1, 9, 9
	NUMBER_USER
	li	a7, 172				/* getpid() */
	ecall
	COMPARE_USER 2, 8, 15
	li	a0, 0
test_user_exit:
	li	a7, 94				/* exit_group() */
	ecall
	j	test_user_exit
	.globl	test_user_break, test_user_broken, test_user_end
	.option	push
	.option	norvc
test_user_break:
test_user_broken:				/* the CPU tells its own address */
	ebreak
	.option	pop
	j	test_user_exit
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
	.quad	16				/* s0's number */
test_forged_frame:				/* where the words of a frame are registers */
	.quad	TF_S(4)
test_registers:
	WORD	ra, TF_RA
	WORD	gp, TF_GP
	.irp i, 1, 2, 3, 4, 5, 6
	WORD	t\i, TF_T(\i)
	.endr
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	WORD	a\i, TF_A(\i)
	.endr
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	WORD	s\i, TF_S(\i)
	.endr
	WORD	t0, TF_T(0)
	.quad	0
test_words:
	WORD	pc, TF_PC, expected
	WORD	sp, TF_SP, expected + 8
	WORD	cause, TF_CAUSE, expected + 16
	WORD	status, TF_STATUS, expected + 24
	WORD	tp, TF_TP, expected + 32
	.quad	0

	.section .rodata
names:
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
	.ascii	"s\i\0\0"
	.endr
	.ascii	"s10\0s11\0"

	.bss
	.balign	8
expected:
	.zero	40
	.globl	arch_switch_lost
arch_switch_lost:
	.zero	24
