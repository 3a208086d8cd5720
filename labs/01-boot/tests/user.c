/*
 * Lab 01, step 7: traps and system calls of user mode. A process runs one page of code that knows
 * what is in its registers (arch/<arch>/test_registers.S), and never gets further.
 */
#include "interrupts.h"
#include "program.h"

#include "base/irq.h"
#include "base/panic.h"
#include "process/signal.h"
#include "sched/policy/policy.h"
#include "sched/time.h"
#include "test/instrument.h"

#define LOOP_STEP	40000u		/* instructions: in the program's loop */
#define TURN		(100 * NSEC_PER_MSEC)	/* by then another thread has had the CPU */
#define AT_ONCE		(100 * NSEC_PER_USEC)
#define NO_TURN		220		/* exit codes of one that stays in the kernel */
#define IN_USER_MODE	221
#define NOT_AT_ONCE	222

/* Where an interrupt finds the program, if one does. */
enum interrupted { NEVER, IN_LOOP, IN_CALL, AT_BREAKPOINT };

static unsigned visits, user_visits, entries;
static u64 value, pc, pcs[40];

/* In the timer's interrupt, which finds the program in its loop, a system call or a breakpoint. */
static void look(void *unused)
{
	struct thread *t = current_thread();
	u64 fp = arch_frame_pointer();

	(void)unused;
	visits++;
	ipi_send(this_cpu(), IPI_RESCHED);	/* is pending until the user's registers are back */
	user_visits += t->as != NULL;
	CHECK(this_cpu()->irq_nesting == 1, "P1.8", "while a handler runs %u are counted",
	      this_cpu()->irq_nesting);
	CHECK(!test_flags(), "P1.10", "the handler runs with the flags 0x%lx", test_flags());
	CHECK(fp > (u64)t->stack && fp < (u64)arch_trapframe(t), "P1.10",
	      "the handler does not run below the user's frame");
	pc = arch_trap_pc(arch_trapframe(t));
	entries = backtrace_walk(t, fp, pcs, ARRAY_SIZE(pcs));
	for (unsigned i = 0; i < entries; i++)
		CHECK(pcs[i] - value > 64, "P1.10",
		      "a call chain goes on into the user's registers");
}

static int become_user(void *arg)
{
	enum interrupted where = (enum interrupted)(u64)arg;
	int err = program_load(where == AT_BREAKPOINT ? test_user_break : test_user);

	if (err)
		return err;
	value = program_value(current_thread());
	if (where == IN_CALL && sweep_arm("process_exit", current_thread(), 1))
		return NOT_SET_UP + 2;
	if (where == AT_BREAKPOINT && sweep_arm("thread_exit", current_thread(), 1))
		return NOT_SET_UP + 2;
	if (where == IN_LOOP)
		sweep_begin(LOOP_STEP);
	arch_user_enter();
}

static int run_user(enum interrupted where)
{
	return program_await(program_start(become_user, (void *)(u64)where));
}

static void check_status(int status)
{
	static const char *const parts[] = { "interrupts", "a page fault", "a system call" };
	unsigned code = status >> 8 & 0xff, nr = code % 32;
	bool exited = (status & 0x7f) == 0;

	CHECK(exited, "P1.10", "the program was ended by signal %d",
	      status & 0x7f);
	if (!exited)
		return;
	CHECK(code < NOT_SET_UP, "P1.10", "the program could not be set up: %u", code);
	CHECK(code % 32 || !code || code > 96, "P1.10", "%s changed the user's flags",
	      parts[(code / 32 - 1) % 3]);
	CHECK(nr == 0 || code > 96, "P1.10", "%s changed the user's register number %u",
	      parts[code / 32 % 3], nr - 1);
}

KTEST(user_registers, "user.registers", "01.7", "P1.10")
{
	for (unsigned i = 0; i < 4; i++)
		check_status(run_user(NEVER));
}

/* Interrupts the program @where, and counts what the interrupt finds; returns how it ended. */
static int look_at_user(enum interrupted where)
{
	int status;

	visits = user_visits = 0;
	sweep_action = look;
	status = run_user(where);
	sweep_action = NULL;
	return status;
}

KTEST(user_interrupted, "user.interrupted", "01.7", "P1.10")
{
	NEEDS_ONE_CPU;
	check_status(look_at_user(IN_LOOP));
	CHECK(visits == 1 && user_visits == 1, "P1.10", "%u interrupts came, %u in the program",
	      visits, user_visits);
}

/* A breakpoint is no call: the frame, and a signal's handler, know where it came. */
static void check_breakpoint(void)
{
	int status = look_at_user(AT_BREAKPOINT);
	u64 came = CODE + (u64)(test_user_broken - test_user);

	CHECK(status == SIGTRAP, "P1.10", "a breakpoint ended the program with the status 0x%x",
	      status);
	CHECK(visits == 1 && user_visits == 1, "P1.10", "%u interrupts came, %u at a breakpoint",
	      visits, user_visits);
	CHECK(pc == came, "P1.10", "the frame of a breakpoint has 0x%lx for the pc, not 0x%lx", pc,
	      came);
}

static _Atomic bool turn_taken;

static int take_turn(void *unused)
{
	(void)unused;
	turn_taken = true;
	return 0;
}

