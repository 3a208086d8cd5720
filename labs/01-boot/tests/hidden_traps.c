/*
 * Lab 01, hidden: traps inside traps, each with other registers, whose handlers look, fault, trap
 * and change registers in any order, against a model; and interrupts that are raised and held back
 * around them and in them, of which each is counted.
 */
#include "interrupts.h"
#include "registers.h"

#include "base/irq.h"
#include "base/panic.h"
#include "base/string.h"
#include "errno.h"
#include "mm/vm.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define REGISTERS_MAX	32u
#define DEPTH		5u
#define ROUNDS		800u
#define NOWHERE		((vaddr_t)16)		/* in user space, never mapped */

/* --- Traps in traps --------------------------------------------------------------------------- */

/* A breakpoint that has not returned; those above it in the array came in its handler. */
static struct level {
	bool called;			/* in a function with a frame; else registers are known */
	u64 value;			/* of the first register */
	struct trapframe *tf, before;
	u64 due[REGISTERS_MAX], after[REGISTERS_MAX];
	unsigned handled;
} levels[DEPTH];

static volatile unsigned depth;		/* how many there are; interrupts have theirs, too */
static unsigned base;			/* the first one in the innermost interrupt */
static bool alone;			/* no interrupt comes between a breakpoint's preparations */

static void act(void);

static void check_registers(const struct level *l, struct trapframe *tf)
{
	for (unsigned i = 0; i < registers(); i++)
		CHECK(*word_of(tf, &test_registers[i]) == l->value + i, "P1.5",
		      "at depth %u the frame has 0x%lx for %s, not 0x%lx", depth,
		      *word_of(tf, &test_registers[i]), test_registers[i].name, l->value + i);
	for (const struct test_word *w = test_words; w->name && alone; w++)
		CHECK(*word_of(tf, w) == *w->expected, "P1.5",
		      "at depth %u the frame has 0x%lx for %s, not 0x%lx", depth, *word_of(tf, w),
		      w->name, *w->expected);
}

static void check_entry(const struct level *l, struct trapframe *tf)
{
	CHECK(!arch_irqs_enabled(), "P1.6", "a breakpoint's handler runs with interrupts on");
	CHECK(!test_flags(), "P1.6", "a breakpoint's handler runs with the flags 0x%lx",
	      test_flags());
	/* x86_64 aligns the stack pointer first */
	CHECK(arch_trap_sp(tf) - (u64)(tf + 1) < 16, "P1.6",
	      "the frame at %p is not right below the stack pointer %lx", (void *)tf,
	      arch_trap_sp(tf));
	CHECK(arch_frame_pointer() < (u64)tf, "P1.6", "the handler's stack is above the frame");
	/* an interrupt may have come just before the breakpoint outside it */
	CHECK(l == levels + base || tf < l[-1].tf, "P1.6",
	      "the inner frame is not below the outer one");
	if (!l->called)
		check_registers(l, tf);
}

/*
 * The chain leads through all handlers and functions out to the last one that has a frame: where
 * the registers are numbered, the frame pointer is one of them, and leads nowhere.
 */
static void check_chain(void)
{
	u64 pcs[64];
	unsigned n = backtrace_walk(current_thread(), arch_frame_pointer(), pcs, ARRAY_SIZE(pcs));
	unsigned at = 0;

	for (unsigned d = depth; d-- > base && levels[d].called;) {
		u64 pc = arch_trap_pc(levels[d].tf);

		while (at < n && pcs[at] != pc)
			at++;
		CHECK(at + 1 < n, "P1.3", "of %u handlers the chain of %u entries lacks that at %u",
		      depth, n, d);
	}
}

/* Changes some registers: those must be the ones with which the code goes on. */
static void change_registers(struct level *l, struct trapframe *tf)
{
	for (unsigned i = 0; i < registers(); i++) {
		if (test_random() % 4 == 0)
			*word_of(tf, &test_registers[i]) = test_random();
		l->due[i] = *word_of(tf, &test_registers[i]);
	}
}

static void on_break(struct trapframe *tf)
{
	struct level *l = &levels[depth - 1];

	l->tf = tf;
	if (l->handled++) {
		trap_action = NULL;
		CHECK(false, "P1.7", "a breakpoint comes again, whatever pc the frame has");
		ktest_leave();
	}
	check_entry(l, tf);
	l->before = *tf;
	for (u64 n = test_random() % 4; n > 0; n--)
		act();
	CHECK(!memcmp(&l->before, tf, sizeof(*tf)), "P1.9",
	      "at depth %u what came in the handler has changed the frame", depth);
	CHECK(!arch_irqs_enabled() && !test_flags(), "P1.9",
	      "at depth %u what came in the handler has changed its flags", depth);
	if (!l->called)
		change_registers(l, tf);
	arch_trap_set_pc(tf, (u64)(l->called ? test_trap_called_resume : test_trap_resume));
}

