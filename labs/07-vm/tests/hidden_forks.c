/*
 * Lab 07, hidden: spaces that are forked from one another, and whose pages are read, written,
 * executed, pinned, forbidden and unmapped in any order, against a model. Now and then there is no
 * memory.
 */
#include "file.h"

#define SPACES		5
#define PLACES		14
#define OBJECTS		(FILE_PAGES + SPACES * PLACES)
#define ROUNDS		1200
#define WORDS		2u		/* the test's, and the other thread's */

/* Where a place's contents come from. */
enum kind { ANON, COPY, SHARED };

static const struct spot {
	unsigned page, prot;
	enum kind kind;
	unsigned index;			/* page of the file */
} places[PLACES] = {
	{ 0, RW, ANON, 0 }, { 1, RW, ANON, 0 }, { 2, RW, ANON, 0 }, { 510, RW, ANON, 0 },
	{ 511, RW, ANON, 0 }, { 512, RW, ANON, 0 }, { 513, VM_READ, ANON, 0 },
	{ 600, VM_READ | VM_EXEC, ANON, 0 }, { 700, RW, COPY, 0 }, { 701, RW, COPY, 1 },
	{ 702, RW, COPY, 2 }, { 800, RW, SHARED, 0 }, { 801, RW, SHARED, 1 },
	{ 600000, RW, ANON, 0 },
};

/* A page, and what is in it. */
static struct object {
	struct page *page;
	u64 words[WORDS];
	unsigned owners;		/* 0: there is none */
} objects[OBJECTS];

static struct space {
	struct addr_space *as;		/* NULL: none */
	struct cell {
		bool mapped;
		unsigned prot;
		enum kind kind;
		unsigned index;
		struct object *object;	/* NULL: not touched */
	} cells[PLACES];
} spaces[SPACES];

static vaddr_t va_of(unsigned place)
{
	return PAGE_AT(places[place].page);
}

/* Where word @k of a place is: elsewhere for each page, so that a copy of a part shows. */
static unsigned offset_of(unsigned place, unsigned k)
{
	const struct spot *p = &places[place];

	return ((p->kind == ANON ? place : p->index) * 73 + k * 255) % 512 * sizeof(u64);
}

static u64 *word_in(struct page *p, unsigned place, unsigned k)
{
	return (u64 *)((char *)page_to_virt(p) + offset_of(place, k));
}

/* --- The model -------------------------------------------------------------------------------- */

static struct object *new_object(const struct object *from)
{
	struct object *o = objects + FILE_PAGES;

	while (o->owners)
		o++;
	*o = (struct object){ .owners = 1 };
	if (from)
		memcpy(o->words, from->words, sizeof(o->words));
	return o;
}

/* An access to @c that is allowed has been made. */
static void access_in_model(struct cell *c, unsigned access)
{
	struct object *old = c->object;

	if (!old && c->kind == ANON) {
		c->object = new_object(NULL);
		return;
	}
	if (!old) {
		old = c->object = &objects[c->index];
		old->owners++;
	}
	if (access == VM_WRITE && c->kind != SHARED && old->owners > 1) {
		c->object = new_object(old);
		old->owners--;
	}
}

/* The page of a place is one that the model has not seen yet. */
static void learn(struct space *s, unsigned place)
{
	s->cells[place].object->page = page_at(s->as, va_of(place));
}

static void drop(struct cell *c)
{
	if (c->object)
		c->object->owners--;
	c->object = NULL;
}

