/*
 * Copy on write: pages that several owners may read, and the first write to one.
 *
 * There is no mark for it. A private page is entered writable only while this space is its sole
 * owner, and a write to a present page of a writable region is what tells that it was shared.
 *
 *  COW1  page->refs counts the owners: mappings, and the file if it is one's page. The test for a
 *        sole owner and what follows from it happen under as->lock. While we are the only owner
 *        nobody else can become one: fork, too, needs our lock.
 *  COW2  Copy on write takes rights away and gives back at most what the region has.
 *  COW3  No CPU writes to the old page, or reads it, once the copy is in place: the entry is
 *        cleared and flushed before it names the copy.
 */
#include "space.h"

#include "base/counters.h"
#include "base/panic.h"
#include "base/string.h"
#include "errno.h"

pte_t cow_pte(const struct region *r, struct page *p)
{
	unsigned prot = r->prot;

	if (!prot)
		return page_to_phys(p) | PTE_PARKED;
	if (!(r->flags & REGION_SHARED) && page_is_shared(p))
		prot &= ~VM_WRITE;
	return arch_pte_leaf(page_to_phys(p), prot | VM_USER);
}

bool cow_share(const struct region *r, pte_t *e)
{
	struct page *p = page_get(pte_page(*e));

	if (!(pte_prot(*e) & VM_WRITE) || r->flags & REGION_SHARED)
		return false;
	pte_set(e, cow_pte(r, p));
	return true;
}

int cow_write(struct addr_space *as, struct region *r, vaddr_t va, pte_t *e)
{
	struct page *old = pte_page(*e), *new;

	assert(r->prot & VM_WRITE);
	if (r->flags & REGION_SHARED || !page_is_shared(old)) {
		pte_set(e, cow_pte(r, old));
		arch_tlb_flush_page(va);	/* another CPU's old entry makes it fault and see */
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
	event_count(EVENT_COW_COPIES);
	return 0;
}
