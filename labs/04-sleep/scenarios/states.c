/*
 * Lab 04: how a wait ends in every state, what the timer is set for, and deadlines to the
 * nanosecond.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "process/signal_impl.h"
#include "sched/cpu.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor other;

/* Takes the next digit of @number, which has @base values. */
static unsigned digit(unsigned *number, unsigned base)
{
	unsigned d = *number % base;

	*number /= base;
	return d;
}

/* --- How a wait ends -------------------------------------------------------------------------- */

static const struct {
	enum wait_why why;
	int err;
} claims[] = {
	{ WAIT_ARMED, 0 },		/* nobody has claimed the wait when it blocks */
	{ WAIT_EVENT, 0 },		{ WAIT_TIMEOUT, -ETIMEDOUT },
	{ WAIT_KILLED, -EINTR },	{ WAIT_SIGNAL, -EINTR },
	{ WAIT_DESTROYED, -EIDRM },
};
static const u32 works[] = {
	0, WORK_KILL, WORK_SIGNAL, WORK_KILL | WORK_SIGNAL, WORK_SUSPEND,
};
static const u32 wait_flags[] = { 0, WAIT_UNKILLABLE, WAIT_KILL_ONLY };
static const u32 may_break[] = { WORK_KILL | WORK_SIGNAL, 0, WORK_KILL };

enum { NEVER, FAR, DUE, POLL, DEADLINES };

#define DUE_AT	1000

static struct deadline deadline_of(unsigned kind)
{
	switch (kind) {
	case NEVER:
		return DEADLINE_NEVER;
	case POLL:
		return DEADLINE_POLL;
	default:
		return deadline_at(kind == DUE ? DUE_AT : time_now() + BIT(40));
	}
}

static unsigned kind;			/* of the deadline of the wait that goes on */
static bool all_done;

/* Ends each wait that blocks: by its deadline if that is due, else by an event. */
static int end_what_blocks(void)
{
	while (!all_done) {
		irq_off();
		if (kind == DUE)
			sleepq_expire(&cpus[0].sleepq, DUE_AT);
		else
			wait_wake_one(&q, 0);
		irq_on();
		let_others_run();
	}
	return 0;
}

/* Returns what the wait returns: @claim comes before it blocks, and so does @work. */
static int wait_once(enum wait_why claim, u32 work, u32 flags)
{
	struct wait_link link = { .site = NULL };
	struct waiter w;
	int err;

	waiter_init(&w, flags);
	spin_lock(&q.lock);
	err = wait_link(&q, &link, &w);
	expect(!err, "a waiter is refused by a queue: %d", err);
	if (claim != WAIT_ARMED)
		expect(waiter_claim(&w, claim, 0), "a new wait cannot be claimed");
	spin_unlock(&q.lock);
	atomic_fetch_or(&current_thread()->work, work);
	err = waiter_block(&w, deadline_of(kind));
	atomic_fetch_and(&current_thread()->work, ~work);
	spin_lock(&q.lock);
	wait_unlink(&q, &link);
	spin_unlock(&q.lock);
	expect(!cpus[0].sleepq.nr, "a wait returned, and its deadline is armed");
	return err;
}

static void check_end(unsigned claim, unsigned work, unsigned flags)
{
	int err = wait_once(claims[claim].why, works[work], wait_flags[flags]);
	bool breaks = works[work] & may_break[flags];
	int wanted = claims[claim].err;

	if (claim == 0)
		wanted = breaks ? -EINTR : kind == DUE || kind == POLL ? -ETIMEDOUT : 0;
	/* Of two reasons that are there before it blocks either will do. */
	if (claim == 0 && breaks && kind == POLL && err == -ETIMEDOUT)
		return;
	expect(err == wanted,
	       "flags %u, work %x, deadline %s, claimed before as %s: a wait returns %d, not %d",
	       wait_flags[flags], works[work],
	       kind == NEVER ? "none" : kind == FAR ? "far" : kind == DUE ? "due" : "poll",
	       claim ? (const char *[]){ "", "event", "timeout", "killed", "signal",
					 "destroyed" }[claim]
		     : "nothing",
	       err, wanted);
}

SCENARIO(ends, "ends.by_state", "04.5", "P4.10", .cpus = 1, .sets_up = true, .quiet = true,
	 .keeps = true, .no_costume = true)
{
	act_on(0, &other, end_what_blocks);
	for (unsigned i = 0; i < ARRAY_SIZE(claims) * ARRAY_SIZE(works) * ARRAY_SIZE(wait_flags) *
				     DEADLINES; i++) {
		unsigned rest = i, claim = digit(&rest, ARRAY_SIZE(claims));
		unsigned work = digit(&rest, ARRAY_SIZE(works));

		kind = digit(&rest, DEADLINES);
		check_end(claim, work, rest);
	}
	all_done = true;
	explore_from_here();
	end_here();
}

