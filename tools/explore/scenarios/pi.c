/*
 * Inheritance by the owner of a mutex when the parameters of its waiter change, as it begins to
 * wait.
 */
#include "explore/scenario.h"

#include "sched/internal.h"
#include "sync/mutex.h"
#include "sync/pi.h"

static struct mutex m = MUTEX_INIT(m);
static struct actor waiter;

static int lock_and_unlock(void)
{
	mutex_lock(&m);
	mutex_unlock(&m);
	return 0;
}

/* The owner makes its waiter urgent: it is urgent itself from then on, if the other waits. */
SCENARIO(params, "pi.params_of_a_waiter", "", "", .cpus = 2, .keeps = true)
{
	struct sched_params urgent = params_of_level(PRIORITY_HIGHEST);
	struct sched_rank rank;
	bool waits;
	int err;

	stay_on(0);
	mutex_lock(&m);
	act_on(1, &waiter, lock_and_unlock);
	err = sched_set_params(waiter.thread, &urgent);
	expect(!err, "setting the parameters returned %d", err);
	spin_lock(&pi_lock);
	waits = waiter.thread->blocked_on;
	rank = thread_rank(waiter.thread);
	expect(!waits || !rank_above(rank, current_thread()->se.inherited),
	       "the owner does not inherit what its waiter was given");
	spin_unlock(&pi_lock);
	mutex_unlock(&m);
	end_here();
}
