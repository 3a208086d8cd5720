/*
 * Lab 08, step 5: busy CPUs compare what they have to do.
 */
#include "counted.h"

static int compare(void)
{
	struct runq *rq = this_runq_lock();

	rq->balance_at = time_now();
	balance(rq, time_now());
	runq_unlock(rq);
	return 0;
}

/* Two busy CPUs compare their queues at the same time. Neither waits for the other. */
SCENARIO(compared, "balance.crossed", "08.5", "P8.8", .cpus = 2, .bootargs = "steal=off",
	 .after = all_ran, .keeps = true)
{
	stay_here();
	preempt_off();
	begin_actor(0, ~0u, &first, count_it);
	begin_actor(0, ~0u, &second, count_it);
	begin_actor(1, BIT(1), &third, compare);
	compare();
	preempt_on();
	end_here();
}

static struct actor busy[2], waits[7];
static _Atomic unsigned nr_busy;

static int be_busy(void)
{
	preempt_off();
	nr_busy++;
	while (!told)
		arch_spin_hint();
	preempt_on();
	return 0;
}

/*
 * Compares, again if the queue was locked, as it is during a tick, and says on which CPU one thread
 * less waits. 99: on none.
 */
static unsigned comes_from(void)
{
	unsigned before[3], from = 99;
	struct runq *rq = &cpus[1].runq;

	for (unsigned i = 0; i < 3; i++)
		before[i] = nr_ready(&cpus[i].runq);
	do {
		rq->missed = NULL;
		compare();
		arch_spin_hint();
	} while (rq->missed);
	for (unsigned i = 0; i < 3; i++)
		if (nr_ready(&cpus[i].runq) < before[i])
			from = from == 99 ? i : 100;
	return from;
}

/* No CPU compares by itself, whatever its tick says. */
static void put_off(void)
{
	for (unsigned i = 0; i < 3; i++) {
		struct runq *rq = &cpus[i].runq;

		spin_lock(&rq->lock);
		rq->balance_at = time_now() + 10 * NSEC_PER_SEC;
		spin_unlock(&rq->lock);
	}
}

/* CPU 1 compares. Of the others, which run a thread each, one and then the other has the most. */
SCENARIO(busiest, "balance.of_three", "08.5", "P8.8", .cpus = 3,
	 .bootargs = "steal=off balance=10s", .after = queues_are_empty, .keeps = true,
	 .sets_up = true, .no_costume = true)
{
	static const unsigned first_three[] = { 0, 0, 2 };
	unsigned from;

	stay_on(1);
	preempt_off();
	put_off();
	begin_actor(0, BIT(0), &busy[0], be_busy);
	begin_actor(2, BIT(2), &busy[1], be_busy);
	while (nr_busy < 2)
		arch_spin_hint();
	for (unsigned i = 0; i < 3; i++)
		begin_actor(first_three[i], ~0u, &waits[i], count_it);
	explore_from_here();
	from = comes_from();
	expect(from == 0, "3 threads on CPU 0, 1 here, 2 on CPU 2: one came from %u", from);
	from = comes_from();
	expect(from == 99, "2 threads on each CPU: one came from %u", from);
	begin_actor(2, ~0u, &waits[3], count_it);
	from = comes_from();
	expect(from == 99, "2 threads on CPU 0, 2 here, 3 on CPU 2: one came from %u", from);
	begin_actor(2, ~0u, &waits[4], count_it);
	from = comes_from();
	expect(from == 2, "2 threads on CPU 0, 2 here, 4 on CPU 2: one came from %u", from);
	told = true;
	preempt_on();
	end_here();
}

/* Compares on CPU 0, again if the queue was locked. Returns whether a thread came. */
static bool one_comes(void)
{
	struct runq *rq = &cpus[0].runq;
	unsigned before = nr_ready(rq);

	do {
		rq->missed = NULL;
		compare();
		arch_spin_hint();
	} while (rq->missed);
	return nr_ready(rq) > before;
}

/*
 * CPU 1 has been told of threads that are queued there, but the interrupt has not come: all of them
 * wait, and none runs. It has no more to do than if it had picked one.
 */
SCENARIO(not_picked, "balance.not_picked", "08.5", "P8.8", .cpus = 3,
	 .bootargs = "steal=off balance=10s", .after = queues_are_empty, .keeps = true,
	 .sets_up = true, .no_costume = true)
{
	bool came;

	stay_on(0);
	preempt_off();
	put_off();
	begin_actor(2, BIT(2), &busy[0], be_busy);
	while (!nr_busy || cpus[1].runq.current != &cpus[1].idle)
		arch_spin_hint();
	atomic_fetch_or(&cpus[1].idle.work, WORK_RESCHED);
	for (unsigned i = 0; i < 2; i++)
		begin_actor(1, ~0u, &waits[i], count_it);
	explore_from_here();
	came = one_comes();
	expect(!came, "CPU 1 has picked none of 2 threads, 1 runs here: one came");
	begin_actor(1, ~0u, &waits[2], count_it);
	for (unsigned i = 3; i < 6; i++)
		begin_actor(2, ~0u, &waits[i], count_it);
	came = one_comes();
	expect(came && nr_ready(&cpus[2].runq) == 2,
	       "CPU 1 has picked none of 3 threads, 4 are on CPU 2, where one runs: %s",
	       came ? "one came from CPU 1" : "none came");
	begin_actor(1, ~0u, &waits[6], count_it);
	came = one_comes();
	expect(came && nr_ready(&cpus[1].runq) == 3,
	       "CPU 1 has picked none of 4 threads, 2 are here, 3 on CPU 2: none came from CPU 1");
	told = true;
	ipi_send(&cpus[1], IPI_RESCHED);
	preempt_on();
	end_here();
}

static _Atomic bool may_take;

/* Takes two of the threads that wait on CPU 1. */
static int take_away(void)
{
	preempt_off();
	nr_busy++;
	while (!may_take)
		arch_spin_hint();
	for (unsigned i = 0; i < 2; i++)
		expect(!sched_set_affinity(waits[i].thread, BIT(2)), "CPU 2 is not there");
	while (!told)
		arch_spin_hint();
	preempt_on();
	return 0;
}

/* CPU 1 has the most to do, one thread more than CPU 0, and has less when CPU 0 looks again. */
SCENARIO(gone, "balance.gone_meanwhile", "08.5", "P8.8", .cpus = 3,
	 .bootargs = "steal=off balance=10s", .after = queues_are_empty, .keeps = true,
	 .sets_up = true)
{
	stay_on(0);
	preempt_off();
	put_off();
	begin_actor(1, BIT(1), &busy[0], be_busy);
	begin_actor(2, BIT(2), &busy[1], take_away);
	while (nr_busy < 2)
		arch_spin_hint();
	for (unsigned i = 0; i < 5; i++)
		begin_actor(i < 3 ? 1 : 0, ~0u, &waits[i], count_it);
	explore_from_here();
	may_take = true;
	expect(!one_comes(), "3 threads here, 4 and fewer on CPU 1, up to 3 on CPU 2: one came");
	told = true;
	preempt_on();
	end_here();
}
