/*
 * Properties of every policy, over seeded random task sets in the simulator. Runs on the host under
 * the sanitizers (tools/test/host.py). Half of the runs cross the wrap of the clock.
 */
#include "sim.h"

#include "bootargs.h"
#include "instrument.h"
#include "ktest.h"
#include "panic.h"

#define MS		NSEC_PER_MSEC
#define ALL_CPUS	(BIT(MAX_CPUS) - 1)

static struct sim sim;
static struct sim_task tasks[SIM_TASKS];

static const struct sched_policy *const all[] = {
	&sched_rr, &sched_prio, &sched_mlfq, &sched_edf, &sched_rm, &sched_fair, &sched_pct,
};

/* No boot arguments here: everything has its default. */
const char *bootarg(const char *name)
{
	(void)name;
	return NULL;
}

u64 bootarg_number(const char *name, u64 def, u64 min, u64 max)
{
	(void)name;
	(void)min;
	(void)max;
	return def;
}

noreturn void bootarg_bad(const char *name, const char *allowed)
{
	panic("%s must be %s", name, allowed);
}

static u64 below(u64 n)
{
	return test_random() % n;
}

/* An empty simulation under @p. */
static void use(const struct sched_policy *p, unsigned nr_cpus)
{
	policy_init();
	policy = *p;
	if (p->init)
		p->init();
	sim = (struct sim){ .nr_cpus = nr_cpus, .tasks = tasks };
	sim.now = below(2) ? -(u64)(50 * MS) : 0;
}

/* A task of nice 0 that arrives at once and has no steps yet. */
static struct sim_task *add(void)
{
	struct sim_task *t = &tasks[sim.nr_tasks++];

	*t = (struct sim_task){ .name = "task", .affinity = ALL_CPUS, .arrival = sim.now };
	return t;
}

static void step(struct sim_task *t, enum sim_action action, u64 ns)
{
	t->steps[t->nr_steps++] = (struct sim_step){ action, ns };
}

static struct sim_task *add_spinner(int nice)
{
	struct sim_task *t = add();

	t->params.nice = nice;
	step(t, SIM_RUN, 1000000 * MS);
	return t;
}

static void run(u64 ns)
{
	u64 start = sim.now;

	sim_begin(&sim, start);
	sim_run(&sim, start + ns);
}

static u64 difference(u64 a, u64 b)
{
	return a > b ? a - b : b - a;
}

/*
 * --- All policies: no thread is lost, and no CPU idle without reason -----------------------------
 */

static unsigned queued_in(const struct rb_tree *tree)
{
	unsigned n = 0;

	for (struct rb_node *i = rb_first(tree); i; i = rb_next(i))
		n++;
	return n;
}

/* P4, P5; @c's current may be chosen only from what the affinity allows. */
static void audit_cpu(struct sim_cpu *c)
{
	unsigned n = queued_in(&c->q.tree);

	if (policy_is(&sched_fair))
		n += queued_in(&c->q.aside);
	for (unsigned i = 0; i < LISTS; i++) {
		bool bit = c->q.bitmap & list_bit(i);

		list_for_each(e, &c->q.lists[i], struct sched_entity, node)
			n++;
		if (!policy_is(&sched_rr))
			CHECK(bit != list_empty(&c->q.lists[i]), "P5", "%s: bit of list %u lies",
			      policy.name, i);
	}
	CHECK(n == c->q.nr, "P4", "%s: %u queued, nr says %u", policy.name, n, c->q.nr);
	CHECK(!c->current || c->current->e.affinity & BIT(c->q.cpu), "",
	      "%s: on a forbidden CPU", policy.name);
	CHECK(!c->current || !entity_queued(&c->current->e), "P1", "%s: current is queued",
	      policy.name);
}

/* Nobody who may run on an idle CPU waits, but for reservations. */
static void check_work_is_done(void)
{
	for (unsigned i = 0; i < sim.nr_tasks; i++) {
		struct sim_task *t = &tasks[i];

		if (t->state != SIM_READY || t->params.class == SCHED_DEADLINE)
			continue;
		CHECK(entity_queued(&t->e), "", "%s: a ready task is in no queue", policy.name);
		for (unsigned cpu = 0; cpu < sim.nr_cpus; cpu++)
			CHECK(sim.cpus[cpu].current || !(t->e.affinity & BIT(cpu)), "",
			      "%s: CPU %u idles while task %u waits", policy.name, cpu, i);
	}
}

