/*
 * Lab 08, steps 2 and 4: a mask changes while its thread runs, waits, is picked, or changes it,
 * too.
 */
#include "cpus.h"

#include "sched/wait.h"

static struct actor first, second, third;
static _Atomic bool told;

static int run_until_told(void)
{
	while (!told)
		arch_spin_hint();
	return 0;
}

static int run_anywhere(void)
{
	return 0;
}

static void send_to(struct thread *t, unsigned cpu)
{
	int err = sched_set_affinity(t, BIT(cpu));

	expect(!err, "the new mask is refused: %d", err);
	expect(thread_cpu(t) == &cpus[cpu], "when the call returns it is on CPU %u",
	       thread_cpu(t)->id);
}

/* It is new, is picked, runs, or has just lost the CPU. Nothing else makes it leave CPU 1. */
SCENARIO(runs, "mask.against_switch", "08.2", "P8.2", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true)
{
	stay_here();
	begin_actor(1, BIT(1), &first, run_until_told);
	send_to(first.thread, 0);
	told = true;
	end_here();
}

static int run_in_section(void)
{
	preempt_off();
	run_until_told();
	preempt_on();
	return 0;
}

static int tell_late(void)
{
	expect(!thread_sleep(NSEC_PER_SEC), "a sleep failed");
	told = true;
	return 0;
}

static int only_sleep(void)
{
	return thread_sleep(NSEC_PER_SEC / 2);
}

/* It cannot leave for a second, and is waited for, also if it is to die. */
static void send_from_section(u32 work)
{
	stay_here();
	third.urgent = second.urgent = true;
	begin_actor(0, BIT(0), &second, tell_late);
	begin_actor(0, BIT(0), &third, only_sleep);
	begin_actor(1, BIT(1), &first, run_in_section);
	await_state(first.thread, THREAD_RUNNING);
	atomic_fetch_or(&first.thread->work, work);
	explore_from_here();
	send_to(first.thread, 0);
	expect(told, "it runs on CPU 1 still, which its mask forbids");
	atomic_fetch_and(&first.thread->work, ~work);
	end_here();
}

SCENARIO(section, "mask.in_section", "08.2", "P8.2", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true, .sets_up = true, .no_costume = true)
{
	send_from_section(0);
}

SCENARIO(dying, "mask.of_the_dying", "08.2", "P8.2", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true, .sets_up = true, .no_costume = true)
{
	send_from_section(WORK_KILL);
}

/* It blocks at any moment, and for ever: it is moved at once, or when it would wake. */
SCENARIO(blocks, "mask.blocks", "08.2", "P8.2", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true)
{
	stay_here();
	begin_actor(1, BIT(1), &first, run_anywhere);
	expect(!sched_set_affinity(first.thread, BIT(0)), "the new mask is refused");
	end_here();
}

static int end_at_once(void *unused)
{
	(void)unused;
	return 0;
}

/* It ends at any moment: then it needs no CPU. */
SCENARIO(ends, "mask.ends", "08.2", "P8.2", .cpus = 2, .bootargs = ALONE, .after = queues_are_empty)
{
	struct thread *t = thread_create("thread", end_at_once, NULL, PRIORITY_DEFAULT);

	stay_here();
	t->affinity = t->se.affinity = BIT(1);
	t->cpu = &cpus[1];
	thread_resume(t);
	expect(!sched_set_affinity(t, BIT(0)), "the new mask is refused");
	join(t);
}

/* Two that share a CPU are sent away; one of them runs. */
SCENARIO(two, "mask.two", "08.2", "P8.2", .cpus = 2, .bootargs = ALONE, .after = queues_are_empty,
	 .keeps = true)
{
	stay_here();
	begin_actor(1, BIT(1), &first, run_until_told);
	begin_actor(1, BIT(1), &second, run_until_told);
	send_to(first.thread, 0);
	send_to(second.thread, 0);
	told = true;
	end_here();
}

/* A thread moves itself. */
static int move_away(void)
{
	int err = sched_set_affinity(current_thread(), BIT(0));

	expect(!err && my_cpu() == 0, "it may run on CPU 0 alone, and runs on CPU %u", my_cpu());
	return err;
}

SCENARIO(itself, "mask.itself", "08.2", "P8.2", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true)
{
	begin_actor(1, BIT(1), &first, move_away);
	end_here();
}

/* Each of two threads forbids the other its CPU. */
static int send_second(void)
{
	return sched_set_affinity(second.thread, BIT(0));
}

static int send_first(void)
{
	return sched_set_affinity(first.thread, BIT(1));
}

SCENARIO(each_other, "mask.of_each_other", "08.2", "P8.2", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true)
{
	struct thread *t = make_actor(1, BIT(1), &second, send_first);

	second.thread = t;
	begin_actor(0, BIT(0), &first, send_second);
	start_actor(&second, t);
	end_here();
}

/* Two CPUs send one thread to and fro: the later mask counts when both calls have returned. */
static _Atomic bool sent_back;

static int send_back(void)
{
	int err = sched_set_affinity(first.thread, BIT(0));

	sent_back = true;
	return err;
}

static int run_where_allowed(void)
{
	run_until_told();
	expect(current_thread()->se.affinity & BIT(my_cpu()),
	       "both calls have returned, and it runs on CPU %u, which its mask forbids", my_cpu());
	return 0;
}

