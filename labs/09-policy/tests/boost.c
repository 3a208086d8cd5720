/*
 * Lab 09, step 5: boosts.
 */
#include "base/printf.h"
#include "events.h"
#include "mlfq.h"

static void expect_top(unsigned i, const char *who)
{
	CHECK(running() == (int)i, "P9.8", "boosted, %s is to run, and %d does", who, running());
	expect_slice(allotment_at(TOP), "P9.8", who);
}

/* A crowd of one level: a boost leaves none of them behind. */
static void check_crowd(void)
{
	static struct sched_entity crowd[300];
	unsigned behind = 0;

	begin(0);
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++) {
		policy_entity_init(&crowd[i], ~0u, now);
		crowd[i].params = normal;
		p->start(&crowd[i], now);
		p->enqueue(&q, &crowd[i], ENQUEUE_WAKE, now);
		q.current = p->pick(&q, now);
		p->charge(&q, q.current, allotment_at(TOP), now);
		q.current = NULL;
		p->enqueue(&q, &crowd[i], ENQUEUE_EXPIRED, now);
	}
	now = BOOST;
	p->timer(&q, now);
	enqueue(0, ENQUEUE_WAKE);
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++) {
		struct sched_entity *next = p->pick(&q, now);

		behind += next != &crowd[i] || p->slice(&q, next) != allotment_at(TOP);
	}
	REQUIRE(!behind, "P9.8",
		"300 had sunk, and after a boost a new one came: %u of them are not in turn",
		behind);
	expect_next(0, "P9.8", "the new one, after 300 that were boosted");
}

/* Those that wait go to the top, the higher ones first, each with a whole allotment. */
KTEST_EARLY(boost_queued, "boost.queued", "09.5", "P9.8")
{
	static const u8 lowest[] = { 1, 3, 0, 2, 0, TOP };
	static const u8 order[] = { 5, 1, 3, 0, 2, 4 };

	begin(0);
	for (unsigned i = 0; i < ARRAY_SIZE(lowest); i++) {
		sink(i, lowest[i]);
		use_up(MS);		/* of the allotment at this level */
		set_aside(i);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(lowest); i++)
		enqueue(i, ENQUEUE_MIGRATED);
	CHECK(q.timer_set && q.timer_at == BOOST, "P9.8", "the boost is to come at %lu ms",
	      q.timer_at / MS);
	now = BOOST;
	p->timer(&q, now);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
		q.current = NULL;
		pick();
		expect_top(order[i], "one that waited");
	}
	CHECK(q.nr == 0, "P9.8", "all were picked, and the queue counts %u", q.nr);
	check_crowd();
}

/* A new one comes behind those that were boosted, and takes the CPU from none of them. */
KTEST_EARLY(boost_place, "boost.place", "09.5", "P9.8")
{
	begin(0);
	sink(0, 0);
	set_aside(0);
	sink(1, 1);
	enqueue(0, ENQUEUE_MIGRATED);
	now = BOOST;
	p->timer(&q, now);
	CHECK(!enqueue(2, ENQUEUE_WAKE), "P9.8", "a new one takes the CPU from a boosted one");
	block();
	expect_top(0, "one that waited before the new one came");
	q.current = NULL;
	pick();
	expect_top(2, "the new one");
}

/* Taken out after a boost, before it was picked: the lists and the count agree. */
KTEST_EARLY(boost_taken_out, "boost.taken_out", "09.5", "P9.8")
{
	begin(0);
	for (unsigned i = 0; i < 3; i++) {
		sink(i, i);
		set_aside(i);
	}
	for (unsigned i = 0; i < 3; i++)
		enqueue(i, ENQUEUE_MIGRATED);
	now = BOOST;
	p->timer(&q, now);
	for (unsigned i = 0; i < 3; i++) {
		p->dequeue(&q, &e[i]);
		CHECK(!entity_queued(&e[i]) && q.nr == 2 - i, "P9.8",
		      "entity %u was taken out after a boost, and the queue counts %u", i, q.nr);
	}
	for (unsigned i = 0; i < LISTS; i++)
		CHECK(!(q.bitmap & list_bit(i)), "P9.8", "the queue is empty, but not list %u", i);
	expect_next(-1, "P9.8", "all were taken out");
}

