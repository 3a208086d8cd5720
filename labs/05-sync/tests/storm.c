/*
 * Lab 05, step 7: storms on all CPUs over everything that the lab has written.
 */
#include "sync/sync.h"

#include "sync/test_sync.h"
#include "sync/test_waits.h"

#define THREADS	6

static struct thread *threads[THREADS];

static void run_all(thread_fn fn)
{
	for (u64 i = 0; i < THREADS; i++)
		threads[i] = test_thread(ALL_CPUS, fn, (void *)i,
					 i % 3 ? PRIORITY_DEFAULT : 16 + (int)i);
	for (unsigned i = 0; i < THREADS; i++)
		test_join(threads[i], "storm");
}

/* --- A buffer: a mutex and two conditions; a semaphore says at the end how many items came ---- */

#define ITEMS	40
#define ROOM	3

static struct mutex mutex;
static struct condvar not_full, not_empty;
static struct semaphore taken;
static unsigned filled, sum;			/* [mutex] */

static void put(unsigned item)
{
	mutex_lock(&mutex);
	while (filled == ROOM)
		condvar_wait(&not_full, &mutex, waits_some_deadline());
	filled++;
	sum += item;
	condvar_signal(&not_empty);
	mutex_unlock(&mutex);
}

static void take(void)
{
	mutex_lock(&mutex);
	while (!filled)
		condvar_wait(&not_empty, &mutex, waits_some_deadline());
	filled--;
	condvar_broadcast(&not_full);
	mutex_unlock(&mutex);
	semaphore_post(&taken);
}

static int produce_or_consume(void *number)
{
	for (unsigned i = 0; i < ITEMS; i++) {
		if ((u64)number & 1)
			put(i);
		else
			take();
	}
	return 0;
}

KTEST(storm_buffer, "storm.buffer", "05.7", "P5.11")
{
	unsigned came = 0;

	mutex_init(&mutex);
	condvar_init(&not_full);
	condvar_init(&not_empty);
	semaphore_init(&taken, 0);
	filled = sum = 0;
	run_all(produce_or_consume);
	while (semaphore_wait(&taken, DEADLINE_POLL) == 0)
		came++;
	CHECK(came == THREADS / 2 * ITEMS, "P5.1", "%u items were put in, %u posts came",
	      THREADS / 2 * ITEMS, came);
	CHECK(filled == 0 && sum == THREADS / 2 * ITEMS * (ITEMS - 1) / 2, "P5.8",
	      "at the end %u items are left, and their sum is %u", filled, sum);
	CHECK(mutex.word == 0, "P5.8", "at the end the word of the mutex is %lx", mutex.word);
	condvar_destroy(&not_full);
	condvar_destroy(&not_empty);
	audit();
}

/* --- Threads of several ranks, each with two of three mutexes, in any order ------------------- */

#define MUTEXES	3
#define ROUNDS	40

static struct mutex crossed[MUTEXES];
static unsigned inside[MUTEXES];		/* [crossed] */
static _Atomic unsigned together, refused, odd_errors;

static bool enter(unsigned i)
{
	int err = mutex_lock_timed(&crossed[i], waits_some_deadline());

	refused += err == -EDEADLK;
	odd_errors += err && err != -EDEADLK && err != -ETIMEDOUT;
	if (!err)
		together += inside[i]++ != 0;
	return !err;
}

static void leave(unsigned i)
{
	inside[i]--;
	mutex_unlock(&crossed[i]);
}

static int cross(void *number)
{
	for (unsigned n = 0; n < ROUNDS; n++) {
		unsigned first = ((u64)number + n) % MUTEXES;
		unsigned second = (first + 1 + (u64)number % 2) % MUTEXES;

		if (!enter(first))
			continue;
		if (n % 3 == 0)
			thread_yield();
		if (enter(second))
			leave(second);
		leave(first);
	}
	return 0;
}

KTEST(storm_crossed, "storm.crossed", "05.7", "P5.6")
{
	for (unsigned i = 0; i < MUTEXES; i++) {
		mutex_init_named(&crossed[i], "crossed");	/* their order is not judged */
		inside[i] = 0;
	}
	together = refused = odd_errors = 0;
	run_all(cross);
	CHECK(together == 0, "P5.8", "%u times a thread was not alone with a mutex", together);
	CHECK(odd_errors == 0, "P5.10", "%u waits ended in another way than they may", odd_errors);
	CHECK(current_thread()->se.inherited.level == 0, "P5.6", "a rank is left");
	for (unsigned i = 0; i < MUTEXES; i++)
		CHECK(crossed[i].word == 0, "P5.8", "at the end word %u is %lx", i,
		      crossed[i].word);
	ktest_figure("refused", refused);
	audit();
}
