/*
 * Lab 08, step 5: busy CPUs compare. The tests boot with steal=off and a long balance=, and compare
 * by hand.
 */
#include "nodes.h"
#include "reason.h"

static struct member m[5 * CREW];
static unsigned here, there, n;		/* m[0] to m[n - 1] exist */

/* No CPU compares by itself for the next ten seconds. */
static void begin_test(void)
{
	here = stay_here();
	there = next_to(here);
	n = 0;
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct runq *rq = &cpus[i].runq;

		spin_lock(&rq->lock);
		rq->balance_at = time_now() + 10 * NSEC_PER_SEC;
		spin_unlock(&rq->lock);
	}
	preempt_off();
}

static void end_test(void)
{
	preempt_on();
	end(m, n);
	stay_no_longer();
	sched_audit();
}

/* Compares on this CPU; returns how many threads came. */
static unsigned compare(void)
{
	struct runq *rq = this_runq_lock();
	unsigned before = nr_ready(rq), after;
	u64 far = rq->balance_at, now = time_now();

	rq->balance_at = now;
	watch_begin(rq);
	balance(rq, now);
	watch_end();
	after = nr_ready(rq);
	rq->balance_at = far;
	runq_unlock(rq);
	CHECK(after >= before, "P8.8", "a thread of this CPU went away");
	CHECK(after == before || !time_before(watched_at, now), "P8.8",
	      "at %lu ns a thread was taken, and the policy is told %lu", now, watched_at);
	return after - before;
}

/* One more thread on CPU @cpu, which may run on @mask; the first one there runs. */
static void add(unsigned cpu, u32 mask)
{
	bool first = cpus[cpu].runq.current == &cpus[cpu].idle;

	make_and_run(&m[n], cpu, mask, spin);
	if (first)
		CHECK(await_begin(&m[n], 100 * MS), "P8.8", "a thread on CPU %u does not run",
		      cpu);
	n++;
}

KTEST(balance_two_more, "balance.two_more", "08.5", "P8.8")
{
	unsigned came;

	NEEDS_TWO_CPUS;
	NEEDS_NO_STEALING;
	begin_test();
	came = compare();
	CHECK(came == 0, "P8.8", "1 thread here, 0 there: %u came", came);
	add(there, ~0u);
	add(there, ~0u);
	came = compare();
	CHECK(came == 0, "P8.8", "1 thread here, 2 there: %u came", came);
	add(there, ~0u);
	came = compare();
	CHECK(came == 1, "P8.8", "1 thread here, 3 there: %u came", came);
	came = compare();
	CHECK(came == 0, "P8.8", "2 threads here, 2 there: %u came", came);
	CHECK(runq_cpu(&cpus[there].runq) == thread_cpu(cpus[there].runq.current), "P8.8",
	      "the thread that runs there was taken");
	add(there, ~0u);
	add(there, ~0u);
	came = compare();
	CHECK(came == 1, "P8.8", "2 threads here, 4 there: %u came", came);
	for (unsigned i = 0; i < 4; i++)
		add(there, ~0u);
	came = compare();
	CHECK(came == 1, "P8.8", "3 threads here, 7 there: %u came", came);
	end_test();
}

/* CPU @most has @count threads that may run on @mask, the others one less, for any CPU. */
static void fill_others(unsigned most, unsigned count, u32 mask)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		for (unsigned k = 0; i != here && k < count - (i != most); k++)
			add(i, i == most ? mask : ~0u);
}

/* Of several CPUs that have more the busiest one gives. */
KTEST(balance_busiest, "balance.busiest", "08.5", "P8.8")
{
	unsigned most, before, came;

	NEEDS(nr_cpus > 2, 4);
	NEEDS_NO_STEALING;
	for (unsigned skip = 1; skip < nr_cpus; skip++) {
		begin_test();
		most = (here + skip) % nr_cpus;
		fill_others(most, 4, ~0u);
		before = nr_ready(&cpus[most].runq);
		came = compare();
		CHECK(came == 1 && nr_ready(&cpus[most].runq) == before - 1, "P8.8",
		      "CPU %u has 4 threads, the others 3, this one 1: %u came, and CPU %u has %u",
		      most, came, most, nr_ready(&cpus[most].runq) + 1);
		end_test();
	}
	begin_test();
	fill_others(there, 5, BIT(there));
	came = compare();
	CHECK(came == 0, "P8.8", "CPU %u has 5 threads, which must stay, the others 4: %u came",
	      there, came);
	end_test();
}

