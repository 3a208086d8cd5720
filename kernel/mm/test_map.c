/*
 * Tests of the calls that change an address space, one by one.
 */
#include "test_space.h"

#include "base/counters.h"
#include "errno.h"
#include "fs/vfs.h"
#include "test/instrument.h"

KTEST(space_ranges, "space.ranges", "", "mm.range")
{
	struct addr_space *as = new_space();

	CHECK(as_unmap(as, BASE, 0) == -EINVAL, "mm.range", "empty");
	CHECK(as_unmap(as, BASE + 1, PAGE_SIZE) == -EINVAL, "mm.range", "not aligned");
	CHECK(as_unmap(as, BASE, ~0UL - BASE) == -EINVAL, "mm.range", "beyond user space");
	CHECK(as_unmap(as, BASE, -BASE) == -EINVAL, "mm.range", "wraps to 0");
	CHECK(as_unmap(as, ARCH_USER_END, PAGE_SIZE) == -EINVAL, "mm.range", "one past the end");
	CHECK(as_unmap(as, ARCH_USER_END - PAGE_SIZE, 1) == 0, "mm.range", "the last page");
	CHECK(as_protect(as, ARCH_DIRECT_BASE, PAGE_SIZE, RW, false) == -EINVAL, "mm.range",
	      "kernel memory");
	CHECK(map_at(as, ARCH_USER_END - PAGE_SIZE, 1, RW, 0) == 0, "mm.range", "the last page");
	CHECK(map_at(as, ARCH_USER_END - PAGE_SIZE, 2, RW, 0) == -ENOMEM, "mm.range",
	      "crosses the end");
	CHECK(map_at(as, 0, 1, RW, 0) == -EPERM, "mm.range", "the null page");
	CHECK(map_at(as, BASE, ARCH_USER_END / PAGE_SIZE + 1, RW, 0) == -ENOMEM, "mm.range",
	      "too large");
	CHECK(poke(as, ARCH_USER_END - 8, 1) == 0, "mm.range", "the last word");
	CHECK(poke(as, ARCH_USER_END, 1) == -EFAULT, "mm.range", "one past the end");
	CHECK(poke(as, ARCH_DIRECT_BASE, 1) == -EFAULT, "mm.range", "kernel memory");
	as_check(as);
	as_put(as);
}

/* Finds what region_gap() should find, by a walk over all regions. */
static vaddr_t gap_by_walk(struct addr_space *as, u64 size)
{
	vaddr_t end = as->mmap_top, found = 0;

	for (struct region *r = region_first(as); r; r = region_next(r)) {
		struct region *prev = region_prev(r);
		vaddr_t low = prev ? prev->end : MMAP_MIN, high = MIN(r->start, as->mmap_top);

		if (high >= low && high - low >= size)
			found = high - size;
		end = MAX(MMAP_MIN, r->end);
	}
	if (end <= as->mmap_top && as->mmap_top - end >= size)
		found = as->mmap_top - size;
	return found ? found : !region_first(as) ? as->mmap_top - size : 0;
}

KTEST(space_gaps, "space.gaps", "", "mm.gaps")
{
	struct addr_space *as = new_space();

	as->mmap_top = PAGE_AT(400);		/* regions lie on both sides of it */
	map_at(as, MMAP_MIN, (BASE - MMAP_MIN) / PAGE_SIZE, VM_READ, 0);
	for (unsigned step = 0; step < 600; step++) {
		vaddr_t at = PAGE_AT(test_random() % 500);
		u64 pages = 1 + test_random() % 6, size = (1 + test_random() % 20) * PAGE_SIZE;

		if (test_random() % 3)
			map_at(as, at, pages, step % 2 ? RW : VM_READ, 0);
		else
			as_unmap(as, at, pages * PAGE_SIZE);
		CHECK(region_gap(as, 0, size) == gap_by_walk(as, size), "mm.gaps",
		      "step %u: %lx bytes at %lx, not %lx", step, size, region_gap(as, 0, size),
		      gap_by_walk(as, size));
		if (step % 50 == 0)
			as_check(as);
	}
	as_put(as);
}

