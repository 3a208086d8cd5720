/*
 * Lab 03: a yield, a mark that is served and the end of an interrupt in every state. Here another
 * thread gets the CPU.
 */
#include "states.h"
#include "watch.h"

static struct actor member;			/* waits, runs and rests again */
static struct wait_queue go = WAIT_QUEUE_INIT(go), rested = WAIT_QUEUE_INIT(rested);
static unsigned member_runs;
static bool over;

static int come_and_go(void)
{
	while (!over) {
		member_runs++;
		wait_wake_all(&rested, 0);
		if (wait_block(&go, DEADLINE_NEVER))
			break;
	}
	return 0;
}

/* From here to member_rests() no mark is served but by hand. */
static void member_waits(void)
{
	u64 now = time_now();

	irq_off();
	become(s.class, now);
	if (s.waits == NONE)
		return;
	policy_set_params(&member.thread->se,
			  s.waits == REAL_TIME ? REAL_TIME_PARAMS : NORMAL_PARAMS, now);
	wait_wake_all(&go, 0);
}

/* It may be in the queue still. Now it is not interrupted before it rests. */
static void member_rests(void)
{
	set_notes(0, 0);
	set_class(0, time_now());
	irq_on();
	if (thread_state(member.thread) == THREAD_READY)
		wait_block(&rested, DEADLINE_NEVER);
}

static void begin_with_member(void)
{
	begin();
	watch_queue(self);
	act_on(0, &member, come_and_go);
	wait_block(&rested, DEADLINE_NEVER);
}

static void end_with_member(void)
{
	over = true;
	wait_wake_all(&go, 0);
	end();
}

/* It gave way at @from, and goes on with the rest that its quantum had then. */
static bool goes_on_with_rest(u64 from)
{
	u64 shift = rq->slice_end - from - (u64)ends[s.end];

	return shift <= time_now() - from;
}

static const u32 notes[] = { 0, WORK_SIGNAL | WORK_SUSPEND, WORK_KILL };

/* The choices that a yield and a served mark share; returns what is left of @i. */
static unsigned choose(unsigned i)
{
	static const u32 expired[] = { 0, SLICE_OVER, SLICE_SPENT, SLICE_OVER | SLICE_SPENT };

	s.waits = digit(&i, ALL_WAITS);
	s.class = digit(&i, ARRAY_SIZE(classes));
	s.end = digit(&i, ARRAY_SIZE(ends));
	s.work = notes[(s.waits + s.class + s.end + i) % ARRAY_SIZE(notes)];
	s.expired = expired[digit(&i, ARRAY_SIZE(expired))];
	s.in_call = (s.waits + s.class + s.end) % 2;
	choose_crowd(s.class + s.end);
	return i;
}

#define COMMON_STATES	(ALL_WAITS * ARRAY_SIZE(classes) * ARRAY_SIZE(ends) * 4)

/* The call comes between these two. */
static void enter(void)
{
	play(true);
	queue_count(&rq->q, (int)s.beside);
}

static void leave(void)
{
	queue_count(&rq->q, -(int)s.beside);
	play(false);
}

/* Another thread of its own kind waits, or a more urgent one. */
static bool must_let_run(void)
{
	return s.waits == REAL_TIME || (s.waits == NORMAL && !runs_real_time());
}

/* As if it had a reservation, here or on another CPU, if @budget is not NULL. */
static void yield_with(const s64 *budget)
{
	static struct policy_queue elsewhere;
	u64 from = time_now(), end = rq->slice_end;
	unsigned before = member_runs;

	self->se.home = !budget ? NULL : s.in_call ? &elsewhere : &rq->q;
	self->se.budget = budget ? *budget : 0;
	queued = 0;
	enter();
	sched_yield();
	leave();
	self->se.home = NULL;
	if (!runs_real_time() && (s.waits || budget))
		EXPECT(queued == 1 && queued_as == ENQUEUE_YIELD,
		       "it yields, budget %ld, and is queued %u times, as %u",
		       budget ? *budget : 0, queued, queued_as);
	EXPECT(member_runs - before == must_let_run(), "it yields, and the other ran %u times",
	       member_runs - before);
	EXPECT((atomic_load(&self->work) & ~WORK_RESCHED) == s.work, "a yield made the notes %u",
	       atomic_load(&self->work));
	if (!is_over() && !s.expired)
		EXPECT(goes_on_with_rest(from), "it yields, and its quantum ends in %ld ns",
		       (s64)(rq->slice_end - time_now()));
	else if (!s.waits && !queued && !runs_real_time())
		EXPECT(rq->slice_end == end, "it yields alone, and its quantum ends %ld ns later",
		       (s64)(rq->slice_end - end));
	if (!s.waits && !queued && !runs_real_time())
		EXPECT(rq->expired == s.expired, "it yields alone, which made expired %u",
		       rq->expired);
}

SCENARIO(yields, "yield.by_state", "03.4", "P3.3",
	 .cpus = 1, .quiet = true, .keeps = true, .no_costume = true)
{
	static const s64 budgets[] = {
		0, 1, NSEC_PER_MSEC, -1, -5 * (s64)NSEC_PER_SEC,
	};

	begin_with_member();
	for (unsigned i = 0; i < COMMON_STATES; i++) {
		choose(i);
		member_waits();
		set_state(time_now());
		yield_with(i % 2 && !runs_real_time() ? &budgets[i / 2 % ARRAY_SIZE(budgets)]
						      : NULL);
		member_rests();
	}
	end_with_member();
}

