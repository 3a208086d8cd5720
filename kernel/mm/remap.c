/*
 * Growing, shrinking and moving what is mapped: brk and mremap.
 */
#include "space.h"

#include "cpu.h"
#include "errno.h"
#include "process.h"

/* Nothing is mapped in [start, end), and the limits allow it. */
static bool may_grow(const struct addr_space *as, vaddr_t start, vaddr_t end)
{
	return end <= ARCH_USER_END && region_none_in(as, start, end) &&
	       !as_over_limit(as, (end - start) / PAGE_SIZE);
}

/* --- brk -------------------------------------------------------------------------------------- */

static bool heap_grow(struct addr_space *as, vaddr_t start, vaddr_t end)
{
	struct region more = {
		.start = start,
		.end = end,
		.prot = VM_READ | VM_WRITE,
		.flags = REGION_HEAP,
		.as = as,
	};
	struct region *r;

	if (end - as->brk_start > current_process()->limits[RLIMIT_DATA].cur ||
	    !may_grow(as, start, end))
		return false;
	r = region_copy(&more);
	if (!r)
		return false;
	region_insert(as, r);
	return true;
}

vaddr_t as_brk(struct addr_space *as, vaddr_t brk)
{
	struct region *gone = NULL;
	bool ok = true;

	mutex_lock(&as->lock);
	if (brk >= as->brk_start && brk <= ARCH_USER_END) {
		vaddr_t old = ALIGN_UP(as->brk, PAGE_SIZE), new = ALIGN_UP(brk, PAGE_SIZE);

		if (new > old)
			ok = heap_grow(as, old, new);
		else if (new < old)
			ok = as_clear(as, new, old, &gone) == 0;
		if (ok)
			as->brk = brk;
	}
	brk = as->brk;
	mutex_unlock(&as->lock);
	regions_free(gone);
	return brk;
}

/* --- mremap ----------------------------------------------------------------------------------- */

/* Backing that lasted to the region's end lasts to the new end. */
static void resize(struct addr_space *as, struct region *r, vaddr_t end)
{
	if (r->inode && r->file_size == r->end - r->start)
		r->file_size = end - r->start;
	region_resize(as, r, r->start, end);
}

/* Tables at @to for every page there is in [start, end). */
static bool make_tables(struct addr_space *as, vaddr_t start, vaddr_t end, vaddr_t to)
{
	struct pt_iter i = { .root = as->root, .va = start, .end = end };

	while (pt_next(&i))
		if (!pt_walk(as->root, to + (i.va - start), true))
			return false;
	return true;
}

/* Both places name the page for a moment, to other threads: it is the same page. */
static void move_pages(struct addr_space *as, vaddr_t start, vaddr_t end, vaddr_t to)
{
	struct pt_iter i = { .root = as->root, .va = start, .end = end };

	while (pt_next(&i)) {
		pte_set(pt_walk(as->root, to + (i.va - start), false), *i.e);
		pte_set(i.e, 0);
	}
	tlb_flush_range(as, start, end);
}

/*
 * Moves [start, end), part of a region, to a place with room for @size bytes. The new place is
 * mapped first, with tables; of the two places the one that loses is then cleared.
 */
static int move(struct addr_space *as, vaddr_t start, vaddr_t end, u64 size, vaddr_t *out,
		struct region **gone)
{
	vaddr_t to = region_gap(as, size);
	int err = to ? region_isolate(as, start, end) : -ENOMEM;
	struct region *r;

	if (err)
		return err;
	r = region_copy(region_find(as, start));
	if (!r) {
		err = -ENOMEM;
		goto out_merge;
	}
	r->start = to;
	r->end = to + (end - start);
	region_link(as, r);
	resize(as, r, to + size);
	if (make_tables(as, start, end, to)) {
		move_pages(as, start, end, to);
		as_clear(as, start, end, gone);		/* cannot fail: both ends are region ends */
		region_merge_at(as, to);
		region_merge_at(as, to + size);
		*out = to;
		return 0;
	}
	err = -ENOMEM;
	as_clear(as, to, to + size, gone);
out_merge:
	region_merge_at(as, start);
	region_merge_at(as, end);
	return err;
}

static int grow(struct addr_space *as, vaddr_t start, vaddr_t end, u64 size, bool may_move,
		vaddr_t *out, struct region **gone)
{
	struct region *r = region_find(as, start);

	if (as_over_limit(as, (size - (end - start)) / PAGE_SIZE))
		return -ENOMEM;
	if (r->end == end && size <= ARCH_USER_END - start && may_grow(as, end, start + size)) {
		resize(as, r, start + size);
		region_merge_at(as, start + size);
		*out = start;
		return 0;
	}
	return may_move ? move(as, start, end, size, out, gone) : -ENOMEM;
}

int as_remap(struct addr_space *as, vaddr_t old, u64 old_size, u64 new_size, bool may_move,
	     vaddr_t *out)
{
	struct region *r, *gone = NULL;
	vaddr_t end;
	int err = as_range(old, old_size, &end);

	if (err || new_size == 0)
		return -EINVAL;
	if (new_size > ARCH_USER_END)
		return -ENOMEM;
	new_size = ALIGN_UP(new_size, PAGE_SIZE);
	mutex_lock(&as->lock);
	r = region_find(as, old);
	*out = old;
	if (!r || r->end < end)
		err = -EFAULT;
	else if (new_size > end - old)
		err = grow(as, old, end, new_size, may_move, out, &gone);
	else if (new_size < end - old)
		err = as_clear(as, old + new_size, end, &gone);
	mutex_unlock(&as->lock);
	regions_free(gone);
	return err;
}
