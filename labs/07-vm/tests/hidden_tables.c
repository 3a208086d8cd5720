/*
 * Lab 07, hidden: page tables in which entries are looked up, made, filled, visited and taken
 * out in any order, at addresses that part at any level, against a model. Now and then there
 * is no memory for a table.
 */
#include "vm.h"

#define SPOTS		24
#define SPACES		8		/* one after the other */
#define ROUNDS		150		/* in each */
#define TOP		(ARCH_PT_LEVELS - 1)

/* A page's address, and what is mapped there. */
static struct spot {
	vaddr_t va;
	bool mapped;
	unsigned prot;
	struct page *page;		/* NULL: none */
} spots[SPOTS];

static struct addr_space *as;

/* --- Addresses -------------------------------------------------------------------------------- */

static unsigned random_index(void)
{
	static const unsigned indices[] = { 0, 1, 2, 255, 509, 510, 511 };
	u64 n = test_random() % (ARRAY_SIZE(indices) + 1);

	return n < ARRAY_SIZE(indices) ? indices[n] : test_random() % 512;
}

/* An address whose walk parts from that of @near at @level. */
static vaddr_t random_address(vaddr_t near, unsigned level)
{
	vaddr_t va = near >> pt_shift(level + 1) << pt_shift(level + 1);

	for (unsigned l = 0; l <= level; l++)
		va |= (u64)random_index() << pt_shift(l);
	return va % ALIGN_UP(ARCH_USER_END, 1UL << pt_shift(TOP));
}

static bool is_spot(vaddr_t va, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (spots[i].va == va)
			return true;
	return false;
}

/* Other addresses, in order. */
static void choose_spots(void)
{
	for (unsigned n = 0; n < SPOTS; n++) {
		struct spot s = { .va = 0 };
		unsigned i = n;

		while (s.va < MMAP_MIN || s.va > ARCH_USER_END - PAGE_SIZE || is_spot(s.va, n))
			s.va = random_address(n ? spots[test_random() % n].va : 0,
					      n ? test_random() % ARCH_PT_LEVELS : TOP);
		for (; i && spots[i - 1].va > s.va; i--)
			spots[i] = spots[i - 1];
		spots[i] = s;
	}
}

/* --- The tables, as they are ------------------------------------------------------------------ */

/* Returns the level of the first table that is missing on the way to @va; TOP: none is. */
static unsigned missing_level(vaddr_t va)
{
	pte_t *table = phys_to_virt(as->root);

	for (unsigned level = TOP; level > 0; level--) {
		pte_t pte = table[(va >> pt_shift(level)) % 512];

		if (!arch_pte_present(pte))
			return level - 1;
		table = pt_table(pte);
	}
	return TOP;
}

/* How many tables are missing on the way to @va. */
static unsigned missing_tables(vaddr_t va)
{
	return (missing_level(va) + 1) % ARCH_PT_LEVELS;
}

/* Counts the tables below @table, and the entries in those of level 0. */
static void count(const pte_t *table, unsigned level, u64 *tables, u64 *entries)
{
	unsigned n = level == TOP ? ALIGN_UP(ARCH_USER_END, 1UL << pt_shift(TOP)) >> pt_shift(TOP)
				  : 512;

	for (unsigned i = 0; i < n; i++) {
		if (!table[i])
			continue;
		if (level) {
			++*tables;
			count(pt_table(table[i]), level - 1, tables, entries);
		} else {
			++*entries;
		}
	}
}

