/*
 * x86_64: the first instructions of a program, and the parts of creating processes, threads and
 * signal frames that cannot be written in C.
 */
#include <sys/syscall.h>

	.text

/* The kernel starts us with rsp pointing at argc, and promises nothing else. */
	.globl	_start
_start:
	xorl	%ebp, %ebp		/* the outermost frame */
	movq	%rsp, %rdi
	andq	$-16, %rsp
	call	__libc_start

/*
 * long __clone_thread(flags rdi, stack rsi, parent_tid rdx, tls rcx, child_tid r8, fn r9, arg)
 * The new thread runs fn(arg), which does not return.
 */
	.globl	__clone_thread
__clone_thread:
	movq	8(%rsp), %rax
	subq	$16, %rsi
	movq	%r9, 0(%rsi)
	movq	%rax, 8(%rsi)
	movq	%r8, %r10
	movq	%rcx, %r8
	movl	$SYS_clone, %eax
	syscall
	testl	%eax, %eax
	jz	1f
	ret
1:	xorl	%ebp, %ebp
	popq	%rax
	popq	%rdi
	call	*%rax
	hlt

/* void __unmap_and_exit(stack rdi, size rsi): a detached thread's last steps, without a stack. */
	.globl	__unmap_and_exit
__unmap_and_exit:
	movl	$SYS_munmap, %eax
	syscall
	xorl	%edi, %edi
	movl	$SYS_exit, %eax
	syscall
	hlt

/*
 * pid_t vfork(void): the child runs on our stack until it execs or exits, so the return address is
 * kept in a register, which the kernel preserves for both.
 */
	.globl	vfork
vfork:
	popq	%rdx
	movl	$SYS_vfork, %eax
	syscall
	pushq	%rdx
	movq	%rax, %rdi
	jmp	__result

/* Signal handlers return to here. */
	.globl	__signal_return
__signal_return:
	movl	$SYS_rt_sigreturn, %eax
	syscall

	.section .note.GNU-stack, "", @progbits
