/*
 * Tests of copy on write and of what the kernel does to user memory, also from several CPUs at
 * once: kernel threads that use the space under test.
 */
#include "test_space.h"

#include "base/counters.h"
#include "errno.h"
#include "fs/vfs.h"
#include "sched/time.h"
#include "test/instrument.h"

/* The kernel writes to user memory: to absent pages, to shared ones, and to nothing else. */
KTEST(space_kernel_writes, "space.kernel_writes", "", "mm.uaccess")
{
	struct addr_space *as = new_space(), *child;
	u64 value = 7, seen = 0;
	u32 word = 1;
	char text[8];

	map_at(as, BASE, 4, RW, 0);
	map_at(as, PAGE_AT(4), 1, VM_READ, 0);
	use_space(as);
	CHECK(peek_user32(&word, BASE) == -EFAULT, "mm.uaccess.nosleep", "an absent page was read");
	CHECK(copy_to_user(PAGE_AT(1) - 4, &value, 8) == 0, "mm.uaccess", "absent pages");
	CHECK(peek_user32(&word, PAGE_AT(1) - 4) == 0 && word == 7, "mm.uaccess", "reads %u", word);
	REQUIRE(as_fork(as, &child) == 0, "mm.uaccess", "fork");
	value = 8;
	CHECK(copy_to_user(PAGE_AT(1) - 4, &value, 8) == 0, "mm.uaccess.cow", "shared pages");
	use_space(child);
	CHECK(copy_from_user(&seen, PAGE_AT(1) - 4, 8) == 0 && seen == 7, "mm.uaccess.cow",
	      "the child sees %lu", seen);
	CHECK(copy_to_user(PAGE_AT(4), &value, 8) == -EFAULT, "mm.uaccess.rights",
	      "read-only written");
	CHECK(copy_to_user(PAGE_AT(5) - 4, &value, 8) == -EFAULT, "mm.uaccess.rights",
	      "past the end");
	CHECK(copy_to_user(ARCH_DIRECT_BASE, &value, 8) == -EFAULT, "mm.uaccess.range",
	      "kernel memory");
	CHECK(copy_from_user(&seen, ~0UL - 3, 8) == -EFAULT, "mm.uaccess.range", "wraps");
	CHECK(copy_to_user(ARCH_USER_END - 4, &value, 8) == -EFAULT, "mm.uaccess.range",
	      "crosses the end");
	CHECK(clear_user(BASE, 4 * PAGE_SIZE) == 0, "mm.uaccess", "clear");
	CHECK(copy_to_user(PAGE_AT(4) - 3, "abc", 3) == -0, "mm.uaccess", "copy");
	CHECK(copy_string_from_user(text, PAGE_AT(4) - 3, sizeof(text)) == 3, "mm.uaccess.string",
	      "a string that the next page ends");
	CHECK(copy_string_from_user(text, PAGE_AT(4) - 3, 3) == -ENAMETOOLONG, "mm.uaccess.string",
	      "long");
	CHECK(copy_string_from_user(text, PAGE_AT(5), 8) == -EFAULT, "mm.uaccess.string",
	      "unmapped");
	use_space(NULL);
	as_check(as);
	as_check(child);
	as_put(as);
	as_put(child);
}

/* --- Threads on other CPUs -------------------------------------------------------------------- */

#define RACE_PAGES	64

static struct addr_space *race_space;
static _Atomic int race_stage;

static int racing_writer(void *arg)
{
	u8 me = (u64)arg;

	use_space(race_space);
	for (unsigned i = 0; i < RACE_PAGES; i++)
		CHECK(copy_to_user(PAGE_AT(i) + me, &me, 1) == 0, "mm.cow.race", "cannot write");
	use_space(NULL);
	return 0;
}

