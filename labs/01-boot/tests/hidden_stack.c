/*
 * Lab 01, hidden: a trap for whose frame the thread's stack has no room. The kernel panics, and
 * says which stack pointer the frame has.
 */
#include "registers.h"
#include "sched/cpu.h"
#include "test/ktest.h"
#include "thread/thread.h"

KTEST(stack_full, "stack.full", "panic", "P1.5")
{
	test_trap_with_sp((u64)current_thread()->stack);
}
