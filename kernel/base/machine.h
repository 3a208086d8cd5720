/*
 * The machine, as the firmware told us. Filled by the port before kernel_main(), constant
 * from then on; nothing in it is assumed.
 */
#pragma once

#include "types.h"

struct mem_range {
	paddr_t start;
	u64 size;
};

#define MACHINE_MAX_RANGES	16

struct uart_info {
	paddr_t base;			/* MMIO address, or I/O port number */
	bool is_port;
	unsigned reg_shift;
	unsigned irq;
	u32 clock;			/* Hz, 0: unknown, leave the divisor alone */
};

struct machine {
	char model[64];
	char cmdline[2048];
	struct mem_range ram[MACHINE_MAX_RANGES];
	unsigned nr_ram;
	/* firmware, kernel image, device tree, initrd */
	struct mem_range reserved[MACHINE_MAX_RANGES];
	unsigned nr_reserved;
	struct mem_range initrd;	/* size 0: none */
	u64 cpu_hwid[64];		/* in the order of preference, the boot CPU's among them */
	unsigned nr_cpus;		/* how many the machine has; may exceed MAX_CPUS */
	u64 boot_hwid;
	struct uart_info uart;
};

extern struct machine machine;

/* For the port. Too many reserved ranges panic; RAM that does not fit is left alone. */
void machine_add_ram(paddr_t start, u64 size);
void machine_reserve(paddr_t start, u64 size);
void machine_direct_map(paddr_t start, u64 size);	/* arch_direct_map() of a whole range */

/* The port's boot code ends here, on the boot CPU, on cpus[0].idle's stack, interrupts off. */
noreturn void kernel_main(void);