/* In an interrupt's handler it begins a level of its own. */
static void trap_once(void)
{
	struct level *l = &levels[depth];
	bool on = arch_irqs_enabled();

	depth++;
	l->called = test_random() % 3 == 0;
	l->value = test_random();
	l->handled = 0;
	if (l->called)
		test_trap_called();
	else
		test_trap(l->value, l->after);
	CHECK(l->handled == 1, "P1.5", "a breakpoint has called %u handlers", l->handled);
	CHECK(arch_irqs_enabled() == on, "P1.7", "after a trap interrupts are %s",
	      on ? "off" : "on");
	for (unsigned i = 0; i < registers() && !l->called; i++)
		CHECK(l->after[i] == l->due[i], "P1.7", "%s has 0x%lx after the trap, not 0x%lx",
		      test_registers[i].name, l->after[i], l->due[i]);
	depth--;
}

static void fault_once(void)
{
	bool on = arch_irqs_enabled();
	u32 word;

	CHECK(copy_from_user(&word, NOWHERE, sizeof(word)) == -EFAULT, "P1.9", "no fault");
	CHECK(arch_irqs_enabled() == on, "P1.9", "after a fault interrupts are %s",
	      on ? "off" : "on");
	CHECK(!test_flags(), "P1.9", "after a fault there are the flags 0x%lx", test_flags());
}

static void act(void)
{
	switch (test_random() % 4) {
	case 0:
		fault_once();
		break;
	case 1:
		check_chain();
		break;
	default:
		if (depth < DEPTH)
			trap_once();
	}
}

KTEST_EARLY(traps_mixed, "traps.mixed", "01.h", "P1.9")
{
	alone = true;
	trap_action = on_break;
	for (unsigned i = 0; i < ROUNDS; i++)
		trap_once();
	trap_action = NULL;
}

/* --- Interrupts, held back and not ------------------------------------------------------------ */

enum { REQUEST = 1, TIMER = 2, UART = 4 };

static u64 requests_due;	/* of CPU 0, since it was started */
static unsigned looks;		/* calls of the timer's handler by the sweep */
static _Atomic bool stop;
static _Atomic unsigned ordered;	/* requests that CPU 1 is to send */

static u64 requests(void)
{
	return atomic_load(&cpus[0].stats.resched_ipis);
}

static bool request_is_pending(void)
{
	return atomic_load(&cpus[0].ipi_pending) & IPI_RESCHED;
}

/* One that is on its way already is no other one. */
static void request(void)
{
	bool on = arch_irqs_enabled();

	arch_irqs_disable();
	if (!request_is_pending())
		requests_due++;
	ipi_send(&cpus[0], IPI_RESCHED);
	if (on)
		arch_irqs_enable();
}

/* All requests have come, and each called the handler once. */
static void check_requests(void)
{
	u64 began = time_now();

	do {
		arch_irqs_enable();
		arch_spin_hint();
		arch_irqs_disable();
	} while ((request_is_pending() || requests() < requests_due) && within(began));
	CHECK(requests() == requests_due, "P1.8",
	      "%lu requests were made, and the handler counts %lu", requests_due, requests());
	requests_due = requests();
	arch_irqs_enable();
}

static void keep_registers(u64 turns)
{
	u64 lost = test_registers_keep(test_random(), turns);

	CHECK(!lost, "P1.9", "interrupts changed register %lu", lost);
}

static void act_for_a_while(void)
{
	for (u64 n = test_random() % 4; n > 0; n--)
		if (test_random() % 2)
			act();
		else
			keep_registers(1 + test_random() % 200);
}

/* In the timer's handler. */
static void look(void *unused)
{
	unsigned outer = base;

	(void)unused;
	base = depth;
	looks++;
	CHECK(this_cpu()->irq_nesting == 1, "P1.8", "while a handler runs %u are counted",
	      this_cpu()->irq_nesting);
	CHECK(!arch_irqs_enabled() && !test_flags(), "P1.6",
	      "a handler runs with interrupts %s and the flags 0x%lx",
	      arch_irqs_enabled() ? "on" : "off", test_flags());
	if (test_random() % 2)
		request();
	act_for_a_while();
	if (test_random() % 2)
		request();
	CHECK(!arch_irqs_enabled() && this_cpu()->irq_nesting == 1, "P1.9",
	      "traps in a handler turn interrupts on, or end it");
	base = outer;
}

static void request_of_uart(void)
{
	bool on = arch_irqs_enabled();

	arch_irqs_disable();
	ask_uart();
	if (on)
		arch_irqs_enable();
	arch_spin_hint();
}

static void raise(unsigned kinds)
{
	if (kinds & UART)
		request_of_uart();
	if (kinds & TIMER)
		timer_set(this_cpu(), time_now());
	if (kinds & REQUEST)
		request();
	for (unsigned n = 0; n < 1000; n++)
		arch_spin_hint();		/* until all are pending */
}

/* Turns the timer and interrupts off. One of the timer's that is pending by then comes before. */
static void disable_without_timer(void)
{
	u64 before;

	arch_irqs_disable();
	do {
		before = ticks();
		arch_timer_stop();
		arch_irqs_enable();
		arch_spin_hint();		/* its handler sets the timer again */
		arch_irqs_disable();
	} while (ticks() != before);
}

