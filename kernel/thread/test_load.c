/* Tests of the load average: two CPUs that sample at once count one period once. */
#include "process/process.h"
#include "sched/time.h"
#include "test/ktest.h"

#define PERIOD	(5 * NSEC_PER_SEC)
#define MINUTE	(60 * NSEC_PER_SEC)

/*
 * Two timer interrupts at the end of a period:
 *
 *	CPU A                            CPU B
 *	reads the clock
 *	                                 reads the clock, later, and takes the sample
 *	finds one that is later than its own time: there is none for it to take
 */
KTEST(load_overtaken, "load.overtaken", "", "load.sample")
{
	u64 now = time_now(), load;

	for (u64 later = PERIOD; later <= MINUTE; later += PERIOD)
		load_sample(now + later);
	load_sample(now);
	load = load_average(0);
	/* we have run for a minute: 1 - 1/e of a thread, 0.63 */
	CHECK(load > LOAD_ONE / 2, "load.sample", "%lu of %u are left", load, LOAD_ONE);
}
