/*
 * Lab 09, hidden: threads with and without reservations that run, overrun, block, wake, yield, are
 * stopped and inherit ranks in any order, and timers that come late, against a model of deadlines
 * and budgets. A debt is always less than a period's budget: what is done with a larger one is left
 * to the policy.
 */
#include "edf.h"

#include "test/instrument.h"

#define RESERVED	6u		/* the others have no reservation */
#define ROUNDS		40
#define STEPS		400
#define GRAIN		(MS / 2)	/* all times of a coarse round are multiples of it */

enum place { BLOCKED, READY, ASIDE, RUNS };

static struct {
	enum place is;
	u64 deadline, came;		/* came: to the queue, or back to it */
	bool came_anew;			/* or not: a period began as it was preempted */
	s64 budget;
} model[ENTITIES];

static bool coarse;			/* many deadlines are equal */

static u64 below(u64 n)
{
	return test_random() % n;
}

/* Returns a time below @ns. */
static u64 time_below(u64 ns)
{
	return coarse ? below((ns + GRAIN - 1) / GRAIN) * GRAIN : below(ns);
}

static bool is_promised(unsigned i)
{
	return i < RESERVED;
}

/* --- The model -------------------------------------------------------------------------------- */

/* Whether a more urgent one waits for it. */
static bool is_needed(unsigned i)
{
	return e[i].inherited.level && time_before(e[i].inherited.key, model[i].deadline);
}

/* The time that says how urgent it is. */
static u64 key(unsigned i)
{
	return is_needed(i) ? e[i].inherited.key : model[i].deadline;
}

static void period_begins(unsigned i)
{
	model[i].deadline = now + e[i].params.deadline;
	model[i].budget = (s64)e[i].params.runtime;
}

static u64 end_of_period(unsigned i)
{
	return model[i].deadline - e[i].params.deadline + e[i].params.period;
}

/* Its next period has begun, unless that one's deadline is over. At that moment either is right. */
static void next_period(unsigned i)
{
	model[i].deadline += e[i].params.period;
	model[i].budget += (s64)e[i].params.runtime;
	if (time_before(model[i].deadline, now) ||
	    (model[i].deadline == now && e[i].base.key != now))
		period_begins(i);
}

/* It slept: it may use the budget that is left until the deadline, or a period begins. */
static void woke(unsigned i)
{
	u64 left = model[i].deadline - now;

	if (!time_before(now, model[i].deadline) ||
	    (model[i].budget > 0 &&
	     (u64)model[i].budget * e[i].params.deadline > left * e[i].params.runtime))
		period_begins(i);
}

/* It has come to the queue: now, or before if it was @preempted. */
static void queued(unsigned i, bool preempted)
{
	if (!preempted || model[i].is == ASIDE) {
		model[i].came = now;
		model[i].came_anew = false;
	}
	model[i].is = READY;
	if (!is_promised(i) || model[i].budget > 0)
		return;
	if (!time_before(now, end_of_period(i))) {
		next_period(i);
		model[i].came_anew = preempted;
	} else if (!is_needed(i)) {
		model[i].is = ASIDE;
	}
}

/* Those whose period is over come back. */
static void timer_came(void)
{
	for (unsigned i = 0; i < RESERVED; i++)
		if (model[i].is == ASIDE && !time_before(now, end_of_period(i)))
			queued(i, false);
}

/* Whether @i is to run before @k. Of those that came at one time either may. */
static bool is_before(unsigned i, unsigned k)
{
	if (is_promised(i) != is_promised(k))
		return is_promised(i);
	if (!is_promised(i))
		return false;
	if (key(i) != key(k))
		return time_before(key(i), key(k));
	return time_before(model[i].came, model[k].came) && !model[i].came_anew &&
	       !model[k].came_anew;
}

/* The one that has the CPU is the one that should. */
static void compare_running(const char *when)
{
	int i = running();

	REQUIRE(i < 0 || model[i].is == READY, "P9.11", "%s: %d runs, which has no budget", when,
		i);
	for (unsigned k = 0; k < ENTITIES; k++)
		REQUIRE(model[k].is != READY || (i >= 0 && !is_before(k, (unsigned)i)), "P9.9",
			"%s: %u waits, with a deadline in %ld us, and %d runs, with one in %ld us",
			when, k, (s64)(key(k) - now) / 1000, i,
			i < 0 ? 0 : (s64)(key((unsigned)i) - now) / 1000);
	if (i >= 0)
		model[i].is = RUNS;
}

