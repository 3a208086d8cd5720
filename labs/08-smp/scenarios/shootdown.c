/*
 * Lab 08: translations that are taken away while other CPUs use them. The scenario's threads act as
 * user programs: they access pages through their CPU's TLB (arch/host/tlb.h).
 */
#include "explore/scenario.h"
#include "explore/tree.h"

#include "mm/space.h"
#include "sched/cpu.h"
#include "tlb.h"

#define ALONE	"steal=off balance=off"

static struct addr_space space = { .refs = 1 }, other_space = { .refs = 1 };
static _Atomic u64 entries[HOST_PAGES];		/* the page table: 0, or the page's number + 1 */
static _Atomic bool taken_away[HOST_PAGES];	/* the call that did it has returned */
static struct actor first, second;

/* An access of the current thread, which stays on its CPU. */
static void access_page(unsigned i)
{
	bool gone, freed;

	host_tlb_access(i, &entries[i]);
	freed = host_page_freed(i);
	expect(!freed || !host_tlb(i), "page %u is freed while CPU %u can still reach it", i,
	       thread_cpu(current_thread())->id);
	gone = atomic_load(&taken_away[i]);
	expect(!gone || !host_tlb(i), "page %u was taken away, and CPU %u can still reach it", i,
	       thread_cpu(current_thread())->id);
}

static void load_space(struct addr_space *as)
{
	irq_off();
	host_space_load(as);
	irq_on();
}

static void map_page(unsigned i)
{
	atomic_store(&entries[i], i + 1);
}

/* Unmaps one page, or several in one batch. */
static void unmap(struct addr_space *as, unsigned from, unsigned to)
{
	struct tlb_batch b;

	tlb_batch_init(&b, as);
	for (unsigned i = from; i < to; i++) {
		atomic_store_explicit(&entries[i], 0, memory_order_release);
		tlb_batch_page(&b, HOST_VA(i), &host_pages[i]);
	}
	tlb_batch_flush(&b);
	expect(!current_thread()->preempt_depth, "preemption stays off after the flush");
	for (unsigned i = from; i < to; i++) {
		expect(host_page_freed(i), "page %u is not freed", i);
		atomic_store(&taken_away[i], true);
	}
}

static int use_page(void)
{
	load_space(&space);
	access_page(0);
	access_page(0);
	load_space(NULL);
	return 0;
}

/* Another CPU runs in the space, has loaded it, or is about to: SHOOTDOWN1 and SHOOTDOWN2. */
SCENARIO(used, "shootdown.unmap", "08.6", "P8.10", .cpus = 2, .bootargs = ALONE, .keeps = true)
{
	stay_on(0);
	map_page(0);
	act_on(1, &first, use_page);
	unmap(&space, 0, 1);
	end_here();
}

static int use_page_later(void)
{
	load_space(&space);
	access_page(0);
	arch_spin_hint();		/* the other CPU's turn */
	access_page(0);
	load_space(NULL);
	return 0;
}

/* Takes page @i away without a batch, and keeps it. */
static void forbid(unsigned i)
{
	atomic_store_explicit(&entries[i], 0, memory_order_release);
	tlb_flush_range(&space, HOST_VA(i), HOST_VA(i + 1));
	atomic_store(&taken_away[i], true);
}

/*
 * Both look for what the other wrote last: the set and the entry. One of them has to see it, and no
 * batch is there to order them.
 */
SCENARIO(ordered, "shootdown.ordered", "08.6", "P8.9", .cpus = 2, .bootargs = ALONE, .keeps = true)
{
	stay_on(0);
	map_page(0);
	act_on(1, &first, use_page_later);
	forbid(0);
	end_here();
}

static _Atomic bool cached;

static int use_until_taken(void)
{
	load_space(&space);
	access_page(0);
	cached = true;
	while (!atomic_load(&taken_away[0])) {
		access_page(0);
		arch_spin_hint();
	}
	load_space(NULL);
	return 0;
}

/* The other CPU uses its translation until it is dropped: the page is still the space's. */
SCENARIO(in_use, "shootdown.in_use", "08.6", "P8.10", .cpus = 2, .bootargs = ALONE, .keeps = true)
{
	stay_on(0);
	map_page(0);
	act_on(1, &first, use_until_taken);
	while (!cached)
		arch_spin_hint();
	unmap(&space, 0, 1);
	end_here();
}