/* It is marked, and this is served. */
static void serve_mark(void)
{
	u64 from = time_now(), end = rq->slice_end, preempted = self->stats.preempted;
	bool is_fifo = runs_real_time() && classes[s.class].params.class != SCHED_RR;
	bool goes_behind = s.expired && !is_fifo;
	unsigned before = member_runs;

	atomic_fetch_or(&self->work, WORK_RESCHED);
	queued = 0;
	enter();
	sched_preempt();
	leave();
	EXPECT(atomic_load(&self->work) == s.work, "its mark was served, and the notes are %u",
	       atomic_load(&self->work));
	if (!s.waits && !s.expired) {
		EXPECT(!queued && self->stats.preempted == preempted,
		       "the reason of its mark is gone, and it gave way");
		EXPECT(is_over() || rq->slice_end == end,
		       "the reason of its mark is gone, and its quantum ends %ld ns later",
		       (s64)(rq->slice_end - end));
		return;
	}
	EXPECT(self->stats.preempted == preempted + 1, "its mark was served, and it kept the CPU");
	if (!runs_real_time() && (s.expired || !is_over()))
		EXPECT(queued == 1 &&
			       queued_as == (s.expired ? ENQUEUE_EXPIRED : ENQUEUE_PREEMPTED),
		       "its mark was served, and it is queued %u times, as %u", queued, queued_as);
	if (must_let_run() && (goes_behind || (s.waits == REAL_TIME && !runs_real_time())))
		EXPECT(member_runs == before + 1, "its mark was served, and the other did not run");
	else if (!is_over())
		EXPECT(member_runs == before, "it was interrupted, and an equal ran before it");
	if (!is_over() && !s.expired)
		EXPECT(goes_on_with_rest(from), "interrupted, its quantum ends in %ld ns",
		       (s64)(rq->slice_end - time_now()));
}

SCENARIO(serves, "preempt.by_state", "03.4", "P3.6",
	 .cpus = 1, .quiet = true, .keeps = true, .no_costume = true)
{
	begin_with_member();
	for (unsigned i = 0; i < 2 * COMMON_STATES; i++) {
		unsigned rest = choose(i);

		member_waits();
		set_state(time_now());
		self->unwound = rest;		/* it was on its way to user mode */
		serve_mark();
		self->unwound = false;
		member_rests();
	}
	end_with_member();
}

/*
 * --- The end of an interrupt ---------------------------------------------------------------------
 */

/* Of @nested ones, in a section of depth @depth. Returns how often the CPU was taken away. */
static u64 interrupt(unsigned nested, u32 depth)
{
	u64 preempted = self->stats.preempted;

	arch_irqs_disable();
	enter();
	self->preempt_depth += depth;
	for (unsigned i = 0; i < nested; i++)
		irq_enter();
	for (unsigned i = nested; i-- > 0;) {
		irq_exit(arch_trapframe(self));
		EXPECT(!i || self->stats.preempted == preempted,
		       "inside another interrupt one ended, and it lost the CPU");
	}
	self->preempt_depth -= depth;
	leave();
	arch_irqs_enable();
	return self->stats.preempted - preempted;
}

static void interrupt_in(unsigned i)
{
	static const u32 depths[] = { 0, 1, 2, 255, 256, 65535, 65536, 1u << 24, 1u << 31 };
	u32 depth = depths[digit(&i, ARRAY_SIZE(depths))];
	unsigned nested = 1 + digit(&i, 2);
	bool serves = s.work & WORK_RESCHED && !depth;
	u64 times = interrupt(nested, depth);
	u32 work = atomic_load(&self->work);

	EXPECT(times == (serves && (s.waits || s.expired)),
	       "%u sections deep, at the end of an interrupt it lost the CPU %lu times", depth,
	       times);
	EXPECT(work == (serves ? s.work & ~WORK_RESCHED : s.work),
	       "%u sections deep, the end of an interrupt made the notes %u", depth, work);
}

SCENARIO(interrupts, "preempt.by_depth", "03.5", "P3.7",
	 .cpus = 1, .quiet = true, .keeps = true, .no_costume = true)
{
	begin_with_member();
	for (unsigned i = 0; i < 9 * 2 * 4 * 2 * 3 * 2; i++) {
		unsigned rest = i / (9 * 2);

		s = (struct state){ .end = 1, .expired = digit(&rest, 4) };
		s.work = digit(&rest, 2) ? WORK_RESCHED : 0;
		s.waits = digit(&rest, ALL_WAITS);
		s.work |= i % 3 ? WORK_SIGNAL : 0;
		s.in_call = rest;
		choose_crowd(i / 2);
		member_waits();
		set_notes(0, 0);
		irq_on();		/* an interrupt comes where interrupts are on */
		set_state(time_now());
		interrupt_in(i);
		irq_off();
		member_rests();
	}
	end_with_member();
}
