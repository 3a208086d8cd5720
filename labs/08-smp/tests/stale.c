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

#define GIVEN 16	/* pages: as few are given back so fast that no other CPU reads meanwhile */

/* Pages that are given back and used for something else: none ever reads what is in them then. */
static int read_on(void *arg)
{
	struct member *m = arg;
	unsigned id = cpu_here();

	use_space(space);
	for (; !m->stop; looks[id]++) {
		for (unsigned i = 0; i < GIVEN; i++) {
			u64 value = 0;
			int err = copy_from_user(&value, PAGE_AT(i), sizeof(value));

			CHECK(!err && (value == 42 || value == 0), "P8.10",
			      "CPU %u reads %lx from page %u, which was given back (error %d)", id,
			      value, i, err);
		}
		thread_yield();
	}
	use_space(NULL);
	return 0;
}

KTEST(tlb_freed, "tlb.freed", "08.6", "P8.10")
{
	struct member readers[MAX_CPUS];
	struct page *given[GIVEN];

	new_space(&space, GIVEN);
	for (unsigned i = 0; i < nr_cpus; i++)
		make_and_run(&readers[i], i, BIT(i), read_on);
	for (unsigned r = 0; r < ROUNDS; r++) {
		await_looks();
		CHECK(as_advise(space, BASE, PAGE_AT(GIVEN), MADV_DONTNEED) == 0, "P8.10",
		      "advise");
		for (unsigned i = 0; i < GIVEN; i++) {	/* most likely the same pages */
			given[i] = page_alloc(0, 0);
			REQUIRE(given[i], "P8.10", "no memory for a page");
			for (unsigned k = 0; k < PAGE_SIZE / 8; k += 64)
				((u64 *)page_to_virt(given[i]))[k] = 0xdead;
		}
		for (unsigned i = 0; i < GIVEN; i++)
			page_put(given[i]);
	}
	end(readers, nr_cpus);
	as_put(space);
}

/* --- The kernel's own memory, on CPUs that have no space loaded ------------------------------- */

static u64 *kernel_page;
static _Atomic u64 is_there[MAX_CPUS];

static int look_there(void *arg)
{
	struct member *m = arg;

	is_there[cpu_here()] = *(volatile u64 *)kernel_page;
	return begin(m);
}

/* Each CPU looks at the page, and goes on to idle or to the test. */
static void check_all_see(u64 want, const char *when)
{
	struct member m;

	for (unsigned i = 0; i < nr_cpus; i++) {
		make_and_run(&m, i, BIT(i), look_there);
		end(&m, 1);
		CHECK(is_there[i] == want, "P8.9", "%s: CPU %u reads %lu there, not %lu", when, i,
		      is_there[i], want);
	}
}

/* At once: this CPU has the translation when it is taken away, and nothing else drops it. */
static void check_seen_here(u64 want)
{
	u64 found = *(volatile u64 *)kernel_page;

	CHECK(found == want, "P8.9", "CPU %u itself reads %lu there, not %lu", cpu_here(), found,
	      want);
}

static void take_kernel_page(void)
{
	vaddr_t va = (vaddr_t)kernel_page;

	kvm_unmap_page(va);
	tlb_flush_on(BIT(nr_cpus) - 1, va, va + PAGE_SIZE);
}

KTEST(tlb_kernel, "tlb.kernel", "08.6", "P8.9")
{
	struct page *pages[2];

	stay_here();
	kernel_page = (u64 *)kvm_reserve(PAGE_SIZE);
	REQUIRE(kernel_page, "P8.9", "no address space");
	for (u64 i = 0; i < 2; i++) {
		pages[i] = page_alloc(0, 0);
		REQUIRE(pages[i], "P8.9", "no memory for a page");
		*(u64 *)page_to_virt(pages[i]) = i + 1;
		REQUIRE(kvm_map_page((vaddr_t)kernel_page, page_to_phys(pages[i]), RW) == 0, "P8.9",
			"no memory for a table");
		check_seen_here(i + 1);
		check_all_see(i + 1, i ? "another page of the kernel is mapped" : "one is mapped");
		check_seen_here(i + 1);
		take_kernel_page();
	}
	kvm_release((vaddr_t)kernel_page, PAGE_SIZE);
	page_put(pages[0]);
	page_put(pages[1]);
	stay_no_longer();
}

/* --- Moved in the middle, and another thread of the space stays ------------------------------- */

static struct thread *swept;
static _Atomic unsigned asked_for, seen;
static _Atomic u64 seen_there;

/* In the sweep's interrupt. */
static void move_it(void *unused)
{
	(void)unused;
	send_away(swept, 1);
}

/* On CPU 0. It writes to the page when it is asked for the first time, then it reads, and so on. */
static int stay_behind(void *arg)
{
	struct member *m = arg;

	use_space(space);
	while (!m->stop) {
		if (seen != asked_for) {
			u64 value = 42;

			if (asked_for % 2)
				put_word(BASE, value);
			else
				copy_from_user(&value, BASE, sizeof(value));
			seen_there = value;
			seen = asked_for;
		}
		thread_yield();
	}
	use_space(NULL);
	return 0;
}

static u64 ask(void)
{
	asked_for++;
	while (seen != asked_for)
		thread_yield();
	return seen_there;
}

/*
 * Takes the entry away, and is moved to CPU 1 when it has run @n instructions of the flush. False:
 * CPU 0 can still reach the page, which is not given back then.
 */
static bool flush_and_move(unsigned n)
{
	vaddr_t next;
	pte_t *e, old;

	sched_set_affinity(swept, BIT(0));
	ask();
	e = pt_run(space->root, BASE, BASE + PAGE_SIZE, &next);
	old = *e;
	pte_set(e, 0);
	as_count_pages(space, -1);
	sweep_begin(n);
	tlb_flush_range(space, BASE, BASE + PAGE_SIZE);
	sweep_end();
	if (ask() == 42)
		return false;
	page_put(pte_page(old));
	return true;
}

#define SWEEPS	150

KTEST(tlb_left, "tlb.left", "08.6", "P8.9")
{
	struct member m;
	unsigned n = 1;

	NEEDS_TWO_CPUS;
	swept = current_thread();
	sched_set_affinity(swept, BIT(0));
	new_space(&space, 1);
	asked_for = seen = 0;
	make_and_run(&m, 0, BIT(0), stay_behind);
	use_space(space);
	sweep_action = move_it;
	while (n < SWEEPS && flush_and_move(n))
		n++;
	sweep_action = NULL;
	CHECK(n == SWEEPS, "P8.9",
	      "moved after %u instructions of a flush: CPU 0, where another thread of the space "
	      "runs, still reads the page that was taken away",
	      n);
	use_space(NULL);
	end(&m, 1);
	as_put(space);
	stay_no_longer();
}
