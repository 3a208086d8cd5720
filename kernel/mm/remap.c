/*
 * Growing, shrinking and moving what is mapped: brk, mremap and remap_file_pages.
 */
#include "space.h"

#include "errno.h"
#include "fs/vfs.h"
#include "process/process.h"
#include "sched/cpu.h"

/* --- brk -------------------------------------------------------------------------------------- */

static bool heap_grow(struct addr_space *as, vaddr_t start, vaddr_t end)
{
	struct region more = {
		.start = start,
		.end = end,
		.prot = VM_READ | VM_WRITE,
		.flags = REGION_HEAP | as->future_flags,
		.as = as,
	};
	struct region *r;

	if (end - as->brk_start > current_process()->limits[RLIMIT_DATA].cur ||
	    end > ARCH_USER_END || !region_none_in(as, start, end) ||
	    as_may_add(as, (end - start) / PAGE_SIZE, more.prot, more.flags))
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
	vaddr_t old, new = 0;

	mutex_lock(&as->lock);
	old = ALIGN_UP(as->brk, PAGE_SIZE);
	if (brk >= as->brk_start && brk <= ARCH_USER_END) {
		bool ok = true;

		new = ALIGN_UP(brk, PAGE_SIZE);
		if (new > old)
			ok = heap_grow(as, old, new);
		else if (new < old)
			ok = as_clear(as, new, old, &gone) == 0;
		if (ok)
			as->brk = brk;
		else
			new = 0;
	}
	brk = as->brk;
	mutex_unlock(&as->lock);
	regions_free(gone);
	if (new > old && as->future_flags)
		as_populate(as, old, new, true);
	return brk;
}

/* --- mremap ----------------------------------------------------------------------------------- */

/* A file that backed the region to its end backs it to the new end. */
static void resize(struct addr_space *as, struct region *r, vaddr_t end)
{
	if (r->inode && r->file_size == r->end - r->start)
		r->file_size = end - r->start;
	region_resize(as, r, r->start, end);
}

/* Makes the tables at @to for every page that is present in [start, end). */
static bool make_tables(struct addr_space *as, vaddr_t start, vaddr_t end, vaddr_t to)
{
	struct pt_iter i = { .root = as->root, .va = start, .end = end };

	while (pt_next(&i))
		if (!pt_walk(as->root, to + (i.va - start), true))
			return false;
	return true;
}

/* For a moment other threads reach a page at both places: it is the same page, so no harm. */
static void move_pages(struct addr_space *as, vaddr_t start, vaddr_t end, vaddr_t to)
{
	struct pt_iter i = { .root = as->root, .va = start, .end = end };

	while (pt_next(&i)) {
		pte_set(pt_walk(as->root, to + (i.va - start), false), *i.e);
		pte_set(i.e, 0);
	}
	tlb_flush_range(as, start, end);
}

/* Links a region at @to that maps what [start, end) maps; NULL if memory is short. */
static struct region *copy_region_to(struct addr_space *as, vaddr_t start, vaddr_t end, vaddr_t to)
{
	struct region *from = region_find(as, start), *r = region_copy(from);
	u64 skipped = start - from->start;

	if (!r)
		return NULL;
	r->start = to;
	r->end = to + (end - start);
	r->offset += skipped;
	r->file_size = MIN(from->file_size - MIN(from->file_size, skipped), end - start);
	region_link(as, r);
	return r;
}

/*
 * Moves [m->old, end), part of a region, to @to, where there is room for m->new_size bytes. First
 * the new place is mapped, with its tables. If that fails the new place is cleared; else the old
 * one is, unless it stays mapped but empty (m->keep).
 */
static int move(struct addr_space *as, const struct remap *m, vaddr_t to, vaddr_t end,
		struct region **gone)
{
	vaddr_t start = m->old;
	int err = region_isolate(as, start, end);
	struct region *r;

	if (err)
		return err;
	r = copy_region_to(as, start, end, to);
	if (!r) {
		err = -ENOMEM;
		goto out_merge;
	}
	resize(as, r, to + m->new_size);
	if (!make_tables(as, start, end, to)) {
		err = -ENOMEM;
		as_clear(as, to, to + m->new_size, gone);
		goto out_merge;
	}
	move_pages(as, start, end, to);
	if (m->keep)
		region_set_flags(as, start, end, REGION_LOCKED | REGION_ONFAULT, 0);
	else
		as_clear(as, start, end, gone);		/* cannot fail: both ends are region ends */
	region_merge_at(as, to);
	region_merge_at(as, to + m->new_size);
	return 0;

out_merge:
	region_merge_at(as, start);
	region_merge_at(as, end);
	return err;
}

