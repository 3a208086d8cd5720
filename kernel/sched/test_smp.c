/*
 * Several CPUs: which CPU is told of work, and where threads are sent. Under -icount, with each
 * sched=, and with steal=off and balance=off. Which CPU takes work by itself: test_steal.c.
 */
#include "base/bootargs.h"
#include "base/string.h"
#include "base/trace.h"
#include "errno.h"
#include "internal.h"
#include "mm/numa.h"
#include "test_spinner.h"

static struct spinner nappers[MAX_CPUS];
static unsigned nr_nappers;

void stay_here(void)
{
	go_first();
	CHECK(sched_set_affinity(current_thread(), BIT(0)) == 0, "", "affinity");
}

void stay_no_longer(void)
{
	end(nappers, nr_nappers);
	nr_nappers = 0;
	CHECK(sched_set_affinity(current_thread(), ~0u) == 0, "", "affinity");
}

static bool balances(void)
{
	const char *value = bootarg("balance");

	return !value || strcmp(value, "off") != 0;
}

/* Returns how many records this CPU, 0, has written. */
static u64 records_here(void)
{
	return atomic_load(&cpus[0].trace->head);
}

/* Returns how many IPI_RESCHED this CPU has sent since record @from. */
static unsigned told_since(u64 from)
{
	const struct trace_ring *ring = cpus[0].trace;
	unsigned n = 0;

	for (u64 i = from; i < records_here(); i++) {
		const struct trace_record *r = &ring->records[i & (ring->size - 1)];

		n += r->event == TRACE_EV_IPI && r->b == IPI_RESCHED;
	}
	return n;
}

static bool nappers_run(void)
{
	for (unsigned i = 0; i < nr_nappers; i++)
		if (thread_cpu(nappers[i].thread)->runq.current != nappers[i].thread)
			return false;
	return true;
}

/* Whether every other CPU is idle, with no request pending. */
static bool others_rest(void)
{
	for (unsigned i = 1; i < nr_cpus; i++) {
		struct cpu *c = &cpus[i];

		if (thread_state(nappers[i - 1].thread) != THREAD_SLEEPING ||
		    c->runq.current != &c->idle || atomic_load(&c->idle.work) & WORK_RESCHED)
			return false;
	}
	return true;
}

void others_have_run(void)
{
	for (unsigned i = 1; i < nr_cpus; i++) {
		struct spinner *s = &nappers[nr_nappers++];

		*s = (struct spinner){ 0 };
		if (bootarg_switch("steal", true)) {
			create_at(s, 0, work_and_nap, PRIORITY_DEFAULT);
			thread_resume(s->thread);
		} else {
			start_on(s, BIT(i), work_and_nap, PRIORITY_DEFAULT);
		}
	}
	CHECK(await(nappers_run), "", "some wait though there is a CPU for each");
	for (unsigned i = 0; i < nr_nappers; i++)
		atomic_store(&nappers[i].stop, true);
	CHECK(await(others_rest), "", "a CPU has something to do");
}

/* Whether every other CPU is idle and has its bit in idle_mask. */
static bool others_idle(void)
{
	static struct thread probe;

	for (unsigned i = 1; i < nr_cpus; i++) {
		probe.se.affinity = BIT(i);
		if (!idle_cpu_for(&probe, NULL))
			return false;
	}
	return true;
}

/* Waits, without giving up the CPU, until @s runs. Returns its CPU; NULL: it never ran. */
static struct cpu *await_place(struct spinner *s)
{
	u64 end = time_now() + 10 * NSEC_PER_SEC;

	while (time_before(time_now(), end)) {
		struct cpu *c = thread_cpu(s->thread);

		if (c->runq.current == s->thread)
			return c;
	}
	return NULL;
}

/*
 * A thread that starts on a busy CPU goes to the first idle CPU: CPUs are numbered so that this
 * spreads over cores before their siblings. tools/tests also run it on a machine with siblings.
 */
KTEST(sched_in_order, "sched.in_order", "", "")
{
	struct spinner s[MAX_CPUS] = { 0 };
	unsigned n;

	if (nr_cpus == 1 || !may_steal)
		return;
	if (policy_is(&sched_mlfq) || policy_is(&sched_pct))
		return;			/* a new thread may preempt us */
	stay_here();
	await(others_idle);
	for (n = 0; n + 1 < nr_cpus; n++) {
		struct cpu *c;

		create_at(&s[n], 0, spin, PRIORITY_DEFAULT);
		preempt_off();		/* however long the other CPU takes to come */
		thread_resume(s[n].thread);
		c = await_place(&s[n]);
		preempt_on();
		CHECK(c == &cpus[n + 1], "", "number %u runs on CPU %d", n, c ? (int)c->id : -1);
	}
	end(s, n);
	stay_no_longer();
}