/*
 * Of the handlers those are called whose interrupts were raised, and no sooner than they may. (The
 * UART's may be called for what the kernel prints, too.)
 */
static void hold_back(void)
{
	unsigned kinds = test_random() % 8;
	u64 timers, devices, here, began;

	preempt_off();
	disable_without_timer();
	timers = ticks();
	devices = device_interrupts();
	here = requests();
	raise(kinds);
	act_for_a_while();
	if (kinds & REQUEST)
		request();
	CHECK(ticks() == timers && requests() == here && !arch_irqs_enabled(), "P1.9",
	      "interrupts are off, and one came");
	arch_irqs_enable();
	keep_registers(1 + test_random() % 100);
	check_requests();
	began = time_now();
	while (kinds & TIMER && ticks() == timers && within(began))
		arch_spin_hint();
	while (kinds & UART && device_interrupts() == devices && within(began))
		request_of_uart();
	CHECK(!(ticks() == timers) == !!(kinds & TIMER), "P1.8",
	      "the timer was %sset, and its handler was called %lu times",
	      kinds & TIMER ? "" : "not ", ticks() - timers);
	CHECK(!(kinds & UART) || device_interrupts() > devices, "P1.8",
	      "the UART was asked to interrupt, and no device's handler was called");
	CHECK(this_cpu()->irq_nesting == 0, "P1.8", "after interrupts %u handlers are counted",
	      this_cpu()->irq_nesting);
	arch_irqs_disable();
	timer_set(this_cpu(), time_now());	/* it knows what else is due */
	arch_irqs_enable();
	preempt_on();
}

/* The timer's interrupt comes at any instruction, and acts or gives the CPU to the other thread. */
static void interrupt(void)
{
	u64 began = time_now();

	looks = 0;
	sweep_action = test_random() % 4 ? look : NULL;
	sweep_begin(1 + test_random() % (test_random() % 2 ? 2000 : 20000));
	act_for_a_while();
	while (!sweep_hit() && within(began))
		keep_registers(20);
	sweep_end();
	CHECK(sweep_hit() && looks == !!sweep_action, "P1.8",
	      "the timer was set once, and its handler was called %u times", looks);
	sweep_action = NULL;
	check_requests();
	CHECK(arch_irqs_enabled(), "P1.9", "after interrupts they stay off");
}

/* --- Other threads ---------------------------------------------------------------------------- */

/* A request of a thread that may have got the CPU at the end of a handler. */
static void request_and_wait(void)
{
	u64 began = time_now();

	request();
	while (request_is_pending() && within(began))
		arch_spin_hint();
	CHECK(!request_is_pending(), "P1.8", "a request of another thread does not come");
}

/* Is on CPU 0 with the test. */
static int keep_on(void *unused)
{
	(void)unused;
	while (!stop) {
		if (nr_cpus == 1)
			request_and_wait();
		for (u64 n = test_random() % 20; n > 0; n--)
			keep_registers(300);
		thread_yield();
	}
	return 0;
}

/* Sends CPU 0 what was ordered, each when the one before it was taken. */
static int send_on(void *unused)
{
	(void)unused;
	while (!stop) {
		arch_spin_hint();
		if (!ordered || request_is_pending())
			continue;
		ipi_send(&cpus[0], IPI_RESCHED);
		ordered--;
	}
	return 0;
}

static void be_asked(void)
{
	unsigned n = 1 + test_random() % 8;
	u64 began = time_now();

	requests_due += n;
	ordered = n;
	while (ordered && within(began)) {
		act_for_a_while();
		arch_spin_hint();
	}
	CHECK(!ordered, "P1.8", "of %u requests of another CPU %u were not taken", n, ordered);
	check_requests();
}

static struct thread *start(int (*entry)(void *unused), unsigned cpu)
{
	struct thread *t = thread_create("beside", entry, NULL, PRIORITY_DEFAULT);

	REQUIRE(t, "P1.8", "no memory for a thread");
	sched_set_affinity(t, BIT(cpu));
	thread_resume(t);
	return t;
}

KTEST(interrupts_mixed, "interrupts.mixed", "01.h", "P1.8")
{
	struct thread *beside, *there = NULL;

	sched_set_affinity(current_thread(), BIT(0));
	thread_yield();
	alone = false;
	stop = false;
	ordered = 0;
	beside = start(keep_on, 0);
	if (nr_cpus > 1)
		there = start(send_on, 1);
	thread_sleep(NSEC_PER_MSEC);
	requests_due = requests();
	trap_action = on_break;
	for (unsigned i = 0; i < ROUNDS; i++)
		if (test_random() % 2)
			hold_back();
		else if (nr_cpus > 1)
			be_asked();
		else
			interrupt();
	trap_action = NULL;
	stop = true;
	thread_join(beside, NULL, DEADLINE_NEVER);
	if (there)
		thread_join(there, NULL, DEADLINE_NEVER);
}
