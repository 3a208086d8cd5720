/*
 * Lab 04, step 4: event, deadline and kill may all end a wait. Exactly one of them does, and
 * nothing of the wait is left behind.
 */
#include "base/bootargs.h"
#include "waiters.h"

static struct wait_queue queue = WAIT_QUEUE_INIT(queue);

static struct waiting {
	struct deadline d;
	struct thread *thread;
	u64 returned;		/* the time when the wait returned */
	bool too_early;		/* it returned while park slot 0 still held the other side */
	_Atomic bool done;
	int err;
} waits[2];

static int wait_once(void *arg)
{
	struct waiting *w = arg;
	int err;

	spin_lock(&queue.lock);
	err = wait_block_locked(&queue, w->d, 0);
	w->too_early = !park_timed_out(0);
	spin_unlock(&queue.lock);
	w->returned = time_now();
	w->err = err;
	w->done = true;
	return err;
}

static int sleep_once(void *arg)
{
	struct waiting *w = arg;

	w->err = thread_sleep_until(w->d);
	w->returned = time_now();
	w->done = true;
	return w->err;
}

/* Starts wait @i on the CPUs of @mask and lets it block. */
static void start_wait(unsigned i, u32 mask, thread_fn fn, struct deadline d, const char *property)
{
	struct waiting *w = &waits[i];
	enum thread_state s;

	w->d = d;
	w->done = false;
	w->thread = started_on(mask, fn, w);
	AWAIT((s = thread_state(w->thread)) == THREAD_BLOCKED || s == THREAD_SLEEPING);
	s = thread_state(w->thread);
	REQUIRE(s == THREAD_BLOCKED || s == THREAD_SLEEPING, property, "a waiter is %s",
		thread_state_name(s));
}

static int result_of(unsigned i, const char *property)
{
	REQUIRE(AWAIT(waits[i].done), property, "waiter %u never returned", i);
	thread_join(waits[i].thread, NULL, DEADLINE_NEVER);
	return waits[i].err;
}

KTEST(wait_timeout, "wait.timeout", "04.4", "P4.11")
{
	u64 from = time_now(), took;
	int err;

	start_wait(0, ~0u, wait_once, deadline_at(from + 5 * MS), "P4.11");
	start_wait(1, ~0u, wait_once, DEADLINE_NEVER, "P4.11");
	thread_sleep_until(deadline_at(from + 10 * MS));
	err = result_of(0, "P4.11");
	took = waits[0].returned - from;
	CHECK(err == -ETIMEDOUT, "P4.11", "a wait that nobody ended returned %d", err);
	CHECK(took >= 5 * MS, "P4.11", "a wait of 5000 us returned after %lu us", took / 1000);
	CHECK(took < 5 * MS + LATE, "P4.11", "a wait of 5000 us returned after %lu us",
	      took / 1000);
	CHECK(queue.nr == 1, "P4.12", "after one of two waiters has timed out the queue counts %u",
	      queue.nr);
	CHECK(wait_wake_one(&queue, 3) == 1, "P4.11", "a wake-up woke nobody");
	err = result_of(1, "P4.11");
	CHECK(err == 3, "P4.11", "the waiter behind one that had timed out got %d", err);
	CHECK(armed_deadlines() == 0, "P4.12", "%u deadlines are armed, but no thread waits",
	      armed_deadlines());
	audit();
}

/* An event cancels the first deadline; the second sleeper must still wake in time. */
KTEST(wait_head_cancelled, "wait.head_cancelled", "04.4", "P4.5")
{
	u64 from = time_now(), late;
	int err;

	start_wait(0, ~0u, wait_once, deadline_at(from + 5 * MS), "P4.11");
	start_wait(1, ~0u, sleep_once, deadline_at(from + 9 * MS), "P4.11");
	CHECK(wait_wake_one(&queue, 4) == 1, "P4.11", "a wake-up woke nobody");
	err = result_of(0, "P4.11");
	CHECK(err == 4, "P4.11", "woken before its deadline, it got %d", err);
	CHECK(armed_deadlines() == 1, "P4.12",
	      "one of two threads with a deadline was woken, and %u deadlines are armed",
	      armed_deadlines());
	thread_sleep_until(deadline_at(from + 15 * MS));
	result_of(1, "P4.5");
	late = waits[1].returned - waits[1].d.at;
	CHECK(late < LATE, "P4.5",
	      "when the first deadline was cancelled, the second woke %lu us late", late / 1000);
}

