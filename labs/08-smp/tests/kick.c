/*
 * Lab 08, step 4: idle CPUs are told of threads that wait.
 */
#include "crew.h"
#include "nodes.h"

static unsigned here;
static u32 locked;			/* CPUs whose queues held_still() has locked */

/* Idles, and its timer will not end that soon. */
static bool rests(const struct cpu *c)
{
	return atomic_load(&idle_mask) & BIT(c->id) && c->runq.current == &c->idle &&
	       !(atomic_load(&c->idle.work) & WORK_RESCHED) &&
	       !(c->timer_armed && time_before(c->timer_at, time_now() + 50 * MS));
}

/* That came to the other CPUs. */
static u64 interrupts_so_far(void)
{
	u64 sum = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		if (i != here)
			sum += atomic_load(&cpus[i].stats.interrupts) +
			       atomic_load(&cpus[i].stats.timer_interrupts) +
			       atomic_load(&cpus[i].stats.resched_ipis);
	return sum;
}

static void let_go(void)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (locked & BIT(i))
			spin_unlock(&cpus[i].runq.lock);
	irq_on();
}

static void wait_a_little(void)
{
	u64 until = time_now() + MS / 5;

	while (time_before(time_now(), until))
		;
}

/*
 * Waits until all other CPUs idle, and locks their queues: then none can answer before the end.
 * One that has just announced that it idles, or was interrupted, still wants its queue's lock, and
 * takes no interrupt while it waits for that. So none may have been interrupted for a little while.
 */
static bool held_still(void)
{
	u64 until = time_now() + 100 * MS;

	do {
		u64 before = interrupts_so_far();

		wait_a_little();
		irq_off();
		locked = 0;
		for (unsigned i = 0; i < nr_cpus; i++)
			if (i != here && rests(&cpus[i]) && spin_trylock(&cpus[i].runq.lock))
				locked |= BIT(i);
		if (locked == ((BIT(nr_cpus) - 1) & ~BIT(here)) && before == interrupts_so_far())
			return true;
		let_go();
	} while (time_before(time_now(), until));
	return false;
}

static u64 interrupts(unsigned cpu)
{
	wait_a_little();
	return atomic_load(&cpus[cpu].stats.resched_ipis);
}

/* Checks that kick_idle_for(@t, @rq) tells CPU @want of those that were idle; -1: none. */
static void check_kick(const struct thread *t, struct runq *rq, int want, const char *when)
{
	u32 before = atomic_load(&idle_mask), told, wrong;
	u64 count[MAX_CPUS];
	bool found;

	for (unsigned i = 0; i < nr_cpus; i++)
		count[i] = atomic_load(&cpus[i].stats.resched_ipis);
	found = kick_idle_for(t, rq);
	told = before & ~atomic_load(&idle_mask);
	CHECK(found == (want >= 0), "P8.6", "%s: it returned %d", when, found);
	wrong = told ^ (want >= 0 ? BIT(want) : 0);
	wrong &= -wrong;		/* the first CPU */
	CHECK(!wrong, "P8.6", "%s: CPU %u is %sto be told, and is %s in idle_mask", when,
	      wrong ? __builtin_ctz(wrong) : 0, wrong & told ? "not " : "",
	      wrong & told ? "no more" : "still");
	for (unsigned i = 0; i < nr_cpus; i++) {
		u64 n = i == here ? 0 : interrupts(i) - count[i];
		bool marked = atomic_load(&cpus[i].idle.work) & WORK_RESCHED;

		if (i == here)
			continue;
		CHECK(n == ((int)i == want), "P8.6", "%s: CPU %u was interrupted %lu times", when,
		      i, n);
		CHECK((int)i != want || marked, "P8.6", "%s: CPU %u was told, and is not marked",
		      when, i);
		CHECK((int)i == want || !(before & BIT(i)) || !marked, "P8.6",
		      "%s: CPU %u is marked, and CPU %d was to be told", when, i, want);
	}
}

static struct thread *a_thread(u32 mask)
{
	static struct thread t;

