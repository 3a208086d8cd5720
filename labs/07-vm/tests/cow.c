/* Step 5: fork, and the first write to a page with several owners. */
#include "file.h"

#define PAGES	6

static struct addr_space *filled_space(void)
{
	struct addr_space *as = new_space();

	map_at(as, BASE, PAGES, RW, 0);
	for (unsigned i = 0; i < PAGES; i++)
		CHECK(store(as, PAGE_AT(i), 100 + i) == 0, ktest_property(), "a first write");
	return as;
}

/* A pin, as of a buffer that a device fills, is one more reference, and no right is lost by it. */
static void check_pinned(void)
{
	struct addr_space *as = filled_space(), *child;
	struct page *p = page_get(page_at(as, BASE));

	child = fork_of(as);
	CHECK(owners(p) == 3, "P7.7", "two spaces and a pin: %u owners", owners(p));
	CHECK(rights_at(as, BASE) == VM_READ && rights_at(child, BASE) == VM_READ, "P7.7",
	      "a page that was pinned at fork has the rights %x in the parent and %x in the child",
	      rights_at(as, BASE), rights_at(child, BASE));
	CHECK(store(child, BASE, 1) == 0 && *word_at(as, BASE) == 100, "P7.7",
	      "the child writes to a page that was pinned at fork, and the parent sees it");
	page_put(p);
	as_put(child);
	as_put(as);
}

/* Touched here and there: an entry's place says which page it is. */
static void check_sparse(void)
{
	static const unsigned touched[] = { 1, 2, 5, 9, 511, 512, 514 };
	struct addr_space *as = new_space(), *child;

	map_at(as, BASE, 600, RW, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(touched); i++)
		CHECK(store(as, PAGE_AT(touched[i]), i) == 0, "P7.7", "a first write");
	child = fork_of(as);
	for (unsigned i = 0; i < 600; i++)
		if (page_at(as, PAGE_AT(i)) != page_at(child, PAGE_AT(i)))
			CHECK(false, "P7.7",
			      "pages here and there are touched: page %u is not the same in both",
			      i);
	as_put(child);
	as_put(as);
}

/* However many pages of a table there are, each counts. */
static void check_counts(void)
{
	static const unsigned counts[] = { 1, 255, 256, 257, 512 };

	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		struct addr_space *as = new_space(), *child;

		map_at(as, BASE, counts[i], RW, 0);
		for (unsigned k = 0; k < counts[i]; k++)
			CHECK(store(as, PAGE_AT(k), k) == 0, "P7.7", "a first write");
		child = fork_of(as);
		CHECK(child->resident == counts[i], "P7.7",
		      "%u pages of a table are shared, and %lu are resident in the child",
		      counts[i], child->resident);
		as_put(child);
		as_put(as);
	}
}

KTEST(cow_shares, "cow.shares", "07.5", "P7.7")
{
	struct addr_space *as = filled_space(), *child;
	u64 tables = as_tables(as);

	map_at(as, PAGE_AT(600), 4, VM_READ | VM_EXEC, 0);
	CHECK(fault_at(as, PAGE_AT(601), VM_EXEC) == 0, "P7.7", "a page of code");
	map_at(as, PAGE_AT(5000), 4, RW, 0);
	child = fork_of(as);
	for (unsigned i = 0; i < PAGES; i++) {
		struct page *p = page_at(as, PAGE_AT(i));

		CHECK(p && page_at(child, PAGE_AT(i)) == p, "P7.7",
		      "page %u is not the same in both after fork", i);
		CHECK(owners(p) == 2, "P7.7", "page %u has %u owners after fork, not 2", i,
		      owners(p));
		CHECK(rights_at(as, PAGE_AT(i)) == VM_READ, "P7.7",
		      "page %u has two owners, and the parent has the rights %x", i,
		      rights_at(as, PAGE_AT(i)));
		CHECK(rights_at(child, PAGE_AT(i)) == VM_READ, "P7.7",
		      "page %u has two owners, and the child has the rights %x", i,
		      rights_at(child, PAGE_AT(i)));
	}
	CHECK(page_at(as, PAGE_AT(601)) == page_at(child, PAGE_AT(601)) &&
	      owners(page_at(as, PAGE_AT(601))) == 2, "P7.7",
	      "a page of code has %u owners after fork, not 2",
	      owners(page_at(as, PAGE_AT(601))));
	CHECK(rights_at(as, PAGE_AT(601)) == (VM_READ | VM_EXEC) &&
	      rights_at(child, PAGE_AT(601)) == (VM_READ | VM_EXEC), "P7.7",
	      "a page of code has the rights %x in the parent and %x in the child",
	      rights_at(as, PAGE_AT(601)), rights_at(child, PAGE_AT(601)));
	CHECK(as->resident == PAGES + 1 && child->resident == PAGES + 1, "P7.7",
	      "%lu pages are resident in the parent and %lu in the child, not %u", as->resident,
	      child->resident, PAGES + 1);
	CHECK(as_tables(child) <= as_tables(as) && tables, "P7.7",
	      "the child has more tables than the parent");
	as_put(child);
	as_put(as);
	check_pinned();
	check_sparse();
	check_counts();
}