/* --- What the timer is set for ---------------------------------------------------------------- */

static struct waiter armed[2];

static void arm(unsigned i, u64 deadline)
{
	waiter_init(&armed[i], 0);
	sleepq_arm(&armed[i], deadline);
}

/*
 * Not later than the first deadline, nor than what it was set for, which may have passed meanwhile,
 * when interrupts are off.
 */
static void check_timer(u64 set_for, const char *when)
{
	struct cpu *c = &cpus[0];
	u64 first;

	expect(!set_for || !timer_is_late(c, set_for),
	       "%s: the timer was set for %lu, and is set for %lu now", when, set_for,
	       c->timer_armed ? c->timer_at : 0);
	if (sleepq_next(&c->sleepq, &first))
		expect(!timer_is_late(c, first),
		       "%s: a deadline is at %lu, and the timer is set for %lu", when, first,
		       c->timer_armed ? c->timer_at : 0);
}

SCENARIO(timers, "sleepq.timer_by_state", "04.4", "P4.5", .cpus = 1, .sets_up = true,
	 .quiet = true, .keeps = true, .no_costume = true)
{
	/* The timer is set for one of these, of which the first has passed; 0: it is not set. */
	const u64 now = time_now(), base = now + BIT(30);
	const u64 sets[] = { now - 100, 0, base + 300, base + 500, base + 700, base + BIT(33) };
	const u64 firsts[] = { base + 500, base + 400, base + 600 }, then = base + 900;
	struct cpu *c = &cpus[0];

	irq_off();
	for (unsigned i = 0; i < ARRAY_SIZE(sets) * ARRAY_SIZE(firsts) * 2 * 3; i++) {
		unsigned rest = i;
		u64 set = sets[digit(&rest, ARRAY_SIZE(sets))];
		u64 first = firsts[digit(&rest, ARRAY_SIZE(firsts))];
		bool two = digit(&rest, 2);

		c->timer_armed = set;
		c->timer_at = set;
		if (two)
			arm(1, then);
		check_timer(set, "a deadline was armed");
		arm(0, first);
		check_timer(set, "an earlier deadline was armed");
		if (rest == 0)
			sleepq_cancel(&armed[0]);
		else
			sleepq_expire(&c->sleepq, rest == 1 ? first : first - 1);
		check_timer(set, rest ? "deadlines were looked at" : "a deadline was cancelled");
		for (unsigned k = 0; k < ARRAY_SIZE(armed); k++)
			if (armed[k].sq)
				sleepq_cancel(&armed[k]);
		check_timer(set, "all were cancelled");
	}
	irq_on();
	explore_from_here();
	end_here();
}

/* --- To the nanosecond ------------------------------------------------------------------------ */

static u64 sleeps_until;
static bool is_to_stop;			/* the thread that sleeps next, when it has slept */

static int sleep_until(void)
{
	int err;

	if (is_to_stop)
		atomic_fetch_or(&current_thread()->work, WORK_SUSPEND);
	err = thread_sleep_until(deadline_at(sleeps_until));
	atomic_fetch_and(&current_thread()->work, ~WORK_SUSPEND);
	return err;
}

/* A nanosecond before its deadline the thread sleeps, and at it no more. */
static void check_sleep(struct actor *a, u64 span)
{
	struct sleepq *sq = &cpus[0].sleepq;

	sleeps_until = time_now() + span;
	act_on(0, a, sleep_until);
	while (thread_state(a->thread) != THREAD_SLEEPING)
		let_others_run();
	irq_off();
	sleepq_expire(sq, sleeps_until - 1);
	expect(thread_state(a->thread) == THREAD_SLEEPING,
	       "a thread that sleeps for %lu ns is awake 1 ns before", span);
	sleepq_expire(sq, sleeps_until);
	expect(thread_state(a->thread) != THREAD_SLEEPING,
	       "a thread that sleeps for %lu ns still does when they are over", span);
	irq_on();
}

SCENARIO(exact, "sleeper.exact", "04.2", "P4.1", .cpus = 1, .sets_up = true, .quiet = true,
	 .keeps = true, .no_costume = true)
{
	static const u64 spans[] = {
		1, 99, 100, 999, 1000, 1001, BIT(20) + 1,
		1000001, 1000099, 1000100, 1000101, 1000900, 1000999, 1001000,
		BIT(31) - 1, BIT(31) + 1, BIT(32) + 1, BIT(48) + 3, BIT(61) + 5, BIT(63) - 2,
	};
	static struct actor sleepers[ARRAY_SIZE(spans)];

	for (unsigned i = 0; i < ARRAY_SIZE(spans); i++) {
		is_to_stop = i & 1;
		check_sleep(&sleepers[i], spans[i]);
	}
	explore_from_here();
	end_here();
}