KTEST(space_map_count, "space.map_count", "", "mm.limit")
{
	struct addr_space *as = new_space();
	unsigned saved = max_map_count;

	max_map_count = 3;
	for (unsigned i = 0; i < 4; i++)	/* as on Linux, one more than the limit */
		CHECK(map_at(as, PAGE_AT(4 * i), 3, RW, 0) == 0, "mm.limit", "map %u", i);
	CHECK(map_at(as, PAGE_AT(40), 1, RW, 0) == -ENOMEM, "mm.limit", "one map too many");
	CHECK(as_protect(as, PAGE_AT(1), PAGE_SIZE, VM_READ, false) == -ENOMEM, "mm.limit",
	      "split");
	CHECK(as_unmap(as, PAGE_AT(1), PAGE_SIZE) == -ENOMEM, "mm.limit", "split by a hole");
	CHECK(as_unmap(as, PAGE_AT(0), 3 * PAGE_SIZE) == 0, "mm.limit", "unmap");
	as_check(as);
	max_map_count = saved;
	as_put(as);
}

KTEST(space_tables, "space.tables", "", "mm.tables")
{
	struct addr_space *as = new_space();
	s64 before = counter_read(COUNT_TABLE_PAGES);

	for (unsigned i = 0; i < 32; i++) {
		vaddr_t va = BASE * (1 + i % 4) + i * BLOCK_SIZE;

		CHECK(map_at(as, va - PAGE_SIZE, 3, RW, 0) == 0, "mm.tables", "map");
		CHECK(poke(as, va, i) == 0, "mm.tables", "write");
	}
	CHECK(counter_read(COUNT_TABLE_PAGES) > before, "mm.tables", "pages without tables");
	CHECK(as_unmap(as, BASE / 2, BASE * 8) == 0, "mm.tables", "unmap");
	/* ZAP1 */
	CHECK(counter_read(COUNT_TABLE_PAGES) == before, "mm.tables", "%ld tables are left",
	      counter_read(COUNT_TABLE_PAGES) - before);
	as_check(as);
	as_put(as);
}

KTEST(space_brk, "space.brk", "", "mm.brk")
{
	struct addr_space *as = new_space();
	u64 value = 1;

	as->brk = as->brk_start = BASE + 100;
	CHECK(as_brk(as, 0) == BASE + 100, "mm.brk", "asking moves it");
	CHECK(as_brk(as, BASE + 10 * PAGE_SIZE) == BASE + 10 * PAGE_SIZE, "mm.brk",
	      "does not grow");
	for (unsigned i = 11; i < 200; i++)
		as_brk(as, PAGE_AT(i));
	/* REGION4 */
	CHECK(!region_next(region_first(as)), "mm.brk.merge", "a heap of several regions");
	CHECK(poke(as, PAGE_AT(150), 5) == 0, "mm.brk", "cannot be written");
	CHECK(as_brk(as, PAGE_AT(100) + 1) == PAGE_AT(100) + 1, "mm.brk", "does not shrink");
	CHECK(as->resident == 0, "mm.brk", "pages are left");
	CHECK(as_brk(as, PAGE_AT(200)) == PAGE_AT(200), "mm.brk", "does not grow again");
	CHECK(peek(as, PAGE_AT(150), &value) == 0 && value == 0, "mm.brk", "new heap holds %lu",
	      value);
	map_at(as, PAGE_AT(300), 1, RW, 0);
	CHECK(as_brk(as, PAGE_AT(301)) == PAGE_AT(200), "mm.brk", "grows over a mapping");
	as_check(as);
	as_put(as);
}

