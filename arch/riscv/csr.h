/*
 * Control and status registers: the bits that the port uses, for C and assembly.
 */
#pragma once

#define SSTATUS_SIE		0x2		/* interrupts enabled */
#define SSTATUS_SPIE		0x20		/* were enabled before the trap */
#define SSTATUS_SPP		0x100		/* the trap came from supervisor mode */
#define SSTATUS_FS		0x6000		/* floating-point unit: */
#define SSTATUS_FS_OFF		0x0		/*	traps on use */
#define SSTATUS_FS_CLEAN	0x4000		/*	on, equal to the saved copy */
#define SSTATUS_FS_DIRTY	0x6000		/*	on, written since */
#define SSTATUS_SUM		0x40000		/* supervisor may touch user pages */
#define SSTATUS_UXL		0x300000000	/* width of user registers */

#define SIE_SOFT		0x2
#define SIE_TIMER		0x20
#define SIE_EXTERNAL		0x200

#define SATP_SV39		0x8000000000000000

#define CAUSE_FETCH_MISALIGNED	0
#define CAUSE_FETCH_ACCESS	1
#define CAUSE_ILLEGAL		2
#define CAUSE_BREAKPOINT	3
#define CAUSE_LOAD_MISALIGNED	4
#define CAUSE_LOAD_ACCESS	5
#define CAUSE_STORE_MISALIGNED	6
#define CAUSE_STORE_ACCESS	7
#define CAUSE_USER_ECALL	8
#define CAUSE_FETCH_PAGE	12
#define CAUSE_LOAD_PAGE		13
#define CAUSE_STORE_PAGE	15
#define CAUSE_INTERRUPT		0x8000000000000000
#define IRQ_SOFT		1		/* with CAUSE_INTERRUPT */
#define IRQ_TIMER		5
#define IRQ_EXTERNAL		9

#ifndef __ASSEMBLER__

#define csr_read(csr) ({						\
	u64 csr_value_;							\
	__asm__ volatile("csrr %0, " #csr : "=r"(csr_value_) : : "memory");	\
	csr_value_;							\
})
#define csr_write(csr, value) \
	__asm__ volatile("csrw " #csr ", %0" : : "rK"((u64)(value)) : "memory")
#define csr_set(csr, bits) \
	__asm__ volatile("csrs " #csr ", %0" : : "rK"((u64)(bits)) : "memory")
#define csr_clear(csr, bits) \
	__asm__ volatile("csrc " #csr ", %0" : : "rK"((u64)(bits)) : "memory")

#endif
