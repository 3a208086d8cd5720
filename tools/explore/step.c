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
#include <sys/time.h>
#include <unistd.h>

struct cpu_state cpu_states[HOST_CPUS];
struct progress progress;
uint64_t pause_at;
bool booting, running;
char verdict[256];
struct place failed_at;
void *explorer_sp;
static volatile uint64_t nr_steps;

#define LEFT_BEHIND	1024		/* bytes of a stack */

static void (*bare)(unsigned cpu);

/* The first function of a CPU: the kernel's idle loop, or a function of the scenario. */
static void begin_cpu(void)
{
	bool all = true;

	if (!bare)
		host_start_cpu();
	cpu_states[vcpu].fresh = true;
	pause_cpu(PAUSE_ACCESS, bare);
	bare(vcpu);
	cpu_states[vcpu].finished = true;
	for (unsigned i = 0; i < nr_vcpus; i++)
		all &= cpu_states[i].finished;
	scenario_over = all;
	for (;;)
		explore_idle();
}

/* Does nothing: tools/gdb/explore.py stops here, where a schedule has a choice. */
static __attribute__((noinline)) void explore_choice(void)
{
	__asm__ volatile("");
}

void explore_from_here(void)
{
	if (!scenario_sets_up)
		explore_fail("explore_from_here() is for a scenario with .sets_up, and once");
	scenario_sets_up = false;
}

uint64_t position(void)
{
	enum pause why = cpu_states[vcpu].why;

	return 2 * progress.accesses + (why != PAUSE_ACCESS && why != PAUSE_LOCK);
}

/* --- Where a CPU stops ------------------------------------------------------------------------ */

void pause_cpu(enum pause why, const void *pc)
{
	if (!running)
		return;
	cpu_states[vcpu].why = why;
	cpu_states[vcpu].pc = pc;
	cpu_states[vcpu].asked = false;
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
	bool news = progress.looked[vcpu] != progress.stores || progress.older[vcpu];

	progress.older[vcpu] = false;
	progress.looked[vcpu] = progress.stores;
	pause_cpu(news ? PAUSE_TURN : PAUSE_SPIN, NULL);
}

/*
 * A thread that knows its CPU may not be on it any more when interrupts are off. The access that
 * asked came after the last pause, so no other pause has this position.
 */
void explore_masks(void)
{
	if (cpu_states[vcpu].asked)
		pause_cpu(PAUSE_MASK, NULL);
	cpu_states[vcpu].asked = false;
}

/* Not an access, but it counts as one, so that a schedule can name the moment before it. */
void explore_point(void)
{
	struct cpu_state *c = &cpu_states[vcpu];

	c->load = NULL;
	c->may_fail = c->unraced = false;
	progress.accesses++;
	pause_cpu(PAUSE_ACCESS, NULL);
}

void explore_user_loop(void)
{
	progress.accesses++;
	pause_cpu(PAUSE_LOOP, NULL);
}

bool explore_loops(unsigned cpu)
{
	return cpu_states[cpu].why == PAUSE_LOOP;
}

void explore_check_at(const char *file, unsigned line)
{
	failed_at = (struct place){ file, line };
}

void explore_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(verdict, sizeof(verdict), format, args);
	va_end(args);
	if (booting)
		boot_failed();
	if (!running) {
		fprintf(stderr, "explore: %s\n", verdict);
		exit(2);
	}
	pause_cpu(PAUSE_FAILED, NULL);
	abort();
}

/* --- Crashes ---------------------------------------------------------------------------------- */

#define ALARM_S	5	/* of computing: no step takes a thousandth of it */

static uint64_t steps_at_alarm;

static void crashed(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (!running && sig == SIGVTALRM)
		return;
	if (!running) {
		fprintf(stderr, "explore: crashed outside a scenario: %s at %p\n", strsignal(sig),
			info->si_addr);
		_exit(2);
	}
	if (sig == SIGVTALRM && nr_steps != steps_at_alarm) {
		steps_at_alarm = nr_steps;
		return;
	}
	if (sig == SIGVTALRM)
		explore_fail("it does not end: a CPU runs on without an access to memory");
	explore_fail("%s at address %p", sig == SIGSEGV ? "an access" : strsignal(sig),
		     info->si_addr);
}

static void catch_crashes(void)
{
	static char stack[64 << 10];
	stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = crashed };
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGVTALRM };
	struct itimerval alarm = { { ALARM_S, 0 }, { ALARM_S, 0 } };

	/* The handler leaves by a switch of stacks, so signals must not stay blocked. */
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	sigaltstack(&own, NULL);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	setitimer(ITIMER_VIRTUAL, &alarm, NULL);
}

/* --- Going on --------------------------------------------------------------------------------- */

void step_init(void (*function)(unsigned cpu))
{
	bare = function;
	order_init();
	catch_crashes();
	for (unsigned i = 0; i < nr_vcpus; i++) {
		char *top = host_entry_stacks[i] + sizeof(host_entry_stacks[i]);

		cpu_states[i] = (struct cpu_state){ .why = PAUSE_ACCESS };
		host_cpu_sp[i] = host_first_frame(top, begin_cpu);
	}
}

/*
 * Clears what functions that have returned left below the stack pointer where the CPU has paused.
 * A function that is called there next has it in its frame, until it stores to the frame, and then
 * it would make states different that are not. Some words more than one pause leaves are enough.
 */
static void forget_returned(void)
{
	char *sp = host_cpu_sp[vcpu];
	unsigned stack = host_stack_of(sp);

	if (stack != HOST_NO_STACK && host_stack_of(sp - LEFT_BEHIND - sizeof(uint64_t)) == stack)
		memset(sp - LEFT_BEHIND, 0, LEFT_BEHIND);
}

void step(unsigned cpu)
{
	vcpu = cpu;
	progress.turn[cpu] = 0;
	nr_steps++;
	effects = (struct effects){ 0 };
	running = true;
	host_switch_stack(&explorer_sp, host_cpu_sp[cpu]);
	forget_returned();
}

static bool can_go_on(unsigned cpu)
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
		return progress.looked[cpu] != progress.stores || host_takes_interrupts(cpu);
	case PAUSE_TURN:
	case PAUSE_MASK:
		return true;
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
