/*
 * membarrier(): a memory barrier on other CPUs, so that a program's frequent path needs none
 * itself.
 *
 * It interrupts the CPUs that may run threads of the caller and waits for each to answer.
 * Afterwards the caller sees what they did before, and they see what the caller did before. A TLB
 * shootdown that flushes no addresses does exactly that. A CPU that loads the address space after
 * the set of CPUs was read passes a barrier of its own on the way (SPACE1 in mm/space.c).
 */
#include "sys.h"

#define QUERY				0
#define GLOBAL				BIT(0)
#define GLOBAL_EXPEDITED		BIT(1)
#define REGISTER_GLOBAL_EXPEDITED	BIT(2)
#define PRIVATE_EXPEDITED		BIT(3)
#define REGISTER_PRIVATE_EXPEDITED	BIT(4)
#define GET_REGISTRATIONS		BIT(9)

#define COMMANDS	(GLOBAL | GLOBAL_EXPEDITED | REGISTER_GLOBAL_EXPEDITED | \
		  PRIVATE_EXPEDITED | REGISTER_PRIVATE_EXPEDITED | GET_REGISTRATIONS)

static long barrier_on(u32 cpus_set)
{
	atomic_thread_fence(memory_order_seq_cst);
	tlb_flush_on(cpus_set, 0, 0);
	atomic_thread_fence(memory_order_seq_cst);
	return 0;
}

long sys_membarrier(int command, u32 flags, int cpu)
{
	struct addr_space *as = current_process()->as;

	(void)cpu;		/* only for a flag of restartable sequences */
	if (flags)
		return -EINVAL;
	switch (command) {
	case QUERY:
		return COMMANDS;
	case GLOBAL:
	case GLOBAL_EXPEDITED:
		return barrier_on(BIT(nr_cpus) - 1);
	case REGISTER_GLOBAL_EXPEDITED:
	case REGISTER_PRIVATE_EXPEDITED:
		atomic_fetch_or(&as->barriers, (u32)command);
		return 0;
	case PRIVATE_EXPEDITED:
		if (!(atomic_load(&as->barriers) & REGISTER_PRIVATE_EXPEDITED))
			return -EPERM;
		return barrier_on(atomic_load(&as->cpus));
	case GET_REGISTRATIONS:
		return atomic_load(&as->barriers);
	default:
		return -EINVAL;
	}
}
