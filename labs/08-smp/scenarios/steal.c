/*
 * Lab 08, steps 3 and 4: CPUs that take threads from each other, and CPUs that are told of threads.
 */
#include "counted.h"

#include "mm/numa.h"

static int run_until_told(void)
{
	while (!told)
		arch_spin_hint();
	return 0;
}

/* Takes a thread for this CPU, and returns whether there was one. */
static bool take_one(void)
{
	struct runq *rq = this_runq_lock();
	bool found = steal(rq, time_now());

	expect(!found || nr_ready(rq), "one was taken, and none waits here");
	expect(rq->missed != rq, "this CPU's own queue is noted as one that it could not look at");
	runq_unlock(rq);
	return found;
}

static int take_back(void)
{
	take_one();
	return 0;
}

/* Two CPUs look at each other's queue at the same time. */
SCENARIO(crossed, "steal.crossed", "08.3", "P8.5", .cpus = 2, .bootargs = ALONE, .after = all_ran,
	 .keeps = true)
{
	stay_here();
	preempt_off();
	begin_actor(0, ~0u, &first, count_it);
	begin_actor(1, ~0u, &second, count_it);
	begin_actor(1, BIT(1), &third, take_back);
	take_one();
	preempt_on();
	end_here();
}

/* Threads that run are left alone, however often a CPU looks. */
SCENARIO(running, "steal.none_that_runs", "08.3", "P8.4", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true)
{
	stay_here();
	begin_actor(1, ~0u, &first, run_until_told);
	take_one();
	take_one();
	told = true;
	end_here();
}

/*
 * CPU 1 has been told of threads that are queued there, but the interrupt has not come: they wait,
 * and may be taken, also the last one.
 */
SCENARIO(not_picked, "steal.not_picked", "08.3", "P8.4", .cpus = 2, .bootargs = ALONE,
	 .after = all_ran, .keeps = true, .sets_up = true, .no_costume = true)
{
	bool found;

	stay_on(0);
	preempt_off();
	while (cpus[1].runq.current != &cpus[1].idle)
		arch_spin_hint();
	atomic_fetch_or(&cpus[1].idle.work, WORK_RESCHED);
	begin_actor(1, ~0u, &first, count_it);
	begin_actor(1, ~0u, &second, count_it);
	explore_from_here();
	for (unsigned left = 2; left; left--) {
		while (!(found = take_one()) && cpus[0].runq.missed)
			arch_spin_hint();
		expect(found || !nr_ready(&cpus[1].runq),
		       "%u wait on CPU 1, which has picked none: none was taken", left);
	}
	preempt_on();
	end_here();
}

/* --- Step 4: idle CPUs are told --------------------------------------------------------------- */

#define STEALS	"balance=off"

/* This CPU stays busy, so the other one must come for the new thread, idle or about to be. */
SCENARIO(against_idle, "kick.against_idle", "08.4", "P8.7", .cpus = 2, .bootargs = STEALS,
	 .after = queues_are_empty, .keeps = true)
{
	stay_on(0);
	preempt_off();
	begin_actor(0, ~0u, &first, count_it);
	while (!ran)
		arch_spin_hint();
	preempt_on();
	end_here();
}

/*
 * The same when no lock and no interrupt is common to the two: only the orders of memory let one
 * of them see what the other did.
 */
static int note_it(void)
{
	atomic_store_explicit(&ran, 1, memory_order_relaxed);
	return 0;
}

SCENARIO(orders, "kick.orders", "08.4", "P8.7", .cpus = 2, .bootargs = STEALS, .keeps = true)
{
	struct thread *t = make_actor(0, ~0u, &first, note_it);

	stay_on(0);
	preempt_off();
	arch_spin_hint();		/* the other CPU's turn */
	start_actor(&first, t);
	while (!atomic_load_explicit(&ran, memory_order_relaxed))
		arch_spin_hint();
	preempt_on();
	end_here();
}

/* And the same for a thread that a more urgent one has interrupted. */
static int stay_until_it_ran(void)
{
	preempt_off();
	while (!atomic_load_explicit(&ran, memory_order_relaxed))
		arch_spin_hint();
	preempt_on();
	return 0;
}

