/*
 * The ACPI tables: CPUs and interrupt controllers (MADT), the power management timer and the
 * registers for reset and power off (FADT), which CPUs and memory form nodes (SRAT), and the
 * distances between nodes (SLIT).
 *
 * They are read once at boot, on the boot page tables: firmware puts all tables below 4 GiB. Only
 * the DSDT is read again, for the value that powers off, so its blocks stay mapped. Field offsets
 * are those of the ACPI specification 6.5, chapter 5.2.
 */
#include "arch.h"
#include "base/machine.h"
#include "base/panic.h"
#include "base/string.h"
#include "mm/mm.h"
#include "mm/numa.h"
#include "port.h"

struct acpi_info acpi;

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt, length;
	u64 xsdt;
} __attribute__((packed));

struct sdt {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	u8 origin[26];			/* names of its makers */
} __attribute__((packed));

struct entry {			/* of the MADT and the SRAT */
	u8 type, length;
} __attribute__((packed));

enum { MADT_CPU = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_HEADER = 44 };
enum { SRAT_CPU = 0, SRAT_MEMORY = 1, SRAT_X2APIC = 2, SRAT_HEADER = 48, SLIT_HEADER = 44 };
enum {
	FADT_DSDT = 40, FADT_PM1A_CONTROL = 64, FADT_PM1B_CONTROL = 68, FADT_PM_TIMER = 76,
	FADT_RESET = 116, FADT_RESET_VALUE = 128, FADT_X_DSDT = 140,
};

#define GAS_IO		1		/* address space of a generic address: I/O ports */

/* Reads the field of @size bytes at @offset, which need not be aligned. */
static u64 field(const void *table, unsigned offset, unsigned size)
{
	u64 v = 0;

	memcpy(&v, (const u8 *)table + offset, size);
	return v;
}

/* Returns the address of a table in the boot page tables. */
static const void *table_at(paddr_t pa)
{
	if (pa == 0 || pa >= 1UL << 32)
		panic("ACPI table at %lx", pa);
	return phys_to_virt(pa);
}

/* Returns the table with @signature, or NULL. */
static const struct sdt *find_table(const struct rsdp *rsdp, const char *signature)
{
	bool extended = rsdp->revision >= 2 && rsdp->xsdt;
	const struct sdt *root = table_at(extended ? rsdp->xsdt : rsdp->rsdt);
	unsigned size = extended ? 8 : 4;

	for (unsigned at = sizeof(*root); at + size <= root->length; at += size) {
		const struct sdt *t = table_at(field(root, at, size));

		if (memcmp(t->signature, signature, 4) == 0)
			return t;
	}
	return NULL;
}

static const struct sdt *need_table(const struct rsdp *rsdp, const char *signature)
{
	const struct sdt *t = find_table(rsdp, signature);

	if (!t)
		panic("no ACPI table %s", signature);
	return t;
}

static void add_override(const void *entry)
{
	unsigned irq = field(entry, 3, 1);

	if (irq >= ARRAY_SIZE(acpi.isa))
		return;
	acpi.isa[irq].gsi = field(entry, 4, 4);
	acpi.isa[irq].flags = field(entry, 8, 2);
}

/*
 * Work goes to the first idle CPU, so this puts one thread of each core before all others. The mask
 * has the bits of an APIC id that differ between threads of one core.
 */
static void cores_first(void)
{
	u64 siblings[ARRAY_SIZE(machine.cpu_hwid)];
	u64 mask = cpuid(0).eax >= 0xb ? BIT(cpuid(0xb).eax & 31) - 1 : 0;
	unsigned nr_siblings = 0, n = 0;

	for (unsigned i = 0; i < machine.nr_cpus; i++) {
		u64 id = machine.cpu_hwid[i];

		if (id & mask)
			siblings[nr_siblings++] = id;
		else
			machine.cpu_hwid[n++] = id;
	}
	memcpy(&machine.cpu_hwid[n], siblings, nr_siblings * sizeof(siblings[0]));
}