/* The one that runs gives way, and goes on with a new slice: its own was that of its old level. */
static void check_running(u32 inherits)
{
	begin(0);
	sink(0, 0);
	e[0].inherited.level = inherits;
	q.current->slice_left = allotment_at(0);
	now = BOOST - MS;
	use_up(MS / 2);
	q.current->slice_left -= MS / 4;
	now += MS / 4;
	CHECK(!p->charge(&q, q.current, MS / 4, now), "P9.8", "it must give way before the boost");
	now = BOOST;
	CHECK(p->charge(&q, q.current, MS / 4, now), "P9.8",
	      "boosted, the one that runs goes on with the slice of its old level");
	p->timer(&q, now);
	give_way(ENQUEUE_EXPIRED);
	expect_top(0, inherits ? "the one that ran and inherits a level" : "the one that ran");
	use_up(MS);
	give_way(ENQUEUE_PREEMPTED);
	expect_slice(allotment_at(TOP) - MS, "P9.8", "a boost comes once");
}

/* It is alone at the next boosts, and at the top already: it gives way at each of them. */
static void check_alone(u64 boost)
{
	use_up(MS);
	now = boost;
	CHECK(p->charge(&q, q.current, MS, now), "P9.8",
	      "alone at the boost at %lu ms, the one that runs goes on", boost / MS);
	p->timer(&q, now);
	CHECK(q.timer_set && q.timer_at == boost + BOOST, "P9.8",
	      "after the boost at %lu ms the next one comes at %lu ms", boost / MS,
	      q.timer_at / MS);
	give_way(ENQUEUE_EXPIRED);
	expect_top(0, "the one that ran alone");
}

KTEST_EARLY(boost_running, "boost.running", "09.5", "P9.8")
{
	check_running(0);
	check_running(2);
	check_running(0);
	check_alone(2 * BOOST);
	check_alone(3 * BOOST);
}

/* Boosts that came while it was blocked: one, or many, or one a moment ago. */
KTEST_EARLY(boost_blocked, "boost.blocked", "09.5", "P9.8")
{
	static const u64 wakes[] = { BOOST, BOOST + 1, BOOST + BOOST / 2, 7 * BOOST - 99 * MS };

	for (unsigned i = 0; i < ARRAY_SIZE(wakes); i++) {
		for (u32 level = 0; level <= TOP; level++) {
			begin(0);
			sink(0, level);
			use_up(MS);
			now = wakes[i] - 1;
			block();
			now = wakes[i];
			enqueue(0, ENQUEUE_WAKE);
			pick();
			expect_top(0, "one that was blocked");
			use_up(allotment_at(TOP));
			give_way(ENQUEUE_EXPIRED);
			expect_slice(allotment_at(TOP - 1), "P9.8", "boosted, it sinks again");
		}
	}
	/* The clock wraps meanwhile: a boost, or as much is paid back as was used. */
	begin(-(6 * MS));
	wake(0);
	use_up(4 * MS);
	block();
	now += 4 * MS;
	wake(0);
	expect_slice(allotment_at(TOP), "P9.7", "it was blocked while the clock wrapped");
}

/* No boost, no gift: whatever happens before the time is over. */
KTEST_EARLY(boost_not_early, "boost.not_early", "09.5", "P9.8")
{
	begin(BOOST * 3);
	sink(0, 1);
	use_up(MS);
	now = 4 * BOOST - 1;
	p->timer(&q, now);
	give_way(ENQUEUE_PREEMPTED);
	expect_slice(allotment_at(1) - MS, "P9.8", "1 ns before a boost");
	now = 4 * BOOST;
	give_way(ENQUEUE_PREEMPTED);
	expect_top(0, "one that is preempted at that moment");
}

