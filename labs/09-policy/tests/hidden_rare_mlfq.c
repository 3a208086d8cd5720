/*
 * Lab 09, hidden: nice values, inherited levels and moves in the middle of an allotment, and a
 * boost behind the clock's wrap.
 */
#include "mlfq.h"

/* Gives the one that runs another nice value, as a call of setpriority() does. */
static void renice(int nice)
{
	q.current = NULL;
	enqueue(0, ENQUEUE_PREEMPTED);
	p->dequeue(&q, &e[0]);
	e[0].params.nice = nice;
	e[0].slice_left = 0;
	enqueue(0, ENQUEUE_CHANGED);
	pick();
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
	renice(19);
	renice(0);
	expect_slice(MS, "P9.7", "nice to others for a moment, it was paid back");
	renice(19);
	use_up(1000);
	give_way(ENQUEUE_EXPIRED);
	renice(0);
	expect_slice(2 * whole, "P9.6", "it had used more than the smaller allotment, and ran on");
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
	begin(0ul - BOOST / 2);
	wake(0);
	for (unsigned i = 0; i < 3 && !time_before(0, now); i++) {
		now = q.timer_at;
		p->timer(&q, now);
	}
	CHECK(q.timer_at % BOOST == 0, "P9.8", "the clock began anew: the next boost is at %lu us",
	      q.timer_at / 1000);
}

KTEST_EARLY(mlfq_rare, "mlfq.rare", "09.h", "P9.7")
{
	sink_while_it_inherits();
	renice_in_the_middle();
	move_feedback();
	boost_behind_wrap();
}
