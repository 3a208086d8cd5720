/*
 * Lab 05, step 5: mutexes of threads that are all equally urgent: exclusion, the word, handing
 * over, and waits that end without the mutex. docs/models/mutex.pml has the same properties over
 * every interleaving of three threads.
 */
#include "sync/mutex.h"

#include "sync/test_sync.h"
#include "sync/test_waits.h"

static struct mutex m;

static void init(void)
{
	mutex_init(&m);
	mutex_lock(&m);
}

static int wait(struct deadline d)
{
	return mutex_lock_timed(&m, d);
}

static void unlock(void)
{
	mutex_unlock(&m);
}

static void destroy(void)
{
	mutex_destroy(&m);
}

static const struct kind kind = { "mutex", init, wait, .leave = unlock, .pass = unlock,
				  .destroy = destroy };

/* An owner whom no other thread waits for may have the mark: an unlock more goes the slow way. */
static void expect_word(const struct thread *owner, bool contended, const char *when)
{
	u64 word = (u64)owner | (contended ? MUTEX_CONTENDED : 0);
	u64 seen = m.word & (owner && !contended ? ~MUTEX_CONTENDED : ~0UL);

	CHECK(seen == word, "P5.8", "%s: the word is %lx, not %lx", when, m.word, word);
}

/* --- The word, and to whom the mutex goes ----------------------------------------------------- */

static struct semaphore go;			/* one post for each that may unlock */

/* Locks the mutex, and keeps it until it is told. Returns 1 if its deadline came first. */
static int keep(void *arg)
{
	int err;

	if (mutex_lock_timed(&m, arg ? deadline_in((u64)arg) : DEADLINE_NEVER))
		return 1;
	err = semaphore_wait(&go, deadline_in(SOON));
	mutex_unlock(&m);
	return err;
}

static struct thread *start_keeper(u64 ns)
{
	struct thread *t = test_thread(ONE_CPU, keep, (void *)ns, PRIORITY_DEFAULT);

	test_blocked(t, "mutex");
	return t;
}

static void begin_keepers(void)
{
	test_stay(ONE_CPU);
	semaphore_init(&go, 0);
	init();
}

static void end_keepers(void)
{
	expect_word(NULL, false, "the last has unlocked it");
	CHECK(mutex_lock_timed(&m, DEADLINE_POLL) == 0, "P5.8", "the last has not given it back");
	destroy();
	semaphore_destroy(&go);
	test_stay(ALL_CPUS);
	audit();
}

static void let_unlock(struct thread *t)
{
	int err;

	semaphore_post(&go);
	err = test_join(t, "mutex");
	CHECK(err == 0, "P5.9", "a thread that waited did not get the mutex: %d", err);
}

KTEST(mutex_word, "mutex.word", "05.5", "P5.8")
{
	struct thread *t[3], *self = current_thread();

	begin_keepers();
	expect_word(self, false, "locked, and no thread waits");
	for (unsigned i = 0; i < 3; i++) {
		t[i] = start_keeper(0);
		expect_word(self, true, "a thread waits");
	}
	mutex_unlock(&m);
	for (unsigned i = 0; i < 3; i++) {
		expect_word(t[i], i < 2, i < 2 ? "handed over, and others wait" : "the last");
		test_blocked(t[i], "keeper");
		let_unlock(t[i]);
	}
	end_keepers();
}

/* The first waiter's wait is over, the second one's is not. */
KTEST(mutex_hand_over, "mutex.hand_over", "05.5", "P5.9")
{
	struct thread *first, *second;

	begin_keepers();
	first = start_keeper(4 * MS);
	second = start_keeper(0);
	CHECK(test_join(first, "mutex") == 1, "P5.10", "the first waiter did not time out");
	test_priority(PRIORITY_HIGHEST);
	mutex_unlock(&m);
	/* From now on it belongs to the second waiter, even if that has not run since. */
	CHECK(mutex_lock_timed(&m, DEADLINE_POLL) == -ETIMEDOUT, "P5.9",
	      "a mutex that another thread waited for was free");
	CHECK((m.word & ~MUTEX_CONTENDED) == (u64)second, "P5.9",
	      "the mutex was not handed to the one that still waits: %lx", m.word);
	test_priority(PRIORITY_DEFAULT);
	let_unlock(second);
	end_keepers();
}

/* A waiter that has given up must not disturb the owner's unlock. */
KTEST(mutex_gives_up, "mutex.gives_up", "05.5", "P5.10")
{
	struct thread *t;

	begin_keepers();
	t = start_keeper(4 * MS);
	CHECK(test_join(t, "mutex") == 1, "P5.10", "the waiter did not time out");
	CHECK(!pi_has_waiters(&m.pi) && mutex_held(&m), "P5.10", "it still waits");
	mutex_unlock(&m);
	end_keepers();
}

KTEST(mutex_order, "mutex.order", "05.5", "P5.9")
{
	waits_order(&kind);
}

KTEST(mutex_not_stolen, "mutex.not_stolen", "05.5", "P5.9")
{
	waits_not_stolen(&kind);
	waits_given(&kind);
}

