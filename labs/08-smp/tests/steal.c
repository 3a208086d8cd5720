/*
 * Lab 08, step 3: a CPU takes threads from the queues of others. The tests call steal() with their
 * own queue locked, as the scheduler does.
 */
#include "nodes.h"
#include "reason.h"

static struct member busy, m[CREW];

/* Takes one for this CPU. Returns its number, -1: none. @own is this CPU's queue. */
static int take_one(struct runq **missed)
{
	struct runq *rq = this_runq_lock();
	unsigned before = nr_ready(rq);
	u64 now = time_now();
	bool found, normal;
	int which = -1;

	watch_begin(rq);
	found = steal(rq, now);
	watch_end();
	if (missed)
		*missed = rq->missed;
	for (unsigned i = 0; i < CREW; i++)
		if (m[i].thread && !m[i].began_on && entity_queued(&m[i].thread->se) &&
		    thread_cpu(m[i].thread) == runq_cpu(rq)) {
			which = i;
			/* Out of the way of the next one. */
			queue_dequeue(&rq->q, &m[i].thread->se);
			break;
		}
	CHECK(found == (which >= 0), "P8.4", "steal() returned %d, and %s thread came", found,
	      which >= 0 ? "a" : "no");
	CHECK(nr_ready(rq) == before, "P8.4", "more than one thread came at once");
	/* A policy hears of normal threads alone. */
	normal = which >= 0 && !(m[which].thread->se.rt & RT_RANK);
	CHECK(!normal || !time_before(watched_at, now), "P8.4",
	      "at %lu ns a thread was taken, and the policy is told %lu", now, watched_at);
	runq_unlock(rq);
	return which;
}

/* Puts back what take_one() has put out of the way. */
static void put_back(unsigned i)
{
	struct runq *rq = thread_runq_lock(m[i].thread);

	runq_enqueue(rq, m[i].thread, ENQUEUE_MIGRATED);
	runq_unlock(rq);
}

/* Thread i waits on CPU on[i], behind one that computes there, and may run on mask[i]. */
static void crew_waits(unsigned n, const unsigned *on, const u32 *mask)
{
	for (unsigned i = 0; i < CREW; i++)
		m[i].thread = NULL;
	for (unsigned i = 0; i < n; i++)
		make_and_run(&m[i], on[i], mask[i], begin);
}

static void check_order(unsigned here)
{
	unsigned there = next_to(here);
	int took[4];

	REQUIRE(sched_set_affinity(current_thread(), BIT(here)) == 0, "P8.4", "affinity");
	make_and_run(&busy, there, BIT(there) | BIT(here), spin);
	REQUIRE(await_begin(&busy, 100 * MS), "P8.4", "a thread on CPU %u does not run", there);
	preempt_off();
	crew_waits(3, (unsigned[]){ there, there, there },
		   (u32[]){ BIT(there), BIT(there) | BIT(here), BIT(there) | BIT(here) });
	for (unsigned i = 0; i < 4; i++)
		took[i] = take_one(NULL);
	CHECK(took[0] == 1, "P8.4",
	      "0, 1 and 2 wait there, 0 must stay: %d was taken first, not 1", took[0]);
	CHECK(took[1] == 2, "P8.4", "0 and 2 wait there, 0 must stay: %d was taken, not 2",
	      took[1]);
	CHECK(took[2] == -1 && took[3] == -1, "P8.4",
	      "nobody waits there who may come, and %d was taken", took[2]);
	CHECK(cpus[there].runq.current == busy.thread && thread_cpu(busy.thread) == &cpus[there],
	      "P8.4", "the thread that runs there was taken");
	for (unsigned i = 1; i < 3; i++)
		put_back(i);
	preempt_on();
	end(m, 3);
	end(&busy, 1);
	for (unsigned i = 0; i < 3; i++)
		CHECK(m[i].began_on, "P8.4", "thread %u has not run", i);
	CHECK(m[0].began_on == there + 1, "P8.4", "thread 0 ran on CPU %d, and may not",
	      (int)m[0].began_on - 1);
	stay_no_longer();
	sched_audit();
}

/* Three wait on the next CPU, of which the first must stay there. */
KTEST(steal_order, "steal.order", "08.3", "P8.4")
{
	NEEDS_TWO_CPUS;
	NEEDS_NO_STEALING;
	for (unsigned i = 0; i < nr_cpus; i++)
		check_order(i);
}

