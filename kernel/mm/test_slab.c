/*
 * Tests of slab caches and kmalloc.
 */
#include "slab.h"

#include "base/counters.h"
#include "base/string.h"
#include "sched/cpu.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define N	200
#define ROUNDS	2000

struct slot {
	u8 *object;
	size_t size;
	u8 value;
};

/* SLAB1: an object that is somewhere else too is written to by its other user. */
static bool holds(const struct slot *s)
{
	for (size_t i = 0; i < s->size; i++)
		if (s->object[i] != s->value)
			return false;
	return true;
}

static void fill_or_free(struct slot *s, size_t size)
{
	if (s->object) {
		CHECK(holds(s), "mm.slab.exclusive", "an object of %lu bytes has changed", s->size);
		kfree(s->object);
		s->object = NULL;
		return;
	}
	s->object = kmalloc(size);
	if (!s->object)
		return;
	s->size = size;
	s->value = test_random();
	memset(s->object, s->value, size);
}

static void churn(struct slot *slots, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++)
		fill_or_free(&slots[test_random() % N], test_random() % (1u << test_random() % 14));
	for (unsigned i = 0; i < N; i++)
		if (slots[i].object)
			fill_or_free(&slots[i], 0);
}

KTEST(slab_random, "slab.random", "", "mm.slab.exclusive")
{
	static struct slot slots[N];
	struct counter_snapshot before, after;

	mm_drain();
	counters_snapshot(&before);
	churn(slots, ROUNDS);
	mm_drain();
	counters_snapshot(&after);
	counters_equal(&before, &after, "mm.slab.counts");
	mm_check();
}

KTEST(slab_sizes, "slab.sizes", "", "mm.slab.sizes")
{
	for (size_t size = 0; size <= 1UL << 20; size = size * 5 / 4 + 1) {
		u8 *p = kzalloc(size);

		REQUIRE(p, "mm.slab.sizes", "no memory for %lu bytes", size);
		CHECK(!size || (p[0] == 0 && p[size - 1] == 0), "mm.slab.sizes",
		      "%lu bytes not zero", size);
		memset(p, 0xff, size);
		kfree(p);
	}
	CHECK(!kmalloc((1UL << 20) + 1) && !kmalloc(~0UL), "mm.slab.sizes", "more than the limit");
	kfree(NULL);
}

KTEST(slab_align, "slab.align", "", "mm.slab.align")
{
	static struct kmem_cache *c;
	void *objects[64];

	if (!c)
		c = kmem_cache_create("test", 72, 64);
	for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
		objects[i] = kmem_cache_zalloc(c);
		REQUIRE(objects[i], "mm.slab.align", "no memory");
		CHECK(IS_ALIGNED((u64)objects[i], 64), "mm.slab.align", "object at %p", objects[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
		kmem_cache_free(c, objects[i]);
	mm_drain();
	mm_check();
	CHECK(c->nr_slabs == 0, "mm.slab.drain", "%u slabs are left in a drained cache",
	      c->nr_slabs);
}

static int churner(void *slots)
{
	churn(slots, ROUNDS);
	return 0;
}

/* Objects are freed on another CPU than they came from; magazines are drained while in use. */
KTEST(slab_threads, "slab.threads", "", "mm.slab.exclusive")
{
	static struct slot slots[2 * MAX_CPUS][N];
	struct thread *threads[2 * MAX_CPUS];
	unsigned n = 2 * nr_cpus;

	for (unsigned i = 0; i < n; i++) {
		threads[i] = thread_create("churn", churner, slots[i], PRIORITY_DEFAULT);
		REQUIRE(threads[i], "mm.slab.exclusive", "no memory for a thread");
		thread_resume(threads[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		int code;

		mm_drain();
		CHECK(thread_join(threads[i], &code, DEADLINE_NEVER) == 0, "mm.slab.exclusive",
		      "join");
	}
	mm_drain();
	mm_check();
}
