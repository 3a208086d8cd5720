/*
 * The mechanism with a policy in it: what the simulator shows of the policies holds in the kernel,
 * to within a slice. Times are the guest's, so these run under -icount, with each sched= in turn.
 */
#include "base/string.h"
#include "errno.h"
#include "process/process.h"
#include "sync/sync.h"
#include "test/instrument.h"
#include "test_spinner.h"

#define PERIOD	(10 * MS)
#define BOOST	(1000 * MS)		/* the default of boost= */

/*
 * Returns by how much one of several equals may be ahead at any moment. If they take turns that is
 * a slice: a quantum, or four at mlfq's lowest level. Under fair each is owed, or owes, at most one
 * request.
 */
static u64 unfairness(void)
{
	if (policy_is(&sched_mlfq))
		return 4 * sched_quantum;
	return policy_is(&sched_fair) ? sched_quantum / 2 : sched_quantum;
}

KTEST(sched_shares, "sched.shares", "", "")
{
	struct spinner s[3] = { 0 };
	u64 least = ~0UL, most = 0;

	go_first();
	if (policy_is(&sched_mlfq))	/* from one boost until before the next */
		thread_sleep(BOOST - time_now() % BOOST + MS);
	for (unsigned i = 0; i < ARRAY_SIZE(s); i++)
		start_on(&s[i], there(), spin, PRIORITY_DEFAULT);
	measure(s, ARRAY_SIZE(s), 600 * MS);
	for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
		least = MIN(least, got(&s[i]));
		most = MAX(most, got(&s[i]));
	}
	end(s, ARRAY_SIZE(s));
	CHECK(least > 0, "", "one never ran");
	CHECK(policy_is(&sched_pct) || most - least <= unfairness() + MS, "", "%lu to %lu ns",
	      least, most);
}

/* FAIR2: a new nice value counts from the next enqueue. */
KTEST(sched_weights, "sched.weights", "", "")
{
	struct spinner s[2] = { 0 };
	u64 first, second, due;

	if (!policy_is(&sched_fair))
		return;
	go_first();
	for (unsigned i = 0; i < 2; i++)
		start_on(&s[i], there(), spin, PRIORITY_DEFAULT);
	sched_set_nice(s[1].thread, 5);		/* 335 to 1024 */
	measure(s, 2, 500 * MS);
	first = got(&s[0]);
	second = got(&s[1]);
	due = (first + second) * 1024 / (1024 + 335);
	CHECK(MAX(first, due) - MIN(first, due) <= sched_quantum / 4 + MS, "", "%lu to %lu", first,
	      second);
	end(s, 2);
}

/* REALTIME2: a SCHED_FIFO thread runs until it blocks, though its equal waits. */
KTEST(sched_fifo, "sched.fifo", "", "")
{
	struct sched_params fifo = { .class = SCHED_FIFO, .rt_priority = 20 };
	struct spinner s[2] = { { .work = 100 * MS }, { .work = 10 * MS } };

	if (!policy_knows(SCHED_FIFO))
		return;
	go_first();
	for (unsigned i = 0; i < 2; i++) {
		struct thread *t = thread_create("fifo", spin, &s[i], PRIORITY_DEFAULT);

		REQUIRE(t, "", "no memory for a thread");
		s[i].thread = t;
		sched_set_affinity(t, there());
		CHECK(sched_set_params(t, &fifo) == 0, "", "SCHED_FIFO is refused");
		thread_resume(t);
	}
	thread_sleep(60 * MS);
	CHECK(ran(&s[1]) == 0, "", "its equal has run for %lu ns", ran(&s[1]));
	CHECK(ran(&s[0]) > 50 * MS, "", "it has run for %lu ns", ran(&s[0]));
	CHECK(nr_cpus > 1 || s[0].thread->stats.preempted <= 1, "", "preempted %lu times",
	      s[0].thread->stats.preempted);
	end(s, 2);
}

