/* Lab 07, step 5: CPUs that use a page, by way of their TLBs, while it is replaced by its copy. */
#include "spaces.h"

#include "sched/cpu.h"
#include "tlb.h"

#define VA	HOST_VA(0)		/* of such an address a CPU caches the entry */

static struct addr_space *space;
static pte_t *entry_of_page;

/* A space with a page that its child owns as well; returns the child's space. */
static struct addr_space *share_a_page(void)
{
	struct addr_space *child;

	space = new_space_at(VA, 1, RW);
	put_at(space, VA, 7);
	child = fork_of(space);
	entry_of_page = entry_at(space, VA);
	return child;
}
static struct actor reader, writer;
static _Atomic bool cached, begun;
static struct page *_Atomic written;	/* the page that another CPU has written to */

static pte_t entry_used(void)
{
	return host_tlb_access(0, (const _Atomic u64 *)entry_of_page);
}

static struct page *page_read(void)
{
	return pte_page(entry_used());
}

static void load_space(struct addr_space *as)
{
	irq_off();
	host_space_load(as);
	irq_on();
}

/* This CPU has the page's entry in its TLB until the other one has begun, or longer. */
static void cache_it(void)
{
	load_space(space);
	page_read();
	cached = true;
	while (!begun)
		arch_spin_hint();
}

static int read_before_and_after(void)
{
	struct page *p;

	cache_it();
	page_read();			/* flushed too early, the old entry is cached again */
	while (!written)
		arch_spin_hint();
	p = page_read();
	expect(p == written, "the copy is written to, and another CPU still reads the old page");
	load_space(NULL);
	return 0;
}

/* Looks at the entry without a lock, as hardware does, and faults until the write is allowed. */
static int write_to_copy(void)
{
	pte_t e;

	while (!begun)
		arch_spin_hint();
	for (unsigned faults = 0;; faults++) {
		e = __atomic_load_n(entry_of_page, __ATOMIC_ACQUIRE);
		if (pte_prot(e) & VM_WRITE)
			break;
		expect(faults < 2, "a write faults for ever");
		expect(!as_fault(space, VA, VM_WRITE), "a fault is not resolved");
	}
	written = pte_page(e);
	return 0;
}

/*
 * Three threads of one process: two want to write to a page that a child owns as well, and one has
 * read it. As soon as one has written to the copy, no CPU may read the old page any more.
 */
SCENARIO(flushed, "share.flushed", "07.5", "P7.9", .cpus = 3, .bootargs = ALONE, .sets_up = true,
	 .keeps = true)
{
	int err;

	stay_on(0);
	share_a_page();
	act_on(1, &reader, read_before_and_after);
	act_on(2, &writer, write_to_copy);
	while (!cached)
		arch_spin_hint();
	explore_from_here();
	begun = true;
	err = as_fault(space, VA, VM_WRITE);
	expect(!err, "a fault gives %d", err);
	end_here();
}

/* Looks at the entry without a lock, as hardware does, and reads what it allows. */
static int read_twice(void)
{
	for (unsigned i = 0; i < 2; i++) {
		pte_t e = __atomic_load_n(entry_of_page, __ATOMIC_ACQUIRE);

		if (pte_prot(e) & VM_READ)
			expect(*(u64 *)page_to_virt(pte_page(e)) == 7,
			       "another thread reads %lu in the copy of a page of 7",
			       *(u64 *)page_to_virt(pte_page(e)));
	}
	return 0;
}

/* A copy can be read when it is whole, not before. */
SCENARIO(read_meanwhile, "share.read_meanwhile", "07.5", "P7.7", .cpus = 2, .bootargs = ALONE,
	 .sets_up = true, .keeps = true)
{
	int err;

	stay_on(0);
	share_a_page();
	explore_from_here();
	act_on(1, &reader, read_twice);
	err = as_fault(space, VA, VM_WRITE);
	expect(!err, "a fault gives %d", err);
	end_here();
}

static const char *no_tlb_has_the_old_page(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		pte_t e = host_tlb_of(i, 0);

		if (e && pte_page(e) != pte_page(*entry_of_page))
			return wrong("the page was replaced, and CPU %u can still read the old one",
				     i);
	}
	return NULL;
}

/* --- A fork whose pages have holes between them ----------------------------------------------- */

static pte_t *entries[3];

/* Not page 1: nothing is there. */
static const char *no_tlb_allows_a_write(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(entries); i += 2)
		if (pte_prot(host_tlb_of(0, i)) & VM_WRITE)
			return wrong("page %u is shared, and a CPU can still write to it", i);
	return NULL;
}

SCENARIO(flushed_holes, "share.flushed_holes", "07.5", "P7.9", .cpus = 1,
	 .after = no_tlb_allows_a_write, .keeps = true)
{
	space = new_space_at(VA, ARRAY_SIZE(entries), RW);
	for (unsigned i = 0; i < ARRAY_SIZE(entries); i += 2) {
		put_at(space, HOST_VA(i), 7);
		entries[i] = entry_at(space, HOST_VA(i));
	}
	load_space(space);
	for (unsigned i = 0; i < ARRAY_SIZE(entries); i += 2)
		host_tlb_access(i, (const _Atomic u64 *)entries[i]);
	fork_of(space);
	end_here();
}

/* --- Two more CPUs, and each is told ---------------------------------------------------------- */

static _Atomic unsigned users;