/* --- Event and timeout in the same instant ---------------------------------------------------- */

static int woke, token;

static void wake_now(void *unused)
{
	(void)unused;
	woke = wait_wake_one(&queue, token);
}

/* On 1 CPU: the event comes @step instructions into wait_block_locked(), close to the deadline. */
KTEST(wait_both, "wait.both", "04.4", "P4.10")
{
	unsigned shift = bootarg_number("shift", 0, 0, 10), armed = armed_deadlines(), events = 0;
	unsigned step;

	NEEDS_ONE_CPU;
	sweep_action = wake_now;
	for (step = ktest_seed() % STRIDE; step < 3000; step += STRIDE) {
		int err;

		token = step + 1;
		woke = 0;
		spin_lock(&queue.lock);
		sweep_arm("wait_block_locked", current_thread(), step);
		err = wait_block_locked(&queue, deadline_at(time_now() + ((step + 400ul) << shift)),
					0);
		spin_unlock(&queue.lock);
		REQUIRE(err == (woke ? token : -ETIMEDOUT), "P4.10",
			"although the event had %sclaimed the wait, it returned %d",
			woke ? "" : "not ", err);
		REQUIRE(queue.nr == 0 && armed_deadlines() == armed, "P4.12",
			"it returned with %u places in the queue and %u deadlines armed", queue.nr,
			armed_deadlines() - armed);
		events += woke;
	}
	sweep_action = NULL;
	ktest_figure("events", events);
	CHECK(events > 0, "P4.10", "no event came before the deadline");
}

#define STORM_WAITERS	4
#define STORM_ROUNDS	40

static _Atomic unsigned storming;	/* waiters that have not finished */
static _Atomic u64 sent, sent_sum, got, got_sum;

static int storm_waiter(void *unused)
{
	(void)unused;
	for (unsigned round = 0; round < STORM_ROUNDS; round++) {
		int err;

		spin_lock(&queue.lock);
		err = wait_block_locked(&queue, deadline_in(1 + test_random() % 60000), 0);
		spin_unlock(&queue.lock);
		if (err > 0) {
			got++;
			got_sum += err;
		} else {
			CHECK(err == -ETIMEDOUT, "P4.10", "a wait returned %d", err);
		}
	}
	storming--;
	return 0;
}

static int storm_waker(void *arg)
{
	for (int n = (int)(u64)arg; storming; n += 2) {
		u64 until = time_now() + test_random() % 20000;

		if (wait_wake_one(&queue, n)) {
			sent++;
			sent_sum += n;
		}
		while (time_before(time_now(), until))
			thread_yield();
	}
	return 0;
}

/* On several CPUs, random wake-ups and deadlines: each wake-up ends exactly one wait. */
KTEST(wait_storm, "wait.storm", "04.4", "P4.10")
{
	struct thread *t[STORM_WAITERS + 2];

	NEEDS_TWO_CPUS;
	storming = STORM_WAITERS;
	for (unsigned i = 0; i < STORM_WAITERS; i++)
		t[i] = started(storm_waiter, NULL);
	for (u64 i = 0; i < 2; i++)
		t[STORM_WAITERS + i] = started(storm_waker, (void *)(i + 1));
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++)
		thread_join(t[i], NULL, DEADLINE_NEVER);
	ktest_figure("events", got);
	CHECK(got == sent, "P4.10", "%lu wake-ups found a waiter, %lu waits ended by one", sent,
	      got);
	CHECK(got_sum == sent_sum, "P4.10", "what the waits returned is not what the wakers sent");
	CHECK(queue.nr == 0 && armed_deadlines() == 0, "P4.12",
	      "afterwards %u places and %u deadlines are left", queue.nr, armed_deadlines());
	audit();
}