/* The near CPU, whose threads may come or must stay, has 3, others 4: @come of the 3 come. */
static void check_near(unsigned come)
{
	unsigned near, before, came;

	begin_test();
	near = here ^ 2;
	for (unsigned i = 0; i < nr_cpus; i++)
		for (unsigned k = 0; i != here && k < (i == near ? 3u : 4u); k++)
			add(i, i == near && !come ? BIT(near) : ~0u);
	before = nr_ready(&cpus[near].runq);
	nodes_begin();
	came = compare();
	nodes_end();
	CHECK(came == 1 && nr_ready(&cpus[near].runq) == before - come, "P8.8",
	      "CPU %u, of this node, has 3 threads%s, others 4, this one 1: %u came, %u from there",
	      near, come ? "" : ", which must stay", came, before - nr_ready(&cpus[near].runq));
	end_test();
}

/* CPUs 0 and 2 are near each other, and so are 1 and 3: the near one gives, if it can. */
KTEST(balance_near, "balance.near", "08.5", "P8.8")
{
	NEEDS(nr_cpus == 4, 4);
	NEEDS_NO_STEALING;
	check_near(1);
	check_near(0);
}

/* Only one that may run here is taken, and only from where it waits. */
KTEST(balance_mask, "balance.mask", "08.5", "P8.8")
{
	unsigned came;

	NEEDS_TWO_CPUS;
	NEEDS_NO_STEALING;
	begin_test();
	for (unsigned i = 0; i < 3; i++)
		add(there, BIT(there));
	came = compare();
	CHECK(came == 0, "P8.8", "1 thread here, 3 there that must stay: %u came", came);
	add(there, ~0u);
	came = compare();
	CHECK(came == 1 && thread_cpu(m[3].thread) == &cpus[here], "P8.8",
	      "of 4 threads there the last one may come: %u came", came);
	end_test();
}

/* All CPUs but this one and the next have @count threads that may run anywhere. */
static void fill_further(unsigned count)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		for (unsigned k = 0; i != here && i != there && k < count; k++)
			add(i, ~0u);
}

/*
 * Real-time threads are sent where they have to go by others, and the CPU that has them stays the
 * busiest one. The test is more urgent than they.
 */
KTEST(balance_urgent, "balance.urgent", "08.5", "P8.8")
{
	struct sched_params p = { .class = SCHED_FIFO, .rt_priority = 90 };
	unsigned came;

	NEEDS_TWO_CPUS;
	NEEDS_NO_STEALING;
	REQUIRE(sched_set_params(current_thread(), &p) == 0, "P8.8", "its class is refused");
	begin_test();
	preempt_on();
	for (unsigned i = 0; i < 4; i++) {
		make(&m[n], there, BIT(there), spin);
		set_urgent(m[n].thread, true);
		thread_resume(m[n].thread);
		if (!i)
			CHECK(await_begin(&m[n], 100 * MS), "P8.8", "it does not run");
		n++;
	}
	preempt_off();
	fill_further(3);
	for (unsigned i = 1; i < 4; i++)
		set_mask(m[i].thread, BIT(there) | BIT(here));
	came = compare();
	CHECK(came == 0, "P8.8",
	      "1 thread here, 3 on each further CPU, 4 there, all of them real-time: %u came",
	      came);
	for (unsigned i = 1; i < 4; i++)
		set_mask(m[i].thread, BIT(there));
	preempt_on();
	set_urgent(current_thread(), false);
	preempt_off();
	end_test();
}

static _Atomic bool holds;

static int hold_queue(void *arg)
{
	(void)arg;
	spin_lock(&cpus[there].runq.lock);
	holds = true;
	look_on(20 * MS);
	spin_unlock(&cpus[there].runq.lock);
	return 0;
}

/* The busiest CPU's queue is locked: nobody waits for it, or takes from another one instead. */
KTEST(balance_locked, "balance.locked", "08.5", "P8.8")
{
	struct member holder;
	unsigned came;
	u64 from;

	NEEDS_TWO_CPUS;
	NEEDS_NO_STEALING;
	begin_test();
	for (unsigned i = 0; i < 4; i++)
		add(there, ~0u);
	fill_further(3);
	holds = false;
	preempt_on();
	make(&holder, there, BIT(there), hold_queue);
	set_urgent(holder.thread, true);
	thread_resume(holder.thread);
	preempt_off();
	while (!holds)
		;
	from = time_now();
	came = compare();
	CHECK(came == 0 && time_now() - from < 5 * MS, "P8.8",
	      "the other queue was locked: %u came, after %lu ms", came, (time_now() - from) / MS);
	preempt_on();
	end(&holder, 1);
	preempt_off();
	end_test();
}
