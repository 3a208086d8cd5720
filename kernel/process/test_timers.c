/*
 * The time that is left of a timer, as it is read: to the nanosecond where its clock stands still,
 * and after its time, before it has fired, for which these tests hold interrupts off. The order in
 * which two timers fire. Two timers of CPU time, one after the other, and the clock that they go
 * by.
 */
#include "process/process.h"
#include "process/signal.h"
#include "process/timers.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "sched/usage.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define HOUR (3600 * NSEC_PER_SEC)

static const struct timer_notify silent = { .silent = true };

static long create(enum timer_clock clock, struct thread *t, const struct timer_notify *notify)
{
	long id = posix_timer_create(clock, current_process(), t, notify);

	REQUIRE(id >= 0, ktest_property(), "no timer: %ld", id);
	return id;
}

static void set(long id, bool absolute, u64 value, u64 interval)
{
	struct interval old;

	posix_timer_set((int)id, absolute, &(struct interval){ value, interval }, &old);
}

static u64 left(long id)
{
	struct interval left = { 0 };

	posix_timer_set((int)id, false, NULL, &left);
	return left.value;
}

static int works_a_little(void *unused)
{
	u64 start = time_now();

	(void)unused;
	while (time_now() - start < 10 * NSEC_PER_USEC)
		arch_spin_hint();
	return 0;
}

/* The clock of a thread that has ended stands still. */
KTEST(timers_periodic, "timers.periodic", "", "timers.left")
{
	const u64 period = NSEC_PER_MSEC;
	struct thread *t = thread_create("worker", works_a_little, NULL, PRIORITY_DEFAULT);
	struct usage used = { .run_ns = 0 };
	int code;
	long id;

	REQUIRE(t, "timers.left", "no memory for a thread");
	thread_get(t);
	thread_resume(t);
	thread_join(t, &code, DEADLINE_NEVER);
	thread_add_usage(t, &used);
	REQUIRE(used.run_ns > 2, "timers.left", "a thread has worked for %lu ns", used.run_ns);
	id = create(TIMER_CPU, t, &silent);
	for (u64 at = 1; at < used.run_ns; at *= 2) {
		u64 expected = period - (used.run_ns - at) % period;

		set(id, true, at, period);
		CHECK(left(id) == expected, "timers.left", "at %lu, due at %lu: %lu left, not %lu",
		      used.run_ns, at, left(id), expected);
	}
	posix_timer_delete((int)id);
	thread_put(t);
}

/* A timer that is due but has not fired has a little time left: 0 would mean that it is off. */
KTEST(timers_due, "timers.due", "", "timers.left")
{
	struct process *p = current_process();
	struct interval value = { HOUR, 0 }, seen, old;
	long id = create(TIMER_MONOTONIC, NULL, &(struct timer_notify){ .sig = SIGALRM });
	u64 posix;

	REQUIRE(itimer_set(0, &value, &old) == 0, "timers.left", "no memory for timers");
	irq_off();
	set(id, true, 1, 0);
	posix = left(id);
	set(id, false, 0, 0);
	value.value = 1;
	itimer_set(0, &value, &old);
	itimer_set(0, NULL, &seen);
	value.value = 0;
	itimer_set(0, &value, &old);
	irq_on();
	CHECK(posix == 1, "timers.left", "a POSIX timer has %lu ns left", posix);
	CHECK(seen.value == NSEC_PER_USEC, "timers.left", "an interval timer has %lu ns left",
	      seen.value);
	posix_timer_delete((int)id);
	itimers_end(p);
}

static long other;

static void delete_other(void *unused)
{
	(void)unused;
	posix_timer_delete((int)other);
	other = -1;
}

/* While a timer is created, the one before it in the list is deleted, at each instruction. */
KTEST(timers_swept, "timers.swept", "", "timers.swept")
{
	bool hit = true;

	NEEDS_ONE_CPU;
	sweep_action = delete_other;
	for (unsigned step = 0; hit; step++) {
		long id;

		other = create(TIMER_MONOTONIC, NULL, &silent);
		sweep_arm("posix_timer_create", current_thread(), step);
		id = create(TIMER_MONOTONIC, NULL, &silent);
		hit = sweep_hit();
		CHECK(posix_timer_delete((int)id) == 0, "timers.swept", "it is lost in step %u",
		      step);
	}
	sweep_action = NULL;
	posix_timer_delete((int)other);
}

/* A relative time is the same by the wall clock, however far that is from the time since boot. */
KTEST(timers_relative, "timers.relative", "", "timers.left")
{
	long id = create(TIMER_REALTIME, NULL, &silent);
	u64 offset = time_realtime_offset(), seen;

	time_set_realtime(time_now() + offset + HOUR);
	set(id, false, HOUR, 0);
	seen = left(id);
	time_set_realtime(time_now() + offset);
	CHECK(seen <= HOUR, "timers.left", "of an hour %lu ns are left", seen);
	posix_timer_delete((int)id);
}

static void await(int sig, struct signal_info *info)
{
	while (!signal_take(SIGSET(sig), info))
		thread_yield();
}

