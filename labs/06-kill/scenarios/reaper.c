/*
 * Lab 06: the reaper frees threads that have left, and makes those leave that were killed before
 * they ran. These threads are the kernel's own: they have joiners.
 */
#include "errno.h"
#include "explore/scenario.h"

#include "process/process.h"

static int nothing(void *unused)
{
	(void)unused;
	return 0;
}

SCENARIO(reap_two, "reaper.two_bodies", "06.2", "P6.10", .cpus = 2)
{
	thread_detach(start(nothing, NULL));
	thread_detach(start(nothing, NULL));
}

SCENARIO(reap_drained, "reaper.drained", "06.2", "P6.10", .cpus = 2)
{
	struct thread *t = thread_get(start(nothing, NULL));

	thread_detach(t);
	while (thread_state(t) != THREAD_DEAD)
		arch_spin_hint();
	reaper_drain();
	expect(!t->stack, "the reaper is idle, but a dead thread was not freed");
	thread_put(t);
}

/* Threads of the kernel have joiners; a kill may come before they run, or while they do. */
SCENARIO(reap_joinable, "reaper.killed_and_joined", "06.4", "P6.10", .cpus = 2)
{
	struct thread *t = start(nothing, NULL);
	int err;

	thread_kill(t);
	err = thread_join(t, NULL, DEADLINE_NEVER);
	expect(!err, "joining a killed thread returned %d", err);
}

static bool is_listed(struct thread *t)
{
	bool listed;

	spin_lock(&t->process->lock);
	listed = list_linked(&t->process_node);
	spin_unlock(&t->process->lock);
	return listed;
}

/* Never runs. Returns while the reaper makes it leave its process. */
static struct thread *reap_unrun(void)
{
	struct thread *t = create_among(BIT(0), nothing, NULL);

	thread_kill(t);
	while (is_listed(t))
		arch_spin_hint();
	return t;
}

SCENARIO(reap_and_join, "reaper.joined_meanwhile", "06.4", "P6.10", .cpus = 2)
{
	struct thread *t = reap_unrun();

	join(t);
}

SCENARIO(reap_and_detach, "reaper.detached_meanwhile", "06.4", "P6.10", .cpus = 2)
{
	expect(!thread_detach(reap_unrun()), "the detach failed");
}

static struct thread *victim;

static int kill_victim(void *unused)
{
	(void)unused;
	thread_kill(victim);
	thread_put(victim);
	return 0;
}

SCENARIO(reap_detached, "reaper.killed_and_detached", "06.4", "P6.10", .cpus = 2)
{
	victim = thread_get(start(nothing, NULL));
	thread_detach(start(kill_victim, NULL));
	expect(!thread_detach(victim), "the detach failed");
}

SCENARIO(reap_timed, "reaper.killed_or_timed_out", "06.4", "P6.10", .cpus = 2)
{
	int err;

	victim = thread_get(start(nothing, NULL));
	thread_detach(start(kill_victim, NULL));
	err = thread_join(victim, NULL, deadline_in(1000));
	expect(!err || err == -ETIMEDOUT, "the join returned %d", err);
	if (err)
		expect(!thread_join(victim, NULL, DEADLINE_NEVER), "the second join failed");
}
