/*
 * The host as a port: just enough of arch.h for the kernel's memory management to run as a program,
 * on page tables that no hardware reads.
 */
#pragma once

#include "types.h"

#define ARCH_NAME		"host"
#define ARCH_USER_END		0x0000004000000000UL
#define ARCH_DIRECT_BASE	0x0000200000000000UL	/* far from program and sanitizers */
#define ARCH_VMAP_BASE		0x0000300000000000UL
#define ARCH_VMAP_END		0x0000300040000000UL
#define ARCH_PT_LEVELS		3
#define ARCH_CACHE_LINE		64
#define ARCH_ELF_MACHINE	0

struct arch_thread {
	u8 unused;
};

struct trapframe {
	u64 pc;
};

struct arch_cpu {
	u8 unused;
};
