/*
 * Lab 01, challenge: a call chain goes on into the user program. The program is that of user.c; its
 * frame pointer leads to frames that the test has laid out in a page of the program.
 */
#include "base/panic.h"
#include "base/string.h"
#include "mm/vm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define CODE		0x10000000UL
#define STACK		0x20000000UL
#define FRESH		0x30000000UL
#define FRAMES		0x40000000UL
#define ABSENT		(FRAMES + PAGE_SIZE)	/* mapped, and not touched yet */
#define NOWHERE		0x50000000UL
#define LOOP_STEP	40000u		/* instructions: in the program's loop */
#define DEPTH		5u
#define SPACING		64u		/* bytes from one frame to the next */
#define RETURN(i)	(CODE + 0x100 * ((i) + 1))

enum interrupted { IN_LOOP, IN_CALL };

extern const char test_user[], test_user_end[];
extern const u64 test_frame_pointer;	/* the number of the register */

static u64 words[PAGE_SIZE / sizeof(u64)];	/* what the page at FRAMES holds */
static u64 first;			/* the program's frame pointer */
static u64 pcs[60], few[60];
static unsigned n, n_few, visits;
static bool set_up;

static u64 frame_at(unsigned i)
{
	return FRAMES + (i + 1) * SPACING;
}

/* Writes the frame at user address @fp as the port has it: it returns to @pc, leads to @next. */
static void put_frame(u64 fp, u64 pc, u64 next)
{
	u64 here[4] = { 0, 1, 2, 3 }, at = (u64)&here[2], i = (fp - FRAMES) / sizeof(u64);

	words[i - 2 + arch_frame_return(at)] = pc;
	words[i - 2 + arch_frame_next(at)] = next;
}

/* A whole chain: the outermost frame returns to 0, and leads nowhere. */
static void put_chain(void)
{
	memset(words, 0, sizeof(words));
	first = frame_at(0);
	for (unsigned i = 0; i < DEPTH; i++)
		put_frame(frame_at(i), RETURN(i), frame_at(i + 1));
}

/* In the timer's interrupt. */
static void look(void *unused)
{
	u64 fp = arch_frame_pointer();
	struct thread *t = current_thread();

	(void)unused;
	visits += t->as != NULL;
	n = backtrace_walk(t, fp, pcs, ARRAY_SIZE(pcs));
	n_few = backtrace_walk(t, fp, few, n > 3 ? n - 3 : 0);
}

static int map(vaddr_t addr, unsigned pages, unsigned prot)
{
	struct map_request req = { .addr = addr, .size = pages * PAGE_SIZE, .prot = prot,
				   .fixed = true };
	vaddr_t at;

	return as_map(current_thread()->as, &req, &at);
}

static int become_user(void *arg)
{
	u64 args[2] = { first - test_frame_pointer, FRESH };
	struct addr_space *as;

	set_up = false;
	if (as_create(&as))
		return 1;
	process_set_as(as);
	if (map(CODE, 1, VM_READ | VM_WRITE | VM_EXEC) || map(STACK, 1, VM_READ | VM_WRITE) ||
	    map(FRESH, 1, VM_READ | VM_WRITE) || map(FRAMES, 2, VM_READ | VM_WRITE) ||
	    copy_to_user(CODE, test_user, test_user_end - test_user) ||
	    copy_to_user(FRAMES, words, sizeof(words)) ||
	    copy_to_user(STACK + 1024, args, sizeof(args)))
		return 1;
	arch_user_init(current_thread(), CODE, STACK + 1024);
	if ((enum interrupted)(u64)arg == IN_LOOP)
		sweep_begin(LOOP_STEP);
	else if (sweep_arm("process_exit", current_thread(), 1))
		return 1;
	set_up = true;
	arch_user_enter();
}

/* Runs the program and walks its chain @where; returns how many entries are the program's. */
static unsigned walk_user(enum interrupted where, const char *what)
{
	struct wait_result res = { 0 };
	struct process *p;
	struct thread *t;
	unsigned own = 0;

	n = visits = 0;
	sweep_action = look;
	REQUIRE(process_create(current_process(), &p) == 0, ktest_property(),
		"no process was made");
	REQUIRE(thread_create_in(p, "user", become_user, (void *)(u64)where, PRIORITY_DEFAULT,
				 &t) == 0,
		ktest_property(), "no thread was made");
	thread_resume(t);
	CHECK(process_wait(p->pid, WEXITED, &res) == 0, ktest_property(),
	      "the program did not end");
	sweep_action = NULL;
	REQUIRE(set_up && visits == 1, ktest_property(), "%u interrupts found the program", visits);
	for (unsigned i = 0; i < n; i++)
		own += pcs[i] < ARCH_USER_END;
	REQUIRE(n > own, ktest_property(), "%s: the kernel's part of the chain is missing", what);
	for (unsigned i = 0; i < n; i++)
		CHECK((pcs[i] < ARCH_USER_END) == (i >= n - own), ktest_property(),
		      "%s: entry %u of %u is %lx", what, i, n, pcs[i]);
	return own;
}

/* The program's part of the chain is where it goes on, and then @returns return addresses. */
static void expect(enum interrupted where, unsigned returns, const char *what)
{
	unsigned own = walk_user(where, what);

	CHECK(own == returns + 1, ktest_property(),
	      "%s: %u entries are the program's, not %u", what, own, returns + 1);
	if (own == returns + 1) {
		u64 pc = pcs[n - own];

		CHECK(pc >= CODE && pc - CODE < (u64)(test_user_end - test_user), ktest_property(),
		      "%s: the program goes on at %lx, which is not its code", what, pc);
		for (unsigned i = 0; i < returns; i++)
			CHECK(pcs[n - returns + i] == RETURN(i), ktest_property(),
			      "%s: frame %u returns to %lx, not to %lx", what, i,
			      pcs[n - returns + i], RETURN(i));
	}
	CHECK(n_few == (n > 3 ? n - 3 : 0), ktest_property(),
	      "%s: of %u entries %u were asked for, and %u stored", what, n, n - 3, n_few);
}

KTEST(challenge_user_chain, "challenge.user_chain", "01.c", "C1.1")
{
	NEEDS_ONE_CPU;
	put_chain();
	expect(IN_LOOP, DEPTH, "an interrupt of the program");
	expect(IN_CALL, DEPTH, "a system call");
}

/* The program may have written anything there. */
KTEST(challenge_damaged, "challenge.damaged", "01.c", "C1.2")
{
	static const u64 bad[] = { 0, 8, NOWHERE, ABSENT + 64, ARCH_USER_END - 8, ARCH_DIRECT_BASE,
				   -16UL, FRAMES + SPACING + 4 };

	NEEDS_ONE_CPU;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		put_chain();
		first = bad[i];
		expect(IN_LOOP, 0, "a frame pointer that is none");
		put_chain();
		put_frame(frame_at(1), RETURN(1), bad[i]);
		expect(IN_CALL, 2, "a frame that leads nowhere");
	}
	put_chain();
	put_frame(frame_at(2), RETURN(2), frame_at(2));
	expect(IN_CALL, 3, "a frame that leads to itself");
	put_chain();
	put_frame(frame_at(3), RETURN(3), frame_at(0));
	expect(IN_LOOP, 4, "a frame that leads back");
	put_chain();
	first = (u64)arch_trapframe(current_thread()) - 256;
	expect(IN_LOOP, 0, "a frame pointer into a kernel stack");
}
