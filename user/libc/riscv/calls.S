/*
 * riscv64: system calls as functions. The arguments are in place already; a result of -4095 to -1
 * is an error.
 */
#include <sys/syscall.h>

#define CALL(name, number) \
	.section .text.name, "ax", @progbits; \
	.globl	name; \
	.type	name, @function; \
name:	li	a7, SYS_##number; \
	ecall; \
	li	t0, -4096; \
	bgtu	a0, t0, 1f; \
	ret; \
1:	tail	__result; \
	.size	name, . - name;

#include "calls.def"

	.section .note.GNU-stack, "", @progbits
