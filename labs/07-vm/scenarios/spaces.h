/*
 * Spaces of one page, or of a few, for scenarios, which are the threads that fault on them. They
 * read and write a page by way of the page table, as their program would.
 */
#pragma once

#include "explore/scenario.h"

#include "errno.h"
#include "mm/space.h"
#include "pages.h"

#define BASE	0x40000000UL
#define RW	(VM_READ | VM_WRITE)
#define ALONE	"steal=off balance=off"

static inline pte_t *entry_at(struct addr_space *as, vaddr_t va)
{
	return pt_walk(as->root, va, false);
}

static inline struct page *page_at(struct addr_space *as, vaddr_t va)
{
	pte_t *e = entry_at(as, va);

	/* A wrong walk may lead to words that are no entries. */
	return e && *e && arch_pte_pa(*e) < BLOCK_SIZE ? pte_page(*e) : NULL;
}

static inline pte_t *entry(struct addr_space *as)
{
	return entry_at(as, BASE);
}

static inline struct page *page_of(struct addr_space *as)
{
	return page_at(as, BASE);
}

static inline unsigned owners(struct addr_space *as)
{
	struct page *p = page_of(as);

	return p ? atomic_load(&p->refs) : 0;
}

static inline struct addr_space *new_space_at(vaddr_t start, unsigned pages, unsigned prot)
{
	struct map_request req = {
		.addr = start, .size = pages * PAGE_SIZE, .fixed = true, .prot = prot,
	};
	struct addr_space *as;
	vaddr_t at;

	expect(!as_create(&as), "no space could be made");
	expect(!as_map(as, &req, &at), "nothing could be mapped");
	return as;
}

static inline struct addr_space *new_space(unsigned prot)
{
	return new_space_at(BASE, 1, prot);
}

/* Faults until the program can access the page, which it has then, and as->lock is held. */
static inline void fault_until(struct addr_space *as, vaddr_t va, unsigned access)
{
	for (unsigned faults = 0;; faults++) {
		int err;

		mutex_lock(&as->lock);
		if (page_at(as, va) && pte_prot(*entry_at(as, va)) & access)
			return;
		mutex_unlock(&as->lock);
		/* A fork may come between. */
		expect(faults < 2, "an access faults for ever");
		err = as_fault(as, va, access);
		expect(!err, "a fault gives %d", err);
	}
}

/* One fault of a write, which this thread takes as one of the program's own threads does. */
static inline int fault_as_its_thread(struct addr_space *as, vaddr_t va)
{
	int err;

	current_thread()->as = as;
	err = as_fault(as, va, VM_WRITE);
	current_thread()->as = NULL;
	return err;
}

/* That fault gave @err, beside a call after which the page at @va may not be written any more. */
static inline const char *not_writable(struct addr_space *as, vaddr_t va, int err)
{
	pte_t *e = entry_at(as, va);

	if (err && err != -EFAULT)
		return wrong("a fault gives %d", err);
	return e && pte_prot(*e) & VM_WRITE
		       ? "a fault on what was mapped before lets a page be written that may not be"
		       : NULL;
}

/* A write of the program. */
static inline void put_at(struct addr_space *as, vaddr_t va, u64 value)
{
	fault_until(as, va, VM_WRITE);
	*(u64 *)page_to_virt(page_at(as, va)) = value;
	mutex_unlock(&as->lock);
}

static inline u64 get_at(struct addr_space *as, vaddr_t va)
{
	u64 value;

	fault_until(as, va, VM_READ);
	value = *(u64 *)page_to_virt(page_at(as, va));
	mutex_unlock(&as->lock);
	return value;
}

static inline void put(struct addr_space *as, u64 value)
{
	put_at(as, BASE, value);
}

static inline u64 get(struct addr_space *as)
{
	return get_at(as, BASE);
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
