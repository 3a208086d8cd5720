/*
 * Lab 01, step 5: interrupts, each with its own handler, in code that does not call for them.
 */
#include "ask.h"
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

#define US	1000u
#define LONG	(200 * NSEC_PER_MSEC)	/* more than anything here takes */

/* Makes this CPU's timer fire in @ns. */
static void fire_in(u64 ns)
{
	irq_off();
	timer_set(this_cpu(), time_now() + ns);
	irq_on();
}

/* Each test looks at CPU 0 alone. */
static void stay_here(void)
{
	sched_set_affinity(current_thread(), BIT(0));
	thread_yield();
}

static u64 ticks(void)
{
	return atomic_load(&cpus[0].stats.timer_interrupts);
}

static bool within(u64 since)
{
	return time_now() - since < LONG;
}

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

static u64 device_interrupts(void)
{
	u64 n = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		n += atomic_load(&cpus[i].stats.interrupts);
	return n;
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
	let_handlers_end();
	for (unsigned i = 0; i < nr_cpus; i++)
		CHECK(cpus[i].irq_nesting == 0, "P1.8",
		      "after it %u handlers are counted on CPU %u", cpus[i].irq_nesting, i);
}

static _Atomic u64 turns;
static _Atomic bool stop;

static int spin(void *unused)
{
	(void)unused;
	while (!stop)
		turns++;
	return 0;
}

/* Two threads that never call the kernel: the handler's end gives the CPU from one to the other. */
KTEST(interrupt_turns, "interrupt.turns", "01.5", "P1.8")
{
	u64 began = time_now(), seen = 0;
	struct thread *t;
	unsigned changes = 0;

	t = thread_create("spins", spin, NULL, PRIORITY_DEFAULT);
	REQUIRE(t, "P1.8", "no memory for a thread");
	stay_here();
	turns = 0;
	stop = false;
	sched_set_affinity(t, BIT(0));
	thread_resume(t);
	for (; changes < 3 && time_now() - began < 2 * NSEC_PER_SEC; seen = turns)
		changes += turns != seen;
	stop = true;
	CHECK(changes == 3, "P1.8", "in %lu ms another thread ran %u times",
	      (time_now() - began) / NSEC_PER_MSEC, changes);
	thread_join(t, NULL, DEADLINE_NEVER);
}

static int wait_for_timer(void *unused)
{
	u64 began = time_now();

	(void)unused;
	fire_in(10 * US);
	while (!stop && within(began))
		arch_spin_hint();
	return 0;
}

/* CPU 1 has taken its timer's interrupt, and has not called the handler, when a request comes. */
static void check_request_beside_timer(struct cpu *c)
{
	struct thread *t = thread_create("waits", wait_for_timer, NULL, PRIORITY_DEFAULT);
	u64 before, began;

	REQUIRE(t, "P1.8", "no memory for a thread");
	stop = false;
	sched_set_affinity(t, BIT(1));
	REQUIRE(park_arm(0, "irq_enter", AT_ENTRY, t, LONG) == 0, "P1.8", "park");
	thread_resume(t);
	CHECK(park_wait(0, LONG), "P1.8", "the timer's interrupt is not counted as one that runs");
	before = atomic_load(&c->stats.resched_ipis);
	ipi_send(c, IPI_RESCHED);
	thread_sleep(NSEC_PER_MSEC);			/* until it is pending there */
	park_release(0);
	began = time_now();
	while (atomic_load(&c->stats.resched_ipis) == before && within(began))
		arch_spin_hint();
	CHECK(atomic_load(&c->stats.resched_ipis) > before, "P1.8",
	      "a request that came before the timer's handler was called was lost");
	stop = true;
	thread_join(t, NULL, DEADLINE_NEVER);
}

static _Atomic bool there;

static int spin_there(void *unused)
{
	there = true;
	return spin(unused);
}

