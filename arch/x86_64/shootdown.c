/*
 * TLB shootdown: dropping translations on other CPUs, and waiting until they are dropped.
 *
 * Each CPU has one request, which it fills and announces to the others by an interrupt; they flush
 * and take their bit out of the pending set. The sender waits with interrupts on, so it serves
 * other requests meanwhile, and two CPUs that wait for each other do not deadlock.
 *
 *  XSHOOTDOWN1  Only one thread at a time uses a CPU's request: it has preemption off, and no
 *               interrupt handler sends requests.
 *
 * start and end are written before pending (release) and read after it (acquire). A CPU takes its
 * bit out after it has flushed (release; pairs with the sender's last load).
 */
#include "arch.h"
#include "base/panic.h"
#include "mm/mm.h"
#include "port.h"
#include "sched/cpu.h"
#include "thread/thread.h"

struct request {
	vaddr_t start, end;		/* [sender] while pending is 0, else constant */
	_Atomic u32 pending;		/* [atomic] CPUs that have not flushed yet */
} __attribute__((aligned(ARCH_CACHE_LINE)));

static struct request requests[MAX_CPUS];

/*
 * Looks at the requests of all CPUs: one interrupt may stand for several requests, and a request
 * may have been served by an earlier interrupt.
 */
void shootdown_serve(void)
{
	u32 me = BIT(this_cpu()->id);

	for (unsigned i = 0; i < nr_cpus; i++) {
		struct request *r = &requests[i];

		if (!(atomic_load_explicit(&r->pending, memory_order_acquire) & me))
			continue;
		tlb_flush_here(r->start, r->end);
		atomic_fetch_and_explicit(&r->pending, ~me, memory_order_release);
	}
}

void arch_tlb_shootdown(u32 set, vaddr_t start, vaddr_t end)
{
	struct request *r = &requests[this_cpu()->id];

	assert(arch_irqs_enabled() && current_thread()->preempt_depth > 0);
	assert(atomic_load(&r->pending) == 0);		/* XSHOOTDOWN1 */
	r->start = start;
	r->end = end;
	atomic_store_explicit(&r->pending, set, memory_order_release);
	for (unsigned i = 0; i < nr_cpus; i++)
		if (set & BIT(i))
			lapic_send(cpus[i].hwid, VEC_SHOOTDOWN);
	while (atomic_load_explicit(&r->pending, memory_order_acquire))
		arch_spin_hint();
}