static void read_madt(const struct sdt *madt)
{
	const struct entry *e;

	acpi.lapic = field(madt, sizeof(*madt), 4);
	for (unsigned i = 0; i < ARRAY_SIZE(acpi.isa); i++)
		acpi.isa[i].gsi = i;
	for (unsigned at = MADT_HEADER; at + sizeof(*e) <= madt->length; at += e->length) {
		e = (const void *)((const u8 *)madt + at);
		if (e->length < sizeof(*e))
			break;
		if (e->type == MADT_CPU && (field(e, 4, 4) & 1) &&
		    machine.nr_cpus < ARRAY_SIZE(machine.cpu_hwid)) {
			machine.cpu_hwid[machine.nr_cpus++] = field(e, 3, 1);
		} else if (e->type == MADT_IOAPIC && !acpi.ioapic) {
			/* only the first one: PC devices use no others */
			acpi.ioapic = field(e, 4, 4);
			acpi.ioapic_gsi = field(e, 8, 4);
		} else if (e->type == MADT_OVERRIDE) {
			add_override(e);
		}
	}
	if (!acpi.ioapic || !machine.nr_cpus)
		panic("the MADT names %u CPUs, I/O APIC at %lx", machine.nr_cpus, acpi.ioapic);
	cores_first();
}

static void read_fadt(const struct sdt *fadt)
{
	acpi.pm1a_control = field(fadt, FADT_PM1A_CONTROL, 4);
	acpi.pm1b_control = field(fadt, FADT_PM1B_CONTROL, 4);
	acpi.pm_timer = field(fadt, FADT_PM_TIMER, 4);
	acpi.dsdt.start = field(fadt, FADT_DSDT, 4);
	if (fadt->length >= FADT_RESET + 16 && field(fadt, FADT_RESET, 1) == GAS_IO) {
		acpi.reset_port = field(fadt, FADT_RESET + 4, 8);
		acpi.reset_value = field(fadt, FADT_RESET_VALUE, 1);
	}
	if (!acpi.dsdt.start && fadt->length >= FADT_X_DSDT + 8)
		acpi.dsdt.start = field(fadt, FADT_X_DSDT, 8);
	acpi.dsdt.size = ((const struct sdt *)table_at(acpi.dsdt.start))->length;
}

static void read_srat(const struct sdt *srat)
{
	const struct entry *e;

	for (unsigned at = SRAT_HEADER; at + sizeof(*e) <= srat->length; at += e->length) {
		e = (const void *)((const u8 *)srat + at);
		if (e->length < sizeof(*e))
			break;
		if (e->type == SRAT_CPU && field(e, 4, 4) & 1)
			numa_add_cpu(field(e, 3, 1), field(e, 2, 1) | field(e, 9, 3) << 8);
		else if (e->type == SRAT_MEMORY && field(e, 28, 4) & 1)
			numa_add_memory(field(e, 8, 8), field(e, 16, 8), field(e, 2, 4));
		else if (e->type == SRAT_X2APIC && field(e, 12, 4) & 1)
			numa_add_cpu(field(e, 8, 4), field(e, 4, 4));
	}
}

static void read_slit(const struct sdt *slit)
{
	u64 n = field(slit, sizeof(*slit), 8);

	for (u64 i = 0; i < n * n && SLIT_HEADER + i < slit->length; i++)
		numa_set_distance(i / n, i % n, field(slit, SLIT_HEADER + i, 1));
}

void acpi_init(paddr_t rsdp)
{
	const struct rsdp *r = table_at(rsdp);
	const struct sdt *t;

	if (memcmp(r->signature, "RSD PTR ", 8) != 0)
		panic("no ACPI root pointer at %lx", rsdp);
	read_madt(need_table(r, "APIC"));
	read_fadt(need_table(r, "FACP"));
	t = find_table(r, "SRAT");
	if (t)
		read_srat(t);
	t = find_table(r, "SLIT");
	if (t)
		read_slit(t);
}

/* Reads a small number in AML: ZeroOp, OneOp, or BytePrefix and the value. */
static const u8 *aml_byte(const u8 *p, unsigned *value)
{
	if (*p == 0x0a)
		p++;
	*value = *p;
	return p + 1;
}

/*
 * Reads the sleep types of \_S5: Name(_S5_, Package() { a, b, ... }). This needs no interpreter of
 * AML: the object's bytes appear as they are in every DSDT.
 */
bool acpi_sleep_type_s5(unsigned *a, unsigned *b)
{
	const struct sdt *dsdt = phys_to_virt(acpi.dsdt.start);
	const u8 *p = (const u8 *)(dsdt + 1), *end = (const u8 *)dsdt + acpi.dsdt.size - 12;

	for (; p < end; p++) {
		if (memcmp(p, "_S5_\x12", 5) != 0)
			continue;
		p += 5;
		p += 1 + (*p >> 6);		/* the package's length */
		aml_byte(aml_byte(p + 1, a), b);
		return true;
	}
	return false;
}
