/*
 * Exact counts of every kind of object, for leak checks: /proc/counters shows them, and the grader
 * compares them before and after a test. They are kept per CPU and summed on reading; a sum is
 * exact while nothing changes.
 */
#pragma once

#include "types.h"

#define COUNTERS(X) \
	X(COUNT_THREADS,	"threads")		/* structures */ \
	X(COUNT_STACKS,		"stacks")		/* kernel stacks in use */ \
	X(COUNT_PROCESSES,	"processes")		/* structures, zombies too */ \
	X(COUNT_SPACES,		"address_spaces") \
	X(COUNT_REGIONS,	"regions") \
	X(COUNT_USER_PAGES,	"user_pages")		/* frames mapped into or owned by users */ \
	X(COUNT_TABLE_PAGES,	"page_tables") \
	X(COUNT_FILES,		"files")		/* open file descriptions */ \
	X(COUNT_INODES,		"inodes") \
	X(COUNT_PIPES,		"pipes") \
	X(COUNT_FILE_PAGES,	"file_pages")		/* of files in memory and pipes */ \
	X(COUNT_SLAB_OBJECTS,	"slab_objects") \
	X(COUNT_PAGES,		"pages")		/* frames, caches drained */

#define X(id, name) id,
enum counter { COUNTERS(X) COUNTER_COUNT };
#undef X

void counter_add(enum counter c, s64 n);	/* any context */
s64 counter_read(enum counter c);
const char *counter_name(enum counter c);

/* Counts of events, which only grow: unknown system calls, faults and the like. */
#define EVENTS(X) \
	X(EVENT_ENOSYS,		"unknown_syscalls") \
	X(EVENT_FAULTS,		"page_faults") \
	X(EVENT_COW_COPIES,	"cow_copies") \
	X(EVENT_SHOOTDOWNS,	"tlb_shootdowns") \
	X(EVENT_OOM,		"allocations_failed") \
	X(EVENT_OOM_KILLS,	"oom_kills") \
	X(EVENT_THREADS,	"threads_created")

#define X(id, name) id,
enum event_counter { EVENTS(X) EVENT_COUNT };
#undef X

void event_count(enum event_counter e);
u64 event_read(enum event_counter e);
const char *event_name(enum event_counter e);
