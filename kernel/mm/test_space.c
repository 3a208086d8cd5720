/*
 * Tests of address spaces: random operations against a model, and the failure of every allocation.
 */
#include "test_space.h"

#include "base/counters.h"
#include "errno.h"
#include "test/instrument.h"

#define PAGES	48

/* --- The model -------------------------------------------------------------------------------- */

struct model {
	bool mapped[PAGES];
	unsigned prot[PAGES];
	u64 value[PAGES];
};

static void check_region(struct region *r, void *arg)
{
	const struct model *m = arg;

	for (vaddr_t va = r->start; va < r->end; va += PAGE_SIZE) {
		u64 i = (va - BASE) / PAGE_SIZE;

		CHECK(i < PAGES && m->mapped[i] && m->prot[i] == r->prot, "mm.space.regions",
		      "page %ld: prot %x, but model %x", (long)i, r->prot,
		      i < PAGES ? m->prot[i] : 0);
	}
}

static void check_model(struct addr_space *as, struct model *m)
{
	u64 mapped = 0, regions = 0;

	as_check(as);
	as_for_each_region(as, check_region, m);
	for (unsigned i = 0; i < PAGES; i++) {
		u64 value = 0;
		int err = peek(as, PAGE_AT(i), &value);
		bool readable = m->mapped[i] && m->prot[i] & VM_READ;

		CHECK(err == (readable ? 0 : -EFAULT), "mm.space.rights", "page %u: read gives %d",
		      i, err);
		CHECK(!readable || value == m->value[i], "mm.space.contents",
		      "page %u holds %lx, not %lx", i, value, m->value[i]);
		mapped += m->mapped[i];
		regions += m->mapped[i] &&
			   (i == 0 || !m->mapped[i - 1] || m->prot[i - 1] != m->prot[i]);
	}
	CHECK(mapped == as->total_pages, "mm.space.regions", "%lu pages are mapped, not %lu",
	      as->total_pages, mapped);
	for (struct region *r = region_first(as); r; r = region_next(r))
		regions--;
	/* REGION4 */
	CHECK(regions == 0, "mm.space.merge", "%ld regions too few", (long)regions);
}

static unsigned random_prot(void)
{
	static const unsigned prots[] = { 0, VM_READ, RW, VM_WRITE, VM_EXEC, VM_READ | VM_EXEC };

	return prots[test_random() % ARRAY_SIZE(prots)];
}

static void random_poke(struct addr_space *as, struct model *m)
{
	unsigned i = test_random() % PAGES;
	u64 value = test_random();
	bool writable = m->mapped[i] && m->prot[i] & VM_WRITE;
	int err = poke(as, PAGE_AT(i), value);

	CHECK(err == (writable ? 0 : -EFAULT), "mm.space.rights", "page %u: write gives %d", i,
	      err);
	if (writable)
		m->value[i] = value;
}

static void random_map(struct addr_space *as, struct model *m, unsigned i, unsigned n)
{
	unsigned prot = random_prot();

	CHECK(map_at(as, PAGE_AT(i), n, prot, 0) == 0, "mm.space.map", "cannot map");
	for (; n-- > 0; i++) {
		m->mapped[i] = true;
		m->prot[i] = region_prot(prot);
		m->value[i] = 0;
	}
}

static void random_unmap(struct addr_space *as, struct model *m, unsigned i, unsigned n)
{
	CHECK(as_unmap(as, PAGE_AT(i), n * PAGE_SIZE - 1) == 0, "mm.space.unmap", "cannot unmap");
	for (; n-- > 0; i++)
		m->mapped[i] = false;
}

static void random_protect(struct addr_space *as, struct model *m, unsigned i, unsigned n)
{
	unsigned prot = random_prot(), hole = i;
	int err = as_protect(as, PAGE_AT(i), n * PAGE_SIZE, prot, false);

	while (hole < i + n && m->mapped[hole])
		hole++;
	CHECK(err == (hole < i + n ? -ENOMEM : 0), "mm.space.protect", "gives %d", err);
	for (; i < hole; i++)			/* as on Linux, up to the hole */
		m->prot[i] = region_prot(prot);
}

static void random_dontneed(struct addr_space *as, struct model *m, unsigned i, unsigned n)
{
	forget(as, PAGE_AT(i), n);
	for (; n-- > 0; i++)
		m->value[i] = 0;
}

