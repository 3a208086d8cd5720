/*
 * Access to user memory: the only instructions that may touch it. After a fault that the kernel
 * cannot resolve, execution goes on at the fixup that MAY_FAULT names.
 *
 * Where SMAP is present user pages can be touched only between STAC and CLAC. A trap in between
 * finds them closed (entry.S) and opens them again when it returns, since the flag is part of
 * rflags.
 */
#include "asm.h"

	.text

/*
 * size_t arch_copy_user(void *dst, const void *src, size_t n): how many bytes were not copied.
 *
 * Copies words first; from a word that faults on it copies bytes, so the result is exact.
 */
FUNC arch_copy_user
	movq	%rdx, %rcx
	shrq	$3, %rcx
	andl	$7, %edx
	STAC
1:	rep movsq
2:	leaq	(%rdx, %rcx, 8), %rcx
3:	rep movsb
4:	CLAC
	movq	%rcx, %rax
	ret
	MAY_FAULT 1b, 2b
	MAY_FAULT 3b, 4b
END arch_copy_user

/* size_t arch_clear_user(void *dst, size_t n): how many bytes were not cleared */
FUNC arch_clear_user
	movq	%rsi, %rcx
	shrq	$3, %rcx
	andl	$7, %esi
	xorl	%eax, %eax
	STAC
1:	rep stosq
2:	leaq	(%rsi, %rcx, 8), %rcx
3:	rep stosb
4:	CLAC
	movq	%rcx, %rax
	ret
	MAY_FAULT 1b, 2b
	MAY_FAULT 3b, 4b
END arch_clear_user

/* int arch_user_cmpxchg32(u32 *p, u32 old, u32 new, u32 *seen): 0 or -EFAULT */
FUNC arch_user_cmpxchg32
	movl	%esi, %eax
	STAC
1:	lock cmpxchgl %edx, (%rdi)
	CLAC
	movl	%eax, (%rcx)
	xorl	%eax, %eax
	ret
2:	CLAC
	movl	$-14, %eax
	ret
	MAY_FAULT 1b, 2b
END arch_user_cmpxchg32

	.section .note.GNU-stack, "", @progbits
