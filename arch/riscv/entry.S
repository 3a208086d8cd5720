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

/* Saves all registers in the frame at sp, but sp, tp and those that are in CSRs. */
.macro SAVE
	/* LAB 01-boot: store the registers in the frame at sp, each in its place */
	sd	ra, TF_RA(sp)
	sd	gp, TF_GP(sp)
	.irp i, 0, 1, 2, 3, 4, 5, 6
	sd	t\i, TF_T(\i)(sp)
	.endr
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	sd	a\i, TF_A(\i)(sp)
	.endr
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	sd	s\i, TF_S(\i)(sp)
	.endr
	/* END LAB */
.endm

/*
 * Restores them, and sstatus and sepc; interrupts are off. A store-conditional comes next, which
 * ends a reservation that the handler or another thread may have left: without it, the interrupted
 * code's own sc could succeed although the word has changed.
 */
.macro RESTORE
	/* LAB 01-boot: load sstatus, sepc and the registers from the frame at sp */
	ld	t0, TF_STATUS(sp)
	ld	t1, TF_PC(sp)
	csrw	sstatus, t0
	csrw	sepc, t1
	ld	ra, TF_RA(sp)
	ld	gp, TF_GP(sp)
	.irp i, 0, 1, 2, 3, 4, 5, 6
	ld	t\i, TF_T(\i)(sp)
	.endr
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7
	ld	a\i, TF_A(\i)(sp)
	.endr
	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	ld	s\i, TF_S(\i)(sp)
	.endr
	/* END LAB */
.endm

	.text
FUNC trap_entry
	csrrw	tp, sscratch, tp
	beqz	tp, trap_from_kernel
	/* The user's tp is in sscratch now, and trap_from_user comes next. */
END trap_entry

/*
 * A trap in user mode: tp is the thread, and sscratch the user's tp until it is 0 again, as a trap
 * in the kernel must find it. A system call goes on behind its ecall. All others go on at sepc.
 */
FUNC trap_from_user
	sd	sp, THREAD_SCRATCH(tp)
	ld	sp, THREAD_TF(tp)
	/* LAB 01-boot: fill the frame, clear sscratch, call syscall_entry() or trap_user() */
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
	beq	t4, t0, .Lsyscall
	csrr	t0, stval
	sd	t3, TF_PC(sp)
	sd	t0, TF_VALUE(sp)
	call	trap_user
	j	.Luser_return
.Lsyscall:
	addi	t3, t3, 4
	sd	t3, TF_PC(sp)
	call	syscall_entry
	/* END LAB */

.Luser_return:					/* interrupts off, sp: the user's frame */
	lw	t0, THREAD_WORK(tp)
	bnez	t0, .Luser_work
.Luser_restore:
	csrw	sscratch, tp
	RESTORE
	sc.d	zero, ra, (sp)			/* TF_RA is 0: writes what is there */
	ld	tp, TF_TP(sp)
	ld	sp, TF_SP(sp)
	sret

	/* No second look: work that is set from now on comes with an interrupt, taken at sret. */
.Luser_work:
	mv	a0, sp
	call	user_return_work
	j	.Luser_restore
END trap_from_user

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
	/* LAB 01-boot: make room for a frame below sp, and note sp in it */
	sd	sp, TF_SP - TF_SIZE(sp)
	addi	sp, sp, -TF_SIZE
	/* END LAB */
.Lkernel_frame:
	/* LAB 01-boot: fill the rest of the frame, close user memory, call trap_kernel() */
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
	/* END LAB */
	RESTORE
	sc.d	zero, ra, (sp)			/* TF_RA is 0: writes what is there */
	ld	sp, TF_SP(sp)
	sret

.Lbad_stack:
	ld	t0, THREAD_CPU(tp)
	ld	t0, CPU_EMERGENCY(t0)
	sd	sp, TF_SP(t0)
	mv	sp, t0
	ld	t0, THREAD_SCRATCH(tp)
	j	.Lkernel_frame
END trap_from_kernel
