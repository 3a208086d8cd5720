/*
 * Physical pages: buddies (Knowlton 1965) inside blocks of 2 MiB, which are added when the free
 * lists run dry. The per-CPU caches in front are in page_cache.c.
 *
 * A chunk of order n is 2^n pages, aligned to its size within its block. Its buddy is the chunk
 * whose index differs in bit n alone; two free buddies are one free chunk of order n + 1.
 *
 *  B1  A free chunk's first page has PAGE_FREE and its order, and is in that order's list. No other
 *      page has PAGE_FREE: not the rest of a chunk, not a block's descriptors, not holes.
 *  B2  No two buddies are free with the same order.
 *  B3  Pages in the free lists + pages out + pages of blocks not yet added == total.
 *
 * buddy.lock guards everything here.
 */
#include "page.h"

#include "counters.h"
#include "panic.h"
#include "spinlock.h"
#include "string.h"

static_assert(sizeof(struct page) == 24, "three pages of descriptors a block");

struct buddy buddy = { .lock = SPINLOCK_INIT(LOCK_PAGE) };

void buddy_init(u64 total)
{
	for (unsigned order = 0; order <= PAGE_MAX_ORDER; order++)
		list_init(&buddy.free[order]);
	buddy.total = total;
	buddy.unadded = total;
}

static void push_chunk(struct page *p, unsigned order)
{
	p->flags |= PAGE_FREE;
	p->order = order;
	list_push_front(&buddy.free[order], &p->node);
}

/* Cuts pages [from, to) of a new block into the largest chunks that alignment allows. */
static void add_range(struct page *block, unsigned from, unsigned to)
{
	buddy.unadded -= to - from;
	while (from < to) {
		unsigned order = 0;

		while (order < PAGE_MAX_ORDER && IS_ALIGNED(from, 2u << order) &&
		       from + (2u << order) <= to)
			order++;
		push_chunk(&block[from], order);
		from += 1u << order;
	}
}

static bool add_block(void)
{
	unsigned from, to;
	struct page *pages;
	paddr_t block;

	if (!ram_next_block(&block))
		return false;
	arch_direct_map(block);
	pages = phys_to_virt(block);
	memset(pages, 0, BLOCK_HEADER);
	for (unsigned i = 0; ram_range_in_block(i, block, &from, &to); i++)
		add_range(pages, from, to);
	return true;
}

/* The smallest free chunk of at least @order, out of its list. */
static struct page *find_chunk(unsigned order)
{
	do {
		for (unsigned o = order; o <= PAGE_MAX_ORDER; o++) {
			struct list_node *n = list_pop_node(&buddy.free[o]);

			if (n)
				return list_entry(n, struct page, node);
		}
	} while (add_block());
	return NULL;
}

static struct page *alloc_chunk(unsigned order)
{
	struct page *p = find_chunk(order);

	if (!p)
		return NULL;
	p->flags &= ~PAGE_FREE;
	while (p->order > order) {
		p->order--;
		push_chunk(p + (1UL << p->order), p->order);
	}
	buddy.out += 1UL << order;
	return p;
}

static void free_chunk(struct page *p, unsigned order)
{
	struct page *block = (struct page *)ALIGN_DOWN((u64)p, BLOCK_SIZE);
	u64 i = p - block;

	assert(!(p->flags & PAGE_FREE) && p->order == order);
	buddy.out -= 1UL << order;
	for (; order < PAGE_MAX_ORDER; order++) {
		struct page *other = &block[i ^ 1UL << order];

		if (!(other->flags & PAGE_FREE) || other->order != order)
			break;
		list_remove(&other->node);
		other->flags &= ~PAGE_FREE;
		i &= ~(1UL << order);
	}
	push_chunk(&block[i], order);
}

unsigned buddy_alloc_many(struct page **pages, unsigned n, unsigned order)
{
	unsigned got = 0;

	spin_lock_nested(&buddy.lock);	/* a cache's lock may be held: caches, then buddies */
	while (got < n && (pages[got] = alloc_chunk(order)))
		got++;
	spin_unlock(&buddy.lock);
	counter_add(COUNT_PAGES, (s64)got << order);
	return got;
}

void buddy_free_many(struct page **pages, unsigned n, unsigned order)
{
	spin_lock_nested(&buddy.lock);
	for (unsigned i = 0; i < n; i++)
		free_chunk(pages[i], order);
	spin_unlock(&buddy.lock);
	counter_add(COUNT_PAGES, -((s64)n << order));
}

void page_make_permanent(struct page *p)
{
	u64 n = 1UL << p->order;

	spin_lock(&buddy.lock);
	buddy.total -= n;
	buddy.out -= n;
	spin_unlock(&buddy.lock);
	counter_add(COUNT_PAGES, -(s64)n);
}

u64 page_total(void)
{
	return buddy.total;
}

u64 page_free_count(void)
{
	u64 n;

	spin_lock(&buddy.lock);
	n = buddy.total - buddy.out;
	spin_unlock(&buddy.lock);
	return n;
}
