/*
 * void arch_switch(struct thread *prev, struct thread *next)
 *
 * A call that returns in another thread. The compiler has saved what a call may clobber;
 * what it must preserve (ra, s0 to s11, sp) is kept on the stack of the thread that leaves, and its
 * sp in its structure. A thread that has never run finds what arch_thread_frame() put there. tp
 * names the current thread, so it changes together with the stack.
 *
 * Interrupts are off: between the two moves, sp and tp do not belong together.
 */
#include "asm.h"

	.text
FUNC arch_switch
	/* LAB 02-threads: save prev's preserved registers and sp, load next's, return in next */
	addi	sp, sp, -SWITCH_SIZE
	sd	ra, SWITCH_RA(sp)
	sd	s0, SWITCH_S(0)(sp)
	sd	s1, SWITCH_S(1)(sp)
	sd	s2, SWITCH_S(2)(sp)
	sd	s3, SWITCH_S(3)(sp)
	sd	s4, SWITCH_S(4)(sp)
	sd	s5, SWITCH_S(5)(sp)
	sd	s6, SWITCH_S(6)(sp)
	sd	s7, SWITCH_S(7)(sp)
	sd	s8, SWITCH_S(8)(sp)
	sd	s9, SWITCH_S(9)(sp)
	sd	s10, SWITCH_S(10)(sp)
	sd	s11, SWITCH_S(11)(sp)
	sd	sp, THREAD_SP(a0)

	mv	tp, a1
	ld	sp, THREAD_SP(a1)
	ld	ra, SWITCH_RA(sp)
	ld	s0, SWITCH_S(0)(sp)
	ld	s1, SWITCH_S(1)(sp)
	ld	s2, SWITCH_S(2)(sp)
	ld	s3, SWITCH_S(3)(sp)
	ld	s4, SWITCH_S(4)(sp)
	ld	s5, SWITCH_S(5)(sp)
	ld	s6, SWITCH_S(6)(sp)
	ld	s7, SWITCH_S(7)(sp)
	ld	s8, SWITCH_S(8)(sp)
	ld	s9, SWITCH_S(9)(sp)
	ld	s10, SWITCH_S(10)(sp)
	ld	s11, SWITCH_S(11)(sp)
	addi	sp, sp, SWITCH_SIZE
	ret
	/* END LAB */
END arch_switch