KTEST(cow_copies, "cow.copies", "07.5", "P7.7")
{
	struct addr_space *as = filled_space(), *child = fork_of(as);
	u64 copies = event_read(EVENT_COW_COPIES);
	struct page *old = page_at(as, BASE), *copy;
	pte_t pte = pte_at(as, BASE);

	word_at(as, BASE)[100] = 0;
	word_at(as, BASE)[511] = 77;
	CHECK(store(child, BASE, 1) == 0, "P7.7", "the child's write");
	copy = page_at(child, BASE);
	CHECK(copy != old, "P7.7", "the child writes to the page that both own");
	CHECK(copy->order == 0, "P7.7", "the copy of one page takes %u", 1u << copy->order);
	CHECK(*word_at(as, BASE) == 100, "P7.7", "the child has written, and the parent sees it");
	CHECK(word_at(child, BASE)[511] == 77, "P7.7", "the copy differs from the page");
	CHECK(owners(old) == 1 && owners(copy) == 1, "P7.7",
	      "after a copy the page has %u owners and the copy %u", owners(old), owners(copy));
	CHECK(rights_at(child, BASE) == RW, "P7.7", "the copy has the rights %x",
	      rights_at(child, BASE));
	CHECK(pte_at(as, BASE) == pte, "P7.7", "the child's write has changed the parent's entry");
	CHECK(event_read(EVENT_COW_COPIES) == copies + 1, "P7.7", "one write made %lu copies",
	      event_read(EVENT_COW_COPIES) - copies);
	CHECK(store(as, BASE, 2) == 0, "P7.7", "the parent's write");
	CHECK(page_at(as, BASE) == old && event_read(EVENT_COW_COPIES) == copies + 1, "P7.7",
	      "the last owner of a page makes a copy");
	CHECK(rights_at(as, BASE) == RW, "P7.7", "the last owner has the rights %x",
	      rights_at(as, BASE));
	CHECK(*word_at(child, BASE) == 1, "P7.7", "the parent has written, and the child sees it");
	CHECK(as->resident == PAGES && child->resident == PAGES, "P7.7",
	      "%lu pages are resident in the parent and %lu in the child, not %u", as->resident,
	      child->resident, PAGES);
	as_put(child);
	as_put(as);
}

#define MANY	0x10000u	/* 0 to who counts in a byte, or in two */

/* However many own a page, one that writes to it is not alone. */
static void check_many(void)
{
	struct addr_space *as = filled_space(), *child = fork_of(as);
	struct page *p = page_at(as, BASE);

	for (unsigned i = 1; i < MANY; i++)
		page_get(p);
	CHECK(store(child, BASE, 1) == 0, "P7.7", "the child's write");
	CHECK(page_at(child, BASE) != p && *word_at(as, BASE) == 100, "P7.7",
	      "the child writes to a page of %u owners, and the others see it", MANY + 1);
	CHECK(owners(p) == MANY, "P7.7", "one of %u owners has written, and the page has %u",
	      MANY + 1, owners(p));
	for (unsigned i = 1; i < MANY; i++)
		page_put(p);
	as_put(child);
	as_put(as);
}

/* In a region of any kind. */
static void check_last_in(unsigned flags)
{
	struct addr_space *as = new_space();
	struct page *p;

	map_at(as, BASE, 1, RW, flags);
	CHECK(store(as, BASE, 1) == 0, "P7.7", "a first write");
	p = page_at(as, BASE);
	as_put(fork_of(as));
	CHECK(store(as, BASE, 2) == 0 && page_at(as, BASE) == p, "P7.7",
	      "the child has ended, and the last owner makes a copy (flags %x)", flags);
	as_put(as);
}

