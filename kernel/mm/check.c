/*
 * Looking after the whole: emptying every cache, and checking that all structures agree. For leak
 * checks, tests and audits, at quiet points.
 */
#include "mm.h"

#include "counters.h"
#include "page.h"
#include "panic.h"
#include "slab.h"
#include "space.h"

void mm_drain(void)
{
	kstack_trim(0);
	slab_drain();
	page_drain();
}

void mm_check(void)
{
	slab_check();
	buddy_check();
}

/* An entry grants what its region and its page's owners allow, and never more. */
static void check_entry(const struct region *r, vaddr_t va, pte_t pte)
{
	struct page *p = pte_page(pte);
	unsigned prot = pte_prot(pte) & (VM_READ | VM_WRITE | VM_EXEC);

	if (arch_pte_present(pte) != (r->prot != 0) || prot & ~r->prot ||
	    (prot & VM_WRITE && !(r->flags & REGION_SHARED) && page_is_shared(p)) ||
	    !atomic_load(&p->refs))
		panic("entry %lx for %lx: rights %x, region's %x, flags %x, page has %u owners",
		      pte, va, prot, r->prot, r->flags, atomic_load(&p->refs));
}

static u64 check_region(const struct addr_space *as, const struct region *r)
{
	struct pt_iter i = { .root = as->root, .va = r->start, .end = r->end };
	u64 n = 0;

	for (; pt_next(&i); n++)
		check_entry(r, i.va, *i.e);
	return n;
}

void as_check(struct addr_space *as)
{
	struct pt_iter all = { .root = as->root, .end = ARCH_USER_END };
	u64 resident = 0, total = 0, in_space = 0;
	vaddr_t last = MMAP_MIN;

	mutex_lock(&as->lock);
	for (struct region *r = region_first(as); r; r = region_next(r)) {
		if (r->start < last || r->start >= r->end || r->end > ARCH_USER_END ||
		    !IS_ALIGNED(r->start | r->end, PAGE_SIZE))
			panic("region %lx to %lx behind %lx", r->start, r->end, last);
		last = r->end;
		total += (r->end - r->start) / PAGE_SIZE;
		resident += check_region(as, r);
	}
	while (pt_next(&all))
		in_space++;
	if (total != as->total_pages || resident != as->resident || in_space != resident)
		panic("space: %lu pages of regions, counted %lu; %lu mapped, %lu in all, not %lu",
		      total, as->total_pages, resident, in_space, as->resident);
	mutex_unlock(&as->lock);
}
