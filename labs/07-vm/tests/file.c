/* Step 4: pages that come from a file. */
#include "file.h"

/* The last page of the mapping, too, if the file reaches to its end. */
KTEST(file_read, "file.read", "07.4", "P7.6")
{
	struct addr_space *as = new_space();

	file_make();
	map_file(as, BASE, RW, 0, HOLE * PAGE_SIZE);
	for (unsigned i = 1; i < HOLE; i++) {
		int err = fault_at(as, PAGE_AT(i), VM_READ);

		CHECK(err == 0, "P7.6", "a read of page %u: error %d", i, err);
		CHECK(page_at(as, PAGE_AT(i)) == file_pages[i], "P7.6",
		      "a read does not get page %u of the file", i);
		CHECK(owners(file_pages[i]) == 2, "P7.6",
		      "page %u of the file has %u owners, not 2", i, owners(file_pages[i]));
		CHECK(!(rights_at(as, PAGE_AT(i)) & VM_WRITE), "P7.6",
		      "the file's own page may be written in a private mapping");
		CHECK(rights_at(as, PAGE_AT(i)) & VM_READ, "P7.6", "page %u may not be read", i);
		CHECK(as->resident == i, "P7.6", "%u pages were read, and %lu are resident", i,
		      as->resident);
	}
	map_file(as, PAGE_AT(16), VM_READ | VM_EXEC, 0, HOLE * PAGE_SIZE);
	CHECK(fault_at(as, PAGE_AT(16), VM_EXEC) == 0 && page_at(as, PAGE_AT(16)) == file_pages[0],
	      "P7.6", "execution does not get the file's own page");
	map_file(as, PAGE_AT(32), RW, REGION_LOCKED, HOLE * PAGE_SIZE);
	CHECK(fault_at(as, PAGE_AT(32), VM_READ) == 0 && page_at(as, PAGE_AT(32)) == file_pages[0],
	      "P7.6", "a read of locked memory does not get the file's own page");
	as_put(as);
	file_drop();
}

KTEST(file_write, "file.write", "07.4", "P7.6")
{
	struct addr_space *as = new_space();
	int err;

	file_make();
	map_file(as, BASE, RW, 0, FILE_PAGES * PAGE_SIZE);
	err = fault_at(as, PAGE_AT(1), VM_WRITE);
	REQUIRE(err == 0 && page_at(as, PAGE_AT(1)), "P7.6", "a write: error %d", err);
	CHECK(page_at(as, PAGE_AT(1)) != file_pages[1], "P7.6",
	      "a write in a private mapping gets the file's own page");
	CHECK(bytes_not(as, PAGE_AT(1), 0, PAGE_SIZE, 0xf1) == 0, "P7.6",
	      "a copy differs from the file in %u bytes",
	      bytes_not(as, PAGE_AT(1), 0, PAGE_SIZE, 0xf1));
	CHECK(page_at(as, PAGE_AT(1))->order == 0, "P7.6", "the copy of one page takes %u",
	      1u << page_at(as, PAGE_AT(1))->order);
	CHECK(rights_at(as, PAGE_AT(1)) == RW, "P7.6", "a copy has the rights %x",
	      rights_at(as, PAGE_AT(1)));
	CHECK(owners(file_pages[1]) == 1, "P7.6",
	      "a copy was made, and the file's page has %u owners", owners(file_pages[1]));
	*word_at(as, PAGE_AT(1)) = 0;
	CHECK(file_intact(1), "P7.6", "a write in a private mapping has changed the file");
	CHECK(file_written == 0, "P7.6", "the file was told of a write that is not its own");
	/* The file is cut short meanwhile: only the fault's reference keeps the page. */
	file_cut = true;
	err = fault_at(as, PAGE_AT(2), VM_WRITE);
	file_cut = false;
	file_fill(2);
	REQUIRE(err == 0 && page_at(as, PAGE_AT(2)), "P7.6", "a write: error %d", err);
	CHECK(bytes_not(as, PAGE_AT(2), 0, PAGE_SIZE, 0xf2) == 0, "P7.6",
	      "the file leaves a page while it is copied, and %u bytes of the copy differ",
	      bytes_not(as, PAGE_AT(2), 0, PAGE_SIZE, 0xf2));
	as_put(as);
	file_drop();
}

/* There are zeros behind the end of the mapping's part now, and the file grows into them later. */
static void check_growing(unsigned rights, unsigned access)
{
	struct addr_space *as = new_space();
	vaddr_t last = PAGE_AT(2);
	char *behind = (char *)page_to_virt(file_pages[2]) + 100;
	int err;

	map_file(as, BASE, rights, 0, 2 * PAGE_SIZE + 100);
	memset(behind, 0, PAGE_SIZE - 100);
	err = fault_at(as, last, access);
	memset(behind, 0xf2, PAGE_SIZE - 100);
	REQUIRE(err == 0 && page_at(as, last), "P7.6", "the last page: error %d", err);
	CHECK(bytes_not(as, last, 100, PAGE_SIZE, 0) == 0, "P7.6",
	      "the file has grown, and behind what was mapped of it %u bytes are not 0",
	      bytes_not(as, last, 100, PAGE_SIZE, 0));
	as_put(as);
}