KTEST(space_remap, "space.remap", "", "mm.remap")
{
	struct addr_space *as = new_space();
	vaddr_t at;
	u64 value = 0;

	map_at(as, BASE, 8, RW, 0);
	for (unsigned i = 0; i < 8; i++)
		poke(as, PAGE_AT(i), i + 1);
	CHECK(resize_map(as, BASE, 8, 16, false, &at) == 0 && at == BASE,
	      "mm.remap", "does not grow in place");
	map_at(as, PAGE_AT(16), 1, VM_READ, 0);
	CHECK(resize_map(as, BASE, 16, 17, false, &at) == -ENOMEM, "mm.remap",
	      "grows over a mapping");
	CHECK(resize_map(as, PAGE_AT(2), 4, 1000, true, &at) == 0, "mm.remap",
	      "does not move");
	for (unsigned i = 0; i < 4; i++)
		CHECK(peek(as, at + i * PAGE_SIZE, &value) == 0 && value == i + 3,
		      "mm.remap.contents", "page %u holds %lu", i, value);
	CHECK(peek(as, PAGE_AT(2), &value) == -EFAULT, "mm.remap", "still where it was");
	CHECK(peek(as, PAGE_AT(6), &value) == 0 && value == 7, "mm.remap", "behind it: %lu", value);
	CHECK(resize_map(as, at, 1000, 1, true, &at) == 0, "mm.remap", "shrink");
	CHECK(as->total_pages == 1 + 12 + 1, "mm.remap", "%lu pages", as->total_pages);
	CHECK(resize_map(as, PAGE_AT(100), 1, 2, true, &at) == -EFAULT,
	      "mm.remap", "what is not there");
	as_check(as);
	as_put(as);
}

/* RMAP2: a region that takes over another's entries is the last of its file's mappings. */
KTEST(space_mappings, "space.mappings", "", "mm.rmap")
{
	struct inode *inode = ramfs_create_anon(4 * PAGE_SIZE);
	struct map_request req = {
		.addr = BASE, .size = 4 * PAGE_SIZE, .prot = VM_READ, .fixed = true,
		.flags = REGION_SHARED, .inode = inode, .file_size = 4 * PAGE_SIZE,
	};
	struct addr_space *as = new_space(), *child;
	struct region *last;
	vaddr_t at;

	REQUIRE(inode, "mm.rmap", "no memory");
	CHECK(as_map(as, &req, &at) == 0, "mm.rmap", "map");
	REQUIRE(as_fork(as, &child) == 0, "mm.rmap", "fork");
	last = list_entry(inode->mappings.prev, struct region, mapping);
	CHECK(last->as == child, "mm.rmap", "fork's copy is not the last");
	CHECK(as_protect(as, PAGE_AT(2), PAGE_SIZE, 0, false) == 0, "mm.rmap", "split");
	last = list_entry(inode->mappings.prev, struct region, mapping);
	CHECK(last->as == as && last->start == PAGE_AT(3), "mm.rmap.split", "%lx", last->start);
	CHECK(resize_map(as, BASE, 1, 400, true, &at) == 0, "mm.rmap", "move");
	last = list_entry(inode->mappings.prev, struct region, mapping);
	CHECK(last->as == as && last->start == at, "mm.rmap.move", "%lx", last->start);
	CHECK(as_protect(as, PAGE_AT(2), PAGE_SIZE, VM_READ, false) == 0, "mm.rmap", "merge");
	last = list_entry(inode->mappings.prev, struct region, mapping);
	CHECK(last->as == as && last->start == PAGE_AT(1), "mm.rmap.merge", "%lx", last->start);
	as_put(as);
	as_put(child);
	inode_put(inode);
}

