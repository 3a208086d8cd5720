/*
 * Tests of figures of all CPUs: the load average, of which two CPUs that sample at once count one
 * period once, and times since boot.
 */
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/ktest.h"

#define PERIOD	(5 * NSEC_PER_SEC)
#define MINUTE	(60 * NSEC_PER_SEC)

static u64 latest;	/* the time of the last sample of these tests, ahead of the clock */

/* Takes a sample at the end of each of @nr periods: we have run in all of them. */
static void run_for(unsigned nr)
{
	if (time_before(latest, time_now()))
		latest = time_now();
	for (; nr; nr--)
		load_sample(latest += PERIOD);
}

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
	u64 load;

	run_for(MINUTE / PERIOD);
	load_sample(latest - MINUTE);
	load = load_average(0);
	/* we have run for a minute: 1 - 1/e of a thread, 0.63 */
	CHECK(load > LOAD_ONE / 2, "load.sample", "%lu of %u are left", load, LOAD_ONE);
}

/* All CPUs were idle in periods without a sample: of the load before them nothing is left. */
KTEST(load_idle, "load.idle", "", "load.idle")
{
	u64 before, after;

	run_for(200);
	before = load_average(LOADS - 1);
	latest += 1000 * PERIOD;
	run_for(1);
	after = load_average(LOADS - 1);
	/* a sample adds 11 / LOAD_ONE for each thread that runs */
	CHECK(after <= nr_cpus * LOAD_ONE / 50, "load.idle", "%lu of %lu", after, before);
}

/* Of two periods without a sample the first was idle, if the second is over to the nanosecond. */
KTEST(load_periods, "load.periods", "", "load.idle")
{
	u64 steady, kept, fallen;

	run_for(200);
	steady = load_average(0);
	load_sample(latest += 2 * PERIOD - 1);
	kept = load_average(0);
	load_sample(latest += 2 * PERIOD);
	fallen = load_average(0);
	/* an idle period takes 8 % */
	CHECK(kept > steady - steady / 25, "load.idle", "%lu, and then %lu", steady, kept);
	CHECK(fallen < kept - kept / 25, "load.idle", "%lu, and then %lu", kept, fallen);
}

/*
 * Each timer interrupt asks whether a period is over. If all have slept through one, the thread
 * that then asks for the load is not taken for a load of that period, though it runs now.
 */
KTEST(load_asleep, "load.asleep", "", "load.sample")
{
	u64 before, after;

	/* Times are compared by their difference: once round, and the last sample is one of now. */
	for (unsigned quarter = 1; quarter < 4; quarter++)
		load_sample(latest + quarter * (1ul << 62));
	load_sample(time_now());
	before = load_average(0);
	thread_sleep(PERIOD + PERIOD / 10);
	after = load_average(0);
	CHECK(after < before, "load.sample", "%lu, and asleep %lu", before, after);
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
