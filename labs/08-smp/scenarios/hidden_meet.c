/*
 * Lab 08, hidden: a thread whose mask changes while it blocks and is woken, or is taken and runs.
 */
#include "cpus.h"

#include "sched/wait.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor subject, other;
static _Atomic bool forbidden;		/* the call that forbids a CPU has returned */
static bool may_go;

/* When the call that allows CPU @cpu alone has returned, @t neither runs nor waits elsewhere. */
static void allow_only(struct thread *t, unsigned cpu)
{
	int err = sched_set_affinity(t, BIT(cpu));
	enum thread_state s;
	struct runq *rq;
	unsigned at;

	expect(!err, "the new mask is refused: %d", err);
	rq = thread_runq_lock(t);
	s = thread_state(t);
	at = runq_cpu(rq)->id;
	runq_unlock(rq);
	expect(at == cpu || (s != THREAD_READY && s != THREAD_RUNNING),
	       "it may use CPU %u alone, and is %s on CPU %u", cpu, thread_state_name(s), at);
	forbidden = true;
}

static int wait_and_go_on(void)
{
	int err = 0;

	spin_lock(&q.lock);
	while (!may_go && !err)
		err = wait_block_locked(&q, DEADLINE_NEVER, 0);
	spin_unlock(&q.lock);
	expect(!forbidden || my_cpu() == 0, "it goes on on CPU 1, which its mask forbids");
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

static const char *it_has_gone_on(void)
{
	return subject.result ? wrong("the wait returned %d", subject.result) : queues_are_empty();
}

/* It blocks on CPU 1, is woken from there, and may not run there any more: in any order. */
SCENARIO(woken, "mask.blocks_and_wakes", "08.h", "P8.2", .cpus = 2, .bootargs = ALONE,
	 .after = it_has_gone_on, .keeps = true)
{
	stay_here();
	begin_actor(1, BIT(1), &subject, wait_and_go_on);
	begin_actor(1, BIT(1), &other, wake_it);
	allow_only(subject.thread, 0);
	end_here();
}

static int go_on_where_allowed(void)
{
	arch_spin_hint();
	expect(!forbidden || my_cpu() == 0, "it runs on CPU 1, which its mask forbids");
	return 0;
}

static int take_it(void)
{
	struct runq *rq = this_runq_lock();
	unsigned before = nr_ready(rq);
	bool found = steal(rq, time_now());

	expect(nr_ready(rq) == before + found, "%u waited here, steal() returned %d: %u wait now",
	       before, found, nr_ready(rq));
	runq_unlock(rq);
	return 0;
}

/* It waits on CPU 0, CPU 1 takes it and runs it, and CPU 0 forbids it CPU 1: in any order. */
SCENARIO(taken, "mask.taken", "08.h", "P8.2", .cpus = 2, .bootargs = ALONE,
	 .after = queues_are_empty, .keeps = true)
{
	stay_here();
	preempt_off();
	begin_actor(0, ~0u, &subject, go_on_where_allowed);
	begin_actor(1, BIT(1), &other, take_it);
	allow_only(subject.thread, 0);
	preempt_on();
	end_here();
}
