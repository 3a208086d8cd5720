/*
 * Lab 05, step 1: semaphores. No thread here waits for a mutex or an event.
 */
#include "sync/sync.h"

#include "sync/test_sync.h"
#include "sync/test_waits.h"

static struct semaphore semaphore;

static void init(void)
{
	semaphore_init(&semaphore, 0);
}

static int wait(struct deadline d)
{
	return semaphore_wait(&semaphore, d);
}

static void pass(void)
{
	semaphore_post(&semaphore);
}

static void destroy(void)
{
	semaphore_destroy(&semaphore);
}

static const struct kind kind = { "semaphore", init, wait, .pass = pass, .destroy = destroy,
				  .queue = &semaphore.q, .polls_without_yielding = true };

/* Lets @n waits pass at once, and no more. */
static void expect_kept(unsigned n, const char *when)
{
	u64 from = time_now();

	for (unsigned i = 0; i < n; i++)
		CHECK(wait(deadline_in(SOON)) == 0, "P5.1",
		      "%s: %u posts are kept, wait %u failed", when, n, i);
	CHECK(time_before(time_now(), from + SOON), "P5.1", "%s: a wait blocked, %u posts are kept",
	      when, n);
	CHECK(wait(DEADLINE_POLL) == -ETIMEDOUT, "P5.1", "%s: one wait more than %u passed", when,
	      n);
}

KTEST(sem_posts, "sem.posts", "05.1", "P5.1")
{
	static const unsigned many[] = { (1u << 31) + 1, ~0u };
	static const unsigned before[] = { 0xff, 0xffff, (1u << 31) - 1, 1u << 31, ~0u - 1 };

	semaphore_init(&semaphore, 3);
	expect_kept(3, "it began with 3");
	for (unsigned i = 0; i < 5; i++)
		pass();
	expect_kept(5, "5 posts, and no thread waits");
	for (unsigned i = 0; i < 3; i++) {
		pass();
		expect_kept(1, "a post, then a wait");
	}
	pass();
	CHECK(wait(deadline_at(time_now() - 1)) == 0, "P5.1",
	      "a post is kept, and a wait whose deadline is past failed");
	destroy();
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++) {
		semaphore_init(&semaphore, many[i]);
		for (unsigned n = 1; n < 3; n++) {
			u64 from = time_now();
			int err = wait(deadline_in(SOON));

			CHECK(err == 0 && time_before(time_now(), from + SOON), "P5.1",
			      "%u posts are kept, and a wait blocked and returned %d",
			      many[i] - n + 1, err);
			CHECK(semaphore.count == many[i] - n, "P5.1",
			      "of %u posts %u were used, and %u are kept", many[i], n,
			      semaphore.count);
		}
		destroy();
	}
	for (unsigned i = 0; i < ARRAY_SIZE(before); i++) {
		semaphore_init(&semaphore, before[i]);
		pass();
		CHECK(semaphore.count == before[i] + 1, "P5.1",
		      "%u posts, then one more, and %u are kept", before[i], semaphore.count);
		destroy();
	}
}

static _Atomic unsigned passed;

static int wait_and_count(void *unused)
{
	int err = wait(DEADLINE_NEVER);

	(void)unused;
	passed += err == 0;
	return err;
}

#define WAITERS	16

/* More threads wait than are posted for, then more posts come than threads wait. */
KTEST(sem_crowd, "sem.crowd", "05.1", "P5.1")
{
	struct thread *t[WAITERS];
	unsigned few = WAITERS / 4;

	init();
	passed = 0;
	for (unsigned i = 0; i < WAITERS; i++) {
		t[i] = test_thread(ALL_CPUS, wait_and_count, NULL, PRIORITY_DEFAULT);
		test_blocked(t[i], "semaphore");
	}
	for (unsigned i = 0; i < few; i++)
		pass();
	for (unsigned i = 0; i < few; i++)
		test_join(t[i], "semaphore");
	CHECK(passed == few, "P5.1", "%u threads wait, %u posts let %u pass", WAITERS, few, passed);
	CHECK(semaphore.count == 0, "P5.1", "threads wait, and %u posts are kept", semaphore.count);
	for (unsigned i = few; i < WAITERS + 2; i++)
		pass();
	for (unsigned i = few; i < WAITERS; i++)
		test_join(t[i], "semaphore");
	expect_kept(2, "two posts more than waits");
	destroy();
	audit();
}

KTEST(sem_order, "sem.order", "05.1", "P5.1")
{
	waits_order(&kind);
}

KTEST(sem_not_stolen, "sem.not_stolen", "05.1", "P5.1")
{
	waits_not_stolen(&kind);
	waits_given(&kind);
}

KTEST(sem_conserved, "sem.conserved", "05.1", "P5.1")
{
	waits_conserved(&kind);
}

KTEST(sem_deadline, "sem.deadline", "05.1", "P5.2")
{
	waits_deadline(&kind);
}

KTEST(sem_poll, "sem.poll", "05.1", "P5.2")
{
	waits_poll(&kind);
}

KTEST(sem_killed, "sem.killed", "05.1", "P5.2")
{
	waits_killed(&kind);
}

/* A signal has come that has a handler: the thread must return to user mode for that. */
KTEST(sem_signaled, "sem.signaled", "05.1", "P5.2")
{
	struct thread *t = current_thread();
	int err;

	init();
	atomic_fetch_or(&t->work, WORK_SIGNAL);
	err = wait(deadline_in(SOON));
	CHECK(err == -EINTR, "P5.2", "a signal has come, and a wait returned %d", err);
	pass();
	err = wait(deadline_in(SOON));
	CHECK(err == 0 || err == -EINTR, "P5.2", "a post is kept, and a wait returned %d", err);
	atomic_fetch_and(&t->work, ~WORK_SIGNAL);
	if (err)
		expect_kept(1, "a signal has come and ended a wait");
	destroy();
}

KTEST(sem_not_eaten, "sem.not_eaten", "05.1", "P5.2")
{
	waits_not_eaten(&kind);
	waits_behind_many(&kind);
}

KTEST(sem_not_lost, "sem.not_lost", "05.1", "P5.2")
{
	waits_not_lost(&kind);
}

KTEST(sem_destroyed, "sem.destroyed", "05.1", "P5.2")
{
	int err;

	waits_destroyed(&kind);
	err = wait(DEADLINE_POLL);
	CHECK(err == -EIDRM, "P5.2", "a poll of a destroyed semaphore returned %d", err);
	waits_removed(&kind);
}