/* The file ends in the middle of a page, at any byte; its page holds other bytes behind that. */
KTEST(file_end, "file.end", "07.4", "P7.6")
{
	static const struct {
		unsigned rights, access, part;
	} cases[] = {
		{ RIGHTS, VM_READ, 1 }, { RIGHTS, VM_WRITE, 101 },
		{ RIGHTS, VM_EXEC, PAGE_SIZE - 1 }, { VM_READ, VM_READ, PAGE_SIZE - 2 },
		{ VM_READ | VM_EXEC, VM_EXEC, 100 },
	};
	struct addr_space *as = new_space();

	file_make();
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		vaddr_t at = PAGE_AT(16 * i), last = at + 2 * PAGE_SIZE;
		unsigned access = cases[i].access, part = cases[i].part;
		int err;

		map_file(as, at, cases[i].rights, 0, 2 * PAGE_SIZE + part);
		dirty_free_pages();
		err = fault_at(as, last, access);
		REQUIRE(err == 0 && page_at(as, last), "P7.6", "the last page: error %d", err);
		CHECK(bytes_not(as, last, 0, part, 0xf2) == 0, "P7.6",
		      "before the file's end %u bytes differ",
		      bytes_not(as, last, 0, part, 0xf2));
		CHECK(bytes_not(as, last, part, PAGE_SIZE, 0) == 0, "P7.6",
		      "behind the file's end %u bytes are not 0",
		      bytes_not(as, last, part, PAGE_SIZE, 0));
		CHECK(file_intact(2), "P7.6", "a look at the end of the file has changed it");
		err = fault_at(as, last + PAGE_SIZE, access);
		REQUIRE(err == 0 && page_at(as, last + PAGE_SIZE), "P7.6",
			"a page behind the file: error %d", err);
		CHECK(bytes_not(as, last + PAGE_SIZE, 0, PAGE_SIZE, 0) == 0, "P7.6",
		      "a page behind the file is not all zeros");
	}
	as_put(as);
	check_growing(RIGHTS, VM_READ);
	check_growing(VM_READ | VM_EXEC, VM_EXEC);
	file_drop();
}

KTEST(file_shared, "file.shared", "07.4", "P7.6")
{
	struct addr_space *as = new_space();
	int err;

	file_make();
	map_file(as, BASE, RW, REGION_SHARED, FILE_PAGES * PAGE_SIZE);
	for (unsigned i = 0; i < FILE_PAGES; i++) {
		unsigned access = i % 2 ? VM_WRITE : VM_READ;

		err = fault_at(as, PAGE_AT(i), access);
		CHECK(err == 0 && page_at(as, PAGE_AT(i)) == file_pages[i], "P7.6",
		      "page %u of a shared mapping is not the file's own: error %d", i, err);
		CHECK(rights_at(as, PAGE_AT(i)) == RW, "P7.6",
		      "page %u of a shared mapping has the rights %x", i,
		      rights_at(as, PAGE_AT(i)));
		CHECK(owners(file_pages[i]) == 2, "P7.6",
		      "page %u of a shared mapping has %u owners, not 2", i,
		      owners(file_pages[i]));
	}
	as_put(as);
	/* the file ends inside a page that all see: no copy here either */
	for (unsigned write = 0; write < 2; write++) {
		as = new_space();
		map_file(as, BASE, write ? RW : VM_READ, REGION_SHARED, 2 * PAGE_SIZE + 100);
		err = fault_at(as, PAGE_AT(2), write ? VM_WRITE : VM_READ);
		CHECK(err == 0 && page_at(as, PAGE_AT(2)) == file_pages[2], "P7.6",
		      "the last page of a shared mapping is not the file's own: error %d", err);
		as_put(as);
	}
	file_drop();
}

KTEST(file_hole, "file.hole", "07.4", "P7.6")
{
	struct addr_space *as = new_space();

	file_make();
	map_file(as, BASE, RW, 0, FILE_PAGES * PAGE_SIZE);
	for (unsigned round = 0; round < 2; round++) {
		int err;

		dirty_free_pages();
		err = fault_at(as, PAGE_AT(HOLE), round ? VM_WRITE : VM_READ);
		REQUIRE(err == 0 && page_at(as, PAGE_AT(HOLE)), "P7.6", "a hole: error %d", err);
		CHECK(bytes_not(as, PAGE_AT(HOLE), 0, PAGE_SIZE, 0) == 0, "P7.6",
		      "a hole is not all zeros");
		CHECK(as->resident == 1, "P7.6", "one page was read, and %lu are resident",
		      as->resident);
		CHECK(rights_at(as, PAGE_AT(HOLE)) == RW, "P7.6", "a hole has the rights %x",
		      rights_at(as, PAGE_AT(HOLE)));
		as_put(as);
		as = new_space();
		map_file(as, BASE, RW, 0, FILE_PAGES * PAGE_SIZE);
	}
	file_error = -EFAULT;
	CHECK(fault_at(as, BASE, VM_READ) == -EIO, "P7.6", "a page that the file cannot give");
	file_error = -ENOMEM;
	CHECK(fault_at(as, BASE, VM_READ) == -ENOMEM, "P7.6", "no memory for the file's page");
	CHECK(as->resident == 0 && !pte_at(as, BASE), "P7.6", "an error has mapped a page");
	file_error = 0;
	as_put(as);
	file_drop();
}
