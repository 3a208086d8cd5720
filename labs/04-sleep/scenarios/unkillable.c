/*
 * Lab 04, steps 3 to 5: waits that no kill ends. Only the waker can tell how they end.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "process/signal_impl.h"
#include "sched/wait.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q), quiet = WAIT_QUEUE_INIT(quiet);
static struct actor first, second;

static int wait_in(struct wait_queue *in, struct deadline d, unsigned flags)
{
	int err;

	spin_lock(&in->lock);
	err = wait_block_locked(in, d, flags);
	spin_unlock(&in->lock);
	return err;
}

static int wait_unkillably(void)
{
	return wait_in(&q, DEADLINE_NEVER, WAIT_UNKILLABLE);
}

static int wait_killably(void)
{
	return wait_block(&q, DEADLINE_NEVER);
}

static const char *each_in_turn(void)
{
	if (first.result != 7 || second.result != 8)
		return wrong("the first waiter got %d, not 7; the second one %d, not 8",
			     first.result, second.result);
	return NULL;
}

/* Both wait; the first one is killed and the second is to stop, which does not end their waits. */
static void start_both(void)
{
	act_on(0, &first, wait_unkillably);
	while (!q.nr)
		let_others_run();
	act_on(0, &second, wait_killably);
	while (q.nr < 2)
		let_others_run();
	thread_kill(first.thread);
	expect(!thread_suspend(second.thread), "a waiting thread cannot be told to stop");
}

/* The first one is killed, and waits on: it is its turn all the same. */
SCENARIO(killed_in_turn, "event.killed_in_turn", "04.3", "P4.6", .cpus = 1,
	 .after = each_in_turn, .keeps = true)
{
	start_both();
	expect(wait_wake_one(&q, 7), "two threads wait, and none was woken");
	expect(wait_wake_one(&q, 8), "one thread waits, and none was woken");
	end_here();
}

static const char *both_got(int status)
{
	if (first.result != status || second.result != status)
		return wrong("the first waiter got %d, the second one %d, not %d", first.result,
			     second.result, status);
	return NULL;
}

static const char *both_woken(void)
{
	return both_got(7);
}

SCENARIO(killed_with_all, "event.all_with_killed", "04.3", "P4.7", .cpus = 1, .after = both_woken,
	 .keeps = true)
{
	unsigned woken;

	start_both();
	woken = wait_wake_all(&q, 7);
	expect(woken == 2, "two threads wait, one of them killed, and %u were woken", woken);
	end_here();
}

static const char *both_destroyed(void)
{
	return both_got(-EIDRM);
}

SCENARIO(killed_destroyed, "destroy.of_killed", "04.5", "P4.15", .cpus = 1,
	 .after = both_destroyed, .keeps = true)
{
	start_both();
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	end_here();
}

static bool returned;

static int die_and_wait(void)
{
	int err, timeout;

	signal_tell(current_thread());
	timeout = wait_in(&quiet, deadline_in(1000), WAIT_KILL_ONLY);
	expect(timeout == -ETIMEDOUT, "a wait that only a kill ends was told of a signal: %d",
	       timeout);
	thread_kill(current_thread());
	err = wait_unkillably();
	returned = true;
	timeout = wait_in(&quiet, deadline_in(1000), WAIT_UNKILLABLE);
	expect(timeout == -ETIMEDOUT, "a killed thread waited for a deadline: %d", timeout);
	return err;
}

static const char *woken(void)
{
	return first.result == 5 ? NULL : wrong("the wait returned %d, not 5", first.result);
}

/*
 * It was killed before the wait: what it does on its way out may have to wait, too. A deadline ends
 * such a wait as it does any other, and one that no signal ends when there was a signal before.
 */
SCENARIO(dying, "ends.dying_waits", "04.4", "P4.13", .cpus = 1, .after = woken, .keeps = true)
{
	act_on(0, &first, die_and_wait);
	while (!q.nr && !returned)
		let_others_run();
	expect(wait_wake_one(&q, 5), "a wait that no kill ends was over before it was woken");
	end_here();
}