static void check_cell(struct space *s, unsigned i)
{
	const struct cell *c = &s->cells[i];
	const struct object *o = c->object;
	unsigned rights = rights_at(s->as, va_of(i));
	struct page *p = page_at(s->as, va_of(i));
	const char *property = c->kind == ANON ? "P7.7" : "P7.6";

	REQUIRE(!p == !o, "P7.3", "page %u, which was %stouched, is %sthere", places[i].page,
		o ? "" : "not ", p ? "" : "not ");
	if (!o)
		return;
	REQUIRE(p == o->page, property, "page %u is not the one that it was", places[i].page);
	CHECK(owners(p) == o->owners, property, "page %u has %u owners, not %u", places[i].page,
	      owners(p), o->owners);
	CHECK(!(rights & ~c->prot), "P7.8", "page %u has the rights %x, its region %x",
	      places[i].page, rights, c->prot);
	CHECK(!(rights & VM_WRITE) || c->kind == SHARED || o->owners == 1, "P7.7",
	      "page %u has %u owners, and one may write to it", places[i].page, o->owners);
	CHECK(c->prot || !arch_pte_present(pte_at(s->as, va_of(i))), "P7.8",
	      "page %u must not be accessed, and may be", places[i].page);
	for (unsigned k = 0; k < WORDS; k++)
		CHECK(*word_in(p, i, k) == o->words[k], property, "page %u has 0x%lx, not 0x%lx",
		      places[i].page, *word_in(p, i, k), o->words[k]);
}

static void check_all(void)
{
	for (unsigned n = 0; n < SPACES; n++) {
		struct space *s = &spaces[n];
		unsigned resident = 0;

		for (unsigned i = 0; s->as && i < PLACES; i++) {
			check_cell(s, i);
			resident += s->cells[i].object != NULL;
		}
		CHECK(!s->as || s->as->resident == resident, "P7.3",
		      "%u pages were touched, and %lu are resident", resident,
		      s->as ? s->as->resident : 0);
	}
}

/* --- Accesses --------------------------------------------------------------------------------- */

static int fault(struct addr_space *as, vaddr_t va, unsigned access)
{
	return access & rights_at(as, va) ? 0 : fault_at(as, va, access);
}

/* By the thread's own accesses. */
static int copy(struct addr_space *as, vaddr_t va, unsigned access)
{
	u64 word = 0;
	int err;

	use_space(as);
	err = access == VM_WRITE ? copy_to_user(va, &word, sizeof(word))
				 : copy_from_user(&word, va, sizeof(word));
	use_space(NULL);
	return err;
}

static int pin(struct addr_space *as, vaddr_t va, unsigned access)
{
	int err;
	struct page *p = as_pin_page(as, va, access, &err);

	CHECK(!p == !!err, "P7.11", "a pin gives %p and error %d", (void *)p, err);
	if (!p)
		return err;
	CHECK(p == page_at(as, va), "P7.11", "a pin is not of the page that is there");
	page_put(p);
	return err;
}

/* How an access is made, and the property that it is about. */
static const struct way {
	int (*access)(struct addr_space *as, vaddr_t va, unsigned access);
	const char *property;
	bool tells;			/* that there is no memory */
} ways[] = { { fault, "P7.4", true }, { copy, "P7.11", false }, { pin, "P7.11", true } };

/* An access that was allowed has been made. */
static void check_access(struct space *s, unsigned i, unsigned access)
{
	struct cell *c = &s->cells[i];
	bool first = !c->object && c->kind == ANON;
	struct page *p;

	access_in_model(c, access);
	if (!c->object->page)
		learn(s, i);
	p = c->object->page;
	REQUIRE(p && access & rights_at(s->as, va_of(i)), "P7.4",
		"an access to page %u counts as made, and would fault again", places[i].page);
	if (first) {
		CHECK(bytes_not(s->as, va_of(i), 0, PAGE_SIZE, 0) == 0, "P7.3",
		      "a new page has bytes that are not 0");
		CHECK(rights_at(s->as, va_of(i)) == c->prot, "P7.3",
		      "a new page has the rights %x, its region %x", rights_at(s->as, va_of(i)),
		      c->prot);
	}
	if (access == VM_WRITE)
		*word_in(p, i, 0) = c->object->words[0] = test_random();
}