static u32 random_class(void)
{
	for (;;) {
		u32 class = below(7);

		if (policy.classes & BIT(class))
			return class;
	}
}

static void add_random_task(u64 *work)
{
	struct sim_task *t = add();

	t->params.class = random_class();
	t->params.nice = (int)below(40) - 20;
	if (is_real_time(&t->params))
		t->params.rt_priority = 1 + below(99);
	t->params.period = t->params.deadline = (1 + below(20)) * MS;
	t->params.runtime = t->params.period / (2 + below(20));
	t->arrival += below(50 * MS);
	t->affinity = below(3) ? ALL_CPUS : 1 + below(BIT(sim.nr_cpus) - 1);
	for (unsigned i = 0; i < 12; i++) {
		u64 ns = below(3 * MS);

		step(t, SIM_RUN, ns);
		*work += ns;
		if (below(3))
			step(t, below(4) ? SIM_SLEEP : SIM_YIELD, below(4 * MS));
		if (t->nr_steps + 2 > SIM_STEPS)
			break;
	}
}

static void random_run(const struct sched_policy *p)
{
	u64 work = 0, ran = 0, until;

	use(p, 1 + below(4));
	for (unsigned n = 1 + below(12); n; n--)
		add_random_task(&work);
	until = sim.now + 20000 * MS;
	sim_begin(&sim, sim.now);
	while (time_before(sim.now, until)) {
		bool more = sim_run(&sim, sim.now + MS / 4 + below(MS));

		for (unsigned i = 0; i < sim.nr_cpus; i++)
			audit_cpu(&sim.cpus[i]);
		check_work_is_done();
		for (unsigned i = 0; i < sim.nr_tasks; i++)
			more |= tasks[i].admitted && tasks[i].state != SIM_ENDED;
		if (!more)
			break;
	}
	for (unsigned i = 0; i < sim.nr_tasks; i++) {
		struct sim_task *t = &tasks[i];

		if (!t->admitted) {
			for (unsigned j = 0; j < t->nr_steps; j++)
				work -= t->steps[j].action == SIM_RUN ? t->steps[j].ns : 0;
			continue;
		}
		CHECK(t->state == SIM_ENDED, "", "%s: a task never ended", p->name);
		ran += t->ran;
	}
	CHECK(ran == work, "P2", "%s: %lu ns charged for %lu ns of work", p->name, ran, work);
}

KTEST(policy_random, "policy.random", "", "")
{
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		for (unsigned n = 0; n < 300; n++)
			random_run(all[i]);
}

/*
 * --- rr ------------------------------------------------------------------------------------------
 */

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

/* A third one that interrupts often (prio: from above) does not unbalance the two. */
KTEST(policy_interrupted, "policy.interrupted_slice", "", "")
{
	for (unsigned i = 0; i < 2; i++) {
		struct sim_task *waker;

		use(all[i], 1);
		add_spinner(0);
		add_spinner(0);
		waker = add();
		waker->params.nice = -20;
		step(waker, SIM_RUN, MS / 10);
		step(waker, SIM_SLEEP, 3 * MS);
		step(waker, SIM_REPEAT, 0);
		run(3000 * MS);
		CHECK(difference(tasks[0].ran, tasks[1].ran) <= 20 * MS, "", "%s: %lu and %lu",
		      policy.name, tasks[0].ran, tasks[1].ran);
	}
}

/*
 * --- prio ----------------------------------------------------------------------------------------
 */

static u32 effective(const struct sim_task *t)
{
	const struct policy_queue *q = &sim.cpus[t->cpu].q;
	u32 level = t->e.base.level;
	u64 rounds = t->state == SIM_READY ? q->epoch - t->e.epoch : 0;
	u64 gain = t->e.used + (rounds ? rounds - 1 : 0);

	return level >= LEVEL_NORMAL_TOP ? level : MIN(level + gain, LEVEL_NORMAL_TOP);
}

static void check_highest_runs(struct sim *s, struct sim_task *t, enum sim_state from)
{
	(void)from;
	if (t->state != SIM_RUNNING)
		return;
	for (unsigned i = 0; i < s->nr_tasks; i++)
		CHECK(s->tasks[i].state != SIM_READY || effective(&s->tasks[i]) <= effective(t),
		      "", "level %u is chosen while %u waits", effective(t),
		      effective(&s->tasks[i]));
}