/* All CPUs boost at the same times, whenever they look: at multiples of boost=. */
KTEST_EARLY(boost_times, "boost.times", "09.5", "P9.8")
{
	begin(0);
	wake(0);
	now = 2 * BOOST + BOOST / 3;	/* nothing looked for more than two boosts */
	p->timer(&q, now);
	CHECK(q.timer_set && q.timer_at == 3 * BOOST, "P9.8",
	      "looked at after 2.3 boosts, the next boost comes at %lu ms", q.timer_at / MS);
	give_way(ENQUEUE_PREEMPTED);
	use_up(allotment_at(TOP));
	give_way(ENQUEUE_EXPIRED);
	expect_slice(allotment_at(TOP - 1), "P9.8", "between two boosts it sinks");
	now = 3 * BOOST - 1;
	give_way(ENQUEUE_PREEMPTED);
	expect_slice(allotment_at(TOP - 1), "P9.8", "1 ns before the third boost");
	now = 3 * BOOST;
	give_way(ENQUEUE_PREEMPTED);
	expect_top(0, "at the third boost");
}

/* An entity that comes from another CPU's queue, which has seen the boost or has not. */
KTEST_EARLY(boost_moved, "boost.moved", "09.5", "P9.8")
{
	static struct policy_queue other;

	begin(0);
	policy_queue_init(&other, 1);
	sink(0, 0);
	set_aside(0);
	now = BOOST + MS;
	p->enqueue(&other, &e[0], ENQUEUE_MIGRATED, now);
	p->dequeue(&other, &e[0]);
	enqueue(0, ENQUEUE_MIGRATED);
	pick();
	expect_top(0, "one that came over another queue");
	use_up(allotment_at(TOP));
	set_aside(0);
	p->enqueue(&other, &e[0], ENQUEUE_MIGRATED, now);
	p->dequeue(&other, &e[0]);
	enqueue(0, ENQUEUE_MIGRATED);
	pick();
	expect_slice(allotment_at(TOP - 1), "P9.8", "sunk, it came over the other queue again");
}

/*
 * --- A model -------------------------------------------------------------------------------------
 *
 * One line in the order in which the entities would run, with levels and used time kept plainly.
 */
static struct {
	unsigned line[ENTITIES], nr;	/* those that wait, the next one first */
	u32 level[ENTITIES];
	u64 used[ENTITIES], since[ENTITIES], seen[ENTITIES];
	const char *event[ENTITIES];	/* the last that changed its place */
	u64 at[ENTITIES];		/* when it was */
	u64 random;
} m;

static u64 below(u64 n)
{
	m.random = m.random * 6364136223846793005UL + 1442695040888963407UL;
	return (m.random >> 33) % n;
}

struct story { char text[72]; };

/* If @told: says where entity @i stands and how it came there; -1: none. */
static struct story story(bool told, int i)
{
	struct story s = { "none" };

	if (told && i >= 0)
		snprintf(s.text, sizeof(s.text), "entity %d (level %u: %s %lu us ago)", i,
			 m.level[i], m.event[i], (now - m.at[i]) / 1000);
	return s;
}

static void note(unsigned i, const char *event)
{
	m.event[i] = event;
	m.at[i] = now;
}

/* Applies a boost that @i has not seen. Returns whether there is one. */
static bool model_boost(unsigned i)
{
	if (m.seen[i] == now / BOOST + 1)
		return false;
	note(i, "was boosted");
	m.seen[i] = now / BOOST + 1;
	m.level[i] = TOP;
	m.used[i] = 0;
	return true;
}

static void line_up(unsigned i, bool front)
{
	unsigned at = 0;

	while (at < m.nr && m.level[m.line[at]] + !front > m.level[i])
		at++;
	for (unsigned j = m.nr++; j > at; j--)
		m.line[j] = m.line[j - 1];
	m.line[at] = i;
}

static void step_out(unsigned at)
{
	for (m.nr--; at < m.nr; at++)
		m.line[at] = m.line[at + 1];
}

static void both_pick(unsigned step)
{
	int want = m.nr ? (int)m.line[0] : -1;
	bool wrong;

	if (want >= 0)
		step_out(0);
	q.current = NULL;
	pick();
	wrong = running() != want;
	REQUIRE(!wrong, "P9.5", "step %u: %s is picked, not %s", step,
		story(wrong, running()).text, story(wrong, want).text);
	if (want < 0)
		return;
	wrong = slice() != allotment_at(m.level[want]) - m.used[want];
	CHECK(!wrong, "P9.6", "step %u: %s has used %lu of %lu us, its slice is %lu us", step,
	      story(wrong, want).text, m.used[want] / 1000, allotment_at(m.level[want]) / 1000,
	      slice() / 1000);
}