/* Sometimes the first or the second allocation fails. */
static void access(struct space *s, unsigned i)
{
	static const unsigned accesses[] = { VM_READ, VM_WRITE, VM_WRITE, VM_EXEC };
	unsigned how = accesses[test_random() % ARRAY_SIZE(accesses)];
	const struct way *way = &ways[test_random() % ARRAY_SIZE(ways)];
	struct cell *c = &s->cells[i];
	bool allowed = c->mapped && c->prot & how, fired;
	pte_t before = pte_at(s->as, va_of(i));
	u64 tables = as_tables(s->as);
	int err;

	if (how == VM_EXEC && way->access == copy)
		return;
	oom_arm(way->tells && test_random() % 3 == 0 ? 1 + test_random() % 2 : 0, current_thread());
	err = way->access(s->as, va_of(i) + offset_of(i, 0), how);
	fired = oom_fired();
	oom_arm(0, NULL);
	CHECK(err == (fired ? -ENOMEM : allowed ? 0 : -EFAULT), fired ? "P7.12" : way->property,
	      "%s page %u, rights %x: error %d", fault_access_name(how), places[i].page,
	      c->mapped ? c->prot : 0, err);
	if (!err && allowed)
		check_access(s, i, how);
	else if (!allowed)
		CHECK(pte_at(s->as, va_of(i)) == before && as_tables(s->as) == tables,
		      way->property, "an access that is refused has changed the page table");
}

/* --- Mappings --------------------------------------------------------------------------------- */

static void protect(struct space *s, unsigned i)
{
	static const unsigned prots[] = { 0, VM_READ, RW, RW, VM_READ | VM_EXEC };
	struct cell *c = &s->cells[i];
	unsigned prot = prots[test_random() % ARRAY_SIZE(prots)];

	if (!c->mapped)
		return;
	CHECK(as_protect(s->as, va_of(i), PAGE_SIZE, prot, false) == 0, "P7.8", "mprotect");
	c->prot = prot;
}

/* Maps a page that no file backs, in a region of any kind: they are all the same to a fault. */
static void map_anon(struct space *s, unsigned place, unsigned prot)
{
	static const unsigned kinds[] = { 0, REGION_HEAP, REGION_LOCKED, REGION_NORESERVE };

	map_at(s->as, va_of(place), 1, prot, kinds[test_random() % ARRAY_SIZE(kinds)]);
}

/* Unmaps a page, or maps one that no file backs in its place. */
static void remap(struct space *s, unsigned i)
{
	struct cell *c = &s->cells[i];

	c->mapped = !c->mapped;
	if (c->mapped)
		map_anon(s, i, RW);
	else
		CHECK(as_unmap(s->as, va_of(i), PAGE_SIZE) == 0, "P7.4", "munmap");
	drop(c);
	c->prot = RW;
	c->kind = ANON;
}

static struct space *unused(void)
{
	for (unsigned n = 0; n < SPACES; n++)
		if (!spaces[n].as)
			return &spaces[n];
	return NULL;
}

static void fork_in_model(const struct space *s, struct space *child)
{
	memcpy(child->cells, s->cells, sizeof(s->cells));
	for (unsigned i = 0; i < PLACES; i++)
		if (s->cells[i].object)
			s->cells[i].object->owners++;
}

static void fork(struct space *s, unsigned place)
{
	struct space *child = unused();
	bool fired;
	int err;

	(void)place;
	if (!child)
		return;
	oom_arm(test_random() % 2 ? 1 + test_random() % 20 : 0, current_thread());
	err = as_fork(s->as, &child->as);
	fired = oom_fired();
	oom_arm(0, NULL);
	CHECK(err == (fired ? -ENOMEM : 0), "P7.12", "fork, %s: error %d",
	      fired ? "without memory" : "with memory", err);
	if (err)
		child->as = NULL;
	else
		fork_in_model(s, child);
}

static void end(struct space *s, unsigned place)
{
	(void)place;
	as_put(s->as);
	s->as = NULL;
	for (unsigned i = 0; i < PLACES; i++)
		drop(&s->cells[i]);
}

static void begin(struct space *s)
{
	s->as = new_space();
	map_file(s->as, PAGE_AT(700), RW, 0, 3 * PAGE_SIZE);
	map_file(s->as, PAGE_AT(800), RW, REGION_SHARED, 3 * PAGE_SIZE);
	for (unsigned i = 0; i < PLACES; i++) {
		const struct spot *p = &places[i];

		s->cells[i] = (struct cell){ .mapped = true, .prot = p->prot, .kind = p->kind,
					     .index = p->index };
		if (p->kind == ANON)
			map_anon(s, i, p->prot);
	}
}

/* --- A thread that writes to all its pages beside a fork -------------------------------------- */

