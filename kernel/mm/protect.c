/*
 * Changing what may be done with mapped pages, and forgetting their contents.
 *
 * A right that is added may reach the hardware late: an access faults and finds it allowed. One
 * that is taken away is gone from every TLB when the call returns.
 */
#include "space.h"

#include "errno.h"

/* Gives the pages of @r the rights that follow from the region's. */
static void update_pages(struct tlb_batch *b, struct region *r)
{
	struct pt_iter i = { .root = b->as->root, .va = r->start, .end = r->end };

	while (pt_next(&i)) {
		pte_t old = *i.e, new = cow_pte(r, pte_page(old));

		pte_set(i.e, new);
		if (pte_prot(old) & ~pte_prot(new))
			tlb_batch_range(b, i.va, i.va + PAGE_SIZE);
	}
}

static int check_protect(const struct addr_space *as, vaddr_t start, vaddr_t end, unsigned prot)
{
	if (region_mapped_pages(as, start, end) != (end - start) / PAGE_SIZE)
		return -ENOMEM;
	for (struct region *r = region_above(as, start); r && r->start < end; r = region_next(r))
		if (prot & VM_WRITE && r->flags & REGION_NOWRITE)
			return -EACCES;
	return 0;
}

/* Bounds of regions stay until all are done: joining as we go would free what we stand on. */
static void merge_range(struct addr_space *as, vaddr_t start, vaddr_t end)
{
	struct region *r = region_above(as, start);

	while (r && r->start <= end) {
		vaddr_t at = r->start;

		region_merge_at(as, at);
		r = region_above(as, at);	/* the region that now holds it */
		r = r ? region_next(r) : NULL;
	}
}

int as_protect(struct addr_space *as, vaddr_t addr, u64 size, unsigned prot)
{
	struct tlb_batch b;
	vaddr_t end;
	int err = as_range(addr, size, &end);

	if (err)
		return err;
	prot = region_prot(prot);
	tlb_batch_init(&b, as);
	mutex_lock(&as->lock);
	err = check_protect(as, addr, end, prot);
	if (!err)
		err = region_isolate(as, addr, end);
	if (err)
		goto out;
	for (struct region *r = region_above(as, addr); r && r->start < end; r = region_next(r)) {
		if (r->prot == prot)
			continue;
		r->prot = prot;
		update_pages(&b, r);
	}
	merge_range(as, addr, end);
	tlb_batch_flush(&b);
out:
	mutex_unlock(&as->lock);
	return err;
}

int as_dontneed(struct addr_space *as, vaddr_t addr, u64 size)
{
	struct tlb_batch b;
	vaddr_t end;
	int err = as_range(addr, size, &end);

	if (err)
		return err;
	tlb_batch_init(&b, as);
	mutex_lock(&as->lock);
	if (region_mapped_pages(as, addr, end) != (end - addr) / PAGE_SIZE)
		err = -ENOMEM;		/* but, as on Linux, what is mapped is forgotten */
	for (struct region *r = region_above(as, addr); r && r->start < end; r = region_next(r))
		zap_pages(&b, MAX(r->start, addr), MIN(r->end, end));
	tlb_batch_flush(&b);
	mutex_unlock(&as->lock);
	return err;
}
