/*
 * Virtual CPUs: interrupts, time, and the switch between kernel threads.
 *
 * A CPU takes an interrupt when it turns interrupts on, when it is idle, or when the explorer lets
 * it go on after a pause. Time stands still: the explorer moves it to the next timer, and a
 * scenario may, too.
 */
#include "port.h"

#include "base/printf.h"
#include "base/string.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "thread/thread.h"

unsigned nr_vcpus, vcpu;
bool scenario_quiet, scenario_sets_up, scenario_over;

struct host_cpu host_cpus[HOST_CPUS];
u64 host_clock;
u64 host_acting;
void *host_cpu_sp[HOST_CPUS];

/* --- Stacks ----------------------------------------------------------------------------------- */

#ifndef __x86_64__
#error "the explorer runs on x86_64 machines: host_switch_stack() is written for them"
#endif

__asm__(".text\n"
	".globl host_switch_stack\n"
	"host_switch_stack:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".globl host_call_on\n"
	"host_call_on:\n"
	"	pushq %rbp\n"
	"	movq %rsp, %rbp\n"
	"	movq %rdi, %rsp\n"
	"	andq $-16, %rsp\n"
	"	movq %rsi, %rax\n"
	"	movq %rdx, %rdi\n"
	"	movq %rcx, %rsi\n"
	"	movq %r8, %rdx\n"
	"	movq %r9, %rcx\n"
	"	call *%rax\n"
	"	movq %rbp, %rsp\n"
	"	popq %rbp\n"
	"	ret\n");

#define SAVED_REGISTERS	6

void *host_first_frame(void *stack_top, void (*function)(void))
{
	u64 *sp = stack_top;

	*--sp = 0;		/* where a call would have left its return address */
	*--sp = (u64)function;
	sp -= SAVED_REGISTERS;
	memset(sp, 0, SAVED_REGISTERS * sizeof(*sp));
	return sp;
}

/* --- Interrupts ------------------------------------------------------------------------------- */

static struct host_cpu *self(void)
{
	return &host_cpus[vcpu];
}

bool host_irqs_enabled(void)
{
	return self()->irqs_on;
}

void host_irqs_enable(void)
{
	self()->irqs_on = true;
	if (host_interrupt_waits(vcpu))
		host_take_interrupts();
}

/* An interrupt may come just before, and the thread then be moved to another CPU. */
u32 host_irqs_save(void)
{
	u32 on;

	if (self()->irqs_on)
		explore_masks();
	on = self()->irqs_on;
	self()->irqs_on = false;
	return on;
}

bool host_asks_for_cpu(const void *address)
{
	const struct thread *t = self()->current;

	return address == &t->cpu && !t->preempt_depth && nr_vcpus > 1;
}

bool host_stays_from(const void *address)
{
	const struct thread *t = self()->current;

	return address == &t->preempt_depth && !t->preempt_depth && host_irqs_enabled();
}

/*
 * The end of a slice interrupts a CPU that computes in user mode, if a thread waits there. Nothing
 * else of the timer does, or a kill without an interrupt would be right.
 */
static bool timer_counts(unsigned cpu)
{
	return !explore_loops(cpu) || cpus[cpu].runq.q.nr;
}

bool host_interrupt_waits(unsigned cpu)
{
	const struct host_cpu *c = &host_cpus[cpu];

	if (scenario_quiet)
		return false;
	return c->ipi || c->shootdown ||
	       (c->timer_set && c->timer_at <= host_clock && timer_counts(cpu));
}

bool host_takes_interrupts(unsigned cpu)
{
	return host_cpus[cpu].irqs_on && host_interrupt_waits(cpu);
}

