/* Step 7: each allocation fails once; nothing is lost, and the next try succeeds. */
#include "file.h"

#define PAGES	8

/* A table that was made on the way may stay: it goes with its region. */
static void leave_out_tables(const struct counter_snapshot *before, struct counter_snapshot *after)
{
	s64 more = after->value[COUNT_TABLE_PAGES] - before->value[COUNT_TABLE_PAGES];

	after->value[COUNT_TABLE_PAGES] -= more;
	after->value[COUNT_PAGES] -= more;
}

/* Tries @try for each k, with the k-th allocation failing, until it needs no more of them. */
static void each_fails(int (*make)(struct addr_space *as), int (*try)(struct addr_space *as),
		       bool (*intact)(struct addr_space *as), const char *what)
{
	bool fired = true;

	for (u64 k = 1; fired && k < 100; k++) {
		struct counter_snapshot before, after;
		struct addr_space *as = new_space();
		int err = make(as);

		CHECK(err == 0, "P7.12", "%s: error %d before it begins", what, err);
		mm_drain();
		counters_snapshot(&before);
		oom_arm(k, current_thread());
		err = try(as);
		fired = oom_fired();
		oom_arm(0, NULL);
		CHECK(err == (fired ? -ENOMEM : 0), "P7.12",
		      "%s, allocation %lu fails: it gives %d", what, k, err);
		if (fired) {
			mm_drain();
			counters_snapshot(&after);
			leave_out_tables(&before, &after);
			CHECK(counters_equal(&before, &after, "P7.12"), "P7.12",
			      "%s, allocation %lu fails: counts differ", what, k);
			CHECK(intact(as), "P7.12",
			      "%s, allocation %lu fails: a program can tell", what, k);
			err = try(as);
			CHECK(err == 0, "P7.12", "%s, tried again after allocation %lu: error %d",
			      what, k, err);
		}
		as_put(as);
	}
	CHECK(!fired, "P7.12", "%s: there is no end to its allocations", what);
}

static int map_some(struct addr_space *as)
{
	map_at(as, BASE, PAGES, RW, 0);
	map_at(as, PAGE_AT(600), PAGES, RW, 0);
	map_at(as, PAGE_AT(1020), PAGES, RW, 0);	/* in two tables */
	map_at(as, PAGE_AT(600000), 1, VM_READ | VM_EXEC, 0);
	return 0;
}

static int touch_one(struct addr_space *as)
{
	return fault_at(as, PAGE_AT(3), VM_WRITE);
}

static int read_one(struct addr_space *as)
{
	return fault_at(as, PAGE_AT(3), VM_READ);
}

static bool is_untouched(struct addr_space *as)
{
	return as->resident == 0 && !pte_at(as, PAGE_AT(3));
}

static int map_a_file(struct addr_space *as)
{
	map_file(as, BASE, RW, 0, 3 * PAGE_SIZE + 100);
	return 0;
}

/* Page 3, of which the file has a part. */
static int map_a_part(struct addr_space *as)
{
	map_file(as, PAGE_AT(1), RW, 0, 2 * PAGE_SIZE + 100);
	return 0;
}

static bool file_is_whole(struct addr_space *as)
{
	return is_untouched(as) && owners(file_pages[1]) == 1 && file_intact(1);
}

static int touch_file(struct addr_space *as)
{
	return fault_at(as, PAGE_AT(1), VM_WRITE);
}

static int map_a_stack(struct addr_space *as)
{
	map_at(as, PAGE_AT(1000), 1, RW, REGION_STACK);
	return 0;
}

static int touch_below(struct addr_space *as)
{
	int err;

	use_space(as);
	err = as_fault(as, PAGE_AT(3), VM_WRITE);
	use_space(NULL);
	return err;
}