/* COW1: several threads write to the same shared pages at once: one copy of each, all bytes. */
KTEST(space_cow_race, "space.cow_race", "", "mm.cow.race")
{
	struct addr_space *child;
	struct thread *threads[4];
	u64 copies, value = 0;
	int code;

	race_space = new_space();
	map_at(race_space, BASE, RACE_PAGES, RW, 0);
	for (unsigned i = 0; i < RACE_PAGES; i++)
		poke(race_space, PAGE_AT(i), 0);
	REQUIRE(as_fork(race_space, &child) == 0, "mm.cow.race", "fork");
	copies = event_read(EVENT_COW_COPIES);
	for (u64 i = 0; i < 4; i++) {
		void *me = (void *)(i + 1);

		threads[i] = thread_create("writer", racing_writer, me, PRIORITY_DEFAULT);
		REQUIRE(threads[i], "mm.cow.race", "no memory");
		thread_resume(threads[i]);
	}
	for (unsigned i = 0; i < 4; i++)
		CHECK(thread_join(threads[i], &code, DEADLINE_NEVER) == 0, "mm.cow.race", "join");
	CHECK(event_read(EVENT_COW_COPIES) == copies + RACE_PAGES, "mm.cow.race",
	      "%lu copies of %u pages", event_read(EVENT_COW_COPIES) - copies, RACE_PAGES);
	for (unsigned i = 0; i < RACE_PAGES; i++) {
		CHECK(peek(race_space, PAGE_AT(i), &value) == 0 && value == 0x0403020100,
		      "mm.cow.race", "page %u holds %lx", i, value);
		CHECK(peek(child, PAGE_AT(i), &value) == 0 && value == 0, "mm.cow.race",
		      "the child's page %u holds %lx", i, value);
	}
	as_check(race_space);
	as_put(race_space);
	as_put(child);
}

static int write_two(void *unused)
{
	u64 value = 2;

	(void)unused;
	use_space(race_space);
	CHECK(copy_to_user(BASE, &value, sizeof(value)) == 0, "mm.cow.sole", "cannot write");
	use_space(NULL);
	return 0;
}

/* COW1: a page has one owner when the fault begins, and two when the fault has got the lock. */
KTEST(space_sole, "space.sole_owner", "", "mm.cow.sole")
{
	struct addr_space *child;
	struct thread *writer;
	u64 value = 0;
	int code;

	NEEDS_TWO_CPUS;
	sched_set_affinity(current_thread(), BIT(0));
	race_space = new_space();
	map_at(race_space, BASE, 1, RW, 0);
	poke(race_space, BASE, 1);
	REQUIRE(as_fork(race_space, &child) == 0, "mm.cow.sole", "fork");
	as_put(child);			/* its entry lacks the right to write now */
	writer = thread_create("writer", write_two, NULL, PRIORITY_DEFAULT);
	REQUIRE(writer, "mm.cow.sole", "no memory");
	sched_set_affinity(writer, BIT(1));
	park_arm(0, "mutex_lock", AT_ENTRY, writer, NSEC_PER_SEC);
	thread_resume(writer);
	CHECK(park_wait(0, NSEC_PER_SEC), "mm.cow.sole", "it takes no lock");
	REQUIRE(as_fork(race_space, &child) == 0, "mm.cow.sole", "fork");
	park_release(0);
	CHECK(thread_join(writer, &code, DEADLINE_NEVER) == 0, "mm.cow.sole", "join");
	CHECK(peek(child, BASE, &value) == 0 && value == 1, "mm.cow.sole", "the child sees %lu",
	      value);
	CHECK(peek(race_space, BASE, &value) == 0 && value == 2, "mm.cow.sole", "it sees %lu",
	      value);
	as_check(race_space);
	as_put(race_space);
	as_put(child);
}

#define STAGES	40

static _Atomic u64 race_reads;

/* SPACE1, SHOOTDOWN2: in odd stages the page is forbidden, and no CPU may still reach it. */
static int racing_reader(void *unused)
{
	(void)unused;
	use_space(race_space);
	while (atomic_load(&race_stage) < STAGES) {
		int stage = atomic_load(&race_stage), err;
		u64 value = 0;

		err = copy_from_user(&value, BASE, sizeof(value));
		atomic_fetch_add(&race_reads, 1);
		if (stage % 2 && stage == atomic_load(&race_stage))
			CHECK(err == -EFAULT, "mm.tlb.stale", "stage %d: reads %lx", stage, value);
		else
			CHECK(err || value == 42, "mm.tlb.stale", "stage %d: reads %lx", stage,
			      value);
		thread_yield();
	}
	use_space(NULL);
	return 0;
}

/* Waits until every CPU is likely to have looked. */
static void await_reads(void)
{
	u64 enough = atomic_load(&race_reads) + 4 * nr_cpus;

	while (atomic_load(&race_reads) < enough)
		thread_yield();
}

