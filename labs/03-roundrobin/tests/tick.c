/*
 * Lab 03, step 3: what a tick does. The test calls sched_tick() itself, with interrupts off and
 * with the times that it is about, so the result does not depend on the machine.
 */
#include "alone.h"

static struct runq *rq;			/* of this CPU, the only one */
static struct thread *self;		/* the thread that is interrupted */
static unsigned others;			/* how often the other thread ran */
static int (*step)(void);

static int count_itself(void *unused)
{
	(void)unused;
	others++;
	return rest();
}

/* As the timer interrupt calls it: its one-shot timer has fired. */
static void tick(u64 now)
{
	this_cpu()->timer_armed = false;
	sched_tick(now);
}

static bool marked(void)
{
	return atomic_load(&self->work) & WORK_RESCHED;
}

static bool armed_by(u64 time)
{
	return this_cpu()->timer_armed && !time_before(time, this_cpu()->timer_at);
}

/* Takes a mark and its reason back: it would be served where interrupts come on again. */
static void unmark(void)
{
	atomic_fetch_and(&self->work, ~WORK_RESCHED);
	this_cpu()->runq.expired = 0;
}

static int with_interrupts_off(void *unused)
{
	(void)unused;
	irq_off();
	self = current_thread();
	rq = &this_cpu()->runq;
	step();
	unmark();
	irq_on();
	return rest();
}

static void run_as_thread(int (*fn)(void))
{
	step = fn;
	others = 0;
	make(with_interrupts_off, NULL);
	run_them();
}

static int interrupt_with_another(void)
{
	u64 end = rq->slice_end;

	make(count_itself, NULL);
	tick(end - NSEC_PER_MSEC);
	CHECK(!marked(), "P3.4", "1 ms before its quantum is over a thread is marked");
	CHECK(armed_by(end), "P3.5", "the timer is not armed for the end of the quantum");
	tick(end - 1);
	CHECK(!marked(), "P3.4", "1 ns before its quantum is over a thread is marked");
	atomic_fetch_or(&self->work, WORK_SIGNAL);
	tick(end);
	CHECK(atomic_load(&self->work) & WORK_SIGNAL, "P3.4",
	      "the tick took another note of the thread away");
	atomic_fetch_and(&self->work, ~WORK_SIGNAL);
	CHECK(armed_by(rq->slice_end), "P3.5", "marked, and the timer is not armed any more");
	CHECK(marked(), "P3.4", "its quantum is over, another waits, and it is not marked");
	CHECK(!others && rq->current == self, "P3.4", "the tick itself switched to another thread");
	CHECK(thread_state(self) == THREAD_RUNNING, "P3.4", "the tick left it %s",
	      thread_state_name(thread_state(self)));
	return 0;
}

/* Two real-time threads of one priority. */
static int interrupt_with_equal(void)
{
	u64 end = rq->slice_end;

	policy_set_params(&self->se, &real_time, time_now());
	make_real_time(count_itself, NULL);
	unmark();
	tick(end - 1);
	CHECK(!marked(), "P3.4", "1 ns before its slice is over a thread of SCHED_RR is marked");
	tick(end);
	CHECK(marked(), "P3.4", "of SCHED_RR, its slice is over, its equal waits: not marked");
	return 0;
}

KTEST_EARLY(tick_marks, "tick.marks", "03.3", "P3.4")
{
	NEEDS_TO_BE_ALONE;
	run_as_thread(interrupt_with_another);
	CHECK(others == 1, "P3.4", "the thread that waited ran %u times", others);
	run_as_thread(interrupt_with_equal);
	CHECK(others == 1, "P3.4", "the equal that waited ran %u times", others);
}