/* Checks the limits for what is added: [m->old, end) grows, or is mapped twice. */
static int check_growth(const struct addr_space *as, const struct remap *m, const struct region *r,
			vaddr_t end)
{
	u64 more = m->keep ? m->new_size : m->new_size - MIN(m->new_size, end - m->old);

	if (m->new_size > end - m->old && r->flags & REGION_LOCKED &&
	    as_over_lock_limit(as, more / PAGE_SIZE))
		return -EAGAIN;
	if (as_over_map_count(as, 4))
		return -ENOMEM;
	return as_may_add(as, more / PAGE_SIZE, r->prot, r->flags);
}

/* Moves or duplicates to m->to, or to where there is room. */
static int to_new_place(struct addr_space *as, const struct remap *m, vaddr_t end, vaddr_t *out,
			struct region **gone)
{
	struct region *r;
	int err;

	if (m->fixed) {
		err = as_clear(as, m->to, m->to + m->new_size, gone);
		if (err)
			return err;
		*out = m->to;
	} else {
		*out = region_gap(as, m->keep ? m->to : 0, m->new_size);
	}
	if (!*out)
		return -ENOMEM;
	if (m->old < end)
		return move(as, m, *out, end, gone);
	/* An old size of 0 asks for the same shared memory a second time. It may be cleared now. */
	if (!region_find(as, m->old))
		return -EFAULT;
	r = copy_region_to(as, m->old, m->old + m->new_size, *out);
	if (!r)
		return -ENOMEM;
	r->file_size = m->new_size;
	return 0;
}

static int remap(struct addr_space *as, const struct remap *m, vaddr_t *out, struct region **gone)
{
	vaddr_t end = m->old + m->old_size;
	struct region *r = region_find(as, m->old);
	int err;

	*out = m->old;
	if (!r)
		return -EFAULT;
	if (!m->old_size && !(r->flags & REGION_SHARED))
		return -EINVAL;
	if (m->new_size < m->old_size) {
		if (!user_range_ok(m->old, m->old_size))
			return -EINVAL;
		err = as_clear(as, m->old + m->new_size, end, gone);
		if (err || !m->fixed)
			return err;
		end = m->old + m->new_size;
	}
	if (end < m->old || r->end < end)
		return -EFAULT;
	if (m->new_size == end - m->old && !m->fixed && !m->keep)
		return 0;
	err = check_growth(as, m, r, end);
	if (err)
		return err;
	if (!m->fixed && !m->keep && end > m->old && r->end == end &&
	    m->new_size <= ARCH_USER_END - m->old &&
	    region_none_in(as, end, m->old + m->new_size)) {
		resize(as, r, m->old + m->new_size);
		region_merge_at(as, m->old + m->new_size);
		return 0;
	}
	return m->may_move ? to_new_place(as, m, end, out, gone) : -ENOMEM;
}

int as_remap(struct addr_space *as, const struct remap *m, vaddr_t *out)
{
	struct region *gone = NULL;
	bool locked = false;
	int err;

	mutex_lock(&as->lock);
	err = remap(as, m, out, &gone);
	if (!err)
		locked = region_find(as, *out)->flags & REGION_LOCKED;
	mutex_unlock(&as->lock);
	regions_free(gone);
	if (locked && m->new_size > m->old_size)
		as_populate(as, *out, *out + m->new_size, true);
	return err;
}

/* --- remap_file_pages ------------------------------------------------------------------------- */

int as_find_shared(struct addr_space *as, struct map_request *req)
{
	vaddr_t at = req->addr, end = req->addr + req->size;
	struct region *r;

	mutex_lock(&as->lock);
	r = region_find(as, at);
	if (r && r->flags & REGION_SHARED) {
		req->prot = r->prot;
		req->flags = r->flags;
		req->inode = r->inode;
		req->file_size = req->size;
	}
	/* The range may be several regions, if they are of one file, with one access. */
	while (at < end && r && req->inode && r->inode == req->inode && r->prot == req->prot &&
	       r->flags == req->flags) {
		at = r->end;
		r = region_find(as, at);
	}
	if (at < end)
		req->inode = NULL;
	else
		req->inode->backing->get(req->inode);
	mutex_unlock(&as->lock);
	return req->inode ? 0 : -EINVAL;
}
