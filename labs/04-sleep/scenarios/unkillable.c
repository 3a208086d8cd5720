/*
 * Lab 04, steps 3 to 5: waits that no kill or no signal ends. Only the waker can tell how they end.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "process/signal_impl.h"
#include "sched/wait.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q), quiet = WAIT_QUEUE_INIT(quiet);
static struct actor first, second, third;

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

static int wait_unsignalled(void)
{
	return wait_in(&q, DEADLINE_NEVER, WAIT_KILL_ONLY);
}

static const char *each_in_turn(void)
{
	if (first.result != 7 || second.result != 8 || third.result != 9)
		return wrong("the three waiters got %d, %d and %d, not 7, 8 and 9", first.result,
			     second.result, third.result);
	return NULL;
}

/*
 * All wait; the first one is killed, the second is to stop, and the third has a signal, which does
 * not end their waits.
 */
static void start_all(void)
{
	act_on(0, &first, wait_unkillably);
	while (!q.nr)
		let_others_run();
	act_on(0, &second, wait_killably);
	while (q.nr < 2)
		let_others_run();
	act_on(0, &third, wait_unsignalled);
	while (q.nr < 3)
		let_others_run();
	thread_kill(first.thread);
	expect(!thread_suspend(second.thread), "a waiting thread cannot be told to stop");
	signal_tell(third.thread);
}

/* They wait on, and their turns come as they would have come. */
SCENARIO(killed_in_turn, "event.killed_in_turn", "04.3", "P4.6", .cpus = 1,
	 .after = each_in_turn, .keeps = true)
{
	start_all();
	for (int i = 0; i < 3; i++)
		expect(wait_wake_one(&q, 7 + i), "%d threads wait, and none was woken", 3 - i);
	end_here();
}

static const char *all_got(int status)
{
	if (first.result != status || second.result != status || third.result != status)
		return wrong("the three waiters got %d, %d and %d, not %d", first.result,
			     second.result, third.result, status);
	return NULL;
}

static const char *all_woken(void)
{
	return all_got(7);
}

SCENARIO(killed_with_all, "event.all_with_killed", "04.3", "P4.7", .cpus = 1, .after = all_woken,
	 .keeps = true)
{
	unsigned woken;

	start_all();
	woken = wait_wake_all(&q, 7);
	expect(woken == 3, "three threads wait, one of them killed, and %u were woken", woken);
	end_here();
}

static const char *all_destroyed(void)
{
	return all_got(-EIDRM);
}

SCENARIO(killed_destroyed, "destroy.of_killed", "04.5", "P4.15", .cpus = 1,
	 .after = all_destroyed, .keeps = true)
{
	start_all();
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