	t.cpu = &cpus[here];
	t.affinity = t.se.affinity = mask;
	return &t;
}

/* CPU @told has been told, and not come yet. A second thread waits there: CPU @next must come. */
static void check_second(unsigned told, unsigned next)
{
	struct thread *t = a_thread(~0u);

	t->cpu = &cpus[told];
	atomic_fetch_add(&cpus[told].runq.q.nr, 2);
	check_kick(t, NULL, next, "two threads wait where one CPU has been told");
	atomic_fetch_sub(&cpus[told].runq.q.nr, 2);
}

static void check_first_to_last(void)
{
	int told = -1;

	REQUIRE(held_still(), "P8.6", "the other CPUs do not idle");
	for (unsigned i = 0; i < nr_cpus; i++) {
		if (i == here)
			continue;
		if (told < 0)
			check_kick(a_thread(~0u), NULL, i, "a thread may run anywhere");
		else
			check_second(told, i);
		told = i;
	}
	check_kick(a_thread(~0u), NULL, -1, "all idle CPUs have been told");
	let_go();
}

/* The first is told first, from whichever CPU; one that was told is not told again. */
KTEST(kick_order, "kick.order", "08.4", "P8.6")
{
	NEEDS_TWO_CPUS;
	for (here = 0; here < nr_cpus; here++) {
		REQUIRE(sched_set_affinity(current_thread(), BIT(here)) == 0, "P8.6", "affinity");
		wait_a_little();	/* the CPU that it left has looked for work */
		check_first_to_last();
	}
	stay_no_longer();
}

static void check_mask(void)
{
	unsigned last = here == nr_cpus - 1 ? nr_cpus - 2 : nr_cpus - 1;

	REQUIRE(held_still(), "P8.6", "the other CPUs do not idle");
	/* as if this CPU idled, and served an interrupt */
	atomic_fetch_or(&idle_mask, BIT(here));
	CHECK(idle_cpu_for(a_thread(BIT(here)), NULL) == &cpus[here], "P8.6",
	      "a thread may run here alone, this CPU idles, and it is not found");
	atomic_fetch_and(&idle_mask, ~BIT(here));
	CHECK(!idle_cpu_for(a_thread(BIT(here)), NULL), "P8.6",
	      "a thread may run here alone, and another CPU is found for it");
	check_kick(a_thread(BIT(here)), NULL, -1, "a thread may run here alone");
	CHECK(idle_cpu_for(a_thread(BIT(last)), NULL) == &cpus[last], "P8.6",
	      "a thread may run on CPU %u alone, which idles, and is not found", last);
	check_kick(a_thread(BIT(last)), NULL, last, "a thread may run on one CPU alone");
	check_kick(a_thread(BIT(last)), NULL, -1, "its only CPU has been told already");
	let_go();
}

/* From CPU 0, and from CPU 1 while CPU 0 idles. */
KTEST(kick_mask, "kick.mask", "08.4", "P8.6")
{
	NEEDS_TWO_CPUS;
	for (here = 0; here < 2; here++) {
		REQUIRE(sched_set_affinity(current_thread(), BIT(here)) == 0, "P8.6", "affinity");
		wait_a_little();	/* the CPU that it left has looked for work */
		check_mask();
	}
	stay_no_longer();
}

/* The first CPU that idles, of the same node if there is one; -1: none. */
static int first_idle(void)
{
	u32 idle = atomic_load(&idle_mask), near = idle & near_cpus(&cpus[here]);

	return near ? __builtin_ctz(near) : idle ? __builtin_ctz(idle) : -1;
}

