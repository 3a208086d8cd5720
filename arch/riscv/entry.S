/*
 * Where a hart enters the kernel: from the firmware at boot, and at every trap.
 *
 * Trap entry tells user from kernel by sscratch: the thread pointer while user code runs, 0 while
 * the kernel does. In the kernel tp is the current thread. User registers go to the frame at the
 * top of the thread's kernel stack (thread->arch.tf); a trap in the kernel pushes its frame below
 * sp.
 *
 * Interrupts are off from the trap until the C code that handles it enables them, and again from
 * its return to sret. In between a nested trap may overwrite sepc, sstatus and scause: by then they
 * are saved in the frame, from where they are restored.
 */
#include "asm.h"

/* --- Boot ------------------------------------------------------------------------------------- */

/*
 * Turns on translation with satp = a0. The next instruction's physical address is not mapped, so
 * its fetch faults, and the trap vector is that instruction's virtual address: no page table ever
 * needs to map the kernel at its physical address.
 */
.macro MMU_ON
	lla	t0, 1f
	li	t1, IMAGE_OFFSET
	add	t0, t0, t1
	csrw	stvec, t0
	sfence.vma
	csrw	satp, a0
	.balign	4
1:
.endm

/*
 * Every hart enters here, with translation off, its number in a0, and the first one with the device
 * tree in a1. The first one boots; the others were started by smp.c, and find their struct cpu in
 * hart_cpus[]. They have no entry of their own because OpenSBI 1.1 may, for a moment, start a hart
 * at the kernel's first instruction instead of the one we asked for.
 */
	.section .text.boot, "ax"
FUNC _start
	csrw	sie, zero
	li	s0, 0				/* backtraces end here */
	lla	t0, boot_hart_came
	li	t1, 1
	amoswap.w.aqrl t1, t1, (t0)
	bnez	t1, .Lsecondary
	mv	s1, a0
	mv	s2, a1
	lla	sp, boot_stack + BOOT_STACK_TOP
	call	mmu_boot			/* at physical addresses; returns satp */
	MMU_ON
	lla	sp, boot_stack + BOOT_STACK_TOP	/* the same, at its virtual address */
	mv	a0, s1
	mv	a1, s2
	call	boot_main

.Lsecondary:
	lla	t0, hart_cpus
	slli	t1, a0, 3
	add	t0, t0, t1
	ld	s1, 0(t0)
	beqz	s1, .Lspare
	lla	t0, kernel_satp
	ld	a0, 0(t0)
	MMU_ON
	mv	a0, s1
	ld	sp, CPU_START_SP(a0)
	ld	tp, CPU_IDLE(a0)
	call	secondary_main

.Lspare:					/* no interrupt is enabled, so this never ends */
	wfi
	j	.Lspare
END _start

	.section .bss
	.balign	4
boot_hart_came:
	.word	0

/* --- Traps ------------------------------------------------------------------------------------ */

/* Saves all registers but sp, tp and those that are in CSRs. */
.macro SAVE
	sd	ra, TF_RA(sp)
	sd	gp, TF_GP(sp)
	sd	t0, TF_T(0)(sp)
	sd	t1, TF_T(1)(sp)
	sd	t2, TF_T(2)(sp)
	sd	t3, TF_T(3)(sp)
	sd	t4, TF_T(4)(sp)
	sd	t5, TF_T(5)(sp)
	sd	t6, TF_T(6)(sp)
	sd	a0, TF_A(0)(sp)
	sd	a1, TF_A(1)(sp)
	sd	a2, TF_A(2)(sp)
	sd	a3, TF_A(3)(sp)
	sd	a4, TF_A(4)(sp)
	sd	a5, TF_A(5)(sp)
	sd	a6, TF_A(6)(sp)
	sd	a7, TF_A(7)(sp)
	sd	s0, TF_S(0)(sp)
	sd	s1, TF_S(1)(sp)
	sd	s2, TF_S(2)(sp)
	sd	s3, TF_S(3)(sp)
	sd	s4, TF_S(4)(sp)
	sd	s5, TF_S(5)(sp)
	sd	s6, TF_S(6)(sp)
	sd	s7, TF_S(7)(sp)
	sd	s8, TF_S(8)(sp)
	sd	s9, TF_S(9)(sp)
	sd	s10, TF_S(10)(sp)
	sd	s11, TF_S(11)(sp)
.endm

/*
 * Restores them, and sstatus and sepc; interrupts are off. The store-conditional ends a reservation
 * that the handler or another thread may have left: without it, the interrupted code's own sc could
 * succeed although the word has changed.
 */
