/*
 * System calls that advise the kernel about memory or ask about it: madvise, mincore, msync, mlock
 * and similar ones. They make Linux's checks in Linux's order; address spaces do the work.
 */
#include "sys.h"

/* --- Advice ----------------------------------------------------------------------------------- */

/* Removes the pages from their files: from then on they read as zeros, for every process. */
static int remove_pages(vaddr_t start, vaddr_t end)
{
	int err = 0;

	while (start < end && !err) {
		struct inode *i SCOPED(inode) = NULL;
		off_t pos;
		u64 n = 0;

		err = as_removable(current_process()->as, start, end, &i, &pos, &n);
		if (err)
			break;
		mutex_lock(&i->lock);
		if (!i->ops->punch)
			err = -EOPNOTSUPP;
		else if (i->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
			err = -EPERM;
		else
			err = i->ops->punch(i, pos, n);
		mutex_unlock(&i->lock);
		start += n;
	}
	return err;
}

long sys_madvise(vaddr_t addr, u64 size, int advice)
{
	vaddr_t end = addr + ALIGN_UP(size, PAGE_SIZE);
	bool known = (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) ||
		     (advice >= MADV_FREE && advice <= MADV_DONTNEED_LOCKED);

	if (!known || addr % PAGE_SIZE || ALIGN_UP(size, PAGE_SIZE) < size ||
	    end < addr)
		return -EINVAL;
	if (end == addr)
		return 0;
	if (!user_range_ok(addr, end - addr))
		return -ENOMEM;
	if (advice == MADV_REMOVE)
		return remove_pages(addr, end);
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return as_populate_for(current_process()->as, addr, end,
				       advice == MADV_POPULATE_WRITE ? VM_WRITE : VM_READ);
	return as_advise(current_process()->as, addr, end, advice);
}

/* --- What is in memory ------------------------------------------------------------------------ */

long sys_mincore(vaddr_t addr, u64 size, vaddr_t vec)
{
	u64 pages = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	u8 some[64];

	if (addr % PAGE_SIZE)
		return -EINVAL;
	if (!user_range_ok(addr, size))
		return -ENOMEM;
	if (!user_range_ok(vec, pages))
		return -EFAULT;
	while (pages) {
		unsigned n = MIN(pages, sizeof(some));
		int err = as_in_core(current_process()->as, addr, n, some);

		if (err)
			return err;
		if (copy_to_user(vec, some, n))
			return -EFAULT;
		pages -= n;
		vec += n;
		addr += n * PAGE_SIZE;
	}
	return 0;
}

#define MS_ASYNC	1
#define MS_INVALIDATE	2
#define MS_SYNC		4

/* Only checks its arguments: files are in memory, so there is nothing to write back. */
long sys_msync(vaddr_t addr, u64 size, int flags)
{
	vaddr_t end = addr + ALIGN_UP(size, PAGE_SIZE);

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || addr % PAGE_SIZE ||
	    (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	if (end < addr)
		return -ENOMEM;
	if (end == addr)
		return 0;
	return as_check_sync(current_process()->as, addr, end, flags & MS_INVALIDATE);
}

/* --- Locked memory ---------------------------------------------------------------------------- */

#define MLOCK_ONFAULT	1u
#define MCL_CURRENT	1
#define MCL_FUTURE	2
#define MCL_ONFAULT	4

static long lock_range(vaddr_t addr, u64 size, unsigned flags)
{
	vaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	vaddr_t end = start + ALIGN_UP(size + addr % PAGE_SIZE, PAGE_SIZE);

	if (flags && !as_may_lock())
		return -EPERM;
	if (end < start)
		return -EINVAL;
	return start == end ? 0 : as_lock(current_process()->as, start, end, flags);
}

long sys_mlock2(vaddr_t addr, u64 size, u32 flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(addr, size, REGION_LOCKED | (flags ? REGION_ONFAULT : 0));
}

long sys_munlock(vaddr_t addr, u64 size)
{
	return lock_range(addr, size, 0);
}

long sys_mlockall(int flags)
{
	unsigned lock = REGION_LOCKED | (flags & MCL_ONFAULT ? REGION_ONFAULT : 0);

	if (!flags || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!as_may_lock())
		return -EPERM;
	return as_lock_all(current_process()->as, flags & MCL_CURRENT, lock,
			   flags & MCL_FUTURE ? lock : 0);
}

long sys_munlockall(void)
{
	return as_lock_all(current_process()->as, true, 0, 0);
}
