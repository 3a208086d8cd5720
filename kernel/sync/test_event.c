/*
 * Tests of events and condition variables alone: each signal of an event lets one wait pass, before
 * or after it; the wait for a condition begins before its mutex is free.
 */
#include "test_sync.h"

static struct event event;
static struct mutex mutex = MUTEX_INIT(mutex);
static struct condvar condvar;
static _Atomic unsigned passed;

static int pass_once(void *unused)
{
	int err = event_wait(&event, DEADLINE_NEVER);

	(void)unused;
	passed += err == 0;
	return err;
}

/* Signals before their waits set a flag, not a count. */
KTEST(event_before, "event.before", "", "event.pass")
{
	event_init(&event, false, true);
	event_signal(&event);
	CHECK(event_wait(&event, DEADLINE_POLL) == 0, "event.pass", "a signal is lost");
	CHECK(event_wait(&event, DEADLINE_POLL) != 0, "event.pass", "it lets two pass");
	event_signal(&event);
	event_signal(&event);
	CHECK(event_wait(&event, DEADLINE_POLL) == 0, "event.pass", "a signal is lost");
	CHECK(event_wait(&event, DEADLINE_POLL) != 0, "event.pass", "signals are counted");
	event_signal(&event);
	event_unsignal(&event);
	CHECK(event_wait(&event, DEADLINE_POLL) != 0, "event.pass", "unsignal does nothing");
	event_destroy(&event);
}

/* Signals after their waits let one pass each, of waiters of any urgency, and leave no flag. */
KTEST(event_behind, "event.behind", "", "event.pass")
{
	static const int priorities[] = { PRIORITY_LOW, PRIORITY_DEFAULT, PRIORITY_HIGH };

	test_stay(ONE_CPU);
	for (unsigned p = 0; p < ARRAY_SIZE(priorities); p++) {
		struct thread *t[3];

		event_init(&event, false, true);
		passed = 0;
		for (unsigned i = 0; i < 3; i++) {
			t[i] = test_thread(ONE_CPU, pass_once, NULL, priorities[p]);
			test_blocked(t[i], "event");
		}
		event_signal(&event);		/* two at once: two pass */
		event_signal(&event);
		test_join(t[0], "event");
		test_join(t[1], "event");
		CHECK(passed == 2, "event.pass", "two signals let %u pass", passed);
		CHECK(event_wait(&event, DEADLINE_POLL) != 0, "event.pass", "a flag is left");
		event_signal(&event);
		test_join(t[2], "event");
		CHECK(passed == 3, "event.pass", "three signals let %u pass", passed);
		event_destroy(&event);
	}
	test_stay(ALL_CPUS);
}

/* Manual: threads that wait pass even if the signal is taken back at once. */
KTEST(event_manual, "event.manual", "", "event.pass")
{
	struct thread *t[3];

	test_stay(ONE_CPU);
	event_init(&event, false, false);
	passed = 0;
	for (unsigned i = 0; i < 3; i++) {
		t[i] = test_thread(ONE_CPU, pass_once, NULL, PRIORITY_DEFAULT);
		test_blocked(t[i], "event");
	}
	preempt_off();
	event_signal(&event);
	event_unsignal(&event);
	preempt_on();
	for (unsigned i = 0; i < 3; i++)
		test_join(t[i], "event");
	CHECK(passed == 3, "event.pass", "%u of 3 passed", passed);
	event_signal(&event);
	for (unsigned i = 0; i < 3; i++)
		CHECK(event_wait(&event, DEADLINE_POLL) == 0, "event.pass", "it is used up");
	event_destroy(&event);
	test_stay(ALL_CPUS);
}

/*
 * --- Condition variables ------------------------------------------------------------------------
 */

static _Atomic bool condition, enough;
static struct semaphore go;

static int signaller(void *unused)
{
	(void)unused;
	while (semaphore_wait(&go, DEADLINE_NEVER) == 0 && !enough) {
		mutex_lock(&mutex);
		condition = true;
		condvar_signal(&condvar);
		mutex_unlock(&mutex);
	}
	return 0;
}

static void start_condvar(struct thread **t, u32 cpu)
{
	condvar_init(&condvar);
	semaphore_init(&go, 0);
	enough = false;
	condition = false;
	test_stay(ONE_CPU);
	*t = test_thread(cpu, signaller, NULL, PRIORITY_DEFAULT);
	mutex_lock(&mutex);
}

static void end_condvar(struct thread *t)
{
	mutex_unlock(&mutex);
	enough = true;
	semaphore_post(&go);
	test_join(t, "signaller");
	condvar_destroy(&condvar);
	semaphore_destroy(&go);
	test_stay(ALL_CPUS);
}

/* Interrupts the wait after each instruction; the signaller then runs, and signals when it can. */
KTEST(condvar_swept, "condvar.swept", "", "condvar.atomic")
{
	struct thread *t;
	unsigned step;

	start_condvar(&t, ONE_CPU);
	for (step = ktest_seed() % 4; step < 4000 && nr_cpus == 1; step += 4) {
		int err = 0;

		condition = false;
		semaphore_post(&go);
		REQUIRE(sweep_arm("condvar_wait", current_thread(), step) == 0, "sync", "no hook");
		while (!condition && !err)
			err = condvar_wait(&condvar, &mutex, deadline_in(SOON));
		REQUIRE(mutex_held(&mutex), "sync.mutex_back", "%d without the mutex", err);
		REQUIRE(err == 0, "condvar.atomic", "%u instructions in, a signal was lost", step);
		if (!sweep_hit())
			break;
	}
	ktest_figure("steps", step);
	end_condvar(t);
}

/* On two CPUs: the signal comes when the mutex is free and the waiter has not yet blocked. */
KTEST(condvar_parked, "condvar.parked", "", "condvar.atomic")
{
	struct thread *t;
	int err = 0;

	if (nr_cpus < 2)
		return;
	start_condvar(&t, 2u);
	park_arm(0, "waiter_block", AT_ENTRY, current_thread(), 5 * MS);
	semaphore_post(&go);
	while (!condition && !err)
		err = condvar_wait(&condvar, &mutex, deadline_in(SOON));
	CHECK(err == 0, "condvar.atomic", "a signal between unlock and block was lost: %d", err);
	end_condvar(t);
}
