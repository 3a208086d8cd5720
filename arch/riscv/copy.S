/*
 * Copying and filling memory: memcpy() and memset(), and the same for user memory, where a fault
 * ends the copy instead of the kernel. Also the compare-and-exchange on a user word.
 *
 * The kernel may touch user memory (sstatus.SUM) only in here. After a fault that fault_kernel()
 * cannot resolve, execution goes on at the fixup which the exception table has for the faulting
 * range. A fault in the bulk of a copy goes on byte by byte from the last finished block, which
 * finds the first byte that cannot be copied.
 */
#include "asm.h"
#include "errno.h"

/* Faults from label \from up to \to continue at \fixup. */
.macro FIXUP from, to, fixup
	.pushsection .extable, "a"
	.balign	8
	.dword	\from, \to, \fixup
	.popsection
.endm

/* Copies 64 bytes from a1 + \at to a0 + \at, all loads before the first store: see memmove(). */
.macro COPY_64 at
	ld	t0, \at(a1)
	ld	t1, \at + 8(a1)
	ld	t2, \at + 16(a1)
	ld	t3, \at + 24(a1)
	ld	t4, \at + 32(a1)
	ld	t5, \at + 40(a1)
	ld	a5, \at + 48(a1)
	ld	a6, \at + 56(a1)
	sd	t0, \at(a0)
	sd	t1, \at + 8(a0)
	sd	t2, \at + 16(a0)
	sd	t3, \at + 24(a0)
	sd	t4, \at + 32(a0)
	sd	t5, \at + 40(a0)
	sd	a5, \at + 48(a0)
	sd	a6, \at + 56(a0)
.endm

/*
 * Copies from a1 to a0 up to a3, the destination's end; then a0 == a3. Stores are aligned. Loads
 * are aligned only if both sides are aligned alike; if not, the hardware deals with it. Uses t0 to
 * t5, a4 to a6.
 */
.macro COPY name
	sub	t0, a3, a0
	li	t1, 16
	bltu	t0, t1, .L\name\()_bytes
.L\name\()_align:
	andi	t0, a0, 7
	beqz	t0, .L\name\()_aligned
	lbu	t0, 0(a1)
	sb	t0, 0(a0)
	addi	a1, a1, 1
	addi	a0, a0, 1
	j	.L\name\()_align
.L\name\()_aligned:
	sub	t0, a3, a0
	andi	t0, t0, -128
	beqz	t0, .L\name\()_half_block
	add	a4, a0, t0
.L\name\()_block:
	COPY_64	0
	COPY_64	64
	addi	a1, a1, 128
	addi	a0, a0, 128
	bne	a0, a4, .L\name\()_block
.L\name\()_half_block:
	sub	t0, a3, a0
	andi	t0, t0, -64
	beqz	t0, .L\name\()_words
	COPY_64	0
	addi	a1, a1, 64
	addi	a0, a0, 64
.L\name\()_words:
	sub	t0, a3, a0
	andi	t0, t0, -8
	beqz	t0, .L\name\()_bytes
	add	a4, a0, t0
.L\name\()_word:
	ld	t0, 0(a1)
	sd	t0, 0(a0)
	addi	a1, a1, 8
	addi	a0, a0, 8
	bne	a0, a4, .L\name\()_word
.L\name\()_bytes:
	beq	a0, a3, .L\name\()_done
	lbu	t0, 0(a1)
	sb	t0, 0(a0)
	addi	a1, a1, 1
	addi	a0, a0, 1
	j	.L\name\()_bytes
.L\name\()_done:
.endm

/* Fills from a0 up to a3; t1 has the byte eight times. Uses t0, a4. */
.macro FILL name
	sub	t0, a3, a0
	sltiu	t0, t0, 16
	bnez	t0, .L\name\()_bytes
.L\name\()_align:
	andi	t0, a0, 7
	beqz	t0, .L\name\()_aligned
	sb	t1, 0(a0)
	addi	a0, a0, 1
	j	.L\name\()_align
.L\name\()_aligned:
	sub	t0, a3, a0
	andi	t0, t0, -64
	beqz	t0, .L\name\()_words
	add	a4, a0, t0
.L\name\()_block:
	sd	t1, 0(a0)
	sd	t1, 8(a0)
	sd	t1, 16(a0)
	sd	t1, 24(a0)
	sd	t1, 32(a0)
	sd	t1, 40(a0)
	sd	t1, 48(a0)
	sd	t1, 56(a0)
	addi	a0, a0, 64
	bne	a0, a4, .L\name\()_block
.L\name\()_words:
	sub	t0, a3, a0
	andi	t0, t0, -8
	beqz	t0, .L\name\()_bytes
	add	a4, a0, t0
.L\name\()_word:
	sd	t1, 0(a0)
	addi	a0, a0, 8
	bne	a0, a4, .L\name\()_word
.L\name\()_bytes:
	beq	a0, a3, .L\name\()_done
	sb	t1, 0(a0)
	addi	a0, a0, 1
	j	.L\name\()_bytes
.L\name\()_done:
.endm

	.text
/* void *memcpy(void *dst, const void *src, size_t n) */
FUNC memcpy
	mv	a7, a0
	add	a3, a0, a2
	COPY	memcpy
	mv	a0, a7
	ret
END memcpy

/* void *memset(void *dst, int c, size_t n) */
FUNC memset
	mv	a7, a0
	add	a3, a0, a2
	andi	t1, a1, 0xff
	slli	t0, t1, 8
	or	t1, t1, t0
	slli	t0, t1, 16
	or	t1, t1, t0
	slli	t0, t1, 32
	or	t1, t1, t0
	FILL	memset
	mv	a0, a7
	ret
END memset

/* size_t arch_copy_user(void *dst, const void *src, size_t n) */
FUNC arch_copy_user
	li	t6, SSTATUS_SUM
	add	a3, a0, a2
	csrs	sstatus, t6
	COPY	copy_user
	csrc	sstatus, t6
	sub	a0, a3, a0
	ret
END arch_copy_user
	FIXUP	.Lcopy_user_aligned, .Lcopy_user_bytes, .Lcopy_user_bytes
	FIXUP	arch_copy_user, .Lcopy_user_done, .Lcopy_user_done

/* size_t arch_clear_user(void *dst, size_t n) */
FUNC arch_clear_user
	li	t6, SSTATUS_SUM
	add	a3, a0, a1
	li	t1, 0
	csrs	sstatus, t6
	FILL	clear_user
	csrc	sstatus, t6
	sub	a0, a3, a0
	ret
END arch_clear_user
	FIXUP	.Lclear_user_aligned, .Lclear_user_bytes, .Lclear_user_bytes
	FIXUP	arch_clear_user, .Lclear_user_done, .Lclear_user_done

/*
 * int arch_user_cmpxchg32(u32 *p, u32 old, u32 new, u32 *seen)
 * After a store has faulted and the fault is resolved, the reservation is lost: the store fails,
 * and the loop tries again.
 */
FUNC arch_user_cmpxchg32
	li	t6, SSTATUS_SUM
	sext.w	a1, a1
	csrs	sstatus, t6
.Lcmpxchg:
	lr.w.aqrl t0, (a0)
	bne	t0, a1, 1f
	sc.w.aqrl t1, a2, (a0)
	bnez	t1, .Lcmpxchg
1:	csrc	sstatus, t6
	sw	t0, 0(a3)
	li	a0, 0
	ret
.Lcmpxchg_fault:
	csrc	sstatus, t6
	li	a0, -EFAULT
	ret
END arch_user_cmpxchg32
	FIXUP	.Lcmpxchg, 1b, .Lcmpxchg_fault