/* The tables hold the pages of the spots, and nothing else. */
static void check_all(const char *what)
{
	u64 tables = 0, entries = 0, resident = 0;

	for (unsigned i = 0; i < SPOTS; i++) {
		struct page *p = page_at(as, spots[i].va);

		CHECK(p == spots[i].page, "P7.1", "%s: 0x%lx has another page than it had", what,
		      spots[i].va);
		CHECK(p != spots[i].page || !p || *(u64 *)page_to_virt(p) == spots[i].va, "P7.1",
		      "%s: 0x%lx has other contents than it had", what, spots[i].va);
		resident += spots[i].page != NULL;
	}
	count(phys_to_virt(as->root), TOP, &tables, &entries);
	CHECK(tables == as_tables(as), "P7.1", "%s: %lu tables can be reached, and %lu were made",
	      what, tables, as_tables(as));
	CHECK(entries == resident, "P7.1", "%s: %lu entries are not empty, not %lu", what, entries,
	      resident);
	CHECK(as->resident == resident, "P7.2", "%s: %lu pages are resident, not %lu", what,
	      as->resident, resident);
}

/* --- Walks ------------------------------------------------------------------------------------ */

static void look(struct spot *s)
{
	u64 tables = as_tables(as);
	pte_t *e = pt_walk(as->root, s->va + test_random() % PAGE_SIZE, false);

	CHECK(e == entry_in(as->root, s->va), "P7.1",
	      "0x%lx: a walk that makes no tables ends at the wrong entry", s->va);
	CHECK(as_tables(as) == tables, "P7.1",
	      "0x%lx: not asked to make a table, the walk made one", s->va);
}

/* Only for what is mapped: a table belongs to a region. Sometimes there is no memory for one. */
static void make(struct spot *s)
{
	unsigned missing = missing_tables(s->va);
	u64 tables = as_tables(as);
	pte_t *e;

	if (!s->mapped)
		return;
	oom_arm(test_random() % 2 ? 1 + test_random() % TOP : 0, current_thread());
	e = pt_walk(as->root, s->va + test_random() % PAGE_SIZE, true);
	if (oom_fired()) {
		CHECK(!e && as_tables(as) < tables + missing, "P7.1",
		      "0x%lx: without memory for all of %u tables the walk finds an entry", s->va,
		      missing);
		oom_arm(0, NULL);
		return;
	}
	oom_arm(0, NULL);
	CHECK(e && e == entry_in(as->root, s->va), "P7.1",
	      "0x%lx: a walk that makes tables ends at the wrong entry", s->va);
	CHECK(as_tables(as) == tables + missing, "P7.1",
	      "0x%lx: %u tables are missing, and the walk makes %lu", s->va, missing,
	      as_tables(as) - tables);
}

/* As a first touch would. */
static void fill(struct spot *s)
{
	pte_t *e = s->mapped && !s->page ? pt_walk(as->root, s->va, true) : NULL;

	if (!s->mapped || s->page)
		return;
	REQUIRE(e && e == entry_in(as->root, s->va), "P7.1",
		"0x%lx: a walk that makes tables ends at the wrong entry", s->va);
	s->page = page_alloc(0, PAGE_ZERO);
	REQUIRE(s->page, "P7.1", "no memory for a page");
	*(u64 *)page_to_virt(s->page) = s->va;
	pte_set(e, s->prot ? arch_pte_leaf(page_to_phys(s->page), s->prot | VM_USER)
			   : page_to_phys(s->page) | PTE_PARKED);
	as_count_pages(as, 1);
}

/* --- Ranges ----------------------------------------------------------------------------------- */

/* Some address behind @va, at the end of something or not. */
static vaddr_t random_end(vaddr_t va)
{
	vaddr_t end = spots[test_random() % SPOTS].va + PAGE_SIZE;
	unsigned shift = pt_shift(test_random() % ARCH_PT_LEVELS);

	if (test_random() % 2)
		end = ALIGN_UP(va + 1, 1UL << shift) + (test_random() % 3 - 1) * PAGE_SIZE;
	return va < end && end < ARCH_USER_END ? end : ARCH_USER_END;
}