/* @n wait here, real-time ones if @urgent. The one in the middle may run on CPU @last as well. */
static void check_queue(unsigned n, bool urgent, unsigned last)
{
	struct runq *rq = &cpus[here].runq;
	struct member m[3];

	REQUIRE(held_still(), "P8.6", "the other CPUs do not idle");
	let_go();
	for (unsigned i = 0; i < n; i++) {
		make(&m[i], here, BIT(here), begin);
		if (urgent)
			set_urgent(m[i].thread, true);
	}
	preempt_off();
	for (unsigned i = 0; i < n; i++)
		thread_resume(m[i].thread);
	REQUIRE(held_still(), "P8.6", "the other CPUs do not idle");
	CHECK(spin_trylock(&rq->lock), "P8.6", "this CPU's queue is locked");
	check_kick(NULL, rq, -1, "all that wait may run here alone");
	m[n / 2].thread->se.affinity = BIT(here) | BIT(last);
	CHECK(idle_cpu_for(a_thread(BIT(here)), rq) == &cpus[last], "P8.6",
	      "one of two threads may run on CPU %u, which idles, and is not found", last);
	check_kick(NULL, rq, last, "the one in the middle may run on one more CPU");
	m[n / 2].thread->se.affinity = ~0u;
	check_kick(NULL, rq, first_idle(), "the one in the middle may run on each CPU that idles");
	m[n / 2].thread->se.affinity = BIT(here);
	spin_unlock(&rq->lock);
	let_go();
	preempt_on();
	end(m, n);
}

/* For any thread that waits in a queue: one that may go elsewhere counts, wherever it stands. */
KTEST(kick_queue, "kick.queue", "08.4", "P8.6")
{
	unsigned last;

	NEEDS_TWO_CPUS;
	here = stay_here();
	last = here == nr_cpus - 1 ? nr_cpus - 2 : nr_cpus - 1;
	check_queue(3, false, last);
	check_queue(1, false, last);
	check_queue(1, true, last);
	stay_no_longer();
}

static u64 interrupts_of_all(void)
{
	u64 sum = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		sum += interrupts(i);
	return sum;
}

/* A thread that waits here may run anywhere from now on: one idle CPU is told of it, not two. */
KTEST(kick_widened, "kick.widened", "08.4", "P8.6")
{
	struct member m;
	u64 before, told;

	NEEDS_TWO_CPUS;
	here = stay_here();
	REQUIRE(held_still(), "P8.6", "the other CPUs do not idle");
	let_go();
	preempt_off();
	make_and_run(&m, here, BIT(here), begin);
	before = interrupts_of_all();
	CHECK(sched_set_affinity(m.thread, ~0u) == 0, "P8.6", "affinity");
	told = interrupts_of_all() - before;
	CHECK(told == 1, "P8.6", "a thread that waits may run anywhere from now on: %lu are told",
	      told);
	preempt_on();
	end(&m, 1);
	stay_no_longer();
}

/* A real-time thread that waits here is moved to a CPU with a normal one, which has to be told. */
KTEST(kick_moved, "kick.moved", "08.4", "P8.1")
{
	struct member busy, m;
	unsigned there;

	NEEDS_TWO_CPUS;
	here = stay_here();
	there = next_to(here);
	make_and_run(&busy, there, BIT(there), spin);
	REQUIRE(await_begin(&busy, 100 * MS), "P8.1", "a thread on CPU %u does not run", there);
	make(&m, here, BIT(here), begin);
	set_urgent(m.thread, true);
	preempt_off();
	thread_resume(m.thread);
	set_mask(m.thread, BIT(there));
	runq_unlock(thread_runq_lock_allowed(m.thread));
	CHECK(await_begin(&m, 2 * MS), "P8.1",
	      "a real-time thread is moved to CPU %u, which runs a normal one: it waits there",
	      there);
	preempt_on();
	end(&m, 1);
	end(&busy, 1);
	stay_no_longer();
}

/* A thread waits in the queue of a CPU of the other node. All queues are locked. */
static void check_queue_of_other_node(void)
{
	unsigned there = here ^ 1;
	struct runq *rq = &cpus[there].runq;
	struct thread *away = a_thread(~BIT(there));

	policy_entity_init(&away->se, ~BIT(there), time_now());
	away->cpu = &cpus[there];
	queue_enqueue(&rq->q, &away->se, ENQUEUE_WAKE, time_now());
	CHECK(idle_cpu_for(NULL, rq) == &cpus[there ^ 2], "P8.6",
	      "a thread waits in a queue of the other node, and no CPU there is found for it");
	queue_dequeue(&rq->q, &away->se);
}

