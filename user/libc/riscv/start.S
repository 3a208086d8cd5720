/*
 * riscv64: the first instructions of a program, and the parts of creating processes and threads
 * that cannot be written in C.
 */
#include <sys/syscall.h>

	.text

/* The kernel starts us with sp pointing at argc, and promises nothing else. */
	.globl	_start
_start:
	.option	push
	.option	norelax			/* gp cannot be loaded relative to itself */
	la	gp, __global_pointer$
	.option	pop
	mv	fp, zero		/* the outermost frame */
	mv	ra, zero
	mv	a0, sp
	andi	sp, sp, -16
	j	__libc_start

/*
 * long __clone_thread(flags a0, stack a1, parent_tid a2, tls a3, child_tid a4, fn a5, arg a6)
 * The new thread runs fn(arg), which does not return.
 */
	.globl	__clone_thread
__clone_thread:
	addi	a1, a1, -16
	sd	a5, 0(a1)
	sd	a6, 8(a1)
	li	a7, SYS_clone
	ecall
	beqz	a0, 1f
	ret
1:	mv	fp, zero
	ld	a5, 0(sp)
	ld	a0, 8(sp)
	jalr	a5
	ebreak

/* void __unmap_and_exit(stack a0, size a1): a detached thread's last steps, without a stack. */
	.globl	__unmap_and_exit
__unmap_and_exit:
	li	a7, SYS_munmap
	ecall
	li	a0, 0
	li	a7, SYS_exit
	ecall
	ebreak

/*
 * pid_t vfork(void): the child runs on our stack until it execs or exits, so nothing may be kept
 * there; the return address stays in ra.
 */
	.globl	vfork
vfork:
	li	a0, 0x4111		/* CLONE_VFORK | CLONE_VM | SIGCHLD */
	mv	a1, zero
	li	a7, SYS_clone
	ecall
	tail	__result

	.section .note.GNU-stack, "", @progbits
