/*
 * Lab 07, hidden: the life of a page in regions of each kind: its first touch, a time without
 * rights, forks, and the writes of both sides. None of it depends on what the region is for. With a
 * second CPU the space is loaded there, and that CPU is to be told of each change.
 */
#include "file.h"

enum backing { NONE, FILE_PART, BEHIND_FILE, BACKINGS };

static struct life {
	struct addr_space *as;
	vaddr_t va;
	unsigned flags, prot;		/* of the region */
	struct thread *watcher;		/* on another CPU; NULL: there is none */
} life;

static _Atomic int stage;
static u64 told;

/* --- The other CPU ---------------------------------------------------------------------------- */

static int keep_loaded(void *unused)
{
	(void)unused;
	use_space(life.as);
	atomic_store(&stage, 1);
	while (atomic_load(&stage) < 2)
		arch_spin_hint();
	use_space(NULL);
	return 0;
}

static void begin_watch(void)
{
	life.watcher = NULL;
	if (nr_cpus < 2)
		return;
	life.watcher = thread_create("watcher", keep_loaded, NULL, PRIORITY_DEFAULT);
	REQUIRE(life.watcher, "P7.9", "no thread was made");
	sched_set_affinity(life.watcher, BIT(1));
	atomic_store(&stage, 0);
	thread_resume(life.watcher);
	while (atomic_load(&stage) < 1)
		arch_spin_hint();
}

static void end_watch(void)
{
	int code;

	atomic_store(&stage, 2);
	if (life.watcher)
		CHECK(thread_join(life.watcher, &code, DEADLINE_NEVER) == 0, "P7.9", "join");
}

static void before_change(void)
{
	told = event_read(EVENT_SHOOTDOWNS);
}

static void check_told(const char *what)
{
	CHECK(!life.watcher || event_read(EVENT_SHOOTDOWNS) > told, "P7.9",
	      "%s in a region of flags %x, rights %x, and the other CPU is not told", what,
	      life.flags, life.prot);
}

/* --- A life ----------------------------------------------------------------------------------- */

static void check_new_zeros(void)
{
	struct addr_space *as = life.as;
	vaddr_t va = life.va;

	CHECK(bytes_not(as, va, 0, PAGE_SIZE, 0) == 0, "P7.3",
	      "a new page of a region of flags %x has %u bytes that are not 0", life.flags,
	      bytes_not(as, va, 0, PAGE_SIZE, 0));
	CHECK(rights_at(as, va) == life.prot && owners(page_at(as, va)) == 1, "P7.3",
	      "a new page of a region of flags %x has the rights %x and %u owners", life.flags,
	      rights_at(as, va), owners(page_at(as, va)));
}

/* A read, and then a write, after which the page is the space's own. */
static void check_first(enum backing backing)
{
	struct addr_space *as = life.as;
	int err = fault_at(as, life.va, VM_READ);

	REQUIRE(err == 0 && page_at(as, life.va), "P7.3",
		"the first access in a region of flags %x: error %d", life.flags, err);
	before_change();
	if (backing == FILE_PART)
		CHECK(page_at(as, life.va) == file_pages[0], "P7.6",
		      "a read in a region of flags %x does not get the file's own page",
		      life.flags);
	else
		check_new_zeros();
	CHECK(store(as, life.va, 1) == 0, "P7.4", "a write in a region of flags %x", life.flags);
	if (backing != FILE_PART)
		return;
	check_told("a page of a file is replaced");
	CHECK(owners(file_pages[0]) == 1 && file_intact(0), "P7.7",
	      "a page was written in a region of flags %x, and the file's has %u owners",
	      life.flags, owners(file_pages[0]));
}

static void protect(struct addr_space *as, unsigned prot)
{
	CHECK(as_protect(as, life.va, PAGE_SIZE, prot, false) == 0, "P7.4", "mprotect");
}

/* No access is allowed for a while. */
static void check_forbidden(void)
{
	struct page *p = page_at(life.as, life.va);

	protect(life.as, 0);
	CHECK(!arch_pte_present(pte_at(life.as, life.va)) && page_at(life.as, life.va) == p,
	      "P7.4", "all rights were taken from a page, flags %x, and its entry is 0x%lx",
	      life.flags, pte_at(life.as, life.va));
	CHECK(fault_at(life.as, life.va, VM_READ) == -EFAULT, "P7.4",
	      "a read of a page without rights in a region of flags %x", life.flags);
	protect(life.as, life.prot);
	CHECK(fault_at(life.as, life.va, VM_WRITE) == 0 && page_at(life.as, life.va) == p, "P7.4",
	      "the rights came back in a region of flags %x, and the page did not", life.flags);
}

static int pin_and_write(u64 value)
{
	int err;
	struct page *p = as_pin_page(life.as, life.va, VM_WRITE, &err);

	if (!p)
		return err;
	*(u64 *)page_to_virt(p) = value;
	page_put(p);
	return 0;
}

