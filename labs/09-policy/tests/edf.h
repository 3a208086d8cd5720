/*
 * Shared by the tests of earliest deadline first.
 */
#pragma once

#include "drive.h"

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
