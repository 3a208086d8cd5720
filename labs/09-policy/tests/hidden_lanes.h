/*
 * Shared by the hidden tests of lab 09: a policy with the queues of two CPUs. Beside each queue
 * stands the line of those that should wait in it, the next one first. The test that includes this
 * names the properties, PICKED and TAKES, and has the rest of the model.
 */
#pragma once

#include "sched/policy/test_drive.h"
#include "test/instrument.h"
#include "test/ktest.h"

#define LANES	2

static struct lane {
	struct policy_queue q;
	struct sched_entity urgent;	/* a real-time thread: seen as q.current, never queued */
	unsigned line[ENTITIES], nr;
	u64 ran;			/* ns for which q.current was not charged yet */
} lanes[LANES];

/* The model's part. */
static u32 level(unsigned i);
static void comes(unsigned i, enum enqueue_why why);
static void goes(unsigned i);		/* it is blocked from now on */
static void is_picked(struct lane *l, unsigned i);
static bool charge(struct lane *l);	/* of the one that runs; returns whether its turn is over */
static bool may_leave(unsigned i);	/* while it runs */

static inline u64 below(u64 n)
{
	return test_random() % n;
}

static inline struct lane *some_lane(void)
{
	return &lanes[below(LANES)];
}

static inline bool urgent_runs(const struct lane *l)
{
	return l->q.current == &l->urgent;
}

/* Returns the entity that has the CPU of @l; -1: none of them. */
static inline int runs(const struct lane *l)
{
	return !l->q.current || urgent_runs(l) ? -1 : (int)(l->q.current - e);
}

static inline bool waits(unsigned i)
{
	for (unsigned k = 0; k < LANES; k++)
		for (unsigned at = 0; at < lanes[k].nr; at++)
			if (lanes[k].line[at] == i)
				return true;
	return false;
}

static inline bool is_blocked(unsigned i)
{
	return !waits(i) && runs(&lanes[0]) != (int)i && runs(&lanes[1]) != (int)i;
}

static inline u32 level_that_runs(const struct lane *l)
{
	return urgent_runs(l) ? LEVEL_REAL_TIME : level((unsigned)runs(l));
}

static inline void line_up(struct lane *l, unsigned i, bool front)
{
	unsigned at = 0;

	while (at < l->nr && level(l->line[at]) + !front > level(i))
		at++;
	for (unsigned k = l->nr++; k > at; k--)
		l->line[k] = l->line[k - 1];
	l->line[at] = i;
}

/* The number @at of the line leaves it. */
static inline unsigned step_out(struct lane *l, unsigned at)
{
	unsigned i = l->line[at];

	for (l->nr--; at < l->nr; at++)
		l->line[at] = l->line[at + 1];
	return i;
}

/* The CPU, which is free, gets the next one. */
static inline void picks(struct lane *l, const char *when)
{
	int want = l->nr ? (int)step_out(l, 0) : -1;

	l->q.current = p->pick(&l->q, now);
	l->ran = 0;
	REQUIRE(runs(l) == want, PICKED, "%s: on CPU %ld entity %d is picked, not %d, of level %u",
		when, l - lanes, runs(l), want, want < 0 ? 0 : level((unsigned)want));
	if (want >= 0)
		is_picked(l, (unsigned)want);
}

/* Returns whether it takes the CPU from the one that runs. */
static inline bool put(struct lane *l, unsigned i, enum enqueue_why why, const char *when)
{
	bool above, taken;

	comes(i, why);
	line_up(l, i, why == ENQUEUE_PREEMPTED);
	above = l->q.current && level(i) > level_that_runs(l);
	taken = p->enqueue(&l->q, &e[i], why, now);
	CHECK(!l->q.current || taken == above, TAKES,
	      "%s: on CPU %ld level %u runs, level %u comes and %s the CPU", when, l - lanes,
	      l->q.current ? level_that_runs(l) : 0, level(i), taken ? "takes" : "does not take");
	return above;
}

/* The one that runs, which has been charged, gives way. */
static inline void gives_way(struct lane *l, enum enqueue_why why, const char *when)
{
	int i = runs(l);

	l->q.current = NULL;
	put(l, (unsigned)i, why, when);
	picks(l, when);
}

/* The one that runs, which has been charged, blocks. */
static inline void blocks(struct lane *l, const char *when)
{
	int i = runs(l);

	if (p->leave)
		p->leave(&l->q, &e[i], now);
	goes((unsigned)i);
	l->q.current = NULL;
	picks(l, when);
}

