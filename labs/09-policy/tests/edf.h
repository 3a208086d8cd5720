/*
 * Shared by the tests of earliest deadline first.
 */
#pragma once

#include "sched/policy/test_drive.h"
#include "test/ktest.h"

static inline void begin(u64 start)
{
	use(&sched_edf, start);
	for (unsigned i = 0; i < ENTITIES; i++)
		set(i, normal);
}

static inline struct sched_params promised(u64 runtime, u64 deadline, u64 period)
{
	return (struct sched_params){ .class = SCHED_DEADLINE, .runtime = runtime,
				      .deadline = deadline, .period = period };
}

/* Charges the one that runs @ns. Returns whether its budget is spent. */
static inline bool use_up(u64 ns)
{
	u64 rest = q.current->slice_left;

	q.current->slice_left -= MIN(ns, rest);
	now += ns;
	return p->charge(&q, q.current, ns, now);
}

static inline void expect_next(int want, const char *property, const char *when)
{
	q.current = NULL;
	pick();
	REQUIRE(running() == want, property, "%s: entity %d is picked, not %d", when, running(),
		want);
}

/* Its rank tells others how urgent it is: its key is its deadline. */
static inline void expect_deadline(unsigned i, u64 want, const char *property, const char *when)
{
	CHECK(e[i].base.level == LEVEL_KEYED && e[i].base.key == want, property,
	      "%s: its deadline is at %lu us, not at %lu us", when, e[i].base.key / 1000,
	      want / 1000);
}

static inline void expect_budget(unsigned i, s64 want, const char *property, const char *when)
{
	CHECK(e[i].budget == want, property, "%s: its budget is %ld us, not %ld us", when,
	      e[i].budget / 1000, want / 1000);
}
