/*
 * Tests of traps in the kernel: interrupted code keeps all its registers, even if traps nest. Also
 * of call chains on damaged stacks.
 */
#include "base/panic.h"
#include "errno.h"
#include "mm/vm.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define NOWHERE	((vaddr_t)16)		/* in user space, never mapped */

/* arch/<arch>/test_registers.S: fills all registers and counts to @turns; 0: all kept. */
u64 test_registers_keep(u64 value, u64 turns);

/* Makes a trap inside the timer's: a page fault that cannot be resolved. */
static void fault_once(void *unused)
{
	u32 word;

	(void)unused;
	CHECK(copy_from_user(&word, NOWHERE, sizeof(word)) == -EFAULT, "trap.nested", "no fault");
	CHECK(!arch_irqs_enabled(), "trap.status", "a fault turns interrupts on");
}

KTEST(trap_nested, "trap.nested", "", "trap.nested")
{
	sweep_action = fault_once;
	for (unsigned step = 1; step < 200; step++) {
		u64 lost;

		sweep_begin(step);
		lost = test_registers_keep(test_random(), 500);
		sweep_end();
		CHECK(!lost, "trap.nested", "register %lu is lost", lost);
		CHECK(arch_irqs_enabled(), "trap.status", "interrupts stay off");
	}
	sweep_action = NULL;
}

/* Two interrupts are pending at once; the second may not come before the first is saved. */
KTEST(trap_two, "trap.two", "", "trap.nested")
{
	for (unsigned i = 0; i < 20; i++) {
		u64 lost;

		arch_irqs_disable();
		ipi_send(this_cpu(), IPI_RESCHED);
		timer_set(this_cpu(), time_now());
		for (unsigned spin = 0; spin < 1000; spin++)
			arch_spin_hint();		/* until both are pending */
		arch_irqs_enable();
		lost = test_registers_keep(test_random(), 100);
		CHECK(!lost, "trap.nested", "register %lu is lost", lost);
	}
}

/* --- Call chains ------------------------------------------------------------------------------ */

/* The walk ends with any frame pointer, and touches nothing but this stack. */
KTEST(trap_chain, "trap.chain", "", "trap.chain")
{
	static const s64 off_stack[] = { 0, 8, -8, 0x123456789abcdef0, (s64)NOWHERE };
	u64 frames[8], began = time_now();

	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = (u64)&frames[4];		/* points to itself, or to a lower frame */
	backtrace_print(current_thread(), 0, (u64)&frames[4]);
	backtrace_print(current_thread(), 0, (u64)&frames[4] + 1);
	for (unsigned i = 0; i < ARRAY_SIZE(off_stack); i++)
		backtrace_print(current_thread(), 0, off_stack[i]);
	backtrace_print(current_thread(), 0, (u64)current_thread()->stack);
	backtrace_print(current_thread(), 0,
			(u64)current_thread()->stack + current_thread()->stack_size);
	CHECK(time_now() - began < NSEC_PER_SEC, "trap.chain", "took %lu ns", time_now() - began);
}
