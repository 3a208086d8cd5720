/*
 * The kernel's page table, and the few operations on page tables that belong to the port.
 *
 * All tables here are static, so that every entry of the root is made once, before translation is
 * turned on, and user roots can copy the kernel's half. Only levels below the root change later:
 * the direct map here, the mappings from ARCH_VMAP_BASE in kernel/mm.
 *
 * Physical memory appears twice: the image at IMAGE_BASE with the rights of its sections,
 * everything else in the direct map, writable. The image's data is in the direct map too, since
 * these tables are walked through it, but its text and read-only data are not: no page has a
 * writable alias that another mapping may execute.
 */
#include "asm.h"
#include "base/string.h"
#include "mm/mm.h"
#include "port.h"

#define ENTRIES		512
#define TABLE_SPAN	((u64)ENTRIES << PAGE_SHIFT)	/* of a last-level table: 2 MiB */
#define GIGA_SPAN	((u64)ENTRIES * TABLE_SPAN)	/* of a table one level above: 1 GiB */
#define TABLE		__attribute__((aligned(PAGE_SIZE)))

#define ROOT_INDEX(va)	(((va) / GIGA_SPAN) % ENTRIES)

static TABLE pte_t kernel_root[ENTRIES];
static TABLE pte_t vmap_tables[ENTRIES * ((ARCH_VMAP_END - ARCH_VMAP_BASE) / GIGA_SPAN)];
static TABLE pte_t direct_tables[ENTRIES * (DIRECT_MAX / GIGA_SPAN)];	/* an entry per 2 MiB */
static TABLE pte_t image_table[ENTRIES];
static TABLE pte_t image_pages[IMAGE_MAX / PAGE_SIZE];
static TABLE pte_t image_data_alias[IMAGE_MAX / PAGE_SIZE];

u64 kernel_satp;		/* [const] for entry.S */

/* --- Boot: runs at physical addresses, where the address of a symbol is its physical one ------ */

/* Makes the entries of the root for @tables, which are contiguous. */
static void map_root(vaddr_t va, pte_t *tables, u64 entries)
{
	for (u64 i = 0; i < entries / ENTRIES; i++)
		kernel_root[ROOT_INDEX(va) + i] = arch_pte_table((paddr_t)&tables[i * ENTRIES]);
}

static void map_section(pte_t *pages, const char *start, const char *end, unsigned prot)
{
	for (const char *p = start; p < end; p += PAGE_SIZE)
		pages[(p - __image_start) / PAGE_SIZE] = arch_pte_leaf((paddr_t)p, prot);
}

paddr_t mmu_boot(void)
{
	paddr_t image = (paddr_t)__image_start;
	u64 blocks = (u64)(__image_end - __image_start) / TABLE_SPAN;
	u64 guard = ((paddr_t)boot_stack.guard - image) / PAGE_SIZE;

	map_section(image_pages, __text_start, __text_end, VM_READ | VM_EXEC);
	map_section(image_pages, __data_start, __data_end, VM_READ | VM_WRITE);
	map_section(image_pages, __rodata_start, __rodata_end, VM_READ);
	map_section(image_data_alias, __data_start, __data_end, VM_READ | VM_WRITE);
	image_pages[guard] = image_data_alias[guard] = 0;

	for (u64 i = 0; i < IMAGE_MAX / TABLE_SPAN; i++)
		image_table[(image / TABLE_SPAN + i) % ENTRIES] =
			arch_pte_table((paddr_t)&image_pages[i * ENTRIES]);
	for (u64 i = 0; i < blocks; i++)
		direct_tables[image / TABLE_SPAN + i] =
			arch_pte_table((paddr_t)&image_data_alias[i * ENTRIES]);

	map_root(ARCH_VMAP_BASE, vmap_tables, ARRAY_SIZE(vmap_tables));
	map_root(ARCH_DIRECT_BASE, direct_tables, ARRAY_SIZE(direct_tables));
	map_root(IMAGE_BASE, image_table, ARRAY_SIZE(image_table));
	kernel_satp = SATP_SV39 | (paddr_t)kernel_root >> PAGE_SHIFT;
	return kernel_satp;
}

/* --- From here on translation is on ----------------------------------------------------------- */

paddr_t arch_image_pa(const void *p)
{
	return (u64)p - IMAGE_OFFSET;
}

paddr_t arch_kernel_root(void)
{
	return arch_image_pa(kernel_root);
}

/* Copies the root's entries for @size bytes of tables that map from @va on. */
static void copy_entries(pte_t *root, vaddr_t va, size_t size)
{
	u64 first = ROOT_INDEX(va);

	memcpy(root + first, kernel_root + first, size / PAGE_SIZE * sizeof(pte_t));
}

void arch_root_init(void *root)
{
	copy_entries(root, ARCH_VMAP_BASE, sizeof(vmap_tables));
	copy_entries(root, ARCH_DIRECT_BASE, sizeof(direct_tables));
	copy_entries(root, IMAGE_BASE, sizeof(image_table));
}

/* A present entry is left as it is: those of the image's blocks must never become writable. */
void arch_direct_map(paddr_t pa)
{
	pte_t *entry = &direct_tables[pa / TABLE_SPAN];

	assert(pa < DIRECT_MAX);
	if (!arch_pte_present(*entry))
		*entry = arch_pte_leaf(ALIGN_DOWN(pa, TABLE_SPAN), VM_READ | VM_WRITE);
}

bool kernel_maps(vaddr_t va, unsigned access)
{
	const pte_t *table = kernel_root;

	for (unsigned level = ARCH_PT_LEVELS; level-- > 0;) {
		pte_t pte = table[(va >> (PAGE_SHIFT + 9 * level)) % ENTRIES];

		if (!arch_pte_present(pte))
			return false;
		if (arch_pte_is_leaf(pte, level))
			return (arch_pte_prot(pte) & access) == access;
		table = phys_to_virt(arch_pte_pa(pte));
	}
	return false;
}