static void run(struct spot *s)
{
	vaddr_t va = s->va, end, next = 0;
	unsigned level;
	pte_t *e;

	if (test_random() % 2)
		va = MIN(random_address(va, test_random() % ARCH_PT_LEVELS),
			 ARCH_USER_END - PAGE_SIZE);
	end = random_end(va);
	e = pt_run(as->root, va, end, &next);
	level = missing_level(va) % TOP;
	CHECK(e == entry_in(as->root, va), "P7.2", "the run at 0x%lx begins at the wrong entry",
	      va);
	CHECK(next == MIN(end, ALIGN_UP(va + 1, 1UL << pt_shift(level + 1))), "P7.2",
	      "the run from 0x%lx up to 0x%lx, %s a table of level %u, ends at 0x%lx", va, end,
	      e ? "in" : "without", level, next);
}

/* A walk over a range comes to the pages in it, and to no others. */
static void check_visit(struct addr_space *space, vaddr_t start, vaddr_t end)
{
	struct pt_iter i = { .root = space->root, .va = start, .end = end };

	for (struct spot *s = spots; s < spots + SPOTS; s++) {
		if (s->va < start || s->va >= end || !s->page)
			continue;
		REQUIRE(pt_next(&i) && i.va == s->va, "P7.2",
			"a walk over all entries of 0x%lx to 0x%lx comes to 0x%lx, not to 0x%lx",
			start, end, i.va, s->va);
		CHECK(pte_page(*i.e) == s->page, "P7.2",
		      "a walk over all entries finds another page at 0x%lx", s->va);
	}
	REQUIRE(!pt_next(&i), "P7.2", "a walk over all entries of 0x%lx to 0x%lx comes to 0x%lx",
		start, end, i.va);
}

static void visit(struct spot *s)
{
	check_visit(as, s->va, random_end(s->va));
}

/* --- Mappings --------------------------------------------------------------------------------- */

/*
 * Maps or unmaps all from @s to another spot, or that one alone. A page to which no access is
 * allowed counts as well.
 */
static void replace(struct spot *s, bool mapped)
{
	static const unsigned prots[] = { 0, VM_READ, RW, RW, RIGHTS };
	unsigned prot = prots[test_random() % ARRAY_SIZE(prots)];
	u64 most = spots + SPOTS - s, n = 1;

	if (test_random() % 2)
		n += test_random() % MIN(most, 6u);
	if (mapped)
		map_at(as, s->va, (s[n - 1].va - s->va) / PAGE_SIZE + 1, prot, REGION_NORESERVE);
	else
		CHECK(as_unmap(as, s->va, s[n - 1].va + PAGE_SIZE - s->va) == 0, "P7.2", "munmap");
	for (u64 i = 0; i < n; i++)
		s[i] = (struct spot){ .va = s[i].va, .mapped = mapped, .prot = prot };
}

static void map(struct spot *s)
{
	replace(s, true);
}

static void unmap(struct spot *s)
{
	replace(s, false);
	look(s);
}

/* --- All of it, in any order ------------------------------------------------------------------ */

static const struct {
	const char *what;
	void (*do_it)(struct spot *s);
} acts[] = {
	{ "a look", look }, { "a walk", make }, { "a walk", make }, { "a page", fill },
	{ "a page", fill }, { "a page", fill }, { "a run", run }, { "a run", run },
	{ "a visit", visit }, { "mmap", map }, { "mmap", map }, { "munmap", unmap },
};

static void use_one_space(void)
{
	choose_spots();
	as = new_space();
	for (unsigned i = 0; i < ROUNDS; i++) {
		u64 n = test_random() % ARRAY_SIZE(acts);

		acts[n].do_it(&spots[test_random() % SPOTS]);
		check_all(acts[n].what);
	}
	check_visit(as, MMAP_MIN, ARCH_USER_END);
	as_put(as);
}

KTEST(tables_mixed, "tables.mixed", "07.h", "P7.1")
{
	struct counter_snapshot before, after;

	mm_drain();
	counters_snapshot(&before);
	dirty_free_pages();
	for (unsigned i = 0; i < SPACES; i++)
		use_one_space();
	mm_drain();
	counters_snapshot(&after);
	counters_equal(&before, &after, "P7.1");
	audit();
}
