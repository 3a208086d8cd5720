/*
 * Step 5 on two CPUs: faults that meet another fault, a fork, or an unmapping. A second thread is
 * parked where it takes or has released a mutex; the test does its part meanwhile.
 */
#include "vm.h"

#define CROWD	600u			/* pages, of two tables */

static struct addr_space *space;	/* of the running test */
static int fault_error;			/* what the other thread's fault or fork gave */

static int write_to_it(void *where)
{
	use_space(space);
	fault_error = as_fault(space, (vaddr_t)where, VM_WRITE);
	use_space(NULL);
	return 0;
}

/* Starts the other thread on CPU 1, and returns when it is at the entry or exit of @function. */
static struct thread *start_parked_in(thread_fn entry, void *arg, const char *function,
				      enum park_where where)
{
	struct thread *t = thread_create("other", entry, arg, PRIORITY_DEFAULT);

	REQUIRE(t, "P7.10", "no thread was made");
	sched_set_affinity(current_thread(), BIT(0));
	sched_set_affinity(t, BIT(1));
	park_arm(0, function, where, t, NSEC_PER_SEC);
	thread_resume(t);
	CHECK(park_wait(0, NSEC_PER_SEC), "P7.10", "the other thread takes no lock");
	return t;
}

static struct thread *start_parked_at(vaddr_t va, const char *function, enum park_where where)
{
	return start_parked_in(write_to_it, (void *)va, function, where);
}

static struct thread *start_parked(const char *function, enum park_where where)
{
	return start_parked_at(BASE, function, where);
}

static void let_go(struct thread *t)
{
	int code;

	park_release(0);
	CHECK(thread_join(t, &code, DEADLINE_NEVER) == 0, "P7.10", "join");
}

static struct addr_space *space_with_page(u64 value)
{
	struct addr_space *as = new_space();

	map_at(as, BASE, 1, RW, 0);
	if (value)
		CHECK(store(as, BASE, value) == 0, "P7.10", "a first write");
	return as;
}

/* Does this thread's fault, then writes @value where it leads. */
static void write_here(u64 value)
{
	int err = as_fault(space, BASE, VM_WRITE);

	CHECK(err == 0, "P7.10", "a write while another thread faults: error %d", err);
	REQUIRE(rights_at(space, BASE) & VM_WRITE, "P7.10", "a resolved fault, and no write");
	*word_at(space, BASE) = value;
}

/* COW1: as soon as the first fault has released the lock, its page is there to be written to. */
KTEST(race_copy, "race.copy", "07.5", "P7.10")
{
	struct addr_space *child;
	struct thread *other;
	struct page *old;

	NEEDS_TWO_CPUS;
	space = space_with_page(1);
	child = fork_of(space);
	old = page_at(space, BASE);
	other = start_parked("mutex_unlock", AT_EXIT);
	write_here(42);
	let_go(other);
	CHECK(fault_error == 0, "P7.10", "the other thread's write: error %d", fault_error);
	CHECK(*word_at(space, BASE) == 42, "P7.10",
	      "two threads write to a shared page, and one write is lost");
	CHECK(owners(old) == 1 && owners(page_at(space, BASE)) == 1, "P7.10",
	      "two threads write to a shared page: it has %u owners, and the copy %u", owners(old),
	      owners(page_at(space, BASE)));
	CHECK(*word_at(child, BASE) == 1, "P7.10", "the child sees a write of its parent");
	as_put(child);
	as_put(space);
}

KTEST(race_touch, "race.touch", "07.5", "P7.10")
{
	struct counter_snapshot before, after;
	struct thread *other;

	NEEDS_TWO_CPUS;
	audit();
	counters_snapshot(&before);
	space = space_with_page(0);
	other = start_parked("mutex_unlock", AT_EXIT);
	write_here(42);
	let_go(other);
	CHECK(fault_error == 0, "P7.10", "the other thread's write: error %d", fault_error);
	CHECK(*word_at(space, BASE) == 42, "P7.10",
	      "two threads touch a new page, and one write is lost");
	CHECK(space->resident == 1, "P7.10", "two threads touch a page, and %lu are resident",
	      space->resident);
	as_put(space);
	audit();
	counters_snapshot(&after);
	counters_equal(&before, &after, "P7.10");
}