/* The quantum ends again and again while no other thread waits; then one comes. */
static int interrupt_alone(void)
{
	u64 quantum = quantum_of(&self->se), end = rq->slice_end;

	for (unsigned i = 0; i < 3; i++) {
		self->se.slice_left = quantum >> i;	/* the second and third were not full */
		tick(end);
		CHECK(!marked(), "P3.4", "a thread alone is marked");
		CHECK(rq->slice_end == end + quantum, "P3.5",
		      "alone, it goes on with a quantum of %ld ns, not %lu",
		      (s64)(rq->slice_end - end), quantum);
		CHECK(armed_by(end + quantum), "P3.5",
		      "the timer is not armed for the end of its next quantum");
		end += quantum;
	}
	make(count_itself, NULL);
	tick(end - 1);
	CHECK(!marked(), "P3.4", "another thread came, and the rest of its quantum is lost");
	tick(end);
	CHECK(marked(), "P3.4", "another thread came, and the end of its quantum is not seen");
	return 0;
}

/* A thread of another class has another slice. */
static int interrupt_urgent_alone(void)
{
	u64 end = rq->slice_end, usual = realtime_slice;

	realtime_slice = 7 * NSEC_PER_MSEC;	/* no quantum is that long */
	policy_set_params(&self->se, &real_time, time_now());
	tick(end);
	CHECK(!marked(), "P3.4", "a thread of SCHED_RR alone is marked");
	CHECK(rq->slice_end == end + realtime_slice, "P3.5",
	      "of SCHED_RR and alone, it goes on with a slice of %ld ns, not %lu",
	      (s64)(rq->slice_end - end), realtime_slice);
	realtime_slice = usual;
	return 0;
}

KTEST_EARLY(tick_alone, "tick.alone", "03.3", "P3.5")
{
	NEEDS_TO_BE_ALONE;
	run_as_thread(interrupt_alone);
	run_as_thread(interrupt_urgent_alone);
}

/* A tick that comes late: the next quantum is full all the same. */
static int interrupt_late(void)
{
	u64 quantum = quantum_of(&self->se), late = rq->slice_end + 3 * NSEC_PER_MSEC;

	tick(late);
	CHECK(rq->slice_end == late + quantum, "P3.5",
	      "after a tick 3 ms late it has a quantum of %ld ns, not %lu",
	      (s64)(rq->slice_end - late), quantum);
	return 0;
}

KTEST_EARLY(tick_late, "tick.late", "03.3", "P3.5")
{
	NEEDS_TO_BE_ALONE;
	run_as_thread(interrupt_late);
}

/* A timer of this CPU is due before the quantum is over. */
static int interrupt_before_timer(void)
{
	u64 due = rq->slice_end - 2 * NSEC_PER_MSEC;

	this_cpu()->timer_armed = false;
	timer_arm(due);
	sched_tick(due - NSEC_PER_MSEC);
	CHECK(armed_by(due), "P3.5", "armed for a timer that is due sooner, it is armed for later");
	tick(due);
	CHECK(armed_by(rq->slice_end), "P3.5", "that timer was due, and none is armed");
	this_cpu()->timer_armed = false;
	timer_arm(rq->slice_end + NSEC_PER_SEC);
	sched_tick(due);
	CHECK(armed_by(rq->slice_end), "P3.5",
	      "the timer is armed for a time behind the end of the quantum, and stays so");
	return 0;
}

KTEST_EARLY(tick_keeps_timer, "tick.keeps_timer", "03.3", "P3.5")
{
	NEEDS_TO_BE_ALONE;
	run_as_thread(interrupt_before_timer);
}

/*
 * The timer was set for a time that is over, so its interrupt is pending. It comes here, as if
 * inside another one: at the end of an outermost one code of step 4 would run.
 */
static void take_interrupt(void)
{
	rq->slice_end = time_now() + quantum_of(&self->se);
	this_cpu()->irq_nesting++;
	arch_irqs_enable();
	arch_spin_hint();
	arch_irqs_disable();
	this_cpu()->irq_nesting--;
}

