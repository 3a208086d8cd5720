/*
 * Step 5 on two CPUs: what other CPUs' TLBs may remember. A second thread keeps the space loaded on
 * CPU 1, so that CPU must be told of each change; EVENT_SHOOTDOWNS counts how often it is.
 */
#include "file.h"

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

/* A write to a page that others own. */
static void check_replaced(vaddr_t va, const char *what)
{
	u64 before = event_read(EVENT_SHOOTDOWNS);

	CHECK(store(space, va, 1) == 0, "P7.9", "a write");
	CHECK(event_read(EVENT_SHOOTDOWNS) > before, "P7.9",
	      "%s was replaced by a copy, and the other CPU may go on reading it", what);
}

/* With all that a region may allow, and with each kind of other owner. */
static void check_regions(void)
{
	struct addr_space *child;
	struct thread *other;

	file_make();
	space = new_space();
	map_at(space, BASE, 1, RIGHTS, 0);
	map_file(space, PAGE_AT(16), RW, 0, FILE_PAGES * PAGE_SIZE);
	CHECK(store(space, BASE, 1) == 0, "P7.9", "a first write");
	CHECK(fault_at(space, PAGE_AT(16), VM_READ) == 0, "P7.9", "a read of a page of a file");
	other = start_on_1(keep_loaded);
	check_replaced(PAGE_AT(16), "a page of a file");
	child = fork_of(space);
	check_replaced(BASE, "a page of code that may be written");
	check_replaced(PAGE_AT(16), "a copy of a page of a file");
	end_it(other);
	as_put(child);
	as_put(space);
	file_drop();
}

/* However many pages of one table lose the right, other CPUs are told. */
static void check_tables(void)
{
	static const unsigned counts[] = { 33, 255, 256, 257, 512 };
	struct addr_space *child;
	struct thread *other;
	u64 before;

	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		space = filled_space(counts[i]);
		other = start_on_1(keep_loaded);
		before = event_read(EVENT_SHOOTDOWNS);
		child = fork_of(space);
		CHECK(event_read(EVENT_SHOOTDOWNS) > before, "P7.9",
		      "fork takes the right to %u pages of a table, and the other CPU may use it",
		      counts[i]);
		end_it(other);
		as_put(child);
		as_put(space);
	}
}

/* Fork takes the right to write to the page at BASE, and to no other. */
static void check_fork_takes(const char *what)
{
	struct addr_space *child;
	struct thread *other;
	u64 before;

	CHECK(store(space, BASE, 1) == 0, "P7.9", "a first write");
	other = start_on_1(keep_loaded);
	before = event_read(EVENT_SHOOTDOWNS);
	child = fork_of(space);
	CHECK(event_read(EVENT_SHOOTDOWNS) > before, "P7.9",
	      "fork takes the right to %s, and the other CPU may go on with it", what);
	end_it(other);
	as_put(child);
	as_put(space);
}

/* In regions of all kinds, and of a file too: a copy is a page like any other. */
static void check_kinds(void)
{
	static const struct { unsigned flags; const char *what; } kinds[] = {
		{ REGION_STACK, "a page of a stack" },
		{ REGION_HEAP, "a page of the heap" },
		{ REGION_LOCKED, "a locked page" },
		{ REGION_NORESERVE, "a page without a reservation" },
	};
	struct page *pinned;

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		space = new_space();
		map_at(space, BASE, 1, RW, kinds[i].flags);
		check_fork_takes(kinds[i].what);
	}
	space = new_space();
	map_at(space, BASE, 1, RW, 0);
	CHECK(store(space, BASE, 1) == 0, "P7.9", "a first write");
	pinned = page_get(page_at(space, BASE));
	check_fork_takes("a page that is pinned");
	page_put(pinned);
	file_make();
	space = new_space();
	map_file(space, BASE, RW, 0, FILE_PAGES * PAGE_SIZE);
	check_fork_takes("a copy of a file's page");
	file_drop();
}

