/*
 * Lab 01, step 5: interrupts that give the CPU to another thread, and what one CPU asks of another.
 */
#include "interrupts.h"

#include "base/string.h"
#include "mm/mm.h"
#include "sched/sched.h"
#include "test/ktest.h"
#include "thread/thread.h"

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

static _Atomic bool waits;

/* On CPU 1, and with interrupts off there, so that a device's come to CPU 0. */
static int send_to_parked(void *unused)
{
	u64 began;

	(void)unused;
	arch_irqs_disable();
	waits = true;
	if (park_wait(0, LONG)) {
		ipi_send(&cpus[0], IPI_RESCHED);
		for (began = time_now(); time_now() - began < 20 * US;)
			arch_spin_hint();
	}
	park_release(0);
	arch_irqs_enable();
	return 0;
}

/* CPU 0 has taken an interrupt of the UART, and has not called the handler. */
static void check_request_beside_device(void)
{
	struct thread *t = thread_create("sends", send_to_parked, NULL, PRIORITY_DEFAULT);
	u64 before, began = time_now();

	REQUIRE(t, "P1.8", "no memory for a thread");
	waits = false;
	sched_set_affinity(t, BIT(1));
	thread_resume(t);
	while (!waits && within(began))
		arch_spin_hint();
	fire_in(LONG);
	REQUIRE(park_arm(0, "irq_enter", AT_ENTRY, current_thread(), LONG) == 0, "P1.8", "park");
	before = atomic_load(&cpus[0].stats.resched_ipis);
	irq_off();
	ask_uart();
	irq_on();
	while (atomic_load(&cpus[0].stats.resched_ipis) == before && within(began))
		arch_spin_hint();
	CHECK(atomic_load(&cpus[0].stats.resched_ipis) > before, "P1.8",
	      "a request that came before a device's handler was called was lost");
	fire_in(0);			/* the timer's handler knows what else is due */
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
	check_request_beside_device();
	check_request_that_switches(c);
}

static _Atomic bool marked, came;

/* It gets CPU 1 at the end of what asks that CPU to forget, and asks itself for something. */
static int ask_itself(void *unused)
{
	u64 before = atomic_load(&cpus[1].stats.resched_ipis), began = time_now();

	(void)unused;
	ipi_send(&cpus[1], IPI_RESCHED);
	while (atomic_load(&cpus[1].stats.resched_ipis) == before && within(began))
		arch_spin_hint();
	came = atomic_load(&cpus[1].stats.resched_ipis) > before;
	stop = true;
	return 0;
}

/* On CPU 1: marked, as a thread must be for an @urgent one, when the request to forget comes. */
static int be_marked(void *urgent)
{
	u64 began;

	mark_for(urgent);
	marked = true;
	for (began = time_now(); time_now() - began < 50 * US;)
		arch_spin_hint();
	arch_irqs_enable();
	while (!stop && within(began))
		arch_spin_hint();
	return 0;
}

static void check_forgetting_that_switches(void)
{
	struct thread *urgent = thread_create("urgent", ask_itself, NULL, PRIORITY_HIGHEST);
	struct thread *t = thread_create("marked", be_marked, urgent, PRIORITY_DEFAULT);
	u64 began = time_now();

	REQUIRE(t && urgent, "P1.8", "no memory for a thread");
	stop = marked = came = false;
	sched_set_affinity(t, BIT(1));
	sched_set_affinity(urgent, BIT(1));
	thread_resume(t);
	while (!marked && within(began))
		arch_spin_hint();
	preempt_off();
	arch_tlb_shootdown(BIT(1), PAGE_SIZE, 2 * PAGE_SIZE);
	preempt_on();
	thread_join(t, NULL, DEADLINE_NEVER);
	thread_join(urgent, NULL, DEADLINE_NEVER);
	CHECK(came, "P1.8", "what CPU 1 has to forget gave that CPU to another thread, to which no "
			    "request comes");
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
	check_forgetting_that_switches();
}