static struct {
	struct space *space;
	u64 rounds;			/* so often it has written to each page */
	_Atomic bool began, stop;
	int err;
} writer;

static bool may_write(const struct space *s, unsigned i)
{
	return s->cells[i].mapped && s->cells[i].prot & VM_WRITE;
}

/* When it is told to stop, it begins one round more. */
static int write_on(void *unused)
{
	struct space *s = writer.space;
	bool last = false;

	(void)unused;
	use_space(s->as);
	while (!last) {
		last = writer.stop;
		writer.rounds++;
		for (unsigned i = 0; i < PLACES; i++) {
			vaddr_t at = va_of(i) + offset_of(i, 1);

			if (may_write(s, i) && !writer.err)
				writer.err = copy_to_user(at, &writer.rounds, sizeof(u64));
		}
		writer.began = true;
		thread_yield();
	}
	use_space(NULL);
	return 0;
}

/* It has written to all pages of @s: before the fork, or after it. */
static void written_in_model(struct space *s)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (may_write(s, i))
			access_in_model(&s->cells[i], VM_WRITE);
}

/* The child has the pages as they were at the fork; no later write of the other thread is there. */
static void fork_beside(struct space *s, unsigned place)
{
	struct space *child = unused();
	u64 seen[PLACES];
	struct thread *t;

	(void)place;
	if (!child)
		return;
	writer.space = s;
	writer.rounds = 0;
	writer.began = writer.stop = false;
	writer.err = 0;
	t = thread_create("writer", write_on, NULL, PRIORITY_DEFAULT);
	REQUIRE(t, "P7.10", "no thread was made");
	if (nr_cpus > 1)
		sched_set_affinity(t, BIT(1));
	thread_resume(t);
	while (!writer.began)
		thread_yield();
	written_in_model(s);
	child->as = fork_of(s->as);
	fork_in_model(s, child);
	for (unsigned i = 0; i < PLACES; i++)
		seen[i] = page_at(child->as, va_of(i))
				  ? *word_in(page_at(child->as, va_of(i)), i, 1)
				  : 0;
	writer.stop = true;
	thread_join(t, NULL, DEADLINE_NEVER);
	CHECK(writer.err == 0, "P7.10", "a write beside a fork: error %d", writer.err);
	for (unsigned i = 0; i < PLACES; i++) {
		if (!may_write(s, i))
			continue;
		child->cells[i].object->words[1] = seen[i];
		learn(child, i);
	}
	written_in_model(s);
	for (unsigned i = 0; i < PLACES; i++) {
		if (!may_write(s, i))
			continue;
		s->cells[i].object->words[1] = writer.rounds;
		learn(s, i);
	}
}

/* --- All of it, in any order ------------------------------------------------------------------ */

static void act_on(struct space *s)
{
	static void (*const acts[])(struct space *s, unsigned place) = {
		access, access, access, access, access, access, access, access, protect, protect,
		remap, fork, fork_beside, end,
	};
	u64 n = test_random() % ARRAY_SIZE(acts);

	acts[n](s, test_random() % PLACES);
}

static void take_file(void)
{
	file_make();
	for (unsigned i = 0; i < FILE_PAGES; i++) {
		u64 word = 0x0101010101010101UL * (0xf0 + i);

		objects[i] = (struct object){ file_pages[i], { word, word }, 1 };
	}
}

KTEST(forks_mixed, "forks.mixed", "07.h", "P7.7")
{
	u32 affinity = current_thread()->affinity;
	struct counter_snapshot before, after;

	sched_set_affinity(current_thread(), BIT(0));
	mm_drain();
	counters_snapshot(&before);
	take_file();
	dirty_free_pages();
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct space *s = &spaces[test_random() % SPACES];

		if (s->as)
			act_on(s);
		else if (test_random() % 4 == 0)
			begin(s);
		check_all();
	}
	for (unsigned n = 0; n < SPACES; n++)
		if (spaces[n].as)
			end(&spaces[n], 0);
	file_drop();
	mm_drain();
	counters_snapshot(&after);
	counters_equal(&before, &after, "P7.12");
	audit();
	sched_set_affinity(current_thread(), affinity);
}
