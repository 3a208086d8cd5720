/* Step 6: the kernel's own accesses to user memory, and pages that it pins. */
#include "file.h"

#include "lock/spinlock.h"

/*
 * A thread that has a signal, or is to die, goes on in the kernel until it leaves it, and copies
 * and pins there as ever: even at its end, for those who share memory with it.
 */
static void check_called(u32 call, const char *what)
{
	struct addr_space *as = new_space();
	struct thread *t = current_thread();
	int read, written, pinned = 0;
	struct page *p;
	u64 value = 1;

	map_at(as, BASE, 3, RW, 0);
	use_space(as);
	atomic_fetch_or(&t->work, call);
	read = copy_from_user(&value, BASE, sizeof(value));
	written = copy_to_user(PAGE_AT(1), &value, sizeof(value));
	p = as_pin_page(as, PAGE_AT(2), VM_WRITE, &pinned);
	atomic_fetch_and(&t->work, ~call);
	CHECK(!read && !written && p, "P7.11", "%s: a read gives %d, a write %d, a pin %d", what,
	      read, written, pinned);
	if (p)
		page_put(p);
	use_space(NULL);
	as_put(as);
}

KTEST(kernel_copies, "kernel.copies", "07.6", "P7.11")
{
	struct addr_space *as = new_space(), *child;
	u64 value = 7, seen = 1;
	int err;

	map_at(as, BASE, 4, RW, 0);
	map_at(as, PAGE_AT(4), 1, VM_READ, 0);
	use_space(as);
	err = copy_from_user(&seen, PAGE_AT(3), 8);
	CHECK(err == 0 && seen == 0, "P7.11", "a read of an absent page: error %d, it reads %lu",
	      err, seen);
	err = copy_to_user(PAGE_AT(1) - 4, &value, 8);
	CHECK(err == 0, "P7.11", "a write across two absent pages: error %d", err);
	child = fork_of(as);
	value = 8;
	err = copy_to_user(PAGE_AT(1) - 4, &value, 8);
	CHECK(err == 0, "P7.11", "a write across two shared pages: error %d", err);
	use_space(child);
	err = copy_from_user(&seen, PAGE_AT(1) - 4, 8);
	CHECK(err == 0 && seen == 7, "P7.11",
	      "the kernel wrote for the parent, and the child reads %lu, not 7", seen);
	CHECK(copy_to_user(PAGE_AT(4), &value, 8) == -EFAULT, "P7.11",
	      "the kernel writes to read-only memory");
	CHECK(copy_to_user(PAGE_AT(5) - 4, &value, 8) == -EFAULT, "P7.11",
	      "the kernel writes past the end of a mapping");
	CHECK(copy_to_user(8, &value, 8) == -EFAULT, "P7.11",
	      "the kernel writes to a null pointer");
	map_at(child, ARCH_USER_END - PAGE_SIZE, 1, RW, 0);
	err = copy_to_user(ARCH_USER_END - 8, &value, 8);
	CHECK(err == 0, "P7.11", "a write to the last word of user space: error %d", err);
	CHECK(copy_to_user(ARCH_USER_END - 4, &value, 8) == -EFAULT, "P7.11",
	      "the kernel writes past the end of user space");
	use_space(NULL);
	as_put(as);
	as_put(child);
	check_called(WORK_SIGNAL, "a thread that has a signal");
	check_called(WORK_KILL, "a thread that is to die");
}

/* A fault that cannot be resolved for another reason ends the copy, too. */
KTEST(kernel_fails, "kernel.fails", "07.6", "P7.11")
{
	struct addr_space *as = new_space();
	u8 seen;	/* of more, a port may try the rest again, byte by byte */
	int err;

	file_make();
	map_file(as, BASE, RW, 0, FILE_PAGES * PAGE_SIZE);
	map_at(as, PAGE_AT(600), 1, RW, 0);
	use_space(as);
	oom_arm(1, current_thread());
	err = copy_from_user(&seen, PAGE_AT(600), 1);
	oom_arm(0, NULL);
	CHECK(err == -EFAULT, "P7.11", "a copy from a page for which there is no memory: error %d",
	      err);
	file_error = -EFAULT;
	err = copy_from_user(&seen, BASE, 1);
	CHECK(err == -EFAULT, "P7.11", "a copy from behind the end of a file: error %d", err);
	use_space(NULL);
	as_put(as);
	file_drop();
}

