/*
 * Lab 09: shared by the tests that drive a policy by hand.
 */
#pragma once

#include "sched/policy/test_drive.h"
#include "test/ktest.h"

/* Runs for exactly @ns, if the one that runs may do so. Returns whether it must give way. */
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
