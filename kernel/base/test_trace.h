/*
 * For tests of what is written to the trace: counts the records that have come since a test began
 * to look.
 */
#pragma once

#include "base/trace.h"
#include "sched/cpu.h"

#define ANY	(~0UL)

static u64 looked_from[MAX_CPUS];
static unsigned mask_before;

/* From here on, also the records of @groups are written. */
static inline void look_from_here(unsigned groups)
{
	mask_before = trace_mask;
	for (unsigned c = 0; c < nr_cpus; c++)
		looked_from[c] = atomic_load(&cpus[c].trace->head);
	trace_mask |= groups;
}

/* Writes no more records than before. Those that have come can still be counted. */
static inline void look_no_longer(void)
{
	trace_mask = mask_before;
}

/* How many records of @event have come with @a and @b, each of which may be ANY. */
static inline unsigned recorded(enum trace_event event, u64 a, u64 b)
{
	unsigned n = 0;

	for (unsigned c = 0; c < nr_cpus; c++) {
		const struct trace_ring *ring = cpus[c].trace;

		for (u64 i = looked_from[c]; i < atomic_load(&ring->head); i++) {
			const struct trace_record *r = &ring->records[i & (ring->size - 1)];

			n += r->event == event && (a == ANY || a == r->a) &&
			     (b == ANY || b == r->b);
		}
	}
	return n;
}