static int take_away(void)
{
	unmap(&space, 0, 1);
	return 0;
}

/* The same space is that of two processes (CLONE_VM): the caller is the only thread of its own. */
SCENARIO(of_two, "shootdown.of_two_processes", "08.6", "P8.9", .cpus = 2, .bootargs = ALONE,
	 .keeps = true)
{
	struct process *p = make_child();
	struct thread *t = create_actor_in(p, 0, &second, take_away);

	p->as = &space;
	stay_on(0);
	map_page(0);
	act_on(1, &first, use_until_taken);
	while (!cached)
		arch_spin_hint();
	start_actor(&second, t);
	end_here();
}

/* Its own translations count as well. */
SCENARIO(own, "shootdown.own", "08.6", "P8.9", .cpus = 1, .bootargs = ALONE, .keeps = true)
{
	load_space(&space);
	for (unsigned i = 0; i < 3; i++) {
		map_page(i);
		access_page(i);
	}
	unmap(&space, 0, 1);
	access_page(0);
	unmap(&space, 1, 3);
	access_page(1);
	access_page(2);
	load_space(NULL);
	end_here();
}

static void use_all_pages(void)
{
	for (unsigned i = 0; i < HOST_PAGES; i++) {
		map_page(i);
		access_page(i);
	}
}

/* The second range begins before the first one, and ends behind it. */
static void change_around(void)
{
	struct tlb_batch b;

	tlb_batch_init(&b, &space);
	for (unsigned i = 0; i < HOST_PAGES; i++)
		atomic_store_explicit(&entries[i], 0, memory_order_release);
	tlb_batch_range(&b, HOST_VA(1), HOST_VA(2));
	tlb_batch_range(&b, HOST_VA(0), HOST_VA(HOST_PAGES));
	tlb_batch_flush(&b);
	for (unsigned i = 0; i < HOST_PAGES; i++)
		expect(!host_tlb(i), "page %u has changed, around page 1: it can still be reached",
		       i);
}

/* Taken away in no order of addresses, and beside more that has changed. */
SCENARIO(any_order, "shootdown.any_order", "08.6", "P8.9", .cpus = 1, .bootargs = ALONE,
	 .keeps = true)
{
	static const u8 order[] = { 2, 0, 1 };
	struct tlb_batch b;

	load_space(&space);
	use_all_pages();
	change_around();
	use_all_pages();
	tlb_batch_init(&b, &space);
	atomic_store_explicit(&entries[3], 0, memory_order_release);
	tlb_batch_range(&b, HOST_VA(1), HOST_VA(4));	/* a right that page 3 loses, say */
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
		unsigned page = order[i];

		atomic_store_explicit(&entries[page], 0, memory_order_release);
		tlb_batch_page(&b, HOST_VA(page), &host_pages[page]);
	}
	tlb_batch_flush(&b);
	for (unsigned i = 0; i < HOST_PAGES; i++) {
		atomic_store(&taken_away[i], true);
		access_page(i);
		expect(host_page_freed(i) == (i < 3), "page %u is %s", i,
		       i < 3 ? "not freed" : "freed, and was only changed");
	}
	load_space(NULL);
	end_here();
}

#define LARGE	40u		/* pages */

static _Atomic unsigned asked, answered;	/* rounds */

static int cache_again(void)
{
	load_space(&space);
	for (unsigned round = 1; round <= LARGE; round++) {
		while (atomic_load(&asked) < round)
			arch_spin_hint();
		host_tlb_access(0, &entries[0]);
		atomic_store(&answered, round);
	}
	while (atomic_load(&asked) <= LARGE)
		arch_spin_hint();
	load_space(NULL);
	return 0;
}

/* A page that another CPU has cached is at each place of a large range in turn. */
SCENARIO(large, "shootdown.large", "08.6", "P8.9", .cpus = 2, .bootargs = ALONE, .keeps = true)
{
	stay_on(0);
	map_page(0);
	act_on(1, &first, cache_again);
	for (unsigned round = 1; round <= LARGE; round++) {
		vaddr_t start = HOST_VA(0) - (round - 1) * PAGE_SIZE;

		atomic_store(&asked, round);
		while (atomic_load(&answered) < round)
			arch_spin_hint();
		tlb_flush_on(BIT(0) | BIT(1), start, start + LARGE * PAGE_SIZE);
		expect(!host_tlb_of(1, 0), "page %u of a range of %u can still be reached",
		       round - 1, LARGE);
	}
	atomic_store(&asked, LARGE + 1);
	end_here();
}

