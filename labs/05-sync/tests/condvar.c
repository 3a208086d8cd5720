/*
 * Lab 05, step 6: condition variables. The wait begins before its mutex is free, and ends with it.
 */
#include "sync/sync.h"

#include "sync/test_sync.h"
#include "sync/test_waits.h"

static struct mutex mutex = MUTEX_INIT(mutex);
static struct condvar condvar;

static void init(void)
{
	condvar_init(&condvar);
	mutex_init(&mutex);
}

static int wait(struct deadline d)
{
	int err;

	mutex_lock(&mutex);
	err = condvar_wait(&condvar, &mutex, d);
	CHECK(mutex_held(&mutex), "P5.11", "a wait that returned %d: no mutex", err);
	mutex_unlock(&mutex);
	return err;
}

static void signal(void)
{
	condvar_signal(&condvar);
}

static void destroy(void)
{
	condvar_destroy(&condvar);
}

static const struct kind kind = { "condvar", init, wait, .pass = signal, .destroy = destroy,
				  .queue = &condvar.q };

KTEST(condvar_ends, "condvar.ends", "05.6", "P5.11")
{
	int err;

	waits_deadline(&kind);
	waits_poll(&kind);
	waits_killed(&kind);
	waits_destroyed(&kind);
	err = wait(DEADLINE_POLL);
	CHECK(err == -EIDRM, "P5.11", "a poll of a destroyed condition returned %d", err);
}

/* Each signal ends one wait, that of the one that has waited longest. */
KTEST(condvar_order, "condvar.order", "05.6", "P5.11")
{
	waits_order(&kind);
	waits_not_eaten(&kind);
	waits_given(&kind);
}

#define WAITERS	6

static _Atomic unsigned passed;

static int wait_and_count(void *unused)
{
	int err = wait(DEADLINE_NEVER);

	(void)unused;
	passed += err == 0;
	return err;
}

/* The mutex is free while they wait, and each of them has it when its wait is over. */
KTEST(condvar_broadcast_, "condvar.all", "05.6", "P5.11")
{
	struct thread *t[WAITERS];

	init();
	passed = 0;
	for (unsigned i = 0; i < WAITERS; i++) {
		t[i] = test_thread(ALL_CPUS, wait_and_count, NULL, PRIORITY_DEFAULT);
		test_blocked(t[i], "condvar");
		CHECK(mutex.word == 0, "P5.11", "%u threads wait, and the mutex is taken", i + 1);
	}
	signal();
	test_join(t[0], "condvar");
	CHECK(passed == 1, "P5.11", "a signal ended %u waits", passed);
	mutex_lock(&mutex);
	condvar_broadcast(&condvar);
	mutex_unlock(&mutex);
	for (unsigned i = 1; i < WAITERS; i++)
		test_join(t[i], "condvar");
	CHECK(passed == WAITERS, "P5.11", "of %u waits a signal and a broadcast ended %u", WAITERS,
	      passed);
	CHECK(condvar.q.nr == 0, "P5.11", "all have passed, and %u wait", condvar.q.nr);
	destroy();
	audit();
}

static int wait_until(void *d)
{
	return wait(*(struct deadline *)d);
}

/* The mutex is taken when the wait ends: condvar_wait() returns when it has it. */
static void end_without_mutex(struct deadline d, void (*end)(struct thread *t), int wanted)
{
	struct thread *t;
	int err;

	init();
	t = test_thread(ALL_CPUS, wait_until, &d, PRIORITY_DEFAULT);
	test_blocked(t, "condvar");
	mutex_lock(&mutex);
	end(t);
	CHECK(AWAIT(pi_has_waiters(&mutex.pi)), "P5.11",
	      "a wait that ended with %d does not wait for the mutex", wanted);
	CHECK(condvar.q.nr == 0, "P5.11",
	      "a wait that ended with %d needs the mutex, and is still in the queue", wanted);
	thread_sleep(MS);
	CHECK(thread_state(t) == THREAD_BLOCKED, "P5.11",
	      "a wait that ended with %d needs the mutex, which is taken: its thread is %s", wanted,
	      thread_state_name(thread_state(t)));
	mutex_unlock(&mutex);
	err = test_join(t, "condvar");
	CHECK(err == wanted, "P5.11", "a wait that ended with %d returned %d", wanted, err);
	audit();
}

