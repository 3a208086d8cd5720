/*
 * Lab 02, steps 4 to 7: a thread whose function returns exits, each exit code is delivered once,
 * and a stack is not reused before its thread has left it.
 */
#include "base/bootargs.h"
#include "base/counters.h"
#include "errno.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define SOON	(50 * NSEC_PER_MSEC)
#define STRIDE	4	/* a sweep stops at every fourth instruction; seed= chooses the first */

static int return_arg(void *arg)
{
	return (int)(s64)arg;
}

static int exit_arg(void *arg)
{
	thread_exit((int)(s64)arg);
}

/* A thread that is suspended. */
static struct thread *create(thread_fn fn, s64 arg)
{
	struct thread *t = thread_create("worker", fn, (void *)arg, PRIORITY_DEFAULT);

	REQUIRE(t, "P2.4", "no thread was made");
	return t;
}

static struct thread *start(thread_fn fn, s64 arg)
{
	struct thread *t = create(fn, arg);

	thread_resume(t);
	return t;
}

/* Waits, without joining, until @t has left its stack. */
static void let_it_leave(struct thread *t)
{
	u64 end = time_now() + SOON;
	bool left = false;

	while (!left && time_before(time_now(), end)) {
		thread_yield();
		spin_lock(&t->joiners.lock);
		left = t->left;
		spin_unlock(&t->joiners.lock);
	}
	REQUIRE(left, "P2.4", "a thread whose function returned has not left after %lu ms",
		SOON / NSEC_PER_MSEC);
}

static _Atomic unsigned calls;

static int count_calls(void *arg)
{
	(void)arg;
	calls++;
	return 0;
}

KTEST(exit_return, "exit.return", "02.4", "P2.4")
{
	struct thread *t;

	calls = 0;
	t = start(count_calls, 0);
	let_it_leave(t);
	CHECK(calls == 1, "P2.4", "its function was called %u times", calls);
	CHECK(thread_state(t) == THREAD_DEAD, "P2.4", "it left its stack in state %s",
	      thread_state_name(thread_state(t)));
	let_it_leave(start(exit_arg, 2));
}

KTEST(join_dead, "join.dead", "02.5", "P2.5")
{
	for (s64 code = -3; code <= 3; code++) {
		struct thread *t = start(code & 1 ? return_arg : exit_arg, code);
		int got = 99;

		let_it_leave(t);
		CHECK(thread_join(t, &got, DEADLINE_NEVER) == 0 && got == code, "P2.5",
		      "a thread that had exited with %ld was joined with %d", code, got);
	}
}

static _Atomic bool go;

static int wait_for_go(void *arg)
{
	while (!go)
		thread_yield();
	return (int)(s64)arg;
}

static int joiner(void *arg)
{
	int code = 99, err = thread_join(arg, &code, DEADLINE_NEVER);

	return err ? err : code;
}

/* Waits until another thread is blocked in thread_join(@t). */
static void let_it_be_joined(struct thread *t)
{
	bool joined = false;

	while (!joined) {
		thread_yield();
		spin_lock(&t->joiners.lock);
		joined = t->joiners.nr > 0;
		spin_unlock(&t->joiners.lock);
	}
}

KTEST(join_living, "join.living", "02.5", "P2.5")
{
	struct thread *t, *j;
	int got = 99;

	go = false;
	t = start(wait_for_go, 42);
	j = thread_create("joiner", joiner, t, PRIORITY_DEFAULT);
	REQUIRE(j, "P2.5", "no thread was made");
	thread_resume(j);
	let_it_be_joined(t);
	go = true;
	CHECK(thread_join(j, &got, DEADLINE_NEVER) == 0 && got == 42, "P2.5",
	      "the joiner of a living thread got %d instead of its code 42", got);
}

#define CROWD	1100	/* more than a byte can count, and than most tables have places */

static int join_in_crowd(void *arg)
{
	calls++;
	return joiner(arg);
}

