/*
 * Which memory the kernel takes (kernel/mm/ram.c), compared with a list of all pages, on machines
 * that are drawn at random.
 *
 * A machine lies anywhere in the physical address space, and takes up no more than a window of it.
 * Each is described to a process of its own, because a kernel learns of its memory only once.
 */
#include "base/machine.h"
#include "mm/page.h"
#include "test/instrument.h"
#include "test/ktest.h"

#define WINDOW_BLOCKS	16
#define WINDOW_PAGES	(WINDOW_BLOCKS * BLOCK_PAGES)
#define HEADER_PAGES	(BLOCK_HEADER / PAGE_SIZE)
#define TRIALS		400

/* Declared here, because the C library's headers would clash with the kernel's. */
int fork(void);
int waitpid(int pid, int *status, int options);
noreturn void _exit(int status);

static bool ours[WINDOW_PAGES], taken[WINDOW_PAGES];
static paddr_t window, second_node;

void arch_direct_map(paddr_t pa)
{
	(void)pa;
}

unsigned numa_node_of_memory(paddr_t pa)
{
	return nr_nodes > 1 && pa >= second_node;
}

static u64 below(u64 n)
{
	return test_random() % n;
}

/* RAM in ascending order with gaps; it need not begin or end with a page. */
static void draw_ram(void)
{
	u64 at = below(BLOCK_SIZE);

	for (unsigned n = 1 + below(6); n-- > 0;) {
		u64 size = below(4) ? 1 + below(5 * BLOCK_SIZE) : 1 + below(64) * 1024;
		u64 end = MIN(at + size, (u64)WINDOW_PAGES * PAGE_SIZE);

		if (end <= at)
			break;
		machine_add_ram(window + at, end - at);
		for (u64 p = ALIGN_UP(at, PAGE_SIZE); p + PAGE_SIZE <= end; p += PAGE_SIZE)
			ours[p / PAGE_SIZE] = true;
		at = end + 2 * PAGE_SIZE + below(BLOCK_SIZE);
	}
}

static void draw_reserved(void)
{
	for (unsigned n = below(6); n-- > 0;) {
		u64 at = below((u64)WINDOW_PAGES * PAGE_SIZE), size = 1 + below(BLOCK_SIZE);
		u64 end = MIN(at + size, (u64)WINDOW_PAGES * PAGE_SIZE);

		machine_reserve(window + at, end - at);
		for (u64 p = ALIGN_DOWN(at, PAGE_SIZE); p < end; p += PAGE_SIZE)
			ours[p / PAGE_SIZE] = false;
	}
}

/* The pages that block @b of the window should give; marks them as not ours. */
static u64 due(unsigned b)
{
	bool *page = &ours[b * BLOCK_PAGES];
	u64 n = 0;

	for (unsigned i = 0; i < HEADER_PAGES; i++)
		if (!page[i])
			return 0;
	for (unsigned i = HEADER_PAGES; i < BLOCK_PAGES; i++)
		n += page[i];
	return n;
}

static bool block_is_right(unsigned b, paddr_t block)
{
	unsigned from, to;
	bool *got = &taken[b * BLOCK_PAGES], *page = &ours[b * BLOCK_PAGES];

	for (unsigned i = 0; ram_range_in_block(i, block, &from, &to); i++)
		for (unsigned k = from; k < to; k++) {
			if (k < HEADER_PAGES || k >= BLOCK_PAGES || got[k])
				return false;
			got[k] = true;
		}
	for (unsigned k = HEADER_PAGES; k < BLOCK_PAGES; k++)
		if (got[k] != page[k])
			return false;
	return true;
}

/* Each block of @node comes once, with all its pages, and they are as many as are announced. */
static bool node_is_right(unsigned node)
{
	u64 announced = ram_count(node), expected = 0, got = 0;
	bool seen[WINDOW_BLOCKS] = { false };
	paddr_t block;

	for (unsigned b = 0; b < WINDOW_BLOCKS; b++)
		if (numa_node_of_memory(window + b * BLOCK_SIZE) == node)
			expected += due(b);
	while (ram_next_block(node, &block)) {
		u64 b = (block - window) / BLOCK_SIZE;

		if (block % BLOCK_SIZE || b >= WINDOW_BLOCKS || seen[b] ||
		    numa_node_of_memory(block) != node || !block_is_right(b, block))
			return false;
		seen[b] = true;
		got += due(b);
	}
	return announced == expected && got == expected;
}

static int trial(void)
{
	static const u64 bases[] = { 0, 0x80000000, 0xff000000, 0x100000000, 1ull << 40 };

	window = ALIGN_DOWN(bases[below(ARRAY_SIZE(bases))], BLOCK_SIZE);
	nr_nodes = 1 + below(2);
	second_node = window + below(WINDOW_PAGES) * PAGE_SIZE;
	draw_ram();
	draw_reserved();
	ram_init();
	for (unsigned node = 0; node < nr_nodes; node++)
		if (!node_is_right(node))
			return 1;
	return 0;
}

KTEST(ram_blocks, "ram.blocks", "", "")
{
	for (unsigned n = 0; n < TRIALS; n++) {
		int status = -1, pid;

		test_random();
		pid = fork();
		if (pid == 0)
			_exit(trial());
		waitpid(pid, &status, 0);
		REQUIRE(!status, "", "machine %u: a page too many or too few: %x", n, status);
	}
}