/* A fork, a write of the parent by its own access or by a pin, and one of the child. */
static void check_copied(bool by_pin)
{
	struct addr_space *as = life.as, *child;
	struct page *old = page_at(as, life.va);
	u64 word = *word_at(as, life.va);
	int err;

	word_at(as, life.va)[511] = 77;
	before_change();
	child = fork_of(as);
	check_told("fork takes a right");
	CHECK(page_at(as, life.va) == old && page_at(child, life.va) == old && owners(old) == 2,
	      "P7.7", "a page of a region of flags %x has %u owners after fork", life.flags,
	      owners(old));
	CHECK(rights_at(as, life.va) == (life.prot & ~VM_WRITE) &&
		      rights_at(child, life.va) == (life.prot & ~VM_WRITE),
	      "P7.7", "a page with two owners has the rights %x and %x in regions of flags %x",
	      rights_at(as, life.va), rights_at(child, life.va), life.flags);
	before_change();
	err = by_pin ? pin_and_write(2) : store(as, life.va, 2);
	check_told("a page is replaced by its copy");
	CHECK(err == 0 && page_at(as, life.va) != old && owners(old) == 1,
	      by_pin ? "P7.11" : "P7.7",
	      "a write to a shared page of a region of flags %x: error %d, %u owners", life.flags,
	      err, owners(old));
	CHECK(*word_at(child, life.va) == word && word_at(as, life.va)[511] == 77, "P7.7",
	      "a write to a shared page of a region of flags %x: the child has %lu, not %lu",
	      life.flags, *word_at(child, life.va), word);
	CHECK(rights_at(as, life.va) == life.prot, "P7.8",
	      "a copy has the rights %x in a region of %x", rights_at(as, life.va), life.prot);
	CHECK(store(child, life.va, 3) == 0 && page_at(child, life.va) == old, "P7.7",
	      "the last owner makes a copy in a region of flags %x", life.flags);
	as_put(child);
}

/* A fork while no access is allowed. */
static void check_forked_forbidden(void)
{
	struct addr_space *as = life.as, *child;
	struct page *p = page_at(as, life.va);

	protect(as, 0);
	child = fork_of(as);
	CHECK(page_at(child, life.va) == p && owners(p) == 2 &&
		      !arch_pte_present(pte_at(child, life.va)),
	      "P7.8", "a page without rights, flags %x, has %u owners after fork", life.flags,
	      owners(p));
	protect(child, life.prot);
	CHECK(store(child, life.va, 4) == 0 && page_at(child, life.va) != p, "P7.8",
	      "the child writes to a page of flags %x that its parent has as well", life.flags);
	as_put(child);
	protect(as, life.prot);
	CHECK(store(as, life.va, 5) == 0 && page_at(as, life.va) == p, "P7.8",
	      "the rights came back after fork in a region of flags %x, and the page did not",
	      life.flags);
}

static void live(unsigned flags, unsigned prot, enum backing backing)
{
	life = (struct life){ .as = new_space(), .flags = flags, .prot = prot };
	life.va = backing == BEHIND_FILE ? PAGE_AT(FILE_PAGES + 1) : BASE;
	if (backing == NONE)
		map_at(life.as, BASE, 1, prot, flags);
	else
		map_file(life.as, BASE, prot, flags, FILE_PAGES * PAGE_SIZE);
	begin_watch();
	check_first(backing);
	check_forbidden();
	check_copied(false);
	check_copied(true);
	check_forked_forbidden();
	end_watch();
	as_put(life.as);
}

/* --- Memory that is shared on purpose --------------------------------------------------------- */

/* The file ends in page 1. After a fork, and a time without rights, all see the same pages. */
static void live_shared(unsigned flags)
{
	struct addr_space *as = new_space(), *child;

	map_file(as, BASE, RW, flags, PAGE_SIZE + 100);
	for (unsigned i = 0; i < 2; i++) {
		int err = fault_at(as, PAGE_AT(i), i ? VM_READ : VM_WRITE);

		CHECK(err == 0 && page_at(as, PAGE_AT(i)) == file_pages[i], "P7.6",
		      "page %u of a shared mapping of flags %x is not the file's own: error %d",
		      i, flags, err);
		CHECK(rights_at(as, PAGE_AT(i)) == RW, "P7.6",
		      "page %u of a shared mapping of flags %x has the rights %x", i, flags,
		      rights_at(as, PAGE_AT(i)));
	}
	CHECK(as_protect(as, PAGE_AT(1), PAGE_SIZE, 0, false) == 0 &&
		      as_protect(as, PAGE_AT(1), PAGE_SIZE, RW, false) == 0,
	      "P7.8", "mprotect");
	child = fork_of(as);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(rights_at(as, PAGE_AT(i)) == RW && owners(file_pages[i]) == 3, "P7.8",
		      "page %u of a shared mapping of flags %x has the rights %x, %u owners", i,
		      flags, rights_at(as, PAGE_AT(i)), owners(file_pages[i]));
		CHECK(store(child, PAGE_AT(i), i) == 0 &&
			      page_at(child, PAGE_AT(i)) == file_pages[i] &&
			      rights_at(child, PAGE_AT(i)) == RW,
		      "P7.8", "a child cannot write to page %u of a shared mapping of flags %x", i,
		      flags);
	}
	as_put(child);
	as_put(as);
}

static void check_shared(void)
{
	live_shared(REGION_SHARED);
	live_shared(REGION_SHARED | REGION_LOCKED);
	live_shared(REGION_SHARED | REGION_NORESERVE);
}

KTEST(kinds_all, "kinds.all", "07.h", "P7.7")
{
	static const unsigned flags[] = {
		0, REGION_STACK, REGION_HEAP, REGION_LOCKED, REGION_NORESERVE,
		REGION_STACK | REGION_LOCKED,
	};
	u32 affinity = current_thread()->affinity;

	sched_set_affinity(current_thread(), BIT(0));
	file_make();
	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
		dirty_free_pages();
		for (unsigned k = 0; k < BACKINGS; k++) {
			live(flags[i], RW, k);
			live(flags[i], RIGHTS, k);
		}
	}
	check_shared();
	file_drop();
	sched_set_affinity(current_thread(), affinity);
}
