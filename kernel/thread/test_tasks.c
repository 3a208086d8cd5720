/* Tests of the limits on tasks: exact (CRED3) even if several CPUs create tasks at once. */
#include "errno.h"
#include "mm/mm.h"
#include "process/cred.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define MAKERS	4
#define EACH	8
#define ROOM	10		/* fewer than all of them want */
#define ROUNDS	50
#define TURNS	50000

static _Atomic unsigned arrived, nr_made;
static struct process *made[MAKERS][EACH];
static _Atomic unsigned inside;
static u64 user_max, max_in_all;

static void meet(void)
{
	arrived++;
	while (arrived < MAKERS)
		thread_yield();
}

static int make_processes(void *own)
{
	struct process **p = own;

	meet();
	for (int i = 0; i < EACH; i++) {
		int err = process_create(init_process, &p[i]);

		CHECK(!err || err == -EAGAIN, "task.limit", "the error is %d", err);
		nr_made += !err;
		if (err)
			p[i] = NULL;
	}
	return 0;
}

/* There is room for one task, so no second one may be counted until the first has ended. */
static int take_turns(void *unused)
{
	(void)unused;
	meet();
	for (int i = 0; i < TURNS; i++) {
		if (!user_add_task(kernel_cred.user, user_max, max_in_all))
			continue;
		nr_made += atomic_fetch_add(&inside, 1) > 0;
		atomic_fetch_sub(&inside, 1);
		user_end_task(kernel_cred.user);
	}
	return 0;
}

/* Runs all makers at once; returns what they counted. */
static unsigned make(thread_fn fn)
{
	struct thread *t[MAKERS];

	arrived = nr_made = 0;
	for (int i = 0; i < MAKERS; i++) {
		t[i] = thread_create("maker", fn, made[i], PRIORITY_DEFAULT);
		sched_set_affinity(t[i], BIT(i % nr_cpus));
		thread_resume(t[i]);
	}
	for (int i = 0; i < MAKERS; i++)
		thread_join(t[i], NULL, DEADLINE_NEVER);
	return nr_made;
}

KTEST(task_limit, "task.limit", "", "task.limit")
{
	unsigned kept = threads_max, before = user_tasks(kernel_cred.user);

	threads_max = before + ROOM + THREADS_SPARED;
	for (int round = 0; round < ROUNDS; round++) {
		unsigned n = make(make_processes);

		CHECK(n == ROOM, "task.limit", "%u processes where %u have room", n, ROOM);
		for (int i = 0; i < MAKERS * EACH; i++)
			if (made[i / EACH][i % EACH])
				process_abandon(made[i / EACH][i % EACH]);
		CHECK(user_tasks(kernel_cred.user) == before, "task.limit", "one stays counted");
	}
	threads_max = kept;
	audit();
}

KTEST(task_room_for_one, "task.room_for_one", "", "task.limit")
{
	unsigned before = user_tasks(kernel_cred.user), twice;

	user_max = before + 1;
	max_in_all = RLIM_INFINITY;
	twice = make(take_turns);
	CHECK(!twice, "task.limit", "%u times two tasks of a user that may have one", twice);
	user_max = RLIM_INFINITY;
	max_in_all = before + 1;		/* all that there are in a test are root's */
	twice = make(take_turns);
	CHECK(!twice, "task.limit", "%u times two tasks where the system has room for one",
	      twice);
	CHECK(!user_add_task(kernel_cred.user, RLIM_INFINITY, before), "task.limit",
	      "one too many");
	CHECK(user_tasks(kernel_cred.user) == before, "task.limit", "one stays counted");
}

static int make_one(void *own)
{
	return process_create(init_process, own);
}

/* Room for one task: the second is asked for when the first is counted but not yet made. */
KTEST(task_counted_first, "task.counted_first", "", "task.limit")
{
	unsigned kept = threads_max;
	struct process *p[2];
	struct thread *t[2];
	int err[2];

	NEEDS_TWO_CPUS;
	for (int i = 0; i < 2; i++)
		t[i] = thread_create("maker", make_one, &p[i], PRIORITY_DEFAULT);
	threads_max = user_tasks(kernel_cred.user) + 1 + THREADS_SPARED;
	park_arm(0, "task_begin", AT_EXIT, t[0], 10 * NSEC_PER_SEC);
	thread_resume(t[0]);
	REQUIRE(park_wait(0, 10 * NSEC_PER_SEC), "task.limit", "nobody begins a task");
	thread_resume(t[1]);
	thread_join(t[1], &err[1], DEADLINE_NEVER);
	park_release(0);
	thread_join(t[0], &err[0], DEADLINE_NEVER);
	threads_max = kept;
	CHECK(err[0] == 0 && err[1] == -EAGAIN && !park_timed_out(0), "task.limit",
	      "the first gives %d, the second %d", err[0], err[1]);
	for (int i = 0; i < 2; i++)
		if (!err[i])
			process_abandon(p[i]);
}

