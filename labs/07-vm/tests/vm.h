/*
 * Shared by the tests of memory: a space, its mappings, and what its page table says. The tests
 * read the table by a walk of their own, and the pages through the kernel's direct map.
 */
#pragma once

#include "mm/space.h"

#include "base/counters.h"
#include "base/string.h"
#include "errno.h"
#include "sched/cpu.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define BASE		0x40000000UL
#define RW		(VM_READ | VM_WRITE)
#define RIGHTS		(VM_READ | VM_WRITE | VM_EXEC)

#define PAGE_AT(i)	(BASE + (u64)(i) * PAGE_SIZE)

static inline struct addr_space *new_space(void)
{
	struct addr_space *as = NULL;
	int err = as_create(&as);

	REQUIRE(!err, ktest_property(), "no space was made: error %d", err);
	return as;
}

static inline void map_at(struct addr_space *as, vaddr_t addr, u64 pages, unsigned prot,
			  unsigned flags)
{
	struct map_request req = { .addr = addr, .size = pages * PAGE_SIZE, .prot = prot,
				   .flags = flags, .fixed = true };
	vaddr_t at;
	int err = as_map(as, &req, &at);

	REQUIRE(!err, ktest_property(), "no mapping was made: error %d", err);
}

/* A fault on the page of @va, without a stack that grows. */
static inline int fault_at(struct addr_space *as, vaddr_t va, unsigned access)
{
	int err;

	mutex_lock(&as->lock);
	err = fault_resolve(as, va, access);
	mutex_unlock(&as->lock);
	return err;
}

/* Returns the entry of @va; NULL if a table is missing, or if @va is not a user's. */
static inline pte_t *entry_in(paddr_t root, vaddr_t va)
{
	pte_t *table = phys_to_virt(root);

	if (va >= ARCH_USER_END)
		return NULL;
	for (unsigned level = ARCH_PT_LEVELS - 1; level > 0; level--) {
		pte_t pte = table[(va >> pt_shift(level)) % 512];

		if (!arch_pte_present(pte))
			return NULL;
		table = pt_table(pte);
	}
	return &table[(va >> PAGE_SHIFT) % 512];
}

/* The entry's value; 0 also if there is no table. */
static inline pte_t pte_at(struct addr_space *as, vaddr_t va)
{
	pte_t *e = entry_in(as->root, va);

	return e ? *e : 0;
}

static inline struct page *page_at(struct addr_space *as, vaddr_t va)
{
	pte_t pte = pte_at(as, va);

	return pte ? pte_page(pte) : NULL;
}

/* The rights of a program there; 0 if no page is there. */
static inline unsigned rights_at(struct addr_space *as, vaddr_t va)
{
	return pte_prot(pte_at(as, va)) & RIGHTS;
}

static inline unsigned owners(const struct page *p)
{
	return p ? atomic_load(&p->refs) : 0;
}

/* The first word of a page that is there. */
static inline u64 *word_at(struct addr_space *as, vaddr_t va)
{
	struct page *p = page_at(as, va);

	REQUIRE(p, ktest_property(), "no page is mapped at 0x%lx", va);
	return page_to_virt(p);
}

/* Does what a program does when it writes @value, with the faults that this takes. */
static inline int store(struct addr_space *as, vaddr_t va, u64 value)
{
	int err = 0;

	if (!(rights_at(as, va) & VM_WRITE))
		err = fault_at(as, va, VM_WRITE);
	if (err)
		return err;
	REQUIRE(rights_at(as, va) & VM_WRITE, ktest_property(),
		"a write to 0x%lx counts as resolved, and would fault again", va);
	*word_at(as, va) = value;
	return 0;
}

static inline struct addr_space *fork_of(struct addr_space *as)
{
	struct addr_space *child = NULL;
	int err = as_fork(as, &child);

	REQUIRE(!err, ktest_property(), "fork fails: error %d", err);
	return child;
}

/* Makes the current thread run on @as, or on no space (NULL). */
static inline void use_space(struct addr_space *as)
{
	irq_off();
	current_thread()->as = as;
	as_switch(as);
	irq_on();
}

/* Fills many free pages, so that a page that is not cleared shows it. */
static inline void dirty_free_pages(void)
{
	static struct page *pages[256];

	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = page_alloc(0, 0);
		if (pages[i])
			memset(page_to_virt(pages[i]), 0xee, PAGE_SIZE);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i])
			page_put(pages[i]);
}

/* Returns how many bytes of [from, to) in the page at @va are not @byte. */
static inline unsigned bytes_not(struct addr_space *as, vaddr_t va, unsigned from, unsigned to,
				 u8 byte)
{
	const u8 *p = (u8 *)word_at(as, va);
	unsigned n = 0;

	for (unsigned i = from; i < to; i++)
		n += p[i] != byte;
	return n;
}
