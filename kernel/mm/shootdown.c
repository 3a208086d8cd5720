/*
 * TLB consistency: when a call returns no CPU uses a translation that it has taken out of the page
 * table, and no page is freed while a CPU could still reach it.
 *
 *  SHOOTDOWN1  An entry is changed first, then flushed, then the page is freed: in any other order
 *              a CPU could still reach the page when it has a new owner.
 *  SHOOTDOWN2  The set of CPUs is read after the entry is changed, and a CPU joins it before it
 *              loads the root (as_switch()). So a CPU is either in the set, or walks the changed
 *              table:
 *
 *		this CPU			another CPU
 *		*entry = 0			as->cpus |= bit
 *		fence				load root (orders)
 *		read as->cpus			walk reads *entry
 *
 * If only this CPU may hold a translation, the others are not interrupted. Pages collect in a
 * batch, so that one flush serves many. A freed table needs a flush of everything: a CPU may cache
 * entries above the leaves.
 */
#include "space.h"

#include "base/counters.h"
#include "base/panic.h"
#include "base/trace.h"
#include "page.h"
#include "sched/cpu.h"

/* Above this many pages, dropping all translations costs less than dropping them one by one. */
#define LOCAL_PAGES	16

void tlb_flush_here(vaddr_t start, vaddr_t end)
{
	if (end - start > LOCAL_PAGES * PAGE_SIZE)
		arch_tlb_flush_all();
	else
		for (vaddr_t va = start; va < end; va += PAGE_SIZE)
			arch_tlb_flush_page(va);
}

/*
 * Interrupts the CPUs @others and returns when each has dropped its translations of [start, end).
 * Preemption is off. Interrupts are on and no spin lock is held: one of the others may be waiting
 * for this CPU at the same time.
 */
static void flush_others(u32 others, vaddr_t start, vaddr_t end)
{
	assert(!(others & BIT(this_cpu()->id)) && arch_irqs_enabled());
	event_count(EVENT_SHOOTDOWNS);
	trace(TRACE_FAULT, TRACE_EV_SHOOTDOWN, start, others);
	arch_tlb_shootdown(others, start, end);
}

void tlb_flush_on(u32 set, vaddr_t start, vaddr_t end)
{
	u32 here, others;

	/* LAB 08-smp: drop the translations on each CPU of set, of which this one may be one */
	preempt_off();
	here = BIT(this_cpu()->id);
	others = set & ~here;
	if (set & here)
		tlb_flush_here(start, end);
	if (others)
		flush_others(others, start, end);
	preempt_on();
	/* END LAB */
}

/* A CPU that joins the set after it was read has cached nothing of the old table. */
void tlb_flush_range(struct addr_space *as, vaddr_t start, vaddr_t end)
{
	/* LAB 08-smp: drop the translations on each CPU that may have one of this space */
	atomic_thread_fence(memory_order_seq_cst);	/* SHOOTDOWN2; pairs with as_switch() */
	tlb_flush_on(atomic_load(&as->cpus), start, end);
	/* END LAB */
}

void tlb_batch_init(struct tlb_batch *b, struct addr_space *as)
{
	b->as = as;
	b->start = ~0UL;
	b->end = 0;
	b->n = 0;
}

void tlb_batch_range(struct tlb_batch *b, vaddr_t start, vaddr_t end)
{
	/* LAB 08-smp: make the batch's range cover [start, end) too */
	b->start = MIN(b->start, start);
	b->end = MAX(b->end, end);
	/* END LAB */
}

static void add_page(struct tlb_batch *b, struct page *p)
{
	/* LAB 08-smp: keep p until the flush, and make room before the batch is full */
	b->pages[b->n++] = p;
	if (b->n == BATCH_PAGES)
		tlb_batch_flush(b);
	/* END LAB */
}

void tlb_batch_page(struct tlb_batch *b, vaddr_t va, struct page *p)
{
	tlb_batch_range(b, va, va + PAGE_SIZE);
	add_page(b, p);
}

void tlb_batch_table(struct tlb_batch *b, struct page *p)
{
	phys_to_page(b->as->root)->tables--;
	counter_add(COUNT_TABLE_PAGES, -1);
	tlb_batch_range(b, 0, ARCH_USER_END);
	p->flags |= PAGE_ZEROED;
	add_page(b, p);
}

void tlb_batch_flush(struct tlb_batch *b)
{
	/* LAB 08-smp: flush what has changed, if anything has, free the pages, and begin anew */
	if (b->start < b->end)
		tlb_flush_range(b->as, b->start, b->end);
	for (unsigned i = 0; i < b->n; i++)
		page_put(b->pages[i]);
	tlb_batch_init(b, b->as);
	/* END LAB */
}
