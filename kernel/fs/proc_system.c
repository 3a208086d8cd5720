/*
 * /proc: files about the whole system.
 */
#include "counters.h"
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

const struct proc_file proc_system_files[] = {
	{ "self", NULL },
	{ "counters", show_counters },
	{ "meminfo", show_meminfo },
	{ NULL, NULL },
};
