/* Tests of suspend and resume: errors, a thread that is blocked, one that was never started. */
#include "errno.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sync/sync.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

static struct semaphore go;
static _Atomic unsigned rounds;

static int yield_until_told(void *unused)
{
	(void)unused;
	for (;;) {
		atomic_fetch_add(&rounds, 1);
		if (semaphore_wait(&go, DEADLINE_POLL) == 0)
			return 0;
		thread_yield();
	}
}

static int wait_until_told(void *unused)
{
	(void)unused;
	return semaphore_wait(&go, DEADLINE_NEVER);
}

static void await_state(struct thread *t, enum thread_state state)
{
	while (thread_state(t) != state)
		thread_yield();
}

/* -EALREADY: there is nothing to do, and the thread goes on. -ESRCH: it has ended. */
KTEST(suspend_errors, "suspend.errors", "", "suspend.errors")
{
	struct thread *t = thread_create("resumed", yield_until_told, NULL, PRIORITY_DEFAULT);
	unsigned before;
	int code;

	REQUIRE(t, "suspend.errors", "no memory for a thread");
	semaphore_init(&go, 0);
	CHECK(thread_suspend(t) == -EALREADY, "suspend.errors", "a new thread is suspended");
	CHECK(thread_resume(t) == 0, "suspend.errors", "a new thread cannot be resumed");
	CHECK(thread_resume(t) == -EALREADY, "suspend.errors", "it is resumed twice");
	CHECK(thread_suspend(t) == 0, "suspend.errors", "it cannot be suspended");
	await_state(t, THREAD_SUSPENDED);
	before = atomic_load(&rounds);
	CHECK(thread_suspend(t) == -EALREADY, "suspend.errors", "it is suspended twice");
	for (unsigned i = 0; i < 10; i++)
		thread_yield();
	CHECK(atomic_load(&rounds) == before, "suspend.errors", "suspended it runs");
	CHECK(thread_resume(t) == 0, "suspend.errors", "it cannot be resumed");
	semaphore_post(&go);
	await_state(t, THREAD_DEAD);
	CHECK(thread_suspend(t) == -ESRCH, "suspend.errors", "one that has ended is suspended");
	CHECK(thread_resume(t) == -ESRCH, "suspend.errors", "one that has ended is resumed");
	CHECK(thread_join(t, &code, DEADLINE_NEVER) == 0 && code == 0, "suspend.errors",
	      "it ended with %d", code);
	semaphore_destroy(&go);
}

/* A blocked thread is not suspended: resuming it neither wakes it nor takes its wait away. */
KTEST(suspend_blocked, "suspend.blocked", "", "suspend.errors")
{
	struct thread *t = thread_create("blocked", wait_until_told, NULL, PRIORITY_DEFAULT);
	int code;

	REQUIRE(t, "suspend.errors", "no memory for a thread");
	semaphore_init(&go, 0);
	thread_resume(t);
	await_state(t, THREAD_BLOCKED);
	CHECK(thread_resume(t) == -EALREADY, "suspend.errors", "a blocked thread is resumed");
	CHECK(thread_state(t) == THREAD_BLOCKED, "suspend.errors", "it was woken");
	semaphore_post(&go);
	CHECK(thread_join(t, &code, DEADLINE_NEVER) == 0 && code == 0, "suspend.errors",
	      "its wait gave %d", code);
	semaphore_destroy(&go);
}

/*
 * A user thread that is killed before its creator starts it: it never runs, it ends when it is
 * resumed, and its process with it.
 */
KTEST(suspend_unborn, "suspend.unborn", "", "suspend.errors")
{
	struct counter_snapshot before, after;
	struct wait_result res;
	struct process *p;
	struct thread *t;
	int err;

	counters_snapshot(&before);
	REQUIRE(process_create(current_process(), &p) == 0, "suspend.errors", "no process");
	REQUIRE(thread_create_in(p, "unborn", yield_until_told, NULL, PRIORITY_DEFAULT, &t) == 0,
		"suspend.errors", "no thread");
	semaphore_init(&go, 1);			/* should it run, it ends */
	atomic_store(&rounds, 0);
	thread_get(t);
	process_kill(p, 7);
	CHECK(thread_state(t) != THREAD_DEAD, "suspend.errors", "its creator cannot start it");
	CHECK(thread_resume(t) == -ESRCH, "suspend.errors", "a killed thread is started");
	CHECK(thread_state(t) == THREAD_DEAD, "suspend.errors", "it is not dead");
	thread_put(t);
	err = process_wait(p->pid, WEXITED, &res);
	CHECK(err == 0 && res.status == 7, "suspend.errors", "the wait gives %d, status %d", err,
	      res.status);
	CHECK(atomic_load(&rounds) == 0, "suspend.errors", "it ran");
	semaphore_destroy(&go);
	counters_snapshot(&after);
	counters_equal(&before, &after, "suspend.errors");
	audit();
}
