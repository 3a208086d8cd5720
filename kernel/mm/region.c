/*
 * The regions of an address space: a tree ordered by address; splitting and merging regions.
 *
 *  REGION1  Regions do not overlap, are not empty, and lie within user space, at whole pages.
 *  REGION2  as->total_pages is the sum of their sizes in pages, locked_pages that of the regions
 *           with REGION_LOCKED.
 *  REGION3  r->low, high and gap describe the subtree of r's node, so that region_gap() finds a
 *           place in O(log n). Only region_resize() moves the start or end of a region in the tree.
 *  REGION4  Neighbours that are alike are merged before a call returns: memory that is mapped piece
 *           by piece does not become a region for each piece.
 *
 * Splitting and merging change no page and no right. as->lock guards everything here. A region that
 * a file backs is also in the file's list of mappings (rmap.c) while it is in the tree.
 */
#include "space.h"

#include "base/counters.h"
#include "base/panic.h"
#include "errno.h"
#include "fs/vfs.h"

static struct kmem_cache *region_cache;

_Atomic unsigned max_map_count = MAX_MAP_COUNT;

void region_init(void)
{
	region_cache = kmem_cache_create("region", sizeof(struct region), 0);
}

static u64 region_size(const struct region *r)
{
	return r->end - r->start;
}

static bool region_less(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct region, node)->start <
	       container_of(b, struct region, node)->start;
}

/* REGION3. */
void region_update(struct rb_node *n)
{
	struct region *r = to_region(n), *left = to_region(n->left), *right = to_region(n->right);

	r->low = r->start;
	r->high = r->end;
	r->gap = 0;
	if (left) {
		r->low = left->low;
		r->gap = MAX(left->gap, r->start - left->high);
	}
	if (right) {
		r->high = right->high;
		r->gap = MAX(r->gap, MAX(right->gap, right->low - r->end));
	}
}

/*
 * Returns the end of the highest gap of @size bytes in [low, high), 0 if there is none. Of all
 * regions only those of the subtree @n lie there. r->gap counts gaps above @high too and may
 * promise what is not there, but only along one path down.
 */
static vaddr_t highest_gap(const struct rb_node *n, vaddr_t low, vaddr_t high, u64 size)
{
	const struct region *r = to_region((struct rb_node *)n);
	vaddr_t end;

	if (high < low || high - low < size)
		return 0;
	if (!n)
		return high;
	if (r->gap < size && r->low - low < size && (high <= r->high || high - r->high < size))
		return 0;
	end = highest_gap(n->right, r->end, high, size);
	return end ? end : highest_gap(n->left, low, MIN(high, r->start), size);
}

vaddr_t region_gap(const struct addr_space *as, vaddr_t wish, u64 size)
{
	vaddr_t addr = ALIGN_UP(MIN(wish, ARCH_USER_END), PAGE_SIZE), end;

	if (addr >= MMAP_MIN && user_range_ok(addr, size) && region_none_in(as, addr, addr + size))
		return addr;
	end = highest_gap(as->regions.root, MMAP_MIN, as->mmap_top, size);
	return end ? end - size : 0;
}

bool region_none_in(const struct addr_space *as, vaddr_t start, vaddr_t end)
{
	const struct region *r = region_above(as, start);

	return !r || r->start >= end;
}

struct region *region_above(const struct addr_space *as, vaddr_t va)
{
	struct rb_node *n = as->regions.root;
	struct region *best = NULL;

