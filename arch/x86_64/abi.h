/*
 * User-visible structures and constants that are x86_64's own: Linux's x86_64 ABI.
 */
#pragma once

#include "types.h"

/* Our column of abi/syscalls.def, with the calls that only x86_64 has. */
#define SYSCALL_NUMBER(riscv, x86_64) x86_64
#define ON_X86_64(...) __VA_ARGS__

struct abi_stat {
	u64 dev, ino, nlink;
	u32 mode;
	u32 uid, gid, pad0;
	u64 rdev;
	s64 size, blksize, blocks;
	s64 atime;
	u64 atime_nsec;
	s64 mtime;
	u64 mtime_nsec;
	s64 ctime;
	u64 ctime_nsec;
	s64 unused[3];
};

_Static_assert(sizeof(struct abi_stat) == 144, "struct stat");

/* struct sigaction as the kernel sees it. */
struct abi_sigaction {
	u64 handler, flags, restorer, mask;
};

static inline u64 *abi_restorer(struct abi_sigaction *a)
{
	return &a->restorer;
}

/* Handlers return to the program's own code, by the restorer. */
#define ABI_TRAMPOLINE		0
#define ABI_TRAMPOLINE_CODE	{ 0 }

/* Auxiliary vector: programs use CPUID instead. */
#define ABI_HWCAP	0

/* The least stack that a signal frame needs: itself, all registers, alignment. */
#define ABI_MINSIGSTKSZ	1472
#define ABI_PLATFORM	"x86_64"

/* clone()'s last two parameters. */
static inline void abi_clone_args(u64 a3, u64 a4, vaddr_t *tls, vaddr_t *child_tid)
{
	*child_tid = a3;
	*tls = a4;
}
