/*
 * Power off and reset. QEMU's test device ends the emulator with an exit status of our choice; a
 * machine without it is turned off or reset by the firmware.
 */
#include "mm/mm.h"
#include "port.h"
#include "sbi.h"

#define FINISH(status)	((status) << 16 | 0x3333u)
#define RESET		0x7777u

static paddr_t test_device;	/* [const after boot] 0: there is none */

void power_init(const struct fdt *f)
{
	struct fdt_node n = FDT_START;

	if (!fdt_next_compatible(f, &n, "sifive,test0") || !fdt_reg(f, &n, 0, &test_device, NULL))
		return;
	arch_direct_map(test_device);
}

noreturn void arch_machine_end(enum machine_end how)
{
	static const u32 commands[] = {
		[MACHINE_OFF] = FINISH(33u),
		[MACHINE_REBOOT] = RESET,
		[MACHINE_PANICKED] = FINISH(35u),
	};

	arch_irqs_disable();
	if (test_device)
		*(volatile u32 *)phys_to_virt(test_device) = commands[how];
	else
		sbi_system_reset(how == MACHINE_REBOOT);
	/* QEMU may take a while to end, and a second request would replace the status. */
	for (;;)
		__asm__ volatile("wfi");
}
