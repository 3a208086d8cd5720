/*
 * Tests of a process's leader: its id finds it until the process has been waited for, whether it is
 * freed before that wait or after.
 */
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

static int leave(void *unused)
{
	(void)unused;
	return 0;
}

/* A child of the test's whose only thread exits at once. */
static pid_t begin(struct thread **t)
{
	struct process *p;

	REQUIRE(process_create(current_process(), &p) == 0, "thread.leader", "no process");
	REQUIRE(thread_create_in(p, "leaves", leave, NULL, PRIORITY_DEFAULT, t) == 0,
		"thread.leader", "no thread");
	return p->pid;
}

static void wait_for(pid_t pid, unsigned options)
{
	struct wait_result res;
	int err = process_wait(pid, WEXITED | options, &res);

	CHECK(err == 0 && res.pid == pid, "thread.leader", "waiting gave %d", err);
}

static bool is_found(pid_t pid)
{
	struct thread *t = thread_find(pid);

	if (t)
		thread_put(t);
	return t;
}

static void strike_out(struct thread *t, void *found)
{
	if (t->tid == *(pid_t *)found)
		*(pid_t *)found = 0;
}

KTEST(leader_freed_first, "thread.leader_freed_first", "", "thread.leader")
{
	struct counter_snapshot before, after;
	struct sched_params idle = { .class = SCHED_IDLE };
	struct thread *t;
	pid_t pid, seen;

	counters_snapshot(&before);
	seen = pid = begin(&t);
	thread_resume(t);
	wait_for(pid, WNOWAIT);
	reaper_drain();
	t = thread_find(pid);
	/* REAPER1: once drained, it is freed */
	CHECK(t && !t->stack, "thread.leader", "it is not found, or has its stack yet");
	thread_for_each_id(strike_out, &seen);
	CHECK(!seen, "thread.leader", "it is not among those with an id");
	if (t) {
		CHECK(sched_set_params(t, &idle) == 0 && sched_get_params(t).class == SCHED_IDLE,
		      "thread.leader", "it keeps no parameters");
		CHECK(thread_stack_used(t) == 0, "thread.leader", "it uses a stack");
		thread_put(t);
	}
	wait_for(pid, 0);
	CHECK(!is_found(pid), "thread.leader", "it is found after the wait");
	counters_snapshot(&after);
	counters_equal(&before, &after, "thread.leader");
	audit();
}

KTEST(leader_waited_for_first, "thread.leader_waited_for_first", "", "thread.leader")
{
	struct counter_snapshot before, after;
	struct thread *t;
	pid_t pid;

	NEEDS_TWO_CPUS;
	counters_snapshot(&before);
	pid = begin(&t);
	thread_get(t);
	park_arm(0, "process_thread_leaves", AT_EXIT, t, 10 * NSEC_PER_SEC);
	thread_resume(t);
	wait_for(pid, 0);
	CHECK(!is_found(pid), "thread.leader", "it is found after the wait");
	CHECK(thread_state(t) != THREAD_DEAD && !park_timed_out(0), "thread.leader",
	      "it was dead before the wait");
	park_release(0);
	thread_put(t);
	counters_snapshot(&after);
	counters_equal(&before, &after, "thread.leader");
	audit();
}
