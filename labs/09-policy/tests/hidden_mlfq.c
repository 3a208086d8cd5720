/*
 * Lab 09, hidden: multi-level feedback on two CPUs with one clock, against a model of levels and
 * allotments. Threads of all priorities wake and move from one CPU to the other, inherit levels,
 * and real-time threads come between; a CPU is charged late, timers come late, and threads run
 * beyond their allotments. One that inherits a level runs for less than the smallest allotment:
 * the contract leaves open which level's it would use up.
 */
#define PICKED	"P9.5"
#define TAKES	"P9.5"

#include "hidden_lanes.h"

#define TOP	4u
#define BOOST	NSEC_PER_SEC	/* boost=, unless given */
#define ROUNDS	20
#define STEPS	1000

static struct {
	u32 own, lent;
	u64 used, blocked_at;
	bool fresh;		/* runs, and has not given way yet since the last boost */
} m[ENTITIES];

static u32 level(unsigned i)
{
	return MAX(m[i].own, m[i].lent);
}

static u64 allotment_at(unsigned i, u32 l)
{
	return quantum_of(&e[i]) / 4 << (TOP - l);
}

static u64 allotment(unsigned i)
{
	return allotment_at(i, m[i].own);
}

static void comes(unsigned i, enum enqueue_why why)
{
	if (why == ENQUEUE_WAKE)
		m[i].used -= MIN(m[i].used, now - m[i].blocked_at);
	m[i].fresh = false;
}

static void goes(unsigned i)
{
	m[i].blocked_at = now;
	m[i].fresh = false;
}

/* Its slice is the rest of its allotment. */
static void is_picked(struct lane *l, unsigned i)
{
	u64 rest = allotment(i) - m[i].used;

	if (!e[i].slice_left)
		e[i].slice_left = p->slice(&l->q, &e[i]);
	CHECK(m[i].lent > m[i].own || e[i].slice_left == rest, "P9.6",
	      "%u is picked, and has used %lu of %lu us at level %u: its slice is %lu us", i,
	      m[i].used / 1000, allotment(i) / 1000, m[i].own, e[i].slice_left / 1000);
}

static bool may_leave(unsigned i)
{
	(void)i;
	return true;
}

/* --- Time ------------------------------------------------------------------------------------- */

static void boost_all(void)
{
	for (unsigned i = 0; i < ENTITIES; i++) {
		m[i].own = TOP;
		m[i].used = 0;
	}
	for (unsigned k = 0; k < LANES; k++)
		if (runs(&lanes[k]) >= 0)
			m[runs(&lanes[k])].fresh = true;
}

/* Returns whether its turn is over, for a boost or as its allotment is used up. */
static bool model_charge(unsigned i, u64 ns)
{
	m[i].used += ns;
	if (m[i].fresh) {
		m[i].used = 0;
		return true;
	}
	if (m[i].used < allotment(i))
		return false;
	m[i].used = 0;
	m[i].own -= m[i].own > 0;
	return true;
}

static bool charge(struct lane *l)
{
	int i = runs(l);
	u64 ns = l->ran;
	bool over, given, fresh;

	l->ran = 0;
	if (i < 0)
		return false;
	fresh = m[i].fresh;
	e[i].slice_left -= MIN(ns, e[i].slice_left);
	over = model_charge((unsigned)i, ns);
	given = p->charge(&l->q, &e[i], ns, now);
	m[i].fresh = false;
	CHECK(!fresh || given, "P9.8", "%d ran at a boost, and goes on", i);
	CHECK(over || !given, "P9.6", "%d has used %lu of %lu us at level %u, and gives way", i,
	      m[i].used / 1000, allotment((unsigned)i) / 1000, m[i].own);
	return over;
}

/* Charges it before it gives the CPU away, or as an interrupt does: then its turn may be over. */
static void interrupt(struct lane *l)
{
	if (charge(l))
		gives_way(l, ENQUEUE_EXPIRED, "a turn is over");
}

/* How long one that inherits may go on. */
static u64 rest_of_lent(unsigned i)
{
	u64 least = allotment_at(i, TOP);

	return m[i].used < least ? least - m[i].used : 0;
}

static void pass(u64 ns)
{
	u64 boosts = now / BOOST;

	now += ns;
	for (unsigned k = 0; k < LANES; k++)
		lanes[k].ran += ns;
	if (now / BOOST != boosts)
		boost_all();
}

/* A time that may be that of the next boost, or the last moment before it. */
static u64 how_long(void)
{
	u64 ns = 1 + below(4) * below(8 * MS), to_boost = BOOST - now % BOOST;

	if (!below(60))
		ns = below(2 * BOOST);
	if (!below(20) || (ns > to_boost && below(2)))
		ns = to_boost - below(2);
	for (unsigned k = 0; k < LANES; k++) {
		int i = runs(&lanes[k]);

		if (i >= 0 && m[i].lent)
			ns = MIN(ns, rest_of_lent((unsigned)i) - lanes[k].ran - 1);
	}
	return ns;
}

