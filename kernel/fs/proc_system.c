/*
 * /proc: files about the whole system.
 */
#include "counters.h"
#include "cpu.h"
#include "mm.h"
#include "proc.h"
#include "process.h"

/*
 * Every counter and event, "name value" a line. What is dying is waited for and what caches hold is
 * given back first, so two readings with nothing in between are equal.
 */
static void show_counters(struct text *t, struct process *none)
{
	s64 values[COUNTER_COUNT];

	(void)none;
	reaper_drain();
	mm_drain();
	for (unsigned i = 0; i < COUNTER_COUNT; i++)	/* all before the text needs memory */
		values[i] = counter_read(i);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		text_printf(t, "%s %ld\n", counter_name(i), values[i]);
	for (unsigned i = 0; i < EVENT_COUNT; i++)
		text_printf(t, "%s %lu\n", event_name(i), event_read(i));
}

static void show_meminfo(struct text *t, struct process *none)
{
	const u64 kib = PAGE_SIZE / 1024;
	u64 total = page_total() * kib, free = page_free_count() * kib;

	(void)none;
	text_printf(t, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\n", total, free);
	text_printf(t, "MemAvailable:   %8lu kB\nBuffers:        %8u kB\n", free, 0);
	text_printf(t, "Cached:         %8lu kB\n", counter_read(COUNT_FILE_PAGES) * kib);
	text_printf(t, "SwapTotal:      %8u kB\nSwapFree:       %8u kB\n", 0, 0);
}

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
 * Linux's version 15 without its domains: of its nine numbers those of yields, switches, time busy
 * and slices are kept. What balancing does here is on lines of its own.
 */
static void show_schedstat(struct text *t, struct process *none)
{
	u64 now = time_now();

	(void)none;
	text_printf(t, "version 15\ntimestamp %lu\n", now / (10 * NSEC_PER_MSEC));
	for (unsigned i = 0; i < nr_cpus; i++) {
		const struct cpu_stats *s = &cpus[i].stats;

		text_printf(t, "cpu%u %lu 0 %lu 0 0 0 %lu 0 %lu\n", i, s->yields, s->switches,
			    now - MIN(now, s->idle_ns), s->switches);
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
	{ "self", NULL },
	{ "counters", show_counters },
	{ "meminfo", show_meminfo },
	{ "schedstat", show_schedstat },
	{ NULL, NULL },
};
