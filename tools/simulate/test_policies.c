/*
 * Properties of every policy: no thread is lost, no CPU is idle without reason, slices survive
 * interruption, urgency is inherited, the clock may wrap. Also the functions that all tests share.
 */
#include "base/bootargs.h"
#include "base/panic.h"
#include "test_sim.h"

struct sim sim;
struct sim_task tasks[SIM_TASKS];
u64 order_hash, hash_start;

static const struct sched_policy *const all[] = {
	&sched_rr, &sched_prio, &sched_mlfq, &sched_edf, &sched_rm, &sched_fair, &sched_pct,
};

/* There are no boot arguments: everything has its default. */
const char *bootarg(const char *name)
{
	(void)name;
	return NULL;
}

u64 bootarg_number(const char *name, u64 def, u64 min, u64 max)
{
	if (def && (def < min || def > max))	/* 0 may stand for none */
		panic("the default of %s= is not allowed", name);
	return def;
}

noreturn void bootarg_bad(const char *name, const char *allowed)
{
	panic("%s must be %s", name, allowed);
}

void use(const struct sched_policy *p, unsigned nr_cpus)
{
	policy_init();
	policy = *p;
	if (p->init)
		p->init();
	sim = (struct sim){ .nr_cpus = nr_cpus, .tasks = tasks };
	sim.now = below(2) ? -(u64)(50 * MS) : 0;
}

struct sim_task *add(void)
{
	struct sim_task *t = &tasks[sim.nr_tasks++];

	*t = (struct sim_task){ .name = "task", .affinity = ALL_CPUS, .arrival = sim.now };
	return t;
}

void step(struct sim_task *t, enum sim_action action, u64 ns)
{
	t->steps[t->nr_steps++] = (struct sim_step){ action, ns };
}

struct sim_task *add_spinner(int nice)
{
	struct sim_task *t = add();

	t->params.nice = nice;
	step(t, SIM_RUN, 1000000 * MS);
	return t;
}

void run(u64 ns)
{
	u64 start = sim.now;

	sim_begin(&sim, start);
	sim_run(&sim, start + ns);
}

void hash_order(struct sim *s, struct sim_task *t, enum sim_state from)
{
	(void)from;
	if (t->state == SIM_RUNNING)
		order_hash = order_hash * 31 + (u64)(t - s->tasks) + (s->now - hash_start);
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

/* POLICY1, POLICY4, POLICY5, and that @c's current may run on @c. */
static void audit_cpu(struct sim_cpu *c)
{
	unsigned n = queued_in(&c->q.tree) + queued_in(&c->q.urgent);

	if (policy_is(&sched_fair))
		n += queued_in(&c->q.aside);
	for (unsigned i = 0; i < LISTS; i++) {
		bool bit = c->q.bitmap & list_bit(i);

		list_for_each(e, &c->q.lists[i], struct sched_entity, node)
			n++;
		if (!policy_is(&sched_rr))
			CHECK(bit != list_empty(&c->q.lists[i]), "POLICY5",
			      "%s: bit of list %u lies", policy.name, i);
	}
	CHECK(n == c->q.nr, "POLICY4", "%s: %u queued, nr says %u", policy.name, n, c->q.nr);
	CHECK(!c->current || c->current->e.affinity & BIT(c->q.cpu), "",
	      "%s: on a forbidden CPU", policy.name);
	CHECK(!c->current || !entity_queued(&c->current->e), "POLICY1", "%s: current is queued",
	      policy.name);
}

/* No task waits that may run on an idle CPU, except reservations without budget. */
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

		if (policy_knows(class))
			return class;
	}
}

void add_random_task(u64 *work)
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
	CHECK(ran == work, "POLICY2", "%s: %lu ns charged for %lu ns of work", p->name, ran, work);
}

KTEST(policy_random, "policy.random", "", "")
{
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		for (unsigned n = 0; n < 300; n++)
			random_run(all[i]);
}

/* A third task that often preempts two equals does not unbalance them. */
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

/* A low task that a high one waits for runs at the high one's level, and only for that time. */
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
		if (!policy_is(&sched_mlfq)) {
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

/* The wrap of the clock changes nothing. (Not of mlfq and pct, which use absolute time.) */
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
		if (level < LEVEL_REAL_TIME || p.rt_priority == RT_PRIORITY_LOWEST)
			continue;
		p.rt_priority--;
		CHECK(level_of_params(&p) == level - 1, "", "level %u has a lower priority than %d",
		      level, p.rt_priority + 1);
	}
}

/* A reservation is of the most urgent band, whatever its nice value. */
KTEST(policy_quanta, "policy.quanta", "", "")
{
	static const struct {
		struct sched_params params;
		u64 quarters;
	} cases[] = {
		{ { .class = SCHED_FIFO, .rt_priority = 1 }, 8 },
		{ { .class = SCHED_DEADLINE }, 8 },
		{ { .class = SCHED_DEADLINE, .nice = 19 }, 8 },
		{ { .nice = -15 }, 8 },
		{ { .nice = -14 }, 6 },
		{ { .nice = -5 }, 6 },
		{ { .nice = -4 }, 4 },
		{ { .nice = 4 }, 4 },
		{ { .nice = 5 }, 2 },
		{ { .nice = 14 }, 2 },
		{ { .nice = 15 }, 1 },
		{ { .class = SCHED_IDLE }, 1 },
	};

	use(&sched_edf, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sched_entity e = { .params = cases[i].params };

		CHECK(quantum_of(&e) == sched_quantum * cases[i].quarters / 4, "",
		      "case %u: a quantum of %lu ns", i, quantum_of(&e));
	}
}

KTEST(policy_default, "policy.default", "", "")
{
	policy_init();
	CHECK(policy_is(&sched_rr), "", "without sched= it is %s", policy.name);
}

/* These are the numbers that others have found with splitmix64. */
KTEST(policy_random_numbers, "policy.random_numbers", "", "")
{
	static const u64 known[] = {
		0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec,
	};
	struct policy_queue q = { .random = 0 };

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		u64 x = queue_random(&q);

		CHECK(x == known[i], "", "number %u is %lx", i, x);
	}
}
