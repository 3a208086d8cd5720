/*
 * The regions of an address space: a tree ordered by address, and cutting and joining its members.
 *
 *  R1  Regions do not overlap, are not empty, and lie within user space, at whole pages.
 *  R2  as->total_pages is the sum of their sizes.
 *  R3  Neighbours that are alike are one region, except for a moment within one call: memory that
 *      is mapped piece by piece does not leave a region for each piece.
 *
 * Cutting and joining change no page and no right. as->lock guards all of it.
 */
#include "space.h"

#include "counters.h"
#include "errno.h"
#include "panic.h"
#include "vfs.h"

static struct kmem_cache *region_cache;

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
		inode_get(r->inode);
	counter_add(COUNT_REGIONS, 1);
	return r;
}

void region_free(struct region *r)
{
	if (r->inode)
		inode_put(r->inode);
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

void region_link(struct addr_space *as, struct region *r)
{
	assert(r->start < r->end && r->end <= ARCH_USER_END);
	rb_insert(&as->regions, &r->node, region_less);
	as->total_pages += region_size(r) / PAGE_SIZE;
}

void region_remove(struct addr_space *as, struct region *r)
{
	rb_remove(&as->regions, &r->node);
	as->total_pages -= region_size(r) / PAGE_SIZE;
}

void region_insert(struct addr_space *as, struct region *r)
{
	vaddr_t end = r->end;

	region_link(as, r);
	region_merge_at(as, r->start);
	region_merge_at(as, end);
}

/* Does @b, which begins where @a ends, continue it? */
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
	as->total_pages += region_size(b) / PAGE_SIZE;
	a->end = b->end;
	a->file_size += b->file_size;
	region_free(b);		/* not the last reference to the file: @a has one */
}

/* Makes a region end at @va, if it falls inside one. */
static int region_split(struct addr_space *as, vaddr_t va)
{
	struct region *r = region_find(as, va), *rest;
	u64 head;

	if (!r || r->start == va)
		return 0;
	rest = region_copy(r);
	if (!rest)
		return -ENOMEM;
	head = va - r->start;
	rest->start = va;
	rest->offset += head;
	rest->file_size -= MIN(rest->file_size, head);
	as->total_pages -= region_size(rest) / PAGE_SIZE;
	r->end = va;
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