static char order[4];		/* of events, all on CPU 0 */
static struct event first_has_run;

static void note(char c)
{
	order[strlen(order)] = c;
}

static int wakes_a_more_urgent_one(void *unused)
{
	(void)unused;
	note('a');
	event_signal(&first_has_run);
	note('b');
	return 0;
}

static int equal(void *unused)
{
	(void)unused;
	note('c');
	return 0;
}

/* REALTIME2: a preempted SCHED_RR thread with time left goes on before its equal. */
KTEST(sched_goes_on_first, "sched.goes_on_first", "", "")
{
	static const thread_fn fns[] = { wakes_a_more_urgent_one, equal };
	struct sched_params rr = { .class = SCHED_RR, .rt_priority = 20 };
	u64 slice = realtime_slice, limit = realtime_limit;
	struct thread *t[2];

	go_first();
	CHECK(sched_set_affinity(current_thread(), BIT(0)) == 0, "", "affinity");
	realtime_slice = SLICE_NEVER;	/* however slow the machine is, time is left */
	realtime_set_limit(SLICE_NEVER, realtime_period);
	event_init(&first_has_run, false, true);
	memset(order, 0, sizeof(order));
	for (unsigned i = 0; i < 2; i++) {
		t[i] = thread_create("round", fns[i], NULL, PRIORITY_DEFAULT);
		REQUIRE(t[i], "", "no memory for a thread");
		CHECK(sched_set_affinity(t[i], BIT(0)) == 0, "", "affinity");
		CHECK(sched_set_params(t[i], &rr) == 0, "", "SCHED_RR is refused");
		thread_resume(t[i]);
	}
	CHECK(event_wait(&first_has_run, DEADLINE_NEVER) == 0, "", "no event");
	for (unsigned i = 0; i < 2; i++)
		thread_join(t[i], NULL, DEADLINE_NEVER);
	CHECK(strcmp(order, "abc") == 0, "", "the order is %s", order);
	realtime_slice = slice;
	realtime_set_limit(limit, realtime_period);
	CHECK(sched_set_affinity(current_thread(), ~0u) == 0, "", "affinity");
}

/* Works most of the time, and naps before its slice is over. */
static int nap_often(void *arg)
{
	struct spinner *s = arg;

	while (!atomic_load(&s->stop)) {
		look_on(3 * MS);
		thread_sleep(MS / 10);
	}
	return 0;
}

/* REALTIME4: what a real-time thread ran before it blocked counts, too. */
KTEST(sched_throttled_naps, "sched.throttled_naps", "", "")
{
	u64 limit = realtime_limit, period = realtime_period;
	struct spinner s[2] = { 0 };

	go_first();
	realtime_set_limit(20 * MS, 40 * MS);
	start_on(&s[0], there(), spin, PRIORITY_DEFAULT);
	start_on(&s[1], there(), nap_often, 20);
	measure(s, 2, 400 * MS);
	CHECK(got(&s[1]) >= 160 * MS && got(&s[1]) <= 240 * MS, "",
	      "with a limit of a half, it had %lu of 400 ms", got(&s[1]) / MS);
	end(s, 2);
	realtime_set_limit(limit, period);
}

/*
 * Works, then gives up the rest of the period by yielding, until told to stop. The first yield lets
 * the first job begin with a period.
 */
static int periodic(void *arg)
{
	struct spinner *s = arg;
	struct thread *t = current_thread();
	u64 period = t->se.params.period, release;

	sched_yield();
	for (release = time_now(); !atomic_load(&s->stop); release += period) {
		for (u64 done = 0, at = time_now(); done < s->work;) {
			u64 now = time_now();

			/* in a longer gap other threads ran */
			done += now - at < 10 * NSEC_PER_USEC ? now - at : 0;
			at = now;
		}
		s->jobs++;
		s->late += time_before(release + t->se.params.deadline, time_now());
		sched_yield();
	}
	return 0;
}

