/*
 * Physical pages: buddies (Knowlton 1965) inside blocks of 2 MiB, which are added when the free
 * lists run dry. The per-CPU caches in front are in page_cache.c.
 *
 * Each node has lists of its own. Memory comes from the node of the CPU that asks; when that has
 * nothing left, from the others, the nearest first.
 *
 * A chunk of order n is 2^n pages, aligned to its size within its block. Its buddy is the chunk
 * whose index differs in bit n alone; two free buddies are one free chunk of order n + 1.
 *
 *  PAGE1  A free chunk's first page has PAGE_FREE and its order, and is in that order's list. No
 *         other page has PAGE_FREE: not the rest of a chunk, not a block's descriptors, not holes.
 *  PAGE2  No two buddies are free with the same order.
 *  PAGE3  Pages in the free lists + pages out + pages of blocks not yet added == total, in each
 *         node.
 *
 * buddy.lock guards everything here.
 */
#include "page.h"

#include "base/counters.h"
#include "base/panic.h"
#include "base/string.h"
#include "lock/spinlock.h"
#include "sched/cpu.h"

static_assert(sizeof(struct page) == 24, "three pages of descriptors a block");

#define FEW	4u		/* chunks at most, once a block had to be added */

struct buddy buddy = { .lock = SPINLOCK_INIT(LOCK_PAGE) };

void buddy_init(void)
{
	for (unsigned i = 0; i < nr_nodes; i++) {
		struct buddy_node *node = &buddy.nodes[i];

		for (unsigned order = 0; order <= PAGE_MAX_ORDER; order++)
			list_init(&node->free[order]);
		node->total = node->unadded = ram_count(i);
	}
}

static struct buddy_node *node_of(const struct page *p)
{
	return &buddy.nodes[page_node(p)];
}

static void push_chunk(struct buddy_node *node, struct page *p, unsigned order)
{
	p->flags |= PAGE_FREE;
	p->order = order;
	list_push_front(&node->free[order], &p->node);
}

/* Cuts pages [from, to) of a new block into the largest chunks that alignment allows. */
static void add_range(struct page *block, unsigned from, unsigned to)
{
	struct buddy_node *node = node_of(block);

	node->unadded -= to - from;
	while (from < to) {
		unsigned order = 0;

		while (order < PAGE_MAX_ORDER && IS_ALIGNED(from, 2u << order) &&
		       from + (2u << order) <= to)
			order++;
		push_chunk(node, &block[from], order);
		from += 1u << order;
	}
}

static bool add_block(unsigned node) HOLDS(buddy.lock)
{
	unsigned from, to;
	struct page *pages;
	paddr_t block;

	if (!ram_next_block(node, &block))
		return false;
	arch_direct_map(block);
	pages = phys_to_virt(block);
	memset(pages, 0, BLOCK_HEADER);
	pages->order = node;
	for (unsigned i = 0; ram_range_in_block(i, block, &from, &to); i++)
		add_range(pages, from, to);
	return true;
}

/* Takes the smallest free chunk of at least @order out of @node's lists; adds blocks if @grow. */
static struct page *find_chunk(unsigned node, unsigned order, bool grow) HOLDS(buddy.lock)
{
	struct list_node *free = buddy.nodes[node].free;

	do {
		for (unsigned o = order; o <= PAGE_MAX_ORDER; o++) {
			struct list_node *n = list_pop_node(&free[o]);

			if (n)
				return list_entry(n, struct page, node);
		}
	} while (grow && add_block(node));
	return NULL;
}

/* Allocates a chunk from the node nearest to @near that has one. */
static struct page *alloc_chunk(unsigned near, unsigned order, bool grow) HOLDS(buddy.lock)
{
	struct page *p = find_chunk(near, order, grow);
	struct buddy_node *node;

	for (unsigned i = 1; i < nr_nodes && !p; i++)
		p = find_chunk(numa_nearest(near, i), order, grow);
	if (!p)
		return NULL;
	node = node_of(p);
	p->flags &= ~PAGE_FREE;
	for (unsigned o = p->order; o-- > order;)
		push_chunk(node, p + (1UL << o), o);
	p->order = order;
	node->out += 1UL << order;
	return p;
}

static void free_chunk(struct page *p, unsigned order) HOLDS(buddy.lock)
{
	struct page *block = (struct page *)ALIGN_DOWN((u64)p, BLOCK_SIZE);
	struct buddy_node *node = node_of(p);
	u64 i = p - block;

	assert(!(p->flags & PAGE_FREE) && p->order == order);
	node->out -= 1UL << order;
	for (; order < PAGE_MAX_ORDER; order++) {
		struct page *other = &block[i ^ 1UL << order];

		if (!(other->flags & PAGE_FREE) || other->order != order)
			break;
		list_remove(&other->node);
		other->flags &= ~PAGE_FREE;
		i &= ~(1UL << order);
	}
	push_chunk(node, &block[i], order);
}

unsigned buddy_alloc_many(struct page **pages, unsigned n, unsigned order)
{
	unsigned got = 0, near = thread_cpu(current_thread())->node;
	u64 unadded;

	spin_lock_nested(&buddy.lock);	/* a cache's lock may be held: it comes first */
	/* Adding a block takes long, with interrupts off: after that, take only a few chunks. */
	unadded = buddy.nodes[near].unadded;
	if (n && (pages[0] = alloc_chunk(near, order, true)))
		got = 1;
	if (buddy.nodes[near].unadded != unadded)
		n = MIN(n, FEW);
	while (got && got < n && (pages[got] = alloc_chunk(near, order, false)))
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
	node_of(p)->total -= n;
	node_of(p)->out -= n;
	spin_unlock(&buddy.lock);
	counter_add(COUNT_PAGES, -(s64)n);
}

u64 page_total(void)
{
	u64 n = 0;

	for (unsigned i = 0; i < nr_nodes; i++)
		n += buddy.nodes[i].total;
	return n;
}

void page_count_node(unsigned node, u64 *total, u64 *free)
{
	spin_lock(&buddy.lock);
	*total = buddy.nodes[node].total;
	*free = *total - buddy.nodes[node].out;
	spin_unlock(&buddy.lock);
}

u64 page_free_count(void)
{
	u64 all = 0, total, free;

	for (unsigned i = 0; i < nr_nodes; i++) {
		page_count_node(i, &total, &free);
		all += free;
	}
	return all;
}
