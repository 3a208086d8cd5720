/* Lab 07, step 5: fork, and the first writes to a page that two spaces own. */
#include "spaces.h"

static struct addr_space *parent, *child;
static struct actor other;

static void each(u64 of_parent, u64 of_child)
{
	expect(get(parent) == of_parent, "the parent reads %lu", get(parent));
	expect(get(child) == of_child, "the child reads %lu", get(child));
}

/* @rights: of the region. */
static void check_copies(unsigned rights)
{
	struct page *old;

	parent = new_space(rights);
	put(parent, 7);
	old = page_of(parent);
	child = fork_of(parent);
	expect(page_of(child) == old && owners(child) == 2, "after a fork the page has %u owners",
	       owners(child));
	expect(!((pte_prot(*entry(parent)) | pte_prot(*entry(child))) & VM_WRITE),
	       "a page with two owners may be written");
	expect(!(rights & ~VM_WRITE & ~(pte_prot(*entry(parent)) & pte_prot(*entry(child)))),
	       "a page with two owners has lost more than the right to be written");
	put(child, 8);
	each(7, 8);
	expect(page_of(parent) == old && owners(parent) == 1 && owners(child) == 1,
	       "after a copy the page has %u owners and the copy %u", owners(parent),
	       owners(child));
	put(parent, 9);
	expect(page_of(parent) == old, "the last owner makes a copy");
	each(9, 8);
	as_put(child);
	as_put(parent);
	expect_all_given_back();
}

SCENARIO(copies, "share.copies", "07.5", "P7.7", .cpus = 1)
{
	check_copies(RW);
	check_copies(RW | VM_EXEC);
}

/* Five pages on both sides of where a table ends, of which every other one was touched. */
#define PAGES		5u
#define PAGE_AT(i)	(BASE + ((u64)(i) - 2) * PAGE_SIZE)

SCENARIO(holes, "share.holes", "07.5", "P7.7", .cpus = 1)
{
	parent = new_space_at(PAGE_AT(0), PAGES, RW);
	for (unsigned i = 0; i < PAGES; i += 2)
		put_at(parent, PAGE_AT(i), 10 + i);
	child = fork_of(parent);
	for (unsigned i = 0; i < PAGES; i++) {
		struct page *p = page_at(parent, PAGE_AT(i));

		expect((p != NULL) == (i % 2 == 0), "after a fork page %u of the parent is %p",
		       i, (void *)p);
		expect(page_at(child, PAGE_AT(i)) == p, "page %u is not the same in both", i);
	}
	for (unsigned i = 0; i < PAGES; i += 2) {
		put_at(child, PAGE_AT(i), 20 + i);
		expect(get_at(parent, PAGE_AT(i)) == 10 + i, "the parent reads %lu in page %u",
		       get_at(parent, PAGE_AT(i)), i);
	}
	as_put(child);
	as_put(parent);
	expect_all_given_back();
}

/* Whichever allocation fails, no program can tell. */
SCENARIO(short_of, "share.short", "07.5", "P7.12", .cpus = 1)
{
	for (int nth = 1; nth <= 5; nth++) {
		int err;

		parent = new_space(RW);
		put(parent, 7);
		child = NULL;
		host_memory_refuse(nth);
		err = as_fork(parent, &child);
		if (!err)
			err = as_fault(child, BASE, VM_WRITE);
		else
			expect(!child, "a fork that fails leaves its caller a child");
		host_memory_refuse(0);
		expect(nth == 5 ? !err : err == -ENOMEM,
		       "allocation %d of a fork and a write: %d", nth, err);
		put(parent, 9);
		expect(get(parent) == 9 && owners(parent) == 1,
		       "allocation %d fails, and the page has %u owners", nth, owners(parent));
		if (child) {
			expect(get(child) == 7, "the child reads %lu", get(child));
			as_put(child);
		}
		as_put(parent);
		expect_all_given_back();
	}
}

static int child_writes(void)
{
	put(child, 2);
	return 0;
}

static const char *both_wrote(void)
{
	if (left_in(parent) != 1 || left_in(child) != 2)
		return "one sees what the other has written";
	return owners(parent) == 1 && owners(child) == 1 ? NULL : "a page has the wrong owners";
}

/* The two owners write at the same time. */
SCENARIO(both, "share.both", "07.5", "P7.7", .cpus = 2, .bootargs = ALONE, .after = both_wrote,
	 .keeps = true)
{
	stay_on(0);
	parent = new_space(RW);
	put(parent, 7);
	child = fork_of(parent);
	act_on(1, &other, child_writes);
	put(parent, 1);
	end_here();
}

static int parent_writes(void)
{
	put(parent, 2);
	return 0;
}

static const char *one_copy(void)
{
	if (left_in(child) != 7)
		return "the child sees a write of its parent";
	if (owners(parent) != 1 || owners(child) != 1)
		return "a page has the wrong owners";
	return left_in(parent) == 1 || left_in(parent) == 2 ? NULL : "a write is lost";
}

