/*
 * Copy on write: pages that several owners may read, and the first write to one.
 *
 * No bit marks such a page. A private page is mapped writable only while this space is its sole
 * owner, so a write that faults on a present page of a writable region means that it was shared.
 *
 *  COW1  page->refs counts the owners of a page: its mappings, and the file that it belongs to. A
 *        space finds that it is the sole owner, and acts on it, under as->lock. No second owner can
 *        appear meanwhile: fork needs the same lock.
 *  COW2  Copy on write never gives an entry a right that its region lacks.
 *  COW3  Once the copy can be written no CPU reads or writes the old page through this space: the
 *        entry is cleared, or names the copy for reading, and is flushed before it allows that.
 */
#include "space.h"

#include "base/counters.h"
#include "base/panic.h"
#include "base/string.h"
#include "errno.h"

pte_t cow_pte(const struct region *r, struct page *p)
{
	unsigned prot = r->prot;

	/* LAB 07-vm: the rights of the region, but for those that other owners forbid */
	if (!prot)
		return page_to_phys(p) | PTE_PARKED;
	if (!(r->flags & REGION_SHARED) && page_is_shared(p))
		prot &= ~VM_WRITE;
	return arch_pte_leaf(page_to_phys(p), prot | VM_USER);
	/* END LAB */
}

bool cow_share(const struct region *r, pte_t *e)
{
	struct page *p = pte_page(*e);

	/* LAB 07-vm: count the new owner, and say whether the entry loses a right */
	page_get(p);
	if (!(pte_prot(*e) & VM_WRITE) || r->flags & REGION_SHARED)
		return false;
	pte_set(e, cow_pte(r, p));
	return true;
	/* END LAB */
}

int cow_write(struct addr_space *as, struct region *r, vaddr_t va, pte_t *e)
{
	struct page *old = pte_page(*e), *new;

	assert(r->prot & VM_WRITE);
	/* LAB 07-vm: let the only owner write in place, and give anyone else a copy */
	if (r->flags & REGION_SHARED || !page_is_shared(old)) {
		pte_set(e, cow_pte(r, old));
		arch_tlb_flush_page(va);	/* other CPUs fault, and find this entry */
		return 0;
	}
	new = page_alloc(0, 0);
	if (!new)
		return -ENOMEM;
	memcpy(page_to_virt(new), page_to_virt(old), PAGE_SIZE);
	pte_set(e, 0);
	tlb_flush_range(as, va, va + PAGE_SIZE);
	pte_set(e, cow_pte(r, new));
	page_put(old);
	/* END LAB */
	event_count(EVENT_COW_COPIES);
	return 0;
}
