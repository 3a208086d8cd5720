/*
 * Mapping and unmapping: where a region goes, whether it may, and what it replaces.
 *
 * Each call first checks everything and allocates what it needs; the rest cannot fail, so an error
 * means that nothing has changed. Removed regions are freed after as->lock is released: the last
 * reference to a file may go with one, and its file system then takes locks of its own.
 *
 * Ranges are checked as they come from user space: both ends, after rounding, without wrapping.
 */
#include "space.h"

#include "errno.h"
#include "fs/vfs.h"
#include "process/process.h"
#include "sched/cpu.h"

int as_range(vaddr_t addr, u64 size, vaddr_t *end)
{
	if (size == 0 || !IS_ALIGNED(addr, PAGE_SIZE) || !user_range_ok(addr, size))
		return -EINVAL;
	*end = ALIGN_UP(addr + size, PAGE_SIZE);	/* user space ends at a page: no wrap */
	return 0;
}

bool as_over_limit(const struct addr_space *as, u64 more)
{
	u64 pages = current_process()->limits[RLIMIT_AS].cur / PAGE_SIZE;

	return as->total_pages > pages || more > pages - as->total_pages;
}

bool as_over_map_count(const struct addr_space *as, unsigned more)
{
	return as->nr_regions + more > atomic_load_explicit(&max_map_count, memory_order_relaxed);
}

/* Whether it is data, as RLIMIT_DATA counts it: private and writable, but no stack. */
static bool is_data(unsigned prot, unsigned flags)
{
	return prot & VM_WRITE && !(flags & (REGION_SHARED | REGION_STACK));
}

static u64 data_pages(const struct addr_space *as)
{
	u64 bytes = 0;

	for (struct region *r = region_first(as); r; r = region_next(r))
		if (is_data(r->prot, r->flags))
			bytes += r->end - r->start;
	return bytes / PAGE_SIZE;
}

int as_may_be_data(const struct addr_space *as, u64 more, unsigned prot, unsigned flags)
{
	u64 limit = current_process()->limits[RLIMIT_DATA].cur;

	if (!is_data(prot, flags))
		return 0;
	if (limit != RLIM_INFINITY && data_pages(as) + more > limit / PAGE_SIZE)
		return -ENOMEM;
	return !(flags & REGION_NORESERVE) && more > page_total() ? -ENOMEM : 0;
}

int as_may_add(const struct addr_space *as, u64 more, unsigned prot, unsigned flags)
{
	return as_over_limit(as, more) ? -ENOMEM : as_may_be_data(as, more, prot, flags);
}

int as_clear(struct addr_space *as, vaddr_t start, vaddr_t end, struct region **gone)
{
	int err = region_isolate(as, start, end);
	struct region *r, *next;
	struct tlb_batch b;

	if (err)
		return err;
	tlb_batch_init(&b, as);
	for (r = region_above(as, start); r && r->start < end; r = next) {
		struct region *prev = region_prev(r);

		next = region_next(r);
		zap_pages(&b, r->start, r->end);
		region_remove(as, r);
		zap_tables(&b, r->start, r->end, prev ? prev->end : 0,
			   next ? next->start : NO_CEILING);
		r->next = *gone;
		*gone = r;
	}
	tlb_batch_flush(&b);
	return 0;
}

/* Drops the tree as a whole: nothing searches it any more. */
void as_clear_all(struct addr_space *as, struct region **gone)
{
	vaddr_t floor = 0;
	struct tlb_batch b;

	tlb_batch_init(&b, as);
	for (struct region *r = region_first(as), *next; r; r = next) {
		next = region_next(r);
		zap_pages(&b, r->start, r->end);
		zap_tables(&b, r->start, r->end, floor, next ? next->start : NO_CEILING);
		rmap_remove(r);
		r->next = *gone;
		*gone = r;
	}
	as->regions = (struct rb_tree){ .root = NULL };
	as->nr_regions = 0;
	as->total_pages = as->locked_pages = 0;
	tlb_batch_flush(&b);
}

static int check_request(const struct map_request *req)
{
	vaddr_t end;
	int err;

	if (req->size == 0 || req->offset < 0 || !IS_ALIGNED(req->offset, PAGE_SIZE))
		return -EINVAL;
	if (req->size > ARCH_USER_END)
		return -ENOMEM;
	if ((u64)req->offset + req->size > S64_MAX)
		return -EOVERFLOW;
	if (req->inode && (!req->inode->ops || !req->inode->ops->get_page))
		return -ENODEV;
	if (!req->fixed)
		return 0;
	err = as_range(req->addr, req->size, &end);
	if (err == -EINVAL && IS_ALIGNED(req->addr, PAGE_SIZE))
		return -ENOMEM;		/* as on Linux, beyond user space */
	return err ? err : req->addr < MMAP_MIN ? -EPERM : 0;
}

/* Chooses where @r goes and checks all limits. */
static int place(const struct addr_space *as, const struct map_request *req, struct region *r)
{
	u64 replaced, pages, size = r->end - r->start;

	if (!req->fixed) {
		r->start = region_gap(as, req->addr, size);
		r->end = r->start + size;
		if (!r->start)
			return -ENOMEM;
	}
	if (as_over_map_count(as, 0))
		return -ENOMEM;
	pages = size / PAGE_SIZE;
	replaced = region_mapped_pages(as, r->start, r->end);
	if (replaced && req->noreplace)
		return -EEXIST;
	if (r->flags & REGION_LOCKED && as_over_lock_limit(as, pages))
		return -EAGAIN;
	if (as_over_limit(as, pages - replaced))
		return -ENOMEM;
	return as_may_be_data(as, pages, r->prot, r->flags);
}

int as_map(struct addr_space *as, const struct map_request *req, vaddr_t *out)
{
	struct region from = {
		.start = req->addr,
		.end = req->addr + ALIGN_UP(req->size, PAGE_SIZE),
		.prot = region_prot(req->prot),
		.flags = req->flags,
		.as = as,
		.inode = req->inode,
		.offset = req->offset,
		.file_size = req->inode ? MIN(req->file_size, ALIGN_UP(req->size, PAGE_SIZE)) : 0,
	};
	struct region *r, *gone = NULL;
	int err = check_request(req);

	if (err)
		return err;
	r = region_copy(&from);
	if (!r)
		return -ENOMEM;
	mutex_lock(&as->lock);
	r->flags |= as->future_flags;
	err = place(as, req, r);
	if (!err)
		err = as_clear(as, r->start, r->end, &gone);
	if (!err) {
		*out = r->start;
		region_insert(as, r);
	}
	mutex_unlock(&as->lock);
	if (err)
		region_free(r);
	regions_free(gone);
	return err;
}

int as_unmap(struct addr_space *as, vaddr_t addr, u64 size)
{
	struct region *gone = NULL;
	vaddr_t end;
	int err = as_range(addr, size, &end);

	if (err)
		return err;
	mutex_lock(&as->lock);
	err = as_clear(as, addr, end, &gone);
	mutex_unlock(&as->lock);
	regions_free(gone);
	return err;
}
