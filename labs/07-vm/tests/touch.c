/* Step 2: what a fault means, and the first access to a page. */
#include "vm.h"

KTEST(touch_zeros, "touch.zeros", "07.2", "P7.3")
{
	static const unsigned prots[] = { VM_READ, RW, VM_READ | VM_EXEC, RW };
	static const unsigned accesses[] = { VM_READ, VM_WRITE, VM_EXEC, VM_READ };
	struct addr_space *as = new_space();

	dirty_free_pages();
	for (unsigned i = 0; i < ARRAY_SIZE(prots); i++) {
		vaddr_t va = PAGE_AT(10 * i + 5);
		int err;

		map_at(as, PAGE_AT(10 * i), 10, prots[i], 0);
		err = fault_at(as, va + 123, accesses[i]);
		REQUIRE(err == 0, "P7.3", "the first access to a page: error %d", err);
		REQUIRE(page_at(as, va), "P7.3", "the first access has mapped no page");
		CHECK(bytes_not(as, va, 0, PAGE_SIZE, 0) == 0, "P7.3",
		      "a new page has %u bytes that are not 0",
		      bytes_not(as, va, 0, PAGE_SIZE, 0));
		CHECK(rights_at(as, va) == prots[i], "P7.3",
		      "a new page has the rights %x, its region %x", rights_at(as, va), prots[i]);
		CHECK(pte_prot(pte_at(as, va)) & VM_USER, "P7.3",
		      "a new page is not for user mode");
		CHECK(owners(page_at(as, va)) == 1, "P7.3", "a new page has %u owners",
		      owners(page_at(as, va)));
		CHECK(page_at(as, va)->order == 0, "P7.3", "one page was touched, and %u are taken",
		      1u << page_at(as, va)->order);
		CHECK(as->resident == i + 1 && as->peak == i + 1, "P7.3",
		      "%u pages were touched, and %lu are resident, %lu at most", i + 1,
		      as->resident, as->peak);
		CHECK(!pte_at(as, va - PAGE_SIZE) && !pte_at(as, va + PAGE_SIZE), "P7.3",
		      "a page that was not touched is there");
	}
	as_put(as);
}

#define SEEN_STEP	100u		/* instructions: a page is not cleared in so few */

static struct addr_space *touched;
static bool seen;			/* another thread could have read what was there before */

static void look(void *unused)
{
	(void)unused;
	seen |= rights_at(touched, BASE) && bytes_not(touched, BASE, 0, PAGE_SIZE, 0);
}

/* Whenever another thread looks, it sees no page or zeros. */
KTEST(touch_seen, "touch.seen", "07.2", "P7.3")
{
	bool hit = true;
	int err = 0;

	NEEDS_ONE_CPU;
	dirty_free_pages();
	seen = false;
	sweep_action = look;
	for (unsigned step = SEEN_STEP; hit && !err; step += SEEN_STEP) {
		touched = new_space();
		map_at(touched, BASE, 1, RW, 0);
		sweep_begin(step);
		err = fault_at(touched, BASE, VM_READ);
		sweep_end();
		hit = sweep_hit();
		as_put(touched);
	}
	sweep_action = NULL;
	CHECK(!err, "P7.3", "the first access: error %d", err);
	CHECK(!seen, "P7.3", "a new page was there before it was all zeros");
}

/* Another thread was faster: its page is there already. */
KTEST(touch_again, "touch.again", "07.2", "P7.4")
{
	struct addr_space *as = new_space();
	struct page *p;
	pte_t pte;

	map_at(as, BASE, 4, RW, 0);
	CHECK(fault_at(as, BASE, VM_READ) == 0, "P7.4", "the first access");
	CHECK(rights_at(as, BASE) == RW, "P7.4", "its page has the rights %x",
	      rights_at(as, BASE));
	p = page_at(as, BASE);
	pte = pte_at(as, BASE);
	*word_at(as, BASE) = 42;
	CHECK(fault_at(as, BASE, VM_WRITE) == 0 && fault_at(as, BASE, VM_READ) == 0, "P7.4",
	      "a fault on a page that is there already fails");
	CHECK(page_at(as, BASE) == p && pte_at(as, BASE) == pte && *word_at(as, BASE) == 42,
	      "P7.4", "a fault on a page that is there already has replaced it");
	CHECK(as->resident == 1 && owners(page_at(as, BASE)) == 1, "P7.4",
	      "one page: %lu are resident, and it has %u owners", as->resident,
	      owners(page_at(as, BASE)));
	as_put(as);
}

