/*
 * Lab 08, hidden: several spaces on several CPUs, with batches that are open at the same time,
 * against a model of what each page holds and who may write to it. The first mistake ends the test,
 * as a wrong kernel may never finish an access.
 */
#include "pages.h"

#include "base/counters.h"

#define SPACES	3
#define SIZE	40		/* pages of a space */
#define TURNS	300
#define ROOM	(3 * BATCH_PAGES)

enum rights { GONE, READS, WRITES };

static struct {
	struct addr_space *as;
	enum rights rights[SIZE];
	u64 holds[SIZE];
	struct tlb_batch batch;
	struct page *taken[ROOM];	/* put into the batch, with one more reference: ours */
	unsigned nr_taken;
} spaces[SPACES];

/* An order to a CPU, for the space that it has loaded. */
enum order { DONE, LOAD, LEAVE, WRITE, READ, END };

static struct worker {
	struct member m;
	_Atomic(enum order) order;
	struct addr_space *as;
	int space;			/* the number of the one that it has loaded, or -1 */
	unsigned page;
	u64 value;
	int err;
} workers[MAX_CPUS];

static unsigned here;

static unsigned chance(unsigned n)
{
	return test_random() % n;
}

static u64 asked(void)
{
	return event_read(EVENT_SHOOTDOWNS);
}

/* Other CPUs that have space @k loaded. */
static u32 others_of(unsigned k)
{
	return atomic_load(&spaces[k].as->cpus) & ~BIT(here);
}

/* --- CPUs that use the spaces ----------------------------------------------------------------- */

static void obey(struct worker *w, enum order order)
{
	vaddr_t va = PAGE_AT(w->page);

	switch (order) {
	case LOAD:
	case LEAVE:
		use_space(w->as);
		break;
	case WRITE:
		w->err = put_word(va, w->value);
		break;
	case READ:
		w->err = copy_from_user(&w->value, va, sizeof(w->value));
		break;
	default:
		break;
	}
	w->order = DONE;
}

static int work(void *arg)
{
	struct worker *w = arg;

	for (enum order order; (order = w->order) != END;) {
		if (order != DONE)
			obey(w, order);
		arch_spin_hint();
	}
	use_space(NULL);
	return 0;
}

/* Lets CPU @cpu do it, or this one. */
static void let(unsigned cpu, enum order order)
{
	struct worker *w = &workers[cpu];
	u64 until = time_now() + NSEC_PER_SEC;

	w->order = order;
	if (cpu == here)
		obey(w, order);
	while (w->order != DONE && time_before(time_now(), until))
		arch_spin_hint();
	REQUIRE(w->order == DONE, "P8.9", "CPU %u does not get on with an access", cpu);
}

static void change_space(unsigned cpu)
{
	struct worker *w = &workers[cpu];

	w->space = (int)chance(SPACES + 1) - 1;
	w->as = w->space < 0 ? NULL : spaces[w->space].as;
	let(cpu, w->as ? LOAD : LEAVE);
}

static void check_page(unsigned cpu, unsigned page)
{
	struct worker *w = &workers[cpu];
	unsigned k = w->space;
	enum rights rights = spaces[k].rights[page];

	w->page = page;
	w->value = 1 + chance(1000000);
	if (chance(2)) {
		u64 value = w->value;

		let(cpu, WRITE);
		REQUIRE(w->err == (rights == WRITES ? 0 : -EFAULT), "P8.9",
			"space %u, CPU %u: page %u %s: to write returned %d", k, cpu, page,
			rights == WRITES ? "may be written" : "was taken away", w->err);
		if (!w->err)
			spaces[k].holds[page] = value;
		return;
	}
	let(cpu, READ);
	REQUIRE(w->err == (rights == GONE ? -EFAULT : 0), "P8.9",
		"space %u, CPU %u: to read page %u, which is %s, returned %d", k, cpu, page,
		rights == GONE ? "gone" : "there", w->err);
	REQUIRE(w->err || w->value == spaces[k].holds[page], "P8.10",
		"space %u, CPU %u: page %u holds %lu, and %lu was read", k, cpu, page,
		spaces[k].holds[page], w->value);
}

