/*
 * Tests of ids: one that is in use does not come up again, not even when the numbers have wrapped;
 * and going through all threads meets each once.
 */
#include "base/string.h"
#include "errno.h"
#include "mm/mm.h"
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

/* Gives an id to a thread that has nothing but that. NULL: none is left, or no memory. */
static struct thread *take_an_id(int *err)
{
	struct thread *t = kzalloc(sizeof(*t));

	*err = -ENOMEM;
	if (!t)
		return NULL;
	t->process = &kernel_process;
	*err = thread_list_add(t);
	if (!*err)
		return t;
	kfree(t);
	return NULL;
}

static void give_back(struct thread *t)
{
	thread_list_remove(t);
	kfree(t);
}

KTEST(thread_ids_all_taken, "thread.ids_all_taken", "", "thread.ids")
{
	static struct thread *taken[ID_MAX];
	struct process *p;
	struct thread *t;
	int n = 0, err, of_process, of_thread;

	while ((taken[n] = take_an_id(&err)))
		n++;
	of_process = process_create(current_process(), &p);
	of_thread = thread_create_in(current_process(), "none", leave, NULL, PRIORITY_DEFAULT, &t);
	while (n > 0)
		give_back(taken[--n]);
	CHECK(err == -EAGAIN, "thread.ids", "the last one got %d", err);
	CHECK(of_process == -EAGAIN, "thread.ids", "without an id a process got %d", of_process);
	CHECK(of_thread == -EAGAIN, "thread.ids", "without an id a thread got %d", of_thread);
	use_an_id();
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
