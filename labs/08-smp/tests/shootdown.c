/*
 * Lab 08, step 6: when other CPUs are asked, for what, and how often.
 */
#include "pages.h"

#include "base/counters.h"

static struct addr_space *space;

/* How often other CPUs were asked. */
static u64 asked(void)
{
	return event_read(EVENT_SHOOTDOWNS);
}

/* --- The batch -------------------------------------------------------------------------------- */

/* Pages with one more reference, ours, so that they can be looked at afterwards. */
static struct page *pages[PAGES];

static void make_pages(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pages[i] = page_alloc(0, 0);
		REQUIRE(pages[i], "P8.10", "no memory for a page");
		page_get(pages[i]);
	}
}

static unsigned kept(unsigned n)
{
	unsigned with_two = 0;

	for (unsigned i = 0; i < n; i++)
		with_two += atomic_load(&pages[i]->refs) == 2;
	return with_two;
}

static void check_given_back(unsigned n)
{
	unsigned once = 0;

	for (unsigned i = 0; i < n; i++)
		once += atomic_load(&pages[i]->refs) == 1;
	CHECK(once == n, "P8.10", "of %u pages %u were given back once", n, once);
	for (unsigned i = 0; i < n; i++)
		page_put(pages[i]);
}

/* A page that is mapped twice is taken out twice, and each time one reference is given back. */
static void take_out_twice(void)
{
	struct tlb_batch b;

	tlb_batch_init(&b, space);
	make_pages(1);
	page_get(pages[0]);
	for (unsigned i = 0; i < 2; i++)
		tlb_batch_page(&b, PAGE_AT(i), pages[0]);
	tlb_batch_flush(&b);
	check_given_back(1);
}

KTEST(tlb_pages, "tlb.pages", "08.6", "P8.10")
{
	static const unsigned counts[] = { 0, 1, 2, BATCH_PAGES - 1, BATCH_PAGES, BATCH_PAGES + 1,
					   PAGES };
	struct {
		struct tlb_batch b;
		struct page *volatile behind;
	} with = { .behind = NULL };
	struct tlb_batch *b = &with.b;
	u32 others = nr_cpus > 1 ? BIT(nr_cpus) - 1 : 0;

	new_space(&space, 1);
	atomic_fetch_or(&space->cpus, others);		/* it counts as loaded everywhere */
	for (unsigned c = 0; c < ARRAY_SIZE(counts); c++) {
		unsigned n = counts[c];

		make_pages(n);
		tlb_batch_init(b, space);
		for (unsigned i = 0; i < n; i++) {
			unsigned waited = kept(i);
			u64 before = asked();

			tlb_batch_page(b, PAGE_AT(i), pages[i]);
			CHECK(!others || kept(i + 1) > waited || asked() > before, "P8.10",
			      "%u pages are taken out, and one is given back before a flush",
			      i + 1);
			CHECK(b->n <= BATCH_PAGES, "P8.10", "%u pages are in a batch for %u", b->n,
			      BATCH_PAGES);
			CHECK(kept(i + 1) == b->n, "P8.10",
			      "%u pages are taken out, %u wait in the batch: %u are kept", i + 1,
			      b->n, kept(i + 1));
		}
		tlb_batch_flush(b);
		CHECK(!with.behind, "P8.10",
		      "with %u pages something behind the batch is overwritten", n);
		check_given_back(n);
		tlb_batch_flush(b);	/* nothing is left to do */
		CHECK(b->n == 0 && b->start >= b->end, "P8.10",
		      "after its flush a batch is not empty");
	}
	atomic_fetch_and(&space->cpus, ~others);
	take_out_twice();
	as_put(space);
}

/* --- Who is asked ----------------------------------------------------------------------------- */

static struct member user;
static _Atomic unsigned stage;		/* counts the user's steps */
static _Atomic unsigned told;		/* ... up to this one it may go on */

static void step(void)
{
	unsigned now = ++stage;

	while (told < now)
		;
}

static void let_step(unsigned to)
{
	told = to;
	while (stage <= to)
		arch_spin_hint();
}

static int load_and_leave(void *arg)
{
	(void)arg;
	step();
	use_space(space);
	step();
	use_space(NULL);
	step();
	return 0;
}

