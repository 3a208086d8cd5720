/*
 * Tests of a process that is new, or that one of its threads takes over: others never find it half
 * done. And of the records that tell its beginning and its end.
 */
#include "base/test_trace.h"
#include "errno.h"
#include "process/cred.h"
#include "process/process.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

/*
 * Starts @t, and returns when it has left @function and given back the lock that it held there. On
 * this CPU it would park with the lock held and keep us, who are to release it, from running.
 */
static void start_up_to(struct thread *t, const char *function)
{
	CHECK(sched_set_affinity(current_thread(), BIT(0)) == 0, "process.whole", "affinity");
	CHECK(sched_set_affinity(t, BIT(1)) == 0, "process.whole", "affinity");
	park_arm(0, function, AT_EXIT, t, 10 * NSEC_PER_SEC);
	thread_resume(t);
	REQUIRE(park_wait(0, 10 * NSEC_PER_SEC), "process.whole", "no end of %s()", function);
	park_arm(1, "spin_unlock", AT_EXIT, t, 10 * NSEC_PER_SEC);
	park_release(0);
	REQUIRE(park_wait(1, 10 * NSEC_PER_SEC), "process.whole", "it keeps the lock");
}

static int make_one(void *out)
{
	return process_create(init_process, out);
}

static struct process *newest_child(struct process *parent)
{
	struct process *newest = NULL;

	spin_lock(&tree_lock);
	list_for_each(c, &parent->children, struct process, sibling)
		newest = c;
	spin_unlock(&tree_lock);
	return newest;
}

/* Held as soon as it has given the tree lock back, its creator has nothing left to fill in. */
KTEST(process_found_whole, "process.found_whole", "", "process.whole")
{
	struct process *p, *found;
	struct thread *t;
	int err;

	NEEDS_TWO_CPUS;
	t = thread_create("maker", make_one, &p, PRIORITY_DEFAULT);
	REQUIRE(t, "process.whole", "no memory for a thread");
	start_up_to(t, "process_list_add");
	found = newest_child(init_process);
	CHECK(found->pid && found->parent == init_process, "process.whole", "it has no place");
	CHECK(found->pgid == init_process->pgid, "process.whole", "it has no group");
	CHECK(found->sid == init_process->sid, "process.whole", "it has no session");
	park_release(1);
	thread_join(t, &err, DEADLINE_NEVER);
	REQUIRE(err == 0 && p == found, "process.whole", "making it gives %d", err);
	CHECK(!park_timed_out(0) && !park_timed_out(1), "process.whole", "the test took too long");
	process_abandon(p);
	sched_set_affinity(current_thread(), ~0u);
	audit();
}

static int nothing(void *unused)
{
	(void)unused;
	return 0;
}

/* Takes over its process with credentials of its own, as in execve(). */
static int take_over(void *unused)
{
	struct cred *own = cred_copy(0);

	(void)unused;
	REQUIRE(own, "process.whole", "no memory for credentials");
	cred_commit(own);
	CHECK(process_kill_siblings() == 0, "process.whole", "the leader does not end");
	return 0;
}

/* CRED2: with the lock of the process given back, the process has the thread's credentials. */
KTEST(process_taken_over, "process.taken_over", "", "process.whole")
{
	struct thread *leader, *t;
	struct wait_result res;
	struct process *p;
	struct cred *seen;

	NEEDS_TWO_CPUS;
	REQUIRE(process_create(current_process(), &p) == 0, "process.whole", "no process");
	REQUIRE(thread_create_in(p, "leader", nothing, NULL, PRIORITY_DEFAULT, &leader) == 0 &&
		thread_create_in(p, "heir", take_over, NULL, PRIORITY_DEFAULT, &t) == 0,
		"process.whole", "no threads");
	thread_get(t);
	thread_resume(leader);
	while (atomic_load(&p->nr_threads) > 1)
		thread_yield();
	reaper_drain();		/* on our CPU it would spin for the lock that the heir parks with */
	start_up_to(t, "thread_change_id");
	seen = process_cred(p);
	CHECK(seen == t->cred, "process.whole", "it has other credentials than its thread");
	cred_put(seen);
	park_release(1);
	CHECK(process_wait(p->pid, WEXITED, &res) == 0, "process.whole", "the wait fails");
	CHECK(!park_timed_out(0) && !park_timed_out(1), "process.whole", "the test took too long");
	thread_put(t);
	sched_set_affinity(current_thread(), ~0u);
	audit();
}