/* Each CPU that has space @k loaded looks at one of the pages from @from on, and at another one. */
static void look(unsigned k, unsigned from, unsigned n)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (workers[i].space == (int)k) {
			check_page(i, from + chance(n));
			check_page(i, chance(SIZE));
		}
}

/* --- Changes ---------------------------------------------------------------------------------- */

static int change(unsigned k, unsigned from, unsigned n, enum rights rights)
{
	struct map_request req = { .addr = PAGE_AT(from), .size = n * PAGE_SIZE, .prot = RW,
				   .fixed = true };
	struct addr_space *as = spaces[k].as;
	vaddr_t at;

	if (rights == GONE)
		return as_unmap(as, PAGE_AT(from), n * PAGE_SIZE);
	for (unsigned i = from; i < from + n; i++)
		if (spaces[k].rights[i] == GONE)
			return rights == WRITES ? as_map(as, &req, &at) : -EAGAIN;
	return as_protect(as, PAGE_AT(from), n * PAGE_SIZE,
			  rights == READS ? VM_READ : RW, false);
}

/* Rights of a range change. Mapped anew, or given up, its pages hold zeros. */
static void change_some(unsigned k)
{
	unsigned from = chance(SIZE), n = 1 + chance(SIZE - from);
	enum rights rights = chance(3);
	bool gone = rights == GONE, lone = !others_of(k);
	u64 before;
	int err;

	for (unsigned i = from; i < from + n; i++)
		gone |= spaces[k].rights[i] == GONE;
	look(k, from, n);
	before = asked();
	err = change(k, from, n, rights);
	REQUIRE(!lone || asked() == before, "P8.11",
		"no other CPU has space %u, and others were asked %lu times", k, asked() - before);
	if (err == -EAGAIN)
		return;
	REQUIRE(err == 0, "P8.9", "%u pages of space %u cannot be changed: %d", n, k, err);
	for (unsigned i = from; i < from + n; i++) {
		spaces[k].rights[i] = rights;
		spaces[k].holds[i] = gone ? 0 : spaces[k].holds[i];
	}
	look(k, from, n);
}

/* Pages are given back, and used for something else at once. */
static void give_up_some(unsigned k)
{
	unsigned from = chance(SIZE), n = 1 + chance(MIN(SIZE - from, 8u));
	struct page *reused[8];

	for (unsigned i = from; i < from + n; i++)
		if (spaces[k].rights[i] == GONE)
			return;
	look(k, from, n);
	REQUIRE(as_advise(spaces[k].as, PAGE_AT(from), PAGE_AT(from + n), MADV_DONTNEED) == 0,
		"P8.10", "pages cannot be given up");
	for (unsigned i = 0; i < n; i++) {
		reused[i] = page_alloc(0, 0);
		REQUIRE(reused[i], "P8.10", "no memory for a page");
		*(u64 *)page_to_virt(reused[i]) = 0xdead;
		spaces[k].holds[from + i] = 0;
	}
	look(k, from, n);
	for (unsigned i = 0; i < n; i++)
		page_put(reused[i]);
}

/* --- Batches, and questions by hand ----------------------------------------------------------- */

static unsigned kept(unsigned k)
{
	unsigned n = 0;

	for (unsigned i = 0; i < spaces[k].nr_taken; i++) {
		u32 refs = atomic_load(&spaces[k].taken[i]->refs);

		n += refs == 2;
		REQUIRE(refs == 1 || refs == 2, "P8.10", "page given back %u times", 2 - refs);
	}
	return n;
}

