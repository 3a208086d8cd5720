/* Step 3: stacks that grow, and the gap below them. */
#include "file.h"

#include "process/process.h"

#define TOP		PAGE_AT(4096)
#define BELOW(n)	(TOP - (u64)(n) * PAGE_SIZE)	/* the n-th page of the stack */

static struct addr_space *space_with_stack(unsigned flags)
{
	struct addr_space *as = new_space();

	map_at(as, BELOW(1), 1, RW, flags);
	as->stack_top = TOP;
	use_space(as);
	return as;
}

static void check_refused(struct addr_space *as, vaddr_t va, const char *what)
{
	u64 size = as->total_pages;
	int err = as_fault(as, va, VM_WRITE);

	CHECK(err == -EFAULT, "P7.5", "%s: the fault gives %d, not -EFAULT", what, err);
	CHECK(as->total_pages == size, "P7.5", "%s: the space is %lu pages, not %lu", what,
	      as->total_pages, size);
}

static void check_grows(unsigned flags)
{
	struct addr_space *as = space_with_stack(flags);
	int err = as_fault(as, BELOW(1) + 8, VM_WRITE);

	CHECK(err == 0 && as->total_pages == 1, "P7.5", "a fault in the stack: error %d", err);
	err = as_fault(as, BELOW(2) + PAGE_SIZE - 8, VM_WRITE);
	CHECK(err == 0 && as->total_pages == 2, "P7.5",
	      "the next word below: error %d, the stack has %lu pages, not 2", err,
	      as->total_pages);
	err = as_fault(as, BELOW(100) + 8, VM_READ);
	CHECK(err == 0 && as->total_pages == 100, "P7.5",
	      "far below: error %d, the stack has %lu pages, not 100", err, as->total_pages);
	CHECK(as->resident == 3 && pte_at(as, BELOW(100)) && !pte_at(as, BELOW(99)), "P7.5",
	      "three pages were touched, and %lu are resident", as->resident);
	err = as_fault(as, BELOW(50), VM_WRITE);
	CHECK(err == 0 && as->total_pages == 100, "P7.5",
	      "a page of the grown stack: error %d, it has %lu pages, not 100", err,
	      as->total_pages);
	use_space(NULL);
	as_put(as);
}

/* A stack grows with other flags as well. */
KTEST(stack_grows, "stack.grows", "07.3", "P7.5")
{
	check_grows(REGION_STACK);
	check_grows(REGION_STACK | REGION_NOFORK | REGION_NORESERVE);
	check_grows(REGION_STACK | REGION_LOCKED);
}

/* Sizes and addresses that 32 bits would take for small ones. */
static void check_far(void)
{
	const u64 four_gib = 1UL << 32;
	struct rlimit *limit = &current_process()->limits[RLIMIT_STACK];
	struct rlimit saved = *limit;
	struct addr_space *as = new_space();
	vaddr_t top = 4 * four_gib + 8 * PAGE_SIZE;
	int err;

	use_space(as);
	map_at(as, top - PAGE_SIZE, 1, RW, REGION_STACK);
	*limit = (struct rlimit){ 200 * PAGE_SIZE, ~0UL };
	check_refused(as, top - four_gib - 2 * PAGE_SIZE, "4 GiB and two pages below its top");
	map_at(as, top - four_gib - 100 * PAGE_SIZE, 1, RW, 0);
	err = as_fault(as, top - 7 * PAGE_SIZE, VM_WRITE);
	CHECK(err == 0, "P7.5", "more than 4 GiB above the region below: error %d", err);
	*limit = saved;
	use_space(NULL);
	as_put(as);
}

KTEST(stack_limit, "stack.limit", "07.3", "P7.5")
{
	struct rlimit *limit = &current_process()->limits[RLIMIT_STACK];
	struct rlimit saved = *limit;
	struct addr_space *as = space_with_stack(REGION_STACK);
	int err;

	*limit = (struct rlimit){ .cur = 0, .max = 400 * PAGE_SIZE };
	check_refused(as, BELOW(2), "RLIMIT_STACK is 0");
	limit->cur = 200 * PAGE_SIZE;
	check_refused(as, BELOW(201) + PAGE_SIZE - 8, "one page past RLIMIT_STACK");
	err = as_fault(as, BELOW(200), VM_WRITE);
	CHECK(err == 0, "P7.5", "the last page within RLIMIT_STACK: error %d", err);
	check_refused(as, BELOW(201), "one page past RLIMIT_STACK");
	limit->cur = 201 * PAGE_SIZE - 1;
	check_refused(as, BELOW(201), "one byte past RLIMIT_STACK");
	limit->cur = 1UL << 32;		/* larger than what 32 bits hold */
	err = as_fault(as, BELOW(201), VM_WRITE);
	CHECK(err == 0, "P7.5", "RLIMIT_STACK is 4 GiB: error %d", err);
	limit->cur = 201 * PAGE_SIZE - 1;
	/* it is the size of one stack, and not how far all of them reach */
	map_at(as, BELOW(1000), 1, RW, REGION_STACK);
	check_refused(as, BELOW(1200), "a second stack, one page past RLIMIT_STACK");
	err = as_fault(as, BELOW(1199), VM_WRITE);
	CHECK(err == 0, "P7.5", "a second stack, the last page within RLIMIT_STACK: error %d", err);
	*limit = saved;
	use_space(NULL);
	as_put(as);
	check_far();
}

