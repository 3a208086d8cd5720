/*
 * The local APIC of each CPU: end of interrupt, interrupts to other CPUs, one-shot timer.
 *
 * The registers are in memory; every CPU sees its own at the same address (xAPIC; CPU ids have 8
 * bits). The timer counts down from a value that is written, at a rate that timer.c measures.
 */
#include "arch.h"
#include "port.h"

enum {
	LAPIC_PRIORITY = 0x80, LAPIC_EOI = 0xb0, LAPIC_SPURIOUS = 0xf0,
	LAPIC_COMMAND = 0x300, LAPIC_COMMAND_TO = 0x310, LAPIC_TIMER = 0x320, LAPIC_LINT0 = 0x350,
	LAPIC_LINT1 = 0x360, LAPIC_ERROR = 0x370, LAPIC_TIMER_INITIAL = 0x380,
	LAPIC_TIMER_CURRENT = 0x390, LAPIC_TIMER_DIVIDE = 0x3e0,
};

#define SPURIOUS_ENABLE	0x100u
#define COMMAND_PENDING	0x1000u
#define LVT_NMI		0x400u
#define LVT_MASKED	0x10000u
#define DIVIDE_BY_1	0xbu

static volatile u8 *regs;		/* [const after boot] */

static u32 read(unsigned reg)
{
	return *(volatile u32 *)(regs + reg);
}

static void write(unsigned reg, u32 value)
{
	*(volatile u32 *)(regs + reg) = value;
}

void lapic_init(void)
{
	if (!regs)
		regs = mmu_map_device(acpi.lapic);
	write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VEC_SPURIOUS);
	write(LAPIC_PRIORITY, 0);
	write(LAPIC_LINT0, LVT_MASKED);		/* the 8259s */
	write(LAPIC_LINT1, LVT_NMI);
	write(LAPIC_ERROR, LVT_MASKED);
	write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	write(LAPIC_TIMER_INITIAL, 0);
	write(LAPIC_TIMER, VEC_TIMER);
}

void lapic_eoi(void)
{
	write(LAPIC_EOI, 0);
}

/* A command needs two registers: no handler that sends one may come in between. */
void lapic_send(u32 apic_id, u32 command)
{
	bool on = arch_irqs_enabled();

	arch_irqs_disable();
	while (read(LAPIC_COMMAND) & COMMAND_PENDING)
		arch_spin_hint();
	write(LAPIC_COMMAND_TO, apic_id << 24);
	write(LAPIC_COMMAND, command);
	if (on)
		arch_irqs_enable();
}

void lapic_timer_start(u32 count)
{
	write(LAPIC_TIMER_INITIAL, count);
}

u32 lapic_timer_count(void)
{
	return read(LAPIC_TIMER_CURRENT);
}