/* Takes the page away and allows it again. Returns how many times other CPUs were asked. */
static u64 flush_once(void)
{
	u64 before = asked();

	tlb_flush_range(space, BASE, BASE + PAGE_SIZE);
	return asked() - before;
}

static void await_idle(unsigned cpu)
{
	while (!is_idle_hint(&cpus[cpu]))
		arch_spin_hint();
}

/* However large the range is, each of the CPUs that have to drop it is asked @times. */
static void check_sizes(unsigned times, const char *who)
{
	static const u64 sizes[] = { 1, 2, 15, 16, 17, 32, 33, 64, 255, 256, 257, 512, 513, 4096 };

	for (unsigned i = 0; i <= ARRAY_SIZE(sizes); i++) {
		bool all = i == ARRAY_SIZE(sizes);
		u64 before = asked();

		if (all)
			tlb_flush_range(space, 0, ARCH_USER_END);
		else
			tlb_flush_range(space, BASE, PAGE_AT(sizes[i]));
		CHECK(asked() == before + times, "P8.11",
		      "%s has the space loaded, %lu pages are flushed: others were asked %lu times",
		      who, all ? ARCH_USER_END / PAGE_SIZE : sizes[i], asked() - before);
	}
}

KTEST(tlb_asks, "tlb.asks", "08.6", "P8.11")
{
	struct tlb_batch b;
	unsigned here;
	u64 before;

	NEEDS_TWO_CPUS;
	here = stay_here();
	new_space(&space, 1);
	stage = told = 0;
	make_and_run(&user, next_to(here), BIT(next_to(here)), load_and_leave);
	while (!stage)
		arch_spin_hint();
	CHECK(flush_once() == 0, "P8.11", "no CPU has the space loaded, and others were asked");
	use_space(space);
	CHECK(flush_once() == 0, "P8.11", "this CPU alone has the space, and others were asked");
	check_sizes(0, "this CPU alone");
	let_step(1);
	CHECK(flush_once() == 1, "P8.11", "another CPU has the space loaded, and was not asked");
	check_sizes(1, "another CPU");
	before = asked();
	tlb_flush_on(BIT(next_to(here)), 0, 0);
	CHECK(asked() == before + 1, "P8.11", "the range is empty, and another CPU was not asked");
	use_space(NULL);
	CHECK(flush_once() == 1, "P8.11",
	      "another CPU alone has the space loaded, and was not asked");
	tlb_batch_init(&b, space);
	before = asked();
	tlb_batch_flush(&b);
	CHECK(asked() == before, "P8.11", "nothing was changed, and others were asked");
	for (unsigned i = 0; i < 10; i++)
		tlb_batch_range(&b, PAGE_AT(i), PAGE_AT(i + 1));
	tlb_batch_flush(&b);
	CHECK(asked() == before + 1, "P8.11",
	      "ten changes were collected, and other CPUs were asked %lu times", asked() - before);
	before = asked();
	make_pages(BATCH_PAGES / 2);
	for (unsigned i = 0; i < BATCH_PAGES / 2; i++)
		tlb_batch_page(&b, PAGE_AT(i), pages[i]);
	tlb_batch_flush(&b);
	CHECK(asked() == before + 1, "P8.11",
	      "%u pages, for which a batch has room, were taken out: others were asked %lu times",
	      BATCH_PAGES / 2, asked() - before);
	check_given_back(BATCH_PAGES / 2);
	let_step(2);
	CHECK(flush_once() == 0, "P8.11", "the other CPU has left the space, and was asked");
	told = 3;
	end(&user, 1);
	await_idle(next_to(here));
	atomic_fetch_or(&idle_mask, BIT(next_to(here)));	/* which steal=off leaves empty */
	before = asked();
	tlb_flush_on(BIT(next_to(here)), 0, 0);
	CHECK(asked() == before + 1, "P8.11", "another CPU idles, and was not asked");
	atomic_fetch_and(&idle_mask, ~BIT(next_to(here)));
	as_put(space);
	stay_no_longer();
}

/* --- Moved in the middle ---------------------------------------------------------------------- */

static struct thread *swept;

/* In the sweep's interrupt. */
static void move_it(void *unused)
{
	(void)unused;
	send_away(swept, !this_cpu()->id);
}

static void flush_space(void)
{
	tlb_flush_range(space, BASE, BASE + PAGE_SIZE);
}

