/*
 * Lab 02, steps 7 and 8: detaching, the errors of join, and the last thread out.
 */
#include "base/counters.h"
#include "errno.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define STRIDE	4	/* a sweep stops at every fourth instruction; seed= chooses the first */

static _Atomic bool go;

static int wait_for_go(void *arg)
{
	while (!go)
		thread_yield();
	return (int)(s64)arg;
}

static int join_it(void *arg)
{
	return thread_join(arg, NULL, DEADLINE_NEVER);
}

/* @own: the thread's structure; NULL: one from the kernel. */
static struct thread *start_in(struct thread *own, thread_fn fn, void *arg)
{
	struct thread *t = thread_create_etc(own, "worker", fn, arg, PRIORITY_DEFAULT, NULL, 0);

	REQUIRE(t, "P2.9", "no thread was made");
	thread_resume(t);
	return t;
}

static struct thread *start(thread_fn fn, void *arg)
{
	return start_in(NULL, fn, arg);
}

static void let_it_be_joined(struct thread *t)
{
	bool waited_for = false;

	while (!waited_for) {
		thread_yield();
		spin_lock(&t->joiners.lock);
		waited_for = t->joiners.nr > 0;
		spin_unlock(&t->joiners.lock);
	}
}

/* Waits until @t has left its stack. The caller has a reference to @t, or has not detached it. */
static void let_it_leave(struct thread *t)
{
	bool left = false;

	while (!left) {
		thread_yield();
		spin_lock(&t->joiners.lock);
		left = t->left;
		spin_unlock(&t->joiners.lock);
	}
}

KTEST(join_errors, "join.errors", "02.7", "P2.9")
{
	struct thread *t, *j;
	int got;

	go = false;
	CHECK(thread_join(current_thread(), NULL, DEADLINE_NEVER) == -EDEADLK, "P2.9",
	      "a thread could join itself");
	t = start(wait_for_go, (void *)3);
	thread_get(t);
	j = start(join_it, t);
	let_it_be_joined(t);
	got = thread_join(t, NULL, DEADLINE_POLL);
	CHECK(got == -EBUSY, "P2.9", "a second joiner got %d", got);
	thread_kill(j);
	CHECK(thread_join(j, &got, deadline_in(NSEC_PER_SEC)) == 0 && got == -EINTR, "P2.9",
	      "a joiner that was killed got %d", got);
	j = start(join_it, t);
	let_it_be_joined(t);
	CHECK(thread_detach(t) == 0, "P2.10", "a living thread could not be detached");
	CHECK(thread_join(j, &got, deadline_in(NSEC_PER_SEC)) == 0 && got == -ECHILD, "P2.10",
	      "the joiner of a thread that was detached during the join got %d", got);
	got = thread_join(t, NULL, DEADLINE_POLL);
	CHECK(got == -ECHILD, "P2.9", "joining a detached thread gave %d", got);
	CHECK(thread_detach(t) == -ECHILD, "P2.9", "a thread could be detached twice");
	go = true;
	let_it_leave(t);	/* the next test counts threads and must not see this one */
	thread_put(t);
}

KTEST(join_two, "join.two", "02.7", "P2.5")
{
	struct thread *t, *a, *b;
	int x = 1, y = 1;

	go = false;
	t = start(wait_for_go, (void *)0);
	a = start(join_it, t);
	let_it_be_joined(t);
	b = start(join_it, t);
	CHECK(thread_join(b, &y, DEADLINE_NEVER) == 0 && y == -EBUSY, "P2.9",
	      "the second joiner got %d", y);
	go = true;
	CHECK(thread_join(a, &x, DEADLINE_NEVER) == 0 && x == 0, "P2.5", "the first joiner got %d",
	      x);
}