KTEST(policy_prio_order, "policy.prio_order", "", "")
{
	for (unsigned n = 0; n < 200; n++) {
		u64 work;

		use(&sched_prio, 1);
		sim.changed = check_highest_runs;
		for (unsigned i = 2 + below(10); i; i--)
			add_random_task(&work);
		run(300 * MS);
	}
}

/* The bound of prio.c's prologue, with busy higher levels that come and go. */
KTEST(policy_prio_aging, "policy.prio_aging", "", "")
{
	for (unsigned n = 0; n < 200; n++) {
		use(&sched_prio, 1);
		for (unsigned i = 3 + below(10); i; i--) {
			struct sim_task *t = add_spinner((int)below(40) - 20);

			if (below(2)) {
				t->steps[0].ns = 1 + below(30 * MS);
				step(t, SIM_SLEEP, below(3 * MS));
				step(t, SIM_REPEAT, 0);
			}
			if (!below(5))
				t->params.class = SCHED_IDLE;
		}
		run(10000 * MS);
		for (unsigned i = 0; i < sim.nr_tasks; i++) {
			u32 level = level_of_params(&tasks[i].params);
			u64 bound = (16 - MIN(level, 16)) * 50 * MS + (sim.nr_tasks - 1) * 40 * MS;

			CHECK(tasks[i].worst_wait <= bound && tasks[i].dispatched, "",
			      "level %u of %u tasks waits %lu, bound %lu", level, sim.nr_tasks,
			      tasks[i].worst_wait, bound);
		}
	}
}

/* SCHED_FIFO: no quantum, preempted by higher ones only; and then goes on before its equals. */
KTEST(policy_prio_fifo, "policy.prio_fifo", "", "")
{
	struct sim_task *a, *b, *high;

	use(&sched_prio, 1);
	a = add();
	b = add();
	high = add();
	a->params = b->params = (struct sched_params){ .class = SCHED_FIFO, .rt_priority = 10 };
	high->params = (struct sched_params){ .class = SCHED_FIFO, .rt_priority = 90 };
	step(a, SIM_RUN, 500 * MS);
	step(b, SIM_RUN, 500 * MS);
	step(high, SIM_SLEEP, 100 * MS);
	step(high, SIM_RUN, 10 * MS);
	add_spinner(-20);
	run(700 * MS);
	CHECK(a->state == SIM_ENDED && a->preempted == 1, "", "preempted %u times", a->preempted);
	CHECK(high->worst_wait == 0, "", "the higher one waits %lu", high->worst_wait);
	CHECK(b->worst_wait == 510 * MS && b->ran == 190 * MS, "", "b waits %lu", b->worst_wait);
	CHECK(tasks[3].ran == 0, "", "a normal thread ran before real-time ones");
}

/* A low one that holds up a high one runs at its level, and only so long. */
KTEST(policy_inherits, "policy.inherits", "", "")
{
	static const struct sched_policy *const heirs[] = { &sched_prio, &sched_mlfq, &sched_edf };

	for (unsigned i = 0; i < ARRAY_SIZE(heirs); i++) {
		struct sim_task *low, *middle, *high;

		use(heirs[i], 1);
		low = add();
		middle = add_spinner(0);
		high = add();
		low->params.nice = 19;
		if (policy.classes & BIT(SCHED_FIFO)) {
			middle->params = params_of_level(20);
			high->params = params_of_level(30);
		}
		/* mlfq: low sinks first */
		step(low, SIM_RUN, policy_is(&sched_mlfq) ? 60 * MS : MS);
		step(low, SIM_BOOST, 2);
		step(low, SIM_RUN, 5 * MS);
		step(low, SIM_BOOST, SIM_TASKS);
		step(low, SIM_RUN, 5 * MS);
		step(high, SIM_SLEEP, 2000 * MS);
		if (!policy_is(&sched_mlfq))
			middle->arrival += MS + 1;
		run(20 * MS);
		CHECK(policy_is(&sched_mlfq) || low->ran == 6 * MS, "", "%s: low ran %lu",
		      policy.name, low->ran);
	}
}

