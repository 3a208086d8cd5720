/*
 * Random priorities: all orders occur, a seed always gives the same one, no task starves.
 */
#include "test_sim.h"

/* Three tasks that each run once: every order occurs, and a seed always gives the same one. */
KTEST(policy_pct_orders, "policy.pct_orders", "", "")
{
	u64 seen[64];
	unsigned nr_seen = 0;

	for (unsigned seed = 0; seed < 200; seed++) {
		u64 first = 0;

		for (unsigned again = 0; again < 2; again++) {
			unsigned i;

			use(&sched_pct, 1);
			sim.now = 0;
			for (i = 0; i < 3; i++)
				step(add(), SIM_RUN, 100);
			sim.changed = hash_order;
			order_hash = 0;
			hash_start = 0;
			sim_begin(&sim, 0);
			sim.cpus[0].q.random = seed;
			sim_run(&sim, MS);
			CHECK(!again || order_hash == first, "", "another run of seed %u", seed);
			first = order_hash;
			for (i = 0; i < nr_seen && seen[i] != first; i++)
				;
			if (i == nr_seen && i < ARRAY_SIZE(seen))
				seen[nr_seen++] = first;
		}
	}
	CHECK(nr_seen >= 6, "", "%u orders of 6", nr_seen);
}

/* Priorities are strict, yet a spinner cannot keep out the task that it waits for. */
KTEST(policy_pct_alive, "policy.pct_alive", "", "")
{
	for (unsigned n = 0; n < 100; n++) {
		use(&sched_pct, 1);
		for (unsigned i = 0; i < 3; i++)
			add_spinner(0);
		step(add(), SIM_RUN, 10 * MS);
		run(1000 * MS);
		CHECK(tasks[3].state == SIM_ENDED, "", "starved");
	}
}

/* On average there are pct_depth= change points, 3, in each pct_length= of a CPU's time, 10 ms. */
KTEST(policy_pct_points, "policy.pct_points", "", "")
{
	struct policy_queue q;
	struct sched_entity e = { 0 };
	u64 sum = 0;

	use(&sched_pct, 1);
	policy_queue_init(&q, 0);
	for (unsigned i = 0; i < 3000; i++)
		sum += sched_pct.slice(&q, &e);
	CHECK(difference(sum, 10000 * MS) < 500 * MS, "", "3000 points in %lu ns", sum);
}
