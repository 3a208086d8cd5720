/*
 * fork: a copy of an address space that shares every page with the original.
 *
 * The child gets an entry for every page that the parent has mapped, pages of files included:
 * copying an entry costs far less than the fault it saves. Only tables that exist are visited.
 *
 * If memory runs out half way, the child is freed and drops its references. Entries of the parent
 * may have lost the right to write by then, which no program can observe: the next write finds a
 * sole owner and gets the right back. The TLBs are flushed even so, because the next fork flushes
 * only the entries that it takes the right from.
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
	/* LAB 07-vm: share each page; note what a TLB may remember wrongly */
	for (; va < end; va += PAGE_SIZE, e++, to++) {
		if (!*e)
			continue;
		if (cow_share(r, e))
			tlb_batch_range(b, va, va + PAGE_SIZE);
		pte_set(to, *e);
		n++;
	}
	/* END LAB */
	as_count_pages(child, n);
	return 0;
}

static int copy_pages(struct tlb_batch *b, struct addr_space *child, const struct region *r)
{
	vaddr_t next;
	int err = 0;

	for (vaddr_t va = r->start; va < r->end && !err; va = next) {
		pte_t *e = pt_run(b->as->root, va, r->end, &next);

		if (e)
			err = copy_run(b, child, r, e, va, next);
	}
	return err;
}

/*
 * Copies the regions below @from, a node of the parent's tree, to *@link below @above: the same
 * addresses make a tree of the same shape. Recursion goes as deep as the tree is high.
 */
static int copy_tree(struct tlb_batch *b, struct addr_space *child, const struct rb_node *from,
		     struct rb_node *above, struct rb_node **link)
{
	struct region *r;
	int err = 0;

	if (!from)
		return 0;
	r = region_copy(to_region((struct rb_node *)from));
	if (!r)
		return -ENOMEM;
	r->as = child;
	r->flags &= ~(REGION_LOCKED | REGION_ONFAULT);
	r->node = (struct rb_node){ .parent = above, .red = from->red, .linked = true };
	*link = &r->node;
	rmap_add(r);
	if (!(r->flags & (REGION_WIPE | REGION_NOFORK)))
		err = copy_pages(b, child, r);
	if (!err)
		err = copy_tree(b, child, from->left, &r->node, &r->node.left);
	if (!err)
		err = copy_tree(b, child, from->right, &r->node, &r->node.right);
	return err;
}

static int copy_regions(struct tlb_batch *b, struct addr_space *child)
{
	struct rb_tree *tree = &child->regions;
	int err = copy_tree(b, child, b->as->regions.root, NULL, &tree->root);

	for (tree->first = tree->root; tree->first && tree->first->left;)
		tree->first = tree->first->left;
	child->nr_regions = b->as->nr_regions;
	child->total_pages = child->peak_pages = b->as->total_pages;
	return err;
}

/* Removes the regions that a child must not have: copy_tree() has copied the whole tree. */
static void drop_unforked(struct addr_space *child, struct region **gone)
{
	struct region *next;

	for (struct region *r = region_first(child); r; r = next) {
		next = region_next(r);
		if (!(r->flags & REGION_NOFORK))
			continue;
		region_remove(child, r);
		r->next = *gone;
		*gone = r;
	}
}

int as_fork(struct addr_space *as, struct addr_space **out)
{
	struct region *gone = NULL;
	struct addr_space *child;
	struct tlb_batch b;
	int err = as_create(&child);

	if (err)
		return err;
	tlb_batch_init(&b, as);
	mutex_lock(&as->lock);
	mutex_lock(&child->lock);	/* inode_unmap() can find its regions from now on */
	child->barriers = atomic_load(&as->barriers);
	child->brk_start = as->brk_start;
	child->brk = as->brk;
	child->stack_top = as->stack_top;
	child->arg_start = as->arg_start;
	child->arg_end = as->arg_end;
	child->env_end = as->env_end;
	child->auxv_start = as->auxv_start;
	child->auxv_end = as->auxv_end;
	err = copy_regions(&b, child);
	if (!err && as->some_unforked)
		drop_unforked(child, &gone);
	/* LAB 07-vm: let both go on, the child only if it is whole */
	tlb_batch_flush(&b);
	mutex_unlock(&child->lock);
	mutex_unlock(&as->lock);
	regions_free(gone);
	if (err)
		as_put(child);
	else
		*out = child;
	/* END LAB */
	return err;
}
