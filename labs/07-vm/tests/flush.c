/*
 * Step 5 on two CPUs: what other CPUs' TLBs may remember. A second thread keeps the space loaded on
 * CPU 1, so that CPU must be told of each change; EVENT_SHOOTDOWNS counts how often it is.
 */
#include "vm.h"

#include "sched/time.h"

#define WATCH_NS	(3 * NSEC_PER_MSEC)

static struct addr_space *space;
static _Atomic int stage;

/* Keeps the space loaded until the stage is 2. */
static int keep_loaded(void *unused)
{
	(void)unused;
	use_space(space);
	atomic_store(&stage, 1);
	while (atomic_load(&stage) < 2)
		arch_spin_hint();
	use_space(NULL);
	return 0;
}

static struct thread *start_on_1(int (*entry)(void *unused))
{
	struct thread *t = thread_create("other", entry, NULL, PRIORITY_DEFAULT);

	REQUIRE(t, "P7.9", "no thread was made");
	sched_set_affinity(current_thread(), BIT(0));
	sched_set_affinity(t, BIT(1));
	atomic_store(&stage, 0);
	thread_resume(t);
	while (atomic_load(&stage) < 1)
		arch_spin_hint();
	return t;
}

static void end_it(struct thread *t)
{
	int code;

	atomic_store(&stage, 2);
	CHECK(thread_join(t, &code, DEADLINE_NEVER) == 0, "P7.9", "join");
}

static struct addr_space *filled_space(unsigned pages)
{
	struct addr_space *as = new_space();

	map_at(as, BASE, pages, RW, 0);
	for (unsigned i = 0; i < pages; i++)
		CHECK(store(as, PAGE_AT(i), i) == 0, "P7.9", "a first write");
	return as;
}

KTEST(flush_others, "flush.others", "07.5", "P7.9")
{
	struct addr_space *child;
	struct thread *other;
	u64 before;
	int err;

	NEEDS_TWO_CPUS;
	space = filled_space(3);
	other = start_on_1(keep_loaded);
	before = event_read(EVENT_SHOOTDOWNS);
	child = fork_of(space);
	CHECK(event_read(EVENT_SHOOTDOWNS) > before, "P7.9",
	      "fork takes a right away, and the other CPU may go on with it");
	before = event_read(EVENT_SHOOTDOWNS);
	CHECK(store(space, BASE, 1) == 0, "P7.9", "a write");
	CHECK(event_read(EVENT_SHOOTDOWNS) > before, "P7.9",
	      "a page was replaced by a copy, and the other CPU may go on reading it");
	as_put(child);
	/* Fork fails: all pages but one have lost the right by then, and get it back by a fault. */
	for (unsigned i = 0; i < 3; i++)
		CHECK(store(space, PAGE_AT(i), 2) == 0, "P7.9", "a write");
	map_at(space, PAGE_AT(5000), 1, RW, 0);
	CHECK(store(space, PAGE_AT(5000), 1) == 0, "P7.9", "a write");
	for (u64 k = 1; k < 100 && rights_at(space, BASE) & VM_WRITE; k++) {
		before = event_read(EVENT_SHOOTDOWNS);
		oom_arm(k, current_thread());
		err = as_fork(space, &child);
		oom_arm(0, NULL);
		if (!err)
			as_put(child);
	}
	CHECK(event_read(EVENT_SHOOTDOWNS) > before, "P7.9",
	      "a fork that failed has taken a right away, and the other CPU may go on with it");
	end_it(other);
	as_put(space);
}

/* --- The order of the steps ------------------------------------------------------------------- */

static struct page *old_page;
static _Atomic bool flushed;		/* the other CPU's flush has returned */
static bool saw_copy, saw_freed;

/* Looks, with interrupts off, at what is true while CPU 0 waits for this CPU's flush. */
static int watch(void *unused)
{
	u64 until;

	(void)unused;
	use_space(space);
	irq_off();
	atomic_store(&stage, 1);
	until = time_now() + WATCH_NS;
	while (time_before(time_now(), until)) {
		saw_copy |= page_at(space, BASE) != old_page &&
			    rights_at(space, BASE) & VM_WRITE;
		saw_freed |= owners(old_page) != 2;
		arch_spin_hint();
	}
	irq_on();
	while (atomic_load(&stage) < 2)
		arch_spin_hint();
	use_space(NULL);
	return 0;
}

static int refuse(void *unused)
{
	u64 until;

	(void)unused;
	use_space(space);
	irq_off();
	atomic_store(&stage, 1);
	until = time_now() + WATCH_NS;
	while (time_before(time_now(), until) && !atomic_load(&flushed))
		arch_spin_hint();
	saw_copy = atomic_load(&flushed);
	irq_on();
	while (atomic_load(&stage) < 2)
		arch_spin_hint();
	use_space(NULL);
	return 0;
}

/* Whether a CPU with interrupts off holds up a flush: not where the firmware does it. */
static bool flush_waits(void)
{
	struct thread *other;

	atomic_store(&flushed, false);
	other = start_on_1(refuse);
	tlb_flush_range(space, BASE, BASE + PAGE_SIZE);
	atomic_store(&flushed, true);
	end_it(other);
	return !saw_copy;
}

/*
 * COW3 and SHOOTDOWN1: until the other CPU has dropped the old page, nobody can write to the copy,
 * and the old page keeps its owner.
 */
KTEST(flush_order, "flush.order", "07.5", "P7.9")
{
	struct addr_space *child;
	struct thread *other;

	NEEDS_TWO_CPUS;
	space = filled_space(1);
	child = fork_of(space);
	old_page = page_at(space, BASE);
	CHECK(owners(old_page) == 2, "P7.9", "after fork a page has %u owners", owners(old_page));
	if (flush_waits()) {
		saw_copy = saw_freed = false;
		other = start_on_1(watch);
		CHECK(fault_at(space, BASE, VM_WRITE) == 0, "P7.9", "a write");
		end_it(other);
		CHECK(!saw_copy, "P7.9",
		      "the copy may be written while another CPU still reads the old page");
		CHECK(!saw_freed, "P7.9",
		      "the old page was given back while another CPU could still read it");
	}
	as_put(child);
	as_put(space);
}
