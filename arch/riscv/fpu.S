/*
 * void fpu_save(struct fpu_state *fpu), void fpu_restore(const struct fpu_state *fpu)
 *
 * The only instructions of the kernel that use floating-point registers; frame.c says when.
 */
#include "asm.h"

	.attribute arch, "rv64imafdc"
	.text
FUNC fpu_save
	li	t0, SSTATUS_FS
	csrs	sstatus, t0
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
		22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	fsd	f\i, 8 * \i(a0)
	.endr
	frcsr	t1
	sd	t1, 256(a0)
	ret
END fpu_save

FUNC fpu_restore
	li	t0, SSTATUS_FS
	csrs	sstatus, t0
	.irp	i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
		22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	fld	f\i, 8 * \i(a0)
	.endr
	ld	t1, 256(a0)
	fscsr	t1
	ret
END fpu_restore
