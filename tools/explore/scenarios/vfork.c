/*
 * vfork(): the parent waits on its own stack for a child that execs and ends, and may be killed.
 */
#include "explore/scenario.h"

#include "explore/tree.h"
#include "sync/sync.h"

static struct process *child;
static struct thread *parent;
static struct actor first, second;

/* The child execs, and is torn down at some time. */
static int release_twice(void)
{
	vfork_release(child);
	vfork_release(child);
	return 0;
}

static int kill_parent(void)
{
	thread_kill(parent);
	return 0;
}

/* The completion is gone when this returns: an access to it is noticed. */
static noinline void vfork(void)
{
	struct completion done;

	completion_init(&done);
	child->vfork_done = &done;
	act_on(1, &first, release_twice);
	vfork_wait(child, &done);
}

SCENARIO(goes_on, "vfork.parent_goes_on", "", "", .cpus = 2, .keeps = true)
{
	child = make_child();
	vfork();
	end_here();
}

SCENARIO(there, "vfork.completion_there", "", "", .cpus = 2, .keeps = true)
{
	child = make_child();
	parent = current_thread();
	act_on(0, &second, kill_parent);
	vfork();
	end_here();
}
