/*
 * Lab 04, steps 1, 2 and 4: the sleep queues of two CPUs, and many deadlines in one.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "process/signal_impl.h"
#include "sched/cpu.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor other, waits[4];
static struct thread *waiter;		/* the scenario's own */
static int result;			/* of its sleep or wait */

/* --- By hand, with interrupts off: no timer expires these ------------------------------------- */

static struct waiter armed[1100];

static void arm_as(struct thread *owner, unsigned flags, unsigned i, u64 deadline)
{
	waiter_init(&armed[i], flags);
	armed[i].thread = owner;
	sleepq_arm(&armed[i], deadline);
	expect(atomic_load(&armed[i].why) == WAIT_ARMED,
	       "a deadline at %lu was armed, and its wait was over before any expiry", deadline);
}

static void arm(unsigned i, u64 deadline)
{
	arm_as(current_thread(), 0, i, deadline);
}

static const char *nothing_armed_on(struct cpu *c)
{
	u64 first;

	if (sleepq_next(&c->sleepq, &first))
		return wrong("a deadline at %lu is armed after all", first);
	return c->sleepq.nr ? wrong("no deadline is armed, and the queue counts %u", c->sleepq.nr)
			    : NULL;
}

static const char *nothing_armed(void)
{
	const char *bad = nothing_armed_on(&cpus[0]);

	return bad || nr_cpus == 1 ? bad : nothing_armed_on(&cpus[1]);
}

#define ROUNDS	4			/* two orders of the waiters, two of the threads */
static struct waiter *earlier, *later;	/* in the order in which they are armed */
static _Atomic unsigned turn;		/* even: this CPU's, odd: the watcher's */

static int watch(void)
{
	for (unsigned i = 1; i < 2 * ROUNDS; i += 2) {
		while (atomic_load(&turn) != i || atomic_load(&later->why) == WAIT_ARMED)
			arch_spin_hint();
		expect(atomic_load(&earlier->why) != WAIT_ARMED,
		       "of two equal deadlines the one that was armed later is over first");
		atomic_store(&turn, i + 1);
	}
	return 0;
}

/*
 * The two deadlines are of either thread, of which one is a real-time thread and the other one's
 * wait is unkillable, and the first is either waiter.
 */
SCENARIO(equal, "sleepq.equal", "04.1", "P4.2", .cpus = 2, .sets_up = true, .keeps = true)
{
	static const unsigned flags[] = { WAIT_UNKILLABLE, 0 };
	struct thread *owners[] = { thread_create("low", NULL, NULL, PRIORITY_LOW),
				    thread_create("urgent", NULL, NULL, PRIORITY_HIGHEST) };

	act_on(1, &other, watch);
	explore_from_here();
	for (unsigned i = 0; i < ROUNDS; i++) {
		irq_off();
		earlier = &armed[i & 1];
		later = &armed[!(i & 1)];
		for (unsigned k = 0; k < 2; k++) {
			unsigned who = k ^ i >> 1;

			arm_as(owners[who], flags[who], k ^ (i & 1), 1000);
		}
		atomic_store(&turn, 2 * i + 1);
		sleepq_expire(&this_cpu()->sleepq, 1000);
		irq_on();
		while (atomic_load(&turn) != 2 * i + 2)
			arch_spin_hint();
	}
	end_here();
}

/*
 * All that are due leave in the same tick, however many, and no others; some have been claimed
 * already. Their thread is to stop, which it does when its wait is over.
 */
SCENARIO(many, "sleepq.many", "04.1", "P4.2", .cpus = 1, .after = nothing_armed,
	 .keeps = true)
{
	const unsigned n = ARRAY_SIZE(armed);
	u64 first;

	irq_off();
	atomic_fetch_or(&current_thread()->work, WORK_SUSPEND);
	for (unsigned i = 0; i < n; i++)
		arm(i, 1000 + i * 7 % n);
	for (unsigned i = 0; i < n; i += 3)
		expect(waiter_swap(&armed[i], WAIT_EVENT, 0), "an armed wait cannot be claimed");
	for (unsigned due = n / 2; due <= n; due += n / 2) {
		sleepq_expire(&this_cpu()->sleepq, 1000 + due - 1);
		for (unsigned i = 0; i < n; i++) {
			enum wait_why why = atomic_load(&armed[i].why);
			enum wait_why unclaimed = i * 7 % n < due ? WAIT_TIMEOUT : WAIT_ARMED;

			expect(why == (i % 3 ? unclaimed : WAIT_EVENT),
			       "%u of %u deadlines are due, and wait %u has ended with %d", due, n,
			       i, why);
		}
	}
	expect(!this_cpu()->sleepq.nr && !sleepq_next(&this_cpu()->sleepq, &first),
	       "all deadlines were due, and an expiry has left some in the queue");
	for (unsigned i = 0; i < n; i++)
		sleepq_cancel(&armed[i]);
	atomic_fetch_and(&current_thread()->work, ~WORK_SUSPEND);
	irq_on();
	end_here();
}

