/* Tests of the records that tell a thread's life: timelines and judges see nothing else of it. */
#include "base/string.h"
#include "base/test_trace.h"
#include "process/process.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "sched/wait.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define CODE	77

static const char *const names[] = { "first of two", "second of two" };

static int change_name(void *unused)
{
	(void)unused;
	thread_set_name(current_thread(), names[1]);
	return CODE;
}

static unsigned named(const char *name)
{
	u64 words[2] = { 0 };

	strlcpy((char *)words, name, sizeof(words));
	return recorded(TRACE_EV_NAME, words[0], words[1]);
}

/*
 * All on one CPU: who is switched to and who wakes whom does not depend on the others. The test is
 * urgent: it blocks before the other thread runs, so that there is somebody to wake.
 */
KTEST(thread_recorded, "thread.recorded", "", "")
{
	struct sched_params urgent = params_of_level(PRIORITY_HIGHEST);
	struct deadline d = deadline_in(10 * NSEC_PER_SEC);
	tid_t me = current_thread()->tid, tid;
	u64 stack, joiners;
	struct thread *t;
	int code = 0;

	CHECK(sched_set_affinity(current_thread(), BIT(0)) == 0, "", "affinity");
	CHECK(sched_set_params(current_thread(), &urgent) == 0, "", "priority");
	look_from_here(TRACE_LIFE | TRACE_SCHED | TRACE_WAIT);
	t = thread_create(names[0], change_name, NULL, PRIORITY_DEFAULT);
	REQUIRE(t && sched_set_affinity(t, BIT(0)) == 0, "", "no thread on CPU 0");
	tid = t->tid;
	stack = (u64)t->stack;
	joiners = (u64)&t->joiners;
	thread_resume(t);
	CHECK(thread_join(t, &code, d) == 0 && code == CODE, "", "joined: code %d", code);
	look_no_longer();
	CHECK(recorded(TRACE_EV_CREATE, tid, 0) == 1, "", "its creation");
	CHECK(named(names[0]) == 1, "", "its first name");
	CHECK(recorded(TRACE_EV_BLOCK, joiners, d.at) == 1, "", "the wait for its end");
	CHECK(recorded(TRACE_EV_SWITCH, tid, ANY) > 0, "", "the switch to it");
	CHECK(named(names[1]) == 1, "", "its second name");
	CHECK(recorded(TRACE_EV_EXIT, CODE, 0) == 1, "", "its end");
	CHECK(recorded(TRACE_EV_SWITCH, ANY, tid) > 0, "", "the switch from it");
	CHECK(recorded(TRACE_EV_LEFT, tid, stack) == 1, "", "its stack is left");
	CHECK(recorded(TRACE_EV_CLAIM, me, WAIT_EVENT) == 1, "", "the claim of its joiner");
	CHECK(recorded(TRACE_EV_WAKE, me, 0) == 1, "", "the wake of its joiner");
	CHECK(recorded(TRACE_EV_JOIN, tid, CODE) == 1, "", "the join");
	CHECK(recorded(TRACE_EV_FREE, tid, stack) == 1, "", "its structure is free");
	CHECK(sched_set_affinity(current_thread(), ~0u) == 0, "", "affinity");
}