KTEST(flush_others, "flush.others", "07.5", "P7.9")
{
	struct addr_space *child, *grandchild;
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
	check_replaced(BASE, "a page");
	grandchild = fork_of(child);
	check_replaced(PAGE_AT(1), "a page of three owners");
	as_put(grandchild);
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
	check_tables();
	check_regions();
	check_kinds();
}

/* --- What the other CPU reads and writes ------------------------------------------------------ */

/*
 * The other CPU's TLB has the pages' entries, from just before they change. (QEMU's RISC-V drops
 * all entries when the kernel's access to user memory is turned on, so there this shows nothing.)
 */
static u64 seen;

static void await_stage_2(void)
{
	atomic_store(&stage, 1);
	while (atomic_load(&stage) < 2)
		arch_spin_hint();
}

static int read_twice(void *unused)
{
	(void)unused;
	use_space(space);
	CHECK(copy_from_user(&seen, BASE, sizeof(seen)) == 0, "P7.9", "the other CPU's read");
	await_stage_2();
	CHECK(copy_from_user(&seen, BASE, sizeof(seen)) == 0, "P7.9", "the other CPU's read");
	use_space(NULL);
	return 0;
}

/* A write of 77 gets a copy of the page, while the other CPU does @reads. */
static void read_beside_copy(thread_fn reads)
{
	struct addr_space *child;
	struct thread *other;

	space = filled_space(1);
	child = fork_of(space);
	other = start_on_1(reads);
	CHECK(store(space, BASE, 77) == 0, "P7.9", "a write");
	end_it(other);
	as_put(child);
	as_put(space);
}

KTEST(flush_read, "flush.read", "07.5", "P7.9")
{
	NEEDS_TWO_CPUS;
	read_beside_copy(read_twice);
	CHECK(seen == 77, "P7.9", "the page holds 77, and the other CPU reads %lu", seen);
}

#define WRITTEN	3u

static void write_all(u64 value)
{
	for (unsigned i = 0; i < WRITTEN; i++)
		CHECK(copy_to_user(PAGE_AT(i), &value, sizeof(value)) == 0, "P7.9",
		      "the other CPU's write");
}

static int write_twice(void *unused)
{
	(void)unused;
	use_space(space);
	write_all(1);
	await_stage_2();
	write_all(2);
	use_space(NULL);
	return 0;
}

KTEST(flush_written, "flush.written", "07.6", "P7.9")
{
	struct addr_space *child;
	struct thread *other;

	NEEDS_TWO_CPUS;
	space = filled_space(WRITTEN);
	/* in regions of their own: the flush is for all of them */
	CHECK(as_protect(space, PAGE_AT(1), PAGE_SIZE, RIGHTS, false) == 0, "P7.9", "mprotect");
	other = start_on_1(write_twice);
	child = fork_of(space);
	end_it(other);
	for (unsigned i = 0; i < WRITTEN; i++)
		CHECK(*word_at(child, PAGE_AT(i)) == 1 && *word_at(space, PAGE_AT(i)) == 2, "P7.9",
		      "page %u, which another CPU writes after fork: the child has %lu, not 1", i,
		      *word_at(child, PAGE_AT(i)));
	as_put(child);
	as_put(space);
}

/* --- A flush before the change ---------------------------------------------------------------- */

static bool writes;		/* the other CPU writes to the page, else it reads it */

static int use_page(u64 value)
{
	return writes ? copy_to_user(BASE, &value, sizeof(value))
		      : copy_from_user(&seen, BASE, sizeof(seen));
}

/*
 * Holds up the flush of CPU 0, and uses the page as soon as it has served it: if the entry has not
 * changed by then, the TLB has the old one again. (Where the firmware flushes, and does not wait,
 * this shows nothing.)
 */
static int use_after_flush(void *unused)
{
	u64 until;

	(void)unused;
	use_space(space);
	CHECK(use_page(0) == 0, "P7.9", "the other CPU's access");
	irq_off();
	atomic_store(&stage, 1);
	until = time_now() + WATCH_NS;
	while (time_before(time_now(), until))
		arch_spin_hint();
	irq_on();
	preempt_off();		/* so a fault is not resolved, and does not wait for the lock */
	use_page(1);
	preempt_on();
	while (atomic_load(&stage) < 2)
		arch_spin_hint();
	CHECK(use_page(2) == 0, "P7.9", "the other CPU's access");
	use_space(NULL);
	return 0;
}