static void both_put(unsigned step, unsigned i, enum enqueue_why why)
{
	bool above, taken;

	note(i, event_name(why));
	model_boost(i);
	if (why == ENQUEUE_WAKE)
		m.used[i] -= MIN(m.used[i], now - m.since[i]);
	line_up(i, why == ENQUEUE_PREEMPTED);
	above = q.current && m.level[i] > m.level[running()];
	taken = enqueue(i, why);
	CHECK(taken == above, "P9.5", "step %u: level %u runs, one of level %u %s: it %s the CPU",
	      step, q.current ? m.level[running()] : 0, m.level[i], m.event[i],
	      taken ? "takes" : "does not take");
}

static void both_charge(unsigned step, u64 ns)
{
	unsigned i = (unsigned)running();
	u64 rest = q.current->slice_left;
	bool boosted, sinks, given;

	q.current->slice_left -= MIN(ns, rest);
	m.used[i] += ns;
	boosted = model_boost(i);
	sinks = !boosted && m.used[i] >= allotment_at(m.level[i]);
	if (sinks) {
		m.used[i] = 0;
		m.level[i] -= m.level[i] > 0;
	}
	given = p->charge(&q, q.current, ns, now);
	CHECK(given == boosted || sinks, "P9.8",
	      "step %u: %s boost came, and the one that runs at level %u %s", step,
	      boosted ? "a" : "no", m.level[i], given ? "gives way" : "goes on");
}

/* Lets time pass. Those that wait at a boost are at the top from then on. */
static void both_wait(unsigned step, u64 ns)
{
	now += ns;
	for (unsigned j = 0; j < m.nr; j++)
		model_boost(m.line[j]);
	if (q.current)
		both_charge(step, ns);
}

static void both_give_way(unsigned step, enum enqueue_why why)
{
	unsigned i = (unsigned)running();

	q.current = NULL;
	if (why == ENQUEUE_WAKE) {		/* it blocks */
		p->leave(&q, &e[i], now);
		m.since[i] = now;
	} else {
		both_put(step, i, why);
	}
	both_pick(step);
}

static void both_wake(unsigned step)
{
	for (unsigned i = (unsigned)below(ENTITIES), n = 0; n < ENTITIES; n++, i++) {
		i %= ENTITIES;
		if (running() != (int)i && !entity_queued(&e[i])) {
			both_put(step, i, ENQUEUE_WAKE);
			return;
		}
	}
}

static void both_move(unsigned step)
{
	unsigned at, i;

	if (!m.nr)
		return;
	at = (unsigned)below(m.nr);
	i = m.line[at];
	p->dequeue(&q, &e[i]);
	step_out(at);
	both_put(step, i, ENQUEUE_MIGRATED);
}

static void both_step(unsigned step)
{
	static const enum enqueue_why ways[] = {
		ENQUEUE_PREEMPTED, ENQUEUE_YIELD, ENQUEUE_EXPIRED, ENQUEUE_WAKE,
	};
	u64 what = below(8);

	both_wait(step, below(2) ? below(12 * MS) : 0);
	if (what < ARRAY_SIZE(ways) && q.current)
		both_give_way(step, ways[what]);
	else if (what == 4)
		both_move(step);
	else if (what == 5)
		p->timer(&q, now);
	else if (q.current)
		both_wake(step);
	else
		both_pick(step);
}

KTEST_EARLY(boost_model, "boost.model", "09.5", "P9.8")
{
	for (unsigned n = 0; n < 10; n++) {
		begin(0);
		m.random = n;
		m.nr = 0;
		for (unsigned i = 0; i < ENTITIES; i++) {
			m.seen[i] = 0;
			m.since[i] = 0;
			m.used[i] = 0;
		}
		for (unsigned i = 0; i < 4; i++)
			both_put(0, i, ENQUEUE_WAKE);
		for (unsigned step = 0; step < 1000; step++)
			both_step(step);
	}
}