/* Quanta that end before and after the clock has wrapped to 0. */
static int interrupt_at_wrap(void)
{
	/* More than fits into 31 and 32 bits, and the largest that is still in the future. */
	static const u64 far[] = { 3 * NSEC_PER_SEC, 5 * NSEC_PER_SEC, (1UL << 63) - 1001 };
	struct cpu *c = this_cpu();

	make(count_itself, NULL);
	c->timer_armed = true;		/* for before all of these times: so it stays as it is */
	c->timer_at = -1000UL;
	rq->slice_end = 2;
	sched_tick(-3UL);
	CHECK(!marked(), "P3.4", "5 ns before its quantum is over, after the wrap, it is marked");
	rq->slice_end = -3UL;
	sched_tick(2);
	CHECK(marked(), "P3.4", "its quantum was over before the wrap, and it is not marked");
	unmark();
	rq->slice_end = 0;
	sched_tick(0);
	CHECK(marked(), "P3.4", "its quantum ends as the clock wraps to 0, and it is not marked");
	unmark();
	c->timer_armed = false;
	rq->slice_end = -quantum_of(&self->se);
	sched_tick(rq->slice_end);
	CHECK(armed_by(time_now()), "P3.5", "its quantum ends at 0, and the timer is not armed");
	c->timer_armed = true;
	unmark();
	c->timer_at = (1UL << 63) - 1000;
	rq->slice_end = (1UL << 63) + 2;
	sched_tick((1UL << 63) - 3);
	CHECK(!marked(), "P3.4", "5 ns before its quantum is over, behind 2^63, it is marked");
	c->timer_at = -1000UL;
	for (unsigned i = 0; i < ARRAY_SIZE(far); i++) {
		unmark();
		rq->slice_end = 2 + far[i];
		sched_tick(2);
		CHECK(!marked(), "P3.4", "%lu ms before its quantum is over it is marked",
		      far[i] / NSEC_PER_MSEC);
		rq->slice_end = 2 - far[i];
		sched_tick(2);
		CHECK(marked(), "P3.4", "its quantum is over for %lu ms, and it is not marked",
		      far[i] / NSEC_PER_MSEC);
	}
	take_interrupt();
	c->timer_armed = false;
	return 0;
}

KTEST_EARLY(tick_wrap, "tick.wrap", "03.3", "P3.4")
{
	NEEDS_TO_BE_ALONE;
	run_as_thread(interrupt_at_wrap);
}

/* A thread alone whose budget is spent gives way in any case; its quantum may be over, too. */
static int interrupt_spent(void)
{
	u64 end = rq->slice_end;

	rq->expired = SLICE_SPENT;
	tick(end - NSEC_PER_MSEC);
	CHECK(marked(), "P3.4", "its budget is spent, and it is not marked");
	CHECK(armed_by(rq->slice_end), "P3.5", "its budget is spent, and the timer is not armed");
	unmark();
	rq->expired = SLICE_SPENT;
	rq->slice_end = end;
	tick(end + NSEC_PER_MSEC);
	CHECK(marked(), "P3.4", "its budget is spent, its quantum is over, and it is not marked");
	CHECK(time_before(end + NSEC_PER_MSEC, rq->slice_end), "P3.5",
	      "its budget is spent, its quantum is over, and no new one begins");
	return 0;
}

KTEST_EARLY(tick_spent, "tick.spent", "03.3", "P3.4")
{
	NEEDS_TO_BE_ALONE;
	run_as_thread(interrupt_spent);
}

KTEST_EARLY(tick_idle, "tick.idle", "03.3", "P3.4")
{
	u64 now = time_now() + NSEC_PER_SEC;

	NEEDS_TO_BE_ALONE;
	self = current_thread();	/* the idle thread, which has no quantum */
	rq = &this_cpu()->runq;
	for (int left = -1; left <= 1; left += 2) {	/* by another thread, past or to come */
		rq->slice_end = now + (u64)left;
		tick(now);
		CHECK(!this_cpu()->timer_armed, "P3.5",
		      "the timer is armed for a quantum of the idle thread");
		CHECK(!marked(), "P3.4", "the idle thread is marked though no thread waits");
		CHECK(!entity_queued(&self->se), "P3.4",
		      "the tick put the idle thread into the queue");
	}
	unmark();
}

