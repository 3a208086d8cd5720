/*
 * Taking pages and tables out of a page table.
 *
 * Entries are cleared at once; the batch frees what they named after a flush (SHOOTDOWN1). Nothing
 * here allocates, so nothing fails.
 *
 *  ZAP1  Every table below the root overlaps a region, and is freed with the last one. (A table is
 *        made only for a page of a region; zap_tables() runs for each region that goes.)
 */
#include "space.h"

void zap_pages(struct tlb_batch *b, vaddr_t start, vaddr_t end)
{
	struct pt_iter i = { .root = b->as->root, .va = start, .end = end };
	s64 n = 0;

	for (; pt_next(&i); n++) {
		struct page *p = pte_page(*i.e);

		pte_set(i.e, 0);
		tlb_batch_page(b, i.va, p);
	}
	as_count_pages(b->as, -n);
}

/* Does zap_tables() for @table, whose entries are of @level, and the tables below it. */
static void zap_level(struct tlb_batch *b, pte_t *table, unsigned level, vaddr_t start, vaddr_t end,
		      vaddr_t floor, vaddr_t ceiling)
{
	u64 span = 1UL << pt_shift(level);

	for (vaddr_t va = ALIGN_DOWN(start, span); va < end; va += span) {
		pte_t *e = pt_entry(table, va, level), pte = *e;

		if (!arch_pte_present(pte))
			continue;
		if (level > 1)
			zap_level(b, pt_table(pte), level - 1, MAX(va, start), MIN(va + span, end),
				  floor, ceiling);
		if (va < floor || va + span > ceiling)
			continue;
		pte_set(e, 0);
		tlb_batch_table(b, pte_page(pte));
	}
}

void zap_tables(struct tlb_batch *b, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling)
{
	zap_level(b, phys_to_virt(b->as->root), ARCH_PT_LEVELS - 1, start, end, floor, ceiling);
}
