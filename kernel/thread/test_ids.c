/*
 * Tests of ids: one that is in use does not come up again, not even when the numbers have wrapped;
 * and going through all threads meets each once.
 */
#include "base/string.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define IN_USE	128		/* fewer are in use when the tests run */

static bool came[ID_MAX];

static int leave(void *unused)
{
	(void)unused;
	return 0;
}

/* Makes a process that ends when *@t is resumed. */
static struct process *make_process(struct thread **t)
{
	struct process *p;

	REQUIRE(process_create(current_process(), &p) == 0, "thread.ids", "no process");
	REQUIRE(thread_create_in(p, "leaves", leave, NULL, PRIORITY_DEFAULT, t) == 0, "thread.ids",
		"no thread");
	return p;
}

static void end_process(pid_t pid, struct thread *t)
{
	struct wait_result res;

	thread_resume(t);
	CHECK(process_wait(pid, WEXITED, &res) == 0, "thread.ids", "waiting for process %d", pid);
}

/* Makes a process, ends it, and returns the id that it had. */
static pid_t use_an_id(void)
{
	struct thread *t;
	pid_t pid = make_process(&t)->pid;

	end_process(pid, t);
	return pid;
}

static pid_t next_id(void)
{
	pid_t id;

	spin_lock(&tree_lock);
	id = id_alloc();
	spin_unlock(&tree_lock);
	return id;
}

/* Notes in came[] which ids come up in one round. Returns how many. */
static int go_round(void)
{
	pid_t first = next_id(), id = first;
	int n = 0;

	memset(came, 0, sizeof(came));
	do {
		REQUIRE(id >= 2 && id < ID_MAX && !came[id], "thread.ids", "id %d", id);
		came[id] = true;
		n++;
		id = next_id();
	} while (id != first);
	return n;
}

/* POSIX: the id of a group or a session that has members is no new process's. */
KTEST(thread_ids_wrap, "thread.ids_wrap", "", "thread.ids")
{
	pid_t group = use_an_id(), session = use_an_id(), pid;
	struct thread *t;
	struct process *member = make_process(&t);
	int n;

	pid = member->pid;
	spin_lock(&tree_lock);
	member->pgid = group;
	member->sid = session;
	spin_unlock(&tree_lock);
	go_round();		/* from here on the numbers have wrapped */
	n = go_round();
	CHECK(n >= ID_MAX - IN_USE, "thread.ids", "only %d ids come up", n);
	CHECK(!came[group] && !came[session], "thread.ids", "the id of a group or a session");
	CHECK(!came[pid] && !came[current_thread()->tid], "thread.ids", "the id of one that runs");
	end_process(pid, t);
	go_round();
	CHECK(came[group] && came[session] && came[pid], "thread.ids", "ids that are free again");
}

static void count_own(struct thread *t, void *n)
{
	*(unsigned *)n += t == current_thread();
}

KTEST(thread_each_once, "thread.each_once", "", "thread.ids")
{
	unsigned n[2] = { 0 };

	thread_for_each(count_own, &n[0]);
	thread_for_each_id(count_own, &n[1]);
	CHECK(n[0] == 1 && n[1] == 1, "thread.ids", "met %u and %u times", n[0], n[1]);
}
