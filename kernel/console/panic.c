/*
 * Panic: the kernel's last report.
 *
 * Nothing here takes a lock or allocates: the CPU that panics may hold any lock, and the allocator
 * may be what is broken. The first CPU to panic stops the others by IPI, which lets them finish the
 * line they print, and then reports. It waits no longer than STOP_NS: a CPU may never turn its
 * interrupts on again, but the console takes no more output from it. Only one that is in the middle
 * of its output gets WRITE_NS: it does come to an end, however seldom a busy host lets it run.
 */
#include "base/panic.h"

#include "base/printf.h"
#include "base/trace.h"
#include "console/console.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define TRACE_RECORDS	24
#define STOP_NS		(50 * NSEC_PER_MSEC)
#define WRITE_NS	(5 * NSEC_PER_SEC)

static _Atomic u32 panicking;	/* 1 + id of the CPU that reports */
static _Atomic u32 stopped;	/* a bit for each CPU that has stopped for good */

u64 panic_stopped_at[MAX_CPUS];

noreturn void panic_stop_this_cpu(void)
{
	unsigned id = thread_cpu(current_thread())->id;

	panic_stopped_at[id] = arch_frame_pointer();
	atomic_fetch_or(&stopped, BIT(id));
	for (;;) {
		arch_irqs_disable();
		arch_spin_hint();
	}
}

static void stop_others(const struct cpu *c)
{
	u64 began = arch_clock_ns();
	u32 others = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (&cpus[i] != c && atomic_load(&cpus[i].online)) {
			others |= BIT(i);
			ipi_send(&cpus[i], IPI_HALT);
		}
	while ((atomic_load(&stopped) & others) != others &&
	       arch_clock_ns() - began < (console_written_by_another() ? WRITE_NS : STOP_NS))
		arch_spin_hint();
}

/* Makes this CPU the one that reports, and stops the others. */
static void take_over(void)
{
	struct cpu *c = thread_cpu(current_thread());
	u32 nobody = 0;

	arch_irqs_disable();
	if (!atomic_compare_exchange_strong(&panicking, &nobody, c->id + 1)) {
		if (nobody == c->id + 1)
			arch_machine_end(MACHINE_PANICKED);	/* a panic inside the panic */
		panic_stop_this_cpu();
	}
	stop_others(c);
	if (TEST_BUILD)
		uart_tap = NULL;
	console_panic_mode();
}

static void report(struct trapframe *tf, const char *fmt, va_list ap)
{
	struct thread *t = current_thread();

	kprintf("\npanic: ");
	vkprintf(fmt, ap);
	kprintf("\n  CPU %u, thread %d (%s), process %d (%s)\n", thread_cpu(t)->id, t->tid, t->name,
		t->process ? t->process->pid : 0, t->process ? t->process->name : "?");
	trace(TRACE_LIFE, TRACE_EV_PANIC, (u64)__builtin_return_address(0), 0);
	if (tf) {
		arch_print_registers(tf);
		kprintf("call chain:\n");
		backtrace_print(t, arch_trap_pc(tf),
				arch_trap_from_user(tf) ? 0 : arch_trap_fp(tf));
	} else {
		kprintf("call chain:\n");
		backtrace_print(t, 0, arch_frame_pointer());
	}
	lockcheck_print_held(t);
	for (unsigned i = 0; i < nr_cpus; i++) {
		const struct thread *ran = cpus[i].runq.current;

		if (ran)
			kprintf("  CPU %u was running thread %d (%s)\n", i, ran->tid, ran->name);
	}
	kprintf("last trace records:\n");
	trace_print_last(TRACE_RECORDS);
	if (TEST_BUILD)
		ktest_at_panic();
	kprintf("end of panic\n");
}

noreturn void panic(const char *fmt, ...)
{
	va_list ap;

	take_over();
	va_start(ap, fmt);
	report(NULL, fmt, ap);
	va_end(ap);
	arch_machine_end(MACHINE_PANICKED);
}

noreturn void panic_trap(struct trapframe *tf, const char *fmt, ...)
{
	va_list ap;

	take_over();
	va_start(ap, fmt);
	report(tf, fmt, ap);
	va_end(ap);
	arch_machine_end(MACHINE_PANICKED);
}

noreturn void lab_todo(const char *what)
{
	panic("not written yet: %s", what);
}