/* Some pages go into the batch of @k: while it has room, nothing need be given back or asked. */
static void fill_batch(unsigned k)
{
	for (unsigned i = chance(BATCH_PAGES); i > 0 && spaces[k].nr_taken < ROOM; i--) {
		struct page *p = page_alloc(0, 0);
		unsigned before = kept(k), now;
		u64 times = asked();

		REQUIRE(p, "P8.10", "no memory for a page");
		page_get(p);
		spaces[k].taken[spaces[k].nr_taken++] = p;
		tlb_batch_page(&spaces[k].batch, PAGE_AT(chance(SIZE)), p);
		times = asked() - times;
		now = kept(k);
		REQUIRE(now == spaces[k].batch.n, "P8.10", "%u pages wait in a batch: %u are kept",
			spaces[k].batch.n, now);
		if (now == before + 1)
			REQUIRE(!times, "P8.11", "a page was taken out, and others were asked");
		else
			REQUIRE(before + 1 >= BATCH_PAGES / 2 && times == !!others_of(k), "P8.10",
				"%u pages waited, and are given back: others were asked %lu times",
				before, times);
	}
}

/* If all its pages were given back already, others may be asked once more. */
static void flush_batch(unsigned k)
{
	bool others = others_of(k), range = chance(2);
	unsigned waited = kept(k);
	u64 times = asked();

	if (range)
		tlb_batch_range(&spaces[k].batch, PAGE_AT(1), PAGE_AT(2 + chance(SIZE)));
	tlb_batch_flush(&spaces[k].batch);
	times = asked() - times;
	if (range || waited || !spaces[k].nr_taken)
		REQUIRE(times == (others && (range || waited)), "P8.11",
			"%u pages waited, %s, others %s the space: asked %lu times", waited,
			range ? "and more had changed" : "nothing else had changed",
			others ? "have" : "do not have", times);
	REQUIRE(!kept(k), "P8.10", "after its flush a batch keeps %u pages", kept(k));
	for (unsigned i = 0; i < spaces[k].nr_taken; i++)
		page_put(spaces[k].taken[i]);
	spaces[k].nr_taken = 0;
}

static void ask_by_hand(void)
{
	u32 set = chance(BIT(nr_cpus));
	unsigned n = chance(SIZE);
	u64 times = asked();

	tlb_flush_on(set, PAGE_AT(0), PAGE_AT(n));
	times = asked() - times;
	REQUIRE(times == !!(set & ~BIT(here)), "P8.11",
		"CPUs %x are to flush %u pages, this is CPU %u: others asked %lu times", set,
		n, here, times);
}

/* --- All of it -------------------------------------------------------------------------------- */

static void take_a_turn(void)
{
	unsigned k = chance(SPACES);

	switch (chance(8)) {
	case 0:
		change_space(chance(nr_cpus));
		break;
	case 1:
		give_up_some(k);
		break;
	case 2:
		fill_batch(k);
		break;
	case 3:
		flush_batch(k);
		break;
	case 4:
		ask_by_hand();
		break;
	default:
		change_some(k);
	}
}

static void begin_all(void)
{
	for (unsigned k = 0; k < SPACES; k++) {
		new_space(&spaces[k].as, SIZE);
		for (unsigned i = 0; i < SIZE; i++)
			spaces[k].rights[i] = WRITES;
		tlb_batch_init(&spaces[k].batch, spaces[k].as);
	}
	for (unsigned i = 0; i < nr_cpus; i++) {
		workers[i].space = -1;
		if (i == here)
			continue;
		workers[i].m.thread = thread_create("worker", work, &workers[i], PRIORITY_DEFAULT);
		REQUIRE(workers[i].m.thread, "P8.9", "no memory for a thread");
		set_mask(workers[i].m.thread, BIT(i));
		workers[i].m.thread->cpu = &cpus[i];
		thread_resume(workers[i].m.thread);
	}
}

KTEST(smp_spaces, "smp.spaces", "08.h", "P8.9")
{
	here = stay_here();
	begin_all();
	for (unsigned i = 0; i < TURNS; i++)
		take_a_turn();
	for (unsigned k = 0; k < SPACES; k++)
		flush_batch(k);
	for (unsigned i = 0; i < nr_cpus; i++)
		if (i != here) {
			workers[i].order = END;
			thread_join(workers[i].m.thread, NULL, DEADLINE_NEVER);
		}
	use_space(NULL);
	for (unsigned k = 0; k < SPACES; k++)
		as_put(spaces[k].as);
	stay_no_longer();
}
