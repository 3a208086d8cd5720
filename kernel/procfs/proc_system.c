/*
 * /proc: files about the whole system, in Linux's formats but for counters, which is ours.
 *
 * Figures of other CPUs and of running threads are read without their locks: each is exact by
 * itself, but they need not fit together, as the machine runs on meanwhile.
 */
#include "procfs/uts.h"
#include "base/counters.h"
#include "base/printf.h"
#include "fs/filelock.h"
#include "mm/mm.h"
#include "proc.h"
#include "process/cred.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/time.h"

/*
 * Shows every counter and event as a line "name value". First waits for dying objects and empties
 * caches, so that two readings with no activity in between are equal.
 */
static void show_counters(struct text *t)
{
	s64 values[COUNTER_COUNT];

	reaper_drain();
	mm_drain();
	for (unsigned i = 0; i < COUNTER_COUNT; i++)	/* all before the text needs memory */
		values[i] = counter_read(i);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		text_printf(t, "%s %ld\n", counter_name(i), values[i]);
	for (unsigned i = 0; i < EVENT_COUNT; i++)
		text_printf(t, "%s %lu\n", event_name(i), event_read(i));
}

static void show_meminfo(struct text *t)
{
	const u64 kib = PAGE_SIZE / 1024;
	u64 total = page_total() * kib, free = page_free_count() * kib;

	text_printf(t, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\n", total, free);
	text_printf(t, "MemAvailable:   %8lu kB\nBuffers:        %8u kB\n", free, 0);
	text_printf(t, "Cached:         %8lu kB\n", counter_read(COUNT_FILE_PAGES) * kib);
	text_printf(t, "SwapTotal:      %8u kB\nSwapFree:       %8u kB\n", 0, 0);
}

/* Linux has about 150 lines; these have a meaning here. */
static void show_vmstat(struct text *t)
{
	s64 files = counter_read(COUNT_FILE_PAGES);

	text_printf(t, "nr_free_pages %lu\n", page_free_count());
	text_printf(t, "nr_anon_pages %ld\n", MAX(counter_read(COUNT_USER_PAGES) - files, 0));
	text_printf(t, "nr_file_pages %ld\nnr_shmem %ld\n", files, files);
	text_printf(t, "nr_page_table_pages %ld\n", counter_read(COUNT_TABLE_PAGES));
	text_printf(t, "nr_kernel_stack %ld\n", counter_read(COUNT_STACKS) * (KSTACK_SIZE / 1024));
	text_printf(t, "nr_dirty 0\nnr_writeback 0\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n");
	text_printf(t, "pgfault %lu\npgmajfault 0\n", event_read(EVENT_FAULTS));
	text_printf(t, "oom_kill %lu\n", event_read(EVENT_OOM_KILLS));
}

/* --- CPUs ------------------------------------------------------------------------------------- */

#define TICK	(NSEC_PER_SEC / 100)

/* Linux has ten columns; kinds of time that are not measured here count as system time. */
static void put_cpu(struct text *t, const char *name, const struct cpu_times *times)
{
	text_printf(t, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", name, times->user / TICK,
		    times->system / TICK, times->idle / TICK);
}

static struct cpu_times all_times(void)
{
	struct cpu_times sum = { 0 };

	for (unsigned i = 0; i < nr_cpus; i++) {
		struct cpu_times one = cpu_times(&cpus[i]);

		sum.user += one.user;
		sum.system += one.system;
		sum.idle += one.idle;
	}
	return sum;
}

static void count_if_runnable(struct thread *t, void *arg)
{
	enum thread_state s = thread_state(t);
	u64 *n = arg;

	*n += s == THREAD_RUNNING || s == THREAD_READY;
}

static u64 count_runnable(void)
{
	u64 n = 0;

	thread_for_each(count_if_runnable, &n);
	return n;
}

static void show_stat(struct text *t)
{
	struct cpu_times times = all_times();
	u64 switches = 0, interrupts = 0;

	for (unsigned i = 0; i < nr_cpus; i++) {
		const struct cpu_stats *s = &cpus[i].stats;

		switches += s->switches;
		interrupts += s->interrupts + s->timer_interrupts + s->resched_ipis;
	}
	put_cpu(t, "cpu ", &times);
	for (unsigned i = 0; i < nr_cpus; i++) {
		char name[8];

		snprintf(name, sizeof(name), "cpu%u", i);
		times = cpu_times(&cpus[i]);
		put_cpu(t, name, &times);
	}
	text_printf(t, "intr %lu\nctxt %lu\nbtime %lu\nprocesses %lu\n", interrupts, switches,
		    time_realtime_offset() / NSEC_PER_SEC, event_read(EVENT_THREADS));
	text_printf(t, "procs_running %lu\nprocs_blocked 0\n", count_runnable());
}

static void show_interrupts(struct text *t)
{
	static const struct {
		const char *name, *what;
		size_t at;		/* of the counter in struct cpu_stats */
	} lines[] = {
		{ "DEV", "Device interrupts", offsetof(struct cpu_stats, interrupts) },
		{ "LOC", "Local timer interrupts", offsetof(struct cpu_stats, timer_interrupts) },
		{ "RES", "Rescheduling interrupts", offsetof(struct cpu_stats, resched_ipis) },
	};

	text_printf(t, "    ");
	for (unsigned i = 0; i < nr_cpus; i++)
		text_printf(t, "       CPU%u", i);
	text_printf(t, "\n");
	for (unsigned l = 0; l < ARRAY_SIZE(lines); l++) {
		text_printf(t, "%s:", lines[l].name);
		for (unsigned i = 0; i < nr_cpus; i++)
			text_printf(t, " %10lu",
				    *(_Atomic u64 *)((char *)&cpus[i].stats + lines[l].at));
		text_printf(t, "   %s\n", lines[l].what);
	}
}

static void show_cpuinfo(struct text *t)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		text_printf(t, "processor\t: %u\nmodel name\t: %s\n" ARCH_HWID_NAME ": %lu\n\n", i,
			    ARCH_NAME, cpus[i].hwid);
}