/*
 * The time from a timer to the switch that it asks for: in an instrumented kernel up to 18,000
 * instructions, of 8 ns each in these tests. It is charged to the budget of the thread that runs,
 * up to five times in a job.
 */
#define LATENCY	(150 * NSEC_PER_USEC)

/* Reservations are kept beside a liar and a busy thread, and the liar gets only its own. */
KTEST(sched_reservations, "sched.reservations", "", "")
{
	static const u64 shares[][2] = {
		{ 2 * MS, 10 * MS }, { 4 * MS, 20 * MS }, { 8 * MS, 40 * MS },
	};
	struct spinner s[5] = { 0 };
	u64 start, late;

	if (!policy_knows(SCHED_DEADLINE))
		return;
	go_first();
	for (unsigned i = 0; i < 4; i++) {
		const u64 *share = shares[i % 3];
		struct sched_params p = { .class = SCHED_DEADLINE, .runtime = share[0],
					  .deadline = share[1], .period = share[1] };
		struct thread *t = thread_create("periodic", i < 3 ? periodic : spin, &s[i],
						 PRIORITY_DEFAULT);

		REQUIRE(t, "", "no memory for a thread");
		s[i].thread = t;
		s[i].work = i < 3 ? share[0] - 5 * LATENCY : 0;
		sched_set_affinity(t, there());
		CHECK(sched_set_params(t, &p) == 0, "", "reservation %u is refused", i);
	}
	start_on(&s[4], there(), spin, PRIORITY_DEFAULT);
	for (unsigned i = 0; i < 4; i++)
		thread_resume(s[i].thread);
	start = time_now();
	measure(s, 5, 400 * MS);
	start = time_now() - start;
	for (unsigned i = 0; i < 3; i++) {
		CHECK(s[i].late == 0, "", "%u of %u jobs late", s[i].late, s[i].jobs);
		CHECK(s[i].jobs + 2 >= start / shares[i][1], "", "%u jobs in %lu ns", s[i].jobs,
		      start);
	}
	/* rm refunds all that was spent, also what was too much; edf does not */
	late = policy_is(&sched_rm) ? LATENCY : 0;
	CHECK(got(&s[3]) <= (start / (10 * MS) + 1) * (2 * MS + late) + LATENCY, "",
	      "the liar had %lu ns in %lu", got(&s[3]), start);
	CHECK(got(&s[3]) >= start / 6, "", "the liar had %lu ns", got(&s[3]));
	CHECK(got(&s[4]) >= start / 10, "", "what was left was %lu ns", got(&s[4]));
	end(s, 5);
}

/* One reservation fits on each CPU, and stays there (RESERVE2). */
KTEST(sched_admission, "sched.admission", "", "")
{
	struct sched_params p = { .class = SCHED_DEADLINE, .runtime = 6 * MS, .deadline = PERIOD,
				  .period = PERIOD };
	struct sched_params far = { .class = SCHED_DEADLINE, .runtime = MS,
				    .deadline = 1UL << 63, .period = 1UL << 63 };
	struct spinner s[MAX_CPUS + 1] = { 0 };

	CHECK(sched_set_params(current_thread(), &far) == -EINVAL, "",
	      "a deadline that cannot be told from one that is over");
	if (!policy_knows(SCHED_DEADLINE)) {
		CHECK(sched_set_params(current_thread(), &p) == -EINVAL, "", "unknown class");
		return;
	}
	for (unsigned again = 0; again < 2; again++) {		/* all come back */
		for (unsigned i = 0; i <= nr_cpus; i++) {
			s[i] = (struct spinner){ .thread = thread_create("reserved", spin, &s[i],
									 PRIORITY_DEFAULT) };
			REQUIRE(s[i].thread, "", "no memory for a thread");
			CHECK(sched_set_params(s[i].thread, &p) == (i < nr_cpus ? 0 : -EBUSY), "",
			      "reservation %u", i);
			if (i < nr_cpus)
				CHECK(sched_set_affinity(s[i].thread, BIT((i + 1) % nr_cpus)) ==
					      (nr_cpus > 1 ? -EBUSY : 0),
				      "", "moved off its CPU");
			thread_resume(s[i].thread);
		}
		end(s, nr_cpus + 1);
	}
}

