/*
 * Locked memory, and making pages present before they are touched.
 *
 * The kernel never swaps, so a locked page stays in memory as every other page does. mlock() does
 * only what a program can observe: the pages are present when the call returns, RLIMIT_MEMLOCK
 * bounds them, and calls that would drop them (MADV_DONTNEED, MS_INVALIDATE) fail.
 */
#include "space.h"

#include "errno.h"
#include "process/cred.h"
#include "process/process.h"
#include "sched/cpu.h"

#define STEP_PAGES	256	/* then as->lock is released, for others and for a kill */

static u64 memlock_limit(void)
{
	return current_process()->limits[RLIMIT_MEMLOCK].cur / PAGE_SIZE;
}

bool as_may_lock(void)
{
	return capable(CAP_IPC_LOCK) || current_process()->limits[RLIMIT_MEMLOCK].cur;
}

bool as_over_lock_limit(const struct addr_space *as, u64 more)
{
	return as->locked_pages + more > memlock_limit() && !capable(CAP_IPC_LOCK);
}

static u64 locked_in(const struct addr_space *as, vaddr_t start, vaddr_t end)
{
	u64 bytes = 0;

	for (struct region *r = region_above(as, start); r && r->start < end; r = region_next(r))
		if (r->flags & REGION_LOCKED)
			bytes += MIN(r->end, end) - MAX(r->start, start);
	return bytes / PAGE_SIZE;
}

/* As on Linux, a call that fails because of a hole has locked what lies before it. */
int as_lock(struct addr_space *as, vaddr_t start, vaddr_t end, unsigned flags)
{
	u64 pages = (end - start) / PAGE_SIZE;
	vaddr_t mapped;
	int err = -ENOMEM;

	mutex_lock(&as->lock);
	if (!flags || !as_over_lock_limit(as, pages - locked_in(as, start, end))) {
		mapped = region_run_end(as, start, end);
		err = region_set_flags(as, start, mapped, REGION_LOCKED | REGION_ONFAULT, flags);
		if (!err && mapped < end)
			err = -ENOMEM;
	}
	mutex_unlock(&as->lock);
	if (err || !flags)
		return err;
	err = as_populate(as, start, end, false);
	return err == -ENOMEM ? -EAGAIN : err == -EFAULT || err == -EIO ? -ENOMEM : err;
}

int as_lock_all(struct addr_space *as, bool now, unsigned flags, unsigned future)
{
	int err = 0;

	mutex_lock(&as->lock);
	if (now && flags && as->total_pages > memlock_limit() && !capable(CAP_IPC_LOCK))
		err = -ENOMEM;
	if (!err)
		as->future_flags = future;
	if (!err && now)
		err = region_set_flags(as, 0, ARCH_USER_END, REGION_LOCKED | REGION_ONFAULT, flags);
	mutex_unlock(&as->lock);
	if (!err && now && flags)
		as_populate(as, 0, ARCH_USER_END, true);
	return err;
}

/* --- Making pages present --------------------------------------------------------------------- */

/*
 * Makes the first pages of [*va, end) present, at most STEP_PAGES and all of one region, and moves
 * *va behind them. @access 0: for the access that the region allows.
 */
static int populate_some(struct addr_space *as, vaddr_t *va, vaddr_t end, unsigned access)
	HOLDS(as->lock)
{
	struct region *r = region_above(as, *va);
	int err = 0;

	if (!r || r->start >= end) {
		*va = end;
		return access ? -ENOMEM : 0;
	}
	if (access && r->start > *va)
		return -ENOMEM;		/* a hole */
	*va = MAX(*va, r->start);
	end = MIN(MIN(end, r->end), *va + STEP_PAGES * PAGE_SIZE);
	if (access & ~r->prot)
		return -EINVAL;
	if (!access && r->flags & REGION_ONFAULT)
		*va = end;
	if (!access)
		access = r->prot & VM_WRITE && !(r->flags & REGION_SHARED) ? VM_WRITE : VM_READ;
	for (; *va < end && !err; *va += PAGE_SIZE) {
		pte_t *e = pt_walk(as->root, *va, false);

		if (!e || !*e || access & ~pte_prot(*e))
			err = fault_resolve(as, *va, access);
	}
	return err;
}

static int populate(struct addr_space *as, vaddr_t start, vaddr_t end, unsigned access,
		    bool past_errors)
{
	int err = 0;

	while (start < end && !err) {
		if (thread_is_dying(current_thread()))
			return -EINTR;
		mutex_lock(&as->lock);
		err = populate_some(as, &start, end, access);
		if (err && past_errors) {
			struct region *r = region_above(as, start - PAGE_SIZE);

			start = r ? r->end : end;
			err = 0;
		}
		mutex_unlock(&as->lock);
	}
	return err;
}

int as_populate(struct addr_space *as, vaddr_t start, vaddr_t end, bool past_errors)
{
	return populate(as, start, end, 0, past_errors);
}

int as_populate_for(struct addr_space *as, vaddr_t start, vaddr_t end, unsigned access)
{
	int err = populate(as, start, end, access, false);

	return err == -EIO ? -EFAULT : err;
}