/* A real-time thread gets the CPU, from one that has been charged, or gives it back. */
static inline void urgent_comes_or_goes(struct lane *l)
{
	int i = runs(l);

	if (urgent_runs(l)) {
		l->q.current = NULL;
		picks(l, "a real-time thread ends");
		return;
	}
	l->q.current = NULL;
	if (i >= 0)
		put(l, (unsigned)i, ENQUEUE_PREEMPTED, "a real-time thread comes");
	l->q.current = &l->urgent;
}

/* Takes number @at of those that wait out of the queue. */
static inline unsigned taken_out(struct lane *l, unsigned at)
{
	unsigned i = step_out(l, at);

	p->dequeue(&l->q, &e[i]);
	CHECK(!entity_queued(&e[i]), PICKED, "%u was taken out, and is queued", i);
	return i;
}

/* It may take the CPU from the one that runs, which is charged then. */
static inline void arrives(struct lane *l, unsigned i, enum enqueue_why why, const char *when)
{
	bool above = put(l, i, why, when);

	if (!l->q.current)
		picks(l, when);
	else if (above)
		gives_way(l, charge(l) ? ENQUEUE_EXPIRED : ENQUEUE_PREEMPTED, when);
}

static inline void wake_one(struct lane *l)
{
	unsigned i = (unsigned)below(ENTITIES);

	if (is_blocked(i))
		arrives(l, i, ENQUEUE_WAKE, "one wakes");
}

/* One that waits goes to the other CPU; or the one that runs, if it may not stay here. */
static inline void move_one(struct lane *l)
{
	struct lane *to = &lanes[l == &lanes[0]];
	int i = runs(l);

	if (below(3) && l->nr) {
		i = (int)taken_out(l, (unsigned)below(l->nr));
	} else if (i >= 0 && may_leave((unsigned)i)) {
		charge(l);
		if (p->leave)
			p->leave(&l->q, &e[i], now);
		l->q.current = NULL;
		picks(l, "the one that ran leaves this CPU");
	} else {
		return;
	}
	arrives(to, (unsigned)i, ENQUEUE_MIGRATED, "one comes from the other CPU");
}

/* The one that another CPU would take from this one is one of those that may run there. */
static inline void compare_found(struct lane *l)
{
	struct sched_entity *found;
	bool is_there = false;
	unsigned cpu = (unsigned)below(8);

	for (unsigned at = 0; at < l->nr; at++)
		is_there |= (e[l->line[at]].affinity & BIT(cpu)) != 0;
	found = p->find(&l->q, cpu);
	CHECK(is_there == !!found, PICKED, "%s that waits may run on CPU %u, and %s is found",
	      is_there ? "one" : "none", cpu, found ? "one" : "none");
	CHECK(!found || (found->affinity & BIT(cpu) && entity_queued(found)), PICKED,
	      "one is found that may not run on CPU %u or does not wait", cpu);
}

static inline void compare_lanes(const char *when)
{
	for (unsigned i = 0; i < ENTITIES; i++)
		REQUIRE(entity_queued(&e[i]) == waits(i), PICKED, "%s: %u %s in a queue", when, i,
			waits(i) ? "waits and is not" : "does not wait and is");
	for (unsigned k = 0; k < LANES; k++)
		REQUIRE(lanes[k].q.nr == lanes[k].nr, PICKED,
			"%s: on CPU %u %u wait, and the queue counts %u", when, k, lanes[k].nr,
			lanes[k].q.nr);
}

/* An entity that is as new, with @params. It may run on some of 8 CPUs, which find() looks at. */
static inline void is_new(unsigned i, struct sched_params params)
{
	policy_entity_init(&e[i], (u32)below(256), now);
	set(i, params);
}

static inline void begin_lanes(const struct sched_policy *policy_to_test)
{
	use(policy_to_test, 1 + below(100 * NSEC_PER_SEC));
	for (unsigned k = 0; k < LANES; k++) {
		struct lane *l = &lanes[k];

		policy_queue_init(&l->q, k);
		policy_entity_init(&l->urgent, ~0u, now);
		l->urgent.params = params_of_level(LEVELS - 1);
		l->urgent.base.level = LEVEL_REAL_TIME;
		l->nr = 0;
	}
}
