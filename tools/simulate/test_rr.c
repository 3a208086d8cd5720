/*
 * Round robin: shares and waits, to within a quantum.
 */
#include "test_sim.h"

/* Each waits at most for the quanta of the others, and gets its share within one quantum. */
KTEST(policy_rr_shares, "policy.rr_shares", "", "")
{
	for (unsigned n = 0; n < 100; n++) {
		u64 sum = 0, rounds;

		use(&sched_rr, 1);
		for (unsigned i = 2 + below(10); i; i--)
			add_spinner((int)below(40) - 20);
		run(5000 * MS);
		for (unsigned i = 0; i < sim.nr_tasks; i++)
			sum += quantum_of(&tasks[i].e);
		rounds = 5000 * MS / sum;
		for (unsigned i = 0; i < sim.nr_tasks; i++) {
			u64 q = quantum_of(&tasks[i].e);

			CHECK(tasks[i].worst_wait <= sum - q, "", "waits %lu of %lu",
			      tasks[i].worst_wait, sum - q);
			CHECK(difference(tasks[i].ran, rounds * q) <= q, "", "ran %lu, not %lu",
			      tasks[i].ran, rounds * q);
		}
	}
}