	while (n) {
		struct region *r = to_region(n);

		if (r->end > va) {
			best = r;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

struct region *region_find(const struct addr_space *as, vaddr_t va)
{
	struct region *r = region_above(as, va);

	return r && r->start <= va ? r : NULL;
}

struct region *region_copy(const struct region *from)
{
	struct region *r = kmem_cache_alloc(region_cache);

	if (!r)
		return NULL;
	*r = *from;
	r->node = (struct rb_node){ 0 };
	r->next = NULL;
	if (r->inode)
		r->inode->backing->get(r->inode);
	counter_add(COUNT_REGIONS, 1);
	return r;
}

void region_free(struct region *r)
{
	if (r->inode)
		r->inode->backing->put(r->inode);
	counter_add(COUNT_REGIONS, -1);
	kmem_cache_free(region_cache, r);
}

void regions_free(struct region *gone)
{
	while (gone) {
		struct region *next = gone->next;

		region_free(gone);
		gone = next;
	}
}

/* Counts that @r has grown by @bytes, which may be negative. REGION2. */
static void count_size(struct addr_space *as, const struct region *r, u64 bytes)
{
	s64 pages = (s64)bytes / (s64)PAGE_SIZE;

	as->total_pages += pages;
	as->peak_pages = MAX(as->peak_pages, as->total_pages);
	if (r->flags & REGION_LOCKED)
		as->locked_pages += pages;
}

void region_link(struct addr_space *as, struct region *r)
{
	assert(r->start < r->end && r->end <= ARCH_USER_END);
	assert(r->as == as);
	rb_insert(&as->regions, &r->node, region_less);
	as->nr_regions++;
	count_size(as, r, region_size(r));
	rmap_add(r);
}

void region_remove(struct addr_space *as, struct region *r)
{
	rmap_remove(r);
	rb_remove(&as->regions, &r->node);
	as->nr_regions--;
	count_size(as, r, -region_size(r));
}

void region_resize(struct addr_space *as, struct region *r, vaddr_t start, vaddr_t end)
{
	count_size(as, r, end - start - region_size(r));
	r->start = start;
	r->end = end;
	rb_updated(&as->regions, &r->node);
}

void region_insert(struct addr_space *as, struct region *r)
{
	vaddr_t end = r->end;

	region_link(as, r);
	region_merge_at(as, r->start);
	region_merge_at(as, end);
}

/* Whether @b, which begins where @a ends, can be merged into it. */
static bool continues(const struct region *a, const struct region *b)
{
	if (a->prot != b->prot || a->flags != b->flags || a->inode != b->inode)
		return false;
	if (!a->inode)
		return true;
	return (u64)a->offset + region_size(a) == (u64)b->offset &&
	       (a->file_size == region_size(a) || b->file_size == 0);
}

void region_merge_at(struct addr_space *as, vaddr_t va)
{
	struct region *b = region_find(as, va);
	struct region *a = b && b->start == va ? region_prev(b) : NULL;

	if (!a || a->end != va || !continues(a, b))
		return;
	region_remove(as, b);
	region_resize(as, a, a->start, b->end);
	a->file_size += b->file_size;
	rmap_renew(a);
	region_free(b);		/* not the last reference to the file: @a has one */
}

/* Splits the region that @va falls inside of, if there is one. */
static int region_split(struct addr_space *as, vaddr_t va)
{
	struct region *r = region_find(as, va), *rest;
	u64 head;

	if (!r || r->start == va)
		return 0;
	if (as_over_map_count(as, 1))
		return -ENOMEM;
	rest = region_copy(r);
	if (!rest)
		return -ENOMEM;
	head = va - r->start;
	rest->start = va;
	rest->offset += head;
	rest->file_size -= MIN(rest->file_size, head);
	region_resize(as, r, r->start, va);
	r->file_size -= rest->file_size;
	region_link(as, rest);
	return 0;
}

int region_isolate(struct addr_space *as, vaddr_t start, vaddr_t end)
{
	int err = region_split(as, start);

	if (err)
		return err;
	err = region_split(as, end);
	if (err)
		region_merge_at(as, start);
	return err;
}

u64 region_mapped_pages(const struct addr_space *as, vaddr_t start, vaddr_t end)
{
	u64 bytes = 0;

	for (struct region *r = region_above(as, start); r && r->start < end; r = region_next(r))
		bytes += MIN(r->end, end) - MAX(r->start, start);
	return bytes / PAGE_SIZE;
}

vaddr_t region_run_end(const struct addr_space *as, vaddr_t start, vaddr_t end)
{
	for (struct region *r = region_find(as, start); r && r->start <= start && start < end;
	     r = region_next(r))
		start = r->end;
	return MIN(start, end);
}

/* Called after a loop over regions: merging inside it would free the region it stands on. */
void region_merge_range(struct addr_space *as, vaddr_t start, vaddr_t end)
{
	struct region *r = region_above(as, start);

	while (r && r->start <= end) {
		vaddr_t at = r->start;

		region_merge_at(as, at);
		r = region_next(region_find(as, at));	/* of the one that now holds it */
	}
}

int region_set_flags(struct addr_space *as, vaddr_t start, vaddr_t end, unsigned mask,
		     unsigned set)
{
	int err = region_isolate(as, start, end);

	if (err)
		return err;
	for (struct region *r = region_above(as, start); r && r->start < end; r = region_next(r)) {
		u64 pages = region_size(r) / PAGE_SIZE;

		as->locked_pages -= r->flags & REGION_LOCKED ? pages : 0;
		r->flags = (r->flags & ~mask) | set;
		as->locked_pages += r->flags & REGION_LOCKED ? pages : 0;
	}
	region_merge_range(as, start, end);
	return 0;
}