/* The gap holds whatever is below: memory, open or forbidden, a stack, the heap, or a file. */
static void check_gap(unsigned prot, unsigned flags, bool file)
{
	struct addr_space *as = space_with_stack(REGION_STACK);
	vaddr_t lowest;
	int err;

	map_at(as, BELOW(600), 10, prot, flags);
	if (file)
		map_file(as, BELOW(598), prot, flags, PAGE_SIZE);
	lowest = BELOW(590) + STACK_GAP;
	check_refused(as, lowest - PAGE_SIZE, "one page into the gap");
	check_refused(as, lowest - 100 * PAGE_SIZE, "deep in the gap");
	check_refused(as, BELOW(590), "right above the region below the gap");
	err = as_fault(as, lowest, VM_WRITE);
	CHECK(err == 0, "P7.5", "the last page above the gap: error %d", err);
	check_refused(as, lowest - 8, "one word into the gap");
	err = as_fault(as, BELOW(600), VM_WRITE);
	CHECK(err == (prot ? 0 : -EFAULT), "P7.5",
	      "a page of the region below the gap: error %d", err);
	use_space(NULL);
	as_put(as);
}

KTEST(stack_gap, "stack.gap", "07.3", "P7.5")
{
	file_make();
	check_gap(RW, 0, false);
	check_gap(0, 0, false);
	check_gap(RW, REGION_STACK, false);
	check_gap(RW, REGION_SHARED, false);
	check_gap(RW, REGION_HEAP, false);
	check_gap(RW, 0, true);
	file_drop();
}

/* Only a stack grows, only downwards, only over free memory, and not to where null pointers go. */
KTEST(stack_only, "stack.only", "07.3", "P7.5")
{
	struct addr_space *as = space_with_stack(0);
	struct rlimit *limit = &current_process()->limits[RLIMIT_STACK];
	struct rlimit saved = *limit;

	check_refused(as, BELOW(2), "below a region that is no stack");
	map_at(as, BELOW(100), 1, RW, REGION_HEAP);
	check_refused(as, BELOW(101), "below the heap");
	map_at(as, BELOW(200), 1, RW, REGION_SHARED);
	check_refused(as, BELOW(201), "below shared memory");
	map_at(as, BELOW(1000), 1, RW, REGION_STACK);
	check_refused(as, BELOW(999), "right above a stack");
	check_refused(as, TOP, "above all regions");
	as_unmap(as, BELOW(1000), PAGE_SIZE);
	*limit = (struct rlimit){ ~0UL, ~0UL };
	map_at(as, MMAP_MIN + 4 * PAGE_SIZE, 1, RW, REGION_STACK);
	check_refused(as, MMAP_MIN - PAGE_SIZE, "below where memory is mapped");
	check_refused(as, 8, "a null pointer");
	CHECK(as_fault(as, MMAP_MIN, VM_WRITE) == 0, "P7.5",
	      "without a limit, a stack may grow down to MMAP_MIN");
	as_unmap(as, MMAP_MIN, 5 * PAGE_SIZE);
	map_at(as, MMAP_MIN, 1, RW, 0);
	map_at(as, MMAP_MIN + 9 * PAGE_SIZE, 1, RW, REGION_STACK);
	check_refused(as, MMAP_MIN + 8 * PAGE_SIZE, "near address 0, one page into the gap");
	*limit = saved;
	use_space(NULL);
	as_put(as);
}

/* An access that the stack's rights allow makes it grow, and no other right is asked for. */
static void check_access(unsigned prot, unsigned access)
{
	struct addr_space *as = new_space();
	bool allowed = !(access & ~prot);
	int err;

	map_at(as, BELOW(1), 1, prot, REGION_STACK);
	use_space(as);
	err = as_fault(as, BELOW(4), access);
	CHECK(err == (allowed ? 0 : -EFAULT), "P7.5", "%s below a stack of rights %x: error %d",
	      fault_access_name(access), prot, err);
	CHECK(as->resident == allowed && (rights_at(as, BELOW(4)) == (allowed ? prot : 0)), "P7.5",
	      "%s below a stack of rights %x: the page there has the rights %x",
	      fault_access_name(access), prot, rights_at(as, BELOW(4)));
	use_space(NULL);
	as_put(as);
}

/* A write that a stack's rights forbid is an error, and so is any access to a space without it. */
KTEST(stack_rights, "stack.rights", "07.3", "P7.5")
{
	static const unsigned prots[] = { 0, VM_READ, VM_READ | VM_EXEC, RW, RIGHTS };
	static const unsigned accesses[] = { VM_READ, VM_WRITE, VM_EXEC };
	struct addr_space *as = space_with_stack(REGION_STACK);

	CHECK(as_fault(as, BELOW(1), VM_EXEC) == -EFAULT, "P7.5", "execution of a stack");
	CHECK(as_fault(as, BELOW(4), VM_EXEC) == -EFAULT, "P7.5", "execution below a stack");
	CHECK(as->resident == 0, "P7.5", "%lu pages are resident", as->resident);
	use_space(NULL);
	as_put(as);
	for (unsigned i = 0; i < ARRAY_SIZE(prots); i++)
		for (unsigned k = 0; k < ARRAY_SIZE(accesses); k++)
			check_access(prots[i], accesses[k]);
}