/* Three generations, and owners that end instead of writing. */
KTEST(cow_last, "cow.last", "07.5", "P7.7")
{
	struct addr_space *as = filled_space(), *child = fork_of(as), *grandchild;
	u64 copies = event_read(EVENT_COW_COPIES);
	struct page *p = page_at(as, PAGE_AT(1));
	int err;

	grandchild = fork_of(child);
	CHECK(owners(p) == 3, "P7.7", "three spaces have the page, and it has %u owners",
	      owners(p));
	as_put(as);
	CHECK(owners(p) == 2, "P7.7", "one of three has ended, and the page has %u owners",
	      owners(p));
	CHECK(store(child, PAGE_AT(1), 1) == 0, "P7.7", "a write");
	CHECK(page_at(child, PAGE_AT(1)) != p && owners(p) == 1, "P7.7",
	      "one of two has written, and the page has %u owners", owners(p));
	CHECK(store(grandchild, PAGE_AT(1), 2) == 0, "P7.7", "a write");
	CHECK(page_at(grandchild, PAGE_AT(1)) == p, "P7.7", "the last owner makes a copy");
	as_put(child);
	oom_arm(1, current_thread());
	err = store(grandchild, PAGE_AT(0), 0);
	oom_arm(0, NULL);
	CHECK(err == 0, "P7.7", "the last owner writes while memory is short: error %d", err);
	CHECK(event_read(EVENT_COW_COPIES) == copies + 1, "P7.7", "%lu copies were made, not 1",
	      event_read(EVENT_COW_COPIES) - copies);
	for (unsigned i = 0; i < PAGES; i++) {
		p = page_at(grandchild, PAGE_AT(i));
		CHECK(store(grandchild, PAGE_AT(i), i) == 0 &&
		      page_at(grandchild, PAGE_AT(i)) == p && owners(p) == 1, "P7.7",
		      "all others have ended, and the last owner of page %u does not write to it",
		      i);
	}
	CHECK(event_read(EVENT_COW_COPIES) == copies + 1, "P7.7",
	      "all others have ended, and a copy is made");
	as_put(grandchild);
	check_last_in(REGION_STACK);
	check_last_in(REGION_HEAP);
	check_last_in(REGION_LOCKED);
	check_last_in(REGION_NORESERVE);
	check_many();
}

/* --- Rights ----------------------------------------------------------------------------------- */

/* Of memory that is shared on purpose, too, the hardware finds no page where none may be used. */
static void check_shared_forbidden(void)
{
	struct addr_space *as = new_space(), *child;

	map_at(as, BASE, 1, RW, REGION_SHARED);
	CHECK(store(as, BASE, 7) == 0, "P7.8", "a write to a shared mapping");
	CHECK(as_protect(as, BASE, PAGE_SIZE, 0, false) == 0, "P7.8", "mprotect");
	child = fork_of(as);
	CHECK(!arch_pte_present(pte_at(as, BASE)) && !arch_pte_present(pte_at(child, BASE)),
	      "P7.8", "a page of a shared mapping that must not be accessed may be");
	CHECK(page_at(child, BASE) && page_at(child, BASE) == page_at(as, BASE), "P7.8",
	      "a page of a shared mapping that must not be accessed is not the same in both");
	CHECK(as_protect(child, BASE, PAGE_SIZE, RW, false) == 0, "P7.8", "mprotect");
	CHECK(store(child, BASE, 8) == 0 && *word_at(as, BASE) == 8, "P7.8",
	      "the child writes to a shared mapping, and the parent does not see it");
	as_put(child);
	as_put(as);
}

/* Rights that mprotect() takes and gives back: not the one to write to what others own. */
static void check_given_back(unsigned flags)
{
	struct addr_space *as = new_space(), *child;

	map_at(as, BASE, 1, RW, flags);
	CHECK(store(as, BASE, 7) == 0, "P7.8", "a first write");
	child = fork_of(as);
	CHECK(as_protect(as, BASE, PAGE_SIZE, VM_READ, false) == 0 &&
		      as_protect(as, BASE, PAGE_SIZE, RW, false) == 0,
	      "P7.8", "mprotect");
	CHECK(rights_at(as, BASE) == VM_READ, "P7.8",
	      "a page with two owners has the rights %x after mprotect (flags %x)",
	      rights_at(as, BASE), flags);
	as_put(child);
	as_put(as);
}