/* Two wait on each other CPU: they are taken in the order of the CPUs' numbers. */
static void check_first(unsigned here)
{
	unsigned on[CREW], n = 0, computing = 0;
	struct member computes[MAX_CPUS];
	u32 mask[CREW];
	int took[CREW];

	REQUIRE(sched_set_affinity(current_thread(), BIT(here)) == 0, "P8.4", "affinity");
	for (unsigned i = 0; i < nr_cpus; i++) {
		if (i == here)
			continue;
		make_and_run(&computes[computing], i, BIT(i), spin);
		CHECK(await_begin(&computes[computing++], 100 * MS), "P8.4", "it does not run");
		on[n] = on[n + 1] = i;
		mask[n] = mask[n + 1] = ~0u;
		n += 2;
	}
	preempt_off();
	crew_waits(n, on, mask);
	for (unsigned i = 0; i < n; i++)
		took[i] = take_one(NULL);
	for (unsigned i = 0; i < n; i++)
		CHECK(took[i] == (int)i, "P8.4",
		      "CPU %u, two wait on each other one, first the first's: %d was taken, not %u",
		      here, took[i], i);
	for (unsigned i = 0; i < n; i++)
		if (took[i] >= 0)
			put_back(took[i]);
	preempt_on();
	end(m, n);
	end(computes, computing);
	stay_no_longer();
	sched_audit();
}

KTEST(steal_first, "steal.first", "08.3", "P8.4")
{
	NEEDS(nr_cpus == 4, 4);
	NEEDS_NO_STEALING;
	for (unsigned i = 0; i < nr_cpus; i++)
		check_first(i);
}

/* On the first CPU all must stay, on the next one the first must: the search goes on. */
KTEST(steal_further, "steal.further", "08.3", "P8.4")
{
	unsigned here, first, second;
	struct member computes[2];
	int took;

	NEEDS(nr_cpus > 2, 4);
	NEEDS_NO_STEALING;
	here = stay_here();
	first = here == 0 ? 1 : 0;
	second = first + 1 == here ? first + 2 : first + 1;
	make_and_run(&computes[0], first, BIT(first), spin);
	make_and_run(&computes[1], second, BIT(second), spin);
	for (unsigned i = 0; i < 2; i++)
		CHECK(await_begin(&computes[i], 100 * MS), "P8.4", "a thread does not run");
	preempt_off();
	crew_waits(4, (unsigned[]){ first, first, second, second },
		   (u32[]){ BIT(first), BIT(first), BIT(second), ~0u });
	took = take_one(NULL);
	CHECK(took == 3, "P8.4",
	      "two CPUs have threads that wait, and the last of them may come: %d was taken", took);
	if (took >= 0)
		put_back(took);
	preempt_on();
	end(m, 4);
	end(computes, 2);
	stay_no_longer();
	sched_audit();
}

/* Threads that run are left alone, even if the CPU that looks has nothing to do. */
KTEST(steal_running, "steal.running", "08.3", "P8.4")
{
	unsigned here, n = 0;

	NEEDS_TWO_CPUS;
	NEEDS_NO_STEALING;
	here = stay_here();
	crew_waits(0, NULL, NULL);
	for (unsigned i = 0; i < nr_cpus; i++)
		if (i != here) {
			make_and_run(&m[n], i, BIT(nr_cpus) - 1, spin);
			CHECK(await_begin(&m[n++], 100 * MS), "P8.4",
			      "a thread on CPU %u does not run", i);
		}
	preempt_off();
	for (unsigned i = 0; i < 3; i++)
		CHECK(take_one(NULL) == -1, "P8.4", "a thread was taken, and none waits");
	for (unsigned i = 0; i < n; i++)
		CHECK(thread_cpu(m[i].thread)->runq.current == m[i].thread &&
			      m[i].began_on == thread_cpu(m[i].thread)->id + 1,
		      "P8.4", "a thread that ran on CPU %d was taken", (int)m[i].began_on - 1);
	preempt_on();
	end(m, n);
	stay_no_longer();
	sched_audit();
}

/*
 * A real-time thread waits behind another one. It was not pushed away, as it had to stay there, and
 * this CPU does not pull it, as the test is more urgent. It is taken as any other thread would be,
 * before a normal one that waits there, too.
 */