/* As many threads as CPUs read the page of one space, which is changed meanwhile. */
static struct thread *racers[MAX_CPUS];

static void start_racers(const char *property, int (*entry)(void *unused), u64 value)
{
	race_space = new_space();
	map_at(race_space, BASE, 1, RW, 0);
	poke(race_space, BASE, value);
	atomic_store(&race_stage, 0);
	for (unsigned i = 0; i < nr_cpus; i++) {
		racers[i] = thread_create("racer", entry, NULL, PRIORITY_DEFAULT);
		REQUIRE(racers[i], property, "no memory");
		thread_resume(racers[i]);
	}
}

static void join_racers(const char *property)
{
	int code;

	for (unsigned i = 0; i < nr_cpus; i++)
		CHECK(thread_join(racers[i], &code, DEADLINE_NEVER) == 0, property, "join");
	as_put(race_space);
}

KTEST(space_stale, "space.stale_tlb", "", "mm.tlb.stale")
{
	start_racers("mm.tlb.stale", racing_reader, 42);
	for (unsigned i = 0; i < STAGES; i += 2) {
		CHECK(as_protect(race_space, BASE, PAGE_SIZE, 0, false) == 0, "mm.tlb.stale",
		      "protect");
		atomic_store(&race_stage, i + 1);
		await_reads();
		atomic_store(&race_stage, i + 2);
		CHECK(as_protect(race_space, BASE, PAGE_SIZE, VM_READ, false) == 0, "mm.tlb.stale",
		      "protect");
		if (i + 2 < STAGES)
			await_reads();
	}
	join_racers("mm.tlb.stale");
}

/* COW3: once a write has made its copy, no CPU still reads the page that it was copied from. */
static int racing_observer(void *unused)
{
	(void)unused;
	use_space(race_space);
	while (atomic_load(&race_stage) < STAGES) {
		u64 least = atomic_load(&race_stage), value = 0;
		int err = copy_from_user(&value, BASE, sizeof(value));

		atomic_fetch_add(&race_reads, 1);
		CHECK(!err && value >= least, "mm.tlb.copied",
		      "after write %lu: reads %lu, error %d", least, value, err);
		thread_yield();
	}
	use_space(NULL);
	return 0;
}

KTEST(space_copied, "space.stale_copy", "", "mm.tlb.copied")
{
	start_racers("mm.tlb.copied", racing_observer, 0);
	for (int i = 1; i <= STAGES; i++) {
		struct addr_space *child;

		REQUIRE(as_fork(race_space, &child) == 0, "mm.tlb.copied", "fork");
		await_reads();
		CHECK(poke(race_space, BASE, i) == 0, "mm.tlb.copied", "cannot write");
		atomic_store(&race_stage, i);
		as_put(child);
	}
	join_racers("mm.tlb.copied");
}

/* SHOOTDOWN1: a page is freed only when no CPU can reach it: none ever reads its next contents. */
static int racing_toucher(void *unused)
{
	(void)unused;
	use_space(race_space);
	while (atomic_load(&race_stage) < STAGES) {
		u64 value = 0;
		int err = copy_from_user(&value, BASE, sizeof(value));

		atomic_fetch_add(&race_reads, 1);
		CHECK(!err && (value == 42 || value == 0), "mm.tlb.freed", "reads %lx, error %d",
		      value, err);
		thread_yield();
	}
	use_space(NULL);
	return 0;
}

KTEST(space_freed, "space.stale_free", "", "mm.tlb.freed")
{
	start_racers("mm.tlb.freed", racing_toucher, 42);
	for (int i = 1; i <= STAGES; i++) {
		poke(race_space, BASE, 42);
		await_reads();
		CHECK(forget(race_space, BASE, 1) == 0, "mm.tlb.freed", "dontneed");
		atomic_store(&race_stage, i);
	}
	join_racers("mm.tlb.freed");
}

/* Each of two CPUs runs on one space and changes the other's: each must ask the other to flush. */
static struct addr_space *both[2];
static _Atomic unsigned both_there;

