/*
 * Lab 03: one turn of one thread, each step called by hand: who is picked next, and as what the
 * thread that gives way is queued.
 */
#include "watch.h"

#include "mm/vm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/internal.h"

static struct actor other;
static struct runq *rq;			/* of CPU 0, the only one */
static struct thread *self;

static int wait_for_the_cpu(void)
{
	return 0;
}

/* Even if a tick took the CPU away from it at once. */
static bool other_ran(void)
{
	return other.thread->stats.switches_in;
}

/* Another thread waits, and interrupts stay off, so that nothing else takes the CPU away. */
static void begin(void)
{
	irq_off();
	rq = &this_cpu()->runq;
	self = current_thread();
	act_on(0, &other, wait_for_the_cpu);
}

static void end(void)
{
	irq_on();
	end_here();
}

static void mark(void)
{
	atomic_fetch_or(&self->work, WORK_RESCHED);
}

/* As the timer interrupt does, whose one-shot timer has fired. */
static void tick(u64 now)
{
	this_cpu()->timer_armed = false;
	sched_tick(now);
}

SCENARIO(expired, "preempt.expired", "03.4", "P3.6", .cpus = 1, .keeps = true, .no_costume = true)
{
	begin();
	tick(rq->slice_end);
	watch_queue(self);
	sched_preempt();
	expect(other_ran(), "its quantum is over, another waits, and it was picked again");
	expect(queued_as == ENQUEUE_EXPIRED, "its quantum is over, and it is queued as %u",
	       queued_as);
	end();
}

/* Marked for a thread that another CPU has taken: its quantum is not over, for one more ns. */
SCENARIO(interrupted, "preempt.before_its_equals", "03.6", "P3.8",
	 .cpus = 1, .keeps = true, .no_costume = true)
{
	u64 slice_end;

	begin();
	slice_end = rq->slice_end = time_now() + 1;
	mark();
	watch_queue(self);
	sched_preempt();
	expect(queued == 1 && queued_as == ENQUEUE_PREEMPTED,
	       "it was interrupted, and is queued %u times, at last as %u", queued, queued_as);
	expect(!other_ran(), "it was interrupted, and an equal that waits ran before it");
	expect(rq->slice_end == slice_end, "it was interrupted, and its quantum ends %ld ns later",
	       (s64)(rq->slice_end - slice_end));
	end();
}

SCENARIO(urgent, "preempt.more_urgent", "03.4", "P3.6", .cpus = 1, .keeps = true)
{
	other.urgent = true;
	begin();			/* marks it */
	sched_preempt();
	expect(other_ran(), "it is marked for a more urgent thread, and did not give way");
	end();
}

/* A quantum that was over long ago says nothing about the one that is interrupted now. */
static void expect_interrupted(const char *when)
{
	u64 slice_end = rq->slice_end;

	mark();
	watch_queue(self);
	sched_preempt();
	expect(queued_as == ENQUEUE_PREEMPTED, "%s, it is interrupted, and is queued as %u", when,
	       queued_as);
	expect(rq->slice_end == slice_end,
	       "%s, it is interrupted, and its quantum ends %ld ns later", when,
	       (s64)(rq->slice_end - slice_end));
}

SCENARIO(after_alone, "preempt.after_alone", "03.6", "P3.8", .cpus = 1, .keeps = true)
{
	irq_off();
	rq = &this_cpu()->runq;
	self = current_thread();
	tick(rq->slice_end);
	act_on(0, &other, wait_for_the_cpu);
	expect_interrupted("alone it has used up a quantum");
	end();
}

/* The thread for which it was marked is taken by another CPU, and comes back. */
SCENARIO(after_gone, "preempt.after_gone", "03.6", "P3.8",
	 .cpus = 1, .keeps = true, .no_costume = true)
{
	begin();
	tick(rq->slice_end);
	policy.dequeue(&rq->q, &other.thread->se);
	sched_preempt();
	policy.enqueue(&rq->q, &other.thread->se, ENQUEUE_WAKE, time_now());
	expect_interrupted("it was marked for one that is gone");
	end();
}

/* A real-time thread has had its share, and waits for its next period. */
SCENARIO(share, "tick.before_next_period", "03.4", "P3.5",
	 .cpus = 1, .keeps = true, .no_costume = true)
{
	u64 now;

	other.urgent = true;
	begin();
	now = rq->slice_end;
	rq->q.urgent_period = now + 1000 - realtime_period;
	tick(now);
	expect(rq->slice_end == now + 1000,
	       "real-time threads get the CPU in 1000 ns, and the quantum ends in %lu",
	       rq->slice_end - now);
	end();
}

/* As an interrupt comes: interrupts are off, and not by irq_off(). */
static u64 times_taken_away(void)
{
	u64 before = self->stats.preempted;

	irq_enter();
	irq_exit(arch_trapframe(self));
	return self->stats.preempted - before;
}

static struct process process;
static struct addr_space space;

SCENARIO(at_exit, "preempt.once", "03.4", "P3.6", .cpus = 1, .keeps = true)
{
	arch_irqs_disable();
	self = current_thread();
	act_on(0, &other, wait_for_the_cpu);
	expect(!times_taken_away(), "a thread that is not marked lost the CPU");
	mark();
	expect(times_taken_away() <= 1, "one mark took the CPU away twice");
	expect(!(atomic_load(&self->work) & WORK_RESCHED), "the mark was served, and it stays");
	self->process = &process;	/* in the midst of a system call */
	self->as = &space;
	mark();
	times_taken_away();
	expect(!(atomic_load(&self->work) & WORK_RESCHED),
	       "a process's thread in the kernel is marked, and keeps the CPU");
	self->process = &kernel_process;
	self->as = NULL;
	arch_irqs_enable();
	end_here();
}

