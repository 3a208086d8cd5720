/*
 * Two threads that each hold the mutex the other one wants. The wait that closes the circle is
 * reported (tools/tests/test_locks.py reads the report); the test of GDB's `deadlock` stops at
 * thread_kill(), where both wait; and a kill ends the killable wait.
 */
#include "base/trace.h"
#include "errno.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "sync/mutex.h"
#include "test/ktest.h"
#include "thread/thread.h"

static struct mutex first, second;
static struct thread *forwards, *backwards;

static bool has_waiter(struct mutex *m)
{
	bool some;

	spin_lock(&pi_lock);
	some = pi_has_waiters(&m->pi);
	spin_unlock(&pi_lock);
	return some;
}

static void await_waiter(struct mutex *m)
{
	while (!has_waiter(m))
		thread_sleep(NSEC_PER_MSEC);
}

/* Whether @t is blocked and off its stack: its CPU has the queue's lock until it has switched. */
static bool has_blocked(struct thread *t)
{
	struct runq *rq = thread_runq_lock(t);
	bool blocked = thread_state(t) == THREAD_BLOCKED;

	runq_unlock(rq);
	return blocked;
}

/* Whether the trace has a record of the circle that the wait for @m has closed. */
static bool was_recorded(const struct mutex *m)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		const struct trace_ring *ring = cpus[i].trace;
		u64 head = atomic_load(&ring->head);

		for (u64 n = head - MIN(head, ring->size); n < head; n++) {
			const struct trace_record *r = &ring->records[n & (ring->size - 1)];

			if (r->event == TRACE_EV_DEADLOCK && r->a == (u64)m)
				return true;
		}
	}
	return false;
}

static int lock_forwards(void *unused)
{
	int err;

	(void)unused;
	mutex_lock(&first);
	while (atomic_load(&second.word) == 0)
		thread_sleep(NSEC_PER_MSEC);
	err = mutex_lock_interruptible(&second);
	if (!err)
		mutex_unlock(&second);
	mutex_unlock(&first);
	return err;
}

static int lock_backwards(void *unused)
{
	(void)unused;
	mutex_lock(&second);
	await_waiter(&second);
	mutex_lock(&first);			/* closes the circle */
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

KTEST(deadlock_kill, "deadlock.ends_by_kill", "", "deadlock.kill")
{
	int killed, other;

	mutex_init_named(&first, "crossed");	/* one class: their order is not judged */
	mutex_init_named(&second, first.name);
	forwards = thread_create("forwards", lock_forwards, NULL, PRIORITY_DEFAULT);
	backwards = thread_create("backwards", lock_backwards, NULL, PRIORITY_DEFAULT);
	REQUIRE(forwards && backwards, "deadlock.kill", "no memory for two threads");
	thread_resume(forwards);
	thread_resume(backwards);
	await_waiter(&first);
	await_waiter(&second);
	while (!has_blocked(forwards) || !has_blocked(backwards))
		thread_sleep(NSEC_PER_MSEC);
	CHECK(!(trace_mask & TRACE_LIFE) || was_recorded(&first), "deadlock.kill",
	      "the trace knows nothing of the circle");
	thread_kill(forwards);
	thread_join(forwards, &killed, DEADLINE_NEVER);
	thread_join(backwards, &other, DEADLINE_NEVER);
	CHECK(killed == -EINTR, "deadlock.kill", "the killed waiter got %d", killed);
	CHECK(other == 0, "deadlock.kill", "the other one got %d", other);
	CHECK(!has_waiter(&first) && !has_waiter(&second), "deadlock.kill",
	      "somebody still waits");
	mutex_destroy(&first);
	mutex_destroy(&second);
}
