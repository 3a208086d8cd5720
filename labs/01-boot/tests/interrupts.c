/*
 * Lab 01, step 5: interrupts, each with its own handler, in code that does not call for them.
 */
#include "interrupts.h"
#include "registers.h"

#include "base/irq.h"
#include "base/panic.h"
#include "base/string.h"
#include "base/symbols.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/ktest.h"
#include "thread/thread.h"

/* Code that loops is interrupted again and again, and does not notice. */
KTEST(interrupt_ticks, "interrupt.ticks", "01.5", "P1.8")
{
	u64 first;

	stay_here();
	first = ticks();
	for (unsigned i = 0; i < 20; i++) {
		u64 before = ticks(), began = time_now(), lost = 0;

		fire_in(10 * US);
		while (ticks() == before && !lost && within(began))
			lost = test_registers_keep(test_random(), 500);
		REQUIRE(ticks() > before, "P1.8", "interrupt %u of the timer did not come", i);
		CHECK(!lost, "P1.7", "an interrupt changed register %lu", lost);
		CHECK(ticks() - before <= 2, "P1.8", "the timer was set once, and came %lu times",
		      ticks() - before);
		CHECK(arch_irqs_enabled(), "P1.7", "after an interrupt the others stay off");
	}
	CHECK(ticks() - first < 30, "P1.8", "20 interrupts called the timer's handler %lu times",
	      ticks() - first);
}

static unsigned nesting, calls;

/* The chain from a handler goes through the whole thread, and ends where the thread began. */
static void check_chain(void)
{
	struct thread *t = current_thread();
	u64 pcs[64], offset;
	unsigned n = backtrace_walk(t, arch_frame_pointer(), pcs, ARRAY_SIZE(pcs));
	const char *last = n ? symbol_name(pcs[n - 1] - 1, &offset) : "nothing";

	CHECK(!strcmp(last, "thread_start"), "P1.3",
	      "the chain of a thread has %u entries and ends in %s", n, last);
}

static void look(void *unused)
{
	(void)unused;
	calls++;
	ipi_send(this_cpu(), IPI_RESCHED);
	check_chain();
	nesting = this_cpu()->irq_nesting;
	CHECK(!arch_irqs_enabled(), "P1.8", "a handler runs with interrupts on");
}

/* The kernel knows while a handler runs that it does, and afterwards that it does not. */
KTEST(interrupt_inside, "interrupt.inside", "01.5", "P1.8")
{
	u64 before, began;

	stay_here();
	before = atomic_load(&cpus[0].stats.resched_ipis);
	began = time_now();
	calls = 0;
	sweep_action = look;
	sweep_begin(5000);
	while (!calls && within(began))
		arch_spin_hint();
	sweep_end();
	sweep_action = NULL;
	while (atomic_load(&cpus[0].stats.resched_ipis) == before && within(began))
		arch_spin_hint();
	CHECK(atomic_load(&cpus[0].stats.resched_ipis) == before + 1, "P1.8",
	      "a request that came during the timer's handler was lost");
	CHECK(calls == 1, "P1.8", "the timer's handler was called %u times", calls);
	CHECK(nesting == 1, "P1.8", "while a handler runs %u are counted", nesting);
	CHECK(cpus[0].irq_nesting == 0, "P1.8", "after it %u handlers are counted",
	      cpus[0].irq_nesting);
}

/* Until no CPU runs a handler: a CPU counts an interrupt before it has handled it. */
static void let_handlers_end(void)
{
	u64 began = time_now();

	for (unsigned i = 0; i < nr_cpus; i++) {
		volatile unsigned *running = &cpus[i].irq_nesting;

		while (*running && within(began))
			arch_spin_hint();
	}
}

static unsigned counted;		/* handlers that run while a byte is sent */

static void count_handlers(void)
{
	counted = this_cpu()->irq_nesting;
}

/* The UART interrupts, and by then the console has a byte for it. */
static void check_device_is_counted(void)
{
	struct uart_tap tap = { .in_fifo = UART_FIFO, .sending = count_handlers };
	u64 began = time_now();

	irq_off();
	uart_interrupts(UART_TX, 0);
	uart_tap = &tap;
	console_write_all(STREAM_KERNEL, ".", 1);
	tap.rounds = 1;
	irq_on();
	while (!tap.nr && within(began))
		arch_spin_hint();
	irq_off();
	uart_tap = NULL;
	uart_interrupts(0, UART_TX);
	irq_on();
	CHECK(!tap.nr || counted == 1, "P1.8", "while a device's handler runs %u are counted",
	      counted);
}

static _Atomic bool done;
static bool came;

static void give_way(void)
{
	atomic_fetch_or(&current_thread()->work, WORK_RESCHED);
}

/* It gets the CPU at the end of a device's handler, and asks the UART for another interrupt. */
static int ask_again(void *unused)
{
	u64 before, began = time_now();

	(void)unused;
	irq_off();
	uart_tap = NULL;
	uart_interrupts(0, UART_TX);
	before = device_interrupts();
	ask_uart();
	irq_on();
	while (device_interrupts() == before && within(began))
		arch_spin_hint();
	came = device_interrupts() > before;
	done = true;
	return 0;
}

