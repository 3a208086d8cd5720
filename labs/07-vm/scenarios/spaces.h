/*
 * Spaces of one page for scenarios, which are the threads that fault on it. They read and write it
 * by way of the page table, as their program would.
 */
#pragma once

#include "explore/scenario.h"

#include "errno.h"
#include "mm/space.h"
#include "pages.h"

#define BASE	0x40000000UL
#define RW	(VM_READ | VM_WRITE)
#define ALONE	"steal=off balance=off"

static inline pte_t *entry(struct addr_space *as)
{
	return pt_walk(as->root, BASE, false);
}

static inline struct page *page_of(struct addr_space *as)
{
	pte_t *e = entry(as);

	/* A wrong walk may lead to words that are no entries. */
	return e && *e && arch_pte_pa(*e) < BLOCK_SIZE ? pte_page(*e) : NULL;
}

static inline unsigned owners(struct addr_space *as)
{
	struct page *p = page_of(as);

	return p ? atomic_load(&p->refs) : 0;
}

static inline struct addr_space *new_space(unsigned prot)
{
	struct map_request req = { .addr = BASE, .size = PAGE_SIZE, .fixed = true, .prot = prot };
	struct addr_space *as;
	vaddr_t at;

	expect(!as_create(&as), "no space could be made");
	expect(!as_map(as, &req, &at), "nothing could be mapped");
	return as;
}

/* Faults until the program can access the page, which it has then, and as->lock is held. */
static inline void fault_until(struct addr_space *as, unsigned access)
{
	for (unsigned faults = 0;; faults++) {
		int err;

		mutex_lock(&as->lock);
		if (page_of(as) && pte_prot(*entry(as)) & access)
			return;
		mutex_unlock(&as->lock);
		/* A fork may come between. */
		expect(faults < 2, "an access faults for ever");
		err = as_fault(as, BASE, access);
		expect(!err, "a fault gives %d", err);
	}
}

/* A write of the program. */
static inline void put(struct addr_space *as, u64 value)
{
	fault_until(as, VM_WRITE);
	*(u64 *)page_to_virt(page_of(as)) = value;
	mutex_unlock(&as->lock);
}

static inline u64 get(struct addr_space *as)
{
	u64 value;

	fault_until(as, VM_READ);
	value = *(u64 *)page_to_virt(page_of(as));
	mutex_unlock(&as->lock);
	return value;
}

static inline void expect_all_given_back(void)
{
	expect(!host_memory_in_use(), "%d pages are not given back", host_memory_in_use());
}

/* The page's first word, when nothing goes on any more. */
static inline u64 left_in(struct addr_space *as)
{
	struct page *p = page_of(as);

	return p ? *(u64 *)page_to_virt(p) : ~0UL;
}

static inline struct addr_space *fork_of(struct addr_space *as)
{
	struct addr_space *child = NULL;
	int err = as_fork(as, &child);

	expect(!err, "a fork gives %d", err);
	return child;
}