/* SLEEP2; the timer that ends the slice is the same one. Set for the past, it is set for now. */
static void expect_timer(u64 at)
{
	if (time_before(at, time_now()))
		at = time_now();
	expect(!timer_is_late(this_cpu(), at), "a deadline is at %lu, and the timer is set for %lu",
	       at, this_cpu()->timer_armed ? this_cpu()->timer_at : 0);
}

static const u8 levels[] = { PRIORITY_LOWEST, PRIORITY_HIGHEST, PRIORITY_LOW, PRIORITY_HIGH };
static struct thread *ranks[ARRAY_SIZE(levels)];

static void make_ranks(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(levels); i++)
		ranks[i] = thread_create("waiter", NULL, NULL, levels[i]);
}

/*
 * Each deadline is earlier than the one before, and sets the timer, whichever thread it is of, and
 * whatever that is to do when its wait is over.
 */
static void expect_timer_for_each_rank(void)
{
	static const u32 works[ARRAY_SIZE(levels)] = { 0, WORK_SUSPEND, WORK_SIGNAL, WORK_KILL };

	for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
		atomic_fetch_or(&ranks[i]->work, works[i]);
		arm_as(ranks[i], WAIT_UNKILLABLE, i, 900 - 100 * i);
		expect_timer(900 - 100 * i);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(levels); i++)
		sleepq_cancel(&armed[i]);
}

/*
 * The timer is set for an earlier time already: for the end of a slice, or for a timer. It stays so
 * when the first deadline is cancelled and another one becomes the first, and the timer is needed
 * then even if that deadline had set it for a time before. If it is not set at all, a deadline sets
 * it, however far that is; and so does an earlier one, however much earlier.
 */
SCENARIO(timer_is_shared, "sleepq.timer_is_shared", "04.2", "P4.5", .cpus = 1,
	 .after = nothing_armed, .keeps = true)
{
	make_ranks();
	irq_off();
	timer_arm(500);
	arm(0, 1000);
	expect_timer(500);
	sleepq_cancel(&armed[0]);
	expect_timer(500);
	timer_arm(300);
	arm(2, 900);
	arm(1, 400);
	expect_timer(300);
	sleepq_cancel(&armed[1]);
	expect_timer(300);
	sleepq_cancel(&armed[2]);
	this_cpu()->timer_armed = false;
	timer_arm(700);
	arm(1, 600);
	sleepq_cancel(&armed[1]);
	expect_timer(700);
	arm(1, 600);
	arm(2, 900);
	sleepq_cancel(&armed[1]);
	expect_timer(700);
	sleepq_cancel(&armed[2]);
	expect_timer(700);
	this_cpu()->timer_armed = false;
	arm(3, 1UL << 50);
	expect_timer(1UL << 50);
	arm(0, (1UL << 50) - (3UL << 30));	/* whose lower halves are in the other order */
	expect_timer((1UL << 50) - (3UL << 30));
	sleepq_cancel(&armed[0]);
	sleepq_cancel(&armed[3]);
	expect_timer_for_each_rank();
	irq_on();
	end_here();
}

static int cancel_elsewhere(void)
{
	irq_off();
	arm(2, 2000);
	sleepq_cancel(&armed[0]);
	expect_timer(2000);
	sleepq_cancel(&armed[2]);
	irq_on();
	return 0;
}

/* Both CPUs cancel deadlines of CPU 0; CPU 1 has one of its own. */
SCENARIO(two_cancel, "sleepq.two_cancel", "04.4", "P4.12", .cpus = 2, .after = nothing_armed,
	 .keeps = true)
{
	irq_off();
	arm(0, 1000);
	arm(1, 5000);
	act_on(1, &other, cancel_elsewhere);
	sleepq_cancel(&armed[1]);
	irq_on();
	end_here();
}

static int cancel_the_later(void)
{
	irq_off();
	sleepq_cancel(&armed[1]);
	irq_on();
	return 0;
}

/* CPU 1 may have the queue locked just then: what is due leaves it in this tick all the same. */
SCENARIO(busy, "sleepq.busy", "04.4", "P4.2", .cpus = 2, .after = nothing_armed, .keeps = true)
{
	irq_off();
	arm(0, 1000);
	arm(1, 5000);
	act_on(1, &other, cancel_the_later);
	sleepq_expire(&this_cpu()->sleepq, 1000);
	expect(atomic_load(&armed[0].why) == WAIT_TIMEOUT,
	       "a deadline was due, and its wait was not over after the expiry");
	sleepq_cancel(&armed[0]);
	irq_on();
	end_here();
}

/* --- A thread that is moved while it arms its deadline ---------------------------------------- */

static int move(void)
{
	sched_set_affinity(waiter, BIT(1));
	return 0;
}

