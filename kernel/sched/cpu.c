/*
 * CPUs: interrupt bracketing, inter-processor interrupts, the first C code of each.
 */
#include "cpu.h"

#include "debug.h"
#include "errno.h"
#include "internal.h"
#include "numa.h"
#include "panic.h"
#include "process.h"
#include "sched.h"
#include "trace.h"

#define MAX_IRQS	256

struct cpu cpus[MAX_CPUS];
unsigned nr_cpus = 1;

static struct {
	irq_handler_fn fn;
	void *arg;
} irq_handlers[MAX_IRQS];	/* [const once registered] */

struct cpu_times cpu_times(struct cpu *c)
{
	struct runq *rq = &c->runq;
	struct cpu_times times;

	spin_lock(&rq->lock);
	times = (struct cpu_times){ .user = c->stats.user_ns, .idle = c->idle.stats.run_ns };
	times.system = rq->charged_at - times.user - times.idle;
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
	if (t->preempt_depth == 0 &&
	    atomic_load_explicit(&t->work, memory_order_relaxed) & WORK_RESCHED)
		sched_preempt();
}

void irq_register(unsigned irq, irq_handler_fn fn, void *arg)
{
	assert(irq < MAX_IRQS && !irq_handlers[irq].fn);
	irq_handlers[irq].arg = arg;
	irq_handlers[irq].fn = fn;
	arch_irq_unmask(irq);
}

void irq_dispatch(unsigned irq)
{
	trace(TRACE_IRQ, TRACE_EV_IRQ, irq, 0);
	atomic_fetch_add(&this_cpu()->stats.interrupts, 1);
	if (irq < MAX_IRQS && irq_handlers[irq].fn)
		irq_handlers[irq].fn(irq_handlers[irq].arg);
}

void ipi_send(struct cpu *c, u32 reason)
{
	/* A reason that is still pending has an interrupt on its way: one is enough. */
	if (atomic_fetch_or(&c->ipi_pending, reason) & reason)
		return;
	trace(TRACE_SCHED, TRACE_EV_IPI, c->id, reason);
	arch_ipi(c);
}

void ipi_interrupt(void)
{
	struct cpu *c = this_cpu();
	u32 reasons = atomic_exchange(&c->ipi_pending, 0);

	trace(TRACE_IRQ, TRACE_EV_IPI_IN, reasons, 0);
	if (reasons & IPI_HALT)
		panic_stop_this_cpu();
	/* IPI_RESCHED needs nothing here: the way out of every interrupt looks at t->work. */
	if (reasons & IPI_RESCHED)
		atomic_fetch_add(&c->stats.resched_ipis, 1);
	if (reasons & IPI_PULL)
		pull_when_free();
}

int cpu_prepare(unsigned id, u64 hwid, void *stack, size_t stack_size)
{
	struct cpu *c = &cpus[id];

	assert(id < MAX_CPUS);
	if (!stack) {
		stack = kstack_alloc();
		stack_size = KSTACK_SIZE;
	}
	if (!stack)
		return -ENOMEM;
	c->id = id;
	c->hwid = hwid;
	c->node = numa_node_of_cpu(hwid);
	thread_init_idle(&c->idle, c, stack, stack_size);
	runq_init(c);
	sleepq_init(&c->sleepq);
	return 0;
}

noreturn void cpu_main(struct cpu *c)
{
	assert(current_thread() == &c->idle && this_cpu() == c);
	atomic_store(&c->online, true);
	sched_idle();
}
