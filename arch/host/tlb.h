/*
 * TLBs of the virtual CPUs, and pages to map, for scenarios.
 */
#pragma once

#include "mm/mm.h"
#include "mm/page.h"
#include "mm/vm.h"
#include "types.h"

#define HOST_PAGES	4

/* Where a scenario maps page i, and the page: its only reference is that of the mapping. */
#define HOST_VA(i)	(0x100000UL + (i) * PAGE_SIZE)
extern struct page host_pages[HOST_PAGES];

/* Whether the last reference to page @i is gone. */
bool host_page_freed(unsigned i);

/*
 * This CPU's TLB: the entry for HOST_VA(@i) that it has cached, 0: none. Only the CPU itself looks,
 * so nothing happens between this and what comes next, unless that is a pause.
 */
u64 host_tlb(unsigned i);
u64 host_tlb_of(unsigned cpu, unsigned i);	/* when nothing goes on any more */

/* User code accesses HOST_VA(@i): uses what is cached, or walks *@entry and caches it, unless 0. */
u64 host_tlb_access(unsigned i, const _Atomic u64 *entry);

/* Loads @as, as as_switch() does; NULL: the kernel's own. Interrupts are off. */
void host_space_load(struct addr_space *as);

/* How often CPU @cpu was asked to flush. */
unsigned host_shootdowns(unsigned cpu);