/* @i waits for the end of its period. */
static void compare_aside(unsigned i, const char *when)
{
	REQUIRE(e[i].budget <= 0, "P9.11", "%s: %u waits for its next period with a budget of %ld",
		when, i, e[i].budget);
	REQUIRE(q.timer_set && !time_before(end_of_period(i), q.timer_at), "P9.11",
		"%s: %u waits for its next period, and no timer is set for that", when, i);
}

static void compare_all(const char *when)
{
	unsigned nr = 0;

	compare_running(when);
	for (unsigned i = 0; i < ENTITIES; i++) {
		nr += model[i].is == READY;
		if (model[i].is == ASIDE)
			compare_aside(i, when);
		if (!is_promised(i) || model[i].is == BLOCKED || model[i].is == ASIDE)
			continue;
		REQUIRE(e[i].base.key == model[i].deadline, "P9.10",
			"%s: the deadline of %u is in %ld ns, and should be in %ld", when, i,
			(s64)(e[i].base.key - now), (s64)(model[i].deadline - now));
		REQUIRE(e[i].budget == model[i].budget, "P9.11",
			"%s: the budget of %u is %ld ns, and should be %ld", when, i, e[i].budget,
			model[i].budget);
	}
	REQUIRE(q.nr == nr, "P9.9", "%s: %u could run, and the queue counts %u", when, nr, q.nr);
}

/* --- Steps ------------------------------------------------------------------------------------ */

/* The one that runs gives way, which is @why. */
static void gives_way(enum enqueue_why why)
{
	int i = running();

	if (i >= 0 && why == ENQUEUE_YIELD)
		model[i].budget = MIN(model[i].budget, 0);
	if (i >= 0) {
		model[i].is = READY;
		give_way(why);
		queued((unsigned)i, why == ENQUEUE_PREEMPTED);
		return;
	}
	give_way(why);
}

/* As the mechanism does it, with the one that runs READY in the model until it is compared. */
static void wake_one(void)
{
	unsigned i = (unsigned)below(ENTITIES);
	bool look;

	if (model[i].is != BLOCKED)
		return;
	look = enqueue(i, ENQUEUE_WAKE);
	if (is_promised(i))
		woke(i);
	queued(i, false);
	if (look || !q.current)
		gives_way(ENQUEUE_PREEMPTED);
	else
		model[running()].is = READY;
	compare_all("one woke");
}

static void block_one(void)
{
	if (!q.current)
		return;
	model[running()].is = BLOCKED;
	block();
	compare_all("one blocked");
}

/* One that waits, for the CPU or for its period, is stopped: blocked, without being current. */
static void stop_one(void)
{
	unsigned i = (unsigned)below(RESERVED);

	if (model[i].is != READY && model[i].is != ASIDE)
		return;
	p->dequeue(&q, &e[i]);
	if (p->leave)
		p->leave(&q, &e[i], now);
	model[i].is = BLOCKED;
	if (q.current)
		model[running()].is = READY;
	compare_all("one that waits was stopped");
}

static void yield_one(void)
{
	if (!q.current)
		return;
	gives_way(ENQUEUE_YIELD);
	compare_all("one yielded");
}

/* Another thread waits for it from now on, more or less urgent, or none any more. */
static void inherit(unsigned i)
{
	struct sched_rank rank = { 0 };

	if (below(3))
		rank = (struct sched_rank){ .level = LEVEL_KEYED,
					    .key = now - 5 * MS + time_below(25 * MS) };
	policy_inherit(&e[i], rank);
}

/*
 * One that waits, for the CPU or for its period, is queued anew, and perhaps it inherits: that
 * changes none of its times.
 */
static void change_one(void)
{
	unsigned i = (unsigned)below(RESERVED);

	if (model[i].is != READY && model[i].is != ASIDE)
		return;
	p->dequeue(&q, &e[i]);
	if (below(2))
		inherit(i);
	queued(i, false);
	if (enqueue(i, ENQUEUE_CHANGED) || !q.current)
		gives_way(ENQUEUE_PREEMPTED);
	else
		model[running()].is = READY;
	model[i].came = now;
	compare_all("one was changed");
}

