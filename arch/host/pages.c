/*
 * Physical memory for scenarios with page tables: one block, which is mapped where the kernel's
 * direct map has it, with its descriptors in front as in any block (kernel/mm/mm.h).
 *
 * This file is explored like the kernel's. A page that is freed is not used again, so an access to
 * it finds what its last owner left.
 */
#include "pages.h"

#include "base/string.h"
#include "mm/page.h"
#include "port.h"

#define POISON	0x5a

static _Atomic unsigned used;		/* pages that were ever allocated */
static _Atomic int in_use, refuse;	/* refuse: the allocations until one fails; 0: none does */

static bool in_a_page(const void *p)
{
	const char *pages = phys_to_virt(BLOCK_HEADER), *at = p;

	return at >= pages && at < pages + HOST_MEMORY_PAGES * PAGE_SIZE;
}

/* Not a step of the execution. */
static __attribute__((no_sanitize("thread"))) u64 word_at(const volatile u64 *p)
{
	return *p;
}

/* The write comes first and changes nothing: whatever pauses there finds what was there before. */
void host_pages_copied(void *dst, const void *src)
{
	volatile u64 *to = (u64 *)ALIGN_DOWN((u64)dst, sizeof(u64));

	if (in_a_page(src))
		(void)*(const volatile u64 *)ALIGN_DOWN((u64)src, sizeof(u64));
	if (in_a_page(dst))
		*to = word_at(to);
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	struct page *p;
	unsigned i;

	if (order)
		explore_fail("more than one page at once");
	if (atomic_load(&refuse) && atomic_fetch_sub(&refuse, 1) == 1)
		return NULL;
	i = atomic_fetch_add(&used, 1);
	if (i >= HOST_MEMORY_PAGES)
		explore_fail("the scenario needs more pages than there are");
	p = phys_to_page(BLOCK_HEADER + i * PAGE_SIZE);
	p->order = 0;
	p->flags = 0;
	memset(page_to_virt(p), flags & PAGE_ZERO ? 0 : POISON, PAGE_SIZE);
	atomic_store(&p->refs, 1);
	atomic_fetch_add(&in_use, 1);
	return p;
}

struct page *page_get(struct page *p)
{
	if (!atomic_fetch_add(&p->refs, 1))
		explore_fail("a page that is free gets an owner");
	return p;
}

bool host_memory_put(struct page *p)
{
	u32 before;

	if (p < phys_to_page(0) || p >= phys_to_page(0) + BLOCK_PAGES)
		return false;
	before = atomic_fetch_sub(&p->refs, 1);
	if (!before)
		explore_fail("a page is freed twice");
	if (before == 1)
		atomic_fetch_sub(&in_use, 1);
	return true;
}

int host_memory_in_use(void)
{
	return atomic_load(&in_use);
}

void host_memory_refuse(int nth)
{
	atomic_store(&refuse, nth);
}

void page_make_permanent(struct page *p)
{
	(void)p;
	explore_fail("the kernel's own page table is not here");
}

paddr_t arch_kernel_root(void)
{
	return 0;
}

void arch_root_init(void *root)
{
	(void)root;
}
