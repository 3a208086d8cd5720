/*
 * Lab 01, hidden: some programs at a time, which know all their registers, and an interrupt that
 * comes at any instruction of one of them, of its page fault or of its end. In its handler there
 * are faults and requests; or its end gives the CPU to another program.
 */
#include "base/panic.h"
#include "base/string.h"
#include "errno.h"
#include "mm/vm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define CODE		0x10000000UL
#define STACK		0x20000000UL
#define FRESH		0x30000000UL
#define NOWHERE		((vaddr_t)16)	/* never mapped */
#define IN_LOOP		2000u		/* instructions from its begin: it is in its loop */
#define LOOP		150000u		/* and so many more it stays there */
#define ROUNDS		60u
#define MOST		3u		/* programs at a time */
#define CODE_LIMIT	200		/* exit codes from here on: it could not be set up */

struct test_word {
	const char *name;
	u64 offset;
	const u64 *expected;
};

/* arch/<arch>/test_registers.S */
extern const struct test_word test_registers[];
extern const char test_user[], test_user_end[];
extern const u64 test_frame_pointer, test_forged_frame;

u64 test_flags(void);

/* Where the interrupt finds the first program. */
static const struct {
	const char *function;		/* NULL: the program's loop */
	unsigned steps;			/* of the kernel's function */
} places[] = { { NULL, 0 }, { NULL, 0 }, { "as_fault", 400 }, { "process_exit", 400 },
	       { "thread_exit", 100 } };

static unsigned place, programs, looks;

/*
 * The first register's value. A chain that goes on into user mode takes its registers for a frame,
 * as the frame pointer is the address of that in the trap frame.
 */
static u64 value_of(struct thread *t)
{
	return (u64)arch_trapframe(t) + test_forged_frame - test_frame_pointer;
}

/* Of a program in its loop, all registers but the last one and the loop's own have their values. */
static void check_frame(struct thread *t)
{
	struct trapframe *tf = arch_trapframe(t);

	CHECK(arch_trap_from_user(tf) && arch_trap_pc(tf) - CODE < PAGE_SIZE, "P1.10",
	      "the frame of a program has the pc 0x%lx", arch_trap_pc(tf));
	for (unsigned i = 0; test_registers[i + 1].name; i++) {
		u64 saved = *(u64 *)((u64)tf + test_registers[i].offset);

		CHECK(saved == value_of(t) + i || !strcmp(test_registers[i].name, "a0"),
		      "P1.10", "a program's frame has 0x%lx for %s, not 0x%lx", saved,
		      test_registers[i].name, value_of(t) + i);
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
		CHECK(pcs[i] - value_of(t) > 64, "P1.10",
		      "a call chain goes on into the user's registers");
	if (programs == 1 && !places[place].function)
		check_frame(t);
}

/* --- Programs --------------------------------------------------------------------------------- */

static int map(vaddr_t addr, unsigned prot)
{
	struct map_request req = { .addr = addr, .size = PAGE_SIZE, .prot = prot, .fixed = true };
	vaddr_t at;

	return as_map(current_thread()->as, &req, &at);
}

static int become_user(void *first)
{
	u64 args[2] = { value_of(current_thread()), FRESH };
	struct addr_space *as;
	int err = 0;

	if (as_create(&as))
		return CODE_LIMIT;
	process_set_as(as);
	if (map(CODE, VM_READ | VM_WRITE | VM_EXEC) || map(STACK, VM_READ | VM_WRITE) ||
	    map(FRESH, VM_READ | VM_WRITE) ||
	    copy_to_user(CODE, test_user, test_user_end - test_user) ||
	    copy_to_user(STACK + 1024, args, sizeof(args)))
		return CODE_LIMIT + 1;
	arch_user_init(current_thread(), CODE, STACK + 1024);
	if (first && !places[place].function)
		sweep_begin(IN_LOOP + test_random() % LOOP);
	else if (first)
		err = sweep_arm(places[place].function, current_thread(),
				1 + test_random() % places[place].steps);
	if (err)
		return CODE_LIMIT + 2;
	arch_user_enter();
}

static pid_t start(bool first)
{
	struct process *p;
	struct thread *t;
	pid_t pid;

	REQUIRE(process_create(current_process(), &p) == 0, "P1.10", "no process was made");
	pid = p->pid;
	REQUIRE(thread_create_in(p, "user", become_user, (void *)(u64)first, PRIORITY_DEFAULT,
				 &t) == 0,
		"P1.10", "no thread was made");
	thread_resume(t);
	return pid;
}

static void await(pid_t pid)
{
	struct wait_result res = { 0 };

	CHECK(process_wait(pid, WEXITED, &res) == 0 && res.pid == pid, "P1.10", "it did not end");
	CHECK((res.status & 0x7f) == 0, "P1.10", "a program was ended by signal %d",
	      res.status & 0x7f);
	CHECK((res.status & 0x7f) || res.status >> 8 == 0, "P1.10",
	      "a program among %u, interrupted in %s, ended with the code %d: part %d, register %d",
	      programs, places[place].function ? places[place].function : "its loop",
	      res.status >> 8, res.status >> 13, (res.status >> 8) % 32 - 1);
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
		pids[i] = start(i == 0);
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