/* So many joins wait at once, each for another thread. */
KTEST(join_crowd, "join.crowd", "02.5", "P2.5")
{
	static struct thread *joined[CROWD], *by[CROWD];
	unsigned limit = threads_max;

	calls = 0;
	threads_max = 3 * CROWD;
	for (s64 i = 0; i < CROWD; i++)
		joined[i] = create(return_arg, i);
	for (unsigned i = 0; i < CROWD; i++)
		by[i] = start(join_in_crowd, (s64)joined[i]);
	while (calls < CROWD)
		thread_yield();
	for (unsigned i = CROWD; i-- > 0;)
		thread_resume(joined[i]);
	for (int i = 0; i < CROWD; i++) {
		int got = 99;

		REQUIRE(thread_join(by[i], &got, DEADLINE_NEVER) == 0 && got == i, "P2.5",
			"of %u threads that are joined at once, the joiner of %d got %d", CROWD, i,
			got);
	}
	threads_max = limit;
}

#define CHAIN	300

/* Each thread joins the one before it. @backwards: the last of them is the first to do so. */
static void check_chain(bool backwards)
{
	static struct thread *chain[CHAIN];
	int got = 99;

	go = false;
	chain[0] = start(wait_for_go, 42);
	for (unsigned i = 1; i < CHAIN; i++)
		chain[i] = create(joiner, (s64)chain[i - 1]);
	for (unsigned i = 1; i < CHAIN; i++) {
		unsigned at = backwards ? CHAIN - i : i;

		thread_resume(chain[at]);
		while (thread_state(chain[at]) != THREAD_BLOCKED &&
		       thread_state(chain[at]) != THREAD_DEAD)
			thread_yield();
	}
	go = true;
	CHECK(thread_join(chain[CHAIN - 1], &got, DEADLINE_NEVER) == 0 && got == 42, "P2.5",
	      "through %u threads, each of which joins the next, came %d instead of the code 42",
	      CHAIN, got);
}

KTEST(join_chain, "join.long_chain", "02.5", "P2.5")
{
	check_chain(false);
	check_chain(true);
}

KTEST(join_timed, "join.timed", "02.5", "P2.6")
{
	struct thread *t;
	u64 from = time_now(), waited;
	int got = 99, err;

	go = false;
	t = start(wait_for_go, 7);
	err = thread_join(t, &got, deadline_in(2 * NSEC_PER_MSEC));
	waited = time_now() - from;
	CHECK(err == -ETIMEDOUT, "P2.6", "joining a living thread for 2 ms gave %d", err);
	CHECK(waited >= 2 * NSEC_PER_MSEC, "P2.6", "it gave up after %lu ns", waited);
	CHECK(waited < 12 * NSEC_PER_MSEC, "P2.6",
	      "a join for 2 ms gave up only after %lu ns", waited);
	CHECK(thread_join(t, &got, DEADLINE_POLL) == -ETIMEDOUT, "P2.6",
	      "polling a living thread did not time out");
	go = true;
	from = time_now();
	err = thread_join(t, &got, deadline_in(10 * NSEC_PER_SEC));
	waited = time_now() - from;
	CHECK(err == 0 && got == 7, "P2.6", "joining after a timeout gave %d, code %d", err, got);
	CHECK(waited < NSEC_PER_SEC, "P2.6", "its exit woke the timed joiner only after %lu ns",
	      waited);
}

/* The deadline may come at any moment of the join: that ends all the same. */
KTEST(join_any_moment, "join.any_moment", "02.5", "P2.6")
{
	unsigned shift = bootarg_number("shift", 0, 0, 10);
	struct thread *t = create(return_arg, 7);
	int got = 99;

	for (u64 step = ktest_seed() % STRIDE; step < 6000; step += STRIDE) {
		int err = thread_join(t, &got, deadline_in(step << shift));

		REQUIRE(err == -ETIMEDOUT, "P2.6", "joining a living thread for %lu ns gave %d",
			step << shift, err);
	}
	thread_resume(t);
	CHECK(thread_join(t, &got, DEADLINE_NEVER) == 0 && got == 7, "P2.6",
	      "after many timeouts the code was %d", got);
}

/* On 1 CPU: interrupts thread_join() after @step instructions, where the thread runs to its end. */
KTEST(join_swept, "join.swept", "02.5", "P2.5")
{
	bool hit = true;
	unsigned step;

	for (step = ktest_seed() % STRIDE; hit && step < 30000; step += STRIDE) {
		struct thread *t = start(return_arg, 1000 + step);
		int got = 99, err;
		u64 from = time_now();

		REQUIRE(sweep_arm("thread_join", current_thread(), step) == 0, "P2.5",
			"no thread_join()");
		err = thread_join(t, &got, deadline_in(NSEC_PER_SEC));
		hit = sweep_hit();
		CHECK(err == 0 && got == (int)(1000 + step), "P2.5",
		      "the thread exited %u instructions into join(): error %d, code %d", step, err,
		      got);
		CHECK(time_now() - from < NSEC_PER_SEC, "P2.5",
		      "it exited %u instructions into join(), which waited all the same", step);
	}
	ktest_figure("join_steps", step);
}

