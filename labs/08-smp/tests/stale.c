/*
 * Lab 08, step 6: nobody uses a translation that was taken away, or the page behind it.
 */
#include "pages.h"

static struct addr_space *space;

static _Atomic unsigned round, looks[MAX_CPUS];

/* In odd rounds no page can be written to. It looks at one near the start and one near the end. */
static int write_on(void *arg)
{
	struct member *m = arg;
	unsigned id = cpu_here();

	use_space(space);
	while (!m->stop) {
		unsigned now = round, i = looks[id]++ % 3 * (PAGES / 2);
		int err = put_word(PAGE_AT(MIN(i, PAGES - 1u)), 42);

		if (now % 2 && now == round)
			CHECK(err == -EFAULT, "P8.9",
			      "round %u: CPU %u still writes to page %u, which was taken away",
			      now, id, i);
		if (looks[id] % 16 == 0) {	/* leaves the space, and loads it anew */
			use_space(NULL);
			use_space(space);
		}
		thread_yield();
	}
	use_space(NULL);
	return 0;
}

static void await_looks(void)
{
	unsigned before[MAX_CPUS];

	for (unsigned i = 0; i < nr_cpus; i++)
		before[i] = looks[i];
	for (unsigned i = 0; i < nr_cpus; i++)
		while (looks[i] < before[i] + 4)
			thread_yield();
}

static int forbid(void)
{
	return as_protect(space, BASE, PAGES * PAGE_SIZE, VM_READ, false);
}

static int allow(void)
{
	return as_protect(space, BASE, PAGES * PAGE_SIZE, RW, false);
}

/* With its last page a table goes too, and then the range of the batch is the whole space. */
static int unmap(void)
{
	return as_unmap(space, BASE, PAGES * PAGE_SIZE);
}

static int map_anew(void)
{
	return map_pages(space, PAGES);
}

/* All CPUs write, while @take takes the pages away and @give brings them back. */
static void write_in_rounds(int (*take)(void), int (*give)(void))
{
	struct member writers[MAX_CPUS];

	new_space(&space, PAGES);
	round = 0;
	for (unsigned i = 0; i < nr_cpus; i++)
		make_and_run(&writers[i], i, BIT(i), write_on);
	for (unsigned i = 0; i < ROUNDS; i += 2) {
		await_looks();
		CHECK(take() == 0, "P8.9", "it cannot be forbidden");
		round = i + 1;
		await_looks();
		round = i + 2;
		CHECK(give() == 0, "P8.9", "it cannot be allowed");
	}
	end(writers, nr_cpus);
	as_put(space);
}

KTEST(tlb_stale, "tlb.stale", "08.6", "P8.9")
{
	write_in_rounds(forbid, allow);
}

KTEST(tlb_tables, "tlb.tables", "08.6", "P8.9")
{
	write_in_rounds(unmap, map_anew);
}

/* The caller's own CPU, with few pages and with many. */
KTEST(tlb_own, "tlb.own", "08.6", "P8.9")
{
	static const unsigned counts[] = { 1, 2, 16, 17, PAGES };

	stay_here();
	new_space(&space, PAGES);
	use_space(space);
	for (unsigned c = 0; c < ARRAY_SIZE(counts); c++) {
		unsigned n = counts[c], still = 0;

		for (unsigned i = 0; i < PAGES; i++)
			CHECK(put_word(PAGE_AT(i), i) == 0, "P8.9", "page %u cannot be written", i);
		CHECK(as_protect(space, BASE, n * PAGE_SIZE, VM_READ, false) == 0, "P8.9",
		      "protect");
		for (unsigned i = 0; i < n; i++)
			still += put_word(PAGE_AT(i), 0) == 0;
		CHECK(!still, "P8.9", "of %u pages that are forbidden %u can still be written", n,
		      still);
		for (unsigned i = n; i < PAGES; i++)
			CHECK(put_word(PAGE_AT(i), i) == 0, "P8.9", "page %u was not forbidden", i);
		CHECK(as_protect(space, BASE, n * PAGE_SIZE, RW, false) == 0, "P8.9", "protect");
	}
	use_space(NULL);
	as_put(space);
	stay_no_longer();
}

/* Pages that are given back and used for something else: none ever reads what is in them then. */
static int read_on(void *arg)
{
	struct member *m = arg;
	unsigned id = cpu_here();

	use_space(space);
	while (!m->stop) {
		u64 value = 0;
		unsigned i = looks[id]++ % 4;
		int err = copy_from_user(&value, PAGE_AT(i), sizeof(value));

		CHECK(!err && (value == 42 || value == 0), "P8.10",
		      "CPU %u reads %lx from page %u, which was given back (error %d)", id, value,
		      i, err);
		thread_yield();
	}
	use_space(NULL);
	return 0;
}

KTEST(tlb_freed, "tlb.freed", "08.6", "P8.10")
{
	struct member readers[MAX_CPUS];
	struct page *given[4];

	new_space(&space, 4);
	for (unsigned i = 0; i < nr_cpus; i++)
		make_and_run(&readers[i], i, BIT(i), read_on);
	for (unsigned r = 0; r < ROUNDS; r++) {
		await_looks();
		CHECK(as_advise(space, BASE, PAGE_AT(4), MADV_DONTNEED) == 0, "P8.10", "advise");
		for (unsigned i = 0; i < 4; i++) {	/* most likely the same pages */
			given[i] = page_alloc(0, 0);
			REQUIRE(given[i], "P8.10", "no memory for a page");
			for (unsigned k = 0; k < PAGE_SIZE / 8; k += 64)
				((u64 *)page_to_virt(given[i]))[k] = 0xdead;
		}
		for (unsigned i = 0; i < 4; i++)
			page_put(given[i]);
	}
	end(readers, nr_cpus);
	as_put(space);
}