KTEST(steal_urgent, "steal.urgent", "08.3", "P8.4")
{
	struct sched_params p = { .class = SCHED_FIFO, .rt_priority = 90 };
	unsigned here, there;
	int took[2];

	NEEDS_TWO_CPUS;
	NEEDS_NO_STEALING;
	REQUIRE(sched_set_params(current_thread(), &p) == 0, "P8.4", "its class is refused");
	here = stay_here();
	there = next_to(here);
	crew_waits(0, NULL, NULL);
	make(&busy, there, BIT(there), spin);
	make(&m[0], there, BIT(there), begin);
	set_urgent(busy.thread, true);
	set_urgent(m[0].thread, true);
	thread_resume(busy.thread);
	REQUIRE(await_begin(&busy, 100 * MS), "P8.4", "a thread on CPU %u does not run", there);
	make_and_run(&m[1], there, BIT(there), begin);
	thread_resume(m[0].thread);
	preempt_off();
	CHECK(take_one(NULL) == -1, "P8.4", "a real-time thread was taken, and must stay there");
	for (unsigned i = 0; i < 2; i++)
		set_mask(m[i].thread, BIT(there) | BIT(here));
	for (unsigned i = 0; i < 2; i++) {
		took[i] = take_one(NULL);
		CHECK(took[i] == (int)i, "P8.4",
		      "a real-time thread, 0, and a normal one, 1, wait there and may come: "
		      "%d was taken, not %u",
		      took[i], i);
	}
	for (unsigned i = 0; i < 2; i++)
		if (took[i] >= 0)
			put_back(took[i]);
	preempt_on();
	set_urgent(current_thread(), false);
	end(&busy, 1);
	end(m, 2);
	stay_no_longer();
	sched_audit();
}

/* --- Locked ----------------------------------------------------------------------------------- */

static struct runq *held;
static _Atomic bool holds;

/* Holds another CPU's queue for 20 ms. */
static int hold_queue(void *arg)
{
	((struct member *)arg)->began_on = 1;
	spin_lock(&held->lock);
	holds = true;
	look_on(20 * MS);
	spin_unlock(&held->lock);
	return 0;
}

/* Returns when @holder, on CPU @cpu, has that CPU's queue locked. */
static void hold(struct member *holder, unsigned cpu)
{
	held = &cpus[cpu].runq;
	holds = false;
	make(holder, cpu, BIT(cpu), hold_queue);
	set_urgent(holder->thread, true);
	thread_resume(holder->thread);
	while (!holds)
		;
}

/*
 * A waker holds the queue of CPU @there, which idles, and has queued a thread: that CPU may find
 * another one first, so this CPU has to look again, too. This CPU is the waker.
 */
static void check_missed_idle(unsigned there)
{
	struct runq *victim = &cpus[there].runq, *rq;
	bool found;

	for (;;) {
		bool free;

		rq = this_runq_lock();
		free = spin_trylock(&victim->lock);
		if (free && is_idle(victim, victim->current))
			break;
		if (free)
			spin_unlock(&victim->lock);
		runq_unlock(rq);
	}
	atomic_fetch_add(&victim->q.nr, 1);
	found = steal(rq, time_now());
	atomic_fetch_sub(&victim->q.nr, 1);
	spin_unlock(&victim->lock);
	CHECK(!found && rq->missed == victim, "P8.5",
	      "a thread waits at a CPU that idles, whose queue is locked: this is not noted");
	runq_unlock(rq);
}

/* The queue of CPU there is locked: this CPU does not wait for it, and says so. */
static void check_locked(unsigned here)
{
	unsigned there = next_to(here);
	struct runq *missed = NULL;
	struct member holder;
	u64 from, took;

	REQUIRE(sched_set_affinity(current_thread(), BIT(here)) == 0, "P8.5", "affinity");
	make_and_run(&busy, there, BIT(there), spin);
	REQUIRE(await_begin(&busy, 100 * MS), "P8.5", "a thread on CPU %u does not run", there);
	crew_waits(1, (unsigned[]){ there }, (u32[]){ BIT(there) | BIT(here) });
	hold(&holder, there);
	CHECK(nr_ready(held) >= 1, "P8.5", "no thread waits there");
	preempt_off();
	from = time_now();
	CHECK(take_one(&missed) == -1, "P8.5", "a thread was taken out of a queue that was locked");
	took = time_now() - from;
	preempt_on();
	CHECK(took < 5 * MS, "P8.5",
	      "with its own queue locked this CPU waited %lu ms for another's lock", took / MS);
	CHECK(missed == held, "P8.5", "it could not look at a queue, and did not note that");
	end(&holder, 1);
	end(m, 1);
	end(&busy, 1);
	check_missed_idle(there);
	stay_no_longer();
	sched_audit();
}

/* Neither a CPU with a higher number nor one with a lower. */
KTEST(steal_locked, "steal.locked", "08.3", "P8.5")
{
	NEEDS_TWO_CPUS;
	NEEDS_NO_STEALING;
	for (unsigned i = 0; i < nr_cpus; i++)
		check_locked(i);
}

/*
 * A queue is locked, and the next one is not: a thread that waits there is found, if it may come;
 * else this CPU still knows that it could not look everywhere.
 */
