/*
 * Lab 01, steps 3 and 4: the way into a trap's handler, and the way out. A breakpoint comes while
 * every register has a value of its own (arch/<arch>/test_registers.S). Interrupts are off: none
 * has a handler yet.
 */
#include "registers.h"

#include "base/panic.h"
#include "base/string.h"
#include "sched/cpu.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define REGISTERS_MAX	32u
#define TRAPS_MAX	100u	/* more than all breakpoints of a test */
#define CHANGED		(0x6000u | BIT(19))	/* FS and MXR in sstatus of RISC-V */

static u64 value, after[REGISTERS_MAX];
static unsigned traps;

/* Says which register's value @v is: a wrong one often is another's. */
static const char *whose(u64 v)
{
	return v - value < registers() ? test_registers[v - value].name : "no register";
}

/* --- The way in ------------------------------------------------------------------------------- */

static void check_frame(struct trapframe *tf)
{
	unsigned kept = 0, nr = registers();

	for (unsigned i = 0; i < nr; i++) {
		u64 saved = *word_of(tf, &test_registers[i]);

		CHECK(saved == value + i, "P1.5", "the frame has 0x%lx for %s: the value of %s",
		      saved, test_registers[i].name, whose(saved));
		kept += saved == value + i;
	}
	for (const struct test_word *w = test_words; w->name; w++) {
		u64 saved = *word_of(tf, w);

		CHECK(saved == *w->expected, "P1.5", "the frame has 0x%lx for %s, not 0x%lx", saved,
		      w->name, *w->expected);
	}
	CHECK(kept == nr, "P1.5", "%u of %u registers are in the frame", kept, nr);
}

static void look_and_leave(struct trapframe *tf)
{
	trap_action = NULL;
	CHECK(!arch_irqs_enabled(), "P1.6", "the handler runs with interrupts on");
	CHECK(!test_flags(), "P1.6", "the handler runs with the flags 0x%lx", test_flags());
	/* x86_64 aligns the stack pointer first, and RISC-V's is a multiple of 16 always */
	CHECK(ALIGN_DOWN(arch_trap_sp(tf), 16) == (u64)(tf + 1), "P1.6",
	      "the frame at %p is not right below the stack pointer %lx", (void *)tf,
	      arch_trap_sp(tf));
	CHECK(arch_frame_pointer() < (u64)tf, "P1.6", "the handler's stack is above the frame");
	check_frame(tf);
	ktest_leave();		/* the way out is step 4 */
}

/* Registers have no bit where the flags are that C relies on: none clears these by chance. */
KTEST_EARLY(entry_frame, "entry.frame", "01.3", "P1.5")
{
	value = test_random() << 24;
	trap_action = look_and_leave;
	test_trap(value, after);
	CHECK(false, "P1.5", "no handler was called");
}

/* --- The way out ------------------------------------------------------------------------------ */

/* Clobbers what a function may, and goes on behind the breakpoint. */
static void go_on(struct trapframe *tf)
{
	arch_trap_set_pc(tf, (u64)test_trap_resume);
	if (++traps < TRAPS_MAX)
		return;
	trap_action = NULL;
	CHECK(false, "P1.7", "the breakpoint comes again and again, whatever pc the frame has");
	ktest_leave();
}

static void go_on_changed(struct trapframe *tf)
{
	for (unsigned i = 0; i < registers(); i++)
		*word_of(tf, &test_registers[i]) += 1000;
	go_on(tf);
}

static void go_on_called(struct trapframe *tf)
{
	traps++;
	arch_trap_set_pc(tf, (u64)test_trap_called_resume);
}

/* A trap in the handler: what the CPU keeps of a trap is then about that one. */
static void go_on_nested(struct trapframe *tf)
{
	trap_action = go_on_called;
	test_trap_called();
	go_on(tf);
}

static u64 noted, changed;	/* bits of the status: in the last frame, and those to change */

/* Changes what no code of the kernel needs, where a frame has a status. */
static void go_on_otherwise(struct trapframe *tf)
{
	for (const struct test_word *w = test_words; w->name; w++)
		if (!strcmp(w->name, "status")) {
			changed = CHANGED;
			noted = *word_of(tf, w) & CHANGED;
			*word_of(tf, w) ^= CHANGED;
		}
	go_on(tf);
}

/* Each trap finds the status with which the one before it let the code go on. */
static void check_status(void)
{
	u64 before;

	trap_action = go_on_otherwise;
	test_trap(value, after);
	for (unsigned i = 0; i < 3; i++) {	/* bits that are set, and that are cleared again */
		before = noted;
		test_trap(value, after);
		CHECK(noted == (before ^ changed), "P1.7",
		      "the frame's status is not the one with which the interrupted code went on");
	}
}

static void check_after(u64 added)
{
	for (unsigned i = 0; i < registers(); i++)
		CHECK(after[i] == value + i + added, "P1.7",
		      "%s has 0x%lx after the trap: the value of %s", test_registers[i].name,
		      after[i], whose(after[i] - added));
}

KTEST_EARLY(entry_kept, "entry.kept", "01.4", "P1.7")
{
	traps = 0;
	trap_action = go_on;
	for (unsigned i = 0; i < 20; i++) {
		value = test_random() << 8;
		test_trap(value, after);
		check_after(0);
		CHECK(!arch_irqs_enabled(), "P1.7", "the trap turned interrupts on");
	}
	trap_action = go_on_changed;
	test_trap(value, after);
	check_after(1000);
	trap_action = go_on_nested;
	test_trap(value, after);
	check_after(0);
	check_status();
	trap_action = NULL;
	CHECK(traps == 27, "P1.7", "27 breakpoints called the handler %u times", traps);
}

/* --- The chain through it --------------------------------------------------------------------- */

static u64 pcs[40];
static unsigned found;
static u64 called_from;

static void walk_here(struct trapframe *tf)
{
	u64 pc = arch_trap_pc(tf);

	found = backtrace_walk(current_thread(), arch_frame_pointer(), pcs, ARRAY_SIZE(pcs));
	for (unsigned i = 0; i < found; i++)
		if (pcs[i] == pc)
			called_from = i + 1 < found ? pcs[i + 1] : 0;
	arch_trap_set_pc(tf, (u64)test_trap_called_resume);
}

static noinline bool caller(void)
{
	test_trap_called();
	return called_from - (u64)caller < 256;		/* a return address in this function */
}

KTEST_EARLY(entry_chain, "entry.chain", "01.4", "P1.3")
{
	called_from = 0;
	trap_action = walk_here;
	CHECK(caller(), "P1.3", "the handler's chain of %u entries lacks the interrupted code, "
				"or its caller",
	      found);
	trap_action = NULL;
	CHECK(found > 3, "P1.3", "the handler's chain has %u entries", found);
}