/*
 * --- mlfq ----------------------------------------------------------------------------------------
 */

/* Nobody stays up by giving the CPU away just in time, by yielding or by a short sleep. */
KTEST(policy_mlfq_games, "policy.mlfq_games", "", "")
{
	for (unsigned i = 0; i < 2; i++) {
		struct sim_task *gamer;

		use(&sched_mlfq, 1);
		sim.now = 0;
		add_spinner(0);
		gamer = add();
		step(gamer, SIM_RUN, 45 * MS / 10);	/* of 5 */
		step(gamer, i ? SIM_SLEEP : SIM_YIELD, MS / 2);
		step(gamer, SIM_REPEAT, 0);
		run(900 * MS);
		CHECK(gamer->e.base.level < 2, "", "level %u", gamer->e.base.level);
		CHECK(tasks[0].ran > 300 * MS, "", "the honest one ran %lu", tasks[0].ran);
	}
}

/* Who wants half of the CPU or less never sinks, and never waits for one that has. */
KTEST(policy_mlfq_favour, "policy.mlfq_favour", "", "")
{
	struct sim_task *editor;

	use(&sched_mlfq, 1);
	sim.now = 0;
	add_spinner(0);
	add_spinner(0);
	editor = add();
	editor->arrival += 100 * MS;
	step(editor, SIM_RUN, MS);
	step(editor, SIM_SLEEP, 2 * MS);
	step(editor, SIM_REPEAT, 0);
	run(990 * MS);
	CHECK(editor->e.base.level == 4, "", "level %u", editor->e.base.level);
	CHECK(editor->worst_wait == 0, "", "waits %lu", editor->worst_wait);
	CHECK(tasks[0].e.base.level == 0, "", "a spinner is at level %u", tasks[0].e.base.level);
}

/* A boost reaches queued, running and sleeping threads; each then has its whole allotment. */
KTEST(policy_mlfq_boost, "policy.mlfq_boost", "", "")
{
	struct sim_task *sleeper;

	use(&sched_mlfq, 1);
	sim.now = 0;
	add_spinner(0);
	add_spinner(0);
	sleeper = add();
	step(sleeper, SIM_RUN, 120 * MS);	/* to the bottom */
	step(sleeper, SIM_SLEEP, 700 * MS);
	step(sleeper, SIM_RUN, 1000 * MS);
	run(999 * MS);
	for (unsigned i = 0; i < 2; i++)
		CHECK(tasks[i].e.base.level == 0, "", "at level %u", tasks[i].e.base.level);
	sim_run(&sim, sim.now + 5 * MS);
	for (unsigned i = 0; i < 2; i++)
		CHECK(tasks[i].e.base.level == 4 || tasks[i].e.epoch != sim.cpus[0].q.epoch, "",
		      "after the boost at level %u", tasks[i].e.base.level);
	sim_run(&sim, sim.now + 300 * MS);
	CHECK(sleeper->state == SIM_READY || sleeper->state == SIM_RUNNING, "", "still asleep");
	CHECK(sleeper->e.epoch == sim.cpus[0].q.epoch, "", "the sleeper missed the boost");
}

KTEST(policy_mlfq_starvation, "policy.mlfq_starvation", "", "")
{
	for (unsigned n = 0; n < 50; n++) {
		use(&sched_mlfq, 1);
		for (unsigned i = 3 + below(10); i; i--) {
			struct sim_task *t = add_spinner((int)below(40) - 20);

			if (below(2)) {
				t->steps[0].ns = 1 + below(3 * MS);
				step(t, SIM_SLEEP, below(9 * MS));
				step(t, SIM_REPEAT, 0);
			}
		}
		run(10000 * MS);
		for (unsigned i = 0; i < sim.nr_tasks; i++)
			CHECK(tasks[i].worst_wait <= 1000 * MS + sim.nr_tasks * 10 * MS, "",
			      "waits %lu", tasks[i].worst_wait);
	}
}

/*
 * --- edf and rm ----------------------------------------------------------------------------------
 */

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

/* Periods whose common multiple is small, so that a run sees every combination of releases. */
static u64 random_period(void)
{
	static const u8 periods[] = { 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 30 };

	return periods[below(ARRAY_SIZE(periods))] * MS;
}