/* Two threads wake on an idle CPU: it runs one, and another CPU is told of the other. */
KTEST(sched_tells_another, "sched.tells_another", "", "")
{
	struct spinner s[2] = { 0 };
	struct runq *rq;

	if (nr_cpus < 3)
		return;
	stay_here();
	others_have_run();
	create_at(&s[0], 1, spin, PRIORITY_DEFAULT);
	create_at(&s[1], 1, spin, PRIORITY_DEFAULT);
	rq = thread_runq_lock(s[0].thread);
	sched_make_ready(rq, s[0].thread, "tested");
	sched_make_ready(rq, s[1].thread, "tested");
	runq_unlock(rq);
	look_on(2 * MS);
	CHECK(ran(&s[0]) > 0, "", "the first waits");
	CHECK((ran(&s[1]) > 0) == bootarg_switch("steal", true), "", "the second ran %lu ns",
	      ran(&s[1]));
	end(s, 2);
	stay_no_longer();
}

/* The same when both preempt the thread that runs there. */
KTEST(sched_tells_for_each, "sched.tells_for_each", "", "")
{
	struct spinner busy = { 0 }, s[2] = { 0 };
	struct runq *rq;

	if (nr_cpus < 3 || !bootarg_switch("steal", true))
		return;
	stay_here();
	others_have_run();
	start_on(&busy, BIT(1), spin, PRIORITY_LOW);
	create_at(&s[0], 1, spin, PRIORITY_HIGH);
	create_at(&s[1], 1, spin, PRIORITY_HIGH);
	look_on(MS);
	rq = thread_runq_lock(s[0].thread);
	sched_make_ready(rq, s[0].thread, "tested");
	sched_make_ready(rq, s[1].thread, "tested");
	runq_unlock(rq);
	look_on(2 * MS);
	for (unsigned i = 0; i < 2; i++)
		CHECK(ran(&s[i]) > 0, "", "number %u waits", i);
	end(&busy, 1);
	end(s, 2);
	stay_no_longer();
}

/*
 * No interrupt is sent to a CPU that will look anyway: this one, or one that was sent one already.
 * CPU 1 may have taken that interrupt, but we hold its queue's lock, so it has not looked yet.
 */
KTEST(sched_tells_once, "sched.tells_once", "", "")
{
	struct spinner here = { .work = MS }, there[2] = { { .work = MS }, { .work = MS } };
	struct runq *rq;
	u64 before;

	if (nr_cpus == 1)
		return;
	stay_here();
	for (unsigned i = 0; i < 2; i++) {
		create_at(&there[i], 1, spin, PRIORITY_DEFAULT);
		CHECK(sched_set_affinity(there[i].thread, BIT(1)) == 0, "", "affinity");
	}
	others_have_run();
	before = records_here();
	start_on(&here, BIT(0), spin, PRIORITY_DEFAULT);
	CHECK(!told_since(before), "", "told for a thread that only we may run");
	rq = thread_runq_lock(there[0].thread);
	sched_make_ready(rq, there[0].thread, "tested");
	look_on(MS / 10);
	sched_make_ready(rq, there[1].thread, "tested");
	CHECK(told_since(before) == 1, "", "%u interrupts", told_since(before));
	runq_unlock(rq);
	end(&here, 1);
	end(there, 2);
	stay_no_longer();
}

/* A mask that shrinks moves its thread before the call returns, whether it runs or waits. */
KTEST(sched_shrinks, "sched.shrinks", "", "")
{
	struct spinner s[2] = { 0 };
	unsigned last = nr_cpus - 1;

	if (nr_cpus == 1)
		return;
	stay_here();
	for (unsigned i = 0; i < 2; i++)		/* one of them runs, the other is queued */
		start_on(&s[i], BIT(last), spin, PRIORITY_DEFAULT);
	look_on(MS);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(thread_cpu(s[i].thread) == &cpus[last], "", "not where it may run");
		CHECK(sched_set_affinity(s[i].thread, BIT(last - 1)) == 0, "", "affinity");
		CHECK(thread_cpu(s[i].thread) == &cpus[last - 1], "", "it is still there");
	}
	CHECK(sched_set_affinity(s[0].thread, 0) == -EINVAL, "", "no CPU at all");
	CHECK(sched_set_affinity(s[0].thread, BIT(nr_cpus)) == -EINVAL, "", "no CPU that is there");
	end(s, 2);
	stay_no_longer();
}