/* --- Waits that end --------------------------------------------------------------------------- */

KTEST(mutex_deadline, "mutex.deadline", "05.5", "P5.10")
{
	waits_deadline(&kind);
}

KTEST(mutex_poll, "mutex.poll", "05.5", "P5.10")
{
	waits_poll(&kind);
}

KTEST(mutex_killed, "mutex.killed", "05.5", "P5.10")
{
	waits_killed(&kind);
}

KTEST(mutex_destroyed, "mutex.destroyed", "05.5", "P5.10")
{
	int err;

	waits_destroyed(&kind);
	CHECK(m.word == MUTEX_DESTROYED, "P5.10",
	      "waits for a destroyed mutex have left the word %lx", m.word);
	mutex_init(&m);
	mutex_destroy(&m);
	err = mutex_lock_timed(&m, DEADLINE_POLL);
	CHECK(err == -EIDRM, "P5.10", "a poll of a destroyed mutex returned %d", err);
	err = mutex_lock_timed(&m, deadline_in(SOON));
	CHECK(err == -EIDRM && m.word == MUTEX_DESTROYED, "P5.10",
	      "a wait for a destroyed mutex returned %d, and left the word %lx", err, m.word);
}

KTEST(mutex_not_eaten, "mutex.not_eaten", "05.5", "P5.9")
{
	waits_not_eaten(&kind);
}

KTEST(mutex_not_lost, "mutex.not_lost", "05.5", "P5.10")
{
	waits_not_lost(&kind);
}

/* --- An end between the look at a waiter and its claim ---------------------------------------- */

static int hold_until_told(void *unused)
{
	int err;

	(void)unused;
	mutex_lock(&m);
	err = semaphore_wait(&go, DEADLINE_NEVER);
	mutex_unlock(&m);
	return err;
}

static int lock_once(void *unused)
{
	int err = mutex_lock_interruptible(&m);

	(void)unused;
	if (!err)
		mutex_unlock(&m);
	return err;
}

/* On two CPUs: the waiter is killed when the unlock is about to claim it, so the mutex is free. */
KTEST(mutex_claimed, "mutex.claimed", "05.5", "P5.9")
{
	struct thread *holder, *waiter;
	int err;

	NEEDS_TWO_CPUS;
	test_stay(ONE_CPU);
	mutex_init(&m);
	semaphore_init(&go, 0);
	holder = test_thread(BIT(1), hold_until_told, NULL, PRIORITY_DEFAULT);
	test_blocked(holder, "mutex");
	waiter = test_thread(ONE_CPU, lock_once, NULL, PRIORITY_DEFAULT);
	test_blocked(waiter, "mutex");
	park_arm(0, "waiter_swap", AT_ENTRY, holder, 100 * MS);
	semaphore_post(&go);
	park_wait(0, 50 * MS);
	thread_kill(waiter);
	park_release(0);
	test_join(holder, "mutex");
	err = test_join(waiter, "mutex");
	CHECK(err == 0, "P5.9", "the mutex came free after a kill, and the wait returned %d", err);
	expect_word(NULL, false, "all have unlocked it");
	test_stay(ALL_CPUS);
	audit();
}

/* --- Exclusion -------------------------------------------------------------------------------- */

#define THREADS	6
#define ROUNDS	60

static unsigned inside;			/* [m] threads between lock and unlock */
static unsigned passed;			/* [m] */
static _Atomic unsigned together, odd_errors;

static void look_inside(void)
{
	together += !mutex_held(&m) || inside != 1;
}

static int lock_often(void *arg)
{
	bool timed = (u64)arg & 1;

	for (unsigned i = 0; i < ROUNDS; i++) {
		int err = 0;

		if (timed)
			err = mutex_lock_timed(&m, waits_some_deadline());
		else
			mutex_lock(&m);
		odd_errors += err && err != -ETIMEDOUT;
		if (err)
			continue;
		inside++;
		passed++;
		look_inside();
		if (i % 4 == 0)
			thread_yield();		/* invite the others while we are inside */
		look_inside();
		inside--;
		mutex_unlock(&m);
	}
	return 0;
}

KTEST(mutex_storm, "mutex.storm", "05.5", "P5.8")
{
	struct thread *t[THREADS];

	mutex_init(&m);
	inside = 0;
	passed = 0;
	together = 0;
	odd_errors = 0;
	for (u64 i = 0; i < THREADS; i++)
		t[i] = test_thread(ALL_CPUS, lock_often, (void *)i, PRIORITY_DEFAULT);
	for (unsigned i = 0; i < THREADS; i++)
		test_join(t[i], "mutex");
	CHECK(together == 0, "P5.8", "%u times a thread was not alone with the mutex", together);
	CHECK(odd_errors == 0, "P5.10", "%u waits ended neither with 0 nor -ETIMEDOUT",
	      odd_errors);
	CHECK(passed >= THREADS / 2 * ROUNDS, "P5.9", "only %u passed", passed);
	expect_word(NULL, false, "all have unlocked it");
	CHECK(!pi_has_waiters(&m.pi), "P5.8", "all have unlocked it, and one waits");
	audit();
}
