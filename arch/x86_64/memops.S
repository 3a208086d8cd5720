/*
 * memcpy() and memset() with string instructions: eight bytes at a time, then the rest. Unaligned
 * accesses cost almost nothing on x86.
 */
#include "asm.h"

	.text

/* void *memcpy(void *dst, const void *src, size_t n) */
FUNC memcpy
	movq	%rdi, %rax
	movq	%rdx, %rcx
	shrq	$3, %rcx
	andl	$7, %edx
	rep movsq
	movl	%edx, %ecx
	rep movsb
	ret
END memcpy

/* void *memset(void *dst, int c, size_t n) */
FUNC memset
	movq	%rdi, %r8
	movzbl	%sil, %esi
	movabsq	$0x0101010101010101, %rax
	imulq	%rsi, %rax
	movq	%rdx, %rcx
	shrq	$3, %rcx
	andl	$7, %edx
	rep stosq
	movl	%edx, %ecx
	rep stosb
	movq	%r8, %rax
	ret
END memset

	.section .note.GNU-stack, "", @progbits
