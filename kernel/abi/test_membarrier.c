/*
 * A barrier on all CPUs reaches them all.
 */
#include "sys.h"

#include "base/counters.h"
#include "sched/cpu.h"
#include "test/ktest.h"

#define GLOBAL	1	/* the command, as in Linux */

KTEST(membarrier_reaches, "membarrier.reaches", "", "")
{
	u64 before = event_read(EVENT_SHOOTDOWNS), sent;

	CHECK(sys_membarrier(GLOBAL, 0, 0) == 0, "", "no barrier");
	sent = event_read(EVENT_SHOOTDOWNS) - before;
	CHECK(sent > 0 || nr_cpus == 1, "", "no interrupt to the other CPUs");
}
