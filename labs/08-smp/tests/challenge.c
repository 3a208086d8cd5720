/*
 * Lab 08, challenge: threads that compute share all CPUs equally, also if there are more of them
 * than CPUs, and not twice as many. Quanta are short, and CPUs compare their queues often.
 */
#include "crew.h"

#define TIME		(400 * MS)
#define OFF_PERCENT	15u
#define COMPARISONS	(TIME / 1300000u)	/* of each CPU: with balance=1300us */

static struct member m[2 * MAX_CPUS];
static u64 ran[2 * MAX_CPUS];

/* Starts @n threads that compute, and lets them run for @ns. Returns how often they were moved. */
static u64 compute(unsigned n, u64 ns)
{
	u64 moves = 0;

	for (unsigned i = 0; i < n; i++)
		make_and_run(&m[i], i % nr_cpus, BIT(nr_cpus) - 1, spin);
	thread_sleep(50 * MS);
	for (unsigned i = 0; i < n; i++) {
		ran[i] = m[i].thread->stats.run_ns;
		moves -= m[i].thread->stats.migrations;
	}
	thread_sleep(ns);
	for (unsigned i = 0; i < n; i++) {
		ran[i] = m[i].thread->stats.run_ns - ran[i];
		moves += m[i].thread->stats.migrations;
	}
	end(m, n);
	return moves;
}

static void share(unsigned n)
{
	u64 moves = compute(n, TIME), fair = TIME * nr_cpus / n, least = ~0UL, most = 0;

	for (unsigned i = 0; i < n; i++) {
		least = MIN(least, ran[i]);
		most = MAX(most, ran[i]);
	}
	CHECK(least * 100 >= fair * (100 - OFF_PERCENT) &&
		      most * 100 <= fair * (100 + OFF_PERCENT),
	      "C8.1", "%u threads on %u CPUs: each should have %lu ms, and they had %lu to %lu", n,
	      nr_cpus, fair / MS, least / MS, most / MS);
	CHECK(moves <= COMPARISONS * nr_cpus / 2, "C8.1",
	      "%lu comparisons of each of %u CPUs have moved threads %lu times", COMPARISONS,
	      nr_cpus, moves);
}

KTEST(challenge_shares, "challenge.shares", "08.c", "C8.1")
{
	NEEDS_TWO_CPUS;
	share(nr_cpus + 1);
	share(2 * nr_cpus - 1);
}