/* Shares that add up to exactly one: thirds, sevenths and what is left over. */
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
		CHECK(dispatches[i] == &tasks[i % 3], "", "dispatch %u: who came first waits", i);
}

/* Whoever lies, sleeps at bad times or wakes too often: the honest ones meet their deadlines. */
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

/*
 * An admitted set meets all deadlines, at the worst response times of the analysis or better; the
 * one that is refused would miss one, released together with the others.
 */
/* Harmonic periods use all of the CPU: every response is exactly a multiple of shorter periods. */
KTEST(policy_rm_harmonic, "policy.rm_harmonic", "", "")
{
	use(&sched_rm, 1);
	/* the shortest period last: who comes is weighed as an interferer too */
	add_periodic(4 * MS, 16 * MS, 16 * MS, 4 * MS);
	add_periodic(2 * MS, 8 * MS, 8 * MS, 2 * MS);
	add_periodic(2 * MS, 4 * MS, 4 * MS, 2 * MS);
	run(160 * MS);
	CHECK(tasks[2].admitted && missed() == 0, "", "a harmonic set is refused");
	CHECK(tasks[0].worst_response == 16 * MS, "", "response %lu", tasks[0].worst_response);
}

KTEST(policy_rm_exact, "policy.rm_admission", "", "")
{
	unsigned refused = 0;

	for (unsigned n = 0; n < 1000; n++) {
		struct sim_task *last;

		use(&sched_rm, 1);
		for (unsigned i = 0; i < 12; i++) {
			u64 period = random_period() + below(1000);
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

/*
 * --- fair ----------------------------------------------------------------------------------------
 */

static u64 weight_in_all(const struct sim_task *t, u64 *all_weights)
{
	*all_weights = 0;
	for (unsigned i = 0; i < sim.nr_tasks; i++)
		*all_weights += tasks[i].e.weight;
	return t->e.weight;
}

/* At every moment each has what its weight says, to within the length of two requests. */
KTEST(policy_fair_error, "policy.fair_error", "", "")
{
	for (unsigned n = 0; n < 200; n++) {
		u64 start;

		use(&sched_fair, 1);
		start = sim.now;
		for (unsigned i = 2 + below(12); i; i--)
			add_spinner((int)below(40) - 20);
		sim_begin(&sim, start);
		for (unsigned k = 0; k < 100; k++) {
			sim_run(&sim, sim.now + below(40 * MS));
			for (unsigned i = 0; i < sim.nr_tasks; i++) {
				u64 sum, w = weight_in_all(&tasks[i], &sum);
				u64 ideal = (sim.now - start) / 1000 * w / sum * 1000;

				CHECK(difference(tasks[i].ran, ideal) <= 10 * MS, "",
				      "weight %lu of %lu: ran %lu, not %lu", w, sum, tasks[i].ran,
				      ideal);
			}
		}
	}
}

/*
 * A request is served at the latest one request's time after its virtual deadline (Stoica and
 * others, theorem 1). Among threads that come and go, nobody is owed or owes more than three: two
 * that it came back with, and one while another's request is served.
 */
static void check_request(struct sim *s, struct sim_task *t, enum sim_state from)
{
	const struct policy_queue *q = &s->cpus[0].q;
	s64 request = sched_quantum / 4 * 1024, late = q->vzero - t->e.deadline;

	if (from == SIM_RUNNING && t->state == SIM_READY && t->e.weight &&
	    !time_before(t->e.vruntime, t->e.deadline))
		CHECK(late <= request / (s64)q->weight + 1000, "", "%ld virtual ns late", late);
}

static void check_lag(struct sim *s, struct sim_task *t, enum sim_state from)
{
	s64 limit = 3 * (s64)sched_quantum / 4 * 1024;

	(void)from;
	for (unsigned i = 0; i < s->nr_tasks; i++) {
		struct sched_entity *e = &s->tasks[i].e;
		s64 lag = (s64)(s->cpus[0].q.vzero - e->vruntime) * (s64)e->weight;

		CHECK(lag <= limit && lag >= -limit, "",
		      "lag %ld at weight %lu, limit %ld", lag, e->weight, limit);
	}
	(void)t;
}

KTEST(policy_fair_deadlines, "policy.fair_deadlines", "", "")
{
	for (unsigned n = 0; n < 200; n++) {
		bool come_and_go = below(2);

		use(&sched_fair, 1);
		for (unsigned i = 2 + below(12); i; i--) {
			struct sim_task *t = add_spinner((int)below(40) - 20);

			if (!come_and_go)
				continue;
			t->steps[0].ns = below(9 * MS);
			step(t, SIM_SLEEP, below(20 * MS));
			step(t, SIM_REPEAT, 0);
		}
		sim.changed = come_and_go ? check_lag : check_request;
		run(1000 * MS);
	}
}

/* Long sleep gives no credit, and a thread that comes and goes takes no more than its share. */
KTEST(policy_fair_sleeper, "policy.fair_sleeper", "", "")
{
	for (unsigned n = 0; n < 100; n++) {
		struct sim_task *spinner, *sleeper, *hopper;
		u64 from, before, woken;

		use(&sched_fair, 1);
		spinner = add_spinner(0);
		sleeper = add();
		step(sleeper, SIM_RUN, below(20 * MS));
		step(sleeper, SIM_SLEEP, 20000 * MS);
		step(sleeper, SIM_RUN, 1000 * MS);
		hopper = add();
		step(hopper, SIM_RUN, 1 + below(5 * MS));
		step(hopper, SIM_SLEEP, 1 + below(MS));
		step(hopper, SIM_REPEAT, 0);
		run(19000 * MS);
		CHECK(hopper->ran <= spinner->ran + 30 * MS, "", "coming and going got %lu of %lu",
		      hopper->ran, spinner->ran);
		while (sleeper->state == SIM_SLEEPING)
			sim_run(&sim, sim.now + MS);
		from = spinner->ran;
		before = sleeper->ran;
		woken = sim.now;
		sim_run(&sim, sim.now + 300 * MS);
		CHECK(sleeper->ran - before <= (sim.now - woken) / 2 + 15 * MS, "",
		      "a sleeper gets %lu", sleeper->ran - before);
		CHECK(spinner->ran - from >= (sim.now - woken) / 3 - 15 * MS, "",
		      "it leaves %lu", spinner->ran - from);
	}
}

/*
 * --- pct, jitter ---------------------------------------------------------------------------------
 */

static u64 order_hash, hash_start;

static void hash_order(struct sim *s, struct sim_task *t, enum sim_state from)
{
	(void)from;
	if (t->state == SIM_RUNNING)
		order_hash = order_hash * 31 + (u64)(t - s->tasks) + (s->now - hash_start);
}

/* Three tasks that each run once: every order comes up, and a seed always gives its own. */
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

/* Strict priorities, and yet a spinner cannot keep out the one it waits for. */
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

/* The wrap of the clock changes nothing. (mlfq and pct look at the time of day, so to speak.) */
KTEST(policy_wrap, "policy.wrap", "", "")
{
	static const struct sched_policy *const steady[] = {
		&sched_rr, &sched_prio, &sched_edf, &sched_rm, &sched_fair,
	};

	for (unsigned n = 0; n < 500; n++) {
		static struct sim_task same[SIM_TASKS];
		u64 work, first = 0;

		use(steady[n % ARRAY_SIZE(steady)], 1);
		sim.now = 0;
		for (unsigned i = 2 + below(8); i; i--)
			add_random_task(&work);
		for (unsigned i = 0; i < SIM_TASKS; i++)
			same[i] = tasks[i];
		for (unsigned again = 0; again < 2; again++) {
			u64 start = again ? -below(60 * MS) : 0;

			for (unsigned i = 0; i < sim.nr_tasks; i++) {
				tasks[i] = same[i];
				tasks[i].arrival += start;
			}
			sim.now = start;
			sim.changed = hash_order;
			order_hash = 0;
			hash_start = start;
			run(200 * MS);
			CHECK(!again || order_hash == first, "", "%s: another order from %lu",
			      policy.name, start);
			first = order_hash;
		}
	}
}

KTEST(policy_levels, "policy.levels", "", "")
{
	use(&sched_prio, 1);
	for (u32 level = 0; level < LEVELS; level++) {
		struct sched_params p = params_of_level(level);

		CHECK(level_of_params(&p) == level, "", "level %u becomes %u", level,
		      level_of_params(&p));
		CHECK(policy_check(&p) == 0, "", "level %u is refused", level);
	}
}
