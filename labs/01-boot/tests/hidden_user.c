/*
 * Lab 01, hidden: some programs at a time, which know all their registers, and an interrupt that
 * comes at any instruction of one of them, of its page fault or of its end. In its handler there
 * are faults and requests; or its end gives the CPU to another program.
 */
#include "program.h"

#include "base/panic.h"
#include "base/string.h"
#include "errno.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "test/instrument.h"

#define NOWHERE		((vaddr_t)16)	/* never mapped */
#define IN_LOOP		2000u		/* instructions from its begin: it is in its loop */
#define LOOP		150000u		/* and so many more it stays there */
#define ROUNDS		60u
#define MOST		3u		/* programs at a time */

/* Where the interrupt finds the first program. */
static const struct {
	const char *function;		/* NULL: the program's loop */
	unsigned steps;			/* of the kernel's function */
} places[] = { { NULL, 0 }, { NULL, 0 }, { "as_fault", 400 }, { "process_exit", 400 },
	       { "thread_exit", 100 } };

static unsigned place, programs, looks;

/* Of a program in its loop, all registers but the last one and the loop's own have their values. */
static void check_frame(struct thread *t)
{
	struct trapframe *tf = arch_trapframe(t);

	CHECK(arch_trap_from_user(tf) && arch_trap_pc(tf) - CODE < PAGE_SIZE, "P1.10",
	      "the frame of a program has the pc 0x%lx", arch_trap_pc(tf));
	for (unsigned i = 0; test_registers[i + 1].name; i++) {
		u64 saved = *(u64 *)((u64)tf + test_registers[i].offset);

		CHECK(saved == program_value(t) + i || !strcmp(test_registers[i].name, "a0"),
		      "P1.10", "a program's frame has 0x%lx for %s, not 0x%lx", saved,
		      test_registers[i].name, program_value(t) + i);
	}
}

static void fault(void)
{
	u32 word;

	CHECK(copy_from_user(&word, NOWHERE, sizeof(word)) == -EFAULT, "P1.9", "no fault");
}

/* In the timer's interrupt. */
static void look(void *unused)
{
	struct thread *t = current_thread();
	u64 fp = arch_frame_pointer(), pcs[40];
	unsigned n;

	(void)unused;
	looks++;
	if (test_random() % 2)
		ipi_send(this_cpu(), IPI_RESCHED);
	for (u64 times = test_random() % 3; times > 0; times--)
		fault();
	CHECK(this_cpu()->irq_nesting == 1, "P1.8", "while a handler runs %u are counted",
	      this_cpu()->irq_nesting);
	CHECK(!test_flags() && !arch_irqs_enabled(), "P1.10",
	      "the handler runs with interrupts %s and the flags 0x%lx",
	      arch_irqs_enabled() ? "on" : "off", test_flags());
	if (!t->as)
		return;
	CHECK(fp > (u64)t->stack && fp < (u64)arch_trapframe(t), "P1.10",
	      "the handler does not run below the user's frame");
	n = backtrace_walk(t, fp, pcs, ARRAY_SIZE(pcs));
	for (unsigned i = 0; i < n; i++)
		CHECK(pcs[i] - program_value(t) > 64, "P1.10",
		      "a call chain goes on into the user's registers");
	if (programs == 1 && !places[place].function)
		check_frame(t);
}

/* --- Programs --------------------------------------------------------------------------------- */

static int become_user(void *first)
{
	int err = program_load(test_user);

	if (err)
		return err;
	if (first && !places[place].function)
		sweep_begin(IN_LOOP + test_random() % LOOP);
	else if (first)
		err = sweep_arm(places[place].function, current_thread(),
				1 + test_random() % places[place].steps);
	if (err)
		return NOT_SET_UP + 2;
	arch_user_enter();
}

static void await(pid_t pid)
{
	int status = program_await(pid), code = status >> 8;

	CHECK((status & 0x7f) == 0, "P1.10", "a program was ended by signal %d", status & 0x7f);
	CHECK((status & 0x7f) || code == 0, "P1.10",
	      "a program among %u, interrupted in %s, ended with the code %d: part %d, register %d",
	      programs, places[place].function ? places[place].function : "its loop",
	      code, code >> 5, code % 32 - 1);
}

static void round_of_programs(void)
{
	u64 requests = atomic_load(&cpus[0].stats.resched_ipis);
	bool acts = test_random() % 3;
	pid_t pids[MOST];

	programs = 1 + test_random() % MOST;
	place = test_random() % ARRAY_SIZE(places);
	looks = 0;
	sweep_action = acts ? look : NULL;
	for (unsigned i = 0; i < programs; i++)
		pids[i] = program_start(become_user, (void *)(u64)(i == 0));
	for (unsigned i = 0; i < programs; i++)
		await(pids[i]);
	sweep_action = NULL;
	CHECK(looks <= 1 && (looks == acts || places[place].function), "P1.8",
	      "an interrupt came in the loop of a program, and its handler was called %u times",
	      looks);
	CHECK(atomic_load(&cpus[0].stats.resched_ipis) - requests <= 1, "P1.8",
	      "one request was made, and its handler counts %lu",
	      atomic_load(&cpus[0].stats.resched_ipis) - requests);
}

KTEST(users_mixed, "user.mixed", "01.h", "P1.10")
{
	NEEDS_ONE_CPU;
	for (unsigned i = 0; i < ROUNDS; i++)
		round_of_programs();
}
