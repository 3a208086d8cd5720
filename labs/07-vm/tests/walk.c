/* Step 1: walks through page tables. */
#include "vm.h"

/* Addresses whose walks part at every level, at the ends of tables too. */
static const vaddr_t places[] = {
	BASE,
	BASE + PAGE_SIZE,
	BASE + 511 * PAGE_SIZE,
	BASE + 512 * PAGE_SIZE,		/* the next table */
	BASE + (1UL << 30) - PAGE_SIZE,
	BASE + (1UL << 30),
	ARCH_USER_END - PAGE_SIZE,
};

/* How many tables below the root the first @n places need. */
static u64 tables_of(unsigned n)
{
	u64 count = 0;

	for (unsigned level = 1; level < ARCH_PT_LEVELS; level++)
		for (unsigned i = 0; i < n; i++) {
			bool is_new = true;

			for (unsigned k = 0; k < i; k++)
				is_new &= places[k] >> pt_shift(level) !=
					  places[i] >> pt_shift(level);
			count += is_new;
		}
	return count;
}

static struct addr_space *space_with_places(void)
{
	struct addr_space *as = new_space();

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
		map_at(as, places[i], 1, RW, 0);
	return as;
}

KTEST(walk_finds, "walk.finds", "07.1", "P7.1")
{
	struct addr_space *as = space_with_places();

	dirty_free_pages();
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		pte_t *e = pt_walk(as->root, places[i] + 8, true);

		CHECK(e && e == entry_in(as->root, places[i]), "P7.1",
		      "0x%lx: the walk ends at the wrong entry", places[i]);
		CHECK(e && !*e, "P7.1", "0x%lx: a new table is not empty", places[i]);
		CHECK(as_tables(as) == tables_of(i + 1), "P7.1",
		      "0x%lx: %lu tables are there, not %lu", places[i], as_tables(as),
		      tables_of(i + 1));
		CHECK(pt_walk(as->root, places[i], true) == e &&
			      pt_walk(as->root, places[i], false) == e &&
			      as_tables(as) == tables_of(i + 1),
		      "P7.1",
		      "0x%lx: the second walk differs from the first", places[i]);
	}
	as_put(as);
}

KTEST(walk_absent, "walk.absent", "07.1", "P7.1")
{
	struct addr_space *as = space_with_places();

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		bool there = entry_in(as->root, places[i]);

		CHECK(!pt_walk(as->root, places[i], false) == !there, "P7.1",
		      "0x%lx: not asked to make a table, the walk finds an entry where no table is",
		      places[i]);
		CHECK(as_tables(as) == tables_of(i), "P7.1",
		      "0x%lx: not asked to make a table, the walk made one", places[i]);
		pt_walk(as->root, places[i], true);
	}
	as_put(as);
}

/* Whichever table there is no memory for, a walk that comes later finds all as it should be. */
KTEST(walk_oom, "walk.oom", "07.1", "P7.1")
{
	struct counter_snapshot before, after;

	mm_drain();
	counters_snapshot(&before);
	for (u64 k = 1; k < ARCH_PT_LEVELS; k++) {
		struct addr_space *as = space_with_places();
		pte_t *e;

		oom_arm(k, current_thread());
		e = pt_walk(as->root, BASE, true);
		oom_arm(0, NULL);
		CHECK(!e, "P7.1", "without memory for table %lu the walk finds an entry", k);
		CHECK(as_tables(as) < k, "P7.1",
		      "without memory for table %lu there are %lu tables", k, as_tables(as));
		e = pt_walk(as->root, BASE, true);
		CHECK(e && e == entry_in(as->root, BASE), "P7.1",
		      "with memory again the walk ends at the wrong entry");
		as_put(as);
	}
	mm_drain();
	counters_snapshot(&after);
	counters_equal(&before, &after, "P7.1");
}

/* --- Runs ------------------------------------------------------------------------------------- */

/* The run at @va must be of entries or not, as @there says, and end at @right. */
static void check_run(struct addr_space *as, vaddr_t va, vaddr_t end, bool there, vaddr_t right,
		      const char *what)
{
	vaddr_t next = 0;
	pte_t *e = pt_run(as->root, va, end, &next);

	CHECK(e == (there ? entry_in(as->root, va) : NULL), "P7.2",
	      "%s, and the run begins at the wrong entry", what);
	CHECK(next == right, "P7.2", "%s, and the run ends at 0x%lx, not at 0x%lx", what, next,
	      right);
}

KTEST(walk_runs, "walk.runs", "07.1", "P7.2")
{
	struct addr_space *as = space_with_places();
	u64 span = 512 * PAGE_SIZE, all = 1UL << pt_shift(ARCH_PT_LEVELS - 1);

	check_run(as, PAGE_AT(5), ARCH_USER_END, false,
		  MIN(ARCH_USER_END, ALIGN_UP(BASE + 1, all)), "no table is there");
	pt_walk(as->root, BASE, true);
	check_run(as, PAGE_AT(5), ARCH_USER_END, true, BASE + span, "a table is there");
	check_run(as, BASE, ARCH_USER_END, true, BASE + span, "a table begins there");
	check_run(as, BASE + span - PAGE_SIZE, ARCH_USER_END, true, BASE + span,
		  "the last page of a table");
	check_run(as, BASE, PAGE_AT(7), true, PAGE_AT(7), "a run over 7 pages");
	check_run(as, BASE + span, ARCH_USER_END, false, BASE + 2 * span,
		  "a table of level 0 is missing");
	check_run(as, BASE + span, BASE + span + PAGE_SIZE, false, BASE + span + PAGE_SIZE,
		  "a table of level 0 is missing, over one page");
	check_run(as, BASE + (1UL << 30), ARCH_USER_END, false, BASE + (2UL << 30),
		  "a table of level 1 is missing");
	as_put(as);
}

/* Every entry that is there is visited once, in order; few steps lead over what is not there. */
KTEST(walk_visits, "walk.visits", "07.1", "P7.2")
{
	struct addr_space *as = space_with_places();
	struct pt_iter i = { .root = as->root, .va = BASE, .end = ARCH_USER_END };
	unsigned steps = 0, n = 0;
	vaddr_t next;

	for (unsigned k = 0; k < ARRAY_SIZE(places); k++)
		pte_set(pt_walk(as->root, places[k], true), k + 1);
	for (; pt_next(&i) && n < ARRAY_SIZE(places); n++)
		CHECK(i.va == places[n] && *i.e == n + 1, "P7.2",
		      "the walk over all entries comes to 0x%lx, not to 0x%lx", i.va, places[n]);
	CHECK(n == ARRAY_SIZE(places), "P7.2", "the walk over all entries visits %u of %lu", n,
	      ARRAY_SIZE(places));
	for (vaddr_t va = BASE; va < ARCH_USER_END && steps < 5000; va = next, steps++) {
		pt_run(as->root, va, ARCH_USER_END, &next);
		if (next <= va)
			break;
	}
	CHECK(steps < 3000, "P7.2", "it takes %u steps to pass over tables that are not there",
	      steps);
	for (unsigned k = 0; k < ARRAY_SIZE(places); k++)
		*entry_in(as->root, places[k]) = 0;
	as_put(as);
}
