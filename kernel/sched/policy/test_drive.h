/*
 * Drives a policy by hand: a test, or a scenario of the explorer, is the mechanism for a queue and
 * entities of its own, and sets the time. So the result is the same on any machine, whichever
 * policy the kernel runs.
 */
#pragma once

#include "base/panic.h"
#include "sched/policy/policy.h"
#include "sched/time.h"

#define MS		NSEC_PER_MSEC
#define ENTITIES	8

static const struct sched_policy *p;
static struct policy_queue q;
static struct sched_entity e[ENTITIES];
static u64 got[ENTITIES];		/* ns of CPU that each has had */
static u64 waited[ENTITIES];		/* the longest that each waited for the CPU */
static u64 since[ENTITIES];
static u64 now;

static inline void use(const struct sched_policy *policy_to_test, u64 start)
{
	p = policy_to_test;
	now = start;
	if (p->init)
		p->init();	/* reads its boot arguments, if it has not run yet */
	policy_queue_init(&q, 0);
	for (unsigned i = 0; i < ENTITIES; i++) {
		policy_entity_init(&e[i], ~0u, now);
		got[i] = waited[i] = since[i] = 0;
	}
}

static inline void set(unsigned i, struct sched_params params)
{
	e[i].params = params;
	if (p->start)
		p->start(&e[i], now);
}

static inline int running(void)
{
	return q.current ? (int)(q.current - e) : -1;
}

/* Gives the CPU, which is free, to the thread that the policy picks. */
static inline void pick(void)
{
	struct sched_entity *next = p->pick(&q, now);

	q.current = next;
	if (!next)
		return;
	if (next < e || next >= e + ENTITIES)
		panic("what is picked is no entity: has a list no end, or an empty list a bit?");
	waited[next - e] = MAX(waited[next - e], now - since[next - e]);
	if (!next->slice_left)
		next->slice_left = p->slice(&q, next);
}

static inline bool enqueue(unsigned i, enum enqueue_why why)
{
	since[i] = now;
	return p->enqueue(&q, &e[i], why, now);
}

static inline void give_way(enum enqueue_why why)
{
	int i = running();

	q.current = NULL;
	if (i >= 0)
		enqueue(i, why);
	pick();
}

static inline void wake(unsigned i)
{
	if (enqueue(i, ENQUEUE_WAKE) || !q.current)
		give_way(ENQUEUE_PREEMPTED);
}

static inline void block(void)
{
	if (p->leave)
		p->leave(&q, q.current, now);
	q.current = NULL;
	pick();
}

/* Goes on to the next event, at most to @until. True: current's slice is over. */
static inline bool go(u64 until)
{
	int i = running();
	u64 from = now;
	bool over = false;

	now = until;
	if (i >= 0 && time_before(from + e[i].slice_left, now))
		now = from + e[i].slice_left;
	if (q.timer_set && time_before(q.timer_at, now))
		now = time_before(q.timer_at, from) ? from : q.timer_at;
	if (i < 0)
		return false;
	got[i] += now - from;
	e[i].slice_left -= MIN(now - from, e[i].slice_left);
	over = !e[i].slice_left;
	if (p->charge)
		over |= p->charge(&q, &e[i], now - from, now);
	return over;
}

/* Runs for @ns, in which no thread blocks. */
static inline void run(u64 ns)
{
	u64 until = now + ns;

	while (time_before(now, until)) {
		bool over = go(until), look = false;

		if (q.timer_set && !time_before(now, q.timer_at))
			look = p->timer(&q, now);
		if (over)
			give_way(ENQUEUE_EXPIRED);
		else if (look || (!q.current && q.nr))
			give_way(ENQUEUE_PREEMPTED);
	}
}

static const struct sched_params normal = { .class = SCHED_OTHER };

static inline struct sched_params reserved(u64 runtime, u64 period)
{
	return (struct sched_params){ .class = SCHED_DEADLINE, .runtime = runtime,
				      .deadline = period, .period = period };
}

/* Returns the longest wait so far, including one that goes on. */
static inline u64 worst_wait(unsigned i)
{
	return running() == (int)i ? waited[i] : MAX(waited[i], now - since[i]);
}
