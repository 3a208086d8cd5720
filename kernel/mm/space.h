/*
 * Inside address spaces: page table walks (walk.c), regions (region.c), batched TLB flushes
 * (shootdown.c), faults (fault.c, cow.c). All of it needs as->lock.
 */
#pragma once

#include "mm/mm.h"
#include "mm/vm.h"

#define MMAP_MIN	0x10000UL		/* nothing is mapped below: null pointers fault */
#define STACK_GAP	(256 * PAGE_SIZE)	/* a stack stays this far from what is below it */
#define NO_CEILING	(~0UL)

/* --- Page table entries ----------------------------------------------------------------------- */

/*
 * A page to which no access is allowed (PROT_NONE) keeps its contents: its entry holds the frame
 * but is not present to the hardware (on every port: bit 0 is clear). An entry of 0 has no page.
 */
#define PTE_PARKED	2UL

/* Release: a table walk on another CPU that sees the entry sees the page's contents. */
static inline void pte_set(pte_t *e, pte_t pte)
{
	__atomic_store_n(e, pte, __ATOMIC_RELEASE);
}

static inline struct page *pte_page(pte_t pte)
{
	return phys_to_page(arch_pte_present(pte) ? arch_pte_pa(pte) : ALIGN_DOWN(pte, PAGE_SIZE));
}

static inline unsigned pte_prot(pte_t pte)
{
	return arch_pte_present(pte) ? arch_pte_prot(pte) : 0;
}

/*
 * Whether others own the page too: only a sole owner may write to it in place. A file that has
 * given up a page takes it out of all spaces next, so nobody may write to that one for himself.
 */
static inline bool page_is_shared(struct page *p)
{
	return page_is_file(p) || atomic_load_explicit(&p->refs, memory_order_acquire) > 1;
}

/* Returns the entry for @p in @r, by the region's rights and the page's owners (cow.c). */
pte_t cow_pte(const struct region *r, struct page *p);

/* Resolves a write to page @va of @r, whose entry @e does not allow it. 0 or -ENOMEM. */
int cow_write(struct addr_space *as, struct region *r, vaddr_t va, pte_t *e) HOLDS(as->lock);

/* fork: makes the parent's entry @e one for both, and counts a reference. True: it lost a right. */
bool cow_share(const struct region *r, pte_t *e);

/* --- walk.c ----------------------------------------------------------------------------------- */

/* An entry at @level spans 1 << pt_shift(level) bytes; a table has 512 of them. */
static inline unsigned pt_shift(unsigned level)
{
	return PAGE_SHIFT + 9 * level;
}

static inline pte_t *pt_entry(pte_t *table, vaddr_t va, unsigned level)
{
	return &table[(va >> pt_shift(level)) % 512];
}

/* The table that a present entry above level 0 points to. */
static inline pte_t *pt_table(pte_t pte)
{
	return phys_to_virt(arch_pte_pa(pte));
}

/*
 * Returns the entries of [va, *next), all in one level-0 table: *next is @end or the table's end.
 * NULL: nothing has an entry before *next.
 */
pte_t *pt_run(paddr_t root, vaddr_t va, vaddr_t end, vaddr_t *next);

/*
 * A walk over the entries of [va, end) that have a page. Missing tables are passed over as a whole.
 *
 *	struct pt_iter i = { .root = root, .va = start, .end = end };
 *
 *	while (pt_next(&i))
 *		... *i.e is the entry of i.va, to be read or changed ...
 */
struct pt_iter {
	paddr_t root;
	vaddr_t va, end;
	vaddr_t stop;			/* where e's table ends */
	pte_t *e;
};

bool pt_next(struct pt_iter *i);

/* --- shootdown.c ------------------------------------------------------------------------------ */

#define BATCH_PAGES	32

/*
 * Memory taken out of the page table that may still be in a TLB: an address range, and the
 * pages to free once it no longer is.
 */
struct tlb_batch {
	struct addr_space *as;
	vaddr_t start, end;		/* entries changed in here; empty: none */
	unsigned n;
	struct page *pages[BATCH_PAGES];
};

void tlb_batch_init(struct tlb_batch *b, struct addr_space *as);
void tlb_batch_range(struct tlb_batch *b, vaddr_t start, vaddr_t end);
void tlb_batch_page(struct tlb_batch *b, vaddr_t va, struct page *p);	/* its entry is cleared */
void tlb_batch_table(struct tlb_batch *b, struct page *p);		/* its entry is cleared */
void tlb_batch_flush(struct tlb_batch *b);

/* Drops every CPU's translations of [start, end) of @as. Its entries have been changed before. */
void tlb_flush_range(struct addr_space *as, vaddr_t start, vaddr_t end);