struct lost {
	struct process *child;
	_Atomic int result;		/* 1: not yet */
};

static int wait_for_child(void *arg)
{
	struct wait_result res;
	struct lost *l = arg;

	atomic_store(&l->result, process_wait(l->child->pid, WEXITED, &res));
	return 0;
}

/* A child that its parent gives up, or gives away, ends a wait that has found it. */
KTEST(process_lost_child, "process.lost_child", "", "process.whole")
{
	for (unsigned away = 0; away < 2; away++) {
		struct process *self = current_process();
		struct lost l = { .result = 1 };
		struct thread *t;

		REQUIRE(process_create(self, &l.child) == 0, "process.whole", "no process");
		REQUIRE(thread_create_in(self, "waits", wait_for_child, &l, PRIORITY_DEFAULT,
					 &t) == 0,
			"process.whole", "no thread");
		thread_resume(t);
		while (thread_state(t) != THREAD_BLOCKED)
			thread_yield();
		if (away)
			process_make_sibling(l.child);
		else
			process_abandon(l.child);
		while (atomic_load(&l.result) == 1)
			thread_yield();
		CHECK(l.result == -ECHILD, "process.whole", "the wait gives %d", l.result);
		if (away)
			process_abandon(l.child);
	}
	audit();
}

struct sought {
	struct process *which[2];
	unsigned found[2];
};

static void seek(struct process *p, void *arg)
{
	struct sought *s = arg;

	for (unsigned i = 0; i < 2; i++)
		s->found[i] += p == s->which[i];
}

/* Processes that share one of the 256 lists of the table of ids are all found. */
KTEST(process_each, "process.each", "", "process.each")
{
	struct sought s = { 0 };

	REQUIRE(process_create(current_process(), &s.which[0]) == 0, "process.each", "no process");
	for (;;) {
		REQUIRE(process_create(current_process(), &s.which[1]) == 0, "process.each",
			"no process");
		if ((s.which[1]->pid - s.which[0]->pid) % 256 == 0)
			break;
		process_abandon(s.which[1]);
	}
	process_for_each(seek, &s);
	CHECK(s.found[0] == 1 && s.found[1] == 1, "process.each",
	      "of two in one list, the one was found %u times, the other %u times", s.found[0],
	      s.found[1]);
	process_abandon(s.which[1]);
	process_abandon(s.which[0]);
}

#define CODE	5

static int end_at_once(void *unused)
{
	(void)unused;
	return CODE;
}

/* Timelines and judges read there how a process began, became a zombie and was reaped. */
KTEST(process_recorded, "process.recorded", "", "process.recorded")
{
	struct wait_result res;
	struct process *p;
	struct thread *t;
	pid_t pid;

	look_from_here(TRACE_LIFE);
	REQUIRE(process_create(current_process(), &p) == 0, "process.recorded", "no process");
	pid = p->pid;
	CHECK(recorded(TRACE_EV_PROCESS, pid, current_process()->pid) == 1, "process.recorded",
	      "its beginning");
	REQUIRE(thread_create_in(p, "only", end_at_once, NULL, PRIORITY_DEFAULT, &t) == 0,
		"process.recorded", "no thread");
	thread_resume(t);
	process_wait(pid, WEXITED | WNOWAIT, &res);
	CHECK(recorded(TRACE_EV_TEARDOWN, pid, ANY) == 1, "process.recorded", "its teardown");
	CHECK(recorded(TRACE_EV_ZOMBIE, pid, STATUS_EXIT(CODE)) == 1 &&
		      !recorded(TRACE_EV_REAPED, pid, ANY),
	      "process.recorded", "a zombie: %u and %u records",
	      recorded(TRACE_EV_ZOMBIE, pid, ANY), recorded(TRACE_EV_REAPED, pid, ANY));
	process_wait(pid, WEXITED, &res);
	look_no_longer();
	CHECK(recorded(TRACE_EV_REAPED, pid, STATUS_EXIT(CODE)) == 1, "process.recorded",
	      "reaped: %u records", recorded(TRACE_EV_REAPED, pid, ANY));
}
