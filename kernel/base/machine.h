/*
 * The machine, as the firmware described it. The port fills this in before it calls kernel_main();
 * it is constant from then on.
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
	u32 clock;			/* Hz; 0: unknown, leave the baud rate as it is */
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
	u64 cpu_hwid[64];		/* in order of preference, including the boot CPU's */
	unsigned nr_cpus;		/* CPUs of the machine; may exceed MAX_CPUS */
	u64 boot_hwid;
	struct uart_info uart;
};

extern struct machine machine;

/*
 * Starts the kernel (main.c). The port's boot code calls it last, on the boot CPU, on the stack of
 * cpus[0].idle, interrupts off.
 */
noreturn void kernel_main(void);
