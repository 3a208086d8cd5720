/*
 * Lab 05, step 2: events. No thread here waits for a mutex.
 */
#include "sync/sync.h"

#include "sync/test_sync.h"
#include "sync/test_waits.h"

#define WAITERS	3

static struct event event;

static void init_auto(void)
{
	event_init(&event, false, true);
}

static void init_manual(void)
{
	event_init(&event, false, false);
}

static int wait(struct deadline d)
{
	return event_wait(&event, d);
}

static void pass(void)
{
	event_signal(&event);
}

static void destroy(void)
{
	event_destroy(&event);
}

static const struct kind auto_reset = { "auto event", init_auto, wait, .pass = pass,
					.destroy = destroy, .queue = &event.q };
static const struct kind manual = { "manual event", init_manual, wait, .pass = pass,
				    .destroy = destroy, .queue = &event.q, .all = true };

/* --- Auto-reset ------------------------------------------------------------------------------- */

/* Looks whether a wait passes. One that does passes at once. */
static void expect_wait(bool passes, const char *property, const char *when)
{
	u64 from = time_now();
	int err = wait(passes ? deadline_in(SOON) : DEADLINE_POLL);

	CHECK(err == (passes ? 0 : -ETIMEDOUT), property, "%s: a wait returned %d", when, err);
	CHECK(time_before(time_now(), from + SOON), property, "%s: a wait blocked", when);
}

static void expect_flag(bool set, const char *when)
{
	expect_wait(set, "P5.3", when);
}

KTEST(event_before, "event.before", "05.2", "P5.3")
{
	event_init(&event, true, true);
	expect_flag(true, "it began signaled");
	expect_flag(false, "it began signaled, and a wait has passed");
	pass();
	expect_flag(true, "a signal, and no thread waited");
	expect_flag(false, "a signal, and a wait has passed");
	pass();
	pass();
	expect_flag(true, "two signals, and no thread waited");
	expect_flag(false, "two signals set one flag, which a wait has used");
	pass();
	event_unsignal(&event);
	expect_flag(false, "a signal, and event_unsignal()");
	pass();
	CHECK(wait(deadline_at(time_now() - 1)) == 0, "P5.3",
	      "the flag is set, and a wait whose deadline is past failed");
	expect_flag(false, "a wait whose deadline is past has used the flag");
	pass();
	CHECK(wait(DEADLINE_POLL) == 0, "P5.3", "the flag is set, and a poll failed");
	expect_flag(false, "a poll has used the flag");
	destroy();
}

static _Atomic unsigned passed;

static int pass_once(void *unused)
{
	int err = wait(DEADLINE_NEVER);

	(void)unused;
	passed += err == 0;
	return err;
}

static void start_waiters(struct thread **t, int priority)
{
	passed = 0;
	for (unsigned i = 0; i < WAITERS; i++) {
		t[i] = test_thread(ONE_CPU, pass_once, NULL, priority);
		test_blocked(t[i], "event");
	}
}

/* A thread waits and has not run since the first signal: the second one is for the next wait. */
KTEST(event_second, "event.second", "05.2", "P5.3")
{
	struct thread *t;

	test_stay(ONE_CPU);
	init_auto();
	t = test_thread(ONE_CPU, pass_once, NULL, PRIORITY_DEFAULT);
	test_blocked(t, "event");
	preempt_off();
	pass();
	pass();
	preempt_on();
	CHECK(test_join(t, "event") == 0, "P5.3", "two signals, and one thread waited: it failed");
	expect_flag(true, "two signals, one let a thread pass");
	expect_flag(false, "two signals let two waits pass");
	destroy();
	test_stay(ALL_CPUS);
}

/* Signals that come after the waits let one pass each, whatever their urgency, and set no flag. */
KTEST(event_behind, "event.behind", "05.2", "P5.3")
{
	static const int priorities[] = { PRIORITY_LOW, PRIORITY_DEFAULT, PRIORITY_HIGH };
	struct thread *t[WAITERS];

	test_stay(ONE_CPU);
	for (unsigned p = 0; p < ARRAY_SIZE(priorities); p++) {
		init_auto();
		start_waiters(t, priorities[p]);
		pass();			/* two at once: two pass */
		pass();
		test_join(t[0], "event");
		test_join(t[1], "event");
		CHECK(passed == 2, "P5.3", "three threads wait, two signals let %u pass", passed);
		expect_flag(false, "signals that ended waits");
		pass();
		test_join(t[2], "event");
		CHECK(passed == 3, "P5.3", "three signals let %u pass", passed);
		expect_flag(false, "signals that ended waits");
		destroy();
	}
	test_stay(ALL_CPUS);
}

#define TAKERS	3
#define SIGNALS	60

static _Atomic bool enough;

static int take_often(void *unused)
{
	(void)unused;
	while (!enough)
		passed += wait(waits_some_deadline()) == 0;
	return 0;
}

