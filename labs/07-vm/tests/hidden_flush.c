/*
 * Lab 07, hidden: spaces that are forked and written to on all CPUs, in any order, while each CPU
 * has one of them loaded, and looks between the changes at what it can still read and write. A look
 * is made with preemption off: then no fault is resolved, and what the CPU remembers is what it
 * gets. (QEMU's RISC-V forgets all at each look; there the requests to other CPUs are counted.)
 */
#include "file.h"

#include "sched/time.h"

#define SPACES		3
#define PLACES		8
#define FIRST_OF_FILE	6
#define ROUNDS		1200

/* Near to one another, so that a flush drops single pages, and in two tables. */
static const unsigned pages[PLACES] = { 505, 506, 509, 511, 512, 514, 516, 517 };

static struct space {
	struct addr_space *as;		/* NULL: none */
	u64 words[PLACES];		/* also of what is not touched yet */
} spaces[SPACES];

enum order { DONE, LOAD, LOOK, READ, WRITE, FORK, END };

/* A CPU, and what it is told to do with the space that it has loaded. */
static struct worker {
	struct thread *thread;		/* NULL: the test's own */
	_Atomic(enum order) order;
	struct space *space;		/* NULL: none */
	unsigned place;
	u64 value;
	int err;
	struct addr_space *child;
	u64 fails;			/* FORK: this allocation; 0: none */
	u32 writes;			/* LOOK: places that it tries to write to */
	int read_errs[PLACES], write_errs[PLACES];
	u64 seen[PLACES];
} workers[MAX_CPUS];

static u64 *word_of(struct page *p, unsigned place)
{
	return (u64 *)page_to_virt(p) + 64 * place;
}

static vaddr_t va_of(unsigned place)
{
	return PAGE_AT(pages[place]) + 64 * place * sizeof(u64);
}

/* --- What a CPU does -------------------------------------------------------------------------- */

static void look_here(struct worker *w)
{
	preempt_off();
	for (unsigned i = 0; i < PLACES; i++) {
		u64 value = w->value + i;

		w->read_errs[i] = copy_from_user(&w->seen[i], va_of(i), sizeof(u64));
		w->write_errs[i] = -EFAULT;
		if (w->writes & BIT(i))
			w->write_errs[i] = copy_to_user(va_of(i), &value, sizeof(value));
	}
	preempt_on();
}

static void obey(struct worker *w, enum order order)
{
	switch (order) {
	case LOAD:
		use_space(w->space ? w->space->as : NULL);
		break;
	case LOOK:
		look_here(w);
		break;
	case READ:
		w->err = copy_from_user(&w->value, va_of(w->place), sizeof(u64));
		break;
	case WRITE:
		w->err = copy_to_user(va_of(w->place), &w->value, sizeof(u64));
		break;
	case FORK:
		oom_arm(w->fails, current_thread());
		w->err = as_fork(w->space->as, &w->child);
		oom_arm(0, NULL);
		break;
	default:
		break;
	}
}

/* Between two orders no other thread runs, so the space stays loaded. */
static int work(void *arg)
{
	struct worker *w = arg;
	enum order order = DONE;

	while (order != END) {
		preempt_off();
		while ((order = w->order) == DONE)
			arch_spin_hint();
		preempt_on();
		obey(w, order);
		w->order = DONE;
	}
	use_space(NULL);
	return 0;
}

static void let(struct worker *w, enum order order)
{
	if (!w->thread) {
		obey(w, order);
		return;
	}
	preempt_off();
	w->order = order;
	while (w->order != DONE)
		arch_spin_hint();
	preempt_on();
}

static void load(struct worker *w, struct space *s)
{
	w->space = s;
	let(w, LOAD);
}

/* --- Checks ----------------------------------------------------------------------------------- */

/* No space has what another one has written, and the file is as it was. */
static void check_words(void)
{
	for (struct space *s = spaces; s < spaces + SPACES; s++)
		for (unsigned i = 0; s->as && i < PLACES; i++) {
			struct page *p = page_at(s->as, va_of(i));
			u64 word = p ? *word_of(p, i) : s->words[i];

			CHECK(word == s->words[i], "P7.9",
			      "page %u of space %u has 0x%lx, not 0x%lx", pages[i],
			      (unsigned)(s - spaces), word, s->words[i]);
		}
}

/* Without a fault the CPU can do no more than the table allows by now. */
static void look(struct worker *w)
{
	struct space *s = w->space;
	unsigned cpu = (unsigned)(w - workers);

	w->writes = test_random() % BIT(PLACES);
	w->value = test_random();
	let(w, LOOK);
	for (unsigned i = 0; i < PLACES; i++) {
		CHECK(w->read_errs[i] || w->seen[i] == s->words[i], "P7.9",
		      "CPU %u reads 0x%lx in page %u, which has 0x%lx", cpu, w->seen[i], pages[i],
		      s->words[i]);
		CHECK(w->read_errs[i] || page_at(s->as, va_of(i)), "P7.9",
		      "CPU %u reads page %u, where no page is", cpu, pages[i]);
		if (w->write_errs[i])
			continue;
		CHECK(rights_at(s->as, va_of(i)) & VM_WRITE, "P7.9",
		      "CPU %u still writes to page %u, whose entry has lost the right", cpu,
		      pages[i]);
		s->words[i] = w->value + i;
	}
	check_words();
}

static void look_all(void)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (workers[i].space)
			look(&workers[i]);
}

/* A space before a change, and how often others had been told of one. */
struct before {
	u64 asked;
	struct page *page[PLACES];
	unsigned rights[PLACES];
};