/* A thread yields on a CPU that it may not use any more, before it was told to leave. */
KTEST(sched_yields_elsewhere, "sched.yields_elsewhere", "", "")
{
	struct spinner s = { 0 };
	unsigned last = nr_cpus - 1, on;

	if (nr_cpus == 1)
		return;
	stay_here();
	start_on(&s, BIT(0), spin, PRIORITY_DEFAULT);
	irq_off();	/* nothing tells it */
	CHECK(sched_set_affinity(current_thread(), BIT(last)) == 0, "", "affinity");
	sched_yield();
	on = this_cpu()->id;
	irq_on();
	CHECK(on == last, "", "it goes on at CPU %u", on);
	end(&s, 1);
	stay_no_longer();
}

/* A thread yields to one that may run nowhere else, while another CPU idles: that one takes it. */
KTEST(sched_yields_to_bound, "sched.yields_to_bound", "", "")
{
	u64 before;

	if (nr_cpus == 1)
		return;
	take_priority(PRIORITY_DEFAULT);
	for (unsigned i = 0; i < 3; i++) {
		struct spinner s = { 0 };

		CHECK(sched_set_affinity(current_thread(), BIT(0)) == 0, "", "affinity");
		start_on(&s, BIT(0), spin, PRIORITY_DEFAULT);
		CHECK(sched_set_affinity(current_thread(), ~0u) == 0, "", "affinity");
		before = time_now();
		thread_yield();
		CHECK(time_now() - before < MS, "", "it waits for %lu ns beside an idle CPU",
		      time_now() - before);
		end(&s, 1);
	}
}

/* When all CPUs are busy, threads move from the busiest one; with balance=off they do not. */
KTEST(sched_balances, "sched.balances", "", "")
{
	struct spinner s[MAX_CPUS + 2] = { 0 };
	unsigned last = nr_cpus - 1, n = nr_cpus + 2;
	u64 moved = 0, counted = 0;

	if (nr_cpus == 1 || policy_is(&sched_pct))
		return;
	stay_here();
	for (unsigned i = 0; i < nr_cpus; i++)
		counted -= cpus[i].stats.balanced;
	for (unsigned i = 0; i < last; i++)
		start_on(&s[i], BIT(i), spin, PRIORITY_DEFAULT);
	for (unsigned i = last; i < n; i++) {
		create_at(&s[i], last, spin, PRIORITY_DEFAULT);
		s[i].since = s[i].thread->stats.migrations;
		thread_resume(s[i].thread);
	}
	thread_sleep(350 * MS);
	for (unsigned i = last; i < n; i++)
		moved += s[i].thread->stats.migrations - s[i].since;
	for (unsigned i = 0; i < nr_cpus; i++)
		counted += cpus[i].stats.balanced;
	CHECK((moved > 0) == balances(), "", "%lu moves", moved);
	CHECK((counted > 0) == balances(), "", "%lu moves are counted", counted);
	end(s, n);
	stay_no_longer();
}

/* Threads that start on one CPU spread, so that each gets its share. */
KTEST(sched_spreads, "sched.spreads", "", "")
{
	struct spinner s[2 * MAX_CPUS] = { 0 };
	unsigned n = 2 * nr_cpus;

	if (nr_cpus == 1)
		return;
	go_first();
	for (unsigned i = 0; i < n; i++)
		start_on(&s[i], ~0u, spin, PRIORITY_DEFAULT);
	measure(s, n, 600 * MS);
	measure(s, n, 500 * MS);
	for (unsigned i = 0; i < n; i++)
		CHECK(policy_is(&sched_pct) || got(&s[i]) > 80 * MS, "", "%u had %lu ns", i,
		      got(&s[i]));
	end(s, n);
}

/* A real-time thread that would have to wait goes where something less urgent runs. */
KTEST(sched_pushes, "sched.pushes", "", "")
{
	struct spinner s[MAX_CPUS] = { 0 }, urgent = { .work = 20 * MS };

	if (nr_cpus == 1 || !policy_knows(SCHED_RR) || policy_is(&sched_fair))
		return;
	go_first();
	for (unsigned i = 0; i + 1 < nr_cpus; i++)	/* one CPU runs a more urgent thread */
		start_on(&s[i], BIT(i), spin, i ? PRIORITY_DEFAULT : 29);
	start_on(&s[nr_cpus - 1], BIT(nr_cpus - 1), spin, PRIORITY_DEFAULT);
	thread_sleep(10 * MS);
	urgent.thread = thread_create("urgent", spin, &urgent, 25);
	REQUIRE(urgent.thread, "", "no memory for a thread");
	CHECK(sched_set_affinity(urgent.thread, BIT(0)) == 0, "", "affinity");
	CHECK(sched_set_affinity(urgent.thread, ~0u) == 0, "", "affinity");
	thread_resume(urgent.thread);
	thread_sleep(15 * MS);
	CHECK(ran(&urgent) > 10 * MS, "", "after 15 ms it has run for %lu ns", ran(&urgent));
	end(&urgent, 1);
	end(s, nr_cpus);
}