/* A low thread that a high one waits for runs before those in between. */
KTEST(sched_inherits, "sched.inherits", "", "")
{
	struct spinner s[2] = { 0 };
	u64 before;

	if (!policy_knows(SCHED_RR))
		return;
	go_first();
	start_on(&s[0], there(), spin, 18);
	start_on(&s[1], there(), spin, 22);
	before = ran(&s[0]);		/* it had the CPU until the other one started */
	thread_sleep(50 * MS);
	CHECK(policy_is(&sched_fair) || ran(&s[0]) - before < MS, "", "the low one runs");
	CHECK(sched_inherit(s[0].thread, (struct sched_rank){ .level = 100 }), "",
	      "its rank has not changed");
	before = ran(&s[0]);
	thread_sleep(50 * MS);
	CHECK(ran(&s[0]) - before > 45 * MS, "", "ran %lu ns", ran(&s[0]) - before);
	sched_inherit(s[0].thread, (struct sched_rank){ 0 });
	before = ran(&s[0]);
	thread_sleep(50 * MS);
	CHECK(policy_is(&sched_fair) || ran(&s[0]) - before < MS, "", "it goes on for %lu ns",
	      ran(&s[0]) - before);
	end(s, 2);
}

/* A thread whose parameters change while it is queued gets its new place at once. */
KTEST(sched_changed_order, "sched.changed_order", "", "")
{
	static const int levels[] = { 25, 17, 18 };
	struct sched_params p = params_of_level(22);
	struct spinner s[3] = { 0 };

	if (!policy_knows(SCHED_RR))
		return;
	go_first();
	for (unsigned i = 0; i < 3; i++)
		start_on(&s[i], there(), spin, levels[i]);
	CHECK(sched_set_params(s[1].thread, &p) == 0, "", "a priority is refused");
	end(&s[0], 1);
	thread_sleep(5 * MS);
	CHECK(ran(&s[1]) > 3 * MS && ran(&s[2]) == 0, "",
	      "raised above the other it has had %lu ns, the other %lu", ran(&s[1]), ran(&s[2]));
	end(&s[1], 2);
	sched_audit();
}

/* Parameters change in every state, and nothing gets lost or counted twice. */
KTEST(sched_changes, "sched.changes", "", "")
{
	struct sched_params idle = { .class = SCHED_IDLE }, got_back;
	struct spinner s[4] = { 0 };

	go_first();
	for (unsigned i = 0; i < 4; i++)
		start_on(&s[i], there(), spin, PRIORITY_DEFAULT);
	for (unsigned i = 0; i < 64; i++) {
		struct thread *t = s[i % 4].thread;

		thread_sleep(test_random() % (3 * MS));
		switch (test_random() % 4) {
		case 0:
			sched_set_nice(t, (int)(test_random() % 40) - 20);
			break;
		case 1:
			CHECK(sched_set_params(t, &idle) == 0, "", "SCHED_IDLE is refused");
			got_back = sched_get_params(t);
			CHECK(got_back.class == SCHED_IDLE, "", "it is %u", got_back.class);
			break;
		case 2:
			sched_set_affinity(t, 1 + test_random() % (BIT(nr_cpus) - 1));
			break;
		default:
			sched_inherit(t, (struct sched_rank){ .level = test_random() % LEVELS });
		}
	}
	for (unsigned i = 0; i < 4; i++)
		sched_inherit(s[i].thread, (struct sched_rank){ 0 });
	end(s, 4);
	sched_audit();
}

static void leave_as_it_is(struct thread *t, const void *unused, u64 now)
{
	(void)t;
	(void)unused;
	(void)now;
}

