/*
 * Tests of the page allocator.
 */
#include "page.h"

#include "base/list.h"
#include "base/string.h"
#include "sched/cpu.h"
#include "test/instrument.h"
#include "test/ktest.h"

#define N	256

/* Fills a chunk with a pattern made of @value; is_marked() tells whether it is still there. */
static void mark(struct page *p, u64 value)
{
	u64 *word = page_to_virt(p);

	for (u64 i = 0; i < (PAGE_SIZE << p->order) / sizeof(*word); i += 64)
		word[i] = value + i;
}

static bool is_marked(struct page *p, u64 value)
{
	const u64 *word = page_to_virt(p);

	for (u64 i = 0; i < (PAGE_SIZE << p->order) / sizeof(*word); i += 64)
		if (word[i] != value + i)
			return false;
	return true;
}

KTEST(page_random, "page.random", "", "mm.page.exclusive")
{
	static struct page *pages[N];
	u64 before, after;

	mm_drain();
	before = page_free_count();
	for (unsigned i = 0; i < 8 * N; i++) {
		unsigned k = test_random() % N, order;

		if (pages[k]) {
			CHECK(is_marked(pages[k], (u64)pages[k]), "mm.page.exclusive",
			      "page %lx has changed", page_to_phys(pages[k]));
			page_put(pages[k]);
			pages[k] = NULL;
			continue;
		}
		order = test_random() % 4 ? 0 : test_random() % (PAGE_MAX_ORDER + 1);
		pages[k] = page_alloc(order, 0);
		if (!pages[k])
			continue;
		CHECK(IS_ALIGNED(page_to_phys(pages[k]), PAGE_SIZE << pages[k]->order),
		      "mm.page.aligned", "order %u at %lx", pages[k]->order,
		      page_to_phys(pages[k]));
		CHECK(virt_to_page(page_to_virt(pages[k])) == pages[k], "mm.page.address",
		      "the page at %p is another", page_to_virt(pages[k]));
		mark(pages[k], (u64)pages[k]);
	}
	for (unsigned k = 0; k < N; k++)
		if (pages[k])
			page_put(pages[k]);
	mm_drain();
	mm_check();
	after = page_free_count();
	CHECK(before == after, "mm.page.counts", "%lu pages free before, %lu after", before, after);
}

/* Allocates all memory page by page; every page comes back, and they make whole chunks again. */
KTEST(page_exhaust, "page.exhaust", "", "mm.page.exhaust")
{
	struct list_node taken = LIST_INIT(taken);
	struct page *p, *large;
	u64 before, n = 0;

	mm_drain();
	before = page_free_count();
	while ((p = page_alloc(0, 0))) {
		list_push_back(&taken, &p->node);
		n++;
	}
	page_drain();
	CHECK(n == before, "mm.page.exhaust", "%lu pages were free, %lu could be had", before, n);
	CHECK(page_free_count() == 0, "mm.page.exhaust", "%lu are still free", page_free_count());
	CHECK(!kmalloc(4096), "mm.page.exhaust", "there is memory though there is none");
	while (!list_empty(&taken)) {
		p = list_first(&taken, struct page, node);
		list_remove(&p->node);
		page_put(p);
	}
	mm_drain();
	mm_check();
	CHECK(page_free_count() == before, "mm.page.counts", "%lu free before, %lu after", before,
	      page_free_count());
	large = page_alloc(PAGE_MAX_ORDER, 0);
	CHECK(large, "mm.page.coalesce", "no chunk of the largest order, though all is free");
	if (large)
		page_put(large);
}

KTEST(page_zero, "page.zero", "", "mm.page.zero")
{
	for (unsigned order = 0; order <= 3; order++) {
		struct page *p = page_alloc(order, 0);
		const u8 *byte;
		u64 i = 0;

		REQUIRE(p, "mm.page.zero", "no memory");
		memset(page_to_virt(p), 0xee, PAGE_SIZE << order);
		page_put(p);
		p = page_alloc(order, PAGE_ZERO);
		REQUIRE(p, "mm.page.zero", "no memory");
		byte = page_to_virt(p);
		while (i < PAGE_SIZE << order && !byte[i])
			i++;
		CHECK(i == PAGE_SIZE << order, "mm.page.zero", "order %u: byte %lu is %x", order, i,
		      byte[i]);
		page_put(p);
	}
}

/* A page that goes as zeros comes back to the next caller who wants zeros, and to nobody else. */
KTEST(page_zeroed, "page.zeroed", "", "mm.page.zero")
{
	struct page *p = page_alloc(0, PAGE_ZERO), *other, *again;
	u64 free;

	REQUIRE(p, "mm.page.zero", "no memory");
	preempt_off();		/* each CPU has a cache of its own */
	p->flags |= PAGE_ZEROED;
	page_put(p);
	other = page_alloc(0, 0);
	again = page_alloc(0, PAGE_ZERO);
	preempt_on();
	CHECK(other != p && again == p, "mm.page.zero", "zeroed page %lx went to %s",
	      page_to_phys(p), other == p ? "a caller who wants any" : "nobody");
	CHECK(again->flags == 0, "mm.page.zero", "it still has flags %x", again->flags);
	page_put(other);
	page_drain();
	free = page_free_count();
	again->flags |= PAGE_ZEROED;
	page_put(again);
	page_drain();
	CHECK(page_free_count() == free + 1, "mm.page.zero", "page_drain() left it in the cache");
}

KTEST(page_refs, "page.refs", "", "mm.page.refs")
{
	struct page *p = page_alloc(0, 0);
	u64 free;

	REQUIRE(p, "mm.page.refs", "no memory");
	page_drain();
	free = page_free_count();
	page_get(p);
	page_put(p);
	page_drain();
	CHECK(page_free_count() == free, "mm.page.refs", "freed with a reference left");
	page_put(p);
	page_drain();
	CHECK(page_free_count() == free + 1, "mm.page.refs", "not freed with its last reference");
}

/* On a machine with nodes a CPU gets pages of its own node, of others once that has none left. */
KTEST(page_nodes, "page.nodes", "", "mm.nodes")
{
	struct page *taken = NULL, *p;
	u64 total, free, wrong = 0;
	unsigned here;

	mm_drain();
	preempt_off();
	here = this_cpu()->node;
	for (;;) {
		p = page_alloc(0, 0);
		page_count_node(here, &total, &free);
		if (!p || page_node(p) != here)
			break;
		*(struct page **)page_to_virt(p) = taken;	/* a chain through the pages */
		taken = p;
	}
	CHECK(free == 0, "mm.nodes", "another node's page, or none, while %lu are free here", free);
	CHECK(!p == (nr_nodes == 1), "mm.nodes.others", "%u nodes: %s", nr_nodes,
	      p ? "a page of another" : "no page");
	CHECK(!p || page_node(p) == numa_nearest(here, 1), "mm.nodes.nearest", "of node %u",
	      p ? page_node(p) : 0);
	if (p)
		page_put(p);
	while ((p = taken)) {
		taken = *(struct page **)page_to_virt(p);
		wrong += page_node(p) != here;
		page_put(p);
	}
	preempt_on();
	CHECK(!wrong, "mm.nodes", "%lu pages changed their node", wrong);
	mm_drain();
	mm_check();
}
