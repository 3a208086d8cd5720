/*
 * Memory of any size: powers of two from slab caches, more than 2 KiB in whole pages.
 *
 * kfree() tells the two apart by the page's flag PAGE_SLAB.
 */
#include "page.h"

#include "base/panic.h"
#include "base/string.h"
#include "slab.h"

#define MIN_SHIFT	4
#define MAX_SHIFT	11

static struct kmem_cache *caches[MAX_SHIFT - MIN_SHIFT + 1];

void kmalloc_init(void)
{
	static const char *const names[] = {
		"kmalloc-16", "kmalloc-32", "kmalloc-64", "kmalloc-128",
		"kmalloc-256", "kmalloc-512", "kmalloc-1k", "kmalloc-2k",
	};

	static_assert(ARRAY_SIZE(names) == ARRAY_SIZE(caches), "a name for each size");
	for (unsigned i = 0; i < ARRAY_SIZE(caches); i++)
		caches[i] = kmem_cache_create(names[i], 1UL << (MIN_SHIFT + i), 0);
}

static void *alloc_pages(size_t size)
{
	unsigned order = 0;
	struct page *p;

	while (PAGE_SIZE << order < size)
		if (++order > PAGE_MAX_ORDER)
			return NULL;
	p = page_alloc(order, 0);
	return p ? page_to_virt(p) : NULL;
}

void *kmalloc(size_t size)
{
	unsigned i = 0;

	if (size > 1UL << MAX_SHIFT)
		return alloc_pages(size);
	while (1UL << (MIN_SHIFT + i) < size)
		i++;
	return kmem_cache_alloc(caches[i]);
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	return p ? memset(p, 0, size) : NULL;
}

void kfree(void *p)
{
	struct page *page;

	if (!p)
		return;
	page = virt_to_page(p);
	if (page->flags & PAGE_SLAB) {
		kmem_cache_free(page->cache, p);
		return;
	}
	assert(IS_ALIGNED((u64)p, PAGE_SIZE));
	page_put(page);
}
