/*
 * Reservations, edf and rm: admission is exact, no admitted thread is late, liars hurt themselves.
 */
#include "test_sim.h"

static struct sim_task *add_periodic(u64 runtime, u64 deadline, u64 period, u64 work)
{
	struct sim_task *t = add();

	t->params = (struct sched_params){ .class = SCHED_DEADLINE, .runtime = runtime,
					   .deadline = deadline, .period = period };
	t->period = period;
	t->relative_deadline = deadline;
	step(t, SIM_RUN, work);
	step(t, SIM_WAIT, 0);
	step(t, SIM_REPEAT, 0);
	return t;
}

static unsigned missed(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < sim.nr_tasks; i++) {
		struct sim_task *t = &tasks[i];
		bool late = t->relative_deadline &&
			    time_before(t->released + t->relative_deadline, sim.now);

		if (t->admitted)
			n += t->missed + late;
	}
	return n;
}

/* Returns a period; their common multiple is small, so a run has every combination of releases. */
static u64 random_period(void)
{
	static const u8 periods[] = { 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 30 };

	return periods[below(ARRAY_SIZE(periods))] * MS;
}

/* Random shares that add up to exactly 1 are admitted, and no deadline is missed. */
KTEST(policy_edf_full, "policy.edf_full", "", "")
{
	for (unsigned n = 0; n < 1000; n++) {
		u64 left = 120 * MS, busy = 0;	/* in 120 ms, a multiple of all periods */

		use(&sched_edf, 1);
		for (unsigned i = 2 + below(6); i && left; i--) {
			u64 period = random_period(), jobs = 120 * MS / period;
			u64 c = 1024 + below(left / jobs);

			if (c > period || c * jobs + 1024 > left)
				continue;
			add_periodic(c, period, period, c)->arrival += below(2) * below(period);
			left -= c * jobs;
		}
		if (left >= 1024)
			add_periodic(left, 120 * MS, 120 * MS, left);
		add_spinner(0);
		run(1200 * MS);
		for (unsigned i = 0; i < sim.nr_tasks; i++) {
			CHECK(tasks[i].admitted, "", "a set of exactly 1 is refused");
			busy += tasks[i].ran;
		}
		CHECK(missed() == 0, "", "%u deadlines missed at full utilization", missed());
		CHECK(busy == 1200 * MS, "", "the CPU was idle");
	}
}

KTEST(policy_edf_exact, "policy.edf_admission", "", "")
{
	use(&sched_edf, 1);
	for (unsigned i = 0; i < 7; i++)
		add_periodic(1000001, 7000007, 7000007, 1);
	add_periodic(1024, RESERVED_PERIOD_MAX, RESERVED_PERIOD_MAX, 1);
	run(MS);
	for (unsigned i = 0; i < 7; i++)
		CHECK(tasks[i].admitted, "", "seven sevenths are refused");
	CHECK(!tasks[7].admitted, "", "more than 1 is admitted");
	use(&sched_edf, 1);
	add_periodic(5 * MS, 10 * MS, 10 * MS, 5 * MS);
	add_periodic(5 * MS, 10 * MS, 10 * MS, 5 * MS);
	run(100 * MS);
	CHECK(tasks[1].admitted && missed() == 0, "", "two halves are refused");
	use(&sched_edf, 1);
	for (unsigned i = 0; i < 3; i++)	/* thirds, and 2^-32 too much */
		add_periodic(1398101333, 4194303999, 4194303999, MS)->params.runtime += i == 2;
	run(MS);
	CHECK(tasks[1].admitted && !tasks[2].admitted, "", "one nanosecond too much is admitted");
	use(&sched_edf, 3);
	for (unsigned i = 0; i < 4; i++)
		add_periodic(6 * MS, 10 * MS, 10 * MS, 6 * MS);
	tasks[1].affinity = BIT(0);
	run(100 * MS);
	CHECK(tasks[0].admitted && !tasks[1].admitted && tasks[2].admitted && tasks[3].admitted,
	      "", "first fit within the affinity");
	CHECK(tasks[2].cpu == 1 && tasks[3].cpu == 2 && missed() == 0, "", "placement");
}

static const struct sim_task *dispatches[9];
static unsigned nr_dispatches;

static void record_dispatch(struct sim *s, struct sim_task *t, enum sim_state from)
{
	(void)s;
	(void)from;
	if (t->state == SIM_RUNNING && nr_dispatches < ARRAY_SIZE(dispatches))
		dispatches[nr_dispatches++] = t;
}

