/* riscv64: f0 to f31, and the rounding mode in fcsr. */
#include <sys/syscall.h>

	.text

/* Runs the macro \op for each register with its number. */
	.macro	for_all op
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, \
		   16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	\n
	.endr
	.endm

/* Register n holds pattern + n. */
	.macro	fill n
	addi	t0, s0, \n
	fmv.d.x	f\n, t0
	.endm

	.macro	look n
	addi	t0, s0, \n
	fmv.x.d	t1, f\n
	beq	t0, t1, 1f
	addi	s2, s2, 1
1:
	.endm

/* The registers that a function must preserve: fs0, fs1 and fs2 to fs11. */
	.macro	kept op
	\op	fs0, 32(sp)
	\op	fs1, 40(sp)
	\op	fs2, 48(sp)
	\op	fs3, 56(sp)
	\op	fs4, 64(sp)
	\op	fs5, 72(sp)
	\op	fs6, 80(sp)
	\op	fs7, 88(sp)
	\op	fs8, 96(sp)
	\op	fs9, 104(sp)
	\op	fs10, 112(sp)
	\op	fs11, 120(sp)
	.endm

/* long float_registers_changed(pattern a0, turns a1, yield a2) */
	.globl	float_registers_changed
float_registers_changed:
	addi	sp, sp, -128
	sd	s0, 0(sp)
	sd	s1, 8(sp)
	sd	s2, 16(sp)
	sd	s3, 24(sp)
	kept	fsd
	mv	s0, a0
	mv	s1, a1
	li	s2, 0
	mv	s3, a2
	for_all	fill
3:	beqz	s3, 4f
	li	a7, SYS_sched_yield
	ecall
4:	for_all	look
	addi	s1, s1, -1
	bnez	s1, 3b
	mv	a0, s2
	kept	fld
	ld	s0, 0(sp)
	ld	s1, 8(sp)
	ld	s2, 16(sp)
	ld	s3, 24(sp)
	addi	sp, sp, 128
	ret

/* void float_set_rounding(towards_zero a0): mode 1 is towards zero, 0 to nearest. */
	.globl	float_set_rounding
float_set_rounding:
	fsrm	a0
	ret

	.section .note.GNU-stack, "", @progbits
