/*
 * The kernel's half of every address space.
 *
 *	0xffff800000000000	physical memory, RW-, in the blocks that arch_direct_map() maps;
 *				also, uncached, the device registers that the port itself uses
 *	0xffffc00000000000	stacks and devices, mapped by kernel/mm/kvm.c
 *	0xffffffff80200000	the image by pages: text R-X, data RW-, constants R--
 *
 *  XMMU1  No page of the image is mapped twice, so none is both writable and executable: the
 *         image's blocks are never in the direct map.
 *  XMMU2  The three top-level entries of the kernel's half are made here and never change.
 *  XMMU3  Tables lie outside the image, in memory that the direct map covers, since kernel/mm walks
 *         them through it. They come from the end of the first free block behind the image; its
 *         beginning stays free for the page allocator's own use.
 *
 * Until arch_mmu_load() at the end of mmu_init() all this runs on the boot tables (boot.S), where
 * phys_to_virt() works for the low 4 GiB. Those map everything writable and executable; later only
 * CPUs that start use them.
 */
#include "arch.h"
#include "base/machine.h"
#include "base/panic.h"
#include "base/string.h"
#include "mm/mm.h"
#include "port.h"

#define TABLE_BITS	9
#define GIB_SHIFT	(BLOCK_SHIFT + TABLE_BITS)
#define DEVICE_GIB	3		/* APICs lie below 4 GiB */

paddr_t kernel_root;			/* [const after boot] */

static paddr_t tables_start;		/* of the tables made so far, in their block's end */

static u64 *table(paddr_t pa)
{
	return phys_to_virt(pa);
}

static unsigned table_index(vaddr_t va, unsigned level)
{
	return va >> (PAGE_SHIFT + TABLE_BITS * level) & 511;
}

static bool block_is_free(paddr_t block)
{
	bool ram = false;

	for (unsigned i = 0; i < machine.nr_ram; i++)
		if (machine.ram[i].start <= block &&
		    block + BLOCK_SIZE <= machine.ram[i].start + machine.ram[i].size)
			ram = true;
	for (unsigned i = 0; i < machine.nr_reserved; i++)
		if (block < machine.reserved[i].start + machine.reserved[i].size &&
		    machine.reserved[i].start < block + BLOCK_SIZE)
			ram = false;
	return ram;
}

static void find_tables_block(void)
{
	paddr_t block = arch_image_pa(__image_end);

	while (!block_is_free(block)) {
		block += BLOCK_SIZE;
		if (block >= 1UL << 32)
			panic("no memory for page tables");
	}
	tables_start = block + BLOCK_SIZE;
}

static paddr_t new_table(void)
{
	tables_start -= PAGE_SIZE;
	memset(table(tables_start), 0, PAGE_SIZE);
	return tables_start;
}

/* Returns the table below the entry of @t for @va at @level, a new one if need be. Boot only. */
static u64 *next_table(u64 *t, vaddr_t va, unsigned level)
{
	u64 *entry = &t[table_index(va, level)];

	if (!arch_pte_present(*entry))
		*entry = arch_pte_table(new_table());
	return table(arch_pte_pa(*entry));
}

static void map_image(const u8 *start, const u8 *end, unsigned prot)
{
	for (vaddr_t va = (vaddr_t)start; va < (vaddr_t)end; va += PAGE_SIZE) {
		u64 *t = table(kernel_root);

		for (unsigned level = 3; level > 0; level--)
			t = next_table(t, va, level);
		if (va != (vaddr_t)boot_stack_guard)
			t[table_index(va, 0)] = arch_pte_leaf(arch_image_pa((void *)va), prot);
	}
}

/* Makes a page directory for every GiB in the range, since arch_direct_map() cannot allocate. */
static void make_directories(paddr_t start, u64 size)
{
	for (u64 gib = start >> GIB_SHIFT; gib <= (start + size - 1) >> GIB_SHIFT; gib++) {
		vaddr_t va = ARCH_DIRECT_BASE + (gib << GIB_SHIFT);

		next_table(next_table(table(kernel_root), va, 3), va, 2);
	}
}

static void direct_map(paddr_t pa, unsigned prot)
{
	vaddr_t va = ARCH_DIRECT_BASE + pa;
	u64 *t = table(kernel_root);

	for (unsigned level = 3; level > 1; level--) {
		u64 entry = t[table_index(va, level)];

		if (!arch_pte_present(entry))
			panic("no direct map for %lx", pa);
		t = table(arch_pte_pa(entry));
	}
	t[table_index(va, 1)] = arch_pte_leaf(ALIGN_DOWN(pa, BLOCK_SIZE), prot) | PTE_PS;
}

void arch_direct_map(paddr_t pa)
{
	/* XMMU1 */
	assert(pa + BLOCK_SIZE <= arch_image_pa(__image_start) || pa >= arch_image_pa(__image_end));
	direct_map(pa, VM_READ | VM_WRITE);
}

volatile void *mmu_map_device(paddr_t pa)
{
	direct_map(pa, VM_READ | VM_WRITE | VM_DEVICE);
	return phys_to_virt(pa);
}

void mmu_init(void)
{
	paddr_t end;

	find_tables_block();
	end = tables_start;
	kernel_root = new_table();
	next_table(table(kernel_root), ARCH_VMAP_BASE, 3);
	for (unsigned i = 0; i < machine.nr_ram; i++)
		make_directories(machine.ram[i].start, machine.ram[i].size);
	make_directories((u64)DEVICE_GIB << GIB_SHIFT, 1);
	make_directories(acpi.dsdt.start, acpi.dsdt.size);
	map_image(__text_start, __text_end, VM_READ | VM_EXEC);
	map_image(__data_start, __data_end, VM_READ | VM_WRITE);
	map_image(__rodata_start, __rodata_end, VM_READ);
	assert(end - tables_start < BLOCK_SIZE);	/* XMMU3 */
	arch_direct_map(end - BLOCK_SIZE);
	machine_direct_map(acpi.dsdt.start, acpi.dsdt.size);
	machine_direct_map(machine.initrd.start, machine.initrd.size);
	machine_reserve(tables_start, end - tables_start);
	arch_mmu_load(kernel_root);
}

paddr_t arch_kernel_root(void)
{
	return kernel_root;
}

void arch_root_init(void *root)
{
	static const vaddr_t top[] = { ARCH_DIRECT_BASE, ARCH_VMAP_BASE, IMAGE_BASE };
	const u64 *from = table(kernel_root);
	u64 *to = root;

	static_assert(ARCH_VMAP_END - ARCH_VMAP_BASE == 1UL << 39, "one top-level entry");
	for (unsigned i = 0; i < ARRAY_SIZE(top); i++) {
		assert(arch_pte_present(from[table_index(top[i], 3)]));		/* XMMU2 */
		to[table_index(top[i], 3)] = from[table_index(top[i], 3)];
	}
}

paddr_t arch_image_pa(const void *p)
{
	return (u64)p - IMAGE_BASE;
}