KTEST(policy_edf_ties, "policy.edf_ties", "", "")
{
	use(&sched_edf, 1);
	for (unsigned i = 0; i < 3; i++)
		add_periodic(2 * MS, 10 * MS, 10 * MS, 2 * MS);
	sim.changed = record_dispatch;
	nr_dispatches = 0;
	run(100 * MS);
	CHECK(nr_dispatches == ARRAY_SIZE(dispatches), "", "%u dispatches", nr_dispatches);
	for (unsigned i = 0; i < nr_dispatches; i++)
		CHECK(dispatches[i] == &tasks[i % 3], "", "dispatch %u: the first one waits", i);
}

/*
 * EDF2, RESERVE1: honest tasks meet their deadlines, whatever others do: lie about their runtime,
 * sleep at bad times or wake too often.
 */
static void check_liars(const struct sched_policy *p)
{
	for (unsigned n = 0; n < 2000; n++) {
		unsigned honest;
		u64 start;

		use(p, 1 + below(2));
		start = sim.now;
		for (unsigned i = 0; i < 8; i++) {
			u64 period = random_period(), c = period / (2 + below(6));

			add_periodic(c, period, period, c)->arrival += below(period);
		}
		honest = sim.nr_tasks;
		for (unsigned i = 0; i < 8; i++) {
			u64 period = random_period(), c = period / (4 + below(10));
			struct sim_task *t = add_periodic(c, period, period, below(3 * period));

			t->nr_steps = 1;
			if (below(3))
				step(t, below(4) ? SIM_SLEEP : SIM_YIELD, below(period));
			if (below(2))
				step(t, SIM_RUN, below(c));
			step(t, SIM_REPEAT, 0);
		}
		add_spinner(-20);
		run(600 * MS);
		for (unsigned i = 0; i < sim.nr_tasks; i++) {
			struct sim_task *t = &tasks[i];

			if (!t->admitted)
				continue;
			CHECK(i >= honest || !t->missed, "", "%s: honest task %u missed %u of %u",
			      p->name, i, t->missed, t->jobs);
			CHECK(i >= honest || t->jobs, "", "%s: no job was done", p->name);
			CHECK(t->params.class != SCHED_DEADLINE ||
			      t->ran <= ((sim.now - start) / t->period + 2) * t->params.runtime,
			      "", "%s: task %u ran %lu, more than promised", p->name, i, t->ran);
		}
	}
}

KTEST(policy_edf_liars, "policy.edf_liars", "", "")
{
	check_liars(&sched_edf);
}

KTEST(policy_rm_liars, "policy.rm_liars", "", "")
{
	check_liars(&sched_rm);
}

/* Harmonic periods can use all of the CPU: the slowest task just meets its deadline. */
KTEST(policy_rm_harmonic, "policy.rm_harmonic", "", "")
{
	use(&sched_rm, 1);
	/* The shortest period comes last: a candidate must count as an interferer too. */
	add_periodic(4 * MS, 16 * MS, 16 * MS, 4 * MS);
	add_periodic(2 * MS, 8 * MS, 8 * MS, 2 * MS);
	add_periodic(2 * MS, 4 * MS, 4 * MS, 2 * MS);
	run(160 * MS);
	CHECK(tasks[2].admitted && missed() == 0, "", "a harmonic set is refused");
	CHECK(tasks[0].worst_response == 16 * MS, "", "response %lu", tasks[0].worst_response);
}

/*
 * An admitted set meets all deadlines; a set that is refused would miss one if all its tasks were
 * released together.
 */
KTEST(policy_rm_exact, "policy.rm_admission", "", "")
{
	unsigned refused = 0;

	for (unsigned n = 0; n < 1000; n++) {
		struct sim_task *last;

		use(&sched_rm, 1);
		for (unsigned i = 0; i < 12; i++) {
			/* no two equal periods: their order of arrival need not be the worst */
			u64 period = random_period() + 12 * below(80) + i;
			u64 c = MAX(period / (2 + below(12)), 1024);
			u64 deadline = below(2) ? period : period - below(period - c);

			last = add_periodic(c, deadline, period, c);
			sim_begin(&sim, sim.now);
			if (!last->admitted)
				break;
		}
		if (below(2)) {
			for (unsigned i = 0; i < sim.nr_tasks; i++)
				tasks[i].arrival += below(30 * MS);
			run(1000 * MS);
			CHECK(missed() == 0, "", "an admitted one missed its deadline");
			continue;
		}
		if (last->admitted)
			continue;
		refused++;
		last->admitted = true;
		last->wake_at = last->released = last->arrival;
		last->e.params = last->params;
		sched_rm.start(&last->e, sim.now);
		sim_run(&sim, sim.now + 40 * MS);
		CHECK(missed() > 0, "", "a set that would have met all deadlines was refused");
	}
	CHECK(refused > 300, "", "only %u sets were refused", refused);
}
