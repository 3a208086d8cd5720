/*
 * The host as a port, for the explorer: virtual CPUs are coroutines of one program. There is no
 * memory but the program's own.
 */
#pragma once

#include "types.h"

#define ARCH_NAME		"host"
#define ARCH_HWID_NAME		"hwid"
#define ARCH_USER_END		0x0000004000000000UL
#define ARCH_DIRECT_BASE	0x0000200000000000UL	/* far from the program */
#define ARCH_VMAP_BASE		0x0000300000000000UL
#define ARCH_VMAP_END		0x0000300040000000UL
#define ARCH_PT_LEVELS		3
#define ARCH_CACHE_LINE		64
#define ARCH_ELF_MACHINE	0
#define ARCH_RED_ZONE		0

struct trapframe {
	u64 pc;
	bool from_user;
};

struct arch_thread {
	void *sp;			/* where arch_switch() left it */
	struct trapframe frame;
};

struct arch_cpu {
	u8 unused;
};
