/*
 * TLBs, and the shootdown, which is that of x86_64: see there. No page table: scenarios have words
 * of their own for entries, and this caches them.
 *
 * This file is explored like the kernel's: a CPU may pause in the middle of it.
 */
#include "tlb.h"

#include "pages.h"
#include "port.h"
#include "sched/cpu.h"

struct page host_pages[HOST_PAGES] = { { .refs = 1 }, { .refs = 1 }, { .refs = 1 }, { .refs = 1 } };

static _Atomic bool freed[HOST_PAGES];
static u64 tlbs[HOST_CPUS][HOST_PAGES];		/* [self] */
static unsigned served[HOST_CPUS];		/* [self] */

static struct request {
	vaddr_t start, end;			/* [sender] constant while pending */
	_Atomic u32 pending;			/* CPUs that have not flushed yet */
} requests[HOST_CPUS];

/* Other scenarios' pages are never freed. */
void page_put(struct page *p)
{
	if (host_memory_put(p) || p < host_pages || p >= host_pages + HOST_PAGES)
		return;
	if (atomic_fetch_sub(&p->refs, 1) != 1)
		explore_fail("a page is freed twice");
	atomic_store(&freed[p - host_pages], true);
}

bool host_page_freed(unsigned i)
{
	return atomic_load(&freed[i]);
}

/* --- The TLB ---------------------------------------------------------------------------------- */

u64 host_tlb(unsigned i)
{
	return tlbs[vcpu][i];
}

u64 host_tlb_of(unsigned cpu, unsigned i)
{
	return tlbs[cpu][i];
}

u64 host_tlb_access(unsigned i, const _Atomic u64 *entry)
{
	u64 walked;

	if (!host_tlb(i)) {
		walked = atomic_load(entry);	/* pauses before it, and then caches at once */
		tlbs[vcpu][i] = walked;
	}
	return host_tlb(i);
}

/*
 * A thread that can lose its CPU may be on another one when it flushes, or after that. The explorer
 * is told, since there is no access that it could see: no CPU reads another one's TLB.
 */
static void may_be_moved_here(void)
{
	if (arch_irqs_enabled() && !current_thread()->preempt_depth)
		explore_point();
}

void host_tlb_flush_page(vaddr_t va)
{
	u64 i = (va - HOST_VA(0)) / PAGE_SIZE;

	may_be_moved_here();
	if (va >= HOST_VA(0) && i < HOST_PAGES)
		tlbs[vcpu][i] = 0;
	may_be_moved_here();
}

void host_tlb_flush_all(void)
{
	may_be_moved_here();
	for (unsigned i = 0; i < HOST_PAGES; i++)
		tlbs[vcpu][i] = 0;
	may_be_moved_here();
}

void host_space_load(struct addr_space *as)
{
	struct cpu *c = thread_cpu(current_thread());
	struct addr_space *old = c->as;

	if (as)
		atomic_fetch_or(&as->cpus, BIT(c->id));
	host_tlb_flush_all();
	c->as = as;
	if (old)
		atomic_fetch_and(&old->cpus, ~BIT(c->id));
}

/* --- Shootdown -------------------------------------------------------------------------------- */

void host_shootdown_serve(void)
{
	u32 me = BIT(vcpu);

	for (unsigned i = 0; i < nr_cpus; i++) {
		struct request *r = &requests[i];

		if (!(atomic_load_explicit(&r->pending, memory_order_acquire) & me))
			continue;
		tlb_flush_here(r->start, r->end);
		served[vcpu]++;
		atomic_fetch_and_explicit(&r->pending, ~me, memory_order_release);
	}
}

void arch_tlb_shootdown(u32 set, vaddr_t start, vaddr_t end)
{
	struct request *r = &requests[vcpu];

	if (!arch_irqs_enabled() || !current_thread()->preempt_depth)
		explore_fail("a shootdown with interrupts off, or with preemption on");
	if (set & BIT(vcpu))
		explore_fail("CPU %u asks itself to flush, and waits for the answer", vcpu);
	r->start = start;
	r->end = end;
	atomic_store_explicit(&r->pending, set, memory_order_release);
	for (unsigned i = 0; i < nr_cpus; i++)
		if (set & BIT(i))
			host_interrupt_for_shootdown(i);
	while (atomic_load_explicit(&r->pending, memory_order_acquire))
		arch_spin_hint();
}

unsigned host_shootdowns(unsigned cpu)
{
	return served[cpu];
}