static void by_itself(struct thread *t)
{
	(void)t;
}

/* The signal comes in time; the mutex does not. */
static void by_signal(struct thread *t)
{
	(void)t;
	signal();
	thread_sleep(4 * MS);
}

static void by_destruction(struct thread *t)
{
	(void)t;
	destroy();
}

static int destroy_it(void *unused)
{
	(void)unused;
	destroy();
	return 0;
}

/* A thread that has the mutex signals, and need not unlock it to destroy the condition. */
static void destroy_with_mutex(void)
{
	struct deadline never = DEADLINE_NEVER;
	struct thread *t, *destroyer;
	int err;

	init();
	t = test_thread(ALL_CPUS, wait_until, &never, PRIORITY_DEFAULT);
	test_blocked(t, "condvar");
	mutex_lock(&mutex);
	signal();
	destroyer = test_thread(ALL_CPUS, destroy_it, NULL, PRIORITY_DEFAULT);
	CHECK(AWAIT(condvar.q.nr == 0), "P5.11",
	      "a signal has ended a wait, which needs the mutex, and is still in the queue");
	mutex_unlock(&mutex);
	err = test_join(t, "condvar");
	CHECK(err == 0 || err == -EIDRM, "P5.11", "a signal, then the destruction: %d", err);
	test_join(destroyer, "condvar");
	audit();
}

KTEST(condvar_taken, "condvar.taken", "05.6", "P5.11")
{
	destroy_with_mutex();
	end_without_mutex(deadline_in(4 * MS), by_itself, -ETIMEDOUT);
	end_without_mutex(DEADLINE_NEVER, thread_kill, -EINTR);
	end_without_mutex(DEADLINE_NEVER, by_destruction, -EIDRM);
	end_without_mutex(deadline_in(4 * MS), by_signal, 0);
}

/* --- Between unlocking and blocking ----------------------------------------------------------- */

#define STRIDE	4	/* a sweep stops at every fourth instruction; seed= chooses the first */

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

static struct thread *start_signaller(u32 cpu)
{
	init();
	semaphore_init(&go, 0);
	enough = false;
	condition = false;
	test_stay(ONE_CPU);
	mutex_lock(&mutex);
	return test_thread(cpu, signaller, NULL, PRIORITY_DEFAULT);
}

static void end_signaller(struct thread *t)
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
KTEST(condvar_swept, "condvar.swept", "05.6", "P5.11")
{
	struct thread *t;
	unsigned step;

	NEEDS_ONE_CPU;
	t = start_signaller(ONE_CPU);
	for (step = ktest_seed() % STRIDE; step < 4000; step += STRIDE) {
		int err = 0;

		condition = false;
		semaphore_post(&go);
		sweep_arm("condvar_wait", current_thread(), step);
		while (!condition && !err)
			err = condvar_wait(&condvar, &mutex, deadline_in(SOON));
		if (!mutex_held(&mutex) || err || !sweep_hit())
			break;
	}
	REQUIRE(mutex_held(&mutex), "P5.11", "interrupted %u instructions in: no mutex", step);
	CHECK(condition, "P5.11", "a signal that came %u instructions into the wait was lost",
	      step);
	ktest_figure("steps", step);
	end_signaller(t);
}

/* On two CPUs: the signal comes when the mutex is free and the waiter has not yet blocked. */
KTEST(condvar_parked, "condvar.parked", "05.6", "P5.11")
{
	static const struct {
		const char *function;
		enum park_where where;
	} places[] = { { "mutex_unlock", AT_EXIT }, { "waiter_block", AT_ENTRY } };
	struct thread *t;

	NEEDS_TWO_CPUS;
	t = start_signaller(BIT(1));
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		int err = 0;

		condition = false;
		park_arm(0, places[i].function, places[i].where, current_thread(), 5 * MS);
		semaphore_post(&go);
		while (!condition && !err)
			err = condvar_wait(&condvar, &mutex, deadline_in(SOON));
		CHECK(err == 0, "P5.11", "a signal when the wait was in %s() was lost: %d",
		      places[i].function, err);
	}
	end_signaller(t);
}
