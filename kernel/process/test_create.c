/* Tests of a new process: whoever finds it in the tree finds it whole. */
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

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
	park_arm(0, "process_list_add", AT_EXIT, t, 10 * NSEC_PER_SEC);
	thread_resume(t);
	REQUIRE(park_wait(0, 10 * NSEC_PER_SEC), "process.whole", "it lists no process");
	park_arm(1, "spin_unlock", AT_EXIT, t, 10 * NSEC_PER_SEC);
	park_release(0);
	REQUIRE(park_wait(1, 10 * NSEC_PER_SEC), "process.whole", "it keeps the tree lock");
	found = newest_child(init_process);
	CHECK(found->pid && found->parent == init_process, "process.whole", "it has no place");
	CHECK(found->pgid == init_process->pgid, "process.whole", "it has no group");
	CHECK(found->sid == init_process->sid, "process.whole", "it has no session");
	park_release(1);
	thread_join(t, &err, DEADLINE_NEVER);
	REQUIRE(err == 0 && p == found, "process.whole", "making it gives %d", err);
	CHECK(!park_timed_out(0) && !park_timed_out(1), "process.whole", "the test took too long");
	process_abandon(p);
	audit();
}
