/* Lab 07, step 6: a page that the kernel has pinned, while the threads of its space fault. */
#include "spaces.h"

static struct addr_space *space;
static struct actor other;
static struct page *pinned;

/* The fault of a write, which its CPU may have begun when no page was there yet. */
static int fault(void)
{
	return as_fault(space, BASE, VM_WRITE);
}

static const char *page_stays(void)
{
	if (other.result)
		return wrong("a fault gives %d", other.result);
	if (page_of(space) != pinned || owners(space) != 1)
		return "a page that may be written was replaced while it was pinned";
	return left_in(space) == 2 ? NULL : "what was written by way of a pin is lost";
}

/*
 * A pin is one more reference to a page, and no owner to copy it for: the second fault on it finds
 * the right there, and leaves the page in its place.
 */
SCENARIO(pinned, "share.pinned", "07.6", "P7.10", .cpus = 2, .bootargs = ALONE,
	 .after = page_stays, .keeps = true)
{
	int err;

	stay_on(0);
	space = new_space(RW);
	act_on(1, &other, fault);
	pinned = as_pin_page(space, BASE, VM_WRITE, &err);
	expect(pinned, "a pin gives %d", err);
	*(u64 *)page_to_virt(pinned) = 2;
	page_put(pinned);
	end_here();
}

/* --- A mapping that takes the region's place -------------------------------------------------- */

/* Nobody may write there any more, and a page of the new mapping is read. */
static int map_and_read(void)
{
	struct map_request req = {
		.addr = BASE, .size = PAGE_SIZE, .fixed = true, .prot = VM_READ,
	};
	vaddr_t at;

	expect(!as_map(space, &req, &at), "nothing could be mapped");
	return as_fault(space, BASE, VM_READ);
}

static const char *never_the_new_page(void)
{
	if (other.result)
		return wrong("a read gives %d", other.result);
	return pinned && pinned == page_of(space)
		       ? "a page that may only be read was pinned for a write"
		       : NULL;
}

/* A pin for a write gets the page of the mapping that was there before, or none. */
SCENARIO(against_map, "pin.against_map", "07.6", "P7.11", .cpus = 2, .bootargs = ALONE,
	 .after = never_the_new_page, .keeps = true)
{
	int err;

	stay_on(0);
	space = new_space(RW);
	act_on(1, &other, map_and_read);
	pinned = as_pin_page(space, BASE, VM_WRITE, &err);
	expect(pinned ? !err : err == -EFAULT, "a pin of %p gives %d", (void *)pinned, err);
	end_here();
}

/* --- A page that is unmapped meanwhile -------------------------------------------------------- */

static int unmap(void)
{
	return as_unmap(space, BASE, PAGE_SIZE);
}

/* A pin gets the page before it is unmapped, and keeps it, or finds that nothing is there. */
SCENARIO(against_unmap, "pin.against_unmap", "07.6", "P7.10", .cpus = 2, .bootargs = ALONE,
	 .keeps = true)
{
	int err;

	stay_on(0);
	space = new_space(RW);
	put(space, 7);
	act_on(1, &other, unmap);
	pinned = as_pin_page(space, BASE, VM_READ, &err);
	expect(pinned ? !err : err == -EFAULT, "a pin of %p gives %d", (void *)pinned, err);
	expect(!pinned || *(u64 *)page_to_virt(pinned) == 7, "a pin gets another page");
	if (pinned)
		page_put(pinned);
	end_here();
}
