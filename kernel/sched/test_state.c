/* Changing a thread's state by its id: which states may be asked for, and which not. */
#include "errno.h"
#include "process/process.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

static _Atomic unsigned turns;

static int takes_turns(void *unused)
{
	(void)unused;
	do {
		turns++;
		thread_yield();		/* suspends itself here if asked to */
	} while (thread_sleep(10 * NSEC_PER_USEC) == 0);
	return 0;
}

static void await_turns(void)
{
	for (unsigned before = turns; turns < before + 3;)
		thread_yield();
}

KTEST(thread_by_id, "thread.by_id", "", "thread.by_id")
{
	struct thread *t = thread_create("turns", takes_turns, NULL, PRIORITY_DEFAULT);
	tid_t tid = t->tid;
	unsigned before;
	int code;

	thread_get(t);
	CHECK(thread_set_state_by_id(tid, THREAD_SUSPENDED) == -EALREADY, "thread.by_id", "it is");
	CHECK(thread_set_state_by_id(tid, THREAD_READY) == 0, "thread.by_id", "not resumed");
	await_turns();
	CHECK(thread_set_state_by_id(tid, THREAD_READY) == -EALREADY, "thread.by_id",
	      "it runs, and is resumed");

	CHECK(thread_set_state_by_id(tid, THREAD_SUSPENDED) == 0, "thread.by_id", "not suspended");
	while (thread_state(t) != THREAD_SUSPENDED)
		thread_yield();
	before = turns;
	thread_sleep(NSEC_PER_MSEC);
	CHECK(turns == before, "thread.by_id", "it runs while it is suspended");
	CHECK(thread_set_state_by_id(tid, THREAD_READY) == 0, "thread.by_id", "not resumed again");
	await_turns();

	for (enum thread_state s = THREAD_SUSPENDED; s <= THREAD_DEAD; s++)
		if (s != THREAD_READY && s != THREAD_SUSPENDED && s != THREAD_DEAD)
			CHECK(thread_set_state_by_id(tid, s) == -EINVAL, "thread.by_id",
			      "it may be made %s", thread_state_name(s));

	CHECK(thread_set_state_by_id(tid, THREAD_DEAD) == 0, "thread.by_id", "it cannot be ended");
	CHECK(thread_join(t, &code, DEADLINE_NEVER) == 0, "thread.by_id", "it does not end");
	CHECK(thread_set_state_by_id(tid, THREAD_READY) == -ESRCH, "thread.by_id",
	      "one that is gone is found");
	thread_put(t);
}

KTEST(time_coarse, "time.coarse", "", "time.coarse")
{
	for (u64 slack = 1; slack <= NSEC_PER_MSEC; slack *= 10) {
		u64 at = NSEC_PER_SEC + test_random() % NSEC_PER_SEC;
		u64 first = deadline_coarse(deadline_at(at), slack).at;
		u64 second = deadline_coarse(deadline_at(first - slack + 1), slack).at;

		CHECK(first >= at && first - at < slack, "time.coarse", "%lu became %lu", at,
		      first);
		CHECK(second == first, "time.coarse", "within %lu ns, %lu and %lu", slack, first,
		      second);
		CHECK(deadline_coarse(deadline_at(at), 0).at == at, "time.coarse", "without slack");
	}
	CHECK(deadline_coarse(DEADLINE_NEVER, 1000).kind == DEADLINE_NEVER.kind, "time.coarse",
	      "never is a time");
}
