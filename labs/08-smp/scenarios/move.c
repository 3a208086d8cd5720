/*
 * Lab 08, step 1: a thread that becomes ready where it may not run. Step 3: one that is taken.
 */
#include "cpus.h"

#include "sched/wait.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor first, second, third;

static int stay_on_1(void)
{
	expect(my_cpu() == 1, "it may run on CPU 1 alone, and runs on CPU %u", my_cpu());
	return 0;
}

static int stay_on_0(void)
{
	expect(my_cpu() == 0, "it may run on CPU 0 alone, and runs on CPU %u", my_cpu());
	return 0;
}

/* New threads: one is begun on the wrong CPU, one on the right one. */
SCENARIO(new, "move.new_thread", "08.1", "P8.1", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true)
{
	begin_actor(0, BIT(1), &first, stay_on_1);
	begin_actor(1, BIT(1), &second, stay_on_1);
	end_here();
}

static struct thread *made;

static int begin_third(void)
{
	start_actor(&third, made);
	return 0;
}

/* Two CPUs move a thread each, to and fro. If each waits for the other's queue, both hang. */
SCENARIO(crossed, "move.crossed", "08.1", "P8.1", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true)
{
	stay_here();
	made = make_actor(1, BIT(0), &third, stay_on_0);
	begin_actor(1, BIT(1), &second, begin_third);
	begin_actor(0, BIT(1), &first, stay_on_1);
	end_here();
}

/* A waiter's mask changes while it waits; the other CPU wakes it at any moment. */
static _Atomic bool may_go;

static int wait_and_look(void)
{
	int err = 0;

	spin_lock(&q.lock);
	while (!may_go && !err)
		err = wait_block_locked(&q, DEADLINE_NEVER, 0);
	spin_unlock(&q.lock);
	return err;
}

static int wake_it(void)
{
	spin_lock(&q.lock);
	may_go = true;
	wait_wake_all_locked(&q, 0);
	spin_unlock(&q.lock);
	return 0;
}

static const char *woken_on_1(void)
{
	if (thread_cpu(first.thread) != &cpus[1])
		return "it is not on the CPU that it may use";
	return first.result ? wrong("the wait returned %d", first.result) : queues_are_empty();
}

SCENARIO(woken, "move.against_wake", "08.1", "P8.1", .cpus = 2, .bootargs = ALONE,
	 .after = woken_on_1, .keeps = true)
{
	struct runq *rq;

	stay_here();
	begin_actor(0, BIT(0), &first, wait_and_look);
	await_blocked(&first);
	rq = thread_runq_lock(first.thread);
	first.thread->affinity = first.thread->se.affinity = BIT(1);
	runq_unlock(rq);
	begin_actor(1, BIT(1), &second, wake_it);
	end_here();
}

/* --- Step 3: from one queue into the other ---------------------------------------------------- */

static bool (*enqueue)(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
		       u64 now);

static bool enqueue_of_both(struct policy_queue *to, struct sched_entity *e, enum enqueue_why why,
			    u64 now)
{
	expect(why != ENQUEUE_MIGRATED || spin_held(&cpus[1].runq.lock),
	       "a thread is not in the new queue yet, and the old one is unlocked");
	return enqueue(to, e, why, now);
}

static int do_nothing(void)
{
	return 0;
}

/*
 * In between the thread would wait nowhere: a CPU that looks for real-time threads would miss it,
 * and would not even know that a queue was locked (BALANCE1).
 */
SCENARIO(both_locked, "steal.both_locked", "08.3", "P8.4", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true)
{
	struct runq *rq;

	stay_here();
	enqueue = policy.enqueue;
	policy.enqueue = enqueue_of_both;
	begin_actor(1, ~0u, &first, do_nothing);
	begin_actor(1, ~0u, &second, do_nothing);
	rq = this_runq_lock();
	steal(rq, time_now());
	runq_unlock(rq);
	end_here();
}