/* @urgent would have to wait on CPU 1. All others run normal threads: it runs there at once. */
static void check_sent_away(struct spinner *urgent)
{
	u64 before;

	look_on(MS);
	before = ran(urgent);
	look_on(3 * MS);
	CHECK(ran(urgent) - before > 2 * MS, "", "in 3 ms it ran %lu ns", ran(urgent) - before);
	CHECK(thread_cpu(urgent->thread) != &cpus[1], "", "where it has to wait");
}

static void keep_others_busy(struct spinner *s)
{
	for (unsigned i = 2; i < nr_cpus; i++)
		start_on(&s[i - 2], BIT(i), spin, PRIORITY_DEFAULT);
}

/* A preempted real-time thread goes to a CPU with a less urgent thread. */
KTEST(sched_pushes_preempted, "sched.pushes_preempted", "", "")
{
	struct spinner s[MAX_CPUS] = { 0 }, urgent = { 0 }, more_urgent = { 0 };

	if (nr_cpus < 3 || !policy_knows(SCHED_RR))
		return;
	stay_here();
	keep_others_busy(s);
	create_at(&urgent, 1, spin, 20);
	thread_resume(urgent.thread);
	look_on(MS);
	CHECK(cpus[1].runq.current == urgent.thread, "", "it does not run");
	start_on(&more_urgent, BIT(1), spin, 28);
	check_sent_away(&urgent);
	end(&urgent, 1);
	end(&more_urgent, 1);
	end(s, nr_cpus - 2);
	stay_no_longer();
}

/* So does a thread that becomes real time while it waits. */
KTEST(sched_pushes_promoted, "sched.pushes_promoted", "", "")
{
	struct sched_params p = { .class = SCHED_RR, .rt_priority = 20 };
	struct spinner s[MAX_CPUS] = { 0 }, promoted = { 0 }, more_urgent = { 0 };

	if (nr_cpus < 3 || !policy_knows(SCHED_RR))
		return;
	stay_here();
	keep_others_busy(s);
	start_on(&more_urgent, BIT(1), spin, 28);
	create_at(&promoted, 1, spin, PRIORITY_DEFAULT);
	thread_resume(promoted.thread);
	look_on(MS);
	CHECK(ran(&promoted) == 0, "", "it has not had to wait");
	CHECK(sched_set_params(promoted.thread, &p) == 0, "", "SCHED_RR is refused");
	check_sent_away(&promoted);
	end(&promoted, 1);
	end(&more_urgent, 1);
	end(s, nr_cpus - 2);
	stay_no_longer();
}

/* Of several idle CPUs one of the same node is taken, even if another has a lower number. */
KTEST(sched_near, "sched.near", "", "")
{
	unsigned nodes = nr_nodes, node[4];
	struct spinner s = { 0 };
	struct cpu *c = NULL;

	if (nr_cpus < 4)
		return;
	for (unsigned i = 0; i < 4; i++) {
		node[i] = cpus[i].node;
		cpus[i].node = i == 2 || i == 1;
	}
	nr_nodes = 2;
	go_first();
	sched_set_affinity(current_thread(), BIT(0));
	thread_sleep(20 * MS);			/* then the others are idle */
	s.thread = thread_create("near", spin, &s, PRIORITY_DEFAULT);
	REQUIRE(s.thread, "", "no memory for a thread");
	CHECK(near_cpus(&cpus[0]) == 0x9 && near_cpus(&cpus[1]) == 0x6, "", "the nodes' CPUs");
	for (unsigned i = 0; i < 4; i++) {
		s.thread->cpu = &cpus[i];
		c = idle_cpu_for(s.thread, NULL);
		CHECK(c && c->node == cpus[i].node, "", "near CPU %u it takes %d", i,
		      c ? (int)c->id : -1);
	}
	for (unsigned i = 0; i < 4; i++)
		cpus[i].node = node[i];
	nr_nodes = nodes;
	s.thread->cpu = &cpus[0];
	thread_resume(s.thread);
	end(&s, 1);
}
