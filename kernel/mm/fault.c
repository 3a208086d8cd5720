/*
 * Page faults: the region that holds the address says what a missing or insufficient entry means.
 *
 *	no region		a stack that may grow, or an error
 *	region without the right	an error, whatever the entry says
 *	no page yet		zeros, or the file's page, or a copy of it
 *	page without the right	copy on write (cow.c)
 *	page with the right	another thread was faster, or the TLB's entry is old: only forget it
 *
 * The kernel's own accesses to user memory come here too (fault_kernel()), so they obey the same
 * rules. Faults are resolved under as->lock: when two threads fault on one page, the second finds
 * the page that the first has mapped.
 *
 *  FAULT1  A fault counts as resolved only if the access can now succeed: otherwise the thread
 *          would fault on it for ever.
 *  FAULT2  A stack grows only by a fault of a thread that runs on the space, so the limits of the
 *          current process are the right ones. as_pin_page(), which reaches other spaces too, takes
 *          an address below a stack for unmapped, as Linux does.
 */
#include "space.h"

#include "base/counters.h"
#include "base/panic.h"
#include "base/string.h"
#include "base/trace.h"
#include "errno.h"
#include "fs/vfs.h"
#include "process/process.h"
#include "sched/cpu.h"

/* Makes the stack above @va reach down to it; false if there is none or it may not. */
static bool grow_stack(struct addr_space *as, vaddr_t va) HOLDS(as->lock)
{
	struct region *r = region_above(as, va), *below;
	u64 limit = current_process()->limits[RLIMIT_STACK].cur;

	/* LAB 07-vm: may the region above grow down to va? */
	if (!r || r->start <= va || !(r->flags & REGION_STACK) || va < MMAP_MIN ||
	    r->end - va > limit)
		return false;
	below = region_prev(r);
	if (below && va - below->end < STACK_GAP)
		return false;
	/* END LAB */
	assert(as == current_thread()->as);	/* FAULT2 */
	if (as_over_limit(as, (r->start - va) / PAGE_SIZE) ||
	    (r->flags & REGION_LOCKED && as_over_lock_limit(as, (r->start - va) / PAGE_SIZE)))
		return false;
	region_resize(as, r, va, r->end);
	return true;
}

/* Finds the page for @offset in @r, which a file backs; NULL in *out: a hole, which is zeros. */
static int file_page(struct region *r, u64 offset, unsigned access, struct page **out)
{
	u64 in_file = MIN(r->file_size - offset, PAGE_SIZE);
	bool shared = r->flags & REGION_SHARED;
	struct page *p;
	int err = r->inode->ops->get_page(r->inode, (r->offset + offset) / PAGE_SIZE, shared, out);

	if (err)
		return err == -ENOMEM ? err : -EIO;
	p = *out;
	if (shared && access & VM_WRITE)
		r->inode->backing->written(r->inode);
	/* LAB 07-vm: the file's own page, or a copy of it */
	if (!p || shared || (in_file == PAGE_SIZE && !(access & VM_WRITE)))
		return 0;
	/* It will be written, or the file's part ends inside it: make a copy, zeros at its end. */
	*out = page_alloc(0, 0);
	if (*out) {
		memcpy(page_to_virt(*out), page_to_virt(p), in_file);
		memset((char *)page_to_virt(*out) + in_file, 0, PAGE_SIZE - in_file);
	}
	page_put(p);
	/* END LAB */
	return *out ? 0 : -ENOMEM;
}

/* Gives page @va of @r, whose entry @e is empty, its first contents. */
static int first_touch(struct addr_space *as, struct region *r, vaddr_t va, unsigned access,
		       pte_t *e)
{
	u64 offset = va - r->start;
	struct page *p = NULL;
	int err = 0;

	if (r->inode && offset < r->file_size)
		err = file_page(r, offset, access, &p);
	if (err)
		return err;
	/* LAB 07-vm: find a page if no file had one, and map it */
	if (!p)
		p = page_alloc(0, PAGE_ZERO);
	if (!p)
		return -ENOMEM;
	pte_set(e, cow_pte(r, p));
	as_count_pages(as, 1);
	/* END LAB */
	return 0;
}