static struct before note(struct space *s)
{
	struct before b = { .asked = event_read(EVENT_SHOOTDOWNS) };

	for (unsigned i = 0; i < PLACES; i++) {
		b.page[i] = page_at(s->as, va_of(i));
		b.rights[i] = rights_at(s->as, va_of(i));
	}
	return b;
}

/* If CPU @by has taken away a page or a right, others that have the space loaded were told. */
static void check_told(struct space *s, const struct before *b, unsigned by, const char *what)
{
	bool asked = event_read(EVENT_SHOOTDOWNS) > b->asked, others = false;

	for (unsigned i = 0; i < nr_cpus; i++)
		others |= i != by && workers[i].space == s;
	for (unsigned i = 0; i < PLACES; i++)
		CHECK(!others || asked || !b->page[i] ||
			      (page_at(s->as, va_of(i)) == b->page[i] &&
			       !(b->rights[i] & ~rights_at(s->as, va_of(i)))),
		      "P7.9", "%s on CPU %u changes page %u, and no other CPU is told", what, by,
		      pages[i]);
}

/* --- Changes ---------------------------------------------------------------------------------- */

static void use_page(struct worker *w)
{
	enum order order = test_random() % 3 ? WRITE : READ;
	struct before b = note(w->space);
	u64 value = w->value = test_random();

	w->place = test_random() % PLACES;
	let(w, order);
	CHECK(w->err == 0, "P7.11", "%s page %u: error %d",
	      order == WRITE ? "a write to" : "a read of", pages[w->place], w->err);
	if (order == WRITE)
		w->space->words[w->place] = value;
	CHECK(w->value == w->space->words[w->place], "P7.9",
	      "CPU %u reads 0x%lx in page %u, which has 0x%lx", (unsigned)(w - workers), w->value,
	      pages[w->place], w->space->words[w->place]);
	check_told(w->space, &b, (unsigned)(w - workers), "a write");
}

/* By a thread that may run on another space, or on none. */
static void write_from_elsewhere(struct space *s)
{
	unsigned place = test_random() % PLACES;
	struct before b = note(s);

	CHECK(fault_at(s->as, va_of(place), VM_WRITE) == 0, "P7.9", "a write to page %u",
	      pages[place]);
	check_told(s, &b, 0, "a write from elsewhere");
	REQUIRE(page_at(s->as, va_of(place)), "P7.9", "no page was made");
	*word_of(page_at(s->as, va_of(place)), place) = s->words[place] = test_random();
}

static void fork(struct worker *w)
{
	struct space *child = spaces;
	struct before b = note(w->space);

	while (child < spaces + SPACES && child->as)
		child++;
	if (child == spaces + SPACES)
		return;
	w->fails = test_random() % 3 ? 0 : 1 + test_random() % 12;
	let(w, FORK);
	CHECK(w->err == 0 || (w->fails && w->err == -ENOMEM), "P7.12", "fork: error %d", w->err);
	check_told(w->space, &b, (unsigned)(w - workers), w->err ? "a failing fork" : "fork");
	if (w->err)
		return;
	*child = *w->space;
	child->as = w->child;
}

static void end(struct space *s)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (workers[i].space == s)
			load(&workers[i], NULL);
	as_put(s->as);
	s->as = NULL;
}

static void begin(struct space *s)
{
	*s = (struct space){ .as = new_space() };
	map_at(s->as, PAGE_AT(505), 9, RW, 0);
	map_at(s->as, PAGE_AT(514), 2, RIGHTS, 0);
	for (unsigned i = FIRST_OF_FILE; i < PLACES; i++)
		s->words[i] = 0x0101010101010101UL * (0xf0 + i - FIRST_OF_FILE);
	map_file(s->as, PAGE_AT(pages[FIRST_OF_FILE]), RW, 0, FILE_PAGES * PAGE_SIZE);
}

static void act_on(struct space *s)
{
	struct worker *w = &workers[test_random() % nr_cpus];
	u64 what = test_random() % 16;

	if (what == 0)
		end(s);
	else if (what < 4)
		load(w, s);
	else if (what < 6)
		write_from_elsewhere(s);
	else if (what < 11 && w->space)
		use_page(w);
	else if (w->space)
		fork(w);
}

/* --- All of it, in any order ------------------------------------------------------------------ */

static void begin_all(void)
{
	file_make();
	sched_set_affinity(current_thread(), BIT(0));
	for (unsigned i = 1; i < nr_cpus; i++) {
		struct worker *w = &workers[i];

		w->thread = thread_create("worker", work, w, PRIORITY_DEFAULT);
		REQUIRE(w->thread, "P7.9", "no thread was made");
		sched_set_affinity(w->thread, BIT(i));
		thread_resume(w->thread);
	}
}

static void end_all(void)
{
	for (struct space *s = spaces; s < spaces + SPACES; s++)
		if (s->as)
			end(s);
	for (unsigned i = 1; i < nr_cpus; i++) {
		workers[i].order = END;
		thread_join(workers[i].thread, NULL, DEADLINE_NEVER);
	}
	file_drop();
}

KTEST(flush_mixed, "flush.mixed", "07.h", "P7.9")
{
	u32 affinity = current_thread()->affinity;

	begin_all();
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct space *s = &spaces[test_random() % SPACES];

		if (s->as)
			act_on(s);
		else if (test_random() % 4 == 0)
			begin(s);
		look_all();
		check_words();
	}
	end_all();
	sched_set_affinity(current_thread(), affinity);
}
