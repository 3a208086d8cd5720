/*
 * madvise(), a program's advice about its memory, and mincore(), which of its pages are present.
 *
 * Advice that only a kernel with swap, huge pages or page migration could follow is checked, and
 * then the call succeeds.
 */
#include "space.h"

#include "errno.h"
#include "fs/vfs.h"

/* --- Advice about [start, end), a part of one region ------------------------------------------ */

static bool is_anonymous(const struct region *r)
{
	return !r->inode && !(r->flags & REGION_SHARED);
}

static int forget(struct tlb_batch *b, struct region *r, vaddr_t start, vaddr_t end, int advice)
{
	if (r->flags & REGION_LOCKED && advice != MADV_DONTNEED_LOCKED)
		return -EINVAL;
	if (advice == MADV_FREE && !is_anonymous(r))
		return -EINVAL;
	zap_pages(b, start, end);
	return 0;
}

/* Checks that @advice, which changes no page now, may be given about @r. */
static int check_advice(const struct region *r, int advice)
{
	switch (advice) {
	case MADV_COLD:
	case MADV_PAGEOUT:
		return r->flags & REGION_LOCKED ? -EINVAL : 0;
	case MADV_WIPEONFORK:
		return is_anonymous(r) ? 0 : -EINVAL;
	default:
		return 0;
	}
}

struct flag_advice {
	unsigned mask, set;
};

/* Returns which flags of a region remember @advice; mask 0 if none does. */
static struct flag_advice flag_advice(int advice)
{
	switch (advice) {
	case MADV_DONTFORK:
		return (struct flag_advice){ REGION_NOFORK, REGION_NOFORK };
	case MADV_DOFORK:
		return (struct flag_advice){ REGION_NOFORK, 0 };
	case MADV_WIPEONFORK:
		return (struct flag_advice){ REGION_WIPE, REGION_WIPE };
	case MADV_KEEPONFORK:
		return (struct flag_advice){ REGION_WIPE, 0 };
	default:
		return (struct flag_advice){ 0, 0 };
	}
}

/* --- A range ---------------------------------------------------------------------------------- */

/* Applies @advice region by region, up to the first that refuses it. */
static int advise_regions(struct addr_space *as, vaddr_t start, vaddr_t end, int advice)
	HOLDS(as->lock)
{
	bool forgets = advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED ||
		       advice == MADV_FREE;
	struct flag_advice flags = flag_advice(advice);
	struct tlb_batch b;
	int err = 0;

	tlb_batch_init(&b, as);
	while (start < end && !err) {
		struct region *r = region_above(as, start);
		vaddr_t next;

		if (!r || r->start >= end)
			break;
		start = MAX(r->start, start);
		next = MIN(r->end, end);
		err = forgets ? forget(&b, r, start, next, advice) : check_advice(r, advice);
		if (!err && flags.mask)
			err = region_set_flags(as, start, next, flags.mask, flags.set);
		start = next;
	}
	tlb_batch_flush(&b);
	return err;
}

int as_advise(struct addr_space *as, vaddr_t start, vaddr_t end, int advice)
{
	int err;

	mutex_lock(&as->lock);
	as->some_unforked |= advice == MADV_DONTFORK;
	err = advise_regions(as, start, end, advice);
	if (!err && region_mapped_pages(as, start, end) != (end - start) / PAGE_SIZE)
		err = -ENOMEM;		/* as on Linux, the mapped parts have been advised */
	mutex_unlock(&as->lock);
	return err;
}

int as_removable(struct addr_space *as, vaddr_t start, vaddr_t end, struct inode **inode,
		 off_t *pos, u64 *n)
{
	struct region *r;
	int err = 0;

	mutex_lock(&as->lock);
	r = region_find(as, start);
	if (!r) {
		err = -ENOMEM;
	} else if (!r->inode || r->flags & REGION_LOCKED) {
		err = -EINVAL;
	} else if (!(r->flags & REGION_SHARED) || r->flags & REGION_NOWRITE) {
		err = -EACCES;
	} else {
		*inode = r->inode->backing->get(r->inode);
		*pos = r->offset + (off_t)(start - r->start);
		*n = MIN(end, r->end) - start;
	}
	mutex_unlock(&as->lock);
	return err;
}

int as_check_sync(struct addr_space *as, vaddr_t start, vaddr_t end, bool drop)
{
	int err = 0;

	mutex_lock(&as->lock);
	if (region_mapped_pages(as, start, end) != (end - start) / PAGE_SIZE)
		err = -ENOMEM;
	for (struct region *r = region_above(as, start); r && r->start < end; r = region_next(r))
		if (drop && r->flags & REGION_LOCKED)
			err = -EBUSY;
	mutex_unlock(&as->lock);
	return err;
}

/* --- Which pages are in memory ---------------------------------------------------------------- */

static bool is_in_core(struct addr_space *as, struct region *r, vaddr_t va)
{
	u64 offset = va - r->start;
	pte_t *e = pt_walk(as->root, va, false);
	struct page *p = NULL;

	if (e && *e)
		return true;
	if (!r->inode || offset >= r->file_size ||
	    r->inode->ops->get_page(r->inode, (r->offset + offset) / PAGE_SIZE, false, &p) || !p)
		return false;
	page_put(p);
	return true;
}

int as_in_core(struct addr_space *as, vaddr_t start, unsigned n, u8 *out)
{
	struct region *r = NULL;
	int err = 0;

	mutex_lock(&as->lock);
	for (unsigned i = 0; i < n && !err; i++) {
		vaddr_t va = start + i * PAGE_SIZE;

		if (!r || va >= r->end)
			r = region_find(as, va);
		if (r)
			out[i] = is_in_core(as, r, va);
		else
			err = -ENOMEM;
	}
	mutex_unlock(&as->lock);
	return err;
}