static bool turn_within(u64 ns)
{
	u64 began = time_now();

	while (!turn_taken && time_now() - began < ns)
		arch_spin_hint();
	return turn_taken;
}

/* The thread is marked, as one must be for @urgent, and an interrupt comes: a request. */
static bool gives_way_at_once(struct thread *urgent)
{
	turn_taken = false;
	mark_for(urgent);
	ipi_send(this_cpu(), IPI_RESCHED);
	arch_irqs_enable();
	return turn_within(AT_ONCE);
}

static struct thread *other, *urgent;

/* As in a long system call: the thread has a user's frame, and is in the kernel all the time. */
static int stay_in_kernel(void *unused)
{
	int err = program_load(test_user);

	(void)unused;
	if (err)
		return err;
	thread_resume(other);
	if (!turn_within(TURN))
		return NO_TURN;
	if (current_thread()->stats.user_ns)
		return IN_USER_MODE;
	return gives_way_at_once(urgent) ? 0 : NOT_AT_ONCE;
}

/* The timer's handler, and the end of it, are told where this interrupt came. */
static void check_interrupted_call(void)
{
	int code;

	other = thread_create("other", take_turn, NULL, PRIORITY_DEFAULT);
	urgent = thread_create("urgent", take_turn, NULL, PRIORITY_HIGHEST);
	REQUIRE(other && urgent, "P1.8", "no memory for a thread");
	turn_taken = false;
	code = program_await(program_start(stay_in_kernel, NULL)) >> 8 & 0xff;
	CHECK(code != NO_TURN, "P1.8", "a system call that takes long keeps the CPU");
	CHECK(code != NOT_AT_ONCE, "P1.8",
	      "a system call that takes long keeps the CPU from an urgent thread after a request");
	CHECK(code != IN_USER_MODE, "P1.8",
	      "the time of an interrupted system call is charged as that of the program");
	CHECK(code < NOT_SET_UP || code >= NO_TURN, "P1.10",
	      "the program could not be set up: %u", code);
	if (code)
		return;				/* perhaps they have not been started */
	thread_join(other, NULL, DEADLINE_NEVER);
	thread_join(urgent, NULL, DEADLINE_NEVER);
}

/* A call chain from inside a system call ends there as well. */
KTEST(user_called, "user.called", "01.7", "P1.10")
{
	NEEDS_ONE_CPU;
	check_status(look_at_user(IN_CALL));
	CHECK(sweep_hit() && visits == 1 && user_visits == 1, "P1.10",
	      "%u interrupts came, %u in the program's call", visits, user_visits);
	check_breakpoint();
	check_interrupted_call();
}

/* --- Two CPUs --------------------------------------------------------------------------------- */

#define HELD	(200 * NSEC_PER_MSEC)

static _Atomic bool over;
static struct thread *_Atomic user;

/* On CPU 0: as in a system call, and held as soon as an interrupt comes. */
static int stay_in_call(void *unused)
{
	u64 began = time_now();
	int err = program_load(test_user);

	(void)unused;
	if (err)
		return err;
	if (park_arm(0, "irq_enter", AT_ENTRY, current_thread(), HELD))
		return NOT_SET_UP + 2;
	while (!over && time_now() - began < HELD)
		arch_spin_hint();
	return current_thread()->stats.user_ns ? IN_USER_MODE : 0;
}

static int become_known_user(void *unused)
{
	(void)unused;
	atomic_store(&user, thread_get(current_thread()));
	return become_user((void *)(u64)NEVER);
}

/* Sleeps until an interrupt that ended a sleep has come in user mode: the last one on this CPU. */
static bool wait_for_user_mode(void)
{
	u64 began = time_now();
	struct thread *t;

	do {
		thread_sleep(AT_ONCE);
		t = atomic_load(&user);
	} while (!(t && t->stats.user_ns) && time_now() - began < HELD);
	return t && t->stats.user_ns;
}

/* While an interrupt of one CPU is about to be handled another one comes, and in user mode. */
KTEST(user_beside, "user.beside", "01.7", "P1.8")
{
	struct sched_params at_once = params_of_level(PRIORITY_HIGHEST);
	pid_t in_kernel, in_user_mode;
	int status;

	NEEDS_TWO_CPUS;
	over = false;
	user = NULL;
	sched_set_affinity(current_thread(), BIT(1));
	sched_set_params(current_thread(), &at_once);		/* so that its sleeps end on time */
	in_kernel = program_start_among(BIT(0), stay_in_call, NULL);
	CHECK(park_wait(0, HELD), "P1.8", "no interrupt comes to a program in a system call");
	in_user_mode = program_start_among(BIT(1), become_known_user, NULL);
	CHECK(wait_for_user_mode(), "P1.8", "no interrupt comes to a program in user mode");
	park_release(0);
	thread_sleep(NSEC_PER_MSEC);
	over = true;
	status = program_await(in_kernel) >> 8 & 0xff;
	CHECK(status != IN_USER_MODE, "P1.8",
	      "the timer's handler of a CPU in the kernel was told of another CPU's user mode");
	CHECK(!status || status == IN_USER_MODE, "P1.10", "the program could not be set up: %u",
	      status);
	check_status(program_await(in_user_mode));
	if (user)
		thread_put(user);
}
