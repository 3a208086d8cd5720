/*
 * fork: a copy of an address space that shares every page with the original.
 *
 * What is mapped in the parent is mapped in the child too, pages of files included: an entry copied
 * costs far less than the fault it saves. Only tables that exist are looked at.
 *
 * When memory runs out half way, the child is freed and with it its references. The parent keeps
 * entries that lack the right to write, which is not observable: the next write finds a sole owner.
 * The TLBs are flushed in either case: the next fork will not flush what has lost the right by now.
 */
#include "space.h"

#include "errno.h"

/* Copies the entries of [va, end), which begin at @e in one table. */
static int copy_run(struct tlb_batch *b, struct addr_space *child, const struct region *r, pte_t *e,
		    vaddr_t va, vaddr_t end)
{
	pte_t *to;
	s64 n = 0;

	for (; va < end && !*e; va += PAGE_SIZE)
		e++;
	if (va == end)
		return 0;
	to = pt_walk(child->root, va, true);
	if (!to)
		return -ENOMEM;
	for (; va < end; va += PAGE_SIZE, e++, to++) {
		if (!*e)
			continue;
		if (cow_share(r, e))
			tlb_batch_range(b, va, va + PAGE_SIZE);
		pte_set(to, *e);
		n++;
	}
	as_count_pages(child, n);
	return 0;
}

static int copy_region(struct tlb_batch *b, struct addr_space *child, const struct region *from)
{
	struct region *r = region_copy(from);
	vaddr_t next;
	int err = 0;

	if (!r)
		return -ENOMEM;
	region_link(child, r);
	for (vaddr_t va = r->start; va < r->end && !err; va = next) {
		pte_t *e = pt_run(b->as->root, va, r->end, &next);

		if (e)
			err = copy_run(b, child, r, e, va, next);
	}
	return err;
}

int as_fork(struct addr_space *as, struct addr_space **out)
{
	struct addr_space *child;
	struct tlb_batch b;
	int err = as_create(&child);

	if (err)
		return err;
	tlb_batch_init(&b, as);
	mutex_lock(&as->lock);
	child->brk_start = as->brk_start;
	child->brk = as->brk;
	child->stack_top = as->stack_top;
	child->arg_start = as->arg_start;
	child->arg_end = as->arg_end;
	for (struct region *r = region_first(as); r && !err; r = region_next(r))
		err = copy_region(&b, child, r);
	tlb_batch_flush(&b);
	mutex_unlock(&as->lock);
	if (err)
		as_put(child);
	else
		*out = child;
	return err;
}