/* The same for one that runs or is blocked. */
static void lend_one(void)
{
	unsigned i = (unsigned)below(RESERVED);

	if (model[i].is == BLOCKED) {
		inherit(i);
	} else if (model[i].is == RUNS) {
		inherit(i);
		gives_way(ENQUEUE_EXPIRED);
		compare_all("one that ran inherits another rank");
	}
}

/* How long the CPU goes on: to the timer, or beyond it; to the end of a budget, or beyond it. */
static u64 how_long(void)
{
	u64 ns = (coarse ? GRAIN : 1) + time_below(3 * MS);
	u64 late = below(6) ? 0 : time_below(2 * MS);
	int i = running();

	if (q.timer_set && time_before(q.timer_at, now + ns))
		ns = (time_before(q.timer_at, now) ? 0 : q.timer_at - now) + late;
	if (i >= 0 && is_promised((unsigned)i)) {
		s64 budget = model[i].budget;
		u64 over = below(4) && budget > 0 ? 0 : time_below(e[i].params.runtime);

		ns = MIN(ns, (u64)MAX(budget + (s64)over, 0));
	}
	return ns;
}

/* One that is needed has run on without budget to the end of its period, or beyond. */
static bool ran_over(int i)
{
	return i >= 0 && is_promised((unsigned)i) && model[i].budget <= 0 &&
	       !time_before(now, end_of_period((unsigned)i));
}

/* Time passes; then the mechanism does what the policy asks for. */
static void go_on(void)
{
	u64 ns = how_long();
	int i = running();
	bool spent = false, look = false;

	if (i >= 0) {
		bool may_go_on = !is_promised((unsigned)i) || is_needed((unsigned)i);

		spent = use_up(ns);
		model[i].budget -= is_promised((unsigned)i) ? (s64)ns : 0;
		REQUIRE(spent == (!may_go_on && model[i].budget <= 0), "P9.11",
			"%d has a budget of %ld ns left, and %s give way", i, model[i].budget,
			spent ? "must" : "need not");
	} else {
		now += ns;
	}
	if (q.timer_set && !time_before(now, q.timer_at)) {
		look = p->timer(&q, now);
		timer_came();
	}
	if (spent || look || !q.current || ran_over(i))
		gives_way(spent ? ENQUEUE_EXPIRED : ENQUEUE_PREEMPTED);
	else
		model[running()].is = READY;
	compare_all(spent ? "a budget was spent" : "time passed");
}

/* In a crowded round they seldom sleep, so more is wanted than there is, and many are late. */
static void take_a_step(bool crowded)
{
	switch (below(crowded ? 32 : 10)) {
	case 0:
	case 1:
		wake_one();
		break;
	case 2:
		block_one();
		break;
	case 3:
		yield_one();
		break;
	case 4:
		change_one();
		break;
	case 5:
		stop_one();
		break;
	case 6:
		lend_one();
		break;
	default:
		if (crowded)
			wake_one();
		go_on();
	}
}

static struct sched_params some_promise(void)
{
	u64 period = MS / 2 + below(40 * MS);
	u64 deadline = below(2) ? period : period / 4 + below(period / 2);

	if (!coarse)
		return promised(2000 + below(deadline / 2), deadline, period);
	period = (2 + below(3)) * 4 * GRAIN;
	return promised((1 + below(3)) * GRAIN, below(2) ? period : period / 2, period);
}

/* The clock wraps to 0 in the middle of every second round. */
static void begin_round(unsigned nr)
{
	coarse = nr / 4 % 2;
	begin(nr % 2 ? -time_below(200 * MS) : time_below(1000 * MS));
	for (unsigned i = 0; i < ENTITIES; i++) {
		model[i].is = BLOCKED;
		model[i].came_anew = false;
		if (!is_promised(i))
			continue;
		set(i, some_promise());
		period_begins(i);
	}
}

KTEST_EARLY(edf_model, "edf.model", "09.h", "P9.11")
{
	for (unsigned nr = 0; nr < ROUNDS; nr++) {
		begin_round(nr);
		for (unsigned i = 0; i < STEPS; i++)
			take_a_step(nr / 2 % 2);
	}
}
