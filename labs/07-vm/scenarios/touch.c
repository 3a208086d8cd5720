/* Lab 07: the first access to a page, of one thread and of two. */
#include "spaces.h"

#include "base/string.h"
#include "fs/vfs.h"
#include "tlb.h"

static struct addr_space *space;
static struct actor other;
static int before;

static void one_page(const char *when)
{
	expect(page_of(space), "%s: no page is there", when);
	expect(owners(space) == 1 && space->resident == 1,
	       "%s: the page has %u owners, %lu are resident", when, owners(space),
	       space->resident);
	expect((pte_prot(*entry(space)) & RW) == RW, "%s: the page has not its region's rights",
	       when);
}

SCENARIO(zeros, "first.zeros", "07.3", "P7.3", .cpus = 1)
{
	space = new_space(RW);
	before = host_memory_in_use();
	expect(get(space) == 0, "the first read of a page gives %lx", get(space));
	one_page("a read");
	put(space, 7);
	expect(get(space) == 7, "a write is lost");
	one_page("a write");
	as_put(space);
	expect(host_memory_in_use() < before, "%d pages are not given back", host_memory_in_use());
}

SCENARIO(refused, "first.refused", "07.3", "P7.4", .cpus = 1)
{
	space = new_space(VM_READ);
	mutex_lock(&space->lock);
	expect(fault_resolve(space, BASE, VM_WRITE) == -EFAULT, "a write to read-only memory");
	expect(fault_resolve(space, BASE - 1, VM_READ) == -EFAULT, "a read below the region");
	mutex_unlock(&space->lock);
	expect(!page_of(space) && space->resident == 0,
	       "a fault that is refused has mapped a page");
	as_put(space);
}

/* Whichever allocation fails, nothing is lost, and the next fault succeeds. */
SCENARIO(short_of, "first.short", "07.3", "P7.12", .cpus = 1)
{
	for (int nth = 1; nth <= 3; nth++) {
		int err;

		space = new_space(RW);
		host_memory_refuse(nth);
		err = as_fault(space, BASE, VM_WRITE);
		host_memory_refuse(0);
		expect(err == -ENOMEM, "allocation %d of a first write fails: %d", nth, err);
		expect(space->resident == 0, "a fault that failed counts a page");
		put(space, 5);
		one_page("after a fault that failed");
		as_put(space);
		expect_all_given_back();
	}
}

static int touch(void)
{
	put(space, 2);
	return 0;
}

static const char *one_value(void)
{
	if (owners(space) != 1 || space->resident != 1)
		return "two writes to a page, and it is counted, or owned, more than once";
	return left_in(space) == 1 || left_in(space) == 2 ? NULL : "a write is lost";
}

SCENARIO(twice, "first.twice", "07.3", "P7.10", .cpus = 2, .bootargs = ALONE, .after = one_value,
	 .keeps = true)
{
	stay_on(0);
	space = new_space(RW);
	act_on(1, &other, touch);
	put(space, 1);
	end_here();
}

/* --- A page that the hardware finds at once --------------------------------------------------- */

static pte_t *entry_of_page;

/* As the hardware of another CPU does, without a lock. */
static int look(void)
{
	pte_t e = __atomic_load_n(entry_of_page, __ATOMIC_ACQUIRE);

	if (e)
		expect(*(u64 *)page_to_virt(pte_page(e)) == 0,
		       "a page is there before it was all zeros");
	return 0;
}

/* The table is there, as a page beside was touched before. */
SCENARIO(seen, "first.seen", "07.3", "P7.3", .cpus = 2, .bootargs = ALONE, .keeps = true)
{
	int err;

	stay_on(0);
	space = new_space_at(BASE, 2, RW);
	put_at(space, BASE + PAGE_SIZE, 7);
	entry_of_page = entry(space);
	act_on(1, &other, look);
	err = as_fault(space, BASE, VM_READ);
	expect(!err, "a fault gives %d", err);
	end_here();
}

/* --- The same for a region that a file backs -------------------------------------------------- */

#define FILE_BYTES	(PAGE_SIZE + 64)	/* page 0 is a hole, and page 1 has its end */

enum { FROM_HOLE, AT_END, BEHIND_END, FILE_REGION };

static struct page *page_of_file;
static pte_t *entries[FILE_REGION];

static bool shorter;

static int give_page(struct inode *i, u64 index, bool make, struct page **out)
{
	(void)i;
	if (__atomic_load_n(&shorter, __ATOMIC_SEQ_CST))
		return -EIO;
	*out = make || index == AT_END ? page_get(page_of_file) : NULL;
	return 0;
}

static struct inode *take_file(struct inode *i)
{
	return i;
}

static void do_nothing(struct inode *i)
{
	(void)i;
}

static struct inode *new_file(void)
{
	static const struct inode_ops ops = { .get_page = give_page };
	static const struct backing_ops backing = { take_file, do_nothing, do_nothing };
	static struct inode file;

	page_of_file = page_alloc(0, 0);
	memset(page_to_virt(page_of_file), 7, PAGE_SIZE);
	file = (struct inode){ .refs = 1, .ops = &ops, .backing = &backing };
	mutex_init(&file.lock);
	spin_init(&file.mappings_lock, LOCK_INODE);
	list_init(&file.mappings);
	return &file;
}

