/*
 * CPUs: interrupt entry and exit, inter-processor interrupts, the first C code of a secondary CPU.
 */
#include "sched/cpu.h"

#include "base/panic.h"
#include "base/trace.h"
#include "internal.h"
#include "process/process.h"
#include "sched/sched.h"

struct cpu_times cpu_times(struct cpu *c)
{
	struct runq *rq = &c->runq;
	struct cpu_times times;

	spin_lock(&rq->lock);
	times = (struct cpu_times){ .user = c->stats.user_ns, .idle = c->idle.stats.run_ns };
	times.system = rq->charged_at - clock_start - times.user - times.idle;
	if (is_idle(rq, rq->current))
		times.idle += time_now() - rq->charged_at;
	spin_unlock(&rq->lock);
	return times;
}

void irq_enter(void)
{
	this_cpu()->irq_nesting++;
}

void irq_exit(struct trapframe *tf)
{
	struct cpu *c = this_cpu();
	struct thread *t = current_thread();

	assert_irqs_off();
	if (--c->irq_nesting || arch_trap_from_user(tf))
		return;
	/* LAB 03-roundrobin: a marked thread gives way here, unless preemption is off */
	if (t->preempt_depth == 0 &&
	    atomic_load_explicit(&t->work, memory_order_relaxed) & WORK_RESCHED)
		sched_preempt();
	/* END LAB */
}

void ipi_interrupt(void)
{
	struct cpu *c = this_cpu();
	u32 reasons = atomic_exchange(&c->ipi_pending, 0);

	assert_irqs_off();
	trace(TRACE_IRQ, TRACE_EV_IPI_IN, reasons, 0);
	if (reasons & IPI_HALT)
		panic_stop_this_cpu();
	/* IPI_RESCHED needs nothing here: every return from an interrupt looks at t->work. */
	if (reasons & IPI_RESCHED)
		atomic_fetch_add(&c->stats.resched_ipis, 1);
	if (reasons & IPI_PULL)
		pull_when_free();
}

noreturn void cpu_main(struct cpu *c)
{
	assert(current_thread() == &c->idle && this_cpu() == c);
	atomic_store(&c->online, true);
	sched_idle();
}
