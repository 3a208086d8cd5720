/*
 * One CPU at a time: runs it until it pauses, and knows which CPUs may go on.
 *
 * A CPU is a coroutine. The explorer has a stack of its own, the C library's; a CPU runs on the
 * stack of the kernel thread that it executes. A crash of the kernel's code is a verdict like any
 * other.
 */
#include "explore.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cpu_state cpu_states[HOST_CPUS];
uint64_t nr_accesses, pause_at;
bool running;
char verdict[256];
static void *explorer_sp;
static bool spinners;			/* a CPU is in PAUSE_SPIN */

static void begin_cpu(void)
{
	host_start_cpu();
}

/* Does nothing: tools/gdb/explore.py stops here, where a schedule has a choice. */
static __attribute__((noinline)) void explore_choice(void)
{
	__asm__ volatile("");
}

uint64_t position(void)
{
	enum pause why = cpu_states[vcpu].why;

	return 2 * nr_accesses + (why == PAUSE_IDLE || why == PAUSE_SPIN);
}

/* --- Where a CPU stops ------------------------------------------------------------------------ */

void pause_cpu(enum pause why, const void *pc)
{
	if (!running)
		return;
	cpu_states[vcpu].why = why;
	cpu_states[vcpu].pc = pc;
	if (position() == pause_at)
		explore_choice();
	running = false;
	host_switch_stack(&host_cpu_sp[vcpu], explorer_sp);
	if (host_takes_interrupts(vcpu))
		host_take_interrupts();
}

void explore_idle(void)
{
	pause_cpu(PAUSE_IDLE, NULL);
}

void explore_spin(void)
{
	spinners = true;
	pause_cpu(PAUSE_SPIN, NULL);
}

/* Not an access, but it counts as one, so that a schedule can name the moment before it. */
void explore_user(void)
{
	nr_accesses++;
	pause_cpu(PAUSE_ACCESS, NULL);
}

void explore_user_loop(void)
{
	nr_accesses++;
	pause_cpu(PAUSE_LOOP, NULL);
}

bool explore_loops(unsigned cpu)
{
	return cpu_states[cpu].why == PAUSE_LOOP;
}

void explore_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(verdict, sizeof(verdict), format, args);
	va_end(args);
	if (!running) {
		fprintf(stderr, "explore: %s\n", verdict);
		exit(2);
	}
	pause_cpu(PAUSE_FAILED, NULL);
	abort();
}

void stores_were_made(void)
{
	if (!spinners)
		return;
	spinners = false;
	for (unsigned i = 0; i < nr_vcpus; i++)
		if (cpu_states[i].why == PAUSE_SPIN)
			cpu_states[i].why = PAUSE_ACCESS;
}

/* --- Crashes ---------------------------------------------------------------------------------- */

static void crashed(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (!running) {
		fprintf(stderr, "explore: crashed outside a scenario: %s at %p\n", strsignal(sig),
			info->si_addr);
		_exit(2);
	}
	if (sig == SIGVTALRM)
		explore_fail("a CPU runs on for ever without an access to memory");
	explore_fail("%s at address %p", sig == SIGSEGV ? "an access" : strsignal(sig),
		     info->si_addr);
}

static void catch_crashes(void)
{
	static char stack[64 << 10];
	stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = crashed };
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };

	/* The handler leaves by a switch of stacks, so signals must not stay blocked. */
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	sigaltstack(&own, NULL);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* --- Going on --------------------------------------------------------------------------------- */

void step_init(void)
{
	catch_crashes();
	for (unsigned i = 0; i < nr_vcpus; i++) {
		char *top = host_entry_stacks[i] + sizeof(host_entry_stacks[i]);

		cpu_states[i] = (struct cpu_state){ .why = PAUSE_ACCESS };
		host_cpu_sp[i] = host_first_frame(top, begin_cpu);
	}
}

void step(unsigned cpu)
{
	vcpu = cpu;
	running = true;
	end_block();
	host_switch_stack(&explorer_sp, host_cpu_sp[cpu]);
}

bool can_go_on(unsigned cpu)
{
	const struct cpu_state *c = &cpu_states[cpu];

	switch (c->why) {
	case PAUSE_ACCESS:
		return true;
	case PAUSE_LOCK:
		return !*c->lock || host_takes_interrupts(cpu) || host_freed(c->lock);
	case PAUSE_IDLE:
		return host_interrupt_waits(cpu);
	case PAUSE_SPIN:
	case PAUSE_LOOP:
		return host_takes_interrupts(cpu);
	default:
		return false;
	}
}

unsigned who_can_go_on(void)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < nr_vcpus; i++)
		if (can_go_on(i))
			mask |= 1u << i;
	return mask;
}