KTEST(cow_rights, "cow.rights", "07.5", "P7.8")
{
	struct addr_space *as = filled_space(), *child;
	unsigned prot;
	int err;

	map_at(as, PAGE_AT(20), 1, VM_READ | VM_EXEC, 0);
	CHECK(fault_at(as, PAGE_AT(20), VM_READ) == 0, "P7.8", "a page of code");
	CHECK(rights_at(as, PAGE_AT(20)) == (VM_READ | VM_EXEC), "P7.8",
	      "the only owner of a page of code has the rights %x", rights_at(as, PAGE_AT(20)));
	map_at(as, PAGE_AT(30), 1, RIGHTS, 0);
	CHECK(store(as, PAGE_AT(30), 1) == 0, "P7.8", "a write to code that may be written");
	CHECK(as_protect(as, PAGE_AT(1), PAGE_SIZE, VM_READ, false) == 0, "P7.8", "mprotect");
	CHECK(as_protect(as, PAGE_AT(2), PAGE_SIZE, 0, false) == 0, "P7.8", "mprotect");
	check_shared_forbidden();
	check_given_back(REGION_STACK);
	check_given_back(REGION_HEAP);
	check_given_back(REGION_LOCKED);
	check_given_back(REGION_NORESERVE);
	child = fork_of(as);
	err = fault_at(child, PAGE_AT(20), VM_WRITE);
	CHECK(err == -EFAULT && rights_at(child, PAGE_AT(20)) == (VM_READ | VM_EXEC), "P7.8",
	      "a write to code after fork: error %d, and the page has the rights %x", err,
	      rights_at(child, PAGE_AT(20)));
	err = fault_at(as, PAGE_AT(1), VM_WRITE);
	CHECK(err == -EFAULT && rights_at(as, PAGE_AT(1)) == VM_READ, "P7.8",
	      "a write to read-only memory after fork: error %d, and the page has the rights %x",
	      err, rights_at(as, PAGE_AT(1)));
	CHECK(fault_at(child, PAGE_AT(2), VM_READ) == -EFAULT &&
	      !arch_pte_present(pte_at(child, PAGE_AT(2))), "P7.8",
	      "after fork a page that must not be accessed may be");
	CHECK(page_at(child, PAGE_AT(2)) == page_at(as, PAGE_AT(2)) &&
	      owners(page_at(as, PAGE_AT(2))) == 2, "P7.8",
	      "a page that must not be accessed has %u owners after fork",
	      owners(page_at(as, PAGE_AT(2))));
	CHECK(as_protect(child, PAGE_AT(2), PAGE_SIZE, RW, false) == 0, "P7.8", "mprotect");
	CHECK(store(child, PAGE_AT(30), 2) == 0 && store(as, PAGE_AT(30), 3) == 0, "P7.8",
	      "a write to code that may be written");
	CHECK(rights_at(child, PAGE_AT(30)) == RIGHTS && rights_at(as, PAGE_AT(30)) == RIGHTS,
	      "P7.8", "after a write to code that may be written, it has the rights %x and %x",
	      rights_at(child, PAGE_AT(30)), rights_at(as, PAGE_AT(30)));
	prot = rights_at(child, PAGE_AT(2));
	CHECK(prot == VM_READ, "P7.8",
	      "a page with two owners has the rights %x after mprotect", prot);
	CHECK(store(child, PAGE_AT(2), 1) == 0, "P7.8", "the child may not write what it may");
	CHECK(as_protect(as, PAGE_AT(2), PAGE_SIZE, RW, false) == 0, "P7.8", "mprotect");
	CHECK(*word_at(as, PAGE_AT(2)) == 102, "P7.8",
	      "the child has written, and the parent sees it");
	CHECK(store(child, PAGE_AT(3), 1) == 0 && store(as, PAGE_AT(3), 2) == 0, "P7.8",
	      "both may write, and one of them cannot");
	as_put(child);
	as_put(as);
}