static void flush_both(void)
{
	tlb_flush_on(3, BASE, BASE + PAGE_SIZE);
}

/* Calls @flush, during which the thread is moved after @n instructions. */
static void sweep(void (*flush)(void), unsigned n)
{
	u64 before = asked();

	sweep_begin(n);
	flush();
	sweep_end();
	CHECK(asked() - before == 1, "P8.9",
	      "moved after %u instructions, it asked the other CPU %lu times", n, asked() - before);
	CHECK(arch_irqs_enabled() && !current_thread()->preempt_depth, "P8.9",
	      "afterwards preemption or interrupts are off");
}

/* The space counts as loaded on two CPUs. After each instruction the thread is moved. */
KTEST(tlb_swept, "tlb.swept", "08.6", "P8.9")
{
	NEEDS_TWO_CPUS;
	sched_set_affinity(current_thread(), BIT(0));
	new_space(&space, 1);
	atomic_fetch_or(&space->cpus, 3);
	swept = current_thread();
	sweep_action = move_it;
	for (unsigned n = 1; n < 150; n++) {
		sweep(flush_space, n);
		sweep(flush_both, n);
	}
	sweep_action = NULL;
	atomic_fetch_and(&space->cpus, ~3u);
	as_put(space);
	stay_no_longer();
}

/* --- Two that ask each other ------------------------------------------------------------------ */

static struct addr_space *both[2];
static _Atomic unsigned arrived;

static void meet(unsigned n)
{
	arrived++;
	while (arrived < 2 * n)
		arch_spin_hint();
}

/* Each of two CPUs runs on one space and changes the other's. */
static int flush_other(void *arg)
{
	struct member *m = arg;
	unsigned me = m->began_on;

	use_space(both[me]);
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK(put_word(BASE, i) == 0, "P8.11", "it cannot write");
		meet(2 * i + 1);
		CHECK(as_protect(both[!me], BASE, PAGE_SIZE, VM_READ, false) == 0, "P8.11",
		      "protect");
		meet(2 * i + 2);
		CHECK(put_word(BASE, i) == -EFAULT, "P8.9", "round %u: it can still write", i);
		CHECK(as_protect(both[me], BASE, PAGE_SIZE, RW, false) == 0, "P8.11", "protect");
	}
	use_space(NULL);
	return 0;
}

KTEST(tlb_both, "tlb.both", "08.6", "P8.11")
{
	struct member m[2];

	NEEDS_TWO_CPUS;
	arrived = 0;
	for (unsigned i = 0; i < 2; i++)
		new_space(&both[i], 1);
	for (unsigned i = 0; i < 2; i++) {
		make(&m[i], i, BIT(i), flush_other);
		m[i].began_on = i;
		thread_resume(m[i].thread);
	}
	end(m, 2);
	for (unsigned i = 0; i < 2; i++)
		as_put(both[i]);
}

/* --- ... while a third one cannot answer ------------------------------------------------------ */

static _Atomic unsigned begun;

/* The space counts as loaded on CPUs 0 to 2. Two of them ask; the third one is deaf for a while. */
static int ask_both(void *arg)
{
	(void)arg;
	begun++;
	while (begun < 3)
		arch_spin_hint();
	tlb_flush_range(space, BASE, BASE + PAGE_SIZE);
	return 0;
}

static int be_deaf(void *arg)
{
	(void)arg;
	irq_off();
	begun++;
	while (begun < 3)
		arch_spin_hint();
	look_on(5 * MS);
	irq_on();
	return 0;
}

/* Both wait until the third one answers, and answer each other meanwhile. */
KTEST(tlb_crossed, "tlb.crossed", "08.6", "P8.11")
{
	struct member m[3];
	u64 before = asked();

	NEEDS(nr_cpus > 2, 4);
	begun = 0;
	new_space(&space, 1);
	atomic_fetch_or(&space->cpus, 7);
	for (unsigned i = 0; i < 3; i++)
		make_and_run(&m[i], i, BIT(i), i < 2 ? ask_both : be_deaf);
	end(m, 3);
	CHECK(asked() - before == 2, "P8.11", "two CPUs asked %lu times", asked() - before);
	atomic_fetch_and(&space->cpus, ~7u);
	as_put(space);
}