KTEST(detach_reaped, "detach.reaped", "02.7", "P2.10")
{
	static struct thread brought[2];	/* structures that the reaper must leave alone */
	struct counter_snapshot before, after;
	struct thread *t;

	counters_snapshot(&before);
	for (unsigned i = 0; i < 2; i++) {
		go = false;
		t = start_in(i ? &brought[0] : NULL, wait_for_go, NULL);
		thread_detach(t);		/* before it exits */
		go = true;
		t = start_in(i ? &brought[1] : NULL, wait_for_go, NULL);
		let_it_leave(t);
		thread_detach(t);		/* and after */
	}
	counters_snapshot(&after);
	counters_equal(&before, &after, "P2.10");
	audit();
}

/* On 1 CPU: interrupts thread_detach() after @step instructions, where the thread exits. */
KTEST(detach_swept, "detach.swept", "02.7", "P2.10")
{
	struct counter_snapshot before, after;
	bool hit = true;
	unsigned step;

	counters_snapshot(&before);
	go = true;
	for (step = ktest_seed() % STRIDE; hit && step < 30000; step += STRIDE) {
		struct thread *t = start(wait_for_go, NULL);

		REQUIRE(sweep_arm("thread_detach", current_thread(), step) == 0, "P2.10",
			"no thread_detach()");
		CHECK(thread_detach(t) == 0, "P2.10", "detach failed");
		hit = sweep_hit();
	}
	ktest_figure("detach_steps", step);
	counters_snapshot(&after);
	counters_equal(&before, &after, "P2.10");
}

/* The threads of a process end with codes that all differ; the one of the first is @first. */
static struct process *start_process(unsigned threads, thread_fn fn, int first)
{
	struct process *p;
	struct thread *t[4];

	REQUIRE(process_create(current_process(), &p) == 0, "P2.11", "no process was made");
	for (unsigned i = 0; i < threads; i++)
		REQUIRE(thread_create_in(p, "member", fn, (void *)(s64)(first ^ i),
					 PRIORITY_DEFAULT, &t[i]) == 0,
			"P2.11", "no thread was made");
	for (unsigned i = 0; i < threads; i++)
		thread_resume(t[i]);
	return p;
}

static void wait_for_process(pid_t pid, int first, const char *when)
{
	struct wait_result res;
	int err = process_wait(pid, WEXITED, &res);

	CHECK(err == 0 && res.pid == pid, "P2.11", "%s: waiting for it gave %d", when, err);
	CHECK(res.status == STATUS_EXIT(first), "P2.11",
	      "%s: its status is 0x%x, its first thread's exit code is %d", when, res.status,
	      first);
	CHECK(process_wait(pid, WEXITED | WNOHANG, &res) == -ECHILD, "P2.11", "%s: it ended twice",
	      when);
}

KTEST(last_ends, "last.ends", "02.8", "P2.11")
{
	struct counter_snapshot before, after;

	counters_snapshot(&before);
	go = true;
	for (unsigned threads = 1; threads <= 4; threads++)
		for (int round = 0; round < 10; round++)
			wait_for_process(start_process(threads, wait_for_go, round % 4)->pid,
					 round % 4, "all exit at once");
	counters_snapshot(&after);
	counters_equal(&before, &after, "P2.8");
}

static unsigned sweep_step;

static int swept_exit(void *arg)
{
	struct process *p = current_process();

	/* Sweep only the first thread; the other one then exits in the middle of its exit. */
	if (current_thread()->tid == p->pid)
		sweep_arm("process_thread_leaves", current_thread(), sweep_step);
	return (int)(s64)arg;
}

KTEST(last_swept, "last.swept", "02.8", "P2.11")
{
	bool hit = true;
	unsigned step;

	/*
	 * A wrong kernel may have a single instruction between counting down and reading the count:
	 * the four seeds together stop at every instruction.
	 */
	for (step = ktest_seed() % STRIDE; hit && step < 30000; step += STRIDE) {
		sweep_step = step;
		wait_for_process(start_process(2, swept_exit, 10)->pid, 10,
				 "one exits in the middle of the other's exit");
		hit = sweep_hit();
	}
	ktest_figure("last_steps", step);
}
