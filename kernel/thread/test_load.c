/*
 * Tests of figures of all CPUs: the load average, of which two CPUs that sample at once count one
 * period once, and times since boot.
 */
#include "process/process.h"
#include "sched/cpu.h"
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

/* A CPU's times count from the boot, whatever the clock says then. */
KTEST(load_cpu_times, "load.cpu_times", "", "load.cpu_times")
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct cpu_times t = cpu_times(&cpus[i]);
		u64 since_boot = time_now() - clock_start;

		CHECK(t.user <= since_boot && t.system <= since_boot && t.idle <= since_boot &&
		      t.user + t.system + t.idle <= since_boot, "load.cpu_times",
		      "CPU %u, in %lu ns: %lu, %lu and idle %lu", i, since_boot, t.user, t.system,
		      t.idle);
	}
}
