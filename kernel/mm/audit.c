/*
 * Checks of all memory for quiet points in test kernels: PAGE1 to PAGE3 (page.c), SLAB2 and SLAB3
 * (slab.c), REGION1 to REGION3 (region.c), RMAP1 (rmap.c), COW2 (cow.c).
 */
#include "page.h"
#include "slab.h"
#include "space.h"

#include "base/counters.h"
#include "base/panic.h"

/* --- Pages ------------------------------------------------------------------------------------ */

/* PAGE1 and PAGE2 for one free chunk. */
static void check_chunk(const struct page *p, unsigned order)
{
	const struct page *block = (const struct page *)ALIGN_DOWN((u64)p, BLOCK_SIZE);
	u64 i = p - block;
	const struct page *other = &block[i ^ 1UL << order];

	if (p->flags & ~PAGE_POISONED & ~PAGE_FREE || !(p->flags & PAGE_FREE) ||
	    p->order != order || atomic_load(&p->refs) || !IS_ALIGNED(i, 1UL << order))
		panic("free list %u: page %lx has flags %x, order %u, %u references", order,
		      page_to_phys(p), p->flags, p->order, atomic_load(&p->refs));
	if (order < PAGE_MAX_ORDER && other->flags & PAGE_FREE && other->order == order)
		panic("free buddies of order %u at %lx", order, page_to_phys(p));
}

/* PAGE1 to PAGE3. */
static void check_node(unsigned n) HOLDS(buddy.lock)
{
	const struct buddy_node *node = &buddy.nodes[n];
	u64 found = 0;

	for (unsigned order = 0; order <= PAGE_MAX_ORDER; order++)
		list_for_each(p, &node->free[order], struct page, node) {
			check_chunk(p, order);
			if (page_node(p) != n)
				panic("page %lx is in node %u's list", page_to_phys(p), n);
			found += 1UL << order;
		}
	if (found + node->out + node->unadded != node->total)
		panic("node %u: %lu pages in free lists, %lu out, %lu not added, but %lu in all", n,
		      found, node->out, node->unadded, node->total);
}

/* --- Slabs ------------------------------------------------------------------------------------ */

/* SLAB2 and SLAB3. Returns how many objects are out of the slabs. */
static u64 cache_check(struct kmem_cache *c)
{
	unsigned nr = 0, empty = 0, used = 0;

	spin_lock(&c->lock);
	list_for_each(s, &c->slabs, struct slab, node) {
		unsigned free = 0;

		for (void **o = s->free; o; o = *o)
			free++;
		if (s->used >= c->per_slab || s->used + free != c->per_slab)
			panic("cache %s: slab %p has %u used and %u free of %u", c->name, (void *)s,
			      s->used, free, c->per_slab);
		nr++;
		empty += s->used == 0;
		used += s->used;
	}
	if (empty != c->nr_empty || empty > 1 || nr > c->nr_slabs)
		panic("cache %s: %u of %u slabs listed, %u empty, counted %u", c->name, nr,
		      c->nr_slabs, empty, c->nr_empty);
	used += (c->nr_slabs - nr) * c->per_slab;
	spin_unlock(&c->lock);
	return used;
}

void mm_check(void)
{
	u64 used = 0;

	list_for_each(c, &slab_caches, struct kmem_cache, node)
		used += cache_check(c);
	if (used != (u64)counter_read(COUNT_SLAB_OBJECTS))
		panic("slabs: %lu objects are out, but %ld were counted", used,
		      counter_read(COUNT_SLAB_OBJECTS));
	spin_lock(&buddy.lock);
	for (unsigned n = 0; n < nr_nodes; n++)
		check_node(n);
	spin_unlock(&buddy.lock);
}

/* --- Address spaces --------------------------------------------------------------------------- */

/* COW2: an entry grants no more than its region and the other owners of its page allow. */
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

/* REGION3, RMAP1. */
static void check_links(struct region *r)
{
	struct region old = *r;

	region_update(&r->node);
	if (old.low != r->low || old.high != r->high || old.gap != r->gap)
		panic("region %lx: its tree says %lx to %lx with a gap of %lx, not %lx to %lx, %lx",
		      r->start, old.low, old.high, old.gap, r->low, r->high, r->gap);
	if (r->inode && !list_linked(&r->mapping))
		panic("region %lx is not in its file's list", r->start);
}

/* REGION1, REGION2, and that every page mapped is in a region, and counted. */
void as_check(struct addr_space *as)
{
	unsigned nr = 0;
	struct pt_iter all = { .root = as->root, .end = ARCH_USER_END };
	u64 resident = 0, total = 0, locked = 0, in_space = 0;
	vaddr_t last = MMAP_MIN;

	mutex_lock(&as->lock);
	for (struct region *r = region_first(as); r; r = region_next(r)) {
		struct pt_iter i = { .root = as->root, .va = r->start, .end = r->end };
		u64 pages = (r->end - r->start) / PAGE_SIZE;

		if (r->start < last || r->start >= r->end || r->end > ARCH_USER_END ||
		    !IS_ALIGNED(r->start | r->end, PAGE_SIZE))
			panic("region %lx to %lx behind %lx", r->start, r->end, last);
		check_links(r);
		last = r->end;
		nr++;
		total += pages;
		locked += r->flags & REGION_LOCKED ? pages : 0;
		for (; pt_next(&i); resident++)
			check_entry(r, i.va, *i.e);
	}
	while (pt_next(&all))
		in_space++;
	/* REGION2 */
	if (nr != as->nr_regions || total != as->total_pages || locked != as->locked_pages)
		panic("space: %u regions, counted %u; %lu pages, counted %lu; %lu locked, "
		      "counted %lu",
		      nr, as->nr_regions, total, as->total_pages, locked, as->locked_pages);
	if (resident != as->resident || in_space != resident)
		panic("space: %lu pages mapped in regions, %lu in all, counted %lu", resident,
		      in_space, as->resident);
	mutex_unlock(&as->lock);
}
