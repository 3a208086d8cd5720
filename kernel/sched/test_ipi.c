/*
 * Inter-processor interrupts: each arrives at its CPU, also one that is sent while the handler of
 * the one before it runs.
 */
#include "base/trace.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define SOON	NSEC_PER_SEC

static bool comes(struct cpu *c, u64 least)
{
	u64 end = time_now() + SOON;

	while (atomic_load(&c->stats.resched_ipis) < least && time_before(time_now(), end))
		arch_spin_hint();
	return atomic_load(&c->stats.resched_ipis) >= least;
}

static void stay_on(unsigned cpu)
{
	sched_set_affinity(current_thread(), BIT(cpu));
	thread_yield();
}

KTEST(ipi_pairs, "ipi.pairs", "", "ipi.arrives")
{
	for (unsigned from = 0; from < nr_cpus; from++) {
		stay_on(from);
		for (unsigned to = 0; to < nr_cpus; to++) {
			u64 before = atomic_load(&cpus[to].stats.resched_ipis);

			ipi_send(&cpus[to], IPI_RESCHED);
			CHECK(comes(&cpus[to], before + 1), "ipi.arrives",
			      "what CPU %u sends to CPU %u is lost", from, to);
		}
	}
}

/* Whether @c has taken an IPI_RESCHED since record @from, as its records say. */
static bool has_noted(struct cpu *c, u64 from)
{
	const struct trace_ring *ring = c->trace;

	for (u64 i = from; i < atomic_load(&ring->head); i++) {
		const struct trace_record *r = &ring->records[i & (ring->size - 1)];

		if (r->event == TRACE_EV_IPI_IN && r->a & IPI_RESCHED)
			return true;
	}
	return false;
}

/* trace=irq: the record is there before the interrupt is counted. */
KTEST(ipi_traced, "ipi.traced", "", "ipi.arrives")
{
	unsigned mask = trace_mask;

	trace_mask |= TRACE_IRQ;
	for (unsigned to = 0; to < nr_cpus; to++) {
		u64 before = atomic_load(&cpus[to].stats.resched_ipis);
		u64 from = atomic_load(&cpus[to].trace->head);

		ipi_send(&cpus[to], IPI_RESCHED);
		CHECK(comes(&cpus[to], before + 1), "ipi.arrives", "what CPU %u is sent is lost",
		      to);
		CHECK(has_noted(&cpus[to], from), "ipi.arrives", "CPU %u has no record of it", to);
	}
	trace_mask = mask;
}

/* The handler has read its reasons and still runs: another IPI must call it again. */
KTEST(ipi_again, "ipi.again", "", "ipi.arrives")
{
	struct cpu *c = &cpus[1];
	u64 before;

	NEEDS_TWO_CPUS;
	stay_on(0);
	thread_sleep(NSEC_PER_MSEC);
	REQUIRE(park_arm(0, "ipi_interrupt", AT_EXIT, &c->idle, SOON) == 0, "ipi.arrives", "park");
	before = atomic_load(&c->stats.resched_ipis);
	ipi_send(c, IPI_RESCHED);
	CHECK(park_wait(0, SOON), "ipi.arrives", "the first one is lost");
	ipi_send(c, IPI_RESCHED);
	park_release(0);
	CHECK(comes(c, before + 2), "ipi.arrives", "one that comes during another is lost");
}
