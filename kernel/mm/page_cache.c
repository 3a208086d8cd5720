/*
 * The page allocator's interface: references, and a cache of single pages per CPU in front of the
 * buddies, so that most calls touch no shared lock and nothing is split or merged.
 *
 * A cache is a stack: the page freed last, still warm, is allocated first. Its lock is almost never
 * contended; it lets page_drain() empty every CPU's cache. A second stack keeps pages that are
 * known to be zero: a page table whose entries have been cleared, which then serves as the next
 * table.
 *
 * Debug builds fill a freed page with poison and check it when it is allocated again, which finds
 * writes through stale pointers and TLB entries. A zeroed page is checked for anything but zeros.
 *
 * Lock order: a cache's lock, then the buddies'.
 */
#include "page.h"

#include "base/counters.h"
#include "base/panic.h"
#include "base/string.h"
#include "config.h"
#include "lock/spinlock.h"
#include "sched/cpu.h"

#define CACHE_MAX	64
#define CACHE_BATCH	26	/* bounded by how long interrupts may be off */
#define ZEROED_MAX	16
#define POISON_BYTE	0x5a
#define POISON_WORD	0x5a5a5a5a5a5a5a5aUL

struct page_cache {
	struct spinlock lock;
	unsigned n;				/* [lock] */
	struct page *pages[CACHE_MAX];		/* [lock] */
	unsigned nr_zeroed;			/* [lock] */
	struct page *zeroed[ZEROED_MAX];	/* [lock] each has PAGE_ZEROED */
};

static struct page_cache caches[MAX_CPUS];

void page_init(void)
{
	ram_init();
	buddy_init();
	for (unsigned i = 0; i < MAX_CPUS; i++) {
		spin_init(&caches[i].lock, LOCK_PAGE);
		cpus[i].pages = &caches[i];
	}
}

/* A thread that migrates right after this uses its last CPU's cache, which its lock makes safe. */
static struct page_cache *my_cache(void)
{
	return thread_cpu(current_thread())->pages;
}

/* Returns whether @p is another node's: a CPU's cache keeps only pages near to it. */
static inline bool is_far(const struct page *p)
{
	return unlikely(nr_nodes > 1) && page_node(p) != thread_cpu(current_thread())->node;
}

static struct page *cache_pop(unsigned flags)
{
	struct page_cache *c = my_cache();
	struct page *p = NULL;

	spin_lock(&c->lock);
	if (flags & PAGE_ZERO && c->nr_zeroed) {
		p = c->zeroed[--c->nr_zeroed];
	} else {
		if (c->n == 0)
			c->n = buddy_alloc_many(c->pages, CACHE_BATCH, 0);
		if (c->n)
			p = c->pages[--c->n];
	}
	spin_unlock(&c->lock);
	return p;
}

/* Keeps @p, which is all zeros, for a caller who wants zeros. Returns false if there is no room. */
static bool cache_push_zeroed(struct page *p)
{
	struct page_cache *c = my_cache();
	bool room;

	if (is_far(p))
		return false;
	spin_lock(&c->lock);
	room = c->nr_zeroed < ZEROED_MAX;
	if (room)
		c->zeroed[c->nr_zeroed++] = p;
	spin_unlock(&c->lock);
	return room;
}

/* Frees @p into this CPU's cache; a full cache gives its oldest pages to the buddies. */
static void cache_push(struct page *p)
{
	struct page_cache *c = my_cache();

	if (is_far(p)) {
		buddy_free_many(&p, 1, 0);	/* for the CPUs near to it */
		return;
	}
	spin_lock(&c->lock);
	if (c->n == CACHE_MAX) {
		buddy_free_many(c->pages, CACHE_BATCH, 0);
		c->n -= CACHE_BATCH;
		memmove(c->pages, c->pages + CACHE_BATCH, c->n * sizeof(c->pages[0]));
	}
	c->pages[c->n++] = p;
	spin_unlock(&c->lock);
}

void page_drain(void)
{
	for (unsigned i = 0; i < MAX_CPUS; i++) {
		struct page_cache *c = &caches[i];

		spin_lock(&c->lock);
		buddy_free_many(c->pages, c->n, 0);
		c->n = 0;
		for (unsigned k = 0; k < c->nr_zeroed; k++)
			c->zeroed[k]->flags = 0;
		buddy_free_many(c->zeroed, c->nr_zeroed, 0);
		c->nr_zeroed = 0;
		spin_unlock(&c->lock);
	}
}

void mm_drain(void)
{
	kstack_trim(0);
	slab_drain();
	page_drain();
}

static void check_poison(struct page *p)
{
	for (unsigned i = 0; i < 1u << p->order; i++) {
		const u64 *word = page_to_virt(&p[i]);

		if (!(p[i].flags & PAGE_POISONED))
			continue;
		p[i].flags &= ~PAGE_POISONED;
		for (unsigned k = 0; k < PAGE_SIZE / sizeof(*word); k++)
			if (word[k] != POISON_WORD)
				panic("page %lx was written after it was freed: %lx at %p",
				      page_to_phys(&p[i]), word[k], (const void *)&word[k]);
	}
}

static void check_zeroed(const struct page *p)
{
	const u64 *word = page_to_virt(p);

	for (unsigned k = 0; k < PAGE_SIZE / sizeof(*word); k++)
		if (word[k])
			panic("page table %lx was written after it was freed: %lx at %p",
			      page_to_phys(p), word[k], (const void *)&word[k]);
}

static struct page *take(unsigned order, unsigned flags)
{
	struct page *p;

	if (order == 0)
		return cache_pop(flags);
	return buddy_alloc_many(&p, 1, order) ? p : NULL;
}

struct page *page_take(unsigned order, unsigned flags)
{
	struct page *p;

	assert(order <= PAGE_MAX_ORDER);
	p = take(order, flags);
	if (!p) {
		page_drain();	/* other CPUs' caches may hold pages, or buddies of free ones */
		p = take(order, flags);
	}
	if (!p) {
		event_count(EVENT_OOM);
		return NULL;
	}
	if (DEBUG_BUILD && p->flags & PAGE_ZEROED)
		check_zeroed(p);
	else if (DEBUG_BUILD)
		check_poison(p);
	assert(atomic_load_explicit(&p->refs, memory_order_relaxed) == 0);
	atomic_store_explicit(&p->refs, 1, memory_order_relaxed);
	if (p->flags & PAGE_ZEROED)
		p->flags = 0;
	else if (flags & PAGE_ZERO)
		memset(page_to_virt(p), 0, PAGE_SIZE << order);
	return p;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	return TEST_BUILD && inject_alloc_fails() ? NULL : page_take(order, flags);
}

struct page *page_get(struct page *p)
{
	u32 before = atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);

	assert(before > 0);
	return p;
}

void page_put(struct page *p)
{
	/* Release, then acquire: all accesses by other holders come before its next use. */
	u32 before = atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel);

	assert(before > 0);
	if (before > 1)
		return;
	assert(!(p->flags & PAGE_SLAB));
	if (p->flags & PAGE_ZEROED && cache_push_zeroed(p))
		return;
	p->flags = 0;
	if (DEBUG_BUILD) {
		for (unsigned i = 0; i < 1u << p->order; i++)
			p[i].flags |= PAGE_POISONED;
		memset(page_to_virt(p), POISON_BYTE, PAGE_SIZE << p->order);
	}
	if (p->order == 0)
		cache_push(p);
	else
		buddy_free_many(&p, 1, p->order);
}
