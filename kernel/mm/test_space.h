/*
 * Shared by the tests of address spaces: a space, a mapping, one word of a page.
 */
#pragma once

#include "space.h"

#include "sched/cpu.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define BASE	0x40000000UL
#define RW	(VM_READ | VM_WRITE)

#define PAGE_AT(i)	(BASE + (u64)(i) * PAGE_SIZE)

static inline struct addr_space *new_space(void)
{
	struct addr_space *as = NULL;
	int err = as_create(&as);

	REQUIRE(!err, "mm.space", "as_create: %d", err);
	return as;
}

static inline int map_at(struct addr_space *as, vaddr_t addr, u64 pages, unsigned prot,
			 unsigned flags)
{
	struct map_request req = { .addr = addr, .size = pages * PAGE_SIZE, .prot = prot,
				   .flags = flags, .fixed = true };
	vaddr_t at;
	int err = as_map(as, &req, &at);

	CHECK(err || at == addr, "mm.space.map", "fixed mapping at %lx is at %lx", addr, at);
	return err;
}

/* Write or read one word of a page, by the fault path, without loading the space. */
static inline int poke(struct addr_space *as, vaddr_t va, u64 value)
{
	int err;
	struct page *p = as_pin_page(as, va, VM_WRITE, &err);

	if (!p)
		return err;
	*(u64 *)((char *)page_to_virt(p) + va % PAGE_SIZE) = value;
	page_put(p);
	return 0;
}

static inline int peek(struct addr_space *as, vaddr_t va, u64 *value)
{
	int err;
	struct page *p = as_pin_page(as, va, VM_READ, &err);

	if (!p)
		return err;
	*value = *(u64 *)((char *)page_to_virt(p) + va % PAGE_SIZE);
	page_put(p);
	return 0;
}

static inline int forget(struct addr_space *as, vaddr_t at, u64 pages)
{
	return as_advise(as, at, at + pages * PAGE_SIZE, MADV_DONTNEED);
}

static inline int resize_map(struct addr_space *as, vaddr_t old, u64 pages, u64 new_pages,
			     bool may_move, vaddr_t *at)
{
	struct remap m = { .old = old, .old_size = pages * PAGE_SIZE,
			   .new_size = new_pages * PAGE_SIZE, .may_move = may_move };

	return as_remap(as, &m, at);
}

/* Makes the current thread run on @as, or on no space (NULL). */
static inline void use_space(struct addr_space *as)
{
	irq_off();
	current_thread()->as = as;
	as_switch(as);
	irq_on();
}