/* A handler may switch threads, so the thread may be on another CPU when it returns. */
void host_take_interrupts(void)
{
	while (host_interrupt_waits(vcpu)) {
		struct host_cpu *c = self();
		struct trapframe *tf = arch_trapframe(c->current);

		c->irqs_on = false;
		irq_enter();
		if (c->ipi) {
			explore_gets(c);
			c->ipi = false;
			ipi_interrupt();
		} else if (c->shootdown) {
			explore_gets(c);
			c->shootdown = false;
			host_shootdown_serve();
		} else {
			c->timer_set = false;
			timer_interrupt(tf);
		}
		irq_exit(tf);
		host_user_return(tf);
		self()->irqs_on = true;
	}
}

void arch_ipi(struct cpu *c)
{
	explore_sends(&host_cpus[c->id]);
	explore_interrupts(c->id);
	host_cpus[c->id].ipi = true;
}

void host_interrupt_for_shootdown(unsigned cpu)
{
	explore_sends(&host_cpus[cpu]);
	explore_interrupts(cpu);
	host_cpus[cpu].shootdown = true;
}

void arch_idle_wait(void)
{
	self()->idle = true;
	explore_idle();
	self()->idle = false;
	host_take_interrupts();
	self()->irqs_on = false;
}

void host_spin(void)
{
	explore_spin();
}

/* --- Time ------------------------------------------------------------------------------------- */

u64 host_now(void)
{
	return host_clock;
}

void arch_timer_set(u64 ns)
{
	self()->timer_set = true;
	self()->timer_at = ns;
}

void arch_timer_stop(void)
{
	self()->timer_set = false;
}

void host_clock_to(u64 now)
{
	host_clock = MAX(host_clock, now);
}

/* The CPU with the next timer that could be taken; HOST_CPUS: none. */
static unsigned next_timer(void)
{
	unsigned first = HOST_CPUS;

	if (scenario_quiet)
		return HOST_CPUS;
	for (unsigned i = 0; i < nr_vcpus; i++) {
		const struct host_cpu *c = &host_cpus[i];

		if (c->timer_set && (c->idle || c->irqs_on) && timer_counts(i) &&
		    (first == HOST_CPUS || c->timer_at < host_cpus[first].timer_at))
			first = i;
	}
	return first;
}

bool host_can_advance(void)
{
	return next_timer() != HOST_CPUS;
}

bool host_advance(void)
{
	unsigned cpu = next_timer();

	if (cpu == HOST_CPUS)
		return false;
	host_clock_to(host_cpus[cpu].timer_at);
	return true;
}

const char *host_idles(void)
{
	static char text[80];

	for (unsigned i = 0; i < nr_vcpus; i++) {
		unsigned nr = cpus[i].runq.q.nr;

		if (host_cpus[i].idle && nr) {
			snprintf(text, sizeof(text), "CPU %u idles, and in its queue %s", i,
				 nr == 1 ? "a thread waits" : "threads wait");
			return text;
		}
	}
	return NULL;
}

void host_use_time(void)
{
	host_clock += sched_quantum;
}

/* --- Threads ---------------------------------------------------------------------------------- */

struct thread *host_current(void)
{
	return self()->current;
}

void arch_set_current(struct thread *t, struct cpu *c)
{
	host_cpus[c->id].current = t;
}

void arch_thread_frame(struct thread *t)
{
	host_costume_thread(t);
	host_stack_belongs_to(t);
	explore_stored(&t->arch.sp, sizeof(t->arch.sp));
	t->arch.sp = host_first_frame((char *)t->stack + t->stack_size, thread_start);
}

void arch_switch(struct thread *prev, struct thread *next)
{
	self()->current = next;
	explore_stored(&prev->arch.sp, sizeof(prev->arch.sp));
	host_switch_stack(&prev->arch.sp, next->arch.sp);
}

_Noreturn void host_start_cpu(void)
{
	sched_idle();
}

void host_thread_begins(void)
{
	host_acting++;
}

void host_thread_ends(void)
{
	scenario_over = --host_acting == 0;
}

const char *host_thread_name(unsigned cpu)
{
	return host_cpus[cpu].current->name;
}

noreturn void arch_machine_end(unsigned status)
{
	explore_fail("the machine ends with status %u", status);
}
