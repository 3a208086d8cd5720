/*
 * Tests of mutexes: exclusion, handing over, and giving up while others wait. docs/models/mutex.pml
 * has the same properties over every interleaving of three threads.
 */
#include "sync/mutex.h"

#include "errno.h"
#include "sched/time.h"
#include "sync/sync.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define THREADS	6
#define ROUNDS	60
#define SOON	(500 * NSEC_PER_MSEC)

static struct mutex m;
static unsigned inside;			/* [m] threads between lock and unlock */
static unsigned passed;			/* [m] */
static struct event go;			/* what keeper() waits for */

static int lock_often(void *arg)
{
	bool timed = (u64)arg & 1;

	for (unsigned i = 0; i < ROUNDS; i++) {
		int err = 0;

		if (timed)
			err = mutex_lock_timed(&m, deadline_in(20 * NSEC_PER_USEC));
		else
			mutex_lock(&m);
		CHECK(err == 0 || err == -ETIMEDOUT, "mutex.storm", "locking gave error %d", err);
		if (err)
			continue;
		inside++;
		passed++;
		CHECK(mutex_held(&m) && inside == 1, "mutex.storm", "%u have the mutex", inside);
		if (i % 4 == 0)
			thread_yield();		/* invite the others while we are inside */
		CHECK(mutex_held(&m) && inside == 1, "mutex.storm", "somebody else came in");
		inside--;
		mutex_unlock(&m);
	}
	return 0;
}

KTEST(mutex_storm, "mutex.storm", "", "mutex.storm")
{
	struct thread *t[THREADS];

	mutex_init(&m);
	inside = passed = 0;
	for (u64 i = 0; i < THREADS; i++) {
		t[i] = thread_create("locker", lock_often, (void *)i, PRIORITY_DEFAULT);
		REQUIRE(t[i], "mutex.storm", "no thread was made");
	}
	for (unsigned i = 0; i < THREADS; i++)
		thread_resume(t[i]);
	for (unsigned i = 0; i < THREADS; i++)
		REQUIRE(thread_join(t[i], NULL, DEADLINE_NEVER) == 0, "mutex.storm",
			"thread %u could not be joined", i);
	CHECK(passed >= THREADS / 2 * ROUNDS, "mutex.storm", "only %u passed", passed);
	CHECK(m.word == 0 && !pi_has_waiters(&m.pi), "mutex.storm", "afterwards the word is %lx",
	      m.word);
}

/* Locks the mutex, and keeps it until the event `go`. Returns 1 if its deadline came first. */
static int keeper(void *arg)
{
	int err;

	if (mutex_lock_timed(&m, arg ? deadline_in((u64)arg) : DEADLINE_NEVER))
		return 1;
	err = event_wait(&go, deadline_in(SOON));
	mutex_unlock(&m);
	return err;
}

static struct thread *start_keeper(u64 ns)
{
	struct thread *t = thread_create("keeper", keeper, (void *)ns, PRIORITY_DEFAULT);

	REQUIRE(t, "mutex.hand_over", "no thread was made");
	thread_resume(t);
	while (thread_state(t) != THREAD_BLOCKED && thread_state(t) != THREAD_DEAD)
		thread_yield();
	return t;
}

KTEST(mutex_hand_over, "mutex.hand_over", "", "mutex.hand_over")
{
	struct thread *first, *second;
	int code;

	mutex_init(&m);
	event_init(&go, false, false);
	mutex_lock(&m);
	first = start_keeper(NSEC_PER_MSEC);
	second = start_keeper(0);
	CHECK(thread_join(first, &code, deadline_in(SOON)) == 0 && code == 1, "mutex.hand_over",
	      "the first waiter did not time out");
	mutex_unlock(&m);
	/* From now on it belongs to the second waiter, even if that has not run since. */
	CHECK(mutex_lock_timed(&m, DEADLINE_POLL) == -ETIMEDOUT, "mutex.hand_over",
	      "a mutex that others wait for was free");
	CHECK((m.word & ~MUTEX_CONTENDED) == (u64)second, "mutex.hand_over",
	      "the mutex was not handed to the one that still waits: %lx", m.word);
	event_signal(&go);
	CHECK(thread_join(second, &code, deadline_in(SOON)) == 0 && code == 0, "mutex.hand_over",
	      "the second waiter did not get it");
	REQUIRE(mutex_lock_timed(&m, DEADLINE_POLL) == 0, "mutex.hand_over",
		"it was not given back");
	mutex_unlock(&m);
	event_destroy(&go);
}

/* A waiter that has given up must not disturb the owner's unlock. */
KTEST(mutex_gives_up, "mutex.gives_up", "", "mutex.gives_up")
{
	struct thread *t;
	int code;

	mutex_init(&m);
	mutex_lock(&m);
	t = start_keeper(NSEC_PER_MSEC);
	CHECK(thread_join(t, &code, deadline_in(SOON)) == 0 && code == 1, "mutex.gives_up",
	      "the waiter did not time out");
	CHECK(!pi_has_waiters(&m.pi) && mutex_held(&m), "mutex.gives_up", "it still waits");
	mutex_unlock(&m);
	CHECK(m.word == 0, "mutex.gives_up", "afterwards the word is %lx", m.word);
}
