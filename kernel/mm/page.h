/*
 * Inside the page allocator: which memory is ours (ram.c), buddies (page.c), per-CPU caches
 * (page_cache.c).
 */
#pragma once

#include "lock/spinlock.h"
#include "mm/mm.h"
#include "mm/numa.h"

#define BLOCK_PAGES	(BLOCK_SIZE / PAGE_SIZE)

/* A block begins with the descriptors of all its pages. */
#define BLOCK_HEADER	ALIGN_UP(BLOCK_PAGES * sizeof(struct page), PAGE_SIZE)

/* page->flags */
#define PAGE_FREE	1u		/* heads a free chunk, which is in the list of its order */
#define PAGE_SLAB	2u		/* page->cache says whose */
#define PAGE_POISONED	4u		/* filled with poison when it was freed */
#define PAGE_ZEROED	16u		/* all zeros: a table whose entries have been cleared */

/* ram.c: constant after ram_init(), but for ram_next_block()'s position: [buddy.lock] */
void ram_init(void);
u64 ram_count(unsigned node);			/* pages that all blocks of @node will give */

/* Takes the next block of @node that is not yet in use; false if none is left. */
bool ram_next_block(unsigned node, paddr_t *block);

/* Gives the page indices in @block of its part of range @i, maybe empty; false: no such range. */
bool ram_range_in_block(unsigned i, paddr_t block, unsigned *from, unsigned *to);

/* page.c: allocates up to @n chunks of @order, returns how many; frees them. Any context. */
unsigned buddy_alloc_many(struct page **pages, unsigned n, unsigned order);
void buddy_free_many(struct page **pages, unsigned n, unsigned order);
void buddy_init(void);

/* For page.c and, in test kernels, audit.c alone. */
extern struct buddy {
	struct spinlock lock;
	struct buddy_node {
		struct list_node free[PAGE_MAX_ORDER + 1];	/* [lock] */
		u64 total;	/* [lock] its pages, in blocks added or not */
		u64 out;	/* [lock] of those, allocated or in a CPU's cache */
		u64 unadded;	/* [lock] of those, in blocks not yet added */
	} nodes[MAX_NODES];
} buddy;

/* Returns the node of a page, which the descriptor of its block's first page keeps as its order:
 * that page holds descriptors and is never allocated. */
static inline unsigned page_node(const struct page *p)
{
	return ((const struct page *)ALIGN_DOWN((u64)p, BLOCK_SIZE))->order;
}

/* page_cache.c: page_alloc() that tests do not make fail, for slabs: kmem_cache_alloc() fails. */
struct page *page_take(unsigned order, unsigned flags);

/* Gives @p to the kernel for ever: it counts no longer in page_total(), nor as allocated. */
void page_make_permanent(struct page *p);