/* Something changes after a fault has begun and before it has the lock. */
KTEST(race_changed, "race.changed", "07.5", "P7.10")
{
	struct addr_space *child;
	struct thread *other;
	struct page *p;

	NEEDS_TWO_CPUS;
	/* its only owner, and then there are two */
	space = space_with_page(1);
	child = fork_of(space);
	as_put(child);
	other = start_parked("mutex_lock", AT_ENTRY);
	child = fork_of(space);
	p = page_at(space, BASE);
	let_go(other);
	CHECK(fault_error == 0 && page_at(space, BASE) != p, "P7.10",
	      "a page that fork has just shared is written to in place: error %d", fault_error);
	CHECK(owners(p) == 1 && page_at(child, BASE) == p, "P7.10",
	      "the page that the child keeps has %u owners", owners(p));
	as_put(child);
	as_put(space);

	/* no page, and then there is one */
	space = space_with_page(0);
	other = start_parked("mutex_lock", AT_ENTRY);
	write_here(42);
	p = page_at(space, BASE);
	let_go(other);
	CHECK(fault_error == 0 && page_at(space, BASE) == p && *word_at(space, BASE) == 42,
	      "P7.10", "a page that another thread has just touched is replaced");
	as_put(space);

	/* a page that may be written, and then there is none */
	space = space_with_page(1);
	other = start_parked("mutex_lock", AT_ENTRY);
	CHECK(as_unmap(space, BASE, PAGE_SIZE) == 0, "P7.10", "munmap");
	let_go(other);
	CHECK(fault_error == -EFAULT, "P7.10",
	      "a fault on a page that was there, and is unmapped: error %d", fault_error);
	as_put(space);

	/* a region, and then there is none */
	space = space_with_page(0);
	other = start_parked("mutex_lock", AT_ENTRY);
	CHECK(as_unmap(space, BASE, PAGE_SIZE) == 0, "P7.10", "munmap");
	let_go(other);
	CHECK(fault_error == -EFAULT && space->resident == 0, "P7.10",
	      "a fault in a region that is gone: error %d, %lu pages are resident", fault_error,
	      space->resident);
	as_put(space);
}

static struct addr_space *forked;

static int fork_it(void *unused)
{
	(void)unused;
	fault_error = as_fork(space, &forked);
	return 0;
}

/* A child is the picture of one moment: no fault comes between two of its pages. */
KTEST(race_fork, "race.fork", "07.5", "P7.10")
{
	struct thread *other;
	unsigned shared = 0;

	NEEDS_TWO_CPUS;
	space = new_space();
	map_at(space, BASE, CROWD, RW, 0);
	for (unsigned i = 0; i < CROWD; i++)
		CHECK(store(space, PAGE_AT(i), i) == 0, "P7.10", "a first write");
	other = start_parked_in(fork_it, NULL, "mutex_unlock", AT_EXIT);
	for (unsigned i = 0; i < CROWD; i++)
		shared += owners(page_at(space, PAGE_AT(i))) == 2;
	CHECK(shared == 0 || shared == CROWD, "P7.10",
	      "fork unlocks the space, or the child, when %u of %u pages are shared", shared,
	      CROWD);
	let_go(other);
	REQUIRE(!fault_error, "P7.10", "fork: error %d", fault_error);
	as_put(forked);
	as_put(space);
}

/* Both touch the same page below a stack: it grows once, and neither fault is an error. */
KTEST(race_stack, "race.stack", "07.5", "P7.10")
{
	vaddr_t below = PAGE_AT(900);
	struct thread *other;
	int err;

	NEEDS_TWO_CPUS;
	for (unsigned late = 0; late < 2; late++) {
		space = new_space();
		map_at(space, PAGE_AT(1000), 1, RW, REGION_STACK);
		other = start_parked_at(below, late ? "mutex_unlock" : "mutex_lock",
					late ? AT_EXIT : AT_ENTRY);
		use_space(space);
		err = as_fault(space, below, VM_WRITE);
		use_space(NULL);
		let_go(other);
		CHECK(err == 0 && fault_error == 0, "P7.10",
		      "two threads make a stack grow: errors %d and %d", err, fault_error);
		CHECK(space->total_pages == 101 && space->resident == 1, "P7.10",
		      "two threads make a stack grow: it has %lu pages, and %lu are resident",
		      space->total_pages, space->resident);
		as_put(space);
	}
}
