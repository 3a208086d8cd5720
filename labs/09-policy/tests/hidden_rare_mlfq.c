/*
 * Lab 09, hidden: nice values, inherited levels and moves in the middle of an allotment, and boosts
 * behind the clock's wrap.
 */
#include "mlfq.h"

enum state { RUNS, WAITS, BLOCKED, STATES };

static const char *const state_names[STATES] = {
	[RUNS] = "ran", [WAITS] = "waited", [BLOCKED] = "was blocked",
};

/* Entity 0 has the CPU. Brings it to @state. */
static void bring_to(enum state state)
{
	if (state == BLOCKED)
		block();
	if (state != WAITS)
		return;
	q.current = NULL;
	enqueue(0, ENQUEUE_PREEMPTED);
}

/* And back, from a call that gave it new parameters if @changed. */
static void bring_back(enum state state, bool changed)
{
	if (state == BLOCKED)
		wake(0);
	else if (state == RUNS && changed)
		give_way(ENQUEUE_EXPIRED);
	else if (state == WAITS)
		pick();
}

/* Gives entity 0, which runs, another nice value in @state, as setpriority() does. */
static void renice(enum state state, int nice)
{
	bring_to(state);
	if (state == WAITS)
		p->dequeue(&q, &e[0]);
	set(0, (struct sched_params){ .class = SCHED_OTHER, .nice = nice });
	e[0].slice_left = 0;
	if (state == WAITS)
		enqueue(0, ENQUEUE_CHANGED);
	bring_back(state, true);
}

/* An allotment is that of its own level, also while it inherits a higher one. */
static void sink_while_it_inherits(void)
{
	u64 used;

	begin(0);
	sink(0, TOP - 2);
	used = allotment_at(TOP) + MS;
	e[0].inherited.level = TOP;
	use_up(used);
	e[0].inherited.level = 0;
	q.current->slice_left = 0;
	expect_slice(allotment_at(TOP - 2) - used, "P9.6", "two levels down, it inherited the top");
}

static void renice_in_the_middle(void)
{
	u64 used, whole;

	begin(0);
	wake(0);
	whole = slice();
	used = whole - MS;
	use_up(used);
	renice(WAITS, 19);
	renice(WAITS, 0);
	expect_slice(MS, "P9.7", "nice to others for a moment, it was paid back");
	renice(WAITS, 19);
	use_up(1000);
	give_way(ENQUEUE_EXPIRED);
	renice(WAITS, 0);
	expect_slice(2 * whole, "P9.6", "it had used more than the smaller allotment, and ran on");
}

/* A new nice value changes neither the level nor what was used there, also if it is the old one. */
static void renice_at(enum state state, u32 level, int nice)
{
	begin(0);
	sink(0, level);
	use_up(MS);
	renice(state, nice);
	CHECK(slice() == allotment_at(level) - MS, "P9.6",
	      "it had used 1 ms at level %u, %s and is at nice %d now: its slice is %lu us",
	      level, state_names[state], nice, slice() / 1000);
}

static void renice_everywhere(void)
{
	static const int values[] = { NICE_HIGHEST, 0, NICE_LOWEST };

	for (enum state state = 0; state < STATES; state++)
		for (u32 level = 0; level <= TOP; level++)
			for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
				renice_at(state, level, values[i]);
}

/* It leaves one CPU and comes to another: the time between is not a sleep. */
static void move_feedback(void)
{
	u64 whole;

	begin(0);
	wake(0);
	whole = slice();
	use_up(3 * MS);
	p->leave(&q, &e[0], now);
	q.current = NULL;
	now += MS;
	e[0].slice_left = 0;
	enqueue(0, ENQUEUE_MIGRATED);
	pick();
	expect_slice(whole - 3 * MS, "P9.7", "it ran for 3 ms, and was moved 1 ms later");
}

/* The clock's wrap is no multiple, and the multiples behind it are counted from 0. */
static void boost_behind_wrap(void)
{
	begin(0ul - BOOST * 5 / 2);
	wake(0);
	for (unsigned i = 0; i < 6 && !time_before(0, now); i++) {
		now = q.timer_at;
		p->timer(&q, now);
	}
	CHECK(q.timer_at % BOOST == 0, "P9.8", "the clock began anew: the next boost is at %lu us",
	      q.timer_at / 1000);
}

/* It has sunk to the lowest level before the wrap; some boosts lie between that and @at. */
static void boost_over_wrap(enum state state, u64 start, u64 at)
{
	begin(start);
	sink(0, 0);
	bring_to(state);
	now = at;
	p->timer(&q, now);
	bring_back(state, false);
	if (state == RUNS) {
		CHECK(p->charge(&q, q.current, MS, now), "P9.8",
		      "it ran from before the clock's wrap to %lu ms behind it, and goes on",
		      now / MS);
		give_way(ENQUEUE_EXPIRED);
	}
	CHECK(slice() == allotment_at(TOP), "P9.8",
	      "it %s from before the clock's wrap to %lu ms behind it: its slice is %lu us",
	      state_names[state], at / MS, slice() / 1000);
	use_up(MS);
	expect_slice(allotment_at(TOP) - MS, "P9.8", "boosted behind the clock's wrap, it ran");
	now = at - at % BOOST + BOOST;
	CHECK(p->charge(&q, q.current, MS, now), "P9.8",
	      "it runs at the boost that is %lu ms behind the clock's wrap, and goes on", now / MS);
}

static void boosts_over_wrap(void)
{
	static const u64 times[] = { BOOST, BOOST * 3 / 2, 4 * BOOST + MS };

	for (enum state state = 0; state < STATES; state++)
		for (unsigned i = 0; i < ARRAY_SIZE(times); i++)
			for (unsigned n = 1; n < 8; n += 2)
				boost_over_wrap(state, 0ul - n * BOOST / 2, times[i]);
}

KTEST_EARLY(mlfq_rare, "mlfq.rare", "09.h", "P9.7")
{
	sink_while_it_inherits();
	renice_in_the_middle();
	renice_everywhere();
	move_feedback();
	boost_behind_wrap();
	boosts_over_wrap();
}