int fault_resolve(struct addr_space *as, vaddr_t addr, unsigned access)
{
	vaddr_t va = ALIGN_DOWN(addr, PAGE_SIZE);
	struct region *r = region_find(as, va);
	pte_t *e;

	/* LAB 07-vm: is it an error, a first touch, a write to a shared page, or over already? */
	if (!r || access & ~r->prot)
		return -EFAULT;
	e = pt_walk(as->root, va, true);
	if (!e)
		return -ENOMEM;
	if (!*e)
		return first_touch(as, r, va, access, e);
	if (access & ~pte_prot(*e))
		return cow_write(as, r, va, e);
	/* END LAB */
	arch_tlb_flush_all();	/* a table may be new as well */
	return 0;
}

int as_fault(struct addr_space *as, vaddr_t addr, unsigned access)
{
	int err;

	/* LAB 07-vm: resolve it under the lock; a stack may have to grow first */
	mutex_lock(&as->lock);
	err = fault_resolve(as, addr, access);
	if (err == -EFAULT && grow_stack(as, ALIGN_DOWN(addr, PAGE_SIZE)))
		err = fault_resolve(as, addr, access);
	mutex_unlock(&as->lock);
	/* END LAB */
	return err;
}

int fault_handle(vaddr_t addr, unsigned access)
{
	trace(TRACE_FAULT, TRACE_EV_FAULT, addr, access);
	event_count(EVENT_FAULTS);
	atomic_fetch_add_explicit(&current_process()->minor_faults, 1, memory_order_relaxed);
	return as_fault(current_thread()->as, addr, access);
}

const char *fault_reason(struct addr_space *as, vaddr_t addr, int err, bool *mapped)
{
	const char *reason = "not allowed there";
	struct region *above;

	mutex_lock(&as->lock);
	above = region_above(as, addr);
	*mapped = above && above->start <= addr;
	if (!above || above->start > addr)
		reason = "nothing is mapped there";
	if (above && above->flags & REGION_STACK && above->start - addr - 1 < STACK_GAP)
		reason = "the stack may not grow to it";
	mutex_unlock(&as->lock);
	return err == -EIO ? "beyond the end of the file" : reason;
}

const char *fault_access_name(unsigned access)
{
	return access & VM_EXEC ? "executing" : access & VM_WRITE ? "writing to" : "reading";
}

/* Returns where the port's user copy that @pc is in goes on after a fault; 0 if it is in none. */
static u64 find_fixup(u64 pc)
{
	for (const struct extable_entry *e = __extable_start; e < __extable_end; e++)
		if (pc >= e->from && pc < e->to)
			return e->fixup;
	return 0;
}

/* Only the port's user copies may touch user memory: any other fault is a bug in the kernel. */
void fault_kernel(struct trapframe *tf, vaddr_t addr, unsigned access)
{
	struct thread *t = current_thread();
	u64 fixup = find_fixup(arch_trap_pc(tf));

	if (!fixup)
		panic_trap(tf, "page fault: %s 0x%lx", fault_access_name(access), addr);
	/* LAB 07-vm: resolve the fault, and let the copy go on, where that is possible */
	/* Resolving a fault may sleep: a copy that must not, as in peek_user32(), just ends. */
	if (t->as && addr < ARCH_USER_END && !t->preempt_depth && arch_irqs_enabled()) {
		assert(!mutex_held(&t->as->lock));
		if (fault_handle(addr, access) == 0)
			return;
	}
	/* END LAB */
	arch_trap_set_pc(tf, fixup);
}

struct page *as_pin_page(struct addr_space *as, vaddr_t addr, unsigned access, int *err)
{
	struct page *p = NULL;
	pte_t *e;

	mutex_lock(&as->lock);
	*err = 0;
	/* LAB 07-vm: the page's entry, once it allows the access; else the error */
	e = user_range_ok(addr, 1) ? pt_walk(as->root, addr, false) : NULL;
	if (!e || access & ~pte_prot(*e)) {
		*err = fault_resolve(as, addr, access);
		e = *err ? NULL : pt_walk(as->root, addr, false);
	}
	/* END LAB */
	if (e)
		p = page_get(pte_page(*e));
	mutex_unlock(&as->lock);
	return p;
}
