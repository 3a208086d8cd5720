/*
 * Lab 09: two CPUs, each with a queue and threads of its own. Neither has anything to do with the
 * other, so a variable that both use, as a static one, is a mistake.
 */
#include "explore/scenario.h"
#include "sched/policy/policy.h"

#define THREADS	3

static const struct sched_policy *p;
static struct sched_params params[THREADS];	/* the most urgent first, or all are equal */
static bool timer_comes;		/* a round or a boost when all have woken */
static struct actor other;

static struct side {
	struct policy_queue q;
	struct sched_entity e[THREADS];
} sides[2];

/*
 * All wake, and perhaps the timer comes. Then each runs for a microsecond and blocks, in the order
 * in which they woke.
 */
static void drive(struct side *s)
{
	u64 now = 0;

	policy_queue_init(&s->q, 0);
	for (unsigned i = 0; i < THREADS; i++) {
		policy_entity_init(&s->e[i], ~0u, 0);
		s->e[i].params = params[i];
		if (p->start)
			p->start(&s->e[i], 0);
		p->enqueue(&s->q, &s->e[i], ENQUEUE_WAKE, 0);
	}
	if (timer_comes) {
		now = s->q.timer_at;
		p->timer(&s->q, now);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		struct sched_entity *e = p->pick(&s->q, now);

		expect(e == &s->e[i], "turn %u is another's", i);
		s->q.current = e;
		p->slice(&s->q, e);
		if (p->charge)
			p->charge(&s->q, e, 1000, now);
		if (p->leave)
			p->leave(&s->q, e, now);
		s->q.current = NULL;
	}
	expect(!s->q.nr, "all have blocked, and %u wait", s->q.nr);
}

static int drive_there(void)
{
	drive(&sides[1]);
	return 0;
}

static void drive_both(const struct sched_policy *which)
{
	p = which;
	if (p->init)
		p->init();
	act_on(1, &other, drive_there);
	drive(&sides[0]);
	end_here();
}

static void drive_priorities(void)
{
	for (unsigned i = 0; i < THREADS; i++)
		params[i] = params_of_level(9 - i);
	drive_both(&sched_prio);
}

SCENARIO(prio_apart, "policy.turns_apart", "09.1", "P9.1", .cpus = 2, .keeps = true)
{
	drive_priorities();
}

SCENARIO(rounds_apart, "policy.rounds_apart", "09.2", "P9.3", .cpus = 2, .keeps = true)
{
	timer_comes = true;
	drive_priorities();
}

static void drive_equals(void)
{
	for (unsigned i = 0; i < THREADS; i++)
		params[i] = (struct sched_params){ .class = SCHED_OTHER };
	drive_both(&sched_mlfq);
}

SCENARIO(mlfq_apart, "policy.sinks_apart", "09.3", "P9.6", .cpus = 2, .keeps = true)
{
	drive_equals();
}

SCENARIO(boosts_apart, "policy.boosts_apart", "09.5", "P9.8", .cpus = 2, .keeps = true)
{
	timer_comes = true;
	drive_equals();
}
