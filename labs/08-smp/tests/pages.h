/*
 * A space of lab 08's tests: its pages begin at BASE, and kernel threads may use it.
 */
#pragma once

#include "crew.h"

#include "mm/space.h"
#include "mm/vm.h"

#define BASE	0x40000000UL
#define RW	(VM_READ | VM_WRITE)
#define PAGES	(2 * BATCH_PAGES + 5)
#define ROUNDS	30

#define PAGE_AT(i)	(BASE + (u64)(i) * PAGE_SIZE)

static inline void allow_one(struct thread *t, const void *cpu, u64 now)
{
	(void)now;
	t->affinity = t->se.affinity = BIT(*(const unsigned *)cpu);
}

/*
 * For an interrupt: the thread that it came to, if it is @t, leaves for @cpu when it returns, as
 * a thread that is changed while it runs is looked at again.
 */
static inline void send_away(struct thread *t, unsigned cpu)
{
	if (current_thread() == t)
		sched_change(t, allow_one, &cpu);
}

static inline int map_pages(struct addr_space *as, u64 pages)
{
	struct map_request req = { .addr = BASE, .size = pages * PAGE_SIZE, .prot = RW,
				   .fixed = true };
	vaddr_t at;

	return as_map(as, &req, &at);
}

static inline void new_space(struct addr_space **as, u64 pages)
{
	REQUIRE(as_create(as) == 0 && map_pages(*as, pages) == 0, ktest_property(),
		"no memory for an address space");
}

/* Makes the current thread run on @as, or on no space (NULL). */
static inline void use_space(struct addr_space *as)
{
	irq_off();
	current_thread()->as = as;
	as_switch(as);
	irq_on();
}

static inline int put_word(vaddr_t va, u64 value)
{
	return copy_to_user(va, &value, sizeof(value));
}
