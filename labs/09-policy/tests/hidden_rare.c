/*
 * Lab 09, hidden: what happens rarely. Very many rounds, priorities that change in the middle of an
 * allotment, what is inherited meanwhile, moves, and debts of reservations with early deadlines.
 */
#include "sched/policy/test_drive.h"
#include "test/ktest.h"

static void begin(const struct sched_policy *which, u64 start)
{
	use(which, start);
	for (unsigned i = 0; i < ENTITIES; i++)
		set(i, normal);
}

static void queue_at(unsigned i, u32 level)
{
	set(i, params_of_level(level));
	enqueue(i, ENQUEUE_WAKE);
}

static void expect_next(int want, const char *property, const char *when)
{
	q.current = NULL;
	pick();
	REQUIRE(running() == want, property, "%s: entity %d is picked, not %d", when, running(),
		want);
}

/* Runs for exactly @ns, if the one that runs may do so. Returns whether it must give way. */
static bool use_up(u64 ns)
{
	q.current->slice_left -= MIN(ns, q.current->slice_left);
	now += ns;
	return p->charge(&q, q.current, ns, now);
}

/* --- Priorities and aging --------------------------------------------------------------------- */

static void rounds(unsigned n)
{
	while (n--) {
		now = q.timer_at;
		p->timer(&q, now);
	}
}

/* More rounds than 16 bits count. */
static void wait_for_very_long(void)
{
	begin(&sched_prio, 0);
	queue_at(2, 15);
	expect_next(2, "P9.3", "one of level 15 waits alone");
	queue_at(0, 0);
	rounds(65537);
	queue_at(1, 5);
	expect_next(0, "P9.3", "65,537 rounds, and then one of level 5 came");
	expect_next(1, "P9.1", "the other one has been picked");
	expect_next(-1, "P9.1", "both have been picked");
}

/* One that runs and may not stay on its CPU leaves the queue there, and comes to another. */
static void move_while_it_runs(void)
{
	begin(&sched_prio, 0);
	queue_at(0, 4);
	rounds(4);
	expect_next(0, "P9.3", "it waits alone");
	if (p->leave)
		p->leave(&q, &e[0], now);
	q.current = NULL;
	enqueue(0, ENQUEUE_MIGRATED);
	queue_at(1, 6);
	expect_next(0, "P9.4", "level 4 rose to 7, ran and was moved, and one of level 6 came");
}

/* One that often wakes does not put the rounds off. */
static void wake_between_rounds(void)
{
	begin(&sched_prio, 0);
	set(0, params_of_level(12));
	set(1, params_of_level(4));
	set(2, params_of_level(13));
	wake(0);
	wake(1);
	for (unsigned i = 0; i < 100; i++) {
		wake(2);
		run(MS);
		if (running() == 2)
			block();
		run(9 * MS);
	}
	CHECK(got[1], "P9.4", "others of higher levels wake and compute: level 4 waits for 1 s");
}

/* Levels that it gains are added to those that count, not to its own ones alone. */
static void inherit_while_it_waits(void)
{
	begin(&sched_prio, 0);
	e[0].inherited = (struct sched_rank){ .level = 4 };
	queue_at(0, 2);
	rounds(4);
	expect_next(0, "P9.3", "it waits alone");
	set(2, params_of_level(8));
	CHECK(enqueue(2, ENQUEUE_WAKE), "P9.2",
	      "level 2, which inherited 4, gained 3 levels: one of level 8 must take the CPU");
}

KTEST_EARLY(prio_rare, "prio.rare", "09.h", "P9.4")
{
	wait_for_very_long();
	move_while_it_runs();
	wake_between_rounds();
	inherit_while_it_waits();
}

/* --- Multi-level feedback --------------------------------------------------------------------- */

#define BOOST	NSEC_PER_SEC

static u64 slice(void)
{
	return q.current->slice_left ? q.current->slice_left : p->slice(&q, q.current);
}

static void expect_slice(u64 want, const char *property, const char *when)
{
	CHECK(slice() == want, property, "%s: its slice is %lu us, not %lu us", when,
	      slice() / 1000, want / 1000);
}

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
	u64 quantum;

	begin(&sched_mlfq, 0);
	wake(0);
	quantum = quantum_of(&e[0]);
	use_up(quantum / 4);
	give_way(ENQUEUE_EXPIRED);
	use_up(quantum / 2);
	give_way(ENQUEUE_EXPIRED);		/* a whole quantum is its allotment now */
	e[0].inherited.level = 4;
	use_up(quantum / 4 + MS);
	e[0].inherited.level = 0;
	q.current->slice_left = 0;
	expect_slice(quantum - quantum / 4 - MS, "P9.6", "two levels down, it inherited the top");
}

static void renice_in_the_middle(void)
{
	u64 used, whole;

	begin(&sched_mlfq, 0);
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

	begin(&sched_mlfq, 0);
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
	begin(&sched_mlfq, 0ul - BOOST / 2);
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

/* --- Earliest deadline first ------------------------------------------------------------------ */

static struct sched_params promised(u64 runtime, u64 deadline, u64 period)
{
	return (struct sched_params){ .class = SCHED_DEADLINE, .runtime = runtime,
				      .deadline = deadline, .period = period };
}

static void await_budget(void)
{
	while (!q.nr && q.timer_set) {
		now = q.timer_at;
		p->timer(&q, now);
	}
}

/* A debt is paid by whole periods, each with its own deadline. */
static void owe_periods(void)
{
	begin(&sched_edf, 0);
	set(0, promised(2 * MS, 5 * MS, 10 * MS));
	wake(0);
	use_up(5 * MS);
	give_way(ENQUEUE_EXPIRED);
	await_budget();
	CHECK(e[0].budget == (s64)MS && e[0].base.key == 25 * MS, "P9.11",
	      "it overran by 3 ms of 2: its budget is %ld us, its deadline at %lu us",
	      e[0].budget / 1000, e[0].base.key / 1000);
}

/* Alone on its CPU it has its share, not in the first period only. */
static void run_alone(void)
{
	begin(&sched_edf, 0);
	set(0, promised(2 * MS, 5 * MS, 20 * MS));
	wake(0);
	run(199 * MS);
	CHECK(got[0] == 20 * MS, "P9.11", "2 ms of each 20 ms are %lu us in 199 ms",
	      got[0] / 1000);
}

/* A debt of more than 32 bits of nanoseconds. */
static void owe_seconds(void)
{
	u64 period = 4194304 * 1000ul;

	begin(&sched_edf, 0);
	set(0, reserved(2000 * MS, period));
	wake(0);
	e[0].inherited = (struct sched_rank){ .level = LEVEL_KEYED, .key = 5 * MS };
	use_up(7000 * MS);
	e[0].inherited = (struct sched_rank){ .level = 0 };
	give_way(ENQUEUE_EXPIRED);
	await_budget();
	CHECK(e[0].budget == 1000l * (s64)MS && e[0].base.key == 4 * period, "P9.11",
	      "it overran by 5 s of 2: its budget is %ld us, its deadline at %lu us",
	      e[0].budget / 1000, e[0].base.key / 1000);
}

KTEST_EARLY(edf_rare, "edf.rare", "09.h", "P9.11")
{
	owe_periods();
	run_alone();
	owe_seconds();
}
