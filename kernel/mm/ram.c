/*
 * Which physical memory the kernel may allocate, block by block.
 *
 * The machine's RAM without what is reserved is a few ranges, from which the allocator takes blocks
 * in order, as it needs them. Nothing here touches the memory itself. Only counting the blocks of
 * several nodes takes time that grows with its size.
 *
 * A block whose first pages are reserved cannot hold its descriptors: none of it is used, and it is
 * never mapped. So the kernel's image, which fills whole blocks, gets no writable alias.
 */
#include "page.h"

#include "base/machine.h"
#include "base/panic.h"

static struct mem_range ranges[2 * MACHINE_MAX_RANGES];	/* disjoint, of whole pages */
static unsigned nr_ranges;

static struct cursor {
	unsigned range;
	paddr_t block;		/* the next candidate in it */
} cursors[MAX_NODES];		/* a block belongs to the node of its first byte */

void machine_add_ram(paddr_t start, u64 size)
{
	if (size && machine.nr_ram < MACHINE_MAX_RANGES)
		machine.ram[machine.nr_ram++] = (struct mem_range){ start, size };
}

void machine_reserve(paddr_t start, u64 size)
{
	if (!size)
		return;
	if (machine.nr_reserved == MACHINE_MAX_RANGES)
		panic("more reserved memory ranges than %u", MACHINE_MAX_RANGES);
	machine.reserved[machine.nr_reserved++] = (struct mem_range){ start, size };
}

void machine_direct_map(paddr_t start, u64 size)
{
	for (paddr_t pa = ALIGN_DOWN(start, BLOCK_SIZE); pa < start + size; pa += BLOCK_SIZE)
		arch_direct_map(pa);
}

/* Adds [start, end) without the reserved ranges from number @i on. */
static void add_unreserved(paddr_t start, paddr_t end, unsigned i)
{
	for (; i < machine.nr_reserved && start < end; i++) {
		const struct mem_range *r = &machine.reserved[i];
		paddr_t from = ALIGN_DOWN(r->start, PAGE_SIZE);
		paddr_t to = ALIGN_UP(r->start + r->size, PAGE_SIZE);

		if (to <= start || from >= end)
			continue;
		add_unreserved(start, from, i + 1);
		start = to;
	}
	if (start >= end)
		return;
	/* Each reserved range splits at most one of the disjoint ranges of RAM in two. */
	assert(nr_ranges < ARRAY_SIZE(ranges));
	ranges[nr_ranges++] = (struct mem_range){ start, end - start };
}

void ram_init(void)
{
	for (unsigned i = 0; i < machine.nr_ram; i++) {
		const struct mem_range *r = &machine.ram[i];

		add_unreserved(ALIGN_UP(r->start, PAGE_SIZE),
			       ALIGN_DOWN(r->start + r->size, PAGE_SIZE), 0);
	}
}

/* Whether @block can hold its descriptors. */
static bool block_is_ours(paddr_t block)
{
	for (unsigned i = 0; i < nr_ranges; i++)
		if (ranges[i].start <= block &&
		    block + BLOCK_HEADER <= ranges[i].start + ranges[i].size)
			return true;
	return false;
}

/* Counts the pages of @r: those before the first block that begins in it, then those blocks'. */
static u64 count_range(const struct mem_range *r)
{
	paddr_t end = r->start + r->size;
	paddr_t first = ALIGN_UP(r->start, BLOCK_SIZE);
	u64 bytes = 0, blocks;

	if (first > r->start && block_is_ours(first - BLOCK_SIZE))
		bytes = MIN(end, first) - r->start;
	if (first < end) {
		blocks = (end - first + BLOCK_SIZE - BLOCK_HEADER) / BLOCK_SIZE;
		bytes += MIN(end - first, blocks * BLOCK_SIZE) - blocks * BLOCK_HEADER;
	}
	return bytes / PAGE_SIZE;
}

/* Finds the next block that can hold its descriptors, of any node, and moves @c behind it. */
static bool next_block(struct cursor *c, paddr_t *block)
{
	for (; c->range < nr_ranges; c->range++, c->block = 0) {
		const struct mem_range *r = &ranges[c->range];
		paddr_t next = MAX(c->block, ALIGN_UP(r->start, BLOCK_SIZE));

		if (next + BLOCK_HEADER > r->start + r->size)
			continue;
		*block = next;
		c->block = next + BLOCK_SIZE;
		return true;
	}
	return false;
}

static bool next_of_node(struct cursor *c, unsigned node, paddr_t *block)
{
	while (next_block(c, block))
		if (nr_nodes == 1 || numa_node_of_memory(*block) == node)
			return true;
	return false;
}

bool ram_next_block(unsigned node, paddr_t *block)
{
	return next_of_node(&cursors[node], node, block);
}

/* With several nodes blocks are counted one by one: two nodes may meet within a range. */
u64 ram_count(unsigned node)
{
	struct cursor c = { .range = 0 };
	unsigned from, to;
	paddr_t block;
	u64 total = 0;

	if (nr_nodes == 1) {
		for (unsigned i = 0; i < nr_ranges; i++)
			total += count_range(&ranges[i]);
		return total;
	}
	while (next_of_node(&c, node, &block))
		for (unsigned i = 0; ram_range_in_block(i, block, &from, &to); i++)
			total += to - from;
	return total;
}

bool ram_range_in_block(unsigned i, paddr_t block, unsigned *from, unsigned *to)
{
	paddr_t start, end;

	if (i >= nr_ranges)
		return false;
	start = MAX(ranges[i].start, block + BLOCK_HEADER);
	end = MIN(ranges[i].start + ranges[i].size, block + BLOCK_SIZE);
	*from = (start - block) / PAGE_SIZE;
	*to = end > start ? (end - block) / PAGE_SIZE : *from;
	return true;
}