static void check_refused(struct addr_space *as, vaddr_t va, unsigned access, const char *what)
{
	u64 resident = as->resident, tables = as_tables(as);
	pte_t before = pte_at(as, va);
	int err = fault_at(as, va, access);

	CHECK(err == -EFAULT, "P7.4", "%s: the fault gives %d, not -EFAULT", what, err);
	CHECK(pte_at(as, va) == before && as->resident == resident && as_tables(as) == tables,
	      "P7.4", "%s: the fault has changed the page table", what);
}

KTEST(touch_refused, "touch.refused", "07.2", "P7.4")
{
	struct addr_space *as = new_space();

	check_refused(as, BASE, VM_READ, "an empty space");
	map_at(as, BASE, 4, RW, 0);
	map_at(as, PAGE_AT(8), 4, VM_READ, 0);
	map_at(as, PAGE_AT(16), 4, 0, 0);
	map_at(as, PAGE_AT(24), 4, VM_READ | VM_EXEC, 0);
	for (unsigned round = 0; round < 2; round++) {
		check_refused(as, BASE - 1, VM_READ, "below a region");
		check_refused(as, PAGE_AT(4), VM_WRITE, "behind a region");
		check_refused(as, 8, VM_READ, "a null pointer");
		check_refused(as, ARCH_USER_END, VM_READ, "one past user space");
		check_refused(as, ARCH_DIRECT_BASE, VM_WRITE, "kernel memory");
		check_refused(as, PAGE_AT(1), VM_EXEC, "execution of data");
		check_refused(as, PAGE_AT(9), VM_WRITE, "a write to read-only memory");
		check_refused(as, PAGE_AT(9), VM_EXEC, "execution of read-only memory");
		check_refused(as, PAGE_AT(17), VM_READ, "a read of forbidden memory");
		check_refused(as, PAGE_AT(25), VM_WRITE, "a write to code");
		CHECK(fault_at(as, PAGE_AT(1), VM_WRITE) == 0, "P7.4", "a write that is allowed");
		CHECK(fault_at(as, PAGE_AT(9), VM_READ) == 0, "P7.4", "a read that is allowed");
		CHECK(fault_at(as, PAGE_AT(25), VM_EXEC) == 0, "P7.4", "execution of code");
	}
	CHECK(as->resident == 3, "P7.4", "3 pages may be used, and %lu are resident",
	      as->resident);
	as_put(as);
}

static void check_parked(unsigned flags)
{
	struct addr_space *as = new_space();
	struct page *p;

	map_at(as, BASE, 1, RW, flags);
	CHECK(fault_at(as, BASE, VM_WRITE) == 0, "P7.4", "the first access");
	*word_at(as, BASE) = 42;
	p = page_at(as, BASE);
	CHECK(as_protect(as, BASE, PAGE_SIZE, 0, false) == 0, "P7.4", "mprotect");
	CHECK(!arch_pte_present(pte_at(as, BASE)), "P7.4",
	      "all rights were taken, and the entry is present");
	CHECK(page_at(as, BASE) == p, "P7.4", "all rights were taken, and the page is gone");
	check_refused(as, BASE, VM_READ, "a page without rights");
	CHECK(as_protect(as, BASE, PAGE_SIZE, RW, false) == 0, "P7.4", "mprotect");
	CHECK(fault_at(as, BASE, VM_WRITE) == 0, "P7.4", "an access after the rights came back");
	CHECK(page_at(as, BASE) == p && *word_at(as, BASE) == 42 && as->resident == 1, "P7.4",
	      "the rights came back, and the contents did not");
	as_put(as);
}

/*
 * A page that must not be accessed for a while keeps its contents, and its entry keeps the page,
 * whomever the page is shared with, and in a region of any kind.
 */
KTEST(touch_parked, "touch.parked", "07.2", "P7.4")
{
	check_parked(0);
	check_parked(REGION_SHARED);
	check_parked(REGION_HEAP);
	check_parked(REGION_LOCKED);
}