.macro RESTORE
	ld	t0, TF_STATUS(sp)
	ld	t1, TF_PC(sp)
	ld	ra, TF_RA(sp)
	csrw	sstatus, t0
	csrw	sepc, t1
	sc.d	zero, ra, (sp)			/* TF_RA is 0: writes what is there */
	ld	gp, TF_GP(sp)
	ld	t0, TF_T(0)(sp)
	ld	t1, TF_T(1)(sp)
	ld	t2, TF_T(2)(sp)
	ld	t3, TF_T(3)(sp)
	ld	t4, TF_T(4)(sp)
	ld	t5, TF_T(5)(sp)
	ld	t6, TF_T(6)(sp)
	ld	a0, TF_A(0)(sp)
	ld	a1, TF_A(1)(sp)
	ld	a2, TF_A(2)(sp)
	ld	a3, TF_A(3)(sp)
	ld	a4, TF_A(4)(sp)
	ld	a5, TF_A(5)(sp)
	ld	a6, TF_A(6)(sp)
	ld	a7, TF_A(7)(sp)
	ld	s0, TF_S(0)(sp)
	ld	s1, TF_S(1)(sp)
	ld	s2, TF_S(2)(sp)
	ld	s3, TF_S(3)(sp)
	ld	s4, TF_S(4)(sp)
	ld	s5, TF_S(5)(sp)
	ld	s6, TF_S(6)(sp)
	ld	s7, TF_S(7)(sp)
	ld	s8, TF_S(8)(sp)
	ld	s9, TF_S(9)(sp)
	ld	s10, TF_S(10)(sp)
	ld	s11, TF_S(11)(sp)
.endm

	.text
FUNC trap_entry
	csrrw	tp, sscratch, tp
	beqz	tp, trap_from_kernel
	sd	sp, THREAD_SCRATCH(tp)
	ld	sp, THREAD_TF(tp)
	SAVE
	ld	t0, THREAD_SCRATCH(tp)
	csrrw	t1, sscratch, zero
	csrr	t2, sstatus
	csrr	t3, sepc
	csrr	t4, scause
	sd	t0, TF_SP(sp)
	sd	t1, TF_TP(sp)
	sd	t2, TF_STATUS(sp)
	sd	t4, TF_CAUSE(sp)
	mv	a0, sp
	li	s0, 0				/* backtraces do not go into user code */
	li	t0, CAUSE_USER_ECALL
	bne	t4, t0, .Luser_trap

	addi	t3, t3, 4			/* go on after the ecall */
	sd	t3, TF_PC(sp)
	call	syscall_entry

.Luser_return:					/* interrupts off, sp: the user's frame */
	lw	t0, THREAD_WORK(tp)
	bnez	t0, .Luser_work
.Luser_restore:
	csrw	sscratch, tp
	RESTORE
	ld	tp, TF_TP(sp)
	ld	sp, TF_SP(sp)
	sret

.Luser_trap:
	csrr	t0, stval
	sd	t3, TF_PC(sp)
	sd	t0, TF_VALUE(sp)
	call	trap_user
	j	.Luser_return

	/* No second look: work that is set from now on comes with an interrupt, taken at sret. */
.Luser_work:
	mv	a0, sp
	call	user_return_work
	j	.Luser_restore
END trap_entry

/* noreturn void arch_user_enter(void) */
FUNC arch_user_enter
	csrci	sstatus, SSTATUS_SIE
	ld	sp, THREAD_TF(tp)
	j	.Luser_return
END arch_user_enter

/*
 * A trap in the kernel. A thread that has run out of stack faults on the guard page below it;
 * pushing the frame there would only fault again, for ever. So sp is checked first, and if it is
 * not inside the thread's stack with some room, the frame goes to this CPU's emergency stack and
 * trap_kernel() panics.
 */
FUNC trap_from_kernel
	csrrw	tp, sscratch, tp		/* as they were: the thread, and 0 */
	sd	t0, THREAD_SCRATCH(tp)
	ld	t0, THREAD_STACK_LOW(tp)
	bltu	sp, t0, .Lbad_stack
	ld	t0, THREAD_STACK_HIGH(tp)
	bltu	t0, sp, .Lbad_stack
	ld	t0, THREAD_SCRATCH(tp)
	sd	sp, TF_SP - TF_SIZE(sp)
	addi	sp, sp, -TF_SIZE
.Lkernel_save:
	SAVE
	li	t0, SSTATUS_SUM			/* user memory is closed while a fault */
	csrrc	t0, sstatus, t0			/* in a user copy is handled */
	csrr	t1, sepc
	csrr	t2, scause
	csrr	t3, stval
	sd	tp, TF_TP(sp)
	sd	t0, TF_STATUS(sp)
	sd	t1, TF_PC(sp)
	sd	t2, TF_CAUSE(sp)
	sd	t3, TF_VALUE(sp)
	mv	a0, sp
	addi	s0, sp, TF_SIZE			/* links backtraces to the interrupted code */
	call	trap_kernel
	RESTORE
	ld	sp, TF_SP(sp)
	sret

.Lbad_stack:
	ld	t0, THREAD_CPU(tp)
	ld	t0, CPU_EMERGENCY(t0)
	sd	sp, TF_SP(t0)
	mv	sp, t0
	ld	t0, THREAD_SCRATCH(tp)
	j	.Lkernel_save
END trap_from_kernel
