/*
 * Tests that the instruments find what plain runs miss: planted mistakes, once without the
 * instrument and once with it. For sweep, park and clock the labs' mutants show the same ("only:"
 * in their headers); that a sweep hits, and how often, is tested here.
 */
#include "base/counters.h"
#include "config.h"
#include "errno.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

struct pair {
	void *left, *right;
};

/* Planted: if there is no memory for the second, the first is forgotten. */
static bool make_pair(struct pair *p)
{
	p->left = kmalloc(64);
	if (!p->left)
		return false;
	p->right = kmalloc(64);
	return p->right;
}

static bool leaks_pair(u64 k)
{
	struct counter_snapshot before, after;
	bool leaked;
	struct pair p;

	counters_snapshot(&before);
	oom_arm(k, current_thread());
	if (make_pair(&p)) {
		kfree(p.left);
		kfree(p.right);
		p.left = NULL;
	}
	oom_arm(0, NULL);
	counters_snapshot(&after);
	leaked = before.value[COUNT_SLAB_OBJECTS] != after.value[COUNT_SLAB_OBJECTS];
	if (leaked)
		kfree(p.left);
	return leaked;
}

KTEST(oom_finds, "instrument.oom", "", "debug.oom")
{
	CHECK(!leaks_pair(0), "debug.oom", "a plain run sees a leak on an error path");
	CHECK(leaks_pair(2), "debug.oom", "a failing second allocation does not show the leak");
}

/* Planted: an object is read once more after it was freed. */
static u64 read_freed(void)
{
	u64 *object = kmalloc(64);

	REQUIRE(object, "debug.poison", "no memory");
	object[4] = 0x1234;
	kfree(object);
	return ((volatile u64 *)object)[4];
}

KTEST(poison_finds, "instrument.poison", "", "debug.poison")
{
	u64 seen = read_freed();

	if (DEBUG_BUILD)
		CHECK(seen != 0x1234, "debug.poison", "freed memory holds what it held");
	else
		CHECK(seen == 0x1234, "debug.poison", "a plain run sees a use after free");
}

/*
 * Planted: a sleep queue's count is one too high. Sleeping works as before, and nothing leaks; but
 * the audit panics. Runs only when asked for by name: tools/tests/test_panic.py reads the report.
 */
KTEST(audit_finds, "instrument.audit", "panic", "debug.audit")
{
	struct counter_snapshot before, after;

	counters_snapshot(&before);
	thread_sleep(NSEC_PER_MSEC);
	irq_off();
	this_cpu()->sleepq.nr++;
	irq_on();
	CHECK(thread_sleep(NSEC_PER_MSEC) == 0, "debug.audit", "sleeping fails");
	counters_snapshot(&after);
	if (counters_equal(&before, &after, "debug.audit"))
		audit();
}

/* Planted: a page is written once more after it was freed. Its next user finds that, and panics. */
KTEST(page_poison_finds, "instrument.page", "panic", "debug.poison")
{
	struct page *p = page_alloc(0, 0);

	REQUIRE(p, "debug.poison", "no memory");
	page_put(p);
	((u64 *)page_to_virt(p))[7] = 0x1234;
	for (unsigned n = 0; n < 10000 && page_alloc(0, 0); n++)
		continue;
}

/*
 * --- The kernel's own code: creation has all of its effect or none ------------------------------
 */

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static bool fired;

/* Makes a process with a thread and waits for its end; the @k-th allocation fails. */
static int create_all(u64 k)
{
	struct process *p;
	struct thread *t;
	struct wait_result res;
	int err;

	oom_arm(k, current_thread());
	err = process_create(current_process(), &p);
	if (!err) {
		err = thread_create_in(p, "made", nothing, NULL, PRIORITY_DEFAULT, &t);
		if (err)
			process_abandon(p);
	}
	fired = oom_fired();
	oom_arm(0, NULL);
	if (err)
		return err;
	thread_resume(t);
	return process_wait(p->pid, WEXITED, &res);
}

KTEST(create_oom, "create.oom", "", "thread.create")
{
	u64 k;

	create_all(0);			/* so that caches have what they keep */
	fired = true;
	for (k = 1; fired; k++) {
		struct counter_snapshot before, after;
		int err;

		counters_snapshot(&before);
		err = create_all(k);
		CHECK(err == (fired ? -ENOMEM : 0), "thread.create", "allocation %lu: gives %d", k,
		      err);
		counters_snapshot(&after);
		counters_equal(&before, &after, "thread.create");
		audit();
	}
	CHECK(k > 3, "thread.create", "only %lu allocations failed", k - 2);
}

static void count_hit(void *hits)
{
	(*(unsigned *)hits)++;
}

/* A sweep goes through the code to its end, and acts once in each step. */
KTEST(sweep_hits, "sweep.hits", "", "debug.sweep")
{
	unsigned steps = 0, hits = 0;

	NEEDS_ONE_CPU;
	sweep_action = count_hit;
	sweep_action_arg = &hits;
	do {
		sweep_begin(100 * steps++);
		for (int i = 0; i < 100; i++)
			arch_spin_hint();
		sweep_end();
	} while (sweep_hit());
	sweep_action = NULL;
	/* the last one may come when sweep_end() has begun, and count as missed */
	CHECK(steps > 2 && (hits == steps - 1 || hits == steps), "debug.sweep",
	      "%u hits in %u steps", hits, steps);
}
