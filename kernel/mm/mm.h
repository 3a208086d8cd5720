/*
 * Physical pages and kernel memory.
 *
 * Physical memory is taken in blocks of 2 MiB. A block is mapped and gets its struct page array
 * (in its own first pages) only when the allocator first needs it, so boot does no work
 * proportional to memory size.
 */
#pragma once

#include "arch.h"
#include "base/list.h"
#include "types.h"

#define BLOCK_SHIFT	21
#define BLOCK_SIZE	(1UL << BLOCK_SHIFT)
#define PAGE_MAX_ORDER	8	/* 1 MiB: a block's own descriptors keep it from being whole */

struct kmem_cache;

struct page {
	_Atomic u32 refs;		/* 0: free */
	u8 order;			/* of the allocation or free chunk this page heads */
	u8 flags;			/* PAGE_* below and in page.h */
	union {
		struct list_node node;		/* free: in its order's list */
		struct kmem_cache *cache;	/* slab: owner of the objects in it */
		u64 tables;	/* root of a user's page table: how many are below; [as->lock] */
	};
};

/* page->flags; page.h has the others */
#define PAGE_FILE	8u		/* belongs to a file until it is freed; else to processes */

static inline bool page_is_file(const struct page *p)
{
	return p->flags & PAGE_FILE;
}

/* page_alloc() flags */
#define PAGE_ZERO	1u		/* filled with zeros */

/* For the port, at boot. Too many reserved ranges panic; RAM that does not fit is not used. */
void machine_add_ram(paddr_t start, u64 size);
void machine_reserve(paddr_t start, u64 size);
void machine_direct_map(paddr_t start, u64 size);	/* arch_direct_map() for a whole range */

void page_init(void);			/* from machine.ram and machine.reserved */

/* Returns 2^order pages, one reference; NULL if memory is short. Any context without LOCK_PAGE. */
struct page *page_alloc(unsigned order, unsigned flags);
struct page *page_get(struct page *p);
void page_put(struct page *p);		/* the last reference frees it */

static inline void *phys_to_virt(paddr_t pa)
{
	return (void *)(ARCH_DIRECT_BASE + pa);
}

/* Only for addresses in the direct map. */
static inline paddr_t virt_to_phys(const void *va)
{
	return (u64)va - ARCH_DIRECT_BASE;
}

static inline struct page *phys_to_page(paddr_t pa)
{
	struct page *block = phys_to_virt(ALIGN_DOWN(pa, BLOCK_SIZE));

	return &block[(pa & (BLOCK_SIZE - 1)) >> PAGE_SHIFT];
}

static inline paddr_t page_to_phys(const struct page *p)
{
	u64 block = ALIGN_DOWN((u64)p, BLOCK_SIZE);

	return virt_to_phys((void *)block) + (((u64)p - block) / sizeof(struct page) << PAGE_SHIFT);
}

static inline void *page_to_virt(const struct page *p)
{
	return phys_to_virt(page_to_phys(p));
}

static inline struct page *virt_to_page(const void *va)
{
	return phys_to_page(virt_to_phys(va));
}

u64 page_total(void);			/* pages the allocator has, free or not */
void page_count_node(unsigned node, u64 *total, u64 *free);	/* the same for one node */
u64 page_free_count(void);		/* how many are free; exact after page_drain() */
void page_drain(void);			/* gives per-CPU caches back */

/*
 * Slab caches (Bonwick 1994): objects of one size, per-CPU free lists in front. Debug builds poison
 * freed objects, check redzones, and quarantine.
 */
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align);
void *kmem_cache_alloc(struct kmem_cache *c);	/* contents undefined; NULL if memory is short */
void *kmem_cache_zalloc(struct kmem_cache *c);
void kmem_cache_free(struct kmem_cache *c, void *obj);
void slab_init(void);
void slab_drain(void);			/* gives cached objects and empty slabs back */

/* Allocates any size up to 1 MiB; NULL if memory is short. */
void *kmalloc(size_t size);
void *kzalloc(size_t size);
void kfree(void *p);

/*
 * Kernel mappings in [ARCH_VMAP_BASE, ARCH_VMAP_END). None of these blocks. A mapping must be
 * flushed from every TLB before its address space is released.
 */
void kvm_init(void);				/* after slab_init() */
vaddr_t kvm_reserve(size_t size);		/* address space above a guard page; 0: none left */
void kvm_release(vaddr_t va, size_t size);
int kvm_map_page(vaddr_t va, paddr_t pa, unsigned prot);
paddr_t kvm_unmap_page(vaddr_t va);		/* caller flushes */
void *kvm_map_device(paddr_t pa, size_t size);	/* uncached, for ever; NULL: memory is short */

/* Drops this CPU's translations of [start, end). Any context. */
void tlb_flush_here(vaddr_t start, vaddr_t end);

/* Drops them on every CPU of @set, returns when all have. Interrupts are on, no spin lock held. */
void tlb_flush_on(u32 set, vaddr_t start, vaddr_t end);

void *kstack_alloc(void); /* KSTACK_SIZE bytes above a guard page; NULL if memory is short */
void kstack_free(void *stack);

/* Unmaps cached kernel stacks but for @keep of them. May block: it waits for every CPU's TLB. */
#define KSTACK_KEEP	16
void kstack_trim(unsigned keep);

/* Gives everything cached back to where it came from, so that all counts are exact. May block. */
void mm_drain(void);

/* Test kernels, at a quiet point, after mm_drain(): panics unless lists and counts agree. */
void mm_check(void);

/* Test kernels: whether this allocation must fail. See kernel/test/inject.c. */
bool inject_alloc_fails(void);
