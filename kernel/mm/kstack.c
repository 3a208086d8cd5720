/*
 * Kernel stacks: four pages mapped above a guard page, so that an overflow faults.
 *
 * A freed stack stays mapped and goes into a cache: freeing never blocks, and a fork that follows
 * an exit maps nothing. If the cache holds more than HIGH stacks, the next allocation unmaps the
 * surplus, many with one shootdown. A cached stack's list node lies in its own lowest bytes.
 */
#include "mm/mm.h"

#include "base/counters.h"
#include "base/list.h"
#include "base/panic.h"
#include "lock/spinlock.h"
#include "sched/cpu.h"
#include "thread/thread.h"

#define HIGH		(2 * KSTACK_KEEP)	/* an allocation that finds more trims the cache */
#define TRIM_BATCH	8			/* stacks unmapped with one shootdown */
#define STACK_PAGES	(KSTACK_SIZE / PAGE_SIZE)

static struct {
	struct spinlock lock;
	struct list_node stacks;	/* [lock] mapped and unused, the last freed first */
	unsigned n;			/* [lock] */
} cache = { .lock = SPINLOCK_INIT(LOCK_KVM), .stacks = LIST_INIT(cache.stacks) };

/* Returns the warmest or the coldest cached stack; NULL if there are no more than @keep. */
static void *cache_pop(unsigned keep, bool warmest)
{
	struct list_node *stack = NULL;

	spin_lock(&cache.lock);
	if (cache.n > keep) {
		stack = warmest ? cache.stacks.next : cache.stacks.prev;
		list_remove(stack);
		cache.n--;
	}
	spin_unlock(&cache.lock);
	return stack;
}

/* Unmaps the lowest @nr_pages of @n stacks, frees those pages and all the address space. */
static void unmap_stacks(vaddr_t *stacks, unsigned n, unsigned nr_pages)
{
	struct page *pages[TRIM_BATCH * STACK_PAGES];
	vaddr_t low = stacks[0], high = stacks[0];
	unsigned nr = 0;

	for (unsigned i = 0; i < n; i++) {
		low = MIN(low, stacks[i]);
		high = MAX(high, stacks[i] + KSTACK_SIZE);
		for (unsigned k = 0; k < nr_pages; k++)
			pages[nr++] = phys_to_page(kvm_unmap_page(stacks[i] + k * PAGE_SIZE));
	}
	if (nr)
		tlb_flush_on(BIT(nr_cpus) - 1, low, high);
	while (nr > 0)
		page_put(pages[--nr]);
	for (unsigned i = 0; i < n; i++)
		kvm_release(stacks[i], KSTACK_SIZE);
}

void kstack_trim(unsigned keep)
{
	vaddr_t stacks[TRIM_BATCH];
	unsigned n;

	do {
		for (n = 0; n < TRIM_BATCH; n++)
			if (!(stacks[n] = (vaddr_t)cache_pop(keep, false)))
				break;
		if (n) {
			assert_may_block();
			unmap_stacks(stacks, n, STACK_PAGES);
		}
	} while (n == TRIM_BATCH);
}

/* Maps a new page at @va; false if memory is short. */
static bool map_new_page(vaddr_t va)
{
	struct page *p = page_alloc(0, 0);

	if (!p)
		return false;
	if (kvm_map_page(va, page_to_phys(p), VM_READ | VM_WRITE)) {
		page_put(p);
		return false;
	}
	return true;
}

static void *map_stack(void)
{
	vaddr_t va = kvm_reserve(KSTACK_SIZE);

	if (!va)
		return NULL;
	for (unsigned i = 0; i < STACK_PAGES; i++)
		if (!map_new_page(va + i * PAGE_SIZE)) {
			unmap_stacks(&va, 1, i);
			return NULL;
		}
	return (void *)va;
}

void *kstack_alloc(void)
{
	void *stack;

	if (unlikely(cache.n > HIGH))
		kstack_trim(KSTACK_KEEP);
	stack = cache_pop(0, true);
	if (!stack)
		stack = map_stack();
	if (stack)
		counter_add(COUNT_STACKS, 1);
	return stack;
}

void kstack_free(void *stack)
{
	struct list_node *node = stack;

	counter_add(COUNT_STACKS, -1);
	list_init(node);
	spin_lock(&cache.lock);
	list_push_front(&cache.stacks, node);
	cache.n++;
	spin_unlock(&cache.lock);
}
