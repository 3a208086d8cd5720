/*
 * User memory: one small page, which all processes of a scenario share.
 *
 * This file belongs to the kernel's side of the port and is compiled as the kernel is: an access to
 * user memory is one that other CPUs see, so the explorer may let them go on before it. The page is
 * a variable of the program, and its address is what the kernel gets as a user address. It may be
 * missing: then an access that may block brings it back, as a page fault does; any other one fails.
 */
#include "user.h"

#include "arch.h"
#include "errno.h"
#include "mm/mm.h"
#include "mm/vm.h"
#include "sync/mutex.h"
#include "thread/thread.h"

char host_user_page[HOST_USER_PAGE] __attribute__((aligned(64)));

static bool missing;
static struct addr_space space = { .lock = MUTEX_INIT(space.lock) };

void host_user_unmap(void)
{
	__atomic_store_n(&missing, true, __ATOMIC_RELAXED);
}

static bool in_page(const void *p, size_t n)
{
	size_t at = (const char *)p - host_user_page;

	return at < HOST_USER_PAGE && n <= HOST_USER_PAGE - at;
}

/* Returns whether the access can be made: see fault_kernel(). */
static bool present(void)
{
	if (!__atomic_load_n(&missing, __ATOMIC_RELAXED))
		return true;
	if (current_thread()->preempt_depth || !arch_irqs_enabled())
		return false;
	__atomic_store_n(&missing, false, __ATOMIC_RELAXED);
	return true;
}

/* Copies a piece in one access: the kernel reads and writes words of 4 and 8 bytes. */
#define COPY(type)								\
	do {									\
		type piece = __atomic_load_n((const type *)from, __ATOMIC_RELAXED); \
		__atomic_store_n((type *)to, piece, __ATOMIC_RELAXED);		\
		to += sizeof(type);						\
		from += sizeof(type);						\
		n -= sizeof(type);						\
	} while (0)

size_t arch_copy_user(void *dst, const void *src, size_t n)
{
	char *to = dst;
	const char *from = src;
	u64 places = (u64)to | (u64)from;

	if (!(in_page(dst, n) || in_page(src, n)) || !present())
		return n;
	while (IS_ALIGNED(places, sizeof(u64)) && n >= sizeof(u64))
		COPY(u64);
	while (IS_ALIGNED(places, sizeof(u32)) && n >= sizeof(u32))
		COPY(u32);
	while (n > 0)
		COPY(u8);
	return 0;
}

size_t arch_clear_user(void *dst, size_t n)
{
	if (!in_page(dst, n) || !present())
		return n;
	for (char *to = dst; n > 0; n--)
		__atomic_store_n(to++, 0, __ATOMIC_RELAXED);
	return 0;
}

int arch_user_cmpxchg32(u32 *p, u32 old, u32 new, u32 *seen)
{
	if (!in_page(p, sizeof(*p)) || !present())
		return -EFAULT;
	*seen = old;
	__atomic_compare_exchange_n(p, seen, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return 0;
}

/* --- That space, which has no regions; the kernel's own functions are for all others ---------- */

struct addr_space *host_user_space(void)
{
	atomic_fetch_add(&space.refs, 1);
	return &space;
}

void as_put_real(struct addr_space *as);
struct page *as_pin_page_real(struct addr_space *as, vaddr_t addr, unsigned access, int *err);

void as_put(struct addr_space *as)
{
	if (as != &space)
		as_put_real(as);
	else if (atomic_fetch_sub(&as->refs, 1) == 0)
		panic("the user space is given back too often");
}

struct page *as_pin_page(struct addr_space *as, vaddr_t addr, unsigned access, int *err)
{
	if (as != &space)
		return as_pin_page_real(as, addr, access, err);
	*err = in_page((void *)addr, 1) ? 0 : -EFAULT;
	return *err ? NULL : (struct page *)host_user_page;	/* only to be put: absent.c */
}