/* In a new space, whose table is there. */
static struct inode *map_new_file(void)
{
	struct map_request req = {
		.addr = BASE, .size = FILE_REGION * PAGE_SIZE, .fixed = true, .prot = RW,
		.inode = new_file(), .file_size = FILE_BYTES,
	};
	vaddr_t at;

	space = new_space_at(BASE + FILE_REGION * PAGE_SIZE, 1, RW);
	put_at(space, BASE + FILE_REGION * PAGE_SIZE, 7);
	expect(!as_map(space, &req, &at), "nothing could be mapped");
	for (unsigned i = 0; i < FILE_REGION; i++)
		entries[i] = entry_at(space, BASE + i * PAGE_SIZE);
	return req.inode;
}

/* The word behind the end of the file, or the first one, of each page that is there. */
static int look_at_all(void)
{
	for (unsigned i = 0; i < FILE_REGION; i++) {
		pte_t e = __atomic_load_n(entries[i], __ATOMIC_ACQUIRE);
		u64 at = i == AT_END ? FILE_BYTES % PAGE_SIZE : 0;

		if (e)
			expect(*(u64 *)((char *)page_to_virt(pte_page(e)) + at) == 0,
			       "page %u is there before its zeros are", i);
	}
	return 0;
}

SCENARIO(seen_in_file, "first.seen_in_file", "07.4", "P7.3", .cpus = 2, .bootargs = ALONE,
	 .sets_up = true, .keeps = true)
{
	stay_on(0);
	map_new_file();
	explore_from_here();
	act_on(1, &other, look_at_all);
	for (unsigned i = 0; i < FILE_REGION; i++) {
		int err = as_fault(space, BASE + i * PAGE_SIZE, VM_WRITE);

		expect(!err, "a fault gives %d", err);
	}
	end_here();
}

/* --- A file that becomes shorter beside a first touch ----------------------------------------- */

static struct inode *file;

/* As a file system does: the page is the file's no more, then it is taken out of all spaces. */
static int cut_file(void)
{
	mutex_lock(&file->lock);
	__atomic_store_n(&shorter, true, __ATOMIC_SEQ_CST);
	inode_unmap(file, AT_END, AT_END, true);
	mutex_unlock(&file->lock);
	return 0;
}

static const char *page_is_gone(void)
{
	return *entries[AT_END] ? "the file is shorter, and the page behind its end is mapped"
				: NULL;
}

SCENARIO(against_cut, "first.against_cut", "07.4", "P7.10", .cpus = 2, .bootargs = ALONE,
	 .sets_up = true, .after = page_is_gone, .keeps = true)
{
	int err;

	stay_on(0);
	file = map_new_file();
	explore_from_here();
	act_on(1, &other, cut_file);
	err = as_fault(space, BASE + AT_END * PAGE_SIZE, VM_WRITE);
	expect(!err || err == -EIO, "a fault gives %d", err);
	end_here();
}

/* --- An old translation ----------------------------------------------------------------------- */

/* The table allows the access already: another thread was faster, or a right was added. */
SCENARIO(forgotten, "first.forgets_the_old", "07.3", "P7.4", .cpus = 1, .quiet = true)
{
	static const unsigned accesses[] = { VM_READ, VM_WRITE, VM_EXEC };
	const vaddr_t va = HOST_VA(0);

	space = new_space_at(va, 1, RW | VM_EXEC);
	put_at(space, va, 7);
	irq_off();
	host_space_load(space);
	irq_on();
	for (unsigned i = 0; i < ARRAY_SIZE(accesses); i++) {
		pte_t *e = entry_at(space, va), all = *e;
		u64 pa = page_to_phys(page_at(space, va));
		int err;

		/* The TLB's entry allows one of the other two. */
		pte_set(e, arch_pte_leaf(pa, accesses[(i + 1) % 3] | VM_USER));
		host_tlb_flush_all();
		host_tlb_access(0, (const _Atomic u64 *)e);
		pte_set(e, all);
		err = as_fault(space, va, accesses[i]);
		expect(!err, "a fault gives %d", err);
		expect(pte_prot(host_tlb_access(0, (const _Atomic u64 *)e)) & accesses[i],
		       "a fault is over, and the CPU still goes by an entry without the right");
	}
	irq_off();
	host_space_load(NULL);
	irq_on();
	as_put(space);
}

/* --- An unmapping beside a first touch -------------------------------------------------------- */

static int write_to_it(void)
{
	return fault_as_its_thread(space, BASE);
}

static const char *as_the_region_allows(void)
{
	return not_writable(space, BASE, other.result);
}

/* The page is unmapped and another one is mapped there, which nobody may write to. */
SCENARIO(against_map, "first.against_map", "07.3", "P7.10", .cpus = 2, .bootargs = ALONE,
	 .after = as_the_region_allows, .keeps = true)
{
	struct map_request req = {
		.addr = BASE, .size = PAGE_SIZE, .fixed = true, .prot = VM_READ,
	};
	vaddr_t at;

	stay_on(0);
	space = new_space(RW);
	act_on(1, &other, write_to_it);
	expect(!as_map(space, &req, &at), "nothing could be mapped");
	end_here();
}