static int flusher(void *arg)
{
	unsigned me = (u64)arg;

	use_space(both[me]);
	for (unsigned i = 0; i < STAGES; i++) {
		u64 value = 0;
		int err;

		CHECK(copy_to_user(BASE, &value, sizeof(value)) == 0, "mm.tlb.both", "write");
		atomic_fetch_add(&both_there, 1);
		while (atomic_load(&both_there) < 4 * i + 2)
			arch_spin_hint();
		err = as_protect(both[!me], BASE, PAGE_SIZE, VM_READ, false);
		CHECK(err == 0, "mm.tlb.both", "protect");
		atomic_fetch_add(&both_there, 1);
		while (atomic_load(&both_there) < 4 * i + 4)
			arch_spin_hint();
		err = copy_to_user(BASE, &value, sizeof(value));
		CHECK(err == -EFAULT, "mm.tlb.both", "round %u: it can still write", i);
		CHECK(as_protect(both[me], BASE, PAGE_SIZE, RW, false) == 0, "mm.tlb.both",
		      "protect");
	}
	use_space(NULL);
	return 0;
}

KTEST(space_both, "space.flush_both", "", "mm.tlb.both")
{
	struct thread *threads[2];
	int code;

	NEEDS_TWO_CPUS;
	atomic_store(&both_there, 0);
	for (unsigned i = 0; i < 2; i++) {
		both[i] = new_space();
		map_at(both[i], BASE, 1, RW, 0);
	}
	for (u64 i = 0; i < 2; i++) {
		threads[i] = thread_create("flusher", flusher, (void *)i, PRIORITY_DEFAULT);
		REQUIRE(threads[i], "mm.tlb.both", "no memory");
		sched_set_affinity(threads[i], BIT(i));
		thread_resume(threads[i]);
	}
	for (unsigned i = 0; i < 2; i++)
		CHECK(thread_join(threads[i], &code, DEADLINE_NEVER) == 0, "mm.tlb.both", "join");
	for (unsigned i = 0; i < 2; i++)
		as_put(both[i]);
}

static struct inode *punched;

static int punch_first_page(void *unused)
{
	int err;

	(void)unused;
	mutex_lock(&punched->lock);
	err = punched->ops->punch(punched, 0, PAGE_SIZE);
	mutex_unlock(&punched->lock);
	return err;
}

/*
 * A file has given up a page, and is about to unlock its pages and to take this one from all who
 * map it, when one of them writes.
 */
KTEST(space_punched, "space.punched", "", "mm.cow.punched")
{
	struct map_request req = { .addr = BASE, .size = PAGE_SIZE, .prot = RW, .fixed = true,
				   .flags = REGION_SHARED, .file_size = PAGE_SIZE };
	struct addr_space *as = new_space();
	struct thread *puncher;
	u64 value = 0;
	vaddr_t at;
	int code;

	NEEDS_TWO_CPUS;
	sched_set_affinity(current_thread(), BIT(0));
	punched = req.inode = ramfs_create_anon(PAGE_SIZE);
	REQUIRE(punched, "mm.cow.punched", "no memory");
	CHECK(as_map(as, &req, &at) == 0 && poke(as, BASE, 5) == 0, "mm.cow.punched", "map");
	req.flags = 0;			/* from now on private */
	CHECK(as_map(as, &req, &at) == 0 && peek(as, BASE, &value) == 0 && value == 5,
	      "mm.cow.punched", "the file has %lu", value);
	puncher = thread_create("puncher", punch_first_page, NULL, PRIORITY_DEFAULT);
	REQUIRE(puncher, "mm.cow.punched", "no memory");
	sched_set_affinity(puncher, BIT(1));
	REQUIRE(park_arm(0, "mutex_unlock", AT_ENTRY, puncher, NSEC_PER_SEC) == 0, "mm.cow.punched",
		"park");
	thread_resume(puncher);
	CHECK(park_wait(0, NSEC_PER_SEC), "mm.cow.punched", "it locks nothing");
	CHECK(poke(as, BASE, 6) == 0, "mm.cow.punched", "it cannot be written");
	park_release(0);
	CHECK(thread_join(puncher, &code, DEADLINE_NEVER) == 0 && code == 0, "mm.cow.punched",
	      "the hole was not made: %d", code);
	CHECK(peek(as, BASE, &value) == 0 && value == 6, "mm.cow.punched",
	      "6 was written, and %lu is read", value);
	as_check(as);
	as_put(as);
	inode_put(punched);
}