SCENARIO(interrupted, "kick.interrupted", "08.4", "P8.7", .cpus = 2, .bootargs = STEALS,
	 .keeps = true)
{
	struct thread *t = make_actor(0, BIT(0), &first, stay_until_it_ran);
	struct thread *self = current_thread();
	struct runq *rq;

	stay_on(0);
	rq = thread_runq_lock(self);	/* the CPU that it has left may look at its mask again */
	self->affinity = self->se.affinity = ~0u;
	runq_unlock(rq);
	first.urgent = true;
	arch_spin_hint();		/* the other CPU's turn */
	start_actor(&first, t);
	note_it();
	end_here();
}

/* Two CPUs that stay busy have a thread each for the third one, which comes for both. */
static int keep_busy(void)
{
	preempt_off();
	begin_actor(1, BIT(1) | BIT(2), &second, count_it);
	while (ran < 2)
		arch_spin_hint();
	preempt_on();
	return 0;
}

SCENARIO(two_wakers, "kick.two_wakers", "08.4", "P8.7", .cpus = 3, .bootargs = STEALS,
	 .after = all_ran, .keeps = true)
{
	stay_on(0);
	preempt_off();
	begin_actor(1, BIT(1), &third, keep_busy);
	begin_actor(0, BIT(0) | BIT(2), &first, count_it);
	while (ran < 2)
		arch_spin_hint();
	preempt_on();
	end_here();
}

/* Only a CPU that may run the thread is told of it. */
static int not_on_1(void)
{
	expect(my_cpu() != 1, "it runs on CPU 1, which its mask forbids");
	return count_it();
}

SCENARIO(may_run, "kick.may_run", "08.4", "P8.6", .cpus = 3, .bootargs = STEALS,
	 .after = queues_are_empty, .keeps = true)
{
	stay_on(0);
	preempt_off();
	begin_actor(0, BIT(0) | BIT(2), &first, not_on_1);
	while (!ran)
		arch_spin_hint();
	preempt_on();
	end_here();
}

/*
 * Two wakers and two CPUs that have gone idle and cannot go on, as their queues are locked: each of
 * the wakers gets one.
 */
static struct thread probe;
static _Atomic bool other_is_done;

/* The probe may run on CPUs @mask. Interrupts and preemption stay off here. */
static void hold_idle_cpus(u32 mask)
{
	stay_on(0);
	probe.cpu = &cpus[0];
	probe.se.affinity = mask;
	preempt_off();
	while (atomic_load(&idle_mask) != 0xe)
		arch_spin_hint();
	irq_off();
	expect(spin_trylock(&cpus[2].runq.lock) && spin_trylock(&cpus[3].runq.lock),
	       "an idle CPU's queue is locked");
}

static void let_idle_cpus_go(void)
{
	spin_unlock(&cpus[3].runq.lock);
	spin_unlock(&cpus[2].runq.lock);
	irq_on();
	preempt_on();
	end_here();
}

static int tell_one(void)
{
	irq_off();
	kick_idle_for(&probe, NULL);
	irq_on();
	other_is_done = true;
	return 0;
}

SCENARIO(each_one, "kick.one_each", "08.4", "P8.6", .cpus = 4, .bootargs = STEALS, .keeps = true,
	 .sets_up = true)
{
	u32 not_told;

	hold_idle_cpus(0xc);
	begin_actor(1, BIT(1), &first, tell_one);
	explore_from_here();
	kick_idle_for(&probe, NULL);
	while (!other_is_done)
		arch_spin_hint();
	not_told = atomic_load(&idle_mask) & 0xc;
	expect(!not_told, "two CPUs idled, and two wakers looked for one: CPU %u was not told",
	       __builtin_ctz(not_told));
	let_idle_cpus_go();
}

/*
 * The same where each thread may run on one of the two only. A CPU that may not run a thread idles
 * on for other wakers, whatever this one does to find that out.
 */
static struct thread other_probe;
static bool other_told;

static int tell_cpu_2(void)
{
	other_probe.cpu = &cpus[1];
	other_probe.se.affinity = BIT(2);
	irq_off();
	other_told = kick_idle_for(&other_probe, NULL);
	irq_on();
	other_is_done = true;
	return 0;
}

SCENARIO(its_own, "kick.its_own", "08.4", "P8.7", .cpus = 4, .bootargs = STEALS, .keeps = true,
	 .sets_up = true)
{
	hold_idle_cpus(BIT(3));
	begin_actor(1, BIT(1), &first, tell_cpu_2);
	explore_from_here();
	expect(kick_idle_for(&probe, NULL), "CPU 3 idled, and its waker told nobody");
	while (!other_is_done)
		arch_spin_hint();
	expect(other_told, "CPU 2 idled, and its waker told nobody, as another one looked at it");
	let_idle_cpus_go();
}

