/*
 * Copies between kernel and user memory. Each checks the whole range before it touches a byte of
 * it; a page that is missing is faulted in on the way (fault_kernel), one that may not be accessed
 * ends the copy. No caller holds a lock that the fault needs: no spin lock, not as->lock.
 */
#include "mm/vm.h"

#include "base/string.h"
#include "errno.h"
#include "lock/spinlock.h"

int copy_from_user(void *dst, vaddr_t src, size_t n)
{
	return user_range_ok(src, n) && !arch_copy_user(dst, (const void *)src, n) ? 0 : -EFAULT;
}

int copy_to_user(vaddr_t dst, const void *src, size_t n)
{
	return user_range_ok(dst, n) && !arch_copy_user((void *)dst, src, n) ? 0 : -EFAULT;
}

int clear_user(vaddr_t dst, size_t n)
{
	return user_range_ok(dst, n) && !arch_clear_user((void *)dst, n) ? 0 : -EFAULT;
}

/* Copies piece by piece, none across a page: the page behind the string may not be mapped. */
ssize_t copy_string_from_user(char *dst, vaddr_t src, size_t size)
{
	const size_t piece = 64;

	for (size_t done = 0; done < size;) {
		vaddr_t at = src + done;
		size_t n = MIN(MIN(piece, size - done), PAGE_SIZE - at % PAGE_SIZE);
		size_t len;

		if (copy_from_user(dst + done, at, n))
			return -EFAULT;
		len = strnlen(dst + done, n);
		done += len;
		if (len < n)
			return done;
	}
	return -ENAMETOOLONG;
}

int peek_user32(u32 *dst, vaddr_t src)
{
	int err;

	if (!IS_ALIGNED(src, sizeof(*dst)))
		return -EFAULT;
	preempt_off();		/* so a fault is not mended */
	err = copy_from_user(dst, src, sizeof(*dst));
	preempt_on();
	return err;
}

int copy_struct_from_user(void *dst, size_t known, vaddr_t src, size_t size)
{
	u8 more;

	if (size > PAGE_SIZE)
		return -E2BIG;
	for (size_t i = known; i < size; i++) {
		if (copy_from_user(&more, src + i, 1))
			return -EFAULT;
		if (more)
			return -E2BIG;
	}
	memset(dst, 0, known);
	return copy_from_user(dst, src, MIN(size, known));
}
