/*
 * Lab 01: interrupts on request, and what came. The UART is asked for one as the console itself
 * would have asked, since that may remember how it has left the UART.
 */
#pragma once

#include "base/irq.h"
#include "console/console.h"
#include "console/uart.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "thread/thread.h"

/* Of the UART itself, whatever tap stands before it. */
void __real_uart_interrupts(unsigned on, unsigned off);

static void end_tap(void)
{
	uart_tap = NULL;
}

/*
 * The UART is idle, so it interrupts as soon as interrupts are on. The console has a byte for it
 * then, asked for that interrupt itself, as the UART seemed busy, and so takes its wish back. The
 * byte goes nowhere. Called with interrupts off.
 */
static inline void ask_uart(void)
{
	static struct uart_tap tap;

	if (uart_tap)
		return;			/* the interrupt of the last time has not come yet */
	console_flush();
	tap = (struct uart_tap){ .in_fifo = UART_FIFO, .sending = end_tap };
	uart_tap = &tap;
	console_write_all(STREAM_KERNEL, ".", 1);
	tap.rounds = 1;
	__real_uart_interrupts(UART_TX, 0);
}

#define US	1000u
#define LONG	(200 * NSEC_PER_MSEC)	/* more than anything here takes */

static inline bool within(u64 since)
{
	return time_now() - since < LONG;
}

/* Makes this CPU's timer fire in @ns. */
static inline void fire_in(u64 ns)
{
	irq_off();
	timer_set(this_cpu(), time_now() + ns);
	irq_on();
}

/* Each test looks at CPU 0 alone. */
static inline void stay_here(void)
{
	sched_set_affinity(current_thread(), BIT(0));
	thread_yield();
}

static inline u64 ticks(void)
{
	return atomic_load(&cpus[0].stats.timer_interrupts);
}

static inline u64 device_interrupts(void)
{
	u64 n = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		n += atomic_load(&cpus[i].stats.interrupts);
	return n;
}

/*
 * The current thread is marked, as one must be for @urgent, which is ready now; it gives way at the
 * end of the next interrupt. Returns with interrupts off, which arch_irqs_enable() turns on.
 */
static inline void mark_for(struct thread *urgent)
{
	struct thread *t = current_thread();

	irq_off();
	thread_resume(urgent);
	atomic_fetch_and(&t->work, ~WORK_RESCHED);	/* irq_on() would see it */
	irq_on();
	arch_irqs_disable();
	atomic_fetch_or(&t->work, WORK_RESCHED);
}