/* --- region.c --------------------------------------------------------------------------------- */

static inline struct region *to_region(struct rb_node *n)
{
	return n ? container_of(n, struct region, node) : NULL;
}

static inline struct region *region_first(const struct addr_space *as)
{
	return to_region(rb_first(&as->regions));
}

static inline struct region *region_next(const struct region *r)
{
	return to_region(rb_next(&r->node));
}

static inline struct region *region_prev(const struct region *r)
{
	return to_region(rb_prev(&r->node));
}

/* Writable and executable memory is readable too: not every port can forbid it. */
static inline unsigned region_prot(unsigned asked)
{
	return asked & (VM_WRITE | VM_EXEC) ? asked | VM_READ : asked;
}

/* The region that holds @va, or the first that ends above it; NULL if there is none. */
struct region *region_find(const struct addr_space *as, vaddr_t va);
struct region *region_above(const struct addr_space *as, vaddr_t va);

struct region *region_copy(const struct region *from);		/* in no tree; NULL: no memory */
void region_free(struct region *r);
void regions_free(struct region *gone);				/* a chain by region->next */
void region_init(void);
void region_insert(struct addr_space *as, struct region *r);	/* merged with its like */
void region_link(struct addr_space *as, struct region *r);	/* without merging */
void region_remove(struct addr_space *as, struct region *r);

/* Splits regions that @start or @end fall inside of. -ENOMEM: nothing has changed. */
int region_isolate(struct addr_space *as, vaddr_t start, vaddr_t end);
void region_merge_at(struct addr_space *as, vaddr_t va);	/* if two alike meet there */
void region_resize(struct addr_space *as, struct region *r, vaddr_t start, vaddr_t end);
void region_update(struct rb_node *n);				/* low, high and gap */

/* A place for @size bytes: @wish if that is free, else the highest below mmap_top; 0: none. */
vaddr_t region_gap(const struct addr_space *as, vaddr_t wish, u64 size);
bool region_none_in(const struct addr_space *as, vaddr_t start, vaddr_t end);
/* Returns where the first hole of [start, end) is, else @end. */
vaddr_t region_run_end(const struct addr_space *as, vaddr_t start, vaddr_t end);

/* Gives mapped parts of [start, end) the flags @set instead of those of @mask. */
int region_set_flags(struct addr_space *as, vaddr_t start, vaddr_t end, unsigned mask,
		     unsigned set);
void region_merge_range(struct addr_space *as, vaddr_t start, vaddr_t end);
u64 region_mapped_pages(const struct addr_space *as, vaddr_t start, vaddr_t end);

/* --- rmap.c: the regions that a file backs ---------------------------------------------------- */

void rmap_add(struct region *r);
void rmap_remove(struct region *r);
void rmap_renew(struct region *r);		/* it has taken over another's entries */

/* --- map.c, zap.c ----------------------------------------------------------------------------- */

/* Rounds a user's range to whole pages. -EINVAL if it is empty, not aligned, or not user space. */
int as_range(vaddr_t addr, u64 size, vaddr_t *end);

/*
 * Check whether @more pages of a region with @prot and @flags would exceed RLIMIT_AS, RLIMIT_DATA,
 * or what the machine could ever hold: 0 or -ENOMEM. The limits are the current process's.
 */
int as_may_add(const struct addr_space *as, u64 more, unsigned prot, unsigned flags);
int as_may_be_data(const struct addr_space *as, u64 more, unsigned prot, unsigned flags);
bool as_over_limit(const struct addr_space *as, u64 more);	/* RLIMIT_AS alone */
bool as_over_map_count(const struct addr_space *as, unsigned more);
bool as_over_lock_limit(const struct addr_space *as, u64 more);

/*
 * Unmaps [start, end). The regions that were there are chained to *gone, to be freed once as->lock
 * is released: the last reference to a file may go with them. -ENOMEM: nothing has changed.
 */
int as_clear(struct addr_space *as, vaddr_t start, vaddr_t end, struct region **gone);
void as_clear_all(struct addr_space *as, struct region **gone);		/* a space that ends */

/* Takes the pages of [start, end) out of the page table into @b. */
void zap_pages(struct tlb_batch *b, vaddr_t start, vaddr_t end);

/* Takes out the tables of [start, end) within [floor, ceiling), where nothing else is mapped. */
void zap_tables(struct tlb_batch *b, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling);

/* --- fault.c, space.c ------------------------------------------------------------------------- */

/* as_fault() for any space, and without growing a stack. */
int fault_resolve(struct addr_space *as, vaddr_t addr, unsigned access) HOLDS(as->lock);

void as_count_pages(struct addr_space *as, s64 n);	/* @n may be negative */
void vm_init(void);
