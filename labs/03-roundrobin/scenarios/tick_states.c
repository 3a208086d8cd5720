/*
 * Lab 03: a tick in every state. Nobody gets the CPU, so those who wait need not be threads.
 */
#include "states.h"

static struct sched_entity other;

static void other_waits(u64 now)
{
	policy_entity_init(&other, BIT(0), now);
	if (s.waits == REAL_TIME)
		policy_set_params(&other, REAL_TIME_PARAMS, now);
	if (s.waits)
		queue_enqueue(&rq->q, &other, ENQUEUE_WAKE, now);
	queue_count(&rq->q, (int)s.beside);
}

static void other_leaves(void)
{
	queue_count(&rq->q, -(int)s.beside);
	if (s.waits)
		queue_dequeue(&rq->q, &other);
}

#define TICK_STATES	(ARRAY_SIZE(classes) * ARRAY_SIZE(ends) * ALL_WAITS * 4 * 2)

static void choose_tick(unsigned i)
{
	static const u32 expired[] = { 0, SLICE_SPENT, SLICE_OVER, SLICE_OVER | SLICE_SPENT };

	s.end = digit(&i, ARRAY_SIZE(ends));
	s.waits = digit(&i, ALL_WAITS);
	s.class = digit(&i, ARRAY_SIZE(classes));
	s.expired = expired[digit(&i, ARRAY_SIZE(expired))];
	s.work = digit(&i, 2) ? WORK_KILL | WORK_SUSPEND | WORK_SIGNAL : 0;
	s.in_call = (s.end + s.class + s.waits) % 2;
	choose_crowd(s.end + s.class);
	if (s.expired & SLICE_OVER)
		s.work |= WORK_RESCHED;
}

/* Other timers of this CPU, all of them to come. They vary with @i. */
static u64 set_timers(unsigned i, u64 now)
{
	struct cpu *c = this_cpu();
	u64 first = now + 60 * NSEC_PER_SEC;

	rq->balance_at = now + (i % 3 ? 60 * NSEC_PER_SEC : 700);
	rq->q.timer_set = i % 5 < 2;
	rq->q.timer_at = now + (i % 5 ? 30 * NSEC_PER_SEC : 500);
	c->timer_armed = i % 4 < 2;
	c->timer_at = now + (i % 4 ? 20 * NSEC_PER_SEC : 1000);
	if (c->timer_armed)
		first = c->timer_at;
	return first;
}

static void check_mark(void)
{
	bool gives_way = is_over() && s.waits, spent = s.expired & SLICE_SPENT;
	u32 work = atomic_load(&self->work), want = s.work;

	if (gives_way || spent)
		want |= WORK_RESCHED;
	EXPECT((work & WORK_RESCHED) == (want & WORK_RESCHED), "after a tick it is %smarked",
	       work & WORK_RESCHED ? "" : "not ");
	EXPECT(work == want, "a tick made the notes %u", work);
	EXPECT((rq->expired & s.expired) == s.expired, "a tick made expired %u", rq->expired);
	EXPECT(spent || rq->expired == (s.expired | (gives_way ? SLICE_OVER : 0)),
	       "a tick made expired %u", rq->expired);
	EXPECT(rq->current == self, "a tick gave the CPU to another thread");
}

static void check_quantum(u64 now, u64 slice, u64 armed)
{
	struct cpu *c = this_cpu();
	s64 left = (s64)(rq->slice_end - now);

	if (is_over())
		EXPECT((u64)left == slice, "after a tick its quantum ends in %ld ns, not in %lu",
		       left, slice);
	else if (s.expired & SLICE_SPENT)
		EXPECT(left > 0, "after a tick its quantum ends in %ld ns", left);
	else
		EXPECT(left == ends[s.end], "after a tick its quantum ends in %ld ns", left);
	EXPECT(c->timer_armed && !time_before(rq->slice_end, c->timer_at),
	       "its quantum ends in %ld ns after a tick, and the timer is armed for %ld ns", left,
	       c->timer_armed ? (s64)(c->timer_at - now) : -1);
	EXPECT(!time_before(armed, c->timer_at), "the timer was armed for %ld ns, and is for %ld",
	       (s64)(armed - now), (s64)(c->timer_at - now));
	EXPECT(time_before(now, c->timer_at), "the timer is armed for %ld ns",
	       (s64)(c->timer_at - now));
}

/* Each tick is shortly before the clock wraps to 0. */
static void tick_in_all(bool marks)
{
	u64 now = -NSEC_PER_MSEC, slice, armed;

	irq_off();
	for (unsigned i = 0; i < TICK_STATES; i++) {
		clock_offset = now - arch_clock_ns();	/* as the boot argument clock= does */
		choose_tick(i);
		become(s.class, now);
		other_waits(now);
		set_state(now);
		slice = policy_slice(&rq->q, &self->se, now);
		self->se.slice_left = i % 2 ? 0 : NSEC_PER_MSEC;	/* says nothing of it */
		armed = set_timers(i, now);
		self->preempt_depth += i / 2 % 2;
		play(true);
		sched_tick(now);
		play(false);
		self->preempt_depth -= i / 2 % 2;
		if (marks)
			check_mark();
		else
			check_quantum(now, slice, armed);
		other_leaves();
	}
	set_notes(0, 0);
	irq_on();
}

SCENARIO(tick_marks, "tick.marks_by_state", "03.3", "P3.4",
	 .cpus = 1, .quiet = true, .keeps = true, .no_costume = true)
{
	begin();
	tick_in_all(true);
	end();
}

SCENARIO(tick_quantum, "tick.renews_by_state", "03.3", "P3.5",
	 .cpus = 1, .quiet = true, .keeps = true, .no_costume = true)
{
	begin();
	sched_quantum = 5 * NSEC_PER_SEC;	/* more than 32 bits count */
	tick_in_all(false);
	end();
}
