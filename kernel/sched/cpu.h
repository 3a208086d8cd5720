/*
 * The kernel's data of each CPU.
 *
 * this_cpu() is stable only while the thread cannot migrate: interrupts or preemption off
 * (checked).
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
	u64 idles;			/* of them, to the idle thread */
	u64 wakes;			/* threads made ready here */
	u64 local_wakes;		/* of them, by this CPU */
	u64 wait_ns;			/* from ready to running, of all that it dispatched */
	u64 preemptions;
	u64 yields;
	u64 steals;			/* came here when it was idle */
	u64 balanced;			/* came here at a balance= */
	u64 pushes;			/* real-time threads sent away */
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
	unsigned node;			/* [const after boot] whose memory is near: numa.h */
	_Atomic bool online;
	unsigned irq_nesting;		/* [self] interrupt handlers below us */
	_Atomic u32 ipi_pending;	/* IPI_*, set by senders, taken by ipi_interrupt() */
	u64 timer_at;			/* [self] when the one-shot fires */
	bool timer_armed;		/* [self] */
	struct addr_space *as;		/* [self] loaded, NULL: the kernel's own */
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
 * Where the time of a CPU went since the machine started, up to its last charge or, if it is idle,
 * up to now. No figure ever shrinks. Any context that may take a run queue's lock.
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

/* The halves of timer_arm(), @c being this CPU. */
static inline bool timer_is_late(const struct cpu *c, u64 at)
{
	return !c->timer_armed || time_before(at, c->timer_at);
}

void timer_set(struct cpu *c, u64 at);

/*
 * Makes sure this CPU's one-shot timer fires at @at or before. An earlier armed time is left alone:
 * it fires, finds nothing due, and arms the right one; that keeps a context switch from paying for
 * timer hardware. Interrupts off.
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
 * Boot: gives CPU @id its idle thread on @stack (NULL: a new kernel stack), run queue and sleep
 * queue. The port calls it for CPU 0 before kernel_main(), with the boot stack. -ENOMEM.
 */
int cpu_prepare(unsigned id, u64 hwid, void *stack, size_t stack_size);

noreturn void cpu_main(struct cpu *c);	/* a secondary CPU's first C function, on its idle stack */

/* The port's IPI interrupt calls this; interrupts off. */
void ipi_interrupt(void);

/*
 * Bracket every interrupt handler; interrupts off. irq_exit() preempts interrupted kernel code when
 * it may; for user code (@tf) user_return_work() does.
 */
void irq_enter(void);
void irq_exit(struct trapframe *tf);
