/*
 * Interrupt lines and their handlers; interrupts to other CPUs.
 *
 * Not here: irq_enter() and irq_exit() (sched/cpu.c), and the interrupt controllers (arch/).
 */
#include "base/irq.h"

#include "arch.h"
#include "base/panic.h"
#include "base/trace.h"
#include "config.h"
#include "sched/cpu.h"

#define MAX_IRQS	256

static struct {
	irq_handler_fn fn;
	void *arg;
} irq_handlers[MAX_IRQS];	/* [const once registered] */

void irq_register(unsigned irq, irq_handler_fn fn, void *arg)
{
	assert(irq < MAX_IRQS && !irq_handlers[irq].fn);
	irq_handlers[irq].arg = arg;
	irq_handlers[irq].fn = fn;
	arch_irq_unmask(irq);
}

void irq_dispatch(unsigned irq)
{
	if (DEBUG_BUILD)
		assert(!arch_irqs_enabled());
	trace(TRACE_IRQ, TRACE_EV_IRQ, irq, 0);
	atomic_fetch_add(&this_cpu()->stats.interrupts, 1);
	if (irq < MAX_IRQS && irq_handlers[irq].fn)
		irq_handlers[irq].fn(irq_handlers[irq].arg);
}

void ipi_send(struct cpu *c, u32 reason)
{
	/* If the reason is still pending, its interrupt is on its way: one is enough. */
	if (atomic_fetch_or(&c->ipi_pending, reason) & reason)
		return;
	trace(TRACE_SCHED, TRACE_EV_IPI, c->id, reason);
	arch_ipi(c);
}