/* Of two requests at once the first handler takes both reasons. A thread runs there meanwhile. */
static void check_request_without_reason(struct cpu *c)
{
	u64 before, began = time_now();

	ipi_send(c, 0);
	while (time_now() - began < NSEC_PER_MSEC)
		arch_spin_hint();
	before = turns;
	while (turns == before && within(began))
		arch_spin_hint();
	CHECK(turns != before, "P1.8",
	      "a request whose reason the handler of another one has taken comes again and again");
}

/* The end of a request's handler gives CPU 1 to an urgent thread, and another request comes. */
static void check_request_that_switches(struct cpu *c)
{
	struct thread *t = thread_create("spins", spin, NULL, PRIORITY_DEFAULT);
	struct thread *urgent = thread_create("urgent", spin_there, NULL, PRIORITY_HIGHEST);
	u64 before, began = time_now();

	REQUIRE(t && urgent, "P1.8", "no memory for a thread");
	stop = there = false;
	turns = 0;
	sched_set_affinity(t, BIT(1));
	sched_set_affinity(urgent, BIT(1));
	thread_resume(t);
	while (!turns && within(began))
		arch_spin_hint();
	check_request_without_reason(c);
	thread_resume(urgent);
	while (!there && within(began))
		arch_spin_hint();
	CHECK(there, "P1.8", "an urgent thread does not get the CPU");
	before = atomic_load(&c->stats.resched_ipis);
	ipi_send(c, IPI_RESCHED);
	while (atomic_load(&c->stats.resched_ipis) == before && within(began))
		arch_spin_hint();
	CHECK(atomic_load(&c->stats.resched_ipis) > before, "P1.8",
	      "a request to a thread that got the CPU at the end of another one is lost");
	stop = true;
	thread_join(urgent, NULL, DEADLINE_NEVER);
	thread_join(t, NULL, DEADLINE_NEVER);
}

/* A request that is sent while the handler of the one before it runs is not lost. */
KTEST(interrupt_again, "interrupt.again", "01.5", "P1.8")
{
	struct cpu *c = &cpus[1];
	u64 before, began;

	NEEDS_TWO_CPUS;
	stay_here();
	thread_sleep(NSEC_PER_MSEC);
	REQUIRE(park_arm(0, "ipi_interrupt", AT_EXIT, &c->idle, LONG) == 0, "P1.8", "park");
	before = atomic_load(&c->stats.resched_ipis);
	ipi_send(c, IPI_RESCHED);
	CHECK(park_wait(0, LONG), "P1.8", "what CPU 0 sends to CPU 1 does not come");
	CHECK(c->irq_nesting == 1, "P1.8", "while the handler of a request runs %u are counted",
	      c->irq_nesting);
	ipi_send(c, IPI_RESCHED);
	park_release(0);
	began = time_now();
	while (atomic_load(&c->stats.resched_ipis) < before + 2 && within(began))
		arch_spin_hint();
	CHECK(atomic_load(&c->stats.resched_ipis) == before + 2, "P1.8",
	      "a request that came during the handler of another was lost");
	check_request_beside_timer(c);
	check_request_that_switches(c);
}

/* Another CPU is asked to forget translations, and answers. On RISC-V the firmware asks. */
KTEST(interrupt_forget, "interrupt.forget", "01.5", "P1.8")
{
	NEEDS_TWO_CPUS;
	stay_here();
	for (unsigned i = 0; i < 3; i++) {
		u64 began = time_now(), took;

		park_arm(0, "irq_enter", AT_ENTRY, &cpus[1].idle, 5 * NSEC_PER_MSEC);
		preempt_off();
		arch_tlb_shootdown(BIT(1), PAGE_SIZE, 2 * PAGE_SIZE);
		preempt_on();
		took = time_now() - began;
		/* on RISC-V the firmware does it, without a handler of ours */
		CHECK(park_timed_out(0) || !strcmp(ARCH_NAME, "riscv64"), "P1.8",
		      "what CPU 1 has to forget calls a handler that is not counted");
		park_release(0);
		CHECK(took < LONG, "P1.8", "CPU 1 answered after %lu ms", took / NSEC_PER_MSEC);
	}
}