KTEST(cow_shared_file, "cow.shared", "07.5", "P7.8")
{
	struct addr_space *as = new_space(), *child;
	int err;

	file_make();
	map_file(as, BASE, RW, REGION_SHARED, FILE_PAGES * PAGE_SIZE);
	err = fault_at(as, BASE, VM_WRITE);
	CHECK(err == 0, "P7.8", "a shared page: error %d", err);
	child = fork_of(as);
	CHECK(rights_at(as, BASE) == RW && rights_at(child, BASE) == RW, "P7.8",
	      "a page of a shared mapping has the rights %x in the parent and %x in the child",
	      rights_at(as, BASE), rights_at(child, BASE));
	CHECK(store(child, BASE, 1) == 0 && page_at(child, BASE) == file_pages[0], "P7.8",
	      "a write to a shared mapping made a copy");
	/* rights that came and went: the entry lacks one, and the page is shared on purpose */
	CHECK(as_protect(as, BASE, PAGE_SIZE, VM_READ, false) == 0, "P7.8", "mprotect");
	CHECK(as_protect(as, BASE, PAGE_SIZE, RW, false) == 0, "P7.8", "mprotect");
	CHECK(store(as, BASE, 2) == 0 && page_at(as, BASE) == file_pages[0], "P7.8",
	      "a write to a shared mapping made a copy");
	CHECK(owners(file_pages[0]) == 3, "P7.8", "the file and two spaces: %u owners",
	      owners(file_pages[0]));
	as_put(child);
	as_put(as);
	file_drop();
}

/*
 * A file that gives up pages takes them out of all spaces next, but for copies of them. Until then
 * such a page has one owner, and is the file's even so: what is written meanwhile needs a copy.
 */
static void check_given_up(void)
{
	struct addr_space *as = new_space();

	map_file(as, BASE, RW, 0, FILE_PAGES * PAGE_SIZE);
	CHECK(fault_at(as, BASE, VM_READ) == 0 && fault_at(as, PAGE_AT(1), VM_READ) == 0, "P7.7",
	      "a read");
	CHECK(as_protect(as, PAGE_AT(1), PAGE_SIZE, VM_READ, false) == 0, "P7.7", "mprotect");
	for (unsigned i = 0; i < 2; i++)
		page_put(file_pages[i]);
	CHECK(as_protect(as, PAGE_AT(1), PAGE_SIZE, RW, false) == 0, "P7.7", "mprotect");
	for (unsigned i = 0; i < 2; i++) {
		CHECK(store(as, PAGE_AT(i), 5) == 0, "P7.7", "a write");
		file_fill(i);
	}
	mutex_lock(&test_file.lock);
	inode_unmap(&test_file, 0, 1, false);
	mutex_unlock(&test_file.lock);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(page_at(as, PAGE_AT(i)) && *word_at(as, PAGE_AT(i)) == 5, "P7.7",
		      "page %u was written while the file gave it up, and the write is lost", i);
		CHECK(bytes_not(as, PAGE_AT(i), 8, PAGE_SIZE, 0xf0 + i) == 0, "P7.7",
		      "page %u was copied after its last owner had left it", i);
	}
	as_put(as);
}

KTEST(cow_file, "cow.file", "07.5", "P7.7")
{
	struct addr_space *as = new_space(), *child;
	struct page *p;

	file_make();
	map_file(as, BASE, RW, 0, FILE_PAGES * PAGE_SIZE);
	CHECK(fault_at(as, BASE, VM_READ) == 0, "P7.7", "a read");
	child = fork_of(as);
	CHECK(owners(file_pages[0]) == 3, "P7.7", "the file and two spaces: %u owners",
	      owners(file_pages[0]));
	CHECK(store(child, BASE, 1) == 0 && store(as, BASE, 2) == 0, "P7.7", "a write");
	CHECK(page_at(as, BASE) != file_pages[0] && page_at(child, BASE) != file_pages[0] &&
		      file_intact(0),
	      "P7.7", "a write in a private mapping has reached the file");
	CHECK(owners(file_pages[0]) == 1, "P7.7",
	      "both have copies, and the file's page has %u owners", owners(file_pages[0]));
	as_put(child);
	/* from here on it is a page like any other */
	p = page_at(as, BASE);
	child = fork_of(as);
	CHECK(store(child, BASE, 3) == 0 && page_at(child, BASE) != p && owners(p) == 1, "P7.7",
	      "a copy of a file's page is not copied when it is shared in its turn");
	CHECK(store(as, BASE, 4) == 0 && page_at(as, BASE) == p, "P7.7",
	      "the last owner of a copy of a file's page makes a copy");
	as_put(child);
	as_put(as);
	check_given_up();
	file_drop();
}
