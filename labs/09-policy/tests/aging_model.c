/*
 * Lab 09, step 2: aging against a model.
 *
 * One list, in the order in which the entities would run, with levels and rounds kept plainly. Each
 * step does one thing at random to the policy and to the model, and compares which runs.
 */
#include "aging.h"

#define US	NSEC_PER_USEC

static struct {
	unsigned line[ENTITIES], nr;	/* those that wait, the next one first */
	u32 own[ENTITIES], gain[ENTITIES];
	bool old[ENTITIES];		/* has waited since before the last round */
	enum enqueue_why why[ENTITIES];	/* how it came back to the queue */
	unsigned rounds[ENTITIES];	/* since then */
	u64 rest[ENTITIES];		/* of its slice, when it was last preempted, in us */
	u64 random;
} m;

static u64 below(u64 n)
{
	m.random = m.random * 6364136223846793005UL + 1442695040888963407UL;
	return (m.random >> 33) % n;
}

static u32 level(unsigned i)
{
	return MIN(m.own[i] + m.gain[i], TOP);
}

struct story { char text[72]; };

/* If @told: says where entity @i stands and how it came there; -1: none. */
static struct story story(bool told, int i)
{
	struct story s = { "none" };

	if (told && i >= 0)
		snprintf(s.text, sizeof(s.text), "entity %d (level %u + %u: %s, then %u rounds)",
			 i, m.own[i], m.gain[i], event_name(m.why[i]), m.rounds[i]);
	return s;
}

static void line_up(unsigned i, bool front)
{
	unsigned at = 0;

	while (at < m.nr && (front ? level(m.line[at]) > level(i) : level(m.line[at]) >= level(i)))
		at++;
	for (unsigned j = m.nr++; j > at; j--)
		m.line[j] = m.line[j - 1];
	m.line[at] = i;
}

static void step_out(unsigned i)
{
	unsigned at = 0;

	while (m.line[at] != i)
		at++;
	for (m.nr--; at < m.nr; at++)
		m.line[at] = m.line[at + 1];
}

static void model_comes(unsigned i, enum enqueue_why why)
{
	if (why != ENQUEUE_PREEMPTED && why != ENQUEUE_MIGRATED)
		m.gain[i] = 0;
	m.old[i] = why == ENQUEUE_PREEMPTED;
	m.why[i] = why;
	m.rounds[i] = 0;
	line_up(i, why == ENQUEUE_PREEMPTED);
}

static void model_round(void)
{
	unsigned was[ENTITIES], nr = m.nr;

	for (unsigned j = 0; j < nr; j++)
		was[j] = m.line[j];
	m.nr = 0;
	for (unsigned j = 0; j < nr; j++)	/* those that stay, then the others */
		if (!m.old[was[j]] || level(was[j]) == TOP)
			line_up(was[j], false);
	for (unsigned j = 0; j < nr; j++) {
		unsigned i = was[j];

		if (m.old[i] && level(i) < TOP) {
			m.gain[i]++;
			line_up(i, false);
		}
		m.old[i] = true;
		m.rounds[i]++;
	}
}

/* Gives the CPU, which is free, to the next one, and compares. */
static void both_pick(unsigned step)
{
	int want = m.nr ? (int)m.line[0] : -1;
	bool wrong;

	if (want >= 0)
		step_out((unsigned)want);
	q.current = NULL;
	pick();
	wrong = running() != want;
	REQUIRE(!wrong, "P9.3", "step %u: %s is picked, not %s", step,
		story(wrong, running()).text, story(wrong, want).text);
	CHECK(q.nr == m.nr, "P9.1", "step %u: %u wait, and the queue counts %u", step, m.nr, q.nr);
	if (want >= 0 && m.why[want] == ENQUEUE_PREEMPTED)
		CHECK(e[want].slice_left == m.rest[want] * US, "P9.1",
		      "step %u: preempted with %lu us left, then %u rounds: it has %lu us", step,
		      m.rest[want], m.rounds[want], e[want].slice_left / US);
}

static void both_put(unsigned step, unsigned i, enum enqueue_why why)
{
	bool above, taken;

	model_comes(i, why);
	above = q.current && level(i) > level((unsigned)running());
	taken = enqueue(i, why);
	CHECK(taken == above, "P9.2", "step %u: level %u runs, one of level %u %s: it %s the CPU",
	      step, q.current ? level((unsigned)running()) : 0, level(i), event_name(why),
	      taken ? "takes" : "leaves");
}

static void both_give_way(unsigned step, enum enqueue_why why)
{
	unsigned i = (unsigned)running();

	q.current = NULL;
	if (why == ENQUEUE_PREEMPTED) {
		m.rest[i] = 1 + step;
		e[i].slice_left = m.rest[i] * US;
	}
	both_put(step, i, why);
	both_pick(step);
}

static void both_round(unsigned step)
{
	bool above, taken;

	if (!m.nr)
		return;
	model_round();
	above = q.current && level(m.line[0]) > level((unsigned)running());
	taken = a_round();
	CHECK(taken == above, "P9.3",
	      "step %u: level %u runs, and after a round level %u %s the CPU", step,
	      q.current ? level((unsigned)running()) : 0, level(m.line[0]),
	      taken ? "takes" : "does not take");
}

static void both_priority(unsigned i, u32 to)
{
	m.own[i] = to;
	set(i, params_of_level(to));
}

/* Takes one that waits out of the queue; it comes back as @why. */
static void both_move(unsigned step, enum enqueue_why why)
{
	unsigned i;

	if (!m.nr)
		return;
	i = m.line[below(m.nr)];
	p->dequeue(&q, &e[i]);
	step_out(i);
	if (why == ENQUEUE_CHANGED)
		both_priority(i, (u32)below(TOP + 1));
	both_put(step, i, why);
}

static void both_wake(unsigned step)
{
	for (unsigned i = (unsigned)below(ENTITIES), n = 0; n < ENTITIES; n++, i++) {
		i %= ENTITIES;
		if (running() == (int)i || entity_queued(&e[i]))
			continue;
		both_put(step, i, ENQUEUE_WAKE);
		return;
	}
}

static void both_step(unsigned step)
{
	switch (below(12)) {
	case 0:
		if (q.current)
			both_give_way(step, ENQUEUE_PREEMPTED);
		break;
	case 1:
		if (q.current)
			both_give_way(step, ENQUEUE_YIELD);
		break;
	case 2:
		if (q.current && m.nr)	/* alone, it may keep its gain or not */
			both_give_way(step, ENQUEUE_EXPIRED);
		break;
	case 3:
		both_pick(step);	/* the one that ran has blocked */
		break;
	case 4:
		both_move(step, ENQUEUE_MIGRATED);
		break;
	case 5:
		both_move(step, ENQUEUE_CHANGED);
		break;
	case 6: case 7: case 8:
		both_wake(step);
		break;
	default:
		both_round(step);
	}
}

KTEST_EARLY(aging_model, "aging.model", "09.2", "P9.3")
{
	for (unsigned n = 0; n < 10; n++) {
		begin();
		m.random = n;
		m.nr = 0;
		for (unsigned i = 0; i < ENTITIES; i++)
			both_priority(i, (u32)below(TOP + 1));
		for (unsigned step = 0; step < 400; step++)
			both_step(step);
	}
}