/* Others take two of three idle CPUs, each of them when this waker has just seen it. */
static _Atomic bool other_begins, others_may_come;

static int take_two(void)
{
	other_begins = true;
	while (!others_may_come)
		arch_spin_hint();
	for (unsigned cpu = 1; cpu < 3; cpu++) {
		atomic_fetch_and(&idle_mask, ~BIT(cpu));
		arch_spin_hint();
	}
	return 0;
}

SCENARIO(loses_two, "kick.loses_two", "08.4", "P8.6", .cpus = 4, .bootargs = STEALS, .keeps = true,
	 .sets_up = true)
{
	hold_idle_cpus(0xe);
	begin_actor(1, BIT(1), &first, take_two);
	while (!other_begins)
		arch_spin_hint();
	atomic_fetch_or(&idle_mask, BIT(1));	/* as if CPU 1 idled, too */
	explore_from_here();
	others_may_come = true;
	expect(kick_idle_for(&probe, NULL), "three CPUs idled, others told two, and this one none");
	let_idle_cpus_go();
}

static _Atomic bool one_is_told;

/* CPU 1 takes itself from this waker, to which CPU 3 is near then, and CPU 2 is not. */
static int take_itself(void)
{
	other_begins = true;
	while (!others_may_come)
		arch_spin_hint();
	atomic_fetch_and(&idle_mask, ~BIT(1));
	while (!one_is_told)		/* its end makes others ready */
		arch_spin_hint();
	return 0;
}

SCENARIO(loses_near, "kick.loses_a_near_one", "08.4", "P8.6", .cpus = 4, .bootargs = STEALS,
	 .keeps = true, .sets_up = true)
{
	hold_idle_cpus(0xe);
	begin_actor(1, BIT(1), &first, take_itself);
	while (!other_begins)
		arch_spin_hint();
	nr_nodes = 2;
	cpus[2].node = 1;
	atomic_fetch_or(&idle_mask, BIT(1));	/* as if CPU 1 idled, too */
	explore_from_here();
	others_may_come = true;
	expect(kick_idle_for(&probe, NULL), "three CPUs idled, one was taken, and none is told");
	expect(atomic_load(&idle_mask) & BIT(2),
	       "one of two near CPUs was lost, and CPU 2 was told, which is not near");
	one_is_told = true;
	let_idle_cpus_go();
}

/*
 * The CPU that is told answers, finds nothing, and idles again, all before its waker goes on. After
 * that it can be told again.
 */
SCENARIO(answered, "kick.answered", "08.4", "P8.7", .cpus = 2, .bootargs = STEALS, .keeps = true,
	 .sets_up = true)
{
	probe.cpu = &cpus[0];
	probe.se.affinity = BIT(1);
	preempt_off();
	while (atomic_load(&idle_mask) != BIT(1))
		arch_spin_hint();
	explore_from_here();
	irq_off();
	kick_idle_for(&probe, NULL);
	irq_on();
	while (atomic_load(&idle_mask) != BIT(1))
		arch_spin_hint();
	preempt_on();
	end_here();
}

/*
 * A waker that took CPU 1 from the mask was slow to mark it, and CPU 1 had found another thread by
 * then: the mark stays until CPU 1 idles again. It says nothing about the next waker's thread.
 */
static _Atomic bool begun;

static int begin_and_wait(void)
{
	preempt_off();
	begun = true;
	run_until_told();
	preempt_on();
	return 0;
}

SCENARIO(marked_late, "kick.marked_late", "08.4", "P8.7", .cpus = 2, .bootargs = STEALS,
	 .after = queues_are_empty, .keeps = true, .sets_up = true)
{
	struct thread *t = make_actor(0, ~0u, &first, note_it);
	struct thread *other = make_actor(1, BIT(1), &second, begin_and_wait);

	stay_on(0);
	preempt_off();
	other->se.slice_left = SLICE_NEVER;	/* no timer makes CPU 1 look again */
	start_actor(&second, other);
	while (!begun)
		arch_spin_hint();
	atomic_fetch_or(&cpus[1].idle.work, WORK_RESCHED);
	explore_from_here();
	told = true;
	arch_spin_hint();		/* CPU 1 goes idle */
	start_actor(&first, t);
	while (!atomic_load_explicit(&ran, memory_order_relaxed))
		arch_spin_hint();
	preempt_on();
	end_here();
}