/* The program writes to page 0, and reads page 1, which a child owns as well. */
static int use_both_pages(void)
{
	load_space(space);
	for (unsigned i = 0; i < 2; i++)
		host_tlb_access(i, (const _Atomic u64 *)entries[i]);
	users++;
	while (!begun)
		arch_spin_hint();
	return 0;
}

static const char *all_were_told(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		pte_t e = host_tlb_of(i, 1);

		if (pte_prot(host_tlb_of(i, 0)) & VM_WRITE)
			return wrong("a page is shared, and CPU %u can still write to it", i);
		if (e && pte_page(e) != pte_page(*entries[1]))
			return wrong("a page was replaced, and CPU %u can still read it", i);
	}
	return NULL;
}

/* A fork takes the right from page 0, and a write replaces page 1. */
SCENARIO(all_flushed, "share.all_flushed", "07.5", "P7.9", .cpus = 3, .bootargs = ALONE,
	 .sets_up = true, .after = all_were_told, .keeps = true)
{
	stay_on(0);
	space = new_space_at(VA, 2, RW);
	put_at(space, HOST_VA(1), 7);
	fork_of(space);
	put_at(space, VA, 7);
	for (unsigned i = 0; i < 2; i++)
		entries[i] = entry_at(space, HOST_VA(i));
	act_on(1, &reader, use_both_pages);
	act_on(2, &writer, use_both_pages);
	while (users < 2)
		arch_spin_hint();
	explore_from_here();
	fork_of(space);
	expect(!as_fault(space, HOST_VA(1), VM_WRITE), "a fault is not resolved");
	begun = true;
	end_here();
}

/* --- A write into another space --------------------------------------------------------------- */

static int read_it(void)
{
	cache_it();
	return 0;
}

/* This thread has the child's space, and writes to a page of the parent's. */
static void pin_from_elsewhere(void)
{
	int err;
	struct page *p = as_pin_page(space, VA, VM_WRITE, &err);

	expect(p, "a pin gives %d", err);
	page_put(p);
	current_thread()->as = NULL;
}

/* The page is replaced by a thread of another process, as a debugger does, with its own space. */
SCENARIO(from_elsewhere, "share.from_elsewhere", "07.6", "P7.9", .cpus = 2, .bootargs = ALONE,
	 .sets_up = true, .after = no_tlb_has_the_old_page, .keeps = true)
{
	stay_on(0);
	current_thread()->as = share_a_page();
	act_on(1, &reader, read_it);
	while (!cached)
		arch_spin_hint();
	explore_from_here();
	pin_from_elsewhere();
	begun = true;
	end_here();
}

/* --- A writer that is moved while its fault is resolved --------------------------------------- */

static int write_it(void)
{
	int err = as_fault(space, VA, VM_WRITE);

	expect(!err, "a fault gives %d", err);
	return err;
}

static int move_writer(void)
{
	return sched_set_affinity(writer.thread, BIT(1));
}

/* CPU 0 has the space loaded and the page cached; the writer leaves it at any moment. */
SCENARIO(moved, "share.moved", "07.5", "P7.9", .cpus = 2, .bootargs = ALONE, .sets_up = true,
	 .after = no_tlb_has_the_old_page, .keeps = true)
{
	stay_on(0);
	share_a_page();
	load_space(space);
	page_read();
	explore_from_here();
	act_on(0, &writer, write_it);
	act_on(1, &reader, move_writer);
	end_here();
}

/* --- A CPU that joins the space while a page is replaced -------------------------------------- */

static int join_and_read(void)
{
	load_space(space);
	entry_used();
	return 0;
}

/* Whenever it joins, beside the writer's own CPU, either it finds the copy, or it is told. */
SCENARIO(joined, "share.joined", "07.5", "P7.9", .cpus = 2, .bootargs = ALONE, .sets_up = true,
	 .after = no_tlb_has_the_old_page, .keeps = true)
{
	int err;

	stay_on(0);
	share_a_page();
	load_space(space);
	explore_from_here();
	act_on(1, &reader, join_and_read);
	err = fault_as_its_thread(space, VA);
	expect(!err, "a fault gives %d", err);
	end_here();
}

/* No CPU has the space until one joins it, while the page is replaced from another process. */
SCENARIO(pin_joined, "share.joined_while_pinned", "07.6", "P7.9", .cpus = 2, .bootargs = ALONE,
	 .sets_up = true, .after = no_tlb_has_the_old_page, .keeps = true)
{
	stay_on(0);
	current_thread()->as = share_a_page();
	explore_from_here();
	act_on(1, &reader, join_and_read);
	pin_from_elsewhere();
	end_here();
}

/* --- A right that came back, of which a CPU has not heard ------------------------------------- */

/* Faults while its TLB forbids the write, whatever the table says by then. */
static int write_by_tlb(void)
{
	cache_it();
	for (unsigned faults = 0; !(pte_prot(entry_used()) & VM_WRITE); faults++) {
		expect(faults < 2, "the TLB's entry is old, and a write faults for ever");
		expect(!as_fault(space, VA, VM_WRITE), "a fault is not resolved");
	}
	load_space(NULL);
	return 0;
}

/* The last owner has the right to write again, and the other CPU's TLB an entry without it. */
SCENARIO(given_back, "share.given_back", "07.5", "P7.4", .cpus = 2, .bootargs = ALONE,
	 .sets_up = true, .keeps = true)
{
	stay_on(0);
	as_put(share_a_page());
	act_on(1, &reader, write_by_tlb);
	while (!cached)
		arch_spin_hint();
	explore_from_here();
	write_it();
	begun = true;
	end_here();
}