/* On all CPUs, with waits that end all the time: each signal is used by one of them. */
KTEST(event_each, "event.each", "05.2", "P5.3")
{
	struct thread *t[TAKERS];
	unsigned signals;

	init_auto();
	passed = 0;
	enough = false;
	for (unsigned i = 0; i < TAKERS; i++)
		t[i] = test_thread(ALL_CPUS, take_often, NULL, PRIORITY_DEFAULT);
	for (signals = 0; signals < SIGNALS && passed == signals; signals++) {
		u64 end = time_now() + SOON;

		pass();
		while (passed == signals && time_before(time_now(), end))
			thread_yield();
	}
	enough = true;
	for (unsigned i = 0; i < TAKERS; i++)
		test_join(t[i], "event");
	CHECK(passed == signals, "P5.3", "%u signals let %u waits pass", signals, passed);
	expect_flag(false, "each signal has been used");
	destroy();
	audit();
}

KTEST(event_order, "event.order", "05.2", "P5.3")
{
	waits_order(&auto_reset);
	waits_not_stolen(&auto_reset);
	waits_given(&auto_reset);
}

/* A signal of the other kind has come, which has a handler. */
static void expect_interrupted(const struct kind *k)
{
	int err;

	k->init();
	atomic_fetch_or(&current_thread()->work, WORK_SIGNAL);
	err = wait(deadline_in(SOON));
	atomic_fetch_and(&current_thread()->work, ~WORK_SIGNAL);
	CHECK(err == -EINTR, ktest_property(), "%s: a handler is due, and a wait returned %d",
	      k->name, err);
	k->destroy();
}

KTEST(event_ends, "event.ends", "05.2", "P5.3")
{
	int err;

	waits_deadline(&auto_reset);
	waits_poll(&auto_reset);
	waits_killed(&auto_reset);
	waits_destroyed(&auto_reset);
	err = wait(DEADLINE_POLL);
	CHECK(err == -EIDRM, "P5.3", "a poll of a destroyed event returned %d", err);
	waits_removed(&auto_reset);
	expect_interrupted(&auto_reset);
}

KTEST(event_after_end, "event.after_end", "05.2", "P5.3")
{
	waits_not_eaten(&auto_reset);
	waits_behind_many(&auto_reset);
	waits_not_lost(&auto_reset);
}

/* --- Manual ----------------------------------------------------------------------------------- */

static void expect_gate(bool open, const char *when)
{
	for (unsigned i = 0; i < 3; i++)
		expect_wait(open, "P5.4", when);
}

KTEST(event_gate, "event.gate", "05.2", "P5.4")
{
	event_init(&event, true, false);
	expect_gate(true, "it began signaled");
	event_unsignal(&event);
	expect_gate(false, "event_unsignal()");
	pass();
	expect_gate(true, "a signal");
	pass();
	expect_gate(true, "a second signal");
	CHECK(wait(deadline_at(time_now() - 1)) == 0, "P5.4",
	      "the gate is open, and a wait whose deadline is past failed");
	event_unsignal(&event);
	expect_gate(false, "two signals and one event_unsignal()");
	destroy();
}

#define CROWD	300

/* The gate is open no longer than for one signal: this thread is alone on the CPU until then. */
static void crowd_at_the_gate(void)
{
	static struct thread *t[CROWD];

	test_stay(ONE_CPU);
	init_manual();
	passed = 0;
	for (unsigned i = 0; i < CROWD; i++) {
		t[i] = test_thread(ONE_CPU, pass_once, NULL, PRIORITY_DEFAULT);
		test_blocked(t[i], "event");
	}
	preempt_off();
	pass();
	event_unsignal(&event);
	preempt_on();
	CHECK(AWAIT(passed == CROWD), "P5.4",
	      "a signal and event_unsignal(): %u of %u waits passed", passed, CROWD);
	destroy();
	for (unsigned i = 0; i < CROWD; i++)
		test_join(t[i], "event");
	test_stay(ALL_CPUS);
}

/* The threads have not run when the signal is taken back, nor when one of them is killed. */
KTEST(event_manual, "event.manual", "05.2", "P5.4")
{
	struct thread *t[WAITERS];

	test_stay(ONE_CPU);
	init_manual();
	start_waiters(t, PRIORITY_DEFAULT);
	preempt_off();
	pass();
	event_unsignal(&event);
	thread_kill(t[0]);
	preempt_on();
	for (unsigned i = 0; i < WAITERS; i++)
		test_join(t[i], "event");
	CHECK(passed == WAITERS, "P5.4",
	      "a signal, event_unsignal() and a kill: %u of %u waits passed", passed, WAITERS);
	expect_gate(false, "event_unsignal()");
	destroy();
	test_stay(ALL_CPUS);
	crowd_at_the_gate();
	waits_behind_many(&manual);
}

KTEST(event_manual_ends, "event.manual_ends", "05.2", "P5.4")
{
	waits_deadline(&manual);
	waits_poll(&manual);
	waits_killed(&manual);
	waits_destroyed(&manual);
	waits_removed(&manual);
	expect_interrupted(&manual);
	waits_not_lost(&manual);
}
