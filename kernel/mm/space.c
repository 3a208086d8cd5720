/*
 * Address spaces: creation, references, and which CPUs have them loaded.
 *
 * The contents are handled elsewhere: region.c, map.c, remap.c, fork.c, fault.c.
 *
 *  SPACE1  as->cpus has the bit of every CPU whose TLB may hold translations of the space: a CPU
 *          sets its bit before it loads the root, and clears it after it has loaded another root,
 *          which drops them.
 *  SPACE2  A root is freed only when no CPU has it loaded: the last reference is put by a thread
 *          that no longer runs on it.
 */
#include "space.h"

#include "base/counters.h"
#include "base/panic.h"
#include "errno.h"
#include "sched/cpu.h"

/* Mappings lie this far below the top of user space, where the stack is. */
#define STACK_RESERVE	(256UL << 20)

static struct kmem_cache *space_cache;

void vm_init(void)
{
	space_cache = kmem_cache_create("address space", sizeof(struct addr_space), 0);
	region_init();
}

int as_create(struct addr_space **out)
{
	struct addr_space *as = kmem_cache_zalloc(space_cache);
	struct page *root;

	if (!as)
		return -ENOMEM;
	root = page_alloc(0, PAGE_ZERO);
	if (!root) {
		kmem_cache_free(space_cache, as);
		return -ENOMEM;
	}
	arch_root_init(page_to_virt(root));
	as->refs = 1;
	as->regions.update = region_update;
	mutex_init(&as->lock);
	as->root = page_to_phys(root);
	root->tables = 0;
	as->mmap_top = ALIGN_DOWN(ARCH_USER_END - STACK_RESERVE, BLOCK_SIZE);
	counter_add(COUNT_SPACES, 1);
	counter_add(COUNT_TABLE_PAGES, 1);
	*out = as;
	return 0;
}

struct addr_space *as_get(struct addr_space *as)
{
	u32 before = atomic_fetch_add_explicit(&as->refs, 1, memory_order_relaxed);

	assert(before > 0);
	return as;
}

bool as_tryget(struct addr_space *as)
{
	u32 refs = atomic_load_explicit(&as->refs, memory_order_relaxed);

	while (refs && !atomic_compare_exchange_weak(&as->refs, &refs, refs + 1))
		;
	return refs;
}

static void destroy(struct addr_space *as)
{
	struct region *gone = NULL;

	assert(atomic_load(&as->cpus) == 0);	/* SPACE2 */
	mutex_lock(&as->lock);
	as_clear_all(as, &gone);
	assert(as->resident == 0);
	mutex_unlock(&as->lock);
	regions_free(gone);
	page_put(phys_to_page(as->root));
	counter_add(COUNT_TABLE_PAGES, -1);
	counter_add(COUNT_SPACES, -1);
	kmem_cache_free(space_cache, as);
}

void as_put(struct addr_space *as)
{
	u32 before = atomic_fetch_sub_explicit(&as->refs, 1, memory_order_acq_rel);

	assert(before > 0);
	if (before == 1)
		destroy(as);
}

static inline void load(struct cpu *c, struct addr_space *as, paddr_t root, u32 bit)
{
	struct addr_space *old = c->as;

	arch_mmu_load(root);
	c->as = as;
	if (old)
		atomic_fetch_and(&old->cpus, ~bit);
}

static noinline void load_kernel(struct cpu *c)
{
	load(c, NULL, arch_kernel_root(), BIT(c->id));
}

void as_switch(struct addr_space *as)
{
	struct cpu *c = thread_cpu(current_thread());
	u32 bit = 1u << c->id;

	assert_irqs_off();
	if (as == c->as)
		return;
	if (!as) {
		load_kernel(c);
		return;
	}
	/* SPACE1. Pairs with the fence in tlb_flush_range(): it sees our bit, or we its entries. */
	atomic_fetch_or(&as->cpus, bit);
	load(c, as, as->root, bit);
}

void as_count_pages(struct addr_space *as, s64 n)
{
	as->resident += n;
	as->peak = MAX(as->peak, as->resident);
	counter_add(COUNT_USER_PAGES, n);
}

void as_for_each_region(struct addr_space *as, void (*fn)(struct region *r, void *arg), void *arg)
{
	mutex_lock(&as->lock);
	for (struct region *r = region_first(as); r; r = region_next(r))
		fn(r, arg);
	mutex_unlock(&as->lock);
}

/* Counts the pages of @r that are the file's own, not private copies. */
static u64 file_pages_in(const struct addr_space *as, const struct region *r)
{
	struct pt_iter i = { .root = as->root, .va = r->start, .end = r->end };
	u64 n = 0;

	while (pt_next(&i))
		n += page_is_file(pte_page(*i.e));
	return n;
}

/* All references to a page are mappings, but for one to a page of a file: the file's own. */
struct region_figures region_figures(const struct region *r)
{
	struct pt_iter i = { .root = r->as->root, .va = r->start, .end = r->end };
	struct region_figures f = { .resident = 0 };

	assert(mutex_held(&r->as->lock));
	while (pt_next(&i)) {
		struct page *p = pte_page(*i.e);
		u32 refs = atomic_load(&p->refs), mapped = MAX(refs - page_is_file(p), 1u);

		f.resident += PAGE_SIZE;
		f.anonymous += page_is_file(p) ? 0 : PAGE_SIZE;
		f.private += mapped == 1 ? PAGE_SIZE : 0;
		f.share += PAGE_SIZE / mapped;
	}
	return f;
}

struct as_figures as_figures(struct addr_space *as)
{
	struct as_figures f;

	mutex_lock(&as->lock);
	f = (struct as_figures){
		.size = as->total_pages, .size_peak = as->peak_pages,
		.resident = as->resident, .peak = as->peak,
		.locked = as->locked_pages, .tables = as_tables(as),
	};
	for (struct region *r = region_first(as); r; r = region_next(r)) {
		u64 pages = (r->end - r->start) / PAGE_SIZE;

		if (r->flags & REGION_STACK)
			f.stack += pages;
		else if (r->prot & VM_EXEC)
			f.text += pages;
		else if (r->prot & VM_WRITE && !(r->flags & REGION_SHARED))
			f.data += pages;
		if (r->inode)
			*(r->flags & REGION_SHARED ? &f.shared : &f.file) += file_pages_in(as, r);
	}
	mutex_unlock(&as->lock);
	return f;
}
