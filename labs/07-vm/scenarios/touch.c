/* Lab 07: the first access to a page, of one thread and of two. */
#include "spaces.h"

static struct addr_space *space;
static struct actor other;
static int before;

static void one_page(const char *when)
{
	expect(page_of(space), "%s: no page is there", when);
	expect(owners(space) == 1 && space->resident == 1,
	       "%s: the page has %u owners, %lu are resident", when, owners(space),
	       space->resident);
	expect((pte_prot(*entry(space)) & RW) == RW, "%s: the page has not its region's rights",
	       when);
}

SCENARIO(zeros, "first.zeros", "07.3", "P7.3", .cpus = 1)
{
	space = new_space(RW);
	before = host_memory_in_use();
	expect(get(space) == 0, "the first read of a page gives %lx", get(space));
	one_page("a read");
	put(space, 7);
	expect(get(space) == 7, "a write is lost");
	one_page("a write");
	as_put(space);
	expect(host_memory_in_use() < before, "%d pages are not given back", host_memory_in_use());
}

SCENARIO(refused, "first.refused", "07.3", "P7.4", .cpus = 1)
{
	space = new_space(VM_READ);
	mutex_lock(&space->lock);
	expect(fault_resolve(space, BASE, VM_WRITE) == -EFAULT, "a write to read-only memory");
	expect(fault_resolve(space, BASE - 1, VM_READ) == -EFAULT, "a read below the region");
	mutex_unlock(&space->lock);
	expect(!page_of(space) && space->resident == 0,
	       "a fault that is refused has mapped a page");
	as_put(space);
}

/* Whichever allocation fails, nothing is lost, and the next fault succeeds. */
SCENARIO(short_of, "first.short", "07.3", "P7.12", .cpus = 1)
{
	for (int nth = 1; nth <= 3; nth++) {
		int err;

		space = new_space(RW);
		host_memory_refuse(nth);
		err = as_fault(space, BASE, VM_WRITE);
		host_memory_refuse(0);
		expect(err == -ENOMEM, "allocation %d of a first write fails: %d", nth, err);
		expect(space->resident == 0, "a fault that failed counts a page");
		put(space, 5);
		one_page("after a fault that failed");
		as_put(space);
		expect_all_given_back();
	}
}

static int touch(void)
{
	put(space, 2);
	return 0;
}

static const char *one_value(void)
{
	if (owners(space) != 1 || space->resident != 1)
		return "two writes to a page, and it is counted, or owned, more than once";
	return left_in(space) == 1 || left_in(space) == 2 ? NULL : "a write is lost";
}

SCENARIO(twice, "first.twice", "07.3", "P7.10", .cpus = 2, .bootargs = ALONE, .after = one_value,
	 .keeps = true)
{
	stay_on(0);
	space = new_space(RW);
	act_on(1, &other, touch);
	put(space, 1);
	end_here();
}

/* --- A page that the hardware finds at once --------------------------------------------------- */

static pte_t *entry_of_page;

/* As the hardware of another CPU does, without a lock. */
static int look(void)
{
	pte_t e = __atomic_load_n(entry_of_page, __ATOMIC_ACQUIRE);

	if (e)
		expect(*(u64 *)page_to_virt(pte_page(e)) == 0,
		       "a page is there before it was all zeros");
	return 0;
}

/* The table is there, as a page beside was touched before. */
SCENARIO(seen, "first.seen", "07.3", "P7.3", .cpus = 2, .bootargs = ALONE, .keeps = true)
{
	int err;

	stay_on(0);
	space = new_space_at(BASE, 2, RW);
	put_at(space, BASE + PAGE_SIZE, 7);
	entry_of_page = entry(space);
	act_on(1, &other, look);
	err = as_fault(space, BASE, VM_READ);
	expect(!err, "a fault gives %d", err);
	end_here();
}

/* --- An unmapping beside a first touch -------------------------------------------------------- */

static int write_to_it(void)
{
	return fault_as_its_thread(space, BASE);
}

static const char *as_the_region_allows(void)
{
	return not_writable(space, BASE, other.result);
}

/* The page is unmapped and another one is mapped there, which nobody may write to. */
SCENARIO(against_map, "first.against_map", "07.3", "P7.10", .cpus = 2, .bootargs = ALONE,
	 .after = as_the_region_allows, .keeps = true)
{
	struct map_request req = {
		.addr = BASE, .size = PAGE_SIZE, .fixed = true, .prot = VM_READ,
	};
	vaddr_t at;

	stay_on(0);
	space = new_space(RW);
	act_on(1, &other, write_to_it);
	expect(!as_map(space, &req, &at), "nothing could be mapped");
	end_here();
}
