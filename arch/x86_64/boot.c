/*
 * From the PVH start info to kernel_main(): fills struct machine from the loader and the firmware,
 * then sets up page tables, interrupt controllers and clocks.
 *
 * Runs on the boot CPU, on its idle thread's stack, interrupts off, on the boot page tables until
 * mmu_init(). The start info and all it points to lies below 4 GiB, and is copied before memory is
 * given out.
 */
#include "arch.h"
#include "base/machine.h"
#include "base/panic.h"
#include "base/string.h"
#include "mm/mm.h"
#include "port.h"
#include "sched/cpu.h"
#include "thread/thread.h"

#define START_MAGIC	0x336ec578u
#define MEMMAP_RAM	1
#define LOW_MEMORY	0x100000u	/* the firmware's, and the trampoline */

#define COM1_PORT	0x3f8u
#define COM1_IRQ	4
#define COM1_CLOCK	1843200u

#define PIC1_MASK	0x21u
#define PIC2_MASK	0xa1u

/* Packed: loaders do not align them. */
struct start_info {
	u32 magic, version, flags, nr_modules;
	u64 modules, cmdline, rsdp;
	u64 memmap;			/* from version 1 on */
	u32 nr_memmap, reserved;
} __attribute__((packed));

struct start_module {
	u64 base, size, cmdline, reserved;
} __attribute__((packed));

struct start_memmap {
	u64 base, size;
	u32 type, reserved;
} __attribute__((packed));

/* The processor's own name, 16 bytes per leaf. */
static void describe_model(void)
{
	for (u32 i = 0; i < 3; i++) {
		struct cpuid part = cpuid(0x80000002 + i);

		memcpy(machine.model + i * sizeof(part), &part, sizeof(part));
	}
}

static void read_memmap(const struct start_info *info)
{
	const struct start_memmap *m = phys_to_virt(info->memmap);

	for (unsigned i = 0; i < info->nr_memmap; i++)
		if (m[i].type == MEMMAP_RAM)
			machine_add_ram(m[i].base, m[i].size);
	if (!machine.nr_ram)
		panic("the loader tells of no memory");
}

static void read_start_info(const struct start_info *info)
{
	const struct start_module *initrd = phys_to_virt(info->modules);

	if (info->magic != START_MAGIC || info->version < 1)
		panic("not started by a PVH loader that knows the memory map");
	if (info->cmdline &&
	    strlcpy(machine.cmdline, phys_to_virt(info->cmdline), sizeof(machine.cmdline)) >=
		    sizeof(machine.cmdline))
		panic("the command line is longer than %zu bytes", sizeof(machine.cmdline) - 1);
	read_memmap(info);
	machine_reserve(0, LOW_MEMORY);
	machine_reserve(arch_image_pa(__image_start), __image_end - __image_start);
	if (info->nr_modules) {
		machine.initrd = (struct mem_range){ initrd->base, initrd->size };
		machine_reserve(initrd->base, initrd->size);
	}
}

noreturn void boot_main(paddr_t start_info)
{
	const struct start_info *info = phys_to_virt(start_info);
	struct cpu *c = &cpus[0];

	arch_set_current(&c->idle, c);
	machine.boot_hwid = cpu_apic_id();
	cpu_prepare(0, machine.boot_hwid, boot_stack, KSTACK_SIZE);
	/* the serial port is at the same place in every PC */
	machine.uart = (struct uart_info){
		.base = COM1_PORT, .is_port = true, .irq = COM1_IRQ, .clock = COM1_CLOCK,
	};
	describe_model();
	cpu_features_init();
	cpu_init(c);
	arch_port_write8(PIC1_MASK, 0xff);
	arch_port_write8(PIC2_MASK, 0xff);
	read_start_info(info);
	acpi_init(info->rsdp);
	machine.uart.irq = acpi.isa[COM1_IRQ].gsi;
	mmu_init();
	lapic_init();
	ioapic_init();
	timer_calibrate();
	kernel_main();
}
