/*
 * Lab 09, hidden: strict priority with aging on two CPUs, each with its own rounds, against a
 * model. Threads wake, move from one CPU to the other, inherit levels and get new ones, and
 * real-time threads come between. A thread inherits only while it has gained nothing, and its
 * slice ends only while others wait: the contract leaves open what becomes of a gain otherwise.
 */
#define PICKED	"P9.3"
#define TAKES	"P9.2"

#include "hidden_lanes.h"

#define TOP	15u
#define AGING	(50 * MS)	/* aging=, unless given */
#define ROUNDS	20
#define STEPS	600

static struct {
	u32 own, lent, gain;
	bool old;		/* counts as one that waits since before the last round */
} m[ENTITIES];

static u32 level(unsigned i)
{
	return MIN(MAX(m[i].own, m[i].lent) + m[i].gain, TOP);
}

static void comes(unsigned i, enum enqueue_why why)
{
	if (why != ENQUEUE_PREEMPTED && why != ENQUEUE_MIGRATED)
		m[i].gain = 0;
	m[i].old = why == ENQUEUE_PREEMPTED;
}

static void goes(unsigned i)
{
	m[i].gain = 0;
}

static void is_picked(struct lane *l, unsigned i)
{
	(void)l;
	(void)i;
}

/* Running costs nothing. */
static bool charge(struct lane *l)
{
	(void)l;
	return false;
}

/* The contract leaves open what becomes of a gain. */
static bool may_leave(unsigned i)
{
	return !m[i].gain;
}

/* --- Rounds ----------------------------------------------------------------------------------- */

static bool rises(unsigned i)
{
	return m[i].old && level(i) < TOP;
}

/* Those that stay keep their places; those that rise come behind them. */
static void model_round(struct lane *l)
{
	unsigned was[ENTITIES], nr = l->nr;
	bool up[ENTITIES];

	for (unsigned at = 0; at < nr; at++) {
		was[at] = l->line[at];
		up[at] = rises(was[at]);
	}
	l->nr = 0;
	for (unsigned at = 0; at < nr; at++) {
		m[was[at]].gain += up[at];
		m[was[at]].old = true;
	}
	for (unsigned at = 0; at < nr; at++)
		if (!up[at])
			line_up(l, was[at], false);
	for (unsigned at = 0; at < nr; at++)
		if (up[at])
			line_up(l, was[at], false);
}

static void do_round(struct lane *l)
{
	bool above = false, taken;

	if (l->nr)
		model_round(l);
	if (l->nr && l->q.current)
		above = level(l->line[0]) > level_that_runs(l);
	taken = p->timer(&l->q, now);
	CHECK(!l->q.current || taken == above, "P9.3",
	      "level %u runs, after a round the first that waits has level %u and %s the CPU",
	      l->q.current ? level_that_runs(l) : 0, l->nr ? level(l->line[0]) : 0,
	      taken ? "takes" : "does not take");
	if (above)
		gives_way(l, ENQUEUE_PREEMPTED, "one has risen above the one that runs");
}

/* To the next round of a CPU at most. */
static void time_passes(void)
{
	u64 until = now + below(2 * AGING / 3);

	for (unsigned k = 0; k < LANES; k++)
		if (lanes[k].q.timer_set && time_before(lanes[k].q.timer_at, until))
			until = lanes[k].q.timer_at;
	now = until;
	for (unsigned k = 0; k < LANES; k++)
		if (lanes[k].q.timer_set && !time_before(now, lanes[k].q.timer_at))
			do_round(&lanes[k]);
}

static void compare_timers(void)
{
	for (unsigned k = 0; k < LANES; k++) {
		struct policy_queue *lq = &lanes[k].q;

		REQUIRE(!lanes[k].nr || (lq->timer_set && lq->timer_at - now <= AGING), "P9.3",
			"on CPU %u one waits, and no round comes in the next %lu ms", k,
			AGING / MS);
	}
}

/* --- Steps ------------------------------------------------------------------------------------ */

static void give_the_cpu_away(struct lane *l)
{
	if (runs(l) < 0)
		return;
	switch (below(4)) {
	case 0:
		blocks(l, "one blocks");
		break;
	case 1:
		gives_way(l, ENQUEUE_YIELD, "one yields");
		break;
	case 2:
		gives_way(l, ENQUEUE_PREEMPTED, "one is preempted");
		break;
	default:
		if (l->nr)
			gives_way(l, ENQUEUE_EXPIRED, "a slice is over");
	}
}

static void new_level(unsigned i)
{
	m[i].own = (u32)below(TOP + 1);
	m[i].gain = 0;
	set(i, params_of_level(m[i].own));
}

static void change_one(struct lane *l)
{
	unsigned i = (unsigned)below(ENTITIES);

	if (is_blocked(i)) {
		new_level(i);
	} else if (l->nr) {
		i = taken_out(l, (unsigned)below(l->nr));
		new_level(i);
		arrives(l, i, ENQUEUE_CHANGED, "one that waits has a new level");
		if (runs(l) >= 0 && l->nr) {
			new_level((unsigned)runs(l));
			gives_way(l, ENQUEUE_EXPIRED, "the one that runs has a new level");
		}
	}
}

/* One inherits another level, or none any more: one that is blocked, or the one that runs. */
static void lend_one(struct lane *l)
{
	unsigned i = (unsigned)below(ENTITIES);
	int r = runs(l);
	bool running = r >= 0 && l->nr && !m[r].gain && below(2);

	if (running)
		i = (unsigned)r;
	else if (!is_blocked(i))
		return;
	m[i].lent = below(3) ? (u32)below(TOP + 1) : 0;
	policy_inherit(&e[i], (struct sched_rank){ .level = m[i].lent });
	if (running)
		gives_way(l, ENQUEUE_EXPIRED, "the one that runs inherits another level");
}

/* One that waits is suspended, or it ends, and a new one takes its place in the test. */
static void remove_one(struct lane *l)
{
	unsigned i;

	if (!l->nr)
		return;
	i = taken_out(l, (unsigned)below(l->nr));
	if (p->leave)
		p->leave(&l->q, &e[i], now);
	goes(i);
	if (below(2))
		return;
	m[i].lent = 0;
	m[i].own = (u32)below(TOP + 1);
	is_new(i, params_of_level(m[i].own));
}

static void take_a_step(void)
{
	struct lane *l = some_lane();

	switch (below(16)) {
	case 0: case 1: case 2:
		wake_one(l);
		break;
	case 3: case 4: case 5:
		give_the_cpu_away(l);
		break;
	case 6: case 7:
		move_one(l);
		break;
	case 8:
		change_one(l);
		break;
	case 9:
		lend_one(l);
		break;
	case 10:
		urgent_comes_or_goes(l);
		break;
	case 11:
		below(2) ? remove_one(l) : compare_found(l);
		break;
	default:
		time_passes();
	}
	compare_lanes("one step on");
	compare_timers();
}

KTEST_EARLY(prio_model, "prio.model", "09.h", "P9.3")
{
	for (unsigned nr = 0; nr < ROUNDS; nr++) {
		begin_lanes(&sched_prio);
		for (unsigned i = 0; i < ENTITIES; i++) {
			m[i].lent = m[i].gain = 0;
			m[i].own = (u32)below(TOP + 1);
			is_new(i, params_of_level(m[i].own));
		}
		for (unsigned i = 0; i < STEPS; i++)
			take_a_step();
	}
}