static void check_next(unsigned here, bool may_come)
{
	struct runq *missed = NULL;
	struct member holder, computes[2];
	unsigned first, second;
	int took;

	first = here == 0 ? 1 : 0;
	second = first + 1 == here ? first + 2 : first + 1;	/* looked at after the first */
	make_and_run(&computes[0], first, BIT(first), spin);
	make_and_run(&computes[1], second, BIT(second), spin);
	for (unsigned i = 0; i < 2; i++)
		CHECK(await_begin(&computes[i], 100 * MS), "P8.5", "a thread does not run");
	crew_waits(2, (unsigned[]){ first, second },
		   (u32[]){ ~0u, may_come ? ~0u : BIT(second) });
	hold(&holder, first);
	preempt_off();
	took = take_one(&missed);
	CHECK(took == (may_come ? 1 : -1), "P8.5",
	      "of two queues one is locked, and from the other one %d was taken", took);
	CHECK(may_come || missed == held, "P8.5",
	      "a queue was locked, in the next one is nobody who may come: the first is forgotten");
	if (took >= 0)
		put_back(took);
	preempt_on();
	end(&holder, 1);
	end(m, 2);
	end(computes, 2);
}

KTEST(steal_next, "steal.next", "08.3", "P8.5")
{
	unsigned here;

	NEEDS(nr_cpus > 2, 4);
	NEEDS_NO_STEALING;
	here = stay_here();
	check_next(here, true);
	check_next(here, false);
	stay_no_longer();
	sched_audit();
}

/* A queue in which nobody waits need not be locked, however often a CPU looks. */
KTEST(steal_empty, "steal.empty", "08.3", "P8.5")
{
	struct runq *missed = NULL;
	struct member holder;
	unsigned here, there;

	NEEDS_TWO_CPUS;
	NEEDS_NO_STEALING;
	here = stay_here();
	there = next_to(here);
	crew_waits(0, NULL, NULL);
	held = &cpus[there].runq;
	holds = false;
	make_and_run(&holder, there, BIT(there), hold_queue);
	while (!holds)
		;
	preempt_off();
	CHECK(take_one(&missed) == -1, "P8.4", "a thread was taken, and none waits");
	CHECK(!missed, "P8.5", "nobody waits in a queue, and its lock was tried");
	preempt_on();
	end(&holder, 1);
	stay_no_longer();
}

/* --- Nodes ------------------------------------------------------------------------------------ */

/* CPU @locked's queue is locked, and nobody waits in the other node: the first is not forgotten. */
static void check_missed_in_one_node(unsigned locked)
{
	struct runq *missed = NULL;
	struct member holder;

	crew_waits(1, &locked, (u32[]){ ~0u });
	hold(&holder, locked);
	preempt_off();
	nodes_begin();
	CHECK(take_one(&missed) == -1 && missed == held, "P8.5",
	      "a queue of CPU %u's node is locked, in the other node is nobody: it is forgotten",
	      locked);
	nodes_end();
	preempt_on();
	end(&holder, 1);
	end(m, 1);
}

/* CPUs 0 and 2 are near each other, and so are 1 and 3. */
KTEST(steal_near, "steal.near", "08.3", "P8.4")
{
	unsigned here, n = 0;
	struct member computes[MAX_CPUS];
	int took[4];

	NEEDS(nr_cpus == 4, 4);
	NEEDS_NO_STEALING;
	here = stay_here();
	for (unsigned i = 0; i < 4; i++)
		if (i != here)
			make_and_run(&computes[n++], i, BIT(i), spin);
	for (unsigned i = 0; i < n; i++)
		CHECK(await_begin(&computes[i], 100 * MS), "P8.4", "a thread does not run");
	preempt_off();
	crew_waits(4, (unsigned[]){ here ^ 1, here ^ 1, here ^ 3, here ^ 2 },
		   (u32[]){ ~0u, ~0u, ~0u, ~0u });
	nodes_begin();
	for (unsigned i = 0; i < 4; i++)
		took[i] = take_one(NULL);
	nodes_end();
	CHECK(took[0] == 3, "P8.4",
	      "3 waits on a CPU of this node, 0, 1 and 2 elsewhere: %d was taken first", took[0]);
	CHECK(took[1] >= 0 && took[2] >= 0 && took[3] >= 0, "P8.4",
	      "three wait on CPUs of the other node: %d, %d and %d were taken", took[1], took[2],
	      took[3]);
	for (unsigned i = 0; i < 4; i++)
		if (took[i] >= 0)
			put_back(took[i]);
	preempt_on();
	end(m, 4);
	check_missed_in_one_node(here ^ 2);
	check_missed_in_one_node(here ^ 3);
	end(computes, n);
	stay_no_longer();
	sched_audit();
}