static void put_seconds(struct text *t, u64 ns, char end)
{
	text_printf(t, "%lu.%02lu%c", ns / NSEC_PER_SEC, ns / TICK % 100, end);
}

static void show_uptime(struct text *t)
{
	put_seconds(t, time_now(), ' ');
	put_seconds(t, all_times().idle, '\n');
}

static void show_loadavg(struct text *t)
{
	for (unsigned i = 0; i < LOADS; i++)
		put_seconds(t, load_average(i) * NSEC_PER_SEC / LOAD_ONE, ' ');
	text_printf(t, "%lu/%u %d\n", count_runnable(), tasks_in_all(), process_last_id());
}

static void show_version(struct text *t)
{
	text_printf(t, "%s version %s (%s)\n", UTS_SYSNAME, UTS_RELEASE, UTS_VERSION);
}

static void show_filesystems(struct text *t)
{
	text_printf(t, "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tpipefs\n");
}

/* --- Scheduling ------------------------------------------------------------------------------- */

static const char *what_runs(struct cpu *c)
{
	bool idle, real_time;

	spin_lock(&c->runq.lock);
	idle = c->runq.current == &c->idle;
	real_time = is_real_time(&c->runq.current->se.params);
	spin_unlock(&c->runq.lock);
	return idle ? "idle" : real_time ? "realtime" : "busy";
}

/*
 * Linux's version 15 without its domains. The columns: yields; a zero; schedules, and those that
 * went idle; wakes, and those by the CPU itself; time running and time waiting to run; slices. A
 * wake counts for the CPU where the thread is queued. Balancing has lines of its own.
 */
static void show_schedstat(struct text *t)
{
	text_printf(t, "version 15\ntimestamp %lu\n", time_now() / (10 * NSEC_PER_MSEC));
	for (unsigned i = 0; i < nr_cpus; i++) {
		const struct cpu_stats *s = &cpus[i].stats;
		struct cpu_times times = cpu_times(&cpus[i]);

		text_printf(t, "cpu%u %lu 0 %lu %lu %lu %lu %lu %lu %lu\n", i, s->yields,
			    s->switches, s->idles, s->wakes, s->local_wakes,
			    times.user + times.system, s->wait_ns, s->switches);
	}
	for (unsigned i = 0; i < nr_cpus; i++) {
		const struct cpu_stats *s = &cpus[i].stats;

		text_printf(t, "balance%u %s ready %u preempted %lu stolen %lu balanced %lu "
			    "pushed %lu ipis %lu\n", i, what_runs(&cpus[i]),
			    atomic_load(&cpus[i].runq.q.nr), s->preemptions, s->steals, s->balanced,
			    s->pushes, atomic_load(&s->resched_ipis));
	}
	text_printf(t, "policy %s\n", policy.name);
}

const struct proc_file proc_system_files[] = {
	{ .name = "self", .mode = PROC_SELF },
	{ .name = "thread-self", .mode = PROC_SELF },
	{ .name = "mounts", .mode = PROC_SELF },
	{ .name = "counters", .show = show_counters },
	{ .name = "cpuinfo", .show = show_cpuinfo },
	{ .name = "filesystems", .show = show_filesystems },
	{ .name = "interrupts", .show = show_interrupts },
	{ .name = "loadavg", .show = show_loadavg },
	{ .name = "locks", .show = filelock_show },
	{ .name = "meminfo", .show = show_meminfo },
	{ .name = "schedstat", .show = show_schedstat },
	{ .name = "stat", .show = show_stat },
	{ .name = "sys", .mode = PROC_DIR },
	{ .name = "uptime", .show = show_uptime },
	{ .name = "version", .show = show_version },
	{ .name = "vmstat", .show = show_vmstat },
	{ .name = NULL },
};