/* --- Two CPUs claim one wait, and no lock keeps them apart ------------------------------------ */

#define CONTESTS	300

static struct waiter contested;
static _Atomic unsigned contest, ready[2], away, finished;	/* numbers of rounds, from 1 */
static bool claimed[2];

/*
 * Claimer 0 sets `away` and claims @round loops later, so that over the rounds its CPU's turn ends
 * after each instruction of the claim. Claimer 1 claims as soon as it sees `away`.
 */
static int claimer(void *arg)
{
	unsigned me = (u64)arg;

	for (unsigned round = 1; round <= CONTESTS; round++) {
		while (contest != round || thread_state(contested.thread) != THREAD_BLOCKED)
			thread_yield();
		ready[me] = round;
		while (ready[!me] != round || (me && away != round))
			arch_spin_hint();
		if (!me)
			away = round;
		for (volatile unsigned i = 0; !me && i < round; i++)
			;
		claimed[me] = waiter_claim(&contested, WAIT_EVENT, (int)me + 1);
		finished++;
	}
	return 0;
}

KTEST(wait_contested, "wait.contested", "04.4", "P4.10")
{
	struct thread *t[2];

	NEEDS_TWO_CPUS;
	for (u64 i = 0; i < 2; i++)
		t[i] = started_on(BIT(i), claimer, (void *)i);
	for (unsigned round = 1; round <= CONTESTS; round++) {
		int err;

		waiter_init(&contested, 0);
		contest = round;
		err = waiter_block(&contested, DEADLINE_NEVER);
		while (finished < 2 * round)
			thread_yield();
		REQUIRE(claimed[0] + claimed[1] == 1, "P4.10", "%s of two claimers won the wait",
			claimed[0] ? "both" : "none");
		/* The status is there only now: waiter_block() may return before it is written. */
		CHECK(!err && contested.status == 1 + claimed[1], "P4.10",
		      "claimer %u won, but the wait returned %d with status %d", 1 + claimed[1],
		      err, contested.status);
	}
	for (unsigned i = 0; i < 2; i++)
		thread_join(t[i], NULL, DEADLINE_NEVER);
}

/* Runs in the timer interrupt that the sweep forces. */
static void claim_now(void *unused)
{
	(void)unused;
	claimed[1] = waiter_swap(&contested, WAIT_EVENT, 2);
}

/* On 1 CPU: a second claim comes after each instruction of the first one. */
KTEST(wait_swept_claim, "wait.swept_claim", "04.4", "P4.10")
{
	unsigned step = 0;

	NEEDS_ONE_CPU;
	sweep_action = claim_now;
	do {
		waiter_init(&contested, 0);
		claimed[1] = false;
		sweep_arm("waiter_swap", current_thread(), step++);
		claimed[0] = waiter_swap(&contested, WAIT_EVENT, 1);
		REQUIRE(claimed[0] + claimed[1] == 1, "P4.10", "%s of two claimers won the wait",
			claimed[0] ? "both" : "none");
		CHECK(contested.status == 1 + claimed[1], "P4.10",
		      "claimer %u won, and the wait has status %d", 1 + claimed[1],
		      contested.status);
	} while (sweep_hit() && step < 4000);
	sweep_action = NULL;
	CHECK(step > 10, "P4.10", "the claim took %u steps", step);
}

/* --- On return no other CPU has a pointer to the waiter: the tests park a CPU that has one ---- */