static int forbid_page(void)
{
	load_space(&space);
	access_page(1);
	forbid(1);
	access_page(1);
	access_page(0);
	load_space(NULL);
	return 0;
}

/* Two CPUs that run in one space ask each other at the same time. */
SCENARIO(both, "shootdown.both", "08.6", "P8.11", .cpus = 2, .bootargs = ALONE, .keeps = true)
{
	stay_on(0);
	map_page(0);
	map_page(1);
	act_on(1, &first, forbid_page);
	load_space(&space);
	access_page(0);
	unmap(&space, 0, 1);
	access_page(0);
	access_page(1);
	load_space(NULL);
	end_here();
}

static int use_other_space(void)
{
	load_space(&other_space);
	access_page(1);
	load_space(NULL);
	return 0;
}

static const char *none_was_asked(void)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (host_shootdowns(i))
			return wrong("CPU %u was asked to flush a space that it did not use", i);
	return NULL;
}

/* A CPU in another space is left alone. */
SCENARIO(not_asked, "shootdown.left_alone", "08.6", "P8.11", .cpus = 2, .bootargs = ALONE,
	 .after = none_was_asked, .keeps = true)
{
	stay_on(0);
	map_page(0);
	map_page(1);
	load_space(&space);
	access_page(0);
	act_on(1, &first, use_other_space);
	unmap(&space, 0, 1);
	access_page(0);
	load_space(NULL);
	end_here();
}

/* A table is taken out, so all of user memory is flushed; its size may end in 32 zero bits. */
SCENARIO(table, "shootdown.table", "08.6", "P8.9", .cpus = 1, .bootargs = ALONE, .keeps = true)
{
	struct addr_space *as;
	struct tlb_batch b;

	expect(!as_create(&as), "no space could be made");
	phys_to_page(as->root)->tables++;
	counter_add(COUNT_TABLE_PAGES, 1);
	map_page(0);
	load_space(as);
	access_page(0);
	atomic_store_explicit(&entries[0], 0, memory_order_release);
	tlb_batch_init(&b, as);
	tlb_batch_table(&b, &host_pages[0]);
	tlb_batch_flush(&b);
	expect(!host_tlb(0), "a table was taken out, and the CPU can still reach a page of it");
	end_here();
}

/* --- A thread that is moved while it unmaps --------------------------------------------------- */

static int unmap_page_0(void)
{
	unmap(&space, 0, 1);
	return 0;
}

static int load_and_move_it(void)
{
	load_space(&space);
	access_page(0);
	return sched_set_affinity(first.thread, BIT(1));
}

static const char *no_tlb_has_it(void)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (host_tlb_of(i, 0))
			return wrong("page 0 was taken away, and CPU %u can still reach it", i);
	return NULL;
}

/* The space is loaded on CPU 0, with page 0; one thread takes that out, and another moves it. */
static void unmap_while_it_moves(void)
{
	stay_on(0);
	map_page(0);
	load_space(&space);
	access_page(0);
	act_on(0, &first, unmap_page_0);
	act_on(1, &second, load_and_move_it);
}

/*
 * The space stays loaded on CPU 0, at first alone, and on CPU 1. Which CPU a thread is on may
 * change until preemption is off: it would flush one CPU twice, or for the other one.
 */
SCENARIO(moved, "shootdown.moved", "08.6", "P8.9", .cpus = 2, .bootargs = ALONE,
	 .after = no_tlb_has_it, .keeps = true)
{
	unmap_while_it_moves();
	end_here();
}

/*
 * The thread is moved to CPU 1 while it takes out a page, and another thread of the space is next
 * on CPU 0, with interrupts off at first: CPU 0 answers late, and can reach the page until then.
 */
SCENARIO(left_behind, "shootdown.left_behind", "08.6", "P8.10", .cpus = 2, .bootargs = ALONE,
	 .after = no_tlb_has_it, .keeps = true, .sets_up = true)
{
	unmap_while_it_moves();
	explore_from_here();
	thread_yield();
	irq_off();
	for (unsigned i = 0; i < 3; i++) {
		arch_spin_hint();
		access_page(0);
	}
	irq_on();
	end_here();
}
