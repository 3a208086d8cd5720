/*
 * Lab 07, challenge: when the last owner of a page writes to it, the pages around it that have no
 * other owner either get their right back with it, and cost no fault of their own.
 */
#include "file.h"

#define PAGES	64
#define FEW	(PAGES / 8)

static unsigned faults;

/* Writes to each of @n pages from page @first on, and counts the faults. */
static void store_all(struct addr_space *as, unsigned first, unsigned n, u64 value)
{
	for (unsigned i = first; i < first + n; i++) {
		faults += !(rights_at(as, PAGE_AT(i)) & VM_WRITE);
		CHECK(store(as, PAGE_AT(i), value + i) == 0, ktest_property(), "a write fails");
	}
}

/* Forks, and the child ends. */
static void fork_and_end(struct addr_space *as)
{
	as_put(fork_of(as));
}

KTEST(challenge_give_back, "challenge.give_back", "07.c", "C7.1")
{
	u64 copies = event_read(EVENT_COW_COPIES);
	struct addr_space *as = new_space();

	map_at(as, PAGE_AT(480), PAGES, RW, 0);		/* the entries are in two tables */
	store_all(as, 480, PAGES, 0);
	for (unsigned round = 1; round <= 3; round++) {
		fork_and_end(as);
		faults = 0;
		store_all(as, 480, PAGES, 1000 * round);
		CHECK(faults <= FEW, "C7.1",
		      "a child has ended, and %u pages cost %u faults, more than %u", PAGES, faults,
		      FEW);
	}
	CHECK(event_read(EVENT_COW_COPIES) == copies, "C7.1", "the only owner makes %lu copies",
	      event_read(EVENT_COW_COPIES) - copies);
	for (unsigned i = 480; i < 480 + PAGES; i++)
		CHECK(*word_at(as, PAGE_AT(i)) == 3000 + i, "C7.1", "page %u has lost a write", i);
	CHECK(as->resident == PAGES, "C7.1", "%u pages were written, and %lu are resident", PAGES,
	      as->resident);
	as_put(as);
}

static void expect_rights(struct addr_space *as, unsigned i, unsigned rights, const char *what)
{
	CHECK(rights_at(as, PAGE_AT(i)) == rights, ktest_property(),
	      "%s, page %u: its rights are %x", what, i, rights_at(as, PAGE_AT(i)));
}

/* Every other page is still the child's, too. */
KTEST(challenge_own_only, "challenge.own_only", "07.c", "C7.2")
{
	struct addr_space *as = new_space(), *child;
	unsigned given = 0;

	map_at(as, BASE, 16, RW, 0);
	store_all(as, 0, 14, 100);
	child = fork_of(as);
	for (unsigned i = 0; i < 14; i += 2)
		store_all(child, i, 1, 200);
	CHECK(store(as, BASE, 300) == 0, "C7.2", "a write fails");
	for (unsigned i = 1; i < 14; i++) {
		given += i % 2 == 0 && rights_at(as, PAGE_AT(i)) == RW;
		if (i % 2)
			expect_rights(as, i, VM_READ, "a page that the child owns as well");
	}
	CHECK(given >= 3, "C7.2", "of 6 pages around it that have no other owner %u may be written",
	      given);
	CHECK(!pte_at(as, PAGE_AT(14)) && as->resident == 14, "C7.2",
	      "a page that was not touched is there");
	store_all(as, 0, 14, 400);
	for (unsigned i = 0; i < 14; i++)
		CHECK(*word_at(child, PAGE_AT(i)) == (i % 2 ? 100 : 200) + i, "C7.2",
		      "the child sees what its parent has written to page %u", i);
	as_put(child);
	as_put(as);
}

/* Around the page that is written are other regions, and pages of a file. */
KTEST(challenge_rights, "challenge.rights", "07.c", "C7.3")
{
	struct addr_space *as = new_space();

	map_at(as, BASE, 16, RW, 0);
	store_all(as, 0, 16, 100);
	CHECK(as_protect(as, PAGE_AT(4), 4 * PAGE_SIZE, VM_READ, false) == 0, "C7.3", "mprotect");
	CHECK(as_protect(as, PAGE_AT(12), 4 * PAGE_SIZE, 0, false) == 0, "C7.3", "mprotect");
	file_make();
	map_file(as, PAGE_AT(32), RW, 0, FILE_PAGES * PAGE_SIZE);
	CHECK(fault_at(as, PAGE_AT(33), VM_READ) == 0, "C7.3", "a read fails");
	CHECK(store(as, PAGE_AT(32), 1) == 0 && store(as, PAGE_AT(34), 1) == 0, "C7.3",
	      "a write fails");
	fork_and_end(as);
	for (unsigned i = 0; i < 12; i++)
		if (rights_at(as, PAGE_AT(i)) == VM_READ && (i < 4 || i >= 8))
			CHECK(store(as, PAGE_AT(i), 200 + i) == 0, "C7.3", "a write fails");
	CHECK(store(as, PAGE_AT(32), 2) == 0, "C7.3", "a write fails");
	expect_rights(as, 34, RW, "a copy of a file's page");
	expect_rights(as, 33, VM_READ, "a page of a file");
	CHECK(file_intact(1), "C7.3", "a file has changed");
	for (unsigned i = 4; i < 8; i++)
		expect_rights(as, i, VM_READ, "read-only memory");
	for (unsigned i = 12; i < 16; i++)
		CHECK(!arch_pte_present(pte_at(as, PAGE_AT(i))) &&
			      *word_at(as, PAGE_AT(i)) == 100 + i,
		      "C7.3", "page %u may not be accessed, and it is present or lost", i);
	as_put(as);
	file_drop();
}
