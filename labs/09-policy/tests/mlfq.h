/*
 * Shared by the tests of multi-level feedback: what a level is, seen from outside.
 */
#pragma once

#include "drive.h"

#define TOP		4u
#define BOOST		NSEC_PER_SEC	/* boost=, unless given */

static inline void begin(u64 start)
{
	use(&sched_mlfq, start);
	for (unsigned i = 0; i < ENTITIES; i++)
		set(i, normal);
}

/* A quarter of a quantum at the top, twice as much on each level below. */
static inline u64 allotment_at(u32 level)
{
	return quantum_of(&e[0]) / 4 << (TOP - level);
}

/* Returns what the one that runs may run for now. */
static inline u64 slice(void)
{
	return q.current->slice_left ? q.current->slice_left : p->slice(&q, q.current);
}

static inline void expect_slice(u64 want, const char *property, const char *when)
{
	CHECK(slice() == want, property, "%s: its slice is %lu us, not %lu us", when,
	      slice() / 1000, want / 1000);
}

/* Entity @i, which is new, sinks to @level and runs on. No other entity is there. */
static inline void sink(unsigned i, u32 level)
{
	wake(i);
	for (u32 l = TOP; l > level; l--) {
		use_up(allotment_at(l));
		give_way(ENQUEUE_EXPIRED);
	}
}

/* Takes the one that runs off the CPU, as if it were to move to another one. */
static inline void set_aside(unsigned i)
{
	q.current = NULL;
	enqueue(i, ENQUEUE_PREEMPTED);
	p->dequeue(&q, &e[i]);
	CHECK(!entity_queued(&e[i]), "P9.5", "entity %u was taken out and is queued", i);
	CHECK(!q.nr, "P9.5", "none waits, and the queue counts %u", q.nr);
}
