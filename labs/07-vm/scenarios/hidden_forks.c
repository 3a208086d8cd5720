/* Lab 07, hidden: forks, beside a CPU that joins the space, a move, and other forks. */
#include "spaces.h"

#include "sched/cpu.h"
#include "tlb.h"

#define VA	HOST_VA(0)		/* of such an address a CPU caches the entry */

static struct addr_space *space, *other_space;
static struct actor other, another;

static void load_and_read(struct addr_space *as)
{
	irq_off();
	host_space_load(as);
	irq_on();
	host_tlb_access(0, (const _Atomic u64 *)entry_at(as, VA));
}

static struct addr_space *space_with_page(void)
{
	struct addr_space *as = new_space_at(VA, 1, RW);

	put_at(as, VA, 7);
	return as;
}

static const char *no_tlb_allows_a_write(void)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (pte_prot(host_tlb_of(i, 0)) & VM_WRITE)
			return wrong("the page is shared, and CPU %u can still write to it", i);
	return NULL;
}

static int fork_it(void)
{
	fork_of(space);
	return 0;
}

/* --- A CPU that joins the space while it is copied -------------------------------------------- */

static int join_it(void)
{
	load_and_read(space);
	return 0;
}

SCENARIO(joined, "share.fork_joined", "07.h", "P7.9", .cpus = 2, .bootargs = ALONE,
	 .sets_up = true, .after = no_tlb_allows_a_write, .keeps = true)
{
	stay_on(0);
	space = space_with_page();
	load_and_read(space);
	explore_from_here();
	act_on(1, &other, join_it);
	fork_it();
	end_here();
}

/* --- A thread that is moved while it forks ---------------------------------------------------- */

static int move_forker(void)
{
	return sched_set_affinity(other.thread, BIT(1));
}

/* CPU 0 has the space loaded and the page cached; the thread leaves it at any moment. */
SCENARIO(moved, "share.fork_moved", "07.h", "P7.9", .cpus = 2, .bootargs = ALONE,
	 .sets_up = true, .after = no_tlb_allows_a_write, .keeps = true)
{
	stay_on(0);
	space = space_with_page();
	load_and_read(space);
	explore_from_here();
	act_on(0, &other, fork_it);
	act_on(1, &another, move_forker);
	end_here();
}

/* --- Two spaces at the same time -------------------------------------------------------------- */

static _Atomic bool cached;

static int fork_the_other(void)
{
	load_and_read(other_space);
	cached = true;
	fork_of(other_space);
	return 0;
}

/* Each CPU has one of the spaces loaded, and forks it. */
SCENARIO(two, "share.two_fork", "07.h", "P7.9", .cpus = 2, .bootargs = ALONE, .sets_up = true,
	 .after = no_tlb_allows_a_write, .keeps = true)
{
	stay_on(0);
	space = space_with_page();
	other_space = space_with_page();
	load_and_read(space);
	act_on(1, &other, fork_the_other);
	while (!cached)
		arch_spin_hint();
	explore_from_here();
	fork_it();
	end_here();
}

/* --- A fork that fails, beside one that does not ---------------------------------------------- */

#define UPPER	(BASE + BLOCK_SIZE)	/* in another table than VA */
#define FAILS	5			/* the allocation that fails: late in a fork */

static struct addr_space *space_of_two_tables(void)
{
	struct map_request upper = {
		.addr = UPPER, .size = PAGE_SIZE, .fixed = true, .prot = RW,
	};
	struct addr_space *as = space_with_page();
	vaddr_t at;

	expect(!as_map(as, &upper, &at), "nothing could be mapped");
	put_at(as, UPPER, 8);
	return as;
}

static int fork_if_memory(void)
{
	struct addr_space *child;
	int err = as_fork(space, &child);

	expect(!err || err == -ENOMEM, "a fork gives %d", err);
	return 0;
}

static const char *shared_is_read_only(void)
{
	const vaddr_t at[] = { VA, UPPER };

	for (unsigned i = 0; i < 2; i++)
		if (atomic_load(&page_at(space, at[i])->refs) > 1 &&
		    pte_prot(*entry_at(space, at[i])) & VM_WRITE)
			return wrong("page %u has two owners, and one of them may write to it", i);
	return NULL;
}

/* Two threads of one process fork; for the later part of one of the forks there is no memory. */
SCENARIO(one_fails, "share.one_fork_fails", "07.h", "P7.10", .cpus = 2, .bootargs = ALONE,
	 .sets_up = true, .after = shared_is_read_only, .keeps = true)
{
	stay_on(0);
	space = space_of_two_tables();
	explore_from_here();
	host_memory_refuse(FAILS);
	act_on(1, &other, fork_if_memory);
	fork_if_memory();
	host_memory_refuse(0);
	end_here();
}

/* --- A fork that fails, and another one right after it ---------------------------------------- */

static int fork_after_it(void)
{
	struct addr_space *child;

	/* The first fork may have the memory, and this one fail. */
	if (!as_fork(space, &child))
		expect(!(pte_prot(host_tlb_of(2, 0)) & VM_WRITE),
		       "a fork is over, and CPU 2 can still write to the page that is shared");
	return 0;
}

static int use_page(void)
{
	load_and_read(space);
	cached = true;
	return 0;
}

/* The first has taken a right before it fails, so the second finds none to take. */
SCENARIO(fails_before, "share.fork_after_failure", "07.h", "P7.9", .cpus = 3, .bootargs = ALONE,
	 .sets_up = true, .keeps = true)
{
	stay_on(0);
	space = space_of_two_tables();
	act_on(2, &another, use_page);
	while (!cached)
		arch_spin_hint();
	explore_from_here();
	host_memory_refuse(FAILS);
	act_on(1, &other, fork_after_it);
	fork_if_memory();
	host_memory_refuse(0);
	end_here();
}
