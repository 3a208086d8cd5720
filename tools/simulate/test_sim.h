/*
 * Shared by the tests of the policies: a simulation of random task sets, on the host under the
 * sanitizers (tools/test/host.py). Half of the runs cross the wrap of the clock.
 */
#pragma once

#include "sim.h"
#include "test/instrument.h"
#include "test/ktest.h"

#define MS		NSEC_PER_MSEC
#define ALL_CPUS	(BIT(MAX_CPUS) - 1)

extern struct sim sim;
extern struct sim_task tasks[SIM_TASKS];

static inline u64 below(u64 n)
{
	return test_random() % n;
}

static inline u64 difference(u64 a, u64 b)
{
	return a > b ? a - b : b - a;
}

/* An empty simulation under @p. */
void use(const struct sched_policy *p, unsigned nr_cpus);

/* A task of nice 0 that arrives at once and has no steps yet. */
struct sim_task *add(void);
void step(struct sim_task *t, enum sim_action action, u64 ns);

/* Adds a task that never stops; one of any class the policy knows, adding its work to *@work. */
struct sim_task *add_spinner(int nice);
void add_random_task(u64 *work);

void run(u64 ns);

/* A sim.changed that hashes the order of dispatches and their times since hash_start. */
extern u64 order_hash, hash_start;
void hash_order(struct sim *s, struct sim_task *t, enum sim_state from);
