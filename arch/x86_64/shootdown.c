/*
 * TLB shootdown: dropping translations on other CPUs, and knowing that they have.
 *
 * Each CPU has one request of its own, which it fills and sends to the others by an interrupt; they
 * flush and take their bit out of the pending set. The asker waits with interrupts on, so it serves
 * the others' requests meanwhile and two that wait for each other do not deadlock.
 *
 *  XSHOOTDOWN1  A request belongs to the thread that has preemption off on its CPU; no handler
 *               makes requests.
 *  XSHOOTDOWN2  start and end are written before pending (release), and read after it (acquire).
 *  XSHOOTDOWN3  Who takes its bit out has flushed before (release; pairs with the asker's last
 *               load).
 */
#include "arch.h"
#include "base/panic.h"
#include "mm/mm.h"
#include "port.h"
#include "sched/cpu.h"

struct request {
	vaddr_t start, end;		/* XSHOOTDOWN2 */
	_Atomic u32 pending;		/* [atomic] CPUs that have still to answer */
} __attribute__((aligned(ARCH_CACHE_LINE)));

static struct request requests[MAX_CPUS];

/*
 * Looks at every CPU's request: one interrupt may stand for several, and one that has been served
 * with an earlier interrupt finds its bit gone.
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

	assert(arch_irqs_enabled() && atomic_load(&r->pending) == 0);
	r->start = start;
	r->end = end;
	atomic_store_explicit(&r->pending, set, memory_order_release);
	for (unsigned i = 0; i < nr_cpus; i++)
		if (set & BIT(i))
			lapic_send(cpus[i].hwid, VEC_SHOOTDOWN);
	while (atomic_load_explicit(&r->pending, memory_order_acquire))
		arch_spin_hint();
}