KTEST(flush_early, "flush.early", "07.6", "P7.9")
{
	struct addr_space *child;
	struct thread *other;

	NEEDS_TWO_CPUS;
	writes = false;
	read_beside_copy(use_after_flush);
	CHECK(seen == 77, "P7.9",
	      "flushed before the entry names the copy: it holds 77, another CPU reads %lu", seen);
	space = filled_space(1);
	writes = true;
	other = start_on_1(use_after_flush);
	child = fork_of(space);
	end_it(other);
	CHECK(*word_at(child, BASE) != 2 && *word_at(space, BASE) == 2, "P7.9",
	      "flushed before fork takes the right: another CPU still writes to the child's page");
	as_put(child);
	as_put(space);
}

/* --- Two forks -------------------------------------------------------------------------------- */

static struct addr_space *first_child;

static int fork_it(void *unused)
{
	(void)unused;
	CHECK(as_fork(space, &first_child) == 0, "P7.9", "fork fails");
	return 0;
}

/*
 * The second fork finds entries without the right to write, and has nothing to flush. So when it
 * can begin, the first one's flush must be over: the first is parked when both locks are free.
 */
KTEST(flush_twice, "flush.twice", "07.5", "P7.9")
{
	struct addr_space *child;
	struct thread *other;
	u64 before;
	int code;

	NEEDS_TWO_CPUS;
	space = filled_space(2);
	use_space(space);
	other = thread_create("other", fork_it, NULL, PRIORITY_DEFAULT);
	REQUIRE(other, "P7.9", "no thread was made");
	sched_set_affinity(current_thread(), BIT(0));
	sched_set_affinity(other, BIT(1));
	before = event_read(EVENT_SHOOTDOWNS);
	/* In this order, as a thread that leaves slot 0 still comes to slot 1. */
	park_arm(1, "mutex_unlock", AT_EXIT, other, NSEC_PER_SEC);
	thread_resume(other);
	CHECK(park_wait(1, NSEC_PER_SEC), "P7.9", "a fork releases no lock");
	park_arm(0, "mutex_unlock", AT_EXIT, other, NSEC_PER_SEC);
	park_release(1);
	CHECK(park_wait(0, NSEC_PER_SEC), "P7.9", "a fork releases one lock of two");
	child = fork_of(space);
	CHECK(event_read(EVENT_SHOOTDOWNS) > before, "P7.9",
	      "a second fork is over, and this CPU may go on writing to the shared pages");
	park_release(0);
	CHECK(thread_join(other, &code, DEADLINE_NEVER) == 0, "P7.9", "join");
	use_space(NULL);
	as_put(child);
	as_put(first_child);
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
		saw_freed |= owners(old_page) < 2;
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
static void check_order(const char *what)
{
	struct thread *other;

	old_page = page_at(space, BASE);
	CHECK(owners(old_page) == 2, "P7.9", "%s has %u owners", what, owners(old_page));
	if (!flush_waits())
		return;
	saw_copy = saw_freed = false;
	other = start_on_1(watch);
	CHECK(fault_at(space, BASE, VM_WRITE) == 0, "P7.9", "a write");
	end_it(other);
	CHECK(!saw_copy, "P7.9",
	      "%s: the copy may be written while another CPU still reads the old page", what);
	CHECK(!saw_freed, "P7.9",
	      "%s: the old page was given back while another CPU could still read it", what);
}

KTEST(flush_order, "flush.order", "07.5", "P7.9")
{
	struct addr_space *child;

	NEEDS_TWO_CPUS;
	space = filled_space(1);
	child = fork_of(space);
	check_order("a page after fork");
	as_put(child);
	as_put(space);
	file_make();
	space = new_space();
	map_file(space, BASE, RW, 0, FILE_PAGES * PAGE_SIZE);
	CHECK(fault_at(space, BASE, VM_READ) == 0, "P7.9", "a read of a page of a file");
	check_order("a page of a file");
	as_put(space);
	file_drop();
}
