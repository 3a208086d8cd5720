/*
 * x86_64: system calls as functions. The fourth argument has to move, because `syscall` overwrites
 * rcx; a result of -4095 to -1 is an error.
 */
#include <sys/syscall.h>

#define CALL(name, number) \
	.section .text.name, "ax", @progbits; \
	.globl	name; \
	.type	name, @function; \
name:	movl	$SYS_##number, %eax; \
	movq	%rcx, %r10; \
	syscall; \
	cmpq	$-4096, %rax; \
	ja	1f; \
	ret; \
1:	movq	%rax, %rdi; \
	jmp	__result; \
	.size	name, . - name;

#include "calls.def"

	.section .note.GNU-stack, "", @progbits
