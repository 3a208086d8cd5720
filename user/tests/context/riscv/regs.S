/* riscv64: all registers but sp, gp and tp, in the order of their numbers. */
	.text

/* Runs the macro \op for each register but ra, t0, a0, a1, a4 and a7, with its number here. */
	.macro	for_most op
	\op	2, t1
	\op	3, t2
	\op	4, s0
	\op	5, s1
	\op	8, a2
	\op	9, a3
	\op	11, a5
	\op	12, a6
	\op	14, s2
	\op	15, s3
	\op	16, s4
	\op	17, s5
	\op	18, s6
	\op	19, s7
	\op	20, s8
	\op	21, s9
	\op	22, s10
	\op	23, s11
	\op	24, t3
	\op	25, t4
	\op	26, t5
	\op	27, t6
	.endm

	.macro	fill n, register
	addi	\register, a0, \n
	.endm

	.macro	store n, register
	sd	\register, 8 * \n(t0)
	.endm

	.macro	kept op
	\op	ra, 0(sp)
	\op	s0, 8(sp)
	\op	s1, 16(sp)
	\op	s2, 24(sp)
	\op	s3, 32(sp)
	\op	s4, 40(sp)
	\op	s5, 48(sp)
	\op	s6, 56(sp)
	\op	s7, 64(sp)
	\op	s8, 72(sp)
	\op	s9, 80(sp)
	\op	s10, 88(sp)
	\op	s11, 96(sp)
	.endm

/* a7, a0 and a1 are the call's; a4 stays what it is. */
	.macro	fill_all
	mv	a7, a3
	mv	a1, a5
	for_most fill
	fill	0, ra
	fill	1, t0
	mv	a0, a4
	.endm

/* void context_run(value a0, after a1, way a2, nr a3, pid a4, sig a5) */
	.globl	context_run, context_after
context_run:
	addi	sp, sp, -128
	kept	sd
	sd	a1, 104(sp)
	bnez	a2, 1f
	fill_all
	ecall
	j	context_after
1:	fill_all
	unimp
context_after:
	sd	t0, 112(sp)
	ld	t0, 104(sp)
	for_most store
	store	0, ra
	store	6, a0
	store	7, a1
	store	10, a4
	store	13, a7
	ld	t1, 112(sp)
	store	1, t1
	kept	ld
	addi	sp, sp, 128
	ret

/* long context_step(nr): there is no flag for it. */
	.globl	context_step
context_step:
	li	a0, 0
	ret

	.section .rodata
	.globl	context_registers, context_pc, context_flags, context_flags_to_change
	.balign	8
context_flags_to_change:
	.quad	0
context_registers:
	.irp	n, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, \
		   20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	.short	176 + 8 * \n
	.endr
	.short	0
context_pc:
	.short	176
context_flags:
	.short	0

	.section .note.GNU-stack, "", @progbits