/* A change of a thread that does not run charges nobody, as user or system time. */
KTEST(sched_change_charges, "sched.change_charges", "", "")
{
	struct spinner s = { 0 };
	u64 before, after;

	go_first();
	CHECK(sched_set_affinity(current_thread(), BIT(0)) == 0, "", "affinity");
	create_at(&s, 0, spin, PRIORITY_DEFAULT);
	irq_off();
	before = cpus[0].runq.charged_at;
	while (time_now() == before)
		;
	sched_change(s.thread, leave_as_it_is, NULL);
	after = cpus[0].runq.charged_at;
	irq_on();
	CHECK(after == before, "", "the CPU's thread is charged %lu ns", after - before);
	thread_resume(s.thread);
	end(&s, 1);
	CHECK(sched_set_affinity(current_thread(), ~0u) == 0, "", "affinity");
}

/* Spins as a user program does: it loses the CPU only at the edge to user mode. */
static int spin_as_user(void *arg)
{
	struct spinner *s = arg;

	preempt_off();
	while (!atomic_load(&s->stop)) {
		irq_off();
		preempt_on();
		user_return_work(NULL);
		preempt_off();
		irq_on();
	}
	preempt_on();
	return 0;
}

static unsigned level_of(const struct spinner *s)
{
	struct runq *rq = thread_runq_lock(s->thread);
	unsigned level = s->thread->se.base.level;

	runq_unlock(rq);
	return level;
}

/*
 * A thread that is suspended while it waits its turn has been away since then, and not since it
 * last blocked: under mlfq it still sinks.
 */
KTEST(sched_suspended_sinks, "sched.suspended_sinks", "", "")
{
	struct spinner s = { 0 };
	unsigned suspended = 0;
	u64 until;

	if (!policy_is(&sched_mlfq))
		return;
	go_first();
	CHECK(sched_set_affinity(current_thread(), BIT(0)) == 0, "", "affinity");
	thread_sleep(1000 * MS - time_now() % (1000 * MS) + MS);	/* after a boost */
	start_on(&s, BIT(0), spin_as_user, PRIORITY_DEFAULT);
	until = time_now() + 200 * MS;
	while (time_before(time_now(), until) && level_of(&s)) {
		thread_sleep(MS);
		CHECK(thread_suspend(s.thread) == 0, "", "it cannot be suspended");
		suspended += thread_state(s.thread) == THREAD_SUSPENDED;
		thread_resume(s.thread);
	}
	CHECK(suspended > 10, "", "suspended %u times while it waited", suspended);
	CHECK(level_of(&s) == 0, "", "it ran for %lu ns and is at level %u", ran(&s), level_of(&s));
	end(&s, 1);
	CHECK(sched_set_affinity(current_thread(), ~0u) == 0, "", "affinity");
}

static u64 waited_on(unsigned cpu)
{
	return cpus[cpu].stats.wait_ns;
}

static int naps(void *unused)
{
	(void)unused;
	for (int i = 0; i < 10; i++)
		thread_sleep(10 * MS);
	return 0;
}

/* A thread waits for a CPU from when it becomes ready, and not from when it last ran. */
KTEST(sched_waits_counted, "sched.waits_counted", "", "")
{
	struct spinner s = { 0 };
	u64 before, waited;

	go_first();
	CHECK(sched_set_affinity(current_thread(), BIT(0)) == 0, "", "affinity");
	before = waited_on(0);
	start_on(&s, BIT(0), naps, PRIORITY_DEFAULT);
	look_on(20 * MS);
	CHECK(thread_join(s.thread, NULL, DEADLINE_NEVER) == 0, "", "it does not end");
	waited = waited_on(0) - before;
	CHECK(waited >= 20 * MS && waited < 25 * MS, "",
	      "a thread was ready for 20 ms before it ran, then slept ten times: it waited %lu ns",
	      waited);
	CHECK(sched_set_affinity(current_thread(), ~0u) == 0, "", "affinity");
}
