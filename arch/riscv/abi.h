/*
 * User-visible structures and constants that are RISC-V's own: Linux's riscv64 ABI.
 */
#pragma once

#include "types.h"

/* Our column of abi/syscalls.def; the calls that only x86_64 has are left out. */
#define SYSCALL_NUMBER(riscv, x86_64) riscv
#define ON_X86_64(...)

struct abi_stat {
	u64 dev, ino;
	u32 mode, nlink;
	u32 uid, gid;
	u64 rdev, pad1;
	s64 size;
	s32 blksize, pad2;
	s64 blocks;
	s64 atime;
	u64 atime_nsec;
	s64 mtime;
	u64 mtime_nsec;
	s64 ctime;
	u64 ctime_nsec;
	u32 unused[2];
};

_Static_assert(sizeof(struct abi_stat) == 128, "struct stat");

/* struct sigaction as the kernel sees it, without a restorer. */
struct abi_sigaction {
	u64 handler, flags, mask;
};

static inline u64 *abi_restorer(struct abi_sigaction *a)
{
	(void)a;
	return NULL;
}

/* Handlers return to this page, which every program with handlers has, and to this code. */
#define ABI_TRAMPOLINE		(ARCH_USER_END - PAGE_SIZE)
#define ABI_TRAMPOLINE_CODE	{ 0x08b00893, 0x00000073 }	/* li a7, rt_sigreturn; ecall */

/* Auxiliary vector: single-letter extensions by bit (I M A F D C); no platform name. */
#define ABI_ISA(letter)	BIT((letter) - 'a')
#define ABI_ISA_BASE	(ABI_ISA('i') | ABI_ISA('m') | ABI_ISA('a'))
#define ABI_HWCAP	(ABI_ISA_BASE | ABI_ISA('f') | ABI_ISA('d') | ABI_ISA('c'))
#define ABI_PLATFORM	NULL
#define ABI_MINSIGSTKSZ	1088	/* a signal frame */

/* clone()'s last two parameters. */
static inline void abi_clone_args(u64 a3, u64 a4, vaddr_t *tls, vaddr_t *child_tid)
{
	*tls = a3;
	*child_tid = a4;
}