/* Two threads of one space write to a page that the child owns as well. */
SCENARIO(twice, "share.twice", "07.5", "P7.10", .cpus = 2, .bootargs = ALONE, .after = one_copy,
	 .keeps = true)
{
	stay_on(0);
	parent = new_space(RW);
	put(parent, 7);
	child = fork_of(parent);
	act_on(1, &other, parent_writes);
	put(parent, 1);
	end_here();
}

static const char *whole_child(void)
{
	if (left_in(parent) != 2)
		return "a write is lost";
	return left_in(child) == 7 || left_in(child) == 2 ? NULL : "the child has neither value";
}

/* A thread writes while another one forks. */
SCENARIO(meets_fork, "share.meets_fork", "07.5", "P7.10", .cpus = 2, .bootargs = ALONE,
	 .after = whole_child, .keeps = true)
{
	stay_on(0);
	parent = new_space(RW);
	put(parent, 7);
	act_on(1, &other, parent_writes);
	child = fork_of(parent);
	end_here();
}

/* Two regions, and each has a table of its own. */
#define LOWER	PAGE_AT(1)
#define UPPER	PAGE_AT(2)

static int parent_writes_to_both(void)
{
	put_at(parent, LOWER, 1);
	put_at(parent, UPPER, 1);
	put_at(parent, LOWER, 2);
	return 0;
}

/* The child is a picture of one moment: it has no write without all that came before. */
static const char *one_moment(void)
{
	u64 lower = *(u64 *)page_to_virt(page_at(child, LOWER));
	u64 upper = *(u64 *)page_to_virt(page_at(child, UPPER));

	if (lower == 7 && upper != 7)
		return "the child has the second write, and not the first";
	if (lower == 2 && upper == 7)
		return "the child has the third write, and not the second";
	return NULL;
}

/* A thread writes to one region, to another one and to the first again, beside a fork. */
SCENARIO(one_moment, "share.one_moment", "07.5", "P7.10", .cpus = 2, .bootargs = ALONE,
	 .sets_up = true, .after = one_moment, .keeps = true)
{
	struct map_request req = {
		.addr = UPPER, .size = PAGE_SIZE, .fixed = true, .prot = RW | VM_EXEC,
	};
	vaddr_t at;

	stay_on(0);
	parent = new_space_at(LOWER, 1, RW);
	expect(!as_map(parent, &req, &at), "nothing could be mapped");
	put_at(parent, LOWER, 7);
	put_at(parent, UPPER, 7);
	explore_from_here();
	act_on(1, &other, parent_writes_to_both);
	child = fork_of(parent);
	end_here();
}

#define SECOND	(BASE + PAGE_SIZE)

static int write_to_second(void)
{
	return fault_as_its_thread(parent, SECOND);
}

static const char *second_not_writable(void)
{
	return not_writable(parent, SECOND, other.result);
}

/* A thread writes to the second of two shared pages while another one forbids that. */
SCENARIO(meets_protect, "share.meets_protect", "07.5", "P7.10", .cpus = 2, .bootargs = ALONE,
	 .after = second_not_writable, .keeps = true)
{
	stay_on(0);
	parent = new_space_at(BASE, 2, RW);
	put_at(parent, SECOND, 7);
	child = fork_of(parent);
	act_on(1, &other, write_to_second);
	expect(!as_protect(parent, SECOND, PAGE_SIZE, VM_READ, false), "mprotect");
	end_here();
}

/* --- The same entry again --------------------------------------------------------------------- */

static struct addr_space *both_write, *first_child;

static u64 *second_word(struct page *p)
{
	return (u64 *)page_to_virt(p) + 1;
}

/* The child ends, this thread writes in place, and forks: the entry is as it was. */
static int write_and_fork(void)
{
	as_put(first_child);
	fault_until(both_write, BASE, VM_WRITE);
	*second_word(page_of(both_write)) = 9;
	mutex_unlock(&both_write->lock);
	first_child = fork_of(both_write);
	return 0;
}

static const char *both_words(void)
{
	struct page *p = page_of(both_write);

	if (*(u64 *)page_to_virt(p) != 1 || *second_word(p) != 9)
		return wrong("two threads wrote 1 and 9 to a page, and it has %lu and %lu",
			     *(u64 *)page_to_virt(p), *second_word(p));
	return NULL;
}

SCENARIO(same_entry, "share.same_entry", "07.5", "P7.10", .cpus = 2, .bootargs = ALONE,
	 .after = both_words, .keeps = true, .sets_up = true)
{
	stay_on(0);
	both_write = new_space(RW);
	put(both_write, 0);
	first_child = fork_of(both_write);
	act_on(1, &other, write_and_fork);
	explore_from_here();
	put(both_write, 1);
	end_here();
}