/*
 * A thread that is marked and cannot give way yet, as preemption is off: the ticks go on, and each
 * begins a full quantum, so that the timer does not come again at once.
 */
static int interrupt_marked(void)
{
	u64 quantum = quantum_of(&self->se), now = rq->slice_end;

	make(count_itself, NULL);
	for (unsigned depth = 0; depth < 3; depth++) {
		if (depth == 2)
			rq->expired |= SLICE_SPENT;	/* its budget as well */
		if (depth)
			preempt_off();
		for (unsigned i = 0; i < 3; i++) {
			tick(now);
			CHECK(marked(), "P3.4", "it must give way: tick %u does not mark it", i);
			CHECK(armed_by(now + quantum), "P3.5",
			      "marked, and the timer is not armed for the end of a quantum");
			CHECK(!armed_by(now), "P3.5",
			      "marked, and the timer is armed for a time that is over");
			now += quantum;
		}
		if (depth)
			preempt_on();
	}
	return 0;
}

KTEST_EARLY(tick_marked, "tick.marked", "03.3", "P3.5")
{
	NEEDS_TO_BE_ALONE;
	run_as_thread(interrupt_marked);
}

static struct thread *late_comer;

/* In place of the policy's timer, which gives a thread its budget back, for example. */
static bool ask_for_mark(struct policy_queue *q, u64 now)
{
	(void)now;
	q->timer_set = false;
	return true;
}

static void tick_of_policy(bool (*timer)(struct policy_queue *q, u64 now), u64 now)
{
	struct sched_policy usual = policy;

	policy.timer = timer;
	rq->q.timer_at = now;
	rq->q.timer_set = true;
	tick(now);
	policy.timer = usual.timer;
}

static bool bring_late_comer(struct policy_queue *q, u64 now)
{
	q->timer_set = false;
	policy.enqueue(q, &late_comer->se, ENQUEUE_WAKE, now);
	return false;
}

/* The tick that finds its quantum over first brings the thread that waits. */
static int interrupt_with_late_comer(void)
{
	late_comer = make(count_itself, NULL);
	policy.dequeue(&rq->q, &late_comer->se);
	tick_of_policy(bring_late_comer, rq->slice_end);
	CHECK(marked(), "P3.4",
	      "its quantum is over, and the thread that came with the tick does not get the CPU");
	return 0;
}

/* The policy asks for a mark in the quantum, and then just as it ends. */
static int interrupt_for_policy(void)
{
	u64 quantum = quantum_of(&self->se), end = rq->slice_end;

	make(count_itself, NULL);
	tick_of_policy(ask_for_mark, end - NSEC_PER_MSEC);
	CHECK(marked(), "P3.4", "the policy asks for a mark, and it is not marked");
	CHECK(armed_by(end), "P3.5", "the policy asks for a mark, and the timer is not armed");
	unmark();
	tick_of_policy(ask_for_mark, end);
	CHECK(marked(), "P3.4", "its quantum is over, the policy asks for a mark: not marked");
	CHECK(rq->slice_end == end + quantum, "P3.5",
	      "its quantum is over, the policy asks for a mark, and no full one begins");
	CHECK(rq->expired & SLICE_OVER, "P3.5",
	      "its quantum is over, the policy asks for a mark: it is to be queued as interrupted");
	return 0;
}

KTEST_EARLY(tick_late_comer, "tick.late_comer", "03.3", "P3.4")
{
	NEEDS_TO_BE_ALONE;
	run_as_thread(interrupt_with_late_comer);
	CHECK(others == 1, "P3.4", "the thread that came ran %u times", others);
	run_as_thread(interrupt_for_policy);
	CHECK(others == 1, "P3.4", "the thread that waited ran %u times", others);
}
