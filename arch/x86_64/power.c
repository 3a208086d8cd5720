/*
 * Power off and reset: off by QEMU's exit device, if the boot argument debugexit= names its port,
 * else by ACPI's soft power off; reset by ACPI's reset register, else by a triple fault.
 *
 * The device ends QEMU with exit status 2 * value + 1: 33 for a clean end, 35 for a panic. Any
 * context, even in the middle of a panic: nothing here takes a lock.
 */
#include "arch.h"
#include "base/bootargs.h"
#include "port.h"

#define EXIT_OFF	16
#define EXIT_PANICKED	17

#define SLEEP_TYPE(t)	((t) << 10)
#define SLEEP_ENABLE	0x2000

/*
 * Returns false if there is no exit device. A bad debugexit= stops the machine, which comes here
 * once more: then it is ignored.
 */
static bool debug_exit(u32 value)
{
	static _Atomic bool entered;
	u16 port = 0;

	if (!atomic_exchange(&entered, true))
		port = bootarg_number("debugexit", 0, 1, 0xffff);
	if (port)
		port_write32(port, value);
	return port;
}

static void power_off(void)
{
	unsigned a, b;

	if (!acpi.dsdt.size || !acpi_sleep_type_s5(&a, &b))
		return;
	port_write16(acpi.pm1a_control, SLEEP_TYPE(a) | SLEEP_ENABLE);
	if (acpi.pm1b_control)
		port_write16(acpi.pm1b_control, SLEEP_TYPE(b) | SLEEP_ENABLE);
}

static noreturn void reset(void)
{
	static const struct table_pointer no_idt;

	if (acpi.reset_port)
		arch_port_write8(acpi.reset_port, acpi.reset_value);
	__asm__ volatile("lidt %0; int3" : : "m"(no_idt));	/* a triple fault */
	__builtin_unreachable();
}

noreturn void arch_machine_end(enum machine_end how)
{
	arch_irqs_disable();
	if (how == MACHINE_REBOOT)
		reset();
	/* Never both: QEMU may take a while to end, and power off would replace the status. */
	if (!debug_exit(how == MACHINE_PANICKED ? EXIT_PANICKED : EXIT_OFF))
		power_off();
	for (;;)
		__asm__ volatile("hlt");
}