/* On 2 CPUs: an expiry has found a waiter and is parked; on the other CPU an event wakes it. */
KTEST(wait_held_expiry, "wait.held_expiry", "04.4", "P4.12")
{
	int err;

	NEEDS_TWO_CPUS;
	sched_set_affinity(current_thread(), BIT(0));
	start_wait(0, BIT(1), wait_once, deadline_in(2 * MS), "P4.12");
	sched_set_affinity(waits[0].thread, BIT(0));	/* it runs here when it is woken */
	park_arm(0, "waiter_swap", AT_ENTRY, NULL, 3 * MS);
	REQUIRE(park_wait(0, 20 * MS), "P4.12", "no expiry came to waiter_swap()");
	woke = wait_wake_one(&queue, 5);
	err = result_of(0, "P4.12");
	CHECK(!waits[0].too_early, "P4.12",
	      "the wait returned while an expiry still had a pointer to its waiter");
	CHECK(err == (woke ? 5 : -ETIMEDOUT), "P4.10",
	      "the event %s first, but the wait returned %d", woke ? "was" : "was not", err);
	sched_set_affinity(current_thread(), ~0u);
}

/* On 2 CPUs: a waker has found a waiter, and is parked until the waiter has timed out. */
KTEST(wait_held_waker, "wait.held_waker", "04.4", "P4.12")
{
	int err;

	NEEDS_TWO_CPUS;
	sched_set_affinity(current_thread(), BIT(0));
	start_wait(0, BIT(1), wait_once, deadline_in(3 * MS), "P4.12");
	start_wait(1, BIT(1), wait_once, DEADLINE_NEVER, "P4.12");
	park_arm(0, "waiter_swap", AT_ENTRY, current_thread(), 6 * MS);
	woke = wait_wake_one(&queue, 6);
	err = result_of(0, "P4.12");
	CHECK(err == -ETIMEDOUT, "P4.10", "the first waiter's deadline came first; it got %d", err);
	CHECK(!waits[0].too_early, "P4.12",
	      "the wait returned while a waker still had a pointer to its waiter");
	CHECK(woke == 1, "P4.11", "the wake-up was used up by a waiter that had timed out");
	if (!woke)
		wait_wake_one(&queue, 0);
	err = result_of(1, "P4.11");
	CHECK(err == 6 || !woke, "P4.11", "the second waiter got %d", err);
	sched_set_affinity(current_thread(), ~0u);
}

/* --- Killed ----------------------------------------------------------------------------------- */

static void kill_it(thread_fn fn, struct deadline d, const char *what)
{
	u64 from;
	int err;

	start_wait(0, ~0u, fn, d, "P4.13");
	from = time_now();
	thread_kill(waits[0].thread);
	err = result_of(0, "P4.13");
	CHECK(err == -EINTR, "P4.13", "%s was killed and got %d", what, err);
	CHECK(waits[0].returned - from < LATE, "P4.13", "%s was killed and returned after %lu us",
	      what, (waits[0].returned - from) / 1000);
	CHECK(queue.nr == 0, "P4.13", "%s was killed, its place in the queue is still there", what);
	CHECK(armed_deadlines() == 0, "P4.13", "%s was killed, its deadline is still armed", what);
}

KTEST(wait_killed, "wait.killed", "04.4", "P4.13")
{
	u64 from;
	int err;

	kill_it(sleep_once, deadline_in(20 * MS), "a sleeper");
	kill_it(wait_once, DEADLINE_NEVER, "a waiter");
	kill_it(wait_once, deadline_in(20 * MS), "a waiter with a deadline");
	CHECK(wait_wake_one(&queue, 0) == 0, "P4.13",
	      "a wake-up found a thread that was killed");
	from = time_now();	/* the next thread gets the stack of a killed one */
	start_wait(0, ~0u, sleep_once, deadline_in(30 * MS), "P4.13");
	thread_sleep(32 * MS);
	err = result_of(0, "P4.13");
	CHECK(err == 0 && waits[0].returned - from >= 30 * MS, "P4.13",
	      "after a sleeper was killed, another slept %lu us instead of 30000, result %d",
	      (waits[0].returned - from) / 1000, err);
	audit();
}