KTEST(oom_touch, "oom.touch", "07.7", "P7.12")
{
	struct counter_snapshot before, after;

	mm_drain();
	counters_snapshot(&before);
	each_fails(map_some, touch_one, is_untouched, "a first touch");
	each_fails(map_some, read_one, is_untouched, "a first read");
	each_fails(map_a_stack, touch_below, is_untouched, "a stack that grows");
	file_make();
	each_fails(map_a_file, read_one, is_untouched, "a read of a hole of a file");
	each_fails(map_a_part, read_one, is_untouched, "a read of the last part of a file");
	each_fails(map_a_file, touch_file, file_is_whole, "a write to a page of a file");
	file_drop();
	mm_drain();
	counters_snapshot(&after);
	counters_equal(&before, &after, "P7.12");
}

/* --- Fork and copy on write ------------------------------------------------------------------- */

static struct addr_space *twin;

static bool has_contents(struct addr_space *as)
{
	for (unsigned i = 0; i < PAGES; i++)
		if (*word_at(as, PAGE_AT(i)) != i || *word_at(as, PAGE_AT(600 + i)) != 600 + i)
			return false;
	return true;
}

static int fill(struct addr_space *as)
{
	map_some(as);
	for (unsigned i = 0; i < PAGES; i++)
		if (store(as, PAGE_AT(i), i) || store(as, PAGE_AT(600 + i), 600 + i) ||
		    store(as, PAGE_AT(1020 + i), 1020 + i))
			return -EFAULT;
	/* regions that no child gets: fork copies them, and has to free the copies */
	for (unsigned i = 1200; i < 1206; i += 2) {
		map_at(as, PAGE_AT(i), 1, RW, 0);
		if (as_advise(as, PAGE_AT(i), PAGE_AT(i + 1), MADV_DONTFORK))
			return -EINVAL;
	}
	return fault_at(as, PAGE_AT(600000), VM_EXEC);
}

static int fill_and_fork(struct addr_space *as)
{
	int err = fill(as);

	if (twin)
		as_put(twin);
	twin = NULL;
	return err ? err : as_fork(as, &twin);
}

static int copy_one(struct addr_space *as)
{
	return fault_at(as, PAGE_AT(3), VM_WRITE);
}

static bool is_shared_still(struct addr_space *as)
{
	struct page *p = page_at(as, PAGE_AT(3));

	return has_contents(as) && p && p == page_at(twin, PAGE_AT(3)) && owners(p) == 2 &&
	       rights_at(as, PAGE_AT(3)) == VM_READ;
}

KTEST(oom_copy, "oom.copy", "07.7", "P7.12")
{
	each_fails(fill_and_fork, copy_one, is_shared_still, "a copy on write");
	as_put(twin);
	twin = NULL;
}

static int fork_one(struct addr_space *as)
{
	struct addr_space *child = NULL;
	int err = as_fork(as, &child);

	if (!err)
		as_put(child);
	else
		CHECK(!child, "P7.12", "a fork that fails leaves its caller a child to be freed");
	return err;
}

/*
 * The parent is the only owner of each page again, and may write to it: but for those that it
 * shares with an older child.
 */
static bool can_write_in_place(struct addr_space *as)
{
	bool ok = has_contents(as);

	for (unsigned i = 0; twin && i < PAGES; i++)
		ok &= owners(page_at(as, PAGE_AT(i))) == 2 && rights_at(as, PAGE_AT(i)) == VM_READ;
	for (unsigned i = 0; i < PAGES && !twin; i++) {
		struct page *p = page_at(as, PAGE_AT(600 + i));

		ok &= owners(p) == 1 && store(as, PAGE_AT(600 + i), 600 + i) == 0 &&
		      page_at(as, PAGE_AT(600 + i)) == p;
	}
	return ok && rights_at(as, PAGE_AT(600000)) == (VM_READ | VM_EXEC);
}

KTEST(oom_fork, "oom.fork", "07.7", "P7.12")
{
	struct counter_snapshot before, after;

	mm_drain();
	counters_snapshot(&before);
	each_fails(fill, fork_one, can_write_in_place, "fork");
	each_fails(fill_and_fork, fork_one, can_write_in_place, "a second fork");
	as_put(twin);
	twin = NULL;
	mm_drain();
	counters_snapshot(&after);
	counters_equal(&before, &after, "P7.12");
}
