/*
 * Lab 06, step 5: a victim in every state, with a signal or without, in a process that is stopped
 * or not, and killed by another process or by the exit of a thread beside it; once, or once more
 * when it has been killed alone and could not run since.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"
#include "explore/tree.h"
#include "process/signal_impl.h"
#include "sched/cpu.h"
#include "sched/wait.h"

enum doing { WAITS, SLEEPS, WORKS_READY, WORKS_SUSPENDED, UNRUN_READY, UNRUN_SUSPENDED };

static const struct state {
	const char *name;
	enum doing doing;
	enum thread_state found;	/* by the kill */
	bool timed;			/* the wait or sleep has a deadline */
	u32 flags;			/* of the wait */
	int result;			/* of the wait or sleep, if the victim is killed */
} states[] = {
	{ "waits", WAITS, THREAD_BLOCKED, false, 0, -EINTR },
	{ "waits, timed", WAITS, THREAD_BLOCKED, true, 0, -EINTR },
	{ "waits, only to be killed", WAITS, THREAD_BLOCKED, false, WAIT_KILL_ONLY, -EINTR },
	{ "waits, only to be killed, timed", WAITS, THREAD_BLOCKED, true, WAIT_KILL_ONLY, -EINTR },
	{ "waits, unkillable", WAITS, THREAD_BLOCKED, false, WAIT_UNKILLABLE, 7 },
	{ "waits, unkillable, timed", WAITS, THREAD_BLOCKED, true, WAIT_UNKILLABLE, -ETIMEDOUT },
	{ "sleeps", SLEEPS, THREAD_SLEEPING, false, 0, -EINTR },
	{ "sleeps, timed", SLEEPS, THREAD_SLEEPING, true, 0, -EINTR },
	{ "is ready, with work", WORKS_READY, THREAD_READY, false, 0, 0 },
	{ "is suspended, with work", WORKS_SUSPENDED, THREAD_SUSPENDED, false, 0, 0 },
	{ "is ready, and has not run", UNRUN_READY, THREAD_READY, false, 0, 0 },
	{ "is suspended, and has not run", UNRUN_SUSPENDED, THREAD_SUSPENDED, false, 0, 0 },
};

static const struct state *state;
static bool by_sibling, stopped, signalled, again;

#define AT	BIT(40)			/* a deadline that comes by hand */

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static bool begun, finished;		/* the victim's work */
static int result;

static int be_victim(void *unused)
{
	struct deadline d = state->timed ? deadline_at(AT) : DEADLINE_NEVER;

	(void)unused;
	begun = true;
	if (state->doing == WAITS) {
		spin_lock(&q.lock);
		result = wait_block_locked(&q, d, state->flags);
		spin_unlock(&q.lock);
	} else if (state->doing == SLEEPS) {
		result = thread_sleep_until(d);
	} else {
		thread_yield();
		thread_yield();		/* stops here if it has been told to */
	}
	finished = true;
	return 3;
}

static int exit_with_4(void *unused)
{
	(void)unused;
	process_exit(STATUS_EXIT(4));
}

#define EXPECT(cond, text, ...)								\
	expect(cond, "a victim %s%s%s%s%s: " text, state->name,				\
	       signalled ? ", has a signal" : "",					\
	       stopped ? ", its process is stopped" : "",				\
	       again ? ", was killed alone before" : "",				\
	       by_sibling ? ", and another of its threads exits" : "", ##__VA_ARGS__)

static bool unrun(void)
{
	return state->doing == UNRUN_READY || state->doing == UNRUN_SUSPENDED;
}

/* Brings the new thread @t into its state, where nothing but the kill or its wake-up ends that. */
static void bring_there(struct thread *t)
{
	begun = finished = false;
	thread_resume(t);
	while (!unrun() && !begun)
		thread_yield();
	if (state->doing == WORKS_SUSPENDED || state->doing == UNRUN_SUSPENDED)
		expect(!thread_suspend(t), "a thread cannot be suspended");
	while (state->doing == WORKS_SUSPENDED && thread_state(t) == THREAD_READY)
		thread_yield();
	if (signalled)
		atomic_fetch_or(&t->work, WORK_SIGNAL);
}

/* A sibling is more urgent than the victim, so that this is found by its exit as it was. */
static void kill_it(struct process *p, struct thread *t, struct thread *sibling)
{
	p->stopped = stopped;
	irq_off();
	if (again)
		thread_kill(t);
	if (sibling)
		thread_resume(sibling);
	else
		process_kill(p, KILLED);
	irq_on();
	if (sibling)
		thread_yield();
}

static void end_wait(void)
{
	if (!state->timed) {
		EXPECT(wait_wake_one(&q, 7), "there is nobody to wake");
		return;
	}
	irq_off();
	sleepq_expire(&cpus[0].sleepq, AT);
	irq_on();
}

static void kill_one(void)
{
	struct process *p = make_child();
	struct thread *t = create_in(p, be_victim, NULL), *sibling = NULL;
	pid_t pid = p->pid;

	if (by_sibling) {
		sibling = create_in(p, exit_with_4, NULL);
		expect(!sched_set_params(sibling, &MOST_URGENT), "no real-time thread");
	}
	thread_get(t);
	bring_there(t);
	EXPECT(thread_state(t) == state->found, "before the kill it is %s",
	       thread_state_name(thread_state(t)));
	kill_it(p, t, sibling);
	if (state->flags == WAIT_UNKILLABLE) {
		EXPECT(thread_state(t) == THREAD_BLOCKED && !finished,
		       "its wait is over before its time");
		end_wait();
	}
	expect_status(pid, by_sibling ? STATUS_EXIT(4) : KILLED);
	EXPECT(finished != unrun(), "%s", unrun() ? "it ran" : "it did not finish its work");
	if (state->doing == WAITS || state->doing == SLEEPS)
		EXPECT(result == state->result, "it got %d, not %d", result, state->result);
	thread_put(t);
}

static void kill_all(bool by_its_sibling)
{
	by_sibling = by_its_sibling;
	for (unsigned i = 0; i < ARRAY_SIZE(states) * 2; i++) {
		state = &states[i / 2];
		stopped = i & 1;
		/* A signal would end a wait that has no flags before the kill. */
		signalled = i / 2 & 1 && state->flags;
		kill_one();
	}
	explore_from_here();
	end_here();
}

SCENARIO(killed, "kill.by_state", "06.5", "P6.6", .cpus = 1, .sets_up = true, .quiet = true,
	 .keeps = true, .no_costume = true)
{
	kill_all(false);
}

SCENARIO(exits, "kill.exit_by_state", "06.5", "P6.6", .cpus = 1, .sets_up = true, .quiet = true,
	 .keeps = true, .no_costume = true)
{
	kill_all(true);
}

SCENARIO(killed_again, "kill.again_by_state", "06.5", "P6.6", .cpus = 1, .sets_up = true,
	 .quiet = true, .keeps = true, .no_costume = true)
{
	again = true;
	kill_all(false);
}
