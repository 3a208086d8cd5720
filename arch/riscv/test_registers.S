/*
 * void __wrap_arch_switch(struct thread *prev, struct thread *next)
 *
 * In test kernels the linker puts this in front of arch_switch(). Every register that a call
 * preserves goes in with a value that only this thread has; one that comes back with another is
 * noted in arch_switch_lost. Without this a forgotten register hurts or not, as the compiler
 * happens to use it in the functions that end in a switch.
 */
#include "asm.h"

	.text
/* @number of the register with value @is; t0: what it should be. */
.macro EXPECT number, is
	li	t1, \number
	mv	t2, \is
	bne	t0, t2, lost
.endm

FUNC __wrap_arch_switch
	addi	sp, sp, -112
	sd	ra, 0(sp)
	sd	a0, 8(sp)
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	sd	s\i, 16 + 8 * \i(sp)
	.endr
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
	addi	sp, sp, 112
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
