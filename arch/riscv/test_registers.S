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

	.section .rodata
names:
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
	.ascii	"s\i\0\0"
	.endr
	.ascii	"s10\0s11\0"

	.bss
	.balign	8
	.globl	arch_switch_lost
arch_switch_lost:
	.zero	24
