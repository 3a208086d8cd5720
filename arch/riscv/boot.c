/*
 * From the firmware to kernel_main(): reads the device tree into `machine`.
 *
 * Only the kernel's own image and the address of the tree are known yet; there is no allocator and
 * no console. A panic before kernel_main() has set one up prints nothing, but ends the machine.
 */
#include "base/machine.h"
#include "base/string.h"
#include "mm/mm.h"
#include "mm/numa.h"
#include "port.h"
#include "sched/cpu.h"

struct boot_stack boot_stack __attribute__((aligned(PAGE_SIZE)));

static void read_chosen(const struct fdt *f, const struct fdt_node *n)
{
	const char *args = fdt_string(f, n, "bootargs");
	u64 start, end;

	if (args)
		strlcpy(machine.cmdline, args, sizeof(machine.cmdline));
	if (fdt_number(f, n, "linux,initrd-start", &start) &&
	    fdt_number(f, n, "linux,initrd-end", &end) && end > start && end <= DIRECT_MAX)
		machine.initrd = (struct mem_range){ start, end - start };
}

static void read_uart(const struct fdt *f, const struct fdt_node *n)
{
	u64 shift = 0, clock = 0;
	u32 irq = 0;

	if (machine.uart.base || !fdt_reg(f, n, 0, &machine.uart.base, NULL))
		return;
	fdt_number(f, n, "reg-shift", &shift);
	fdt_number(f, n, "clock-frequency", &clock);
	fdt_cell(f, n, "interrupts", 0, &irq);
	machine.uart.reg_shift = shift;
	machine.uart.clock = clock;
	machine.uart.irq = irq;
}

static void read_cpu(const struct fdt *f, const struct fdt_node *n)
{
	u64 hwid, node = 0;

	if (!fdt_enabled(f, n) || !fdt_reg(f, n, 0, &hwid, NULL) ||
	    machine.nr_cpus == ARRAY_SIZE(machine.cpu_hwid))
		return;
	machine.cpu_hwid[machine.nr_cpus++] = hwid;
	fdt_number(f, n, "numa-node-id", &node);
	numa_add_cpu(hwid, node);
}

/* RAM beyond what the direct map covers is not used. */
static void read_memory(const struct fdt *f, const struct fdt_node *n)
{
	u64 start, size, node = 0;

	fdt_number(f, n, "numa-node-id", &node);
	for (unsigned i = 0; fdt_reg(f, n, i, &start, &size); i++) {
		if (start < DIRECT_MAX)
			machine_add_ram(start, MIN(size, DIRECT_MAX - start));
		numa_add_memory(start, size, node);
	}
}

/* The matrix is a list of triples: from, to, distance. */
static void read_distances(const struct fdt *f, const struct fdt_node *n)
{
	u32 from, to, distance;

	for (unsigned i = 0; fdt_cell(f, n, "distance-matrix", i, &from) &&
			     fdt_cell(f, n, "distance-matrix", i + 1, &to) &&
			     fdt_cell(f, n, "distance-matrix", i + 2, &distance);
	     i += 3)
		numa_set_distance(from, to, distance);
}

static void read_tree(const struct fdt *f)
{
	bool in_reserved = false;
	u64 start, size;

	for (struct fdt_node n = FDT_START; fdt_next(f, &n);) {
		if (n.depth == 1)
			in_reserved = fdt_name_is(&n, "reserved-memory");
		if (n.depth == 0 && fdt_string(f, &n, "model"))
			strlcpy(machine.model, fdt_string(f, &n, "model"), sizeof(machine.model));
		else if (in_reserved && n.depth == 2)
			for (unsigned i = 0; fdt_reg(f, &n, i, &start, &size); i++)
				machine_reserve(start, size);
		else if (fdt_name_is(&n, "memory") && n.depth == 1)
			read_memory(f, &n);
		else if (fdt_name_is(&n, "chosen") && n.depth == 1)
			read_chosen(f, &n);
		else if (fdt_name_is(&n, "cpu") && n.depth == 2)
			read_cpu(f, &n);
		else if (fdt_compatible(f, &n, "ns16550a"))
			read_uart(f, &n);
		else if (fdt_compatible(f, &n, "numa-distance-map-v1"))
			read_distances(f, &n);
	}
	for (unsigned i = 0; fdt_reserved(f, i, &start, &size); i++)
		machine_reserve(start, size);
}

noreturn void boot_main(u64 hwid, paddr_t dtb)
{
	struct cpu *c = &cpus[0];
	const void *blob = phys_to_virt(dtb);
	struct fdt fdt;

	cpu_prepare(0, hwid, boot_stack.stack, sizeof(boot_stack.stack));
	cpu_init_arch(c);
	arch_set_current(&c->idle, c);
	traps_init();

	machine_direct_map(dtb, BLOCK_SIZE);
	if (fdt_open(&fdt, blob, BLOCK_SIZE) != 0)
		panic("no device tree at %lx", dtb);
	power_init(&fdt);
	timer_init(&fdt);
	read_tree(&fdt);
	machine_reserve(arch_image_pa(__image_start), __image_end - __image_start);
	machine_reserve(dtb, fdt_total_size(blob));
	machine_reserve(machine.initrd.start, machine.initrd.size);
	machine_direct_map(machine.initrd.start, machine.initrd.size);
	machine.boot_hwid = hwid;
	plic_init(&fdt);
	plic_init_cpu(c);
	kernel_main();
}