/* A stack grows under the kernel's feet as it does under the program's. */
KTEST(kernel_stack, "kernel.stack", "07.6", "P7.11")
{
	struct addr_space *as = new_space();
	u64 value = 7;
	int err;

	map_at(as, PAGE_AT(1000), 1, RW, REGION_STACK);
	use_space(as);
	err = copy_to_user(PAGE_AT(990), &value, 8);
	CHECK(err == 0 && as->total_pages == 11, "P7.11",
	      "a copy to below a stack: error %d, the stack has %lu pages, not 11", err,
	      as->total_pages);
	use_space(NULL);
	as_put(as);
}

/* Where a thread may not sleep, or has no space, an absent page ends the copy. */
KTEST(kernel_no_sleep, "kernel.no_sleep", "07.6", "P7.11")
{
	struct addr_space *as = new_space();
	u64 seen = 1;
	u32 word = 1;
	int err;

	map_at(as, BASE, 4, RW, 0);
	use_space(as);
	preempt_off();
	err = copy_from_user(&seen, BASE, 8);
	preempt_on();
	CHECK(err == -EFAULT && as->resident == 0, "P7.11",
	      "with preemption off an absent page was brought in: error %d", err);
	irq_off();
	err = copy_from_user(&seen, BASE, 8);
	irq_on();
	CHECK(err == -EFAULT && as->resident == 0, "P7.11",
	      "with interrupts off an absent page was brought in: error %d", err);
	arch_irqs_disable();	/* as in a handler: nobody has counted it */
	err = copy_from_user(&seen, BASE, 8);
	arch_irqs_enable();
	CHECK(err == -EFAULT && as->resident == 0, "P7.11",
	      "as in a handler, an absent page was brought in: error %d", err);
	CHECK(peek_user32(&word, BASE) == -EFAULT, "P7.11", "a peek at an absent page");
	CHECK(copy_from_user(&seen, BASE, 8) == 0 && seen == 0, "P7.11", "a copy that may sleep");
	CHECK(peek_user32(&word, BASE) == 0 && word == 0, "P7.11",
	      "a peek at a page that is there");
	use_space(NULL);
	CHECK(copy_from_user(&seen, BASE, 8) == -EFAULT, "P7.11",
	      "a thread without a space reads user memory");
	as_put(as);
}

/* --- Pins ------------------------------------------------------------------------------------- */

static void check_pin(struct addr_space *as, vaddr_t va, unsigned access, int expected)
{
	int err = 1;
	u64 tables = as_tables(as);
	struct page *p = as_pin_page(as, va, access, &err);

	CHECK(expected != -EFAULT || as_tables(as) == tables, "P7.11",
	      "a pin of 0x%lx is refused, and has made tables", va);
	CHECK(err == expected && !p == !!expected, "P7.11",
	      "a pin of 0x%lx, for %s it: error %d, not %d", va,
	      fault_access_name(access), err, expected);
	if (!p)
		return;
	CHECK(page_at(as, va) == p, "P7.11", "a pin of 0x%lx is not of the page that is there", va);
	CHECK(!(access & ~rights_at(as, va)), "P7.11",
	      "0x%lx was pinned for an access that its entry does not allow", va);
	page_put(p);
}

/*
 * Addresses that are no user's, though the bits that choose entries lead to the page of @va, or to
 * the kernel's stack.
 */
static void check_aliases(struct addr_space *as, vaddr_t va)
{
	u64 span = 1UL << pt_shift(ARCH_PT_LEVELS);

	check_pin(as, va + span, VM_READ, -EFAULT);
	check_pin(as, va - span, VM_READ, -EFAULT);
	check_pin(as, va + (1UL << 63), VM_WRITE, -EFAULT);
	check_pin(as, (vaddr_t)__builtin_frame_address(0) % span, VM_READ, -EFAULT);
}

