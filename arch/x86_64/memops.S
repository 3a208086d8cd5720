/*
 * memcpy(), memmove() and memset() with string instructions: eight bytes a step, then the rest.
 * They take the place of kernel/lib/string.c's. Alignment costs next to nothing on x86.
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

/* void *memmove(void *dst, const void *src, size_t n) */
FUNC memmove
	movq	%rdi, %rax
	subq	%rsi, %rax
	cmpq	%rdx, %rax
	jae	memcpy			/* dst is not inside [src, src + n): forwards is right */
	movq	%rdi, %rax
	leaq	-1(%rdi, %rdx), %rdi
	leaq	-1(%rsi, %rdx), %rsi
	movq	%rdx, %rcx
	andl	$7, %ecx
	std
	rep movsb
	subq	$7, %rdi
	subq	$7, %rsi
	movq	%rdx, %rcx
	shrq	$3, %rcx
	rep movsq
	cld
	ret
END memmove

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