SCENARIO(twice, "mask.twice", "08.2", "P8.2", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true)
{
	stay_here();
	begin_actor(1, BIT(1), &first, run_where_allowed);
	begin_actor(1, BIT(1), &second, send_back);
	expect(!sched_set_affinity(first.thread, BIT(1)), "the new mask is refused");
	while (!sent_back)
		arch_spin_hint();
	told = true;
	end_here();
}

/* The same where it waits: a mask that was looked at before a lock is an old one behind it. */
SCENARIO(twice_in_queue, "mask.twice_in_queue", "08.2", "P8.2", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true, .no_costume = true)
{
	stay_here();
	preempt_off();
	begin_actor(0, ~0u, &first, run_where_allowed);
	begin_actor(1, BIT(1), &second, send_back);
	expect(!sched_set_affinity(first.thread, BIT(1)), "the new mask is refused");
	while (!sent_back)
		arch_spin_hint();
	told = true;
	preempt_on();
	end_here();
}

/* --- Two movers, and a thread that waits on a third CPU --------------------------------------- */

static _Atomic bool moved;
static unsigned stays_at;
static u32 other_mask;

static int move_it_too(void)
{
	int err = sched_set_affinity(second.thread, other_mask);

	stays_at = thread_cpu(second.thread)->id;
	moved = true;
	run_until_told();
	return err;
}

static void two_move(u32 mask)
{
	unsigned at;
	u32 last;

	stay_here();
	preempt_off();
	begin_actor(2, BIT(2), &first, run_in_section);
	while (thread_state(first.thread) != THREAD_RUNNING)
		arch_spin_hint();
	begin_actor(2, BIT(2), &second, run_anywhere);
	other_mask = mask;
	begin_actor(1, BIT(1), &third, move_it_too);
	explore_from_here();
	expect(!sched_set_affinity(second.thread, BIT(0)), "the new mask is refused");
	while (!moved)
		arch_spin_hint();
	at = thread_cpu(second.thread)->id;
	last = second.thread->affinity;
	/* One that has run, and blocks, may stay there until it wakes. */
	expect(last & BIT(at) || thread_state(second.thread) == THREAD_BLOCKED,
	       "it may use CPUs %x, and waits on CPU %u", last, at);
	expect(last == BIT(0) || mask == BIT(1) || at == stays_at,
	       "it waited on CPU %u, which its new mask allows, and is on CPU %u", stays_at, at);
	told = true;
	preempt_on();
	end_here();
}

SCENARIO(movers, "mask.two_movers", "08.2", "P8.1", .cpus = 3, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true, .sets_up = true, .no_costume = true)
{
	two_move(BIT(1));
}

/* One of them allows all CPUs, so the thread is to stay. */
SCENARIO(allowed, "mask.may_stay", "08.2", "P8.3", .cpus = 3, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true, .sets_up = true, .no_costume = true)
{
	two_move(BIT(0) | BIT(1) | BIT(2));
}

static int take_back(void)
{
	int err = sched_set_affinity(current_thread(), BIT(1));

	run_until_told();
	return err;
}

/* A thread that is sent away allows itself its CPU again: whoever waits for it to leave goes on. */
SCENARIO(taken_back, "mask.taken_back", "08.2", "P8.2", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true)
{
	stay_here();
	begin_actor(1, BIT(1), &first, take_back);
	expect(!sched_set_affinity(first.thread, BIT(0)), "the new mask is refused");
	told = true;
	end_here();
}

static int say_it_ran(void)
{
	told = true;
	return 0;
}

/* A thread that waits behind a busy CPU may now run on an idle one, which has to be told. */
SCENARIO(widened, "mask.widened", "08.4", "P8.7", .cpus = 2, .bootargs = "balance=off",
	 .after = queues_are_empty, .keeps = true)
{
	stay_here();
	preempt_off();
	begin_actor(0, BIT(0), &first, say_it_ran);
	expect(!sched_set_affinity(first.thread, ~0u), "the new mask is refused");
	while (!told)
		arch_spin_hint();
	preempt_on();
	end_here();
}

/* The same where it is a real-time thread, and the other CPU is busy with one that is not. */
SCENARIO(widened_urgent, "mask.widened_urgent", "08.2", "P8.3", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true, .no_costume = true)
{
	stay_here();
	be_urgent();
	begin_actor(1, BIT(1), &second, run_until_told);
	while (thread_state(second.thread) != THREAD_RUNNING)
		arch_spin_hint();
	first.urgent = true;
	begin_actor(0, BIT(0), &first, say_it_ran);
	expect(!sched_set_affinity(first.thread, ~0u), "the new mask is refused");
	while (!told)
		arch_spin_hint();
	end_here();
}

/*
 * It is sent away while it waits, and the first CPU that it may use runs a more urgent one: then it
 * is offered to the other one, which runs a normal thread, wherever it was moved first.
 */
SCENARIO(moved_urgent, "mask.moved_urgent", "08.2", "P8.3", .cpus = 3, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true, .no_costume = true)
{
	struct thread *t = make_actor(1, BIT(1), &second, run_until_told);

	stay_here();
	be_urgent();
	policy_set_params(&t->se, &MOST_URGENT, time_now());
	first.urgent = true;
	start_actor(&second, t);
	begin_actor(2, BIT(2), &third, run_until_told);
	while (thread_state(second.thread) != THREAD_RUNNING ||
	       thread_state(third.thread) != THREAD_RUNNING)
		arch_spin_hint();
	begin_actor(0, BIT(0), &first, say_it_ran);
	expect(!sched_set_affinity(first.thread, BIT(1) | BIT(2)), "the new mask is refused");
	while (!told)
		arch_spin_hint();
	end_here();
}