/* CPUs 0 and 2 are near each other, and so are 1 and 3. */
KTEST(kick_near, "kick.near", "08.4", "P8.6")
{
	struct thread *away;

	NEEDS(nr_cpus == 4, 4);
	here = stay_here();
	REQUIRE(held_still(), "P8.6", "the other CPUs do not idle");
	nodes_begin();
	CHECK(idle_cpu_for(a_thread(BIT(here ^ 1)), NULL) == &cpus[here ^ 1], "P8.6",
	      "a thread may run on an idle CPU of the other node alone, and it is not found");
	away = a_thread(~BIT(here ^ 1));
	away->cpu = &cpus[here ^ 1];
	CHECK(idle_cpu_for(away, NULL) == &cpus[here ^ 3], "P8.6",
	      "a thread waits at a CPU of the other node, and no CPU there is found for it");
	check_queue_of_other_node();
	check_kick(a_thread(~0u), NULL, here ^ 2, "one idle CPU is of this node");
	check_kick(a_thread(~0u), NULL, here % 2 ? 0 : 1, "all idle CPUs are of the other node");
	check_kick(a_thread(BIT(here % 2 ? 0 : 1)), NULL, -1,
		   "its only CPU, of the other node, has been told already");
	let_go();
	check_queue(1, false, here ^ 1);
	nodes_end();
	stay_no_longer();
}

/* --- With idle CPUs that answer --------------------------------------------------------------- */

/* As many threads as there are idle CPUs, made ready one after the other on this one. */
KTEST(kick_spread, "kick.spread", "08.4", "P8.7")
{
	NEEDS_TWO_CPUS;
	here = stay_here();
	for (unsigned round = 0; round < 8; round++) {
		struct member m[MAX_CPUS];
		u32 used = BIT(here);
		unsigned n = 0;

		REQUIRE(held_still(), "P8.7", "the other CPUs do not idle");
		let_go();
		preempt_off();
		for (unsigned i = 0; i + 1 < nr_cpus; i++)
			make_and_run(&m[n++], here, ~0u, spin);
		for (unsigned i = 0; i < n; i++)
			CHECK(await_begin(&m[i], MS), "P8.7",
			      "%u CPUs idled: thread %u has waited for 1 ms beside one of them", n,
			      i);
		for (unsigned i = 0; i < n; i++) {
			CHECK(!m[i].began_on || !(used & BIT(m[i].began_on - 1)), "P8.7",
			      "two threads share CPU %d, and another CPU idles",
			      (int)m[i].began_on - 1);
			used |= m[i].began_on ? BIT(m[i].began_on - 1) : 0;
		}
		preempt_on();
		end(m, n);
	}
	stay_no_longer();
	sched_audit();
}

static int sleep_and_spin(void *arg)
{
	thread_sleep(5 * MS);
	return spin(arg);
}

/* Threads whose deadlines pass together on one busy CPU: each finds one that idles. */
KTEST(kick_sleepers, "kick.sleepers", "08.4", "P8.7")
{
	struct member m[MAX_CPUS];
	unsigned n = 0;

	NEEDS_TWO_CPUS;
	here = stay_here();
	for (unsigned i = 0; i + 1 < nr_cpus; i++)
		make_and_run(&m[n++], here, BIT(here), sleep_and_spin);
	thread_sleep(MS);
	for (unsigned i = 0; i < n; i++)
		set_mask(m[i].thread, ~0u);
	preempt_off();
	look_on(7 * MS);
	for (unsigned i = 0; i < n; i++)
		CHECK(m[i].began_on, "P8.7",
		      "sleeper %u woke on a busy CPU and waits, and %u others idled", i, n);
	preempt_on();
	end(m, n);
	stay_no_longer();
	sched_audit();
}