static int nothing(void *unused)
{
	(void)unused;
	return 0;
}

KTEST(task_undone, "task.undone", "", "task.limit")
{
	unsigned kept = threads_max, tasks = user_tasks(kernel_cred.user), all = tasks_in_all();
	struct counter_snapshot before, after;
	struct wait_result res;
	struct process *p, *q;
	struct thread *t[2];

	counters_snapshot(&before);
	REQUIRE(process_create(current_process(), &p) == 0, "task.limit", "no process");
	CHECK(process_kernel_bytes(p) < KSTACK_SIZE, "task.limit",
	      "it has neither a thread nor memory");
	threads_max = tasks + 1;
	CHECK(process_create(current_process(), &q) == -EAGAIN, "task.limit", "a second one");
	CHECK(thread_create_in(p, "first", nothing, NULL, PRIORITY_DEFAULT, &t[0]) == 0,
	      "task.limit", "a first thread is its process's task");
	CHECK(thread_create_in(p, "second", nothing, NULL, PRIORITY_DEFAULT, &t[1]) == -EAGAIN,
	      "task.limit", "a second thread");
	threads_max++;
	REQUIRE(thread_create_in(p, "second", nothing, NULL, PRIORITY_DEFAULT, &t[1]) == 0,
		"task.limit", "there is room for a second thread");
	threads_max = kept;
	thread_resume(t[0]);
	thread_resume(t[1]);
	process_wait(p->pid, WEXITED, &res);
	counters_snapshot(&after);
	counters_equal(&before, &after, "task.limit");
	CHECK(user_tasks(kernel_cred.user) == tasks && tasks_in_all() == all, "task.limit",
	      "one stays counted");
}

/* Whichever allocation fails, nobody stays counted, and no thread comes out. */
KTEST(task_no_memory, "task.no_memory", "", "task.limit")
{
	unsigned tasks = user_tasks(kernel_cred.user), all = tasks_in_all(), nth = 0;
	struct thread *t = NULL;
	struct wait_result res;
	struct process *p;
	int err;

	do {
		oom_arm(++nth, current_thread());
		err = process_create(current_process(), &p);
		oom_arm(0, NULL);
		CHECK(!err || (user_tasks(kernel_cred.user) == tasks && tasks_in_all() == all),
		      "task.limit", "a process that was not made is counted");
	} while (err == -ENOMEM);
	REQUIRE(!err && nth > 1, "task.limit", "after %u attempts the error is %d", nth, err);
	nth = 0;
	do {
		oom_arm(++nth, current_thread());
		err = thread_create_in(p, "only", nothing, NULL, PRIORITY_DEFAULT, &t);
		oom_arm(0, NULL);
		CHECK(!err || !t, "task.limit", "a thread that was not made comes out");
	} while (err == -ENOMEM);
	REQUIRE(!err && nth > 1, "task.limit", "after %u attempts the error is %d", nth, err);
	thread_resume(t);
	process_wait(p->pid, WEXITED, &res);
	CHECK(user_tasks(kernel_cred.user) == tasks && tasks_in_all() == all, "task.limit",
	      "one stays counted");
}

/* Where there is no memory to count another user's tasks, the call may be tried again. */
KTEST(task_no_user, "task.no_user", "", "task.limit")
{
	struct cred *c = cred_copy(0);
	int err;

	REQUIRE(c, "task.limit", "no memory for credentials");
	c->uid.real = 1234;
	oom_arm(1, current_thread());
	err = cred_find_user(c);
	oom_arm(0, NULL);
	CHECK(err == -EAGAIN, "task.limit", "the error is %d", err);
	cred_put(c);
}

/* A sixth of the memory is for the stacks of threads, unless threads= says otherwise. */
KTEST(task_most, "task.most", "", "task.limit")
{
	u64 stacks = (u64)threads_max * KSTACK_SIZE, memory = page_total() * PAGE_SIZE;

	CHECK(stacks > memory / 7, "task.limit", "only %u threads", threads_max);
	CHECK(stacks <= memory / 6, "task.limit", "%u threads", threads_max);
}
