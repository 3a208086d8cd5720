/*
 * Changing what may be done with mapped pages.
 *
 * An added right may reach a TLB late: the access faults and is found to be allowed. A right that
 * is taken away is gone from every TLB when the call returns.
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

/* Checks whether @r may have the rights @prot. */
static int check_region(const struct addr_space *as, const struct region *r, unsigned prot)
{
	if (prot & VM_WRITE && r->flags & REGION_NOWRITE)
		return -EACCES;
	if (prot & ~r->prot & VM_WRITE)
		return as_may_be_data(as, (r->end - r->start) / PAGE_SIZE, prot, r->flags);
	return 0;
}

static int protect(struct tlb_batch *b, vaddr_t start, vaddr_t end, unsigned prot)
{
	struct addr_space *as = b->as;
	vaddr_t mapped = region_run_end(as, start, end);
	int err = region_isolate(as, start, mapped);

	if (err)
		return err;
	for (struct region *r = region_above(as, start); r && r->start < mapped && !err;
	     r = region_next(r)) {
		err = check_region(as, r, prot);
		if (err || r->prot == prot)
			continue;
		r->prot = prot;
		update_pages(b, r);
	}
	region_merge_range(as, start, mapped);
	return err ? err : mapped < end ? -ENOMEM : 0;
}

int as_protect(struct addr_space *as, vaddr_t addr, u64 size, unsigned prot, bool stack_below)
{
	struct region *r;
	struct tlb_batch b;
	vaddr_t end;
	int err = as_range(addr, size, &end);

	if (err)
		return err;
	tlb_batch_init(&b, as);
	mutex_lock(&as->lock);
	r = stack_below ? region_above(as, addr) : NULL;
	if (stack_below && (!r || r->start >= end))
		err = -ENOMEM;
	else if (stack_below && !(r->flags & REGION_STACK))
		err = -EINVAL;
	else
		err = protect(&b, r ? r->start : addr, end, region_prot(prot));
	tlb_batch_flush(&b);
	mutex_unlock(&as->lock);
	return err;
}