static void random_steps(struct addr_space *as, struct model *m, unsigned steps)
{
	for (unsigned s = 0; s < steps; s++) {
		unsigned i = test_random() % PAGES, n = 1 + test_random() % MIN(PAGES - i, 12u);

		switch (test_random() % 8) {
		case 0:
			random_unmap(as, m, i, n);
			break;
		case 1:
			random_map(as, m, i, n);
			break;
		case 2:
			random_protect(as, m, i, n);
			break;
		case 3:
			random_dontneed(as, m, i, n);
			break;
		default:
			random_poke(as, m);
		}
		if (s % 8 == 0)
			check_model(as, m);
	}
	check_model(as, m);
}

/* A space, its child and its grandchild are changed at random; none ever sees another's changes. */
KTEST(space_random, "space.random", "", "mm.space")
{
	static struct model models[3];
	struct addr_space *spaces[3];
	struct counter_snapshot before, after;

	mm_drain();
	counters_snapshot(&before);
	for (unsigned round = 0; round < 6; round++) {
		models[0] = (struct model){ 0 };
		spaces[0] = new_space();
		random_steps(spaces[0], &models[0], 60);
		for (unsigned i = 1; i < 3; i++) {
			models[i] = models[i - 1];
			REQUIRE(as_fork(spaces[i - 1], &spaces[i]) == 0, "mm.space.fork", "fails");
			for (unsigned k = 0; k <= i; k++)
				random_steps(spaces[k], &models[k], 30);
		}
		for (unsigned i = 0; i < 3; i++) {
			unsigned k = (i + round) % 3;

			as_put(spaces[k]);
			spaces[k] = NULL;
			for (unsigned j = 0; j < 3; j++)
				if (spaces[j])
					random_steps(spaces[j], &models[j], 10);
		}
	}
	mm_drain();
	counters_snapshot(&after);
	counters_equal(&before, &after, "mm.space.counts");
	mm_check();
}

/* --- Every allocation fails once -------------------------------------------------------------- */

static struct addr_space *oom_child;

static int try_fork(struct addr_space *as)
{
	int err = as_fork(as, &oom_child);

	if (!err)
		as_put(oom_child);
	return err;
}

static int try_unmap(struct addr_space *as)
{
	return as_unmap(as, PAGE_AT(9), PAGE_SIZE);
}

static int try_protect(struct addr_space *as)
{
	return as_protect(as, PAGE_AT(9), PAGE_SIZE, VM_READ, false);
}

static int try_map(struct addr_space *as)
{
	return map_at(as, PAGE_AT(9), 1, VM_READ, 0);
}

static int try_move(struct addr_space *as)
{
	vaddr_t at;

	return resize_map(as, PAGE_AT(9), 2, 600, true, &at);
}

static void fill_space(struct addr_space *as, struct model *m)
{
	*m = (struct model){ 0 };
	random_map(as, m, 0, PAGES);
	CHECK(as_protect(as, BASE, PAGES * PAGE_SIZE, RW, false) == 0, "mm.space.protect", "fails");
	for (unsigned i = 0; i < PAGES; i++) {
		m->prot[i] = RW;
		m->value[i] = i + 1;
		CHECK(poke(as, PAGE_AT(i), i + 1) == 0, "mm.space.rights", "cannot write");
	}
}

KTEST(space_oom, "space.oom", "", "mm.oom")
{
	static int (*const calls[])(struct addr_space *) = {
		try_fork, try_unmap, try_protect, try_map, try_move,
	};
	static struct model m;

	for (unsigned c = 0; c < ARRAY_SIZE(calls); c++) {
		bool fired = true;

		for (u64 k = 1; fired; k++) {
			struct addr_space *as = new_space();
			struct counter_snapshot before, after;
			int err;

			fill_space(as, &m);
			mm_drain();
			counters_snapshot(&before);
			oom_arm(k, current_thread());
			err = calls[c](as);
			fired = oom_fired();
			oom_arm(0, NULL);
			CHECK(err == (fired ? -ENOMEM : 0), "mm.oom", "call %u, k %lu: gives %d", c,
			      k, err);
			if (fired) {
				mm_drain();
				counters_snapshot(&after);
				counters_equal(&before, &after, "mm.oom.counts");
				check_model(as, &m);
				for (unsigned i = 0; i < PAGES; i++)
					CHECK(poke(as, PAGE_AT(i), m.value[i]) == 0,
					      "mm.oom.writable",
					      "page %u cannot be written any more", i);
			}
			as_put(as);
		}
	}
}