/* One that inherits, and has used almost all that it may use meanwhile, blocks. */
static void stop_lent(struct lane *l)
{
	int i = runs(l);

	if (i < 0 || !m[i].lent || rest_of_lent((unsigned)i) > l->ran + MS / 10)
		return;
	charge(l);
	blocks(l, "one that inherits blocks");
}

/* Those that run are charged, or not yet; a boost's timer may be late. */
static void time_passes(void)
{
	for (unsigned k = 0; k < LANES; k++)
		stop_lent(&lanes[k]);
	pass(how_long());
	for (unsigned k = 0; k < LANES; k++) {
		struct lane *l = &lanes[k];
		int i = runs(l);

		if (l->q.timer_set && !time_before(now, l->q.timer_at) && below(4))
			p->timer(&l->q, now);
		if (below(2) || (i >= 0 && m[i].used + l->ran >= allotment((unsigned)i)))
			interrupt(l);
	}
}

static void compare_timers(void)
{
	u64 next = now - now % BOOST + BOOST;

	for (unsigned k = 0; k < LANES; k++) {
		struct policy_queue *lq = &lanes[k].q;

		REQUIRE((!lanes[k].nr && runs(&lanes[k]) < 0) ||
				(lq->timer_set && !time_before(next, lq->timer_at)),
			"P9.8", "on CPU %u there are threads, and no boost is to come at %lu ms", k,
			next / MS);
	}
}

/* --- Steps ------------------------------------------------------------------------------------ */

static void give_the_cpu_away(struct lane *l)
{
	bool over;

	if (runs(l) < 0)
		return;
	over = charge(l);
	switch (below(4)) {
	case 0:
		gives_way(l, ENQUEUE_YIELD, "one yields");
		break;
	case 1:
		gives_way(l, over ? ENQUEUE_EXPIRED : ENQUEUE_PREEMPTED, "one is preempted");
		break;
	default:
		blocks(l, "one blocks");
	}
}

static void inherit(unsigned i)
{
	m[i].lent = below(3) && rest_of_lent(i) > MS ? (u32)below(TOP + 1) : 0;
	policy_inherit(&e[i], (struct sched_rank){ .level = m[i].lent });
	e[i].slice_left = 0;
}

/* One inherits another level, or none any more. */
static void lend_one(struct lane *l)
{
	unsigned i = (unsigned)below(ENTITIES);

	if (runs(l) >= 0 && below(2)) {
		i = (unsigned)runs(l);
		charge(l);
		inherit(i);
		gives_way(l, ENQUEUE_EXPIRED, "the one that runs inherits another level");
	} else if (is_blocked(i)) {
		inherit(i);
	} else if (l->nr) {
		i = taken_out(l, (unsigned)below(l->nr));
		inherit(i);
		arrives(l, i, ENQUEUE_CHANGED, "one that waits inherits another level");
	}
}

static void begin_one(unsigned i)
{
	static const int nice[] = { NICE_HIGHEST, -10, 0, 0, 10, NICE_LOWEST };

	m[i].lent = 0;
	m[i].own = TOP;
	m[i].used = 0;
	m[i].fresh = false;
	is_new(i, (struct sched_params){ .class = SCHED_OTHER,
					 .nice = nice[below(ARRAY_SIZE(nice))] });
}

/* One that waits is suspended, or it ends, and a new one takes its place in the test. */
static void remove_one(struct lane *l)
{
	unsigned i;

	if (!l->nr)
		return;
	i = taken_out(l, (unsigned)below(l->nr));
	p->leave(&l->q, &e[i], now);
	goes(i);
	if (below(2))
		return;
	begin_one(i);
	m[i].blocked_at = now;
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
		lend_one(l);
		break;
	case 9:
		interrupt(l);
		urgent_comes_or_goes(l);
		break;
	case 10:
		below(3) ? compare_found(l) : remove_one(l);
		break;
	default:
		time_passes();
	}
	compare_lanes("one step on");
	compare_timers();
}

KTEST_EARLY(mlfq_model, "mlfq.model", "09.h", "P9.6")
{
	for (unsigned nr = 0; nr < ROUNDS; nr++) {
		begin_lanes(&sched_mlfq);
		for (unsigned i = 0; i < ENTITIES; i++) {
			begin_one(i);
			m[i].blocked_at = now;
		}
		for (unsigned i = 0; i < STEPS; i++)
			take_a_step();
	}
}