KTEST(space_cow, "space.cow", "", "mm.cow")
{
	struct addr_space *parent = new_space(), *child;
	u64 value = 0, pages, copies = event_read(EVENT_COW_COPIES);

	map_at(parent, BASE, 2, RW, 0);
	map_at(parent, PAGE_AT(2), 1, RW, REGION_NOWRITE);
	poke(parent, BASE, 1);
	poke(parent, PAGE_AT(2), 3);
	pages = counter_read(COUNT_USER_PAGES);
	REQUIRE(as_fork(parent, &child) == 0, "mm.cow", "fork");
	CHECK(counter_read(COUNT_USER_PAGES) == (s64)pages + 2, "mm.cow.counts",
	      "2 pages, but %ld more", counter_read(COUNT_USER_PAGES) - (s64)pages);
	CHECK(poke(child, BASE, 10) == 0, "mm.cow", "the child cannot write");
	CHECK(peek(parent, BASE, &value) == 0 && value == 1, "mm.cow.isolation", "parent sees %lu",
	      value);
	CHECK(event_read(EVENT_COW_COPIES) == copies + 1, "mm.cow.copies", "%lu copies",
	      event_read(EVENT_COW_COPIES) - copies);
	CHECK(poke(parent, BASE, 2) == 0, "mm.cow", "the parent cannot write");
	CHECK(event_read(EVENT_COW_COPIES) == copies + 1, "mm.cow.sole", "a sole owner copies");
	CHECK(peek(child, BASE, &value) == 0 && value == 10, "mm.cow.isolation", "child sees %lu",
	      value);
	/* COW2 */
	CHECK(as_protect(child, BASE, PAGE_SIZE, VM_READ, false) == 0, "mm.cow", "protect");
	CHECK(poke(child, BASE, 11) == -EFAULT, "mm.cow.rights", "a read-only page was written");
	CHECK(as_protect(child, PAGE_AT(2), PAGE_SIZE, RW, false) == -EACCES, "mm.cow.rights",
	      "NOWRITE");
	as_check(parent);
	as_check(child);
	as_put(parent);
	CHECK(peek(child, PAGE_AT(2), &value) == 0 && value == 3, "mm.cow", "gone with the parent");
	as_put(child);
}

KTEST(space_shared, "space.shared", "", "mm.shared")
{
	struct inode *inode = ramfs_create_anon(4 * PAGE_SIZE);
	struct map_request req = {
		.addr = BASE, .size = 8 * PAGE_SIZE, .prot = RW, .fixed = true,
		.flags = REGION_SHARED, .inode = inode, .file_size = 8 * PAGE_SIZE,
	};
	struct addr_space *as = new_space(), *child;
	u64 value = 0;
	vaddr_t at;

	REQUIRE(inode, "mm.shared", "no memory");
	CHECK(as_map(as, &req, &at) == 0, "mm.shared", "map");
	CHECK(poke(as, BASE, 5) == 0, "mm.shared", "cannot write");
	REQUIRE(as_fork(as, &child) == 0, "mm.shared", "fork");
	CHECK(poke(child, BASE, 6) == 0 && peek(as, BASE, &value) == 0 && value == 6, "mm.shared",
	      "the parent sees %lu", value);
	CHECK(poke(as, PAGE_AT(3), 7) == 0 && peek(child, PAGE_AT(3), &value) == 0 && value == 7,
	      "mm.shared", "the child sees %lu", value);
	CHECK(peek(as, PAGE_AT(4), &value) == -EIO, "mm.shared.end", "beyond the end of the file");
	req.addr = PAGE_AT(20);
	req.flags = 0;
	req.file_size = PAGE_SIZE + 8;
	CHECK(as_map(as, &req, &at) == 0, "mm.private", "map");
	CHECK(peek(as, PAGE_AT(20), &value) == 0 && value == 6, "mm.private", "reads %lu", value);
	CHECK(poke(as, PAGE_AT(20), 9) == 0 && peek(child, BASE, &value) == 0 && value == 6,
	      "mm.private", "a private write shows: %lu", value);
	poke(as, PAGE_AT(1) + 8, 99);
	CHECK(peek(as, PAGE_AT(21) + 8, &value) == 0 && value == 0, "mm.private.tail", "tail %lu",
	      value);
	CHECK(poke(as, PAGE_AT(27), 1) == 0, "mm.private.zeros", "behind the file's part");
	as_check(as);
	as_put(as);
	as_put(child);
	inode_put(inode);
}
