/*
 * Page table walks, the same for every port: what an entry's bits mean is behind arch_pte_*().
 *
 * A table has 512 entries of 8 bytes and fills a page; level 0 holds the leaves, each level above
 * takes nine more bits of the address. Tables are reached through the direct map. A user's tables
 * are guarded by as->lock, the kernel's by the lock in kvm.c.
 *
 * Tables are made on the way down and freed by zap.c once no region needs them. The kernel's stay.
 */
#include "space.h"

#include "base/counters.h"
#include "base/panic.h"
#include "page.h"

/* Gives the empty entry @e a new table. */
static bool make_table(paddr_t root, pte_t *e)
{
	struct page *p = page_alloc(0, PAGE_ZERO);

	if (!p)
		return false;
	if (root == arch_kernel_root()) {
		page_make_permanent(p);
	} else {
		phys_to_page(root)->tables++;
		counter_add(COUNT_TABLE_PAGES, 1);
	}
	pte_set(e, arch_pte_table(page_to_phys(p)));
	return true;
}

pte_t *pt_walk(paddr_t root, vaddr_t va, bool make)
{
	pte_t *table = phys_to_virt(root);

	/* LAB 07-vm: go down to the table of level 0 */
	for (unsigned level = ARCH_PT_LEVELS - 1; level > 0; level--) {
		pte_t *e = pt_entry(table, va, level);

		if (!arch_pte_present(*e) && !(make && make_table(root, e)))
			return NULL;
		assert(!arch_pte_is_leaf(*e, level));
		table = pt_table(*e);
	}
	/* END LAB */
	return pt_entry(table, va, 0);
}

pte_t *pt_run(paddr_t root, vaddr_t va, vaddr_t end, vaddr_t *next)
{
	pte_t *table = phys_to_virt(root);
	unsigned level = ARCH_PT_LEVELS - 1;
	bool found = true;

	/* LAB 07-vm: go down as far as there are tables, and say how far the answer holds */
	for (; level > 0 && found; level--) {
		pte_t *e = pt_entry(table, va, level);

		found = arch_pte_present(*e);
		if (found)
			table = pt_table(*e);
	}
	/* the end of what the missing entry spans, or else the level-0 table */
	*next = MIN(end, ALIGN_UP(va + 1, 1UL << pt_shift(level + 1)));
	/* END LAB */
	return found ? pt_entry(table, va, 0) : NULL;
}

bool pt_next(struct pt_iter *i)
{
	if (i->e) {
		i->va += PAGE_SIZE;
		i->e++;
	}
	for (;;) {
		for (; i->va < i->stop; i->va += PAGE_SIZE, i->e++)
			if (*i->e)
				return true;
		if (i->va >= i->end)
			return false;
		i->e = pt_run(i->root, i->va, i->end, &i->stop);
		if (!i->e)
			i->va = i->stop;
	}
}