/* The end of a device's handler gives the CPU to another thread. */
static void check_device_that_switches(void)
{
	struct thread *t = thread_create("asks", ask_again, NULL, PRIORITY_HIGHEST);
	struct uart_tap tap = { .in_fifo = UART_FIFO, .sending = give_way };
	u64 began = time_now();

	REQUIRE(t, "P1.8", "no memory for a thread");
	done = false;
	irq_off();
	uart_interrupts(UART_TX, 0);
	uart_tap = &tap;
	console_write_all(STREAM_KERNEL, ".", 1);
	tap.rounds = 1;
	thread_resume(t);
	atomic_fetch_and(&current_thread()->work, ~WORK_RESCHED);	/* not before the handler */
	irq_on();
	while (!done && within(began))
		arch_spin_hint();
	CHECK(came, "P1.8", "a device's handler gave the CPU to another thread, to which no "
			    "interrupt of that device comes");
	thread_join(t, NULL, DEADLINE_NEVER);
}

static void check_requests_of_the_uart(void)
{
	u64 first = device_interrupts(), before, began;

	for (unsigned i = 0; i < 10; i++) {
		let_handlers_end();		/* the one before turns its interrupt off */
		before = device_interrupts();
		began = time_now();
		irq_off();
		ask_uart();
		irq_on();
		while (device_interrupts() == before && within(began))
			arch_spin_hint();
		CHECK(device_interrupts() > before, "P1.8", "interrupt %u of the UART did not come",
		      i);
	}
	CHECK(device_interrupts() - first < 15, "P1.8",
	      "10 interrupts of the UART called a handler %lu times", device_interrupts() - first);
	if (nr_cpus > 1)
		return;				/* another CPU may be interrupted */
	check_device_is_counted();
	check_device_that_switches();
}

#define FIRST_LINE	16u		/* those of the PC itself are below */
#define LAST_LINE	23u		/* of an I/O APIC */

static unsigned line_calls[LAST_LINE + 1];

static void count_line(void *line)
{
	line_calls[(u64)line]++;
}

/* Each line has a handler of its own. */
static void check_lines(void)
{
	unsigned line = FIRST_LINE;

	for (; line <= LAST_LINE; line++) {
		u64 before = atomic_load(&cpus[0].stats.interrupts), began = time_now();
		bool raised;

		irq_off();
		raised = test_raise_line(line);
		if (raised)
			irq_register(line, count_line, (void *)(u64)line);
		irq_on();
		while (raised && atomic_load(&cpus[0].stats.interrupts) == before && within(began))
			arch_spin_hint();
		if (raised && line_calls[line] != 1)
			break;
	}
	CHECK(line > LAST_LINE, "P1.8", "an interrupt of line %u called its handler %u times",
	      line, line_calls[MIN(line, LAST_LINE)]);
}

/* The CPU's own requests, and the UART's. */
KTEST(interrupt_sources, "interrupt.sources", "01.5", "P1.8")
{
	static const char text[] =
		"These lines are written by one call, more than the console sends at once.\n"
		"The interrupts of the UART ask for the rest, as often as its FIFO is empty.\n"
		"Without them this line would come out only when somebody else writes something.\n";
	struct cpu *c = &cpus[0];
	struct uart_tap tap = { 0 };
	u64 began, before, irqs = device_interrupts(), timers;

	stay_here();
	timers = ticks();
	for (unsigned i = 0; i < 10; i++) {
		before = atomic_load(&c->stats.resched_ipis);
		began = time_now();
		ipi_send(c, IPI_RESCHED);
		while (atomic_load(&c->stats.resched_ipis) == before && within(began))
			arch_spin_hint();
		CHECK(atomic_load(&c->stats.resched_ipis) == before + 1, "P1.8",
		      "request %u from a CPU to itself did not come", i);
	}
	CHECK(ticks() - timers < 5, "P1.8", "10 requests called the timer's handler %lu times",
	      ticks() - timers);
	console_write_all(STREAM_KERNEL, text, sizeof(text) - 1);
	for (began = time_now(); time_now() - began < 20 * NSEC_PER_MSEC;)
		arch_spin_hint();
	uart_tap = &tap;
	console_flush();
	uart_tap = NULL;
	CHECK(tap.nr == 0, "P1.8", "the UART's interrupts left %lu bytes in the queue", tap.nr);
	CHECK(device_interrupts() > irqs, "P1.8",
	      "no interrupt of a device was handled");
	check_requests_of_the_uart();
	check_lines();
	let_handlers_end();
	for (unsigned i = 0; i < nr_cpus; i++)
		CHECK(cpus[i].irq_nesting == 0, "P1.8",
		      "after it %u handlers are counted on CPU %u", cpus[i].irq_nesting, i);
}
