/*
 * Fair sharing: every task has its share, to within two requests, even if it sleeps in between.
 */
#include "test_sim.h"

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
 * A request is served at most one request's time after its virtual deadline (Stoica and others,
 * theorem 1). Among threads that come and go, none is owed or owes more than three requests: two
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

/* FAIR3: a long sleep earns no credit, and a thread that comes and goes gets only its share. */
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
 * A task that yields asks for one request more: one that is owed time, too, goes first. The first
 * task is there to have had more than its share.
 */
KTEST(policy_fair_yield, "policy.fair_yield", "", "")
{
	struct sim_task *yields, *waits;
	u64 request;

	use(&sched_fair, 1);
	request = sched_quantum / 4;
	add_spinner(0);
	yields = add();
	waits = add_spinner(0);
	step(yields, SIM_RUN, MS);
	step(yields, SIM_YIELD, 0);
	step(yields, SIM_RUN, 1000 * MS);
	run(request + 2 * MS);
	CHECK(yields->ran == MS && waits->ran == MS, "", "%lu ns, the other one %lu",
	      yields->ran, waits->ran);
}
