/*
 * The I/O APIC: from device lines to vectors.
 *
 * The kernel numbers device lines by ACPI's global system interrupts. A line's vector is VEC_DEVICE
 * plus that number. All go to the boot CPU, so that runs do not depend on which CPU is idle.
 */
#include "arch.h"
#include "base/machine.h"
#include "base/panic.h"
#include "port.h"
#include "sched/cpu.h"

enum { IOAPIC_SELECT = 0x00, IOAPIC_DATA = 0x10, IOAPIC_VERSION = 1, IOAPIC_REDIRECTION = 0x10 };

#define REDIRECT_ACTIVE_LOW	0x2000u
#define REDIRECT_LEVEL		0x8000u
#define REDIRECT_MASKED		0x10000u

/* ACPI's MPS INTI flags: two bits each; 0: the default of the bus. */
#define INTI_POLARITY(flags)	((flags) & 3)
#define INTI_TRIGGER(flags)	((flags) >> 2 & 3)
#define INTI_LOW		3
#define INTI_LEVEL		3

static volatile u8 *regs;		/* [const after boot] */
static unsigned nr_pins;		/* [const after boot] */

static u32 read(unsigned reg)
{
	*(volatile u32 *)(regs + IOAPIC_SELECT) = reg;
	return *(volatile u32 *)(regs + IOAPIC_DATA);
}

static void write(unsigned reg, u32 value)
{
	*(volatile u32 *)(regs + IOAPIC_SELECT) = reg;
	*(volatile u32 *)(regs + IOAPIC_DATA) = value;
}

void ioapic_init(void)
{
	regs = mmu_map_device(acpi.ioapic);
	nr_pins = (read(IOAPIC_VERSION) >> 16 & 0xff) + 1;
	for (unsigned pin = 0; pin < nr_pins; pin++)
		write(IOAPIC_REDIRECTION + 2 * pin, REDIRECT_MASKED);
}

/* PCI lines are level triggered and active low; ISA lines only if ACPI says so. */
static u32 line_mode(unsigned gsi)
{
	for (unsigned i = 0; i < ARRAY_SIZE(acpi.isa); i++) {
		unsigned flags = acpi.isa[i].flags;

		if (acpi.isa[i].gsi == gsi)
			return (INTI_POLARITY(flags) == INTI_LOW ? REDIRECT_ACTIVE_LOW : 0) |
			       (INTI_TRIGGER(flags) == INTI_LEVEL ? REDIRECT_LEVEL : 0);
	}
	return REDIRECT_ACTIVE_LOW | REDIRECT_LEVEL;
}

/* At boot, so no other CPU selects a register meanwhile. */
void arch_irq_unmask(unsigned irq)
{
	unsigned pin = irq - acpi.ioapic_gsi;

	assert(pin < nr_pins && VEC_DEVICE + irq < VEC_DEVICE_END);
	write(IOAPIC_REDIRECTION + 2 * pin + 1, (u32)machine.boot_hwid << 24);
	write(IOAPIC_REDIRECTION + 2 * pin, line_mode(irq) | (VEC_DEVICE + irq));
}