/* Into any space: the current thread mostly runs on none. */
KTEST(kernel_pins, "kernel.pins", "07.6", "P7.11")
{
	struct addr_space *as = new_space(), *child;
	struct page *p;
	int err;

	map_at(as, BASE, 4, RW, 0);
	map_at(as, PAGE_AT(4), 1, VM_READ, 0);
	map_at(as, PAGE_AT(5), 1, 0, 0);
	map_at(as, PAGE_AT(1000), 1, RW, REGION_STACK);
	check_pin(as, PAGE_AT(1) + 17, VM_READ, 0);
	check_pin(as, PAGE_AT(2), VM_WRITE, 0);
	check_pin(as, PAGE_AT(2), VM_EXEC, -EFAULT);
	check_pin(as, PAGE_AT(4), VM_READ, 0);
	check_pin(as, PAGE_AT(4), VM_WRITE, -EFAULT);
	check_pin(as, PAGE_AT(5), VM_READ, -EFAULT);
	check_pin(as, PAGE_AT(6), VM_READ, -EFAULT);
	/* and where a page is, to which all access is forbidden for a while */
	check_pin(as, PAGE_AT(3), VM_WRITE, 0);
	CHECK(as_protect(as, PAGE_AT(3), PAGE_SIZE, 0, false) == 0, "P7.11", "mprotect");
	check_pin(as, PAGE_AT(3), VM_READ, -EFAULT);
	check_pin(as, PAGE_AT(3), VM_WRITE, -EFAULT);
	check_pin(as, PAGE_AT(999), VM_WRITE, -EFAULT);
	use_space(as);		/* nor may it grow for the thread whose stack it is */
	check_pin(as, PAGE_AT(999), VM_WRITE, -EFAULT);
	use_space(NULL);
	check_pin(as, BASE + (1UL << 32), VM_READ, -EFAULT);	/* no table is near */
	map_at(as, ARCH_USER_END - PAGE_SIZE, 1, RW, 0);
	check_pin(as, ARCH_USER_END - 8, VM_WRITE, 0);
	check_pin(as, ARCH_USER_END, VM_READ, -EFAULT);
	p = as_pin_page(as, (vaddr_t)__builtin_frame_address(0), VM_WRITE, &err);
	CHECK(!p && err == -EFAULT, "P7.11",
	      "a pin of the kernel's own stack for a write: error %d, not -EFAULT", err);
	if (p)
		page_put(p);
	check_pin(as, ARCH_DIRECT_BASE, VM_WRITE, -EFAULT);
	check_aliases(as, PAGE_AT(2));
	CHECK(as->total_pages == 8, "P7.11", "a pin has made a stack grow");
	p = as_pin_page(as, PAGE_AT(2), VM_READ, &err);
	CHECK(owners(p) == 2, "P7.11", "a page that is mapped and pinned has %u references",
	      owners(p));
	if (p)
		page_put(p);
	CHECK(store(as, PAGE_AT(2), 9) == 0, "P7.11", "a write");
	child = fork_of(as);
	check_pin(child, PAGE_AT(2), VM_READ, 0);
	CHECK(page_at(child, PAGE_AT(2)) == page_at(as, PAGE_AT(2)), "P7.11",
	      "a pin for a read has made a copy");
	check_pin(child, PAGE_AT(2), VM_WRITE, 0);
	CHECK(page_at(child, PAGE_AT(2)) != page_at(as, PAGE_AT(2)) &&
	      owners(page_at(as, PAGE_AT(2))) == 1, "P7.11",
	      "a pin for a write has pinned a page that others share");
	as_put(child);
	as_put(as);
	as = new_space();
	file_make();
	map_file(as, BASE, RW, 0, FILE_PAGES * PAGE_SIZE);
	file_error = -EFAULT;
	check_pin(as, BASE, VM_READ, -EIO);
	as_put(as);
	file_drop();
}