SCENARIO(as_yield, "yield.told", "03.2", "P3.3",
	 .cpus = 1, .quiet = true, .keeps = true, .no_costume = true)
{
	begin();
	watch_queue(self);
	sched_yield();
	expect(queued == 1 && queued_as == ENQUEUE_YIELD, "it yields, and is queued as %u",
	       queued_as);
	queued = 0;
	self->se.home = &rq->q;		/* as if it had a reservation */
	sched_yield();
	expect(queued == 1, "with a reservation a thread is alone, and is not queued");
	self->se.budget = 1;
	sched_yield();
	self->se.budget = 0;
	self->se.home = NULL;
	expect(queued == 2, "some of its budget is left, it is alone, and is not queued");
	end();
}

/* Its quantum is over or new, and no tick has said so yet: it yields all the same. */
SCENARIO(yield_over, "yield.when_over", "03.2", "P3.3",
	 .cpus = 1, .quiet = true, .keeps = true, .no_costume = true)
{
	begin();
	rq->expired = SLICE_OVER;
	watch_queue(self);
	sched_yield();
	expect(queued == 1 && queued_as == ENQUEUE_YIELD,
	       "its quantum is over, it yields, and is queued as %u", queued_as);
	end();
}

/* Another CPU has just set its mask, or its budget is spent: that is not over with a yield. */
SCENARIO(yield_marked, "yield.marked", "03.2", "P3.7",
	 .cpus = 1, .quiet = true, .keeps = true, .no_costume = true)
{
	irq_off();
	rq = &this_cpu()->runq;
	self = current_thread();
	watch_queue(self);
	rq->expired = SLICE_SPENT;
	mark();
	sched_yield();
	expect(queued || atomic_load(&self->work) & WORK_RESCHED,
	       "it was marked, it yields alone, and the mark is gone");
	atomic_fetch_and(&self->work, ~WORK_RESCHED);	/* to serve it is for a later step */
	rq->expired = 0;
	end();
}

/* --- Marked for one that is gone, and then for one that comes --------------------------------- */

static struct wait_queue go = WAIT_QUEUE_INIT(go);
static struct actor waker;

static int wait_for_go(void)
{
	return wait_block(&go, DEADLINE_NEVER);
}

static int wake_other(void)
{
	wait_wake_one(&go, 0);
	return 0;
}

static bool forgets_other(void)
{
	bool forgotten;

	rq = this_runq_lock();
	forgotten = rq->q.nr_urgent && !(atomic_load(&self->work) & WORK_RESCHED);
	runq_unlock(rq);
	return forgotten;
}

static void begin_with_waker(void)
{
	stay_on(0);
	other.urgent = true;
	act_on(0, &other, wait_for_go);
	await_blocked(&other);
	self = current_thread();
}

/* CPU 1 wakes an urgent thread while this one finds that nobody waits any more. */
SCENARIO(comes_late, "preempt.comes_late", "03.6", "P3.7", .cpus = 2, .sets_up = true,
	 .keeps = true)
{
	begin_with_waker();
	irq_off();
	act_on(1, &waker, wake_other);
	mark();
	explore_from_here();
	sched_preempt();
	expect(!forgets_other(), "an urgent thread waits, and this one is not marked for it");
	end();
}

/* The same at the end of an interrupt. */
SCENARIO(exit_late, "preempt.exit_late", "03.6", "P3.7", .cpus = 2, .sets_up = true,
	 .keeps = true)
{
	begin_with_waker();
	arch_irqs_disable();
	act_on(1, &waker, wake_other);
	mark();
	explore_from_here();
	times_taken_away();
	expect(!forgets_other(), "an urgent thread waits, and this one is not marked for it");
	arch_irqs_enable();
	end_here();
}

static struct actor equal;

/* The same while this one yields to an equal, and has the CPU again. */
SCENARIO(yield_late, "yield.comes_late", "03.6", "P3.7", .cpus = 2, .sets_up = true,
	 .keeps = true, .no_costume = true)
{
	begin_with_waker();
	irq_off();
	act_on(0, &equal, wait_for_the_cpu);
	act_on(1, &waker, wake_other);
	explore_from_here();
	sched_yield();
	expect(!forgets_other(), "an urgent thread waits, and this one is not marked for it");
	end();
}

/* --- The idle thread of CPU 1, which other CPUs wake and a timer interrupts ------------------- */

static bool idle_not_queued(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			    u64 now)
{
	expect(e != &cpus[1].idle.se, "the idle thread is put into the queue");
	return enqueue(q, e, why, now);
}

SCENARIO(idle_queued, "idle.not_queued", "03.7", "P3.9", .cpus = 2, .keeps = true)
{
	stay_on(0);
	enqueue = policy.enqueue;
	policy.enqueue = idle_not_queued;
	act_on(1, &other, wait_for_the_cpu);
	end_here();
}

static u64 (*slice)(struct policy_queue *q, struct sched_entity *e);

static u64 no_slice_for_idle(struct policy_queue *q, struct sched_entity *e)
{
	expect(e != &cpus[1].idle.se, "the idle thread gets a quantum");
	return slice(q, e);
}

/* The timer is armed still for the end of a quantum of a thread that has left. */
SCENARIO(idle_quantum, "tick.idle_no_quantum", "03.4", "P3.5", .cpus = 2, .keeps = true)
{
	stay_on(0);
	slice = policy.slice;
	policy.slice = no_slice_for_idle;
	act_on(1, &other, wait_for_the_cpu);
	expect(!thread_sleep(2 * quantum_of(&current_thread()->se)), "a sleep failed");
	end_here();
}