/*
 * On 1 CPU: interrupts thread_exit() after @step instructions, where the thread is suspended. That
 * comes too late: it ends without being resumed.
 */
KTEST(exit_swept, "exit.swept", "02.5", "P2.4")
{
	bool on_its_way = true;
	unsigned step;

	for (step = ktest_seed() % STRIDE; on_its_way && step < 30000; step += STRIDE) {
		struct thread *t = create(return_arg, 7);
		int got = 99, err;

		REQUIRE(sweep_arm("thread_exit", t, step) == 0, "P2.4", "no thread_exit()");
		thread_resume(t);
		while (!sweep_hit() && thread_state(t) != THREAD_DEAD)
			thread_yield();
		on_its_way = thread_suspend(t) == 0;
		err = thread_join(t, &got, deadline_in(NSEC_PER_SEC));
		REQUIRE(err == 0 && got == 7, "P2.4",
			"suspended %u instructions into its exit: its join gave %d, code %d", step,
			err, got);
	}
	ktest_figure("exit_steps", step);
}

static int park_and_return(void *arg)
{
	(void)arg;
	park_arm(0, "schedule", AT_ENTRY, current_thread(), 200 * NSEC_PER_MSEC);
	return 5;
}

static _Atomic int joined;

static int join_and_tell(void *arg)
{
	int code = 99;

	thread_join(arg, &code, DEADLINE_NEVER);
	joined = code;
	return 0;
}

/* Stops CPU 1 in the middle of a thread's exit while CPU 0 joins that thread. */
KTEST(join_not_early, "join.not_early", "02.6", "P2.7")
{
	struct thread *t, *j;
	s64 stacks;
	u64 end;

	NEEDS_TWO_CPUS;
	joined = 0;
	t = thread_create("leaver", park_and_return, NULL, PRIORITY_DEFAULT);
	j = thread_create("joiner", join_and_tell, t, PRIORITY_DEFAULT);
	REQUIRE(t && j, "P2.7", "no thread was made");
	stacks = counter_read(COUNT_STACKS);
	sched_set_affinity(t, BIT(1));
	sched_set_affinity(j, BIT(0));
	sched_set_affinity(current_thread(), BIT(0));
	thread_resume(j);
	thread_resume(t);
	REQUIRE(park_wait(0, 100 * NSEC_PER_MSEC), "P2.7",
		"the exiting thread never came to the switch");
	end = time_now() + 5 * NSEC_PER_MSEC;
	while (time_before(time_now(), end))
		thread_yield();
	CHECK(joined == 0, "P2.7", "join() returned while the thread was still on its stack");
	CHECK(counter_read(COUNT_STACKS) == stacks, "P2.7",
	      "the stack of a thread still on it was freed");
	park_release(0);
	thread_join(j, NULL, DEADLINE_NEVER);
	CHECK(joined == 5, "P2.7", "the joiner got %d", joined);
	sched_set_affinity(current_thread(), ~0u);
}

KTEST(exit_many, "exit.many", "02.7", "P2.8")
{
	struct counter_snapshot before, after;
	unsigned holds;
	int got;

	counters_snapshot(&before);
	holds = atomic_load(&kernel_process.holds);
	for (s64 i = 0; i < 1000; i++) {
		struct thread *t = start(return_arg, i);

		if (i & 1)
			REQUIRE(thread_join(t, &got, DEADLINE_NEVER) == 0 && got == i, "P2.5",
				"thread %ld was joined with %d", i, got);
		else
			thread_detach(t);
	}
	counters_snapshot(&after);
	counters_equal(&before, &after, "P2.8");
	CHECK(atomic_load(&kernel_process.holds) == holds, "P2.8",
	      "holds of the kernel's process: %u before, %u after", holds,
	      atomic_load(&kernel_process.holds));
	audit();
}