/* SLEEP2, as a thread of CPU 0 finds it when the sleeper has left. */
static int check_timer(void)
{
	u64 first;

	irq_off();
	if (sleepq_next(&this_cpu()->sleepq, &first))
		expect_timer(first);
	irq_on();
	return 0;
}

static const char *slept(void)
{
	return result ? wrong("the sleep returned %d", result) : NULL;
}

/* The deadline stays with the CPU on which it was armed, and so does the timer. */
SCENARIO(moved, "sleeper.moved", "04.2", "P4.5", .cpus = 2, .after = slept, .keeps = true)
{
	waiter = current_thread();
	act_on(1, &other, move);
	act_on(0, &waits[0], check_timer);
	result = thread_sleep_until(deadline_at(1000));
	end_here();
}

static _Atomic bool awake;

static int check_when_asleep(void)
{
	while (thread_state(waiter) != THREAD_SLEEPING &&
	       !atomic_load_explicit(&awake, memory_order_relaxed))
		arch_spin_hint();
	return check_timer();
}

/*
 * The same if its slice ends while it arms the deadline, and the idle CPU steals it: the CPU that
 * it has left has no deadline then, or its timer is set for it.
 */
SCENARIO(stolen, "sleeper.stolen", "04.2", "P4.5", .cpus = 2, .after = slept, .keeps = true)
{
	waiter = current_thread();
	act_on(0, &waits[0], check_when_asleep);
	result = thread_sleep_until(deadline_at(1000));
	atomic_store_explicit(&awake, true, memory_order_relaxed);
	end_here();
}

/* --- Signals ---------------------------------------------------------------------------------- */

static int tell(void)
{
	signal_tell(waiter);
	return 0;
}

static const char *interrupted(int timeout)
{
	return result == -EINTR || result == timeout
		       ? NULL
		       : wrong("with a signal it returned %d", result);
}

static const char *slept_or_interrupted(void)
{
	return interrupted(0);
}

SCENARIO(signalled_sleep, "sleeper.signalled", "04.4", "P4.12", .cpus = 2,
	 .after = slept_or_interrupted, .keeps = true)
{
	waiter = current_thread();
	act_on(1, &other, tell);
	result = thread_sleep_until(deadline_at(1000));
	end_here();
}

static const char *timeout_or_interrupted(void)
{
	return q.nr ? "a waiter is still in the queue" : interrupted(-ETIMEDOUT);
}

SCENARIO(signalled_wait, "ends.signal_timeout", "04.4", "P4.12", .cpus = 2,
	 .after = timeout_or_interrupted, .keeps = true)
{
	waiter = current_thread();
	act_on(1, &other, tell);
	result = wait_block(&q, deadline_at(1000));
	end_here();
}

/* --- The largest and the smallest time -------------------------------------------------------- */

static int sleep_to_last(void)
{
	return thread_sleep_until(deadline_at(-1UL));
}

static int sleep_to_0(void)
{
	return thread_sleep_until(deadline_at(0));
}

static int wait_to(u64 deadline)
{
	int err = wait_block(&q, deadline_at(deadline));

	expect(!time_before(time_now(), deadline), "the wait ended %lu ns early",
	       deadline - time_now());
	return err;
}

static int wait_to_last(void)
{
	return wait_to(-1UL);
}

static int wait_to_0(void)
{
	return wait_to(0);
}

static const char *all_in_time(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(waits); i++)
		if (waits[i].result != (i < 2 ? 0 : -ETIMEDOUT))
			return wrong("number %u returned %d", i, waits[i].result);
	return NULL;
}

/* Neither of them means that there is no deadline, to sleeps or to waits. */
SCENARIO(ends_of_time, "sleeper.ends_of_time", "04.4", "P4.4", .cpus = 1, .after = all_in_time,
	 .keeps = true)
{
	static int (*const runs[])(void) = { sleep_to_last, sleep_to_0, wait_to_last, wait_to_0 };

	clock_offset = -2000UL - arch_clock_ns();
	for (unsigned i = 0; i < ARRAY_SIZE(waits); i++)
		act_on(0, &waits[i], runs[i]);
	end_here();
}

static int sleep_to_farthest(void)
{
	return thread_sleep_until(deadline_in(-1UL));
}

static int wait_to_farthest(void)
{
	struct deadline d = deadline_in(-1UL);

	expect(d.kind == DEADLINE_KIND_AT, "a deadline far ahead is of kind %d", d.kind);
	return wait_to(d.at);
}

static const char *both_in_time(void)
{
	return waits[0].result || waits[1].result != -ETIMEDOUT
		       ? wrong("the sleep returned %d, the wait %d", waits[0].result,
			       waits[1].result)
		       : NULL;
}

/* As far ahead as deadlines can be: the clock goes there at once, as no thread runs. */
SCENARIO(farthest, "sleeper.farthest", "04.4", "P4.4", .cpus = 1, .after = both_in_time,
	 .keeps = true)
{
	act_on(0, &waits[0], sleep_to_farthest);
	act_on(0, &waits[1], wait_to_farthest);
	end_here();
}
