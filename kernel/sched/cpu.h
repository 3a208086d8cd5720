/*
 * The kernel's data of each CPU.
 *
 * this_cpu() stays the same only while the thread cannot migrate: it asserts that interrupts or
 * preemption are off.
 */
#pragma once

#include "arch.h"
#include "base/counters.h"
#include "base/irq.h"
#include "base/panic.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "sched/wait.h"
#include "thread/thread.h"
#include "types.h"

struct addr_space;
struct page_cache;
struct trace_ring;
struct trapframe;

struct cpu_stats {			/* [rq->lock] idle time: idle.stats.run_ns */
	u64 user_ns;
	u64 switches;
	u64 idles;			/* of the switches, to the idle thread */
	u64 wakes;			/* threads made ready here */
	u64 local_wakes;		/* of the wakes, by this CPU */
	u64 wait_ns;			/* from ready to running, of all threads dispatched here */
	u64 preemptions;
	u64 yields;
	u64 steals;			/* threads taken when it would have idled */
	u64 balanced;			/* threads taken every balance= */
	u64 pushes;			/* real-time threads sent to other CPUs */
	_Atomic u64 resched_ipis;
	_Atomic u64 interrupts;
	_Atomic u64 timer_interrupts;
};

#define IPI_RESCHED	1u		/* look at t->work */
#define IPI_HALT	2u		/* panic: stop for good */
#define IPI_PULL	8u		/* a real-time thread may wait for this CPU */

struct cpu {
	struct arch_cpu arch;		/* first: assembly knows its offsets */
	unsigned id;			/* [const] 0 .. nr_cpus - 1 */
	u64 hwid;			/* [const] hart id, APIC id */
	unsigned node;			/* [const after boot] its NUMA node: numa.h */
	_Atomic bool online;
	unsigned irq_nesting;		/* [self] interrupt handlers that run */
	_Atomic u32 ipi_pending;	/* IPI_*, set by senders, taken by ipi_interrupt() */
	u64 timer_at;			/* [self] when the one-shot timer fires */
	bool timer_armed;		/* [self] */
	struct addr_space *as;		/* [self] the one loaded, NULL: the kernel's own */
	struct page_cache *pages;	/* [self] page allocator's cache */
	struct trace_ring *trace;	/* [self] */
	struct cpu_stats stats;
	struct runq runq;		/* large: what every switch needs is in front of it */
	struct sleepq sleepq;
	struct thread idle;
	_Atomic s64 counters[COUNTER_COUNT];
};

extern struct cpu cpus[MAX_CPUS];	/* in base/machine.c */
extern unsigned nr_cpus;		/* [const after boot] */

/*
 * How a CPU has spent its time since the machine started, up to its last charge or, if it is idle,
 * up to now. No figure ever shrinks. cpu_times() takes the run queue's lock.
 */
struct cpu_times {
	u64 user, system, idle;
};

struct cpu_times cpu_times(struct cpu *c);

static inline struct cpu *this_cpu(void)
{
	struct thread *t = current_thread();

	assert(t->preempt_depth || !arch_irqs_enabled());
	return thread_cpu(t);
}

static inline struct cpu *runq_cpu(struct runq *rq)
{
	return container_of(rq, struct cpu, runq);
}

/* The two halves of timer_arm(); @c is this CPU. */
static inline bool timer_is_late(const struct cpu *c, u64 at)
{
	return !c->timer_armed || time_before(at, c->timer_at);
}

void timer_set(struct cpu *c, u64 at);

/*
 * Makes sure that this CPU's one-shot timer fires at @at or before. A timer that is armed for an
 * earlier time is left alone: its interrupt finds nothing due and arms the right time. So most
 * context switches need not program the hardware. Interrupts are off.
 */
static inline void timer_arm(u64 at)
{
	struct cpu *c = this_cpu();

	if (timer_is_late(c, at))
		timer_set(c, at);
}

static inline struct process *current_process(void)
{
	return current_thread()->process;
}

/*
 * At boot, gives CPU @id its idle thread on @stack (NULL: a new kernel stack), run queue and sleep
 * queue. The port calls it for CPU 0 before kernel_main(), with the boot stack. Returns 0 or
 * -ENOMEM.
 */
int cpu_prepare(unsigned id, u64 hwid, void *stack, size_t stack_size);

/* The first C function of a secondary CPU, on its idle stack. */
noreturn void cpu_main(struct cpu *c);

/* The port calls this in its interrupt for IPIs. */
void ipi_interrupt(void);

/*
 * Called before and after every interrupt handler, interrupts off. irq_exit() preempts interrupted
 * kernel code if that is allowed; for user code (seen by @tf) user_return_work() does so.
 */
void irq_enter(void);
void irq_exit(struct trapframe *tf);