static int waits_for_two(void *unused)
{
	struct sigaction_slot action = { .handler = SIG_IGN };
	struct timer_notify notify = { .sig = SIGRTMIN };
	struct signal_info info;
	long first, second, last;

	(void)unused;
	signal_set_action(SIGRTMIN, &action);
	signal_set_mask(SIGSET(SIGRTMIN + 1));
	first = create(TIMER_MONOTONIC, NULL, &notify);
	second = create(TIMER_MONOTONIC, NULL, &notify);
	notify.sig++;
	last = create(TIMER_MONOTONIC, NULL, &notify);
	set(first, true, 1, NSEC_PER_MSEC);
	set(second, true, 1, NSEC_PER_MSEC);
	set(last, true, 1, 0);
	await(SIGRTMIN + 1, &info);	/* all three have fired */
	signal_set_mask(SIGSET(SIGRTMIN));
	action.handler = SIG_DFL;
	signal_set_action(SIGRTMIN, &action);
	timers_signal_wanted(SIGRTMIN);
	await(SIGRTMIN, &info);
	CHECK(info.value == (u64)first, "timers.in_turn", "timer %lu fires before %ld", info.value,
	      first);
	return 0;
}

/* Runs @entry in a process of its own, until that has ended. */
static void run_in_process(const char *name, thread_fn entry)
{
	struct wait_result res;
	struct process *p;
	struct thread *t;

	REQUIRE(process_create(current_process(), &p) == 0, ktest_property(), "no process");
	REQUIRE(thread_create_in(p, name, entry, NULL, PRIORITY_DEFAULT, &t) == 0,
		ktest_property(), "no thread");
	thread_resume(t);
	CHECK(process_wait(p->pid, WEXITED, &res) == 0, ktest_property(), "the wait fails");
}

/* Periodic timers that are due at the same times go on in the order in which they were created. */
KTEST(timers_in_turn, "timers.in_turn", "", "timers.in_turn")
{
	run_in_process("waiter", waits_for_two);
}

static u64 own_time(void)
{
	struct usage used = { .run_ns = 0 };

	thread_add_usage(current_thread(), &used);
	return used.run_ns;
}

/* Works until @sig is pending, and returns its CPU time then. */
static u64 work_until(int sig)
{
	while (!(atomic_load(&current_process()->sigpending) & SIGSET(sig)))
		arch_spin_hint();
	return own_time();
}

static int works_for_two(void *unused)
{
	u64 start = own_time(), interrupts, times[2];
	struct timer_notify notify = { .sig = SIGRTMIN };
	long ids[2];

	(void)unused;
	signal_set_mask(SIGSET(SIGRTMIN) | SIGSET(SIGRTMIN + 1));
	sched_set_affinity(current_thread(), BIT(0));
	for (int i = 0; i < 2; i++, notify.sig++)
		ids[i] = create(TIMER_CPU, current_thread(), &notify);
	interrupts = atomic_load(&cpus[0].stats.timer_interrupts);
	set(ids[0], true, start + NSEC_PER_MSEC, 0);
	set(ids[1], true, start + NSEC_PER_MSEC * 3 / 2, 0);
	for (int i = 0; i < 2; i++)
		times[i] = work_until(SIGRTMIN + i) - start;
	interrupts = atomic_load(&cpus[0].stats.timer_interrupts) - interrupts;
	CHECK(times[0] >= NSEC_PER_MSEC && times[1] >= NSEC_PER_MSEC * 3 / 2 &&
	      times[1] < NSEC_PER_MSEC * 2, "cputimer.pair", "they fire after %lu and %lu ns",
	      times[0], times[1]);
	CHECK(interrupts < 20, "cputimer.pair", "that took %lu interrupts", interrupts);
	return 0;
}

/* When a timer of CPU time has fired, one interrupt waits for the next one of the process. */
KTEST(cputimer_pair, "cputimer.pair", "", "cputimer.pair")
{
	run_in_process("worker", works_for_two);
}

static int ends_at_once(void *unused)
{
	(void)unused;
	return 0;
}

/* The time of a process has what its thread runs until it counts as one of the dead. */
KTEST(cputimer_end, "cputimer.end", "", "cputimer.end")
{
	struct process *p = current_process();
	struct thread *t;
	u64 before, after;

	NEEDS_TWO_CPUS;
	REQUIRE(thread_create_in(p, "ends", ends_at_once, NULL, PRIORITY_DEFAULT, &t) == 0,
		"cputimer.end", "no thread");
	/* it may park with a lock held, which would keep us from running on its CPU */
	CHECK(sched_set_affinity(current_thread(), BIT(0)) == 0, "cputimer.end", "affinity");
	CHECK(sched_set_affinity(t, BIT(1)) == 0, "cputimer.end", "affinity");
	park_arm(0, "thread_forget_id", AT_ENTRY, t, 10 * NSEC_PER_SEC);
	thread_resume(t);
	REQUIRE(park_wait(0, 10 * NSEC_PER_SEC), "cputimer.end", "the thread does not end");
	thread_sleep(NSEC_PER_MSEC);
	before = process_usage(p).run_ns;
	park_release(0);
	while (atomic_load(&p->nr_threads) > 1)
		thread_yield();
	after = process_usage(p).run_ns;
	CHECK(after >= before, "cputimer.end", "it falls by %lu ns", before - after);
	CHECK(!park_timed_out(0), "cputimer.end", "the test took too long");
	sched_set_affinity(current_thread(), ~0u);
}
