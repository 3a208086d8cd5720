/* Lab 07, hidden: three meet on one page: owners that write, a fork, an end, and a lost right. */
#include "spaces.h"

static struct addr_space *parent, *child, *third;
static struct actor other, another;

/* --- Three owners ----------------------------------------------------------------------------- */

static int pages;			/* of memory, that the two need before they write */

static int child_writes(void)
{
	put(child, 2);
	return 0;
}

static int third_ends(void)
{
	as_put(third);
	return 0;
}

static const char *both_alone(void)
{
	if (left_in(parent) != 1 || left_in(child) != 2)
		return wrong("the parent has %lu, the child %lu", left_in(parent), left_in(child));
	if (owners(parent) != 1 || owners(child) != 1)
		return "a page has the wrong owners";
	if (host_memory_in_use() != pages + 1)
		return wrong("they have shared a page, and have %d more instead of 1",
			     host_memory_in_use() - pages);
	return NULL;
}

/* Of three owners two write, and the last one ends. */
SCENARIO(owners, "share.two_write_one_ends", "07.h", "P7.7", .cpus = 2, .bootargs = ALONE,
	 .after = both_alone, .keeps = true)
{
	stay_on(0);
	parent = new_space(RW);
	put(parent, 7);
	child = fork_of(parent);
	pages = host_memory_in_use();
	third = fork_of(child);
	act_on(1, &other, child_writes);
	act_on(1, &another, third_ends);
	put(parent, 1);
	end_here();
}

/* --- Two writes and a fork -------------------------------------------------------------------- */

static int parent_writes(void)
{
	put(parent, 2);
	return 0;
}

static int fork_parent(void)
{
	third = fork_of(parent);
	return 0;
}

/* Each of the three that has the page of @as owns it, and nobody else does. */
static bool owned_by_those(struct addr_space *as)
{
	const struct page *p = page_of(as);
	unsigned n = (p == page_of(parent)) + (p == page_of(child)) + (p == page_of(third));

	return owners(as) == n;
}

static const char *no_write_lost(void)
{
	u64 in_parent = left_in(parent), in_third = left_in(third);

	if (left_in(child) != 7)
		return wrong("the child has %lu, which another has written", left_in(child));
	if (in_parent != 1 && in_parent != 2)
		return wrong("two threads have written, and the page has %lu", in_parent);
	if (in_third != 7 && in_third != 1 && in_third != 2)
		return wrong("the second child has %lu", in_third);
	if (page_of(parent) == page_of(child))
		return "a page was written that a child shares";
	return owned_by_those(parent) && owned_by_those(child) && owned_by_those(third)
		       ? NULL
		       : "a page has the wrong owners";
}

/* Two threads of a space write to a page that a child shares, and a third one forks. */
SCENARIO(writes, "share.two_write_one_forks", "07.h", "P7.10", .cpus = 2, .bootargs = ALONE,
	 .after = no_write_lost, .keeps = true)
{
	stay_on(0);
	parent = new_space(RW);
	put(parent, 7);
	child = fork_of(parent);
	act_on(1, &other, parent_writes);
	act_on(1, &another, fork_parent);
	put(parent, 1);
	end_here();
}
