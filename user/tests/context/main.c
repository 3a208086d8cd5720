/*
 * The registers of a signal's handler: those of the interrupted program are in the context that the
 * handler gets, and it goes on with what the handler leaves there, whatever way it came into the
 * kernel.
 *
 * regs.S, one for each machine, fills all registers that a program may use, gets a signal, and
 * notes them again.
 */
#include <sys/syscall.h>

#include "../test.h"

enum way { BY_A_CALL, BY_A_TRAP };

/*
 * Fills the registers with @value and the numbers behind it, makes the system call @nr, which
 * signals @pid, or runs an instruction that there is not, and stores all registers in @after.
 */
void context_run(unsigned long value, unsigned long *after, enum way, long nr, long pid, long sig);
extern const char context_after[];	/* where it goes on behind the instruction */

/* Where the registers are in ucontext_t, in the order in which they are stored; 0 ends them. */
extern const unsigned short context_registers[];
extern const unsigned short context_pc, context_flags;		/* also there; 0: no flags */
extern const unsigned long context_flags_to_change;

/* Makes a system call step by step. Returns how many steps there are at least; 0: it cannot. */
long context_step(long nr);

#define MOST	32

static volatile enum way came;
static unsigned long left[MOST], flags_left;	/* what the handler leaves */

static unsigned long *word(void *context, unsigned offset)
{
	return (unsigned long *)((char *)context + offset);
}

static void change(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info;
	for (int i = 0; context_registers[i]; i++)
		left[i] = *word(context, context_registers[i]) += 1000 + i;
	if (came == BY_A_TRAP)
		*word(context, context_pc) = (unsigned long)context_after;
	if (context_flags)
		flags_left = *word(context, context_flags) ^= context_flags_to_change;
}

static void handle_by_change(int sig)
{
	struct sigaction sa = { .sa_sigaction = change, .sa_flags = SA_SIGINFO };

	CHECK_EQ(sigaction(sig, &sa, NULL), 0);
}

static void run(enum way way, int sig)
{
	unsigned long after[MOST + 1];
	int n = 0;

	handle_by_change(sig);
	for (unsigned long value = 0x1234567890; value < 0x1234567894; value++) {
		came = way;
		context_run(value << 24, after, way, SYS_kill, getpid(), sig);
		for (n = 0; context_registers[n]; n++)
			CHECK_EQ(after[n] - left[n], 0);
		CHECK(n > 8);
		if (context_flags)
			CHECK_EQ(after[n] & context_flags_to_change,
				 flags_left & context_flags_to_change);
	}
}

static void after_a_call(void)
{
	run(BY_A_CALL, SIGUSR1);
}

static void after_a_trap(void)
{
	run(BY_A_TRAP, SIGILL);
}

static volatile sig_atomic_t steps;

static void count_step(int sig)
{
	(void)sig;
	steps++;
}

static void step_by_step(void)
{
	long least;

	CHECK(signal(SIGTRAP, count_step) != SIG_ERR);
	least = context_step(SYS_getpid);
	CHECK(steps >= least);
}

static const struct test_case cases[] = {
	CASE(after_a_call),
	CASE(after_a_trap),
	CASE(step_by_step),
};

TEST_MAIN(cases)
